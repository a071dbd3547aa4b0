//! Going back to an earlier state of an overlay.

use layersim::overlay::Snapshot;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use super::PyOverlay;
use crate::error::{Result, detached};

/// What was written to an overlay up to one moment, made by :meth:`Overlay.snapshot`.
///
/// Notes
/// -----
/// It costs a few words until the overlay is written to, and can be gone back to any number of times, also by forks.
#[pyclass(frozen, name = "Snapshot", module = "layersim")]
#[derive(Debug)]
pub struct PySnapshot(Snapshot);

#[pymethods]
impl PyOverlay {
    /// Keep the state as it is now, to go back to.
    ///
    /// Returns
    /// -------
    /// Snapshot
    ///     For :meth:`rollback`. What is mounted is not in it.
    ///
    /// Examples
    /// --------
    /// >>> import layersim as ls
    /// >>> fs = ls.Overlay([])
    /// >>> before = fs.snapshot()
    /// >>> fs.write_bytes("/f", b"1")
    /// 1
    /// >>> fs.rollback(before)
    /// >>> fs.exists("/f")
    /// False
    fn snapshot(&self, py: Python<'_>) -> PySnapshot {
        PySnapshot(py.detach(|| self.lock().snapshot()))
    }

    /// Go back to an earlier state.
    ///
    /// Parameters
    /// ----------
    /// snapshot : Snapshot
    ///     Of this overlay, or of a fork.
    ///
    /// Raises
    /// ------
    /// ValueError
    ///     For a snapshot on other layers, or of an overlay that is read-only where this one is not.
    ///
    /// Notes
    /// -----
    /// Files that are open now are stale: whatever is asked of them is ``ESTALE``.
    fn rollback(&self, py: Python<'_>, snapshot: &Bound<'_, PySnapshot>) -> Result<()> {
        let state = &snapshot.get().0;
        if !py.detach(|| self.lock().roll_back(state)) {
            return Err(
                PyValueError::new_err("the snapshot is of an overlay on other layers, or mounted otherwise").into()
            );
        }
        detached(py, || self.mount_anew())
    }
}

#[pymethods]
impl PySnapshot {
    #[expect(clippy::unused_self, reason = "Python passes it")]
    fn __repr__(&self) -> &'static str {
        "Snapshot()"
    }
}
