//! Describing, listing and reading; whole files written.

use layersim::Overlay;
use layersim::overlay::Ends;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use super::PyOverlay;
use crate::convert::{BytesArg, PathArg, SizeArg};
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

    /// Tell how a directory of the writable top hides the layers, or shows another directory of them.
    ///
    /// Parameters
    /// ----------
    /// path : path
    ///     In the union.
    ///
    /// Returns
    /// -------
    /// dict of str to bytes
    ///     The attributes of the upper directory that no reader of a mount sees: ``trusted.overlay.opaque``, and
    ///     ``trusted.overlay.redirect`` with the path in the layers, or the name alone in the same parent.
    ///
    /// Raises
    /// ------
    /// OSError
    ///     As :meth:`upper_lstat`.
    ///
    /// Examples
    /// --------
    /// >>> import layersim as ls
    /// >>> fs = ls.Overlay([ls.Layer.from_changes([ls.write("/d/f", b"1")])], redirect_dir=True)
    /// >>> fs.rename("/d", "/e")
    /// >>> fs.read_bytes("/e/f"), fs.size_rw, fs.upper_marks("/e")
    /// (b'1', 0, {'trusted.overlay.redirect': b'd'})
    #[expect(clippy::needless_pass_by_value, reason = "an extracted argument can only be owned")]
    fn upper_marks<'py>(&self, py: Python<'py>, path: PathArg<'_>) -> Result<Bound<'py, PyDict>> {
        let bytes = path.bytes.as_ref();
        let marks = PyDict::new(py);
        for (name, value) in self.ask(py, |overlay| overlay.upper_marks(bytes))? {
            marks.set_item(name, PyBytes::new(py, &value))?;
        }
        Ok(marks)
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

    /// Write a whole file of synthetic bytes, made if it is missing.
    ///
    /// Parameters
    /// ----------
    /// path : path
    ///     In the union.
    /// size : int
    ///     How many bytes.
    /// seed : int
    ///     What the bytes follow from, 0 to 2 ** 64 - 1: the same seed, the same bytes.
    ///
    /// Raises
    /// ------
    /// OSError
    ///     With the kernel's errno.
    ///
    /// Notes
    /// -----
    /// Bytes are made when they are read, so the cost does not follow the size. They do not compress.
    #[pyo3(signature = (path, size, *, seed=0))]
    #[expect(clippy::needless_pass_by_value, reason = "an extracted argument can only be owned")]
    fn write_seeded(&self, py: Python<'_>, path: PathArg<'_>, size: SizeArg, seed: u64) -> Result<()> {
        let bytes = path.bytes.as_ref();
        self.at(bytes, Ends::Landing)
            .change(py, |overlay, path, caller| overlay.write_seeded(path, seed, size.0, caller))
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
