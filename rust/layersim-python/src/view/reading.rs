//! Reading the union: status, content, links, names, attributes.

use layersim::error::Error;
use layersim::stack::Walked;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};

use super::PyView;
use crate::convert::PathArg;
use crate::error::{Result, detached};
use crate::stat::PyStat;

#[pymethods]
impl PyView {
    /// Describe what a path names, through links.
    ///
    /// Parameters
    /// ----------
    /// path : path
    ///     In the union.
    /// follow_symlinks : bool
    ///     Whether a link at the end is followed.
    ///
    /// Returns
    /// -------
    /// Stat
    ///     With the names of ``os.stat_result``.
    ///
    /// Raises
    /// ------
    /// OSError
    ///     With the kernel's errno.
    #[pyo3(signature = (path, *, follow_symlinks=true))]
    #[expect(clippy::needless_pass_by_value, reason = "an extracted argument can only be owned")]
    fn stat(&self, py: Python<'_>, path: PathArg<'_>, follow_symlinks: bool) -> Result<PyStat> {
        Ok(PyStat(self.indexed(py).stat(&path.bytes, follow_symlinks)?))
    }

    /// Describe what a path names, links themselves.
    ///
    /// Parameters
    /// ----------
    /// path : path
    ///     In the union.
    ///
    /// Returns
    /// -------
    /// Stat
    ///     With the names of ``os.stat_result``.
    ///
    /// Raises
    /// ------
    /// OSError
    ///     With the kernel's errno.
    #[expect(clippy::needless_pass_by_value, reason = "an extracted argument can only be owned")]
    fn lstat(&self, py: Python<'_>, path: PathArg<'_>) -> Result<PyStat> {
        Ok(PyStat(self.indexed(py).stat(&path.bytes, false)?))
    }

    /// Tell whether a path names something, through links.
    ///
    /// Parameters
    /// ----------
    /// path : path
    ///     In the union.
    ///
    /// Returns
    /// -------
    /// bool
    ///     False for a dangling link; ``in`` asks for the link itself.
    #[expect(clippy::needless_pass_by_value, reason = "an extracted argument can only be owned")]
    fn exists(&self, path: PathArg<'_>) -> bool {
        self.0.resolve(&path.bytes, true).is_ok()
    }

    /// Read a file.
    ///
    /// Parameters
    /// ----------
    /// path : path
    ///     In the union; links are followed.
    ///
    /// Returns
    /// -------
    /// bytes
    ///     A copy.
    ///
    /// Raises
    /// ------
    /// OSError
    ///     With the kernel's errno.
    #[expect(clippy::needless_pass_by_value, reason = "an extracted argument can only be owned")]
    fn read_bytes<'py>(&self, py: Python<'py>, path: PathArg<'_>) -> Result<Bound<'py, PyBytes>> {
        let content = self.0.content(&path.bytes)?;
        let bytes = py.detach(|| content.read(0..content.len())).map_err(|errno| Error::system(errno, &path.bytes))?;
        Ok(PyBytes::new(py, &bytes))
    }

    /// Read a symbolic link.
    ///
    /// Parameters
    /// ----------
    /// path : path
    ///     In the union.
    ///
    /// Returns
    /// -------
    /// str
    ///     Its target; ``bytes`` for a path that is bytes.
    ///
    /// Raises
    /// ------
    /// OSError
    ///     With the kernel's errno.
    #[expect(clippy::needless_pass_by_value, reason = "an extracted argument can only be owned")]
    fn readlink<'py>(&self, py: Python<'py>, path: PathArg<'_>) -> Result<Bound<'py, PyAny>> {
        Ok(path.answer(py, self.0.read_link(&path.bytes)?)?)
    }

