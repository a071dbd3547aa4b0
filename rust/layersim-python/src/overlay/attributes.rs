//! Lengths, modes, owners, times and extended attributes.

use layersim::Timestamp;
use layersim::overlay::Ends;
use pyo3::exceptions::{PyOverflowError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::PyOverlay;
use crate::convert::{BytesArg, PathArg, text_of};
use crate::error::Result;

/// Seconds that fit 64 bits, as `time_t` does.
const MOST_SECONDS: f64 = 9.2e18;

/// A pair of times as `os.utime` takes them; None: now.
fn times_of(times: Option<(f64, f64)>, ns: Option<(i128, i128)>) -> PyResult<Option<(Timestamp, Timestamp)>> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "os.utime rounds down too, and a float that is too large saturates"
    )]
    let nanos = |seconds: f64| (seconds * 1e9).floor() as i128;
    let is_time = |seconds: f64| seconds.is_finite() && seconds.abs() <= MOST_SECONDS;
    if times.is_some_and(|(atime, mtime)| !is_time(atime) || !is_time(mtime)) {
        return Err(PyValueError::new_err("utime: expected finite seconds that fit 64 bits"));
    }
    let pair = match (times, ns) {
        (Some(_), Some(_)) => {
            return Err(PyValueError::new_err("utime: you may specify either 'times' or 'ns' but not both"));
        }
        (Some((atime, mtime)), None) => Some((nanos(atime), nanos(mtime))),
        (None, ns) => ns,
    };
    Ok(pair.map(|(atime, mtime)| (Timestamp::from_nanos(atime), Timestamp::from_nanos(mtime))))
}

/// An id as `os.chown` takes it: -1 keeps what is there, and so does 4294967295, which is the same to the kernel.
fn id_of(id: i64) -> PyResult<Option<u32>> {
    if id == -1 || id == i64::from(u32::MAX) {
        return Ok(None);
    }
    u32::try_from(id)
        .map(Some)
        .map_err(|_| PyOverflowError::new_err(format!("expected an id of 0 to 4294967295 or -1, got {id}")))
}

#[pymethods]
impl PyOverlay {
    /// Cut a file, or extend it by a hole.
    ///
    /// Parameters
    /// ----------
    /// path : path
    ///     In the union.
    /// length : int
    ///     The new length in bytes.
    ///
    /// Raises
    /// ------
    /// OSError
    ///     With the kernel's errno.
    #[expect(clippy::needless_pass_by_value, reason = "an extracted argument can only be owned")]
    fn truncate(&self, py: Python<'_>, path: PathArg<'_>, length: i64) -> Result<()> {
        let bytes = path.bytes.as_ref();
        self.at(bytes, Ends::Found(true)).change(py, |overlay, path, caller| overlay.truncate(path, length, caller))
    }

    /// Change permission bits.
    ///
    /// Parameters
    /// ----------
    /// path : path
    ///     In the union.
    /// mode : int
    ///     Permission bits.
    /// follow_symlinks : bool
    ///     Whether a link at the end is followed.
    ///
    /// Raises
    /// ------
    /// OSError
    ///     With the kernel's errno.
    #[pyo3(signature = (path, mode, *, follow_symlinks=true))]
    #[expect(clippy::needless_pass_by_value, reason = "an extracted argument can only be owned")]
    fn chmod(&self, py: Python<'_>, path: PathArg<'_>, mode: u32, follow_symlinks: bool) -> Result<()> {
        let bytes = path.bytes.as_ref();
        self.at(bytes, Ends::Found(follow_symlinks))
            .change(py, |overlay, path, caller| overlay.chmod(path, mode, follow_symlinks, caller))
    }

    /// Change owners.
    ///
    /// Parameters
    /// ----------
    /// path : path
    ///     In the union.
    /// uid, gid : int
    ///     The new ids; -1 keeps one.
    /// follow_symlinks : bool
    ///     Whether a link at the end is followed.
    ///
    /// Raises
    /// ------
    /// OSError
    ///     With the kernel's errno.
    #[pyo3(signature = (path, uid, gid, *, follow_symlinks=true))]
    #[expect(clippy::needless_pass_by_value, reason = "an extracted argument can only be owned")]
    fn chown(&self, py: Python<'_>, path: PathArg<'_>, uid: i64, gid: i64, follow_symlinks: bool) -> Result<()> {
        let (bytes, ids) = (path.bytes.as_ref(), (id_of(uid)?, id_of(gid)?));
        self.at(bytes, Ends::Found(follow_symlinks))
            .change(py, |overlay, path, caller| overlay.chown(path, ids, follow_symlinks, caller))
    }

