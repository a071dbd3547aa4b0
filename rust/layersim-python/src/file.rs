//! An open file of an overlay.

use std::sync::{Mutex, MutexGuard, PoisonError};

use layersim::error::{Errno, Error};
use layersim::overlay::{Handle, SeekFrom};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyType};

use crate::convert::BytesArg;
use crate::error::{Raised, Result};
use crate::overlay::PyOverlay;
use crate::stat::PyStat;

const SEEK_SET: i32 = 0;
const SEEK_CUR: i32 = 1;
const SEEK_END: i32 = 2;
const SEEK_DATA: i32 = 3;
const SEEK_HOLE: i32 = 4;

/// An open file of an overlay, made by :meth:`Overlay.open`.
///
/// Notes
/// -----
/// It stays usable when its name is renamed or removed, and shows what is written through other names of the same inode.
/// It is a context manager.
#[pyclass(frozen, name = "File", module = "layersim")]
#[derive(Debug)]
pub struct PyFile {
    overlay: Py<PyOverlay>,
    handle: Mutex<Option<Handle>>,
}

impl PyFile {
    /// Wraps an open handle of `overlay`.
    pub fn new(overlay: Py<PyOverlay>, handle: Handle) -> Self {
        Self { overlay, handle: Mutex::new(Some(handle)) }
    }

    /// Runs one operation of the core on the open handle.
    fn with<T>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&mut layersim::Overlay, &mut Handle, &layersim::overlay::Caller) -> layersim::Result<T> + Send,
    ) -> Result<T>
    where
        T: Send,
    {
        let overlay = self.overlay.get();
        let caller = overlay.caller(py)?;
        py.detach(|| {
            let mut handle = self.lock();
            let Some(handle) = handle.as_mut() else {
                return Ok(None);
            };
            work(&mut overlay.lock(), handle, &caller).map(Some)
        })?
        .ok_or_else(|| Raised::from(PyValueError::new_err("I/O operation on closed file")))
    }

    fn lock(&self) -> MutexGuard<'_, Option<Handle>> {
        self.handle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for PyFile {
    /// A file that nobody holds any more is closed, so that its overlay can forget what it kept for it.
    fn drop(&mut self) {
        let handle = self.handle.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(handle) = handle {
            // Without an interpreter there is nobody left to see the overlay.
            Python::try_attach(|py| py.detach(|| self.overlay.get().lock().close(handle)));
        }
    }
}

/// A size or an offset as system calls take it.
fn natural(number: i64) -> layersim::Result<u64> {
    u64::try_from(number).map_err(|_| Error::of_file(Errno::EINVAL))
}

/// What a `whence` says.
fn origin(whence: i32) -> layersim::Result<SeekFrom> {
    match whence {
        SEEK_SET => Ok(SeekFrom::Start),
        SEEK_CUR => Ok(SeekFrom::Current),
        SEEK_END => Ok(SeekFrom::End),
        SEEK_DATA => Ok(SeekFrom::Data),
        SEEK_HOLE => Ok(SeekFrom::Hole),
        _ => Err(Error::of_file(Errno::EINVAL)),
    }
}

