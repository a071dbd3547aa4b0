//! One entry of a layer.

use layersim::layer::Listed;
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::convert::text_of;

/// One entry of a layer, as the layer alone says it.
///
/// Notes
/// -----
/// A whiteout is listed under the name that it hides. Paths have no leading slash.
#[pyclass(frozen, eq, name = "Entry", module = "layersim")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PyEntry(pub Listed);

#[pymethods]
impl PyEntry {
    /// Path from the root of the layer.
    #[getter]
    fn path<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        text_of(py, &self.0.path)
    }

    /// One of ``directory file symlink whiteout``, ``char device``, ``block device``, ``fifo``, ``socket``.
    #[getter]
    fn kind(&self) -> &'static str {
        self.0.kind
    }

    /// Permission bits, without the type.
    #[getter]
    fn mode(&self) -> u32 {
        self.0.metadata.mode
    }

    /// Owner.
    #[getter]
    fn uid(&self) -> u32 {
        self.0.metadata.uid
    }

    /// Group.
    #[getter]
    fn gid(&self) -> u32 {
        self.0.metadata.gid
    }

    /// Bytes of a file or of a link's target.
    #[getter]
    fn size(&self) -> u64 {
        self.0.size
    }

    /// Modification time, nanoseconds since 1970.
    #[getter]
    fn mtime_ns(&self) -> i128 {
        self.0.metadata.mtime().as_nanos()
    }

    /// Target of a symbolic link, otherwise None.
    #[getter]
    fn target<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.0.target.as_deref().map(|target| text_of(py, target)).transpose()
    }

    /// Whether a directory hides all that lower layers have below it.
    #[getter]
    fn is_opaque(&self) -> bool {
        self.0.is_opaque
    }

    fn __repr__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyString>> {
        let path = self.path(py)?.repr()?;
        Ok(PyString::new(py, &format!("Entry({}, {}, {} bytes)", path, self.0.kind, self.0.size)))
    }
}
