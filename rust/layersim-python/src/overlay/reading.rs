//! Describing, listing and reading; whole files written.

use layersim::Overlay;
use layersim::overlay::Ends;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::PyOverlay;
use crate::convert::{BytesArg, PathArg};
use crate::error::Result;
use crate::stat::PyStat;
use crate::view::steps;

#[pymethods]
impl PyOverlay {
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
        let bytes = path.bytes.as_ref();
        self.at(bytes, Ends::Found(follow_symlinks))
            .ask(py, |overlay, path, user| overlay.stat(path, follow_symlinks, user))
            .map(PyStat)
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
        let bytes = path.bytes.as_ref();
        self.at(bytes, Ends::Found(false)).ask(py, |overlay, path, user| overlay.stat(path, false, user)).map(PyStat)
    }

    /// Describe what the writable top alone holds under a path.
    ///
    /// Parameters
    /// ----------
    /// path : path
    ///     In the union.
    ///
    /// Returns
    /// -------
    /// Stat
    ///     A whiteout is a 0/0 character device.
    ///
    /// Raises
    /// ------
    /// OSError
    ///     With the kernel's errno.
    #[expect(clippy::needless_pass_by_value, reason = "an extracted argument can only be owned")]
    fn upper_lstat(&self, py: Python<'_>, path: PathArg<'_>) -> Result<PyStat> {
        let bytes = path.bytes.as_ref();
        self.ask(py, |overlay| overlay.upper_lstat(bytes)).map(PyStat)
    }

    /// List the names in a directory, sorted by their bytes.
    ///
    /// Parameters
    /// ----------
    /// path : path
    ///     In the union.
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
        let bytes = path.bytes.as_ref();
        let names = self.at(bytes, Ends::Found(true)).ask(py, Overlay::listdir)?;
        Ok(names.iter().map(|name| path.answer(py, name)).collect::<PyResult<_>>()?)
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
    ///     False for a dangling link.
    #[expect(clippy::needless_pass_by_value, reason = "an extracted argument can only be owned")]
    fn exists(&self, py: Python<'_>, path: PathArg<'_>) -> bool {
        let bytes = path.bytes.as_ref();
        self.at(bytes, Ends::Found(true))
            .ask(py, |overlay, path, user| Ok(overlay.stat(path, true, user).is_ok()))
            .unwrap_or(false)
    }

    /// Read a file.
    ///
    /// Parameters
    /// ----------
    /// path : path
    ///     In the union.
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
        let bytes = path.bytes.as_ref();
        let content = self.at(bytes, Ends::Found(true)).ask(py, Overlay::read_file)?;
        Ok(PyBytes::new(py, &content))
    }

    /// Write a whole file, made if it is missing.
    ///
    /// Parameters
    /// ----------
    /// path : path
    ///     In the union.
    /// data : bytes-like
    ///     Its new content.
    ///
    /// Returns
    /// -------
    /// int
    ///     Bytes written: all of them.
    ///
    /// Raises
    /// ------
    /// OSError
    ///     With the kernel's errno.
    #[expect(clippy::needless_pass_by_value, reason = "an extracted argument can only be owned")]
    fn write_bytes(&self, py: Python<'_>, path: PathArg<'_>, data: BytesArg) -> Result<usize> {
        let bytes = path.bytes.as_ref();
        self.at(bytes, Ends::Landing).change(py, |overlay, path, caller| overlay.write_file(path, &data.0, caller))?;
        Ok(data.0.len())
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
    ///     The directory, its names that lead to directories, its other names.
    ///
    /// Raises
    /// ------
    /// OSError
    ///     With the kernel's errno.
    #[pyo3(signature = (path=PathArg::root()))]
    #[expect(clippy::needless_pass_by_value, reason = "an extracted argument can only be owned")]
    fn walk<'py>(&self, py: Python<'py>, path: PathArg<'_>) -> Result<Bound<'py, PyAny>> {
        let bytes = path.bytes.as_ref();
        let walked = self.walk_all(py, bytes)?;
        steps(py, &path, &walked)
    }
}
