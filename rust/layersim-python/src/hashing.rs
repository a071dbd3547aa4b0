//! Files of the host, hashed together.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use layersim::hashing::{self, Headed};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;

use crate::error::{Result, detached};

/// Hash many files of the host with SHA-256, on all cores.
///
/// Parameters
/// ----------
/// paths : sequence of bytes
///     Files; links are not followed.
/// heads : sequence of bytes, optional
///     As many, each hashed before the bytes of its file.
///
/// Returns
/// -------
/// bytes
///     32 for each file, in order.
///
/// Raises
/// ------
/// ValueError
///     When there are not as many heads as paths.
/// OSError
///     When a file cannot be read, naming it.
#[pyfunction]
#[pyo3(signature = (paths, heads=None))]
#[expect(clippy::needless_pass_by_value, reason = "an extracted argument can only be owned")]
pub fn hash_files(
    py: Python<'_>,
    paths: Vec<PyBackedBytes>,
    heads: Option<Vec<PyBackedBytes>>,
) -> Result<Bound<'_, PyBytes>> {
    let mut files: Vec<Headed> =
        paths.iter().map(|path| Headed { path: OsStr::from_bytes(path).into(), head: Vec::new() }).collect();
    if let Some(heads) = heads {
        if heads.len() != files.len() {
            return Err(PyValueError::new_err("as many heads as paths are wanted").into());
        }
        files.iter_mut().zip(&heads).for_each(|(file, head)| file.head = head.to_vec());
    }
    let digests = detached(py, || hashing::digests(&files))?;
    let bytes: Vec<u8> = digests.iter().flat_map(|digest| *digest.as_bytes()).collect();
    Ok(PyBytes::new(py, &bytes))
}