#[pymethods]
impl PyFile {
    /// Read from the current position.
    ///
    /// Parameters
    /// ----------
    /// size : int, optional
    ///     At most so many bytes, and at most 2 GiB less a page, as on Linux; negative or None: all that is left.
    ///
    /// Returns
    /// -------
    /// bytes
    ///     Empty at the end.
    ///
    /// Raises
    /// ------
    /// OSError
    ///     With the kernel's errno.
    #[pyo3(signature = (size=-1, /))]
    fn read<'py>(&self, py: Python<'py>, size: Option<i64>) -> Result<Bound<'py, PyBytes>> {
        let wanted = size.and_then(|size| u64::try_from(size).ok());
        let bytes = self.with(py, |overlay, handle, _| match wanted {
            Some(size) => overlay.read(handle, size),
            None => overlay.read_rest(handle),
        })?;
        Ok(PyBytes::new(py, &bytes))
    }

    /// Write at the current position, or at the end if the file was opened with ``O_APPEND``.
    ///
    /// Parameters
    /// ----------
    /// data : bytes-like
    ///     What to write.
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
    #[pyo3(signature = (data, /))]
    #[expect(clippy::needless_pass_by_value, reason = "an extracted argument can only be owned")]
    fn write(&self, py: Python<'_>, data: BytesArg) -> Result<usize> {
        self.with(py, |overlay, handle, caller| overlay.write(handle, &data.0, caller))?;
        Ok(data.0.len())
    }

    /// Read from a position, which stays where it is.
    ///
    /// Parameters
    /// ----------
    /// size : int
    ///     At most so many bytes, and at most 2 GiB less a page, as on Linux.
    /// offset : int
    ///     Where to start, in bytes.
    ///
    /// Returns
    /// -------
    /// bytes
    ///     Empty at the end.
    ///
    /// Raises
    /// ------
    /// OSError
    ///     With the kernel's errno.
    #[pyo3(signature = (size, offset, /))]
    fn pread<'py>(&self, py: Python<'py>, size: i64, offset: i64) -> Result<Bound<'py, PyBytes>> {
        let bytes = self.with(py, |overlay, handle, _| overlay.pread(handle, natural(size)?, natural(offset)?))?;
        Ok(PyBytes::new(py, &bytes))
    }

    /// Write at a position, which stays where it is.
    ///
    /// Parameters
    /// ----------
    /// data : bytes-like
    ///     What to write.
    /// offset : int
    ///     Where to start, in bytes; a gap becomes a hole.
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
    #[pyo3(signature = (data, offset, /))]
    #[expect(clippy::needless_pass_by_value, reason = "an extracted argument can only be owned")]
    fn pwrite(&self, py: Python<'_>, data: BytesArg, offset: i64) -> Result<usize> {
        self.with(py, |overlay, handle, caller| overlay.pwrite(handle, &data.0, natural(offset)?, caller))?;
        Ok(data.0.len())
    }

    /// Move the current position.
    ///
    /// Parameters
    /// ----------
    /// offset : int
    ///     Bytes.
    /// whence : int
    ///     From where: ``os.SEEK_SET``, ``os.SEEK_CUR`` or ``os.SEEK_END``; or what to look for from `offset` on:
    ///     ``os.SEEK_DATA``, ``os.SEEK_HOLE``.
    ///
    /// Returns
    /// -------
    /// int
    ///     The new position.
    ///
    /// Raises
    /// ------
    /// OSError
    ///     ``EINVAL`` for a position before the start, and for any other `whence`; ``ENXIO`` where no data or hole follows.
    #[pyo3(signature = (offset, whence=SEEK_SET, /))]
    fn seek(&self, py: Python<'_>, offset: i64, whence: i32) -> Result<u64> {
        self.with(py, |overlay, handle, _| overlay.seek(handle, origin(whence)?, offset))
    }

    /// Tell the current position.
    ///
    /// Returns
    /// -------
    /// int
    ///     Bytes from the start.
    fn tell(&self, py: Python<'_>) -> Result<u64> {
        self.seek(py, 0, SEEK_CUR)
    }

    /// Cut the file, or extend it by a hole.
    ///
    /// Parameters
    /// ----------
    /// size : int, optional
    ///     The new length in bytes; None: the current position.
    ///
    /// Returns
    /// -------
    /// int
    ///     The new length.
    ///
    /// Raises
    /// ------
    /// OSError
    ///     With the kernel's errno.
    #[pyo3(signature = (size=None, /))]
    fn truncate(&self, py: Python<'_>, size: Option<i64>) -> Result<i64> {
        let len = match size {
            Some(len) => len,
            None => i64::try_from(self.tell(py)?).unwrap_or(i64::MAX),
        };
        self.with(py, |overlay, handle, caller| overlay.ftruncate(handle, len, caller))?;
        Ok(len)
    }

    /// Describe the open file.
    ///
    /// Returns
    /// -------
    /// Stat
    ///     With the names of ``os.stat_result``.
    fn stat(&self, py: Python<'_>) -> Result<PyStat> {
        self.with(py, |overlay, handle, _| overlay.fstat(handle)).map(PyStat)
    }

    /// Close the file; a second time does nothing.
    fn close(&self, py: Python<'_>) {
        let overlay = self.overlay.get();
        py.detach(|| {
            if let Some(handle) = self.lock().take() {
                overlay.lock().close(handle);
            }
        });
    }

    /// Whether it has been closed.
    #[getter]
    fn closed(&self) -> bool {
        self.lock().is_none()
    }

    fn __enter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __exit__(
        &self,
        py: Python<'_>,
        _exc_type: Option<&Bound<'_, PyType>>,
        _exc: Option<&Bound<'_, PyAny>>,
        _traceback: Option<&Bound<'_, PyAny>>,
    ) {
        self.close(py);
    }

    fn __repr__(&self) -> &'static str {
        if self.closed() { "File(closed)" } else { "File(open)" }
    }
}
