//! The blobs of a saved engine, which are read when they are wanted.

use std::path::Path;
use std::sync::Arc;

use layersim::bundle::Packed;
use layersim::layer::{Layer, Told};
use layersim::overlay::Saved;
use layersim::place::Place;
use layersim::saving::Batch;
use layersim::{Blob, Digest};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::convert::PathArg;
use crate::error::{Result, detached};
use crate::layer::PyLayer;
use crate::member::PyPacked;
use crate::upper::PyUpper;

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
    /// The part of it where offsets count from, and its name.
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
    /// start : int
    ///     Where in it offsets count from, in bytes.
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
    /// ValueError
    ///     When it does not reach that far.
    #[staticmethod]
    #[expect(clippy::needless_pass_by_value, reason = "an extracted argument can only be owned")]
    fn in_file(py: Python<'_>, path: PathArg<'_>, start: usize) -> Result<Self> {
        let path = path.as_host_path();
        let blob = detached(py, || Blob::map(path))?;
        let rest = blob.part(start..blob.len().max(start)).ok_or_else(|| outside(0, start as u64, path))?;
        Ok(Self(Source::File(rest, path.into())))
    }

    /// Describe layers whose tars are here.
    ///
    /// Parameters
    /// ----------
    /// diff_ids : sequence of str
    ///     Their identities.
    /// sizes, tar_sizes, entries, lengths, offsets : sequence of int
    ///     For each its size and its size by the TAR rule, how many entries it has, the length of its tar and where that
    ///     starts, in bytes; in a folder offsets mean nothing.
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
    fn layers(
        &self,
        diff_ids: Vec<Bound<'_, PyString>>,
        sizes: Vec<u64>,
        tar_sizes: Vec<u64>,
        entries: Vec<u64>,
        lengths: Vec<u64>,
        offsets: Vec<u64>,
    ) -> Result<Vec<PyLayer>> {
        if [&sizes, &tar_sizes, &entries, &lengths, &offsets].iter().any(|column| column.len() != diff_ids.len()) {
            return Err(PyValueError::new_err("expected as many of each as diff_ids").into());
        }
        let layers = diff_ids.iter().enumerate().map(|(at, diff_id)| {
            let place = self.place(offsets[at], lengths[at])?;
            let told = Told { size: sizes[at], tar_size: tar_sizes[at], len: entries[at], tar_len: lengths[at] };
            Ok(PyLayer(Layer::located(diff_id.to_str()?.parse()?, told, place)))
        });
        layers.collect()
    }

    /// Describe a top that is here.
    ///
    /// Parameters
    /// ----------
    /// digest : str
    ///     Its identity.
    /// size_rw, allocated_rw, length, offset : int
    ///     What it is said to hold and to take, how long it is and where it starts, in bytes.
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
    fn upper(&self, digest: &str, size_rw: u64, allocated_rw: u64, length: u64, offset: u64) -> Result<PyUpper> {
        let digest: Digest = digest.parse()?;
        let saved = Saved::located(digest, length, size_rw, self.place(offset, length)?);
        Ok(PyUpper { saved, allocated: allocated_rw })
    }

    /// Describe a blob that is here as it came.
    ///
    /// Parameters
    /// ----------
    /// digest : str
    ///     Its identity.
    /// length, offset : int
    ///     How long it is and where it starts, in bytes.
    ///
    /// Returns
    /// -------
    /// Packed
    ///     Read and verified when it is first wanted.
    ///
    /// Raises
    /// ------
    /// DigestFormatError
    ///     For a text that is no digest.
    /// ValueError
    ///     For a place outside the file.
    fn packed(&self, digest: &str, length: u64, offset: u64) -> Result<PyPacked> {
        Ok(PyPacked(Packed::stored(digest.parse()?, length, self.place(offset, length)?)))
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
        let part = blob.part(start..end).ok_or_else(|| outside(length, offset, path))?;
        Ok(Place::Part(part, Arc::clone(path)))
    }
}

fn outside(length: u64, offset: u64, path: &Path) -> PyErr {
    PyValueError::new_err(format!("{length} bytes at {offset} are outside {}", path.display()))
}

/// Write blobs into a folder, each under the hex digits of its digest.
///
/// Parameters
/// ----------
/// folder : path
///     A directory.
/// blobs : sequence of Layer, Upper or Packed
///     What to write; saved ones are read and verified.
///
/// Returns
/// -------
/// int
///     Bytes written.
///
/// Raises
/// ------
/// OSError
///     When one cannot be written; then none of them is there.
/// ContentMissingError, DigestMismatchError
///     As for reading them.
///
/// Notes
/// -----
/// No name is there before all bytes of all of them are on the disk.
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "an extracted argument can only be owned")]
pub fn write_blobs(py: Python<'_>, folder: PathArg<'_>, blobs: Vec<BlobArg>) -> Result<u64> {
    let folder = folder.as_host_path();
    detached(py, || {
        let mut batch = Batch::new(folder);
        for blob in &blobs {
            match blob {
                BlobArg::Layer(layer) => batch.add(&layer.diff_id().0.hex(), |writer| layer.write_tar(writer))?,
                BlobArg::Upper(upper) => batch.add(&upper.digest().hex(), |writer| {
                    let refused = |source| layersim::Error::io("cannot write a top", source);
                    upper.content()?.write_to(writer).map_err(refused)
                })?,
                BlobArg::Packed(packed) => batch.add(&packed.digest().hex(), |writer| packed.write_to(writer))?,
            }
        }
        batch.finish()
    })
}

/// A blob on its way out.
#[derive(Debug)]
pub enum BlobArg {
    /// A layer, as its tar.
    Layer(Layer),
    /// A top.
    Upper(Saved),
    /// What came with an image.
    Packed(Packed),
}

impl<'a, 'py> FromPyObject<'a, 'py> for BlobArg {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(upper) = object.cast::<PyUpper>() {
            return Ok(Self::Upper(upper.get().saved.clone()));
        }
        if let Ok(packed) = object.cast::<PyPacked>() {
            return Ok(Self::Packed(packed.get().0.clone()));
        }
        Ok(Self::Layer(object.cast::<PyLayer>()?.get().0.clone()))
    }
}