    /// List the names in a directory, sorted by their bytes.
    ///
    /// Parameters
    /// ----------
    /// path : path
    ///     In the union; links are followed.
    ///
    /// Returns
    /// -------
    /// list of str
    ///     ``bytes`` for a path that is bytes.
    ///
    /// Raises
    /// ------
    /// OSError
    ///     With the kernel's errno.
    #[pyo3(signature = (path=PathArg::root()))]
    #[expect(clippy::needless_pass_by_value, reason = "an extracted argument can only be owned")]
    fn listdir<'py>(&self, py: Python<'py>, path: PathArg<'_>) -> Result<Vec<Bound<'py, PyAny>>> {
        let names = self.0.list(&path.bytes)?;
        Ok(names.iter().map(|name| path.answer(py, name)).collect::<PyResult<_>>()?)
    }

    /// List the names of extended attributes.
    ///
    /// Parameters
    /// ----------
    /// path : path
    ///     In the union.
    /// follow_symlinks : bool
    ///     Whether a link at the end is followed.
    ///
    /// Returns
    /// -------
    /// list of str
    ///     Sorted.
    ///
    /// Raises
    /// ------
    /// OSError
    ///     With the kernel's errno.
    #[pyo3(signature = (path, *, follow_symlinks=true))]
    #[expect(clippy::needless_pass_by_value, reason = "an extracted argument can only be owned")]
    fn listxattr<'py>(
        &self,
        py: Python<'py>,
        path: PathArg<'_>,
        follow_symlinks: bool,
    ) -> Result<Vec<Bound<'py, PyAny>>> {
        let xattrs = self.0.xattrs(&path.bytes, follow_symlinks)?;
        Ok(xattrs.iter().map(|(name, _)| crate::convert::text_of(py, name)).collect::<PyResult<_>>()?)
    }

    /// Read an extended attribute.
    ///
    /// Parameters
    /// ----------
    /// path : path
    ///     In the union.
    /// attribute : str
    ///     With its namespace, as ``user.origin``.
    /// follow_symlinks : bool
    ///     Whether a link at the end is followed.
    ///
    /// Returns
    /// -------
    /// bytes
    ///     Its value.
    ///
    /// Raises
    /// ------
    /// OSError
    ///     With the kernel's errno; ``ENODATA`` when there is none of that name.
    #[pyo3(signature = (path, attribute, *, follow_symlinks=true))]
    #[expect(clippy::needless_pass_by_value, reason = "an extracted argument can only be owned")]
    fn getxattr<'py>(
        &self,
        py: Python<'py>,
        path: PathArg<'_>,
        attribute: PathArg<'_>,
        follow_symlinks: bool,
    ) -> Result<Bound<'py, PyBytes>> {
        Ok(PyBytes::new(py, self.0.xattr(&path.bytes, &attribute.bytes, follow_symlinks)?))
    }

    /// Walk a tree, parents first, as ``os.walk`` does.
    ///
    /// Parameters
    /// ----------
    /// path : path
    ///     Where to start.
    ///
    /// Returns
    /// -------
    /// iterator of tuple
    ///     The directory, its names that lead to directories, its other names; names sorted by their bytes.
    ///
    /// Raises
    /// ------
    /// OSError
    ///     With the kernel's errno.
    #[pyo3(signature = (path=PathArg::root()))]
    #[expect(clippy::needless_pass_by_value, reason = "an extracted argument can only be owned")]
    fn walk<'py>(&self, py: Python<'py>, path: PathArg<'_>) -> Result<Bound<'py, PyAny>> {
        let start = path.bytes.as_ref();
        let walked = detached(py, || self.0.walk(start))?;
        steps(py, &path, &walked)
    }
}

/// A walk as Python's own `os.walk` yields it.
pub fn steps<'py>(py: Python<'py>, path: &PathArg<'_>, walked: &[Walked]) -> Result<Bound<'py, PyAny>> {
    let names = |names: &[layersim::tree::Name]| -> PyResult<Bound<'py, PyList>> {
        let names = names.iter().map(|name| path.answer(py, name)).collect::<PyResult<Vec<_>>>()?;
        PyList::new(py, names)
    };
    let rows = walked
        .iter()
        .map(|step| Ok((path.answer(py, &step.path)?, names(&step.dirs)?, names(&step.files)?)))
        .collect::<PyResult<Vec<_>>>()?;
    Ok(PyList::new(py, rows)?.as_any().try_iter()?.into_any())
}
