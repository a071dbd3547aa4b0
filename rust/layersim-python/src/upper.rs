//! What an overlay's writable top held, as one value.

use std::sync::Arc;

use layersim::allocation;
use layersim::bundle::{Outgoing, Payload};
use layersim::overlay::{Options, Overlay, Saved};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::error::{Result, detached};
use crate::member::PyMember;
use crate::overlay::PyOverlay;
use crate::view::PyView;

/// What the writable top of an overlay held at one moment, exactly.
///
/// Made by :meth:`Overlay.upper`, and by :meth:`Blobs.upper` of one that was saved.
///
/// Notes
/// -----
/// Unlike a layer it keeps nanoseconds, times of access, sockets, all attributes and holes. Open files are not in it.
#[pyclass(frozen, name = "Upper", module = "layersim")]
#[derive(Debug)]
pub struct PyUpper {
    /// By its digest.
    pub saved: Saved,
    /// In whole blocks.
    pub allocated: u64,
}

impl PyUpper {
    /// What an overlay holds now; nothing where nothing was written.
    pub fn of(overlay: &Overlay) -> layersim::Result<Option<Self>> {
        let allocated = allocation::of_upper(overlay);
        Ok(overlay.save()?.map(|saved| Self { saved, allocated }))
    }
}

#[pymethods]
impl PyUpper {
    /// Digest of its bytes: ``sha256:`` and 64 hex digits.
    #[getter]
    fn digest(&self) -> String {
        self.saved.digest().to_string()
    }

    /// Bytes that it takes when it is saved.
    #[getter]
    fn length(&self) -> u64 {
        self.saved.len()
    }

    /// What ``size_rw`` of its overlay says.
    #[getter]
    fn size_rw(&self) -> u64 {
        self.saved.size()
    }

    /// What ``allocated_rw`` of its overlay says.
    #[getter]
    fn allocated_rw(&self) -> u64 {
        self.allocated
    }

    /// Whether its bytes are at hand; those of a saved one are read when they are wanted.
    #[getter]
    fn is_read(&self) -> bool {
        self.saved.is_read()
    }

    /// Read its bytes now, to know that they are the right ones.
    ///
    /// Raises
    /// ------
    /// DigestMismatchError
    ///     When they were changed, naming the file.
    /// ContentMissingError
    ///     When the file is gone.
    fn verify(&self, py: Python<'_>) -> Result<()> {
        detached(py, || self.saved.content().map(drop))
    }

    /// Make the overlay again.
    ///
    /// Parameters
    /// ----------
    /// view : View
    ///     What was below it.
    /// redirect_dir, clock, mounts : optional
    ///     As for :class:`Overlay`.
    ///
    /// Returns
    /// -------
    /// Overlay
    ///     Nothing that a path can reach differs. With renamed directories it is one of ``redirect_dir=True``.
    ///
    /// Raises
    /// ------
    /// DigestMismatchError
    ///     When its bytes were changed, naming the file.
    /// ContentMissingError
    ///     When the file is gone.
    #[pyo3(signature = (view, *, redirect_dir=false, clock=None, mounts=None))]
    fn over(
        &self,
        py: Python<'_>,
        view: &Bound<'_, PyView>,
        redirect_dir: bool,
        clock: Option<Py<PyAny>>,
        mounts: Option<&Bound<'_, PyDict>>,
    ) -> Result<PyOverlay> {
        let stack = Arc::clone(&view.get().0);
        let options = Options { redirects: redirect_dir, ..Options::default() };
        let overlay = detached(py, || self.saved.over(stack, options))?;
        PyOverlay::over(overlay, clock).with_mounts(py, mounts)
    }

    fn __repr__(&self) -> String {
        format!("Upper({:.19}, {} bytes written)", self.digest(), self.size_rw())
    }
}

#[pymethods]
impl PyMember {
    /// Describe a file that holds what an overlay's writable top held.
    ///
    /// Parameters
    /// ----------
    /// name : str
    ///     Its name in the archive.
    /// upper : Upper
    ///     Read and verified now, if it was saved before.
    ///
    /// Returns
    /// -------
    /// Member
    ///     For :func:`write_archive`.
    ///
    /// Raises
    /// ------
    /// DigestMismatchError
    ///     When its bytes were changed, naming the file.
    #[staticmethod]
    fn upper(py: Python<'_>, name: String, upper: &Bound<'_, PyUpper>) -> Result<Self> {
        let saved = &upper.get().saved;
        let content = detached(py, || saved.content())?;
        Ok(Self(Outgoing::new(name.into_bytes(), Payload::Content(content), 0, 0o644)))
    }
}