    /// Change times.
    ///
    /// Parameters
    /// ----------
    /// path : path
    ///     In the union.
    /// times : tuple of float, optional
    ///     Access and modification, seconds since 1970.
    /// ns : tuple of int, optional
    ///     The same in nanoseconds; with neither, now.
    /// follow_symlinks : bool
    ///     Whether a link at the end is followed.
    ///
    /// Raises
    /// ------
    /// OSError
    ///     With the kernel's errno.
    #[pyo3(signature = (path, times=None, *, ns=None, follow_symlinks=true))]
    #[expect(clippy::needless_pass_by_value, reason = "an extracted argument can only be owned")]
    fn utime(
        &self,
        py: Python<'_>,
        path: PathArg<'_>,
        times: Option<(f64, f64)>,
        ns: Option<(i128, i128)>,
        follow_symlinks: bool,
    ) -> Result<()> {
        let (bytes, times) = (path.bytes.as_ref(), times_of(times, ns)?);
        self.at(bytes, Ends::Found(follow_symlinks))
            .change(py, |overlay, path, caller| overlay.utime(path, times, follow_symlinks, caller))
    }

    /// Set an extended attribute.
    ///
    /// Parameters
    /// ----------
    /// path : path
    ///     In the union.
    /// attribute : str
    ///     With its namespace.
    /// value : bytes-like
    ///     Its value.
    /// flags : int
    ///     ``os.XATTR_CREATE`` or ``os.XATTR_REPLACE``.
    /// follow_symlinks : bool
    ///     Whether a link at the end is followed.
    ///
    /// Raises
    /// ------
    /// OSError
    ///     With the kernel's errno.
    #[pyo3(signature = (path, attribute, value, flags=0, *, follow_symlinks=true))]
    #[expect(clippy::needless_pass_by_value, reason = "an extracted argument can only be owned")]
    fn setxattr(
        &self,
        py: Python<'_>,
        path: PathArg<'_>,
        attribute: PathArg<'_>,
        value: BytesArg,
        flags: i32,
        follow_symlinks: bool,
    ) -> Result<()> {
        let (bytes, set) = (path.bytes.as_ref(), (attribute.bytes.as_ref(), &*value.0, flags));
        self.at(bytes, Ends::Found(follow_symlinks))
            .change(py, |overlay, path, caller| overlay.setxattr(path, set, follow_symlinks, caller))
    }

    /// Read an extended attribute.
    ///
    /// Parameters
    /// ----------
    /// path : path
    ///     In the union.
    /// attribute : str
    ///     With its namespace.
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
    ///     With the kernel's errno.
    #[pyo3(signature = (path, attribute, *, follow_symlinks=true))]
    #[expect(clippy::needless_pass_by_value, reason = "an extracted argument can only be owned")]
    fn getxattr<'py>(
        &self,
        py: Python<'py>,
        path: PathArg<'_>,
        attribute: PathArg<'_>,
        follow_symlinks: bool,
    ) -> Result<Bound<'py, PyBytes>> {
        let (bytes, name) = (path.bytes.as_ref(), attribute.bytes.as_ref());
        let value = self
            .at(bytes, Ends::Found(follow_symlinks))
            .ask(py, |overlay, path, user| overlay.getxattr(path, name, follow_symlinks, user))?;
        Ok(PyBytes::new(py, &value))
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
        let bytes = path.bytes.as_ref();
        let names = self
            .at(bytes, Ends::Found(follow_symlinks))
            .ask(py, |overlay, path, user| overlay.listxattr(path, follow_symlinks, user))?;
        Ok(names.iter().map(|name| text_of(py, name)).collect::<PyResult<_>>()?)
    }

    /// Remove an extended attribute.
    ///
    /// Parameters
    /// ----------
    /// path : path
    ///     In the union.
    /// attribute : str
    ///     With its namespace.
    /// follow_symlinks : bool
    ///     Whether a link at the end is followed.
    ///
    /// Raises
    /// ------
    /// OSError
    ///     With the kernel's errno.
    #[pyo3(signature = (path, attribute, *, follow_symlinks=true))]
    #[expect(clippy::needless_pass_by_value, reason = "an extracted argument can only be owned")]
    fn removexattr(
        &self,
        py: Python<'_>,
        path: PathArg<'_>,
        attribute: PathArg<'_>,
        follow_symlinks: bool,
    ) -> Result<()> {
        let (bytes, name) = (path.bytes.as_ref(), attribute.bytes.as_ref());
        self.at(bytes, Ends::Found(follow_symlinks))
            .change(py, |overlay, path, caller| overlay.removexattr(path, name, follow_symlinks, caller))
    }
}
