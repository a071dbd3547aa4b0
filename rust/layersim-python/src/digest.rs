//! Digests and chain ids.

use layersim::{ChainId, DiffId, Digest};
use pyo3::prelude::*;

use crate::convert::{BytesArg, DETACH_BYTES};
use crate::error::Result;

/// Hash one buffer with SHA-256.
///
/// Parameters
/// ----------
/// data : bytes-like
///     Any contiguous buffer of bytes.
///
/// Returns
/// -------
/// str
///     ``sha256:`` and 64 hex digits.
///
/// Notes
/// -----
/// From 2,048 bytes on other threads run meanwhile.
///
/// References
/// ----------
/// OCI image-spec 1.1, "Digests".
///
/// Examples
/// --------
/// >>> from layersim import sha256
/// >>> sha256(b"")[:19]
/// 'sha256:e3b0c44298fc'
#[pyfunction]
pub fn sha256(py: Python<'_>, data: &Bound<'_, PyAny>) -> PyResult<String> {
    if let Ok(bytes) = data.cast::<pyo3::types::PyBytes>() {
        let bytes = bytes.as_bytes();
        return Ok(hash(py, bytes));
    }
    let BytesArg(bytes) = data.extract()?;
    Ok(hash(py, &bytes))
}

fn hash(py: Python<'_>, bytes: &[u8]) -> String {
    let digest = if bytes.len() < DETACH_BYTES { Digest::of(bytes) } else { py.detach(|| Digest::of(bytes)) };
    digest.to_string()
}

/// Name every prefix of a chain of layers.
///
/// Parameters
/// ----------
/// diff_ids : sequence of str
///     Base first, each ``sha256:`` and 64 hex digits.
///
/// Returns
/// -------
/// list of str
///     As many ids: the first is the first ``diff_id``, each next hashes the one before, a space and its own ``diff_id``.
///
/// Raises
/// ------
/// DigestFormatError
///     For a text that is no digest.
///
/// References
/// ----------
/// OCI image-spec 1.1, "Layer ChainID".
///
/// Examples
/// --------
/// >>> from layersim import chain_ids
/// >>> empty = "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"
/// >>> chain_ids([empty, empty])[1][:19]
/// 'sha256:170b376f64fb'
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "an extracted list can only be owned")]
pub fn chain_ids(diff_ids: Vec<String>) -> Result<Vec<String>> {
    let diff_ids = diff_ids.iter().map(|text| text.parse()).collect::<layersim::Result<Vec<DiffId>>>()?;
    Ok(ChainId::of_chain(&diff_ids).iter().map(ToString::to_string).collect())
}
