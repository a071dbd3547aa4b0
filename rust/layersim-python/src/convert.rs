//! Paths, buffers and sources on their way in, names on their way out.

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use layersim::Blob;
use pyo3::buffer::PyBuffer;
use pyo3::exceptions::{PyOverflowError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyMemoryView, PyString};

use crate::error::Result;

/// From this many bytes on, work is done detached from the interpreter (as `hashlib` decides).
pub const DETACH_BYTES: usize = 2048;

/// A path as `os` takes it: `str` (surrogateescape), `bytes` or a path object.
#[derive(Debug)]
pub struct PathArg<'a> {
    /// Its bytes.
    pub bytes: Cow<'a, [u8]>,
    /// Whether names should come back as `bytes` too.
    pub is_bytes: bool,
}

impl<'a, 'py> FromPyObject<'a, 'py> for PathArg<'a> {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if object.is_instance_of::<PyString>() {
            let bytes = match <&'a str>::extract(object) {
                Ok(text) => Cow::Borrowed(text.as_bytes()),
                Err(_) => Cow::Owned(object.extract::<OsString>()?.into_vec()),
            };
            return Ok(Self { bytes, is_bytes: false });
        }
        if let Ok(bytes) = <&'a [u8]>::extract(object) {
            return Ok(Self { bytes: Cow::Borrowed(bytes), is_bytes: true });
        }
        let named = object.py().import("os")?.call_method1("fspath", (object,))?;
        let (path, is_bytes) = match named.cast::<PyBytes>() {
            Ok(bytes) => (bytes.as_bytes().to_vec(), true),
            Err(_) => (named.extract::<OsString>()?.into_vec(), false),
        };
        Ok(Self { bytes: Cow::Owned(path), is_bytes })
    }
}

impl PathArg<'_> {
    /// The root of a union, the default of what lists.
    pub fn root() -> Self {
        Self { bytes: Cow::Borrowed(b"/"), is_bytes: false }
    }

    /// The path of a file on the host.
    pub fn as_host_path(&self) -> &Path {
        Path::new(OsStr::from_bytes(&self.bytes))
    }

    /// A name found below this path, of the type that the path has.
    pub fn answer<'py>(&self, py: Python<'py>, name: &[u8]) -> PyResult<Bound<'py, PyAny>> {
        if self.is_bytes { Ok(PyBytes::new(py, name).into_any()) } else { text_of(py, name) }
    }
}

/// Bytes of a name as `str`, as `os.fsdecode` does.
pub fn text_of<'py>(py: Python<'py>, name: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    Ok(OsStr::from_bytes(name).into_pyobject(py)?.into_any())
}

/// Content: any contiguous buffer of bytes, copied once.
#[derive(Debug)]
pub struct BytesArg(pub Vec<u8>);

impl<'a, 'py> FromPyObject<'a, 'py> for BytesArg {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(bytes) = object.cast::<PyBytes>() {
            return Ok(Self(bytes.as_bytes().to_vec()));
        }
        if let Ok(buffer) = PyBuffer::<u8>::get(&object) {
            return buffer.to_vec(object.py()).map(Self);
        }
        // Items of any other type, as a write takes them: by their bytes.
        let bytes = PyMemoryView::from(&object)?.call_method0("tobytes")?;
        Ok(Self(bytes.cast::<PyBytes>()?.as_bytes().to_vec()))
    }
}

/// A size in bytes, which is an `int64` wherever Docker has one.
#[derive(Clone, Copy, Debug)]
pub struct SizeArg(pub u64);

impl<'a, 'py> FromPyObject<'a, 'py> for SizeArg {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        let size = object.extract::<i64>();
        let is_outside =
            size.as_ref().map_or_else(|error| error.is_instance_of::<PyOverflowError>(object.py()), |size| *size < 0);
        if is_outside {
            return Err(PyValueError::new_err(format!("expected 0 to 2**63 - 1 bytes, got {}", object.str()?)));
        }
        size.map(|size| Self(size.unsigned_abs()))
    }
}

/// Where a layer's bytes come from: a path (mapped), a buffer (copied once) or a binary file (read to its end).
#[derive(Debug)]
pub struct SourceArg(pub Blob);

impl<'a, 'py> FromPyObject<'a, 'py> for SourceArg {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if object.cast::<PyBytes>().is_ok() || PyBuffer::<u8>::get(&object).is_ok() {
            return Ok(Self(object.extract::<BytesArg>()?.0.into()));
        }
        if let Ok(read) = object.getattr("read") {
            let bytes = read.call0()?;
            return match bytes.extract::<BytesArg>() {
                Ok(bytes) => Ok(Self(bytes.0.into())),
                Err(_) => Err(PyTypeError::new_err("expected a file opened in binary mode: read() must return bytes")),
            };
        }
        let path: PathArg<'_> = object.extract()?;
        Ok(Self(mapped(object.py(), &path)?))
    }
}

/// Maps a file of the host.
pub fn mapped(py: Python<'_>, path: &PathArg<'_>) -> Result<Blob> {
    let path = path.as_host_path();
    crate::error::detached(py, || Blob::map(path))
}
