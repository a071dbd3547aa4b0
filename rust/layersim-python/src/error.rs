//! The only match from the core's causes to Python's exceptions.

use std::io;

use layersim::error::{Errno, Error};
use pyo3::exceptions::{PyMemoryError, PyOSError, PyValueError};
use pyo3::{Bound, PyErr, Python, import_exception};

use crate::convert::text_of;

import_exception!(layersim.errors, DigestFormatError);
import_exception!(layersim.errors, DigestMismatchError);
import_exception!(layersim.errors, ArchiveError);
import_exception!(layersim.errors, ArchiveLimitError);
import_exception!(layersim.errors, InvalidPathError);
import_exception!(layersim.errors, PathNotFoundError);
import_exception!(layersim.errors, PathExistsError);
import_exception!(layersim.errors, PathNotDirectoryError);
import_exception!(layersim.errors, PathIsDirectoryError);
import_exception!(layersim.errors, DirectoryNotEmptyError);
import_exception!(layersim.errors, ContentMissingError);
import_exception!(layersim.errors, ChainTooDeepError);

/// A core error on its way to Python; `?` makes it of [`Error`], and pyo3 an exception of it.
#[derive(Debug)]
pub struct Raised(PyErr);

/// What a function of this crate returns.
pub type Result<T> = std::result::Result<T, Raised>;

impl From<PyErr> for Raised {
    fn from(raised: PyErr) -> Self {
        Self(raised)
    }
}

impl From<Raised> for PyErr {
    fn from(Raised(raised): Raised) -> Self {
        raised
    }
}

impl From<Error> for Raised {
    fn from(error: Error) -> Self {
        Self(exception(error, ""))
    }
}

/// Lets Python wait for the interpreter's other threads while the core works.
///
/// # Errors
/// What the work says.
pub fn detached<T: Send>(py: Python<'_>, work: impl FnOnce() -> layersim::Result<T> + Send) -> Result<T> {
    Ok(py.detach(work)?)
}

/// The exception of an error; `context` goes before its message.
fn exception(error: Error, context: &str) -> PyErr {
    let text = format!("{context}{error}");
    match error {
        Error::Member { name, source } => exception(*source, &format!("{context}{name}: ")),
        Error::DigestFormat { .. } => DigestFormatError::new_err(text),
        Error::DigestMismatch { expected, actual, .. } => {
            DigestMismatchError::new_err((text, expected.to_string(), actual.to_string()))
        }
        Error::Archive { offset, .. } => ArchiveError::new_err((text, offset)),
        Error::Limit { limit, offset, .. } => ArchiveLimitError::new_err((text, offset, limit)),
        Error::Compression { .. } => ArchiveError::new_err((text, 0)),
        Error::InvalidPath { .. } => InvalidPathError::new_err(text),
        Error::System { errno, paths } => system(errno, &paths),
        Error::Io { context, source } => from_io(&context, source),
        Error::ContentMissing { .. } | Error::BlobMissing { .. } => ContentMissingError::new_err(text),
        Error::ChainTooDeep { limit, .. } => ChainTooDeepError::new_err((text, limit)),
        _ => PyValueError::new_err(text),
    }
}

/// What a Python file raised while the core wrote to it, or what the system refused.
fn from_io(context: &str, source: io::Error) -> PyErr {
    match source.downcast::<PyErr>() {
        Ok(raised) => raised,
        Err(source) => match source.raw_os_error() {
            Some(errno) if errno == Errno::ENOMEM.code() => PyMemoryError::new_err(context.to_owned()),
            Some(errno) => PyOSError::new_err((errno, context.to_owned())),
            None if source.kind() == io::ErrorKind::OutOfMemory => PyMemoryError::new_err(context.to_owned()),
            None => PyOSError::new_err(format!("{context}: {source}")),
        },
    }
}

/// What Python's own `os` raises, with `filename` and `filename2`; the errnos with a class of their own get it.
fn system(errno: Errno, paths: &[Vec<u8>]) -> PyErr {
    Python::attach(|py| {
        let path_at = |at: usize| paths.get(at).map(|path| text_of(py, path).map(Bound::unbind)).transpose();
        let arguments = match (path_at(0), path_at(1)) {
            // Between the two is Windows' number.
            (Ok(first), Ok(second)) => (errno.code(), errno.text(), first, None::<i32>, second),
            (Err(raised), _) | (_, Err(raised)) => return raised,
        };
        match errno {
            Errno::ENOMEM => PyMemoryError::new_err(errno.text()),
            Errno::ENOENT => PathNotFoundError::new_err(arguments),
            Errno::EEXIST => PathExistsError::new_err(arguments),
            Errno::ENOTDIR => PathNotDirectoryError::new_err(arguments),
            Errno::EISDIR => PathIsDirectoryError::new_err(arguments),
            Errno::ENOTEMPTY => DirectoryNotEmptyError::new_err(arguments),
            _ => PyOSError::new_err(arguments),
        }
    })
}
