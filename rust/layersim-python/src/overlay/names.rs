//! Making, moving and removing names.

use layersim::overlay::Ends;
use layersim::{Error, Overlay};
use pyo3::prelude::*;

use super::PyOverlay;
use crate::convert::PathArg;
use crate::error::Result;

#[pymethods]
impl PyOverlay {
    /// Make a directory.
    ///
    /// Parameters
    /// ----------
    /// path : path
    ///     In the union.
    /// mode : int
    ///     Permission bits, taken as given.
    ///
    /// Raises
    /// ------
    /// OSError
    ///     With the kernel's errno.
    #[pyo3(signature = (path, mode=0o777))]
    #[expect(clippy::needless_pass_by_value, reason = "an extracted argument can only be owned")]
    fn mkdir(&self, py: Python<'_>, path: PathArg<'_>, mode: u32) -> Result<()> {
        let bytes = path.bytes.as_ref();
        self.at(bytes, Ends::Name).change(py, |overlay, path, caller| overlay.mkdir(path, mode, caller))
    }

    /// Remove an empty directory.
    ///
    /// Parameters
    /// ----------
    /// path : path
    ///     In the union.
    ///
    /// Raises
    /// ------
    /// OSError
    ///     With the kernel's errno.
    #[expect(clippy::needless_pass_by_value, reason = "an extracted argument can only be owned")]
    fn rmdir(&self, py: Python<'_>, path: PathArg<'_>) -> Result<()> {
        let bytes = path.bytes.as_ref();
        self.remove_directory(py, bytes)
    }

    /// Remove a name that is no directory.
    ///
    /// Parameters
    /// ----------
    /// path : path
    ///     In the union.
    ///
    /// Raises
    /// ------
    /// OSError
    ///     With the kernel's errno.
    #[expect(clippy::needless_pass_by_value, reason = "an extracted argument can only be owned")]
    fn unlink(&self, py: Python<'_>, path: PathArg<'_>) -> Result<()> {
        let bytes = path.bytes.as_ref();
        self.at(bytes, Ends::Name).change(py, Overlay::unlink)
    }

    /// Rename, replacing what is under the new name.
    ///
    /// Parameters
    /// ----------
    /// src : path
    ///     The old name.
    /// dst : path
    ///     The new name.
    ///
    /// Raises
    /// ------
    /// OSError
    ///     With the kernel's errno.
    #[expect(clippy::needless_pass_by_value, reason = "an extracted argument can only be owned")]
    fn rename(&self, py: Python<'_>, src: PathArg<'_>, dst: PathArg<'_>) -> Result<()> {
        let (from, to) = (src.bytes.as_ref(), dst.bytes.as_ref());
        self.move_name(py, (from, to))
    }

    /// Give a file one more name.
    ///
    /// Parameters
    /// ----------
    /// src : path
    ///     The file.
    /// dst : path
    ///     The new name.
    /// follow_symlinks : bool
    ///     Whether a link at the end is followed.
    ///
    /// Raises
    /// ------
    /// OSError
    ///     With the kernel's errno.
    #[pyo3(signature = (src, dst, *, follow_symlinks=false))]
    #[expect(clippy::needless_pass_by_value, reason = "an extracted argument can only be owned")]
    fn link(&self, py: Python<'_>, src: PathArg<'_>, dst: PathArg<'_>, follow_symlinks: bool) -> Result<()> {
        let (from, to) = (src.bytes.as_ref(), dst.bytes.as_ref());
        self.add_name(py, (from, to), follow_symlinks)
    }

    /// Make a symbolic link.
    ///
    /// Parameters
    /// ----------
    /// src : path
    ///     What the link says.
    /// dst : path
    ///     Where the link is.
    /// target_is_directory : bool
    ///     Without effect, as in ``os`` on Linux.
    ///
    /// Raises
    /// ------
    /// OSError
    ///     With the kernel's errno.
    #[expect(clippy::needless_pass_by_value, reason = "an extracted argument can only be owned")]
    #[expect(unused_variables, reason = "os.symlink has an argument that only Windows asks for")]
    #[pyo3(signature = (src, dst, target_is_directory=false))]
    fn symlink(&self, py: Python<'_>, src: PathArg<'_>, dst: PathArg<'_>, target_is_directory: bool) -> Result<()> {
        let (from, to) = (src.bytes.as_ref(), dst.bytes.as_ref());
        let about = |error: Error| error.of_both(from, to);
        self.at(to, Ends::Name).change(py, |overlay, path, caller| overlay.symlink(from, path, caller).map_err(about))
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
        let bytes = path.bytes.as_ref();
        let target = self.at(bytes, Ends::Found(false)).ask(py, Overlay::readlink)?;
        Ok(path.answer(py, &target)?)
    }

    /// Make a file, a fifo, a socket or a device node.
    ///
    /// Parameters
    /// ----------
    /// path : path
    ///     In the union.
    /// mode : int
    ///     Type and permission bits.
    /// device : int
    ///     As ``os.makedev`` packs it.
    ///
    /// Raises
    /// ------
    /// OSError
    ///     With the kernel's errno.
    #[pyo3(signature = (path, mode=0o600, device=0))]
    #[expect(clippy::needless_pass_by_value, reason = "an extracted argument can only be owned")]
    fn mknod(&self, py: Python<'_>, path: PathArg<'_>, mode: u32, device: u64) -> Result<()> {
        let bytes = path.bytes.as_ref();
        self.at(bytes, Ends::Name).change(py, |overlay, path, caller| overlay.mknod(path, mode, device, caller))
    }
}
