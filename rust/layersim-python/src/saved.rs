//! What a saved engine is made of: tops that are known by their digests, and blobs that are read when they are wanted.

use std::path::Path;
use std::sync::Arc;

use layersim::bundle::{Outgoing, Payload};
use layersim::layer::{Layer, Told};
use layersim::overlay::Saved;
use layersim::place::Place;
use layersim::{Blob, Digest};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::archive::PyMember;
use crate::convert::PathArg;
use crate::error::{Result, detached};
use crate::layer::PyLayer;
use crate::overlay::PyOverlay;
use crate::target::TargetArg;
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
pub struct PyUpper(pub Saved);

#[pymethods]
impl PyUpper {
    /// Digest of its bytes: ``sha256:`` and 64 hex digits.
    #[getter]
    fn digest(&self) -> String {
        self.0.digest().to_string()
    }

    /// Bytes that it takes when it is saved.
    #[getter]
    fn length(&self) -> u64 {
        self.0.len()
    }

    /// What ``size_rw`` of its overlay says.
    #[getter]
    fn size_rw(&self) -> u64 {
        self.0.size()
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
        detached(py, || self.0.content().map(drop))
    }

    /// Make the overlay again.
    ///
    /// Parameters
    /// ----------
    /// view : View
    ///     What was below it.
    /// clock : callable, optional
    ///     As for :class:`Overlay`.
    ///
    /// Returns
    /// -------
    /// Overlay
    ///     Nothing that a path can reach differs.
    ///
    /// Raises
    /// ------
    /// DigestMismatchError
    ///     When its bytes were changed, naming the file.
    /// ContentMissingError
    ///     When the file is gone.
    #[pyo3(signature = (view, *, clock=None))]
    fn over(&self, py: Python<'_>, view: &Bound<'_, PyView>, clock: Option<Py<PyAny>>) -> Result<PyOverlay> {
        let stack = Arc::clone(&view.get().0);
        let overlay = detached(py, || self.0.over(stack))?;
        Ok(PyOverlay::over(overlay, clock))
    }

    /// Write its bytes.
    ///
    /// Parameters
    /// ----------
    /// target : path or binary file
    ///     A path is written atomically.
    ///
    /// Returns
    /// -------
    /// int
    ///     Bytes written.
    ///
    /// Raises
    /// ------
    /// OSError
    ///     When the target cannot be written.
    fn write(&self, py: Python<'_>, target: TargetArg) -> Result<u64> {
        target.fill(py, |writer| {
            let content = self.0.content()?;
            content.write_to(writer).map_err(|source| layersim::Error::io("cannot write a top", source))
        })
    }

    fn __repr__(&self) -> String {
        format!("Upper({:.19}, {} bytes written)", self.digest(), self.size_rw())
    }
}

/// Blobs that are known by their digests: a folder of files, or one file in which they follow each other.
///
/// Notes
/// -----
/// A file is mapped at once and kept, so that it may be replaced under its name. Nothing is read of any blob until its
/// content is wanted; then it is verified.
#[pyclass(frozen, name = "Blobs", module = "layersim")]
#[derive(Debug)]
pub struct PyBlobs(Source);

#[derive(Debug)]
enum Source {
    Folder(Arc<Path>),
    File(Blob, Arc<Path>),
}

#[pymethods]
impl PyBlobs {
    /// Take a folder, in which each blob has the hex digits of its digest as its name.
    ///
    /// Parameters
    /// ----------
    /// path : path
    ///     The folder; nothing is looked at.
    ///
    /// Returns
    /// -------
    /// Blobs
    ///     Those in it.
    #[staticmethod]
    #[expect(clippy::needless_pass_by_value, reason = "an extracted argument can only be owned")]
    fn in_folder(path: PathArg<'_>) -> Self {
        Self(Source::Folder(path.as_host_path().into()))
    }

    /// Take a file, in which each blob has an offset.
    ///
    /// Parameters
    /// ----------
    /// path : path
    ///     The file.
    ///
    /// Returns
    /// -------
    /// Blobs
    ///     Those in it.
    ///
    /// Raises
    /// ------
    /// OSError
    ///     When it cannot be opened.
    #[staticmethod]
    #[expect(clippy::needless_pass_by_value, reason = "an extracted argument can only be owned")]
    fn in_file(py: Python<'_>, path: PathArg<'_>) -> Result<Self> {
        let path = path.as_host_path();
        let blob = detached(py, || Blob::map(path))?;
        Ok(Self(Source::File(blob, path.into())))
    }

    /// Describe layers whose tars are here.
    ///
    /// Parameters
    /// ----------
    /// diff_ids : sequence of str
    ///     Their identities.
    /// told : sequence of (int, int, int, int, int)
    ///     For each its size, size by the TAR rule, number of entries, length of the tar and offset in the file, in bytes;
    ///     in a folder offsets mean nothing.
    ///
    /// Returns
    /// -------
    /// list of Layer
    ///     In the same order; each is read, verified and indexed when its content is first wanted.
    ///
    /// Raises
    /// ------
    /// DigestFormatError
    ///     For a text that is no digest.
    /// ValueError
    ///     For a place outside the file, or sequences of different lengths.
    #[expect(clippy::needless_pass_by_value, reason = "an extracted list can only be owned")]
    fn layers(&self, diff_ids: Vec<String>, told: Vec<(u64, u64, u64, u64, u64)>) -> Result<Vec<PyLayer>> {
        if diff_ids.len() != told.len() {
            return Err(PyValueError::new_err("expected as many diff_ids as told of").into());
        }
        let layers = diff_ids.iter().zip(told).map(|(diff_id, (size, tar_size, len, tar_len, offset))| {
            let place = self.place(offset, tar_len)?;
            Ok(PyLayer(Layer::located(diff_id.parse()?, Told { size, tar_size, len, tar_len }, place)))
        });
        layers.collect()
    }

    /// Describe a top that is here.
    ///
    /// Parameters
    /// ----------
    /// digest : str
    ///     Its identity.
    /// size_rw, length, offset : int
    ///     What it is said to hold, how long it is and where it starts, in bytes.
    ///
    /// Returns
    /// -------
    /// Upper
    ///     Read and verified when it is first wanted.
    ///
    /// Raises
    /// ------
    /// DigestFormatError
    ///     For a text that is no digest.
    /// ValueError
    ///     For a place outside the file.
    fn upper(&self, digest: &str, size_rw: u64, length: u64, offset: u64) -> Result<PyUpper> {
        let digest: Digest = digest.parse()?;
        Ok(PyUpper(Saved::located(digest, length, size_rw, self.place(offset, length)?)))
    }

    fn __repr__(&self) -> String {
        let (Source::Folder(path) | Source::File(_, path)) = &self.0;
        format!("Blobs({})", path.display())
    }
}

impl PyBlobs {
    fn place(&self, offset: u64, length: u64) -> Result<Place> {
        let (blob, path) = match &self.0 {
            Source::Folder(folder) => return Ok(Place::Folder(Arc::clone(folder))),
            Source::File(blob, path) => (blob, path),
        };
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let end = start.saturating_add(usize::try_from(length).unwrap_or(usize::MAX));
        let outside = || PyValueError::new_err(format!("{length} bytes at {offset} are outside {}", path.display()));
        let part = blob.part(start..end).ok_or_else(outside)?;
        Ok(Place::Part(part, Arc::clone(path)))
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
        let saved = &upper.get().0;
        let content = detached(py, || saved.content())?;
        Ok(Self(Outgoing::new(name.into_bytes(), Payload::Content(content), 0, 0o644)))
    }
}
