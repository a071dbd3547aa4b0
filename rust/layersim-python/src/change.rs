//! One line of a changeset.

use layersim::change::{Change, ChangeKind};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::convert::{PathArg, text_of};

/// One difference between two trees, as ``docker diff`` prints it.
///
/// Parameters
/// ----------
/// kind : str
///     ``"A"`` added, ``"C"`` changed, ``"D"`` deleted.
/// path : str
///     Absolute.
///
/// Examples
/// --------
/// >>> from layersim import Change
/// >>> print(Change("A", "/app"))
/// A /app
#[pyclass(frozen, eq, ord, hash, name = "Change", module = "layersim")]
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PyChange(pub Change);

#[pymethods]
impl PyChange {
    #[new]
    #[expect(clippy::needless_pass_by_value, reason = "an extracted argument can only be owned")]
    fn new(kind: &str, path: PathArg<'_>) -> PyResult<Self> {
        let refused = || PyValueError::new_err(format!("kind must be 'A', 'C' or 'D', got {kind:?}"));
        let mut letters = kind.chars();
        let (Some(kind), None) = (letters.next().and_then(ChangeKind::from_letter), letters.next()) else {
            return Err(refused());
        };
        Ok(Self(Change { kind, path: path.bytes.to_vec() }))
    }

    /// ``"A"`` added, ``"C"`` changed, ``"D"`` deleted.
    #[getter]
    fn kind(&self) -> char {
        self.0.kind.letter()
    }

    /// Absolute path.
    #[getter]
    fn path<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        text_of(py, &self.0.path)
    }

    fn __str__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("{} {}", self.kind(), self.path(py)?))
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("Change('{}', {})", self.kind(), self.path(py)?.repr()?))
    }

    fn __getnewargs__<'py>(&self, py: Python<'py>) -> PyResult<(char, Bound<'py, PyAny>)> {
        Ok((self.kind(), self.path(py)?))
    }
}
