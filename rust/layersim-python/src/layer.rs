//! `Layer`: an immutable value, shareable between threads, equal by its `diff_id`.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use layersim::layer::{Edit, Layer};
use layersim::{Blob, DiffId, Limits};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};

use crate::convert::{PathArg, SizeArg, SourceArg};
use crate::edit::PyEdit;
use crate::entry::PyEntry;
use crate::error::{Result, detached};
use crate::target::TargetArg;

/// Bounds on what an archive may ask for.
///
/// Parameters
/// ----------
/// entries : int, optional
///     Members of one archive.
/// file_bytes : int, optional
///     Bytes of one file, holes included.
/// header_bytes : int, optional
///     Bytes of one PAX header or long name.
/// depth : int, optional
///     Components of one path.
/// sparse_pieces : int, optional
///     Pieces of one sparse file.
/// inflated_bytes : int, optional
///     Bytes that one compressed layer may inflate to.
/// inflation_ratio : int, optional
///     Inflated bytes per compressed byte beyond the first 256 MiB.
///
/// Notes
/// -----
/// What is left out keeps its default, which every image seen in the wild stays far below.
#[pyclass(frozen, eq, name = "Limits", module = "layersim", from_py_object)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PyLimits(pub Limits);

#[pymethods]
impl PyLimits {
    #[new]
    #[pyo3(signature = (*, entries=None, file_bytes=None, header_bytes=None, depth=None, sparse_pieces=None,
                        inflated_bytes=None, inflation_ratio=None))]
    fn new(
        entries: Option<u64>,
        file_bytes: Option<u64>,
        header_bytes: Option<u64>,
        depth: Option<u64>,
        sparse_pieces: Option<u64>,
        inflated_bytes: Option<u64>,
        inflation_ratio: Option<u64>,
    ) -> Self {
        let default = Limits::default();
        Self(Limits {
            entries: entries.unwrap_or(default.entries),
            file_bytes: file_bytes.unwrap_or(default.file_bytes),
            header_bytes: header_bytes.unwrap_or(default.header_bytes),
            depth: depth.unwrap_or(default.depth),
            sparse_pieces: sparse_pieces.unwrap_or(default.sparse_pieces),
            inflated_bytes: inflated_bytes.unwrap_or(default.inflated_bytes),
            inflation_ratio: inflation_ratio.unwrap_or(default.inflation_ratio),
        })
    }

    fn __repr__(&self) -> String {
        format!("{:?}", self.0)
    }
}

/// The bounds to use.
pub fn limits_or_default(limits: Option<PyLimits>) -> Limits {
    limits.map_or_else(Limits::default, |limits| limits.0)
}

/// A read-only layer of an image.
///
/// Made by :meth:`from_tar`, :meth:`from_directory`, :meth:`from_changes` or :meth:`synthetic`.
///
/// Notes
/// -----
/// Nothing can write to a layer: it has no method for it, and none of its bytes is reachable writable.
/// Layers are equal, and hash alike, when their ``diff_id`` is the same. ``len`` and iteration give the
/// entries, whiteouts and implied directories included, the root not.
///
/// References
/// ----------
/// OCI image-spec 1.1, "Image Layer Filesystem Changeset".
///
/// Examples
/// --------
/// >>> import layersim as ls
/// >>> layer = ls.Layer.from_changes([ls.write("/etc/motd", b"hello")])
/// >>> layer.size, len(layer), [entry.path for entry in layer]
/// (5, 2, ['etc', 'etc/motd'])
#[pyclass(frozen, name = "Layer", module = "layersim", from_py_object)]
#[derive(Debug, Clone)]
pub struct PyLayer(pub Layer);

#[pymethods]
impl PyLayer {
    /// Read a layer from a tar.
    ///
    /// Parameters
    /// ----------
    /// source : path, bytes-like or binary file
    ///     Plain, gzip, zstd, bzip2 or xz, told by the first bytes. A plain file is mapped and not copied; do not change it
    ///     while the layer lives.
    /// diff_id : str, optional
    ///     What the uncompressed tar must hash to.
    /// limits : Limits, optional
    ///     Bounds on hostile input.
    ///
    /// Returns
    /// -------
    /// Layer
    ///     Hashed and indexed in one pass.
    ///
    /// Raises
    /// ------
    /// ArchiveError
    ///     For a malformed archive, with the offset of the member.
    /// ArchiveLimitError
    ///     For one that asks for more than ``limits``.
    /// DigestMismatchError
    ///     When ``diff_id`` is another one.
    /// OSError
    ///     When the file cannot be read.
    ///
    /// Notes
    /// -----
    /// Entries are taken as an engine extracts them (overlay2): names are relative to the root, ``..`` stops there,
    /// and the same name twice is refused.
    #[staticmethod]
    #[pyo3(signature = (source, *, diff_id=None, limits=None))]
    #[expect(clippy::needless_pass_by_value, reason = "an extracted argument can only be owned")]
    fn from_tar(py: Python<'_>, source: SourceArg, diff_id: Option<&str>, limits: Option<PyLimits>) -> Result<Self> {
        let expected = diff_id.map(str::parse::<DiffId>).transpose()?;
        let limits = limits_or_default(limits);
        detached(py, || Layer::from_tar(&source.0, expected, &limits)).map(Self)
    }

    /// Read a layer from a directory of the host.
    ///
    /// Parameters
    /// ----------
    /// path : path
    ///     The directory that becomes the root.
    ///
    /// Returns
    /// -------
    /// Layer
    ///     With the types, modes, owners, whole seconds, attributes and hard links found there.
    ///
    /// Raises
    /// ------
    /// OSError
    ///     When something in it cannot be read.
    ///
    /// Notes
    /// -----
    /// 0/0 character devices are whiteouts and ``trusted.overlay.opaque`` is obeyed, so the upper directory of an
    /// overlay mount is read as what it means. Sockets are left out.
    #[staticmethod]
    #[expect(clippy::needless_pass_by_value, reason = "an extracted argument can only be owned")]
    fn from_directory(py: Python<'_>, path: PathArg<'_>) -> Result<Self> {
        let path = path.as_host_path();
        detached(py, || Layer::from_directory(path)).map(Self)
    }

    /// Make a layer of edits.
    ///
    /// Parameters
    /// ----------
    /// changes : iterable of Edit
    ///     Made by ``write``, ``mkdir``, ``symlink``, ``hardlink``, ``remove`` and ``opaque``. Removals come first, whatever
    ///     the order; of two edits that make one path the later one stays.
    ///
    /// Returns
    /// -------
    /// Layer
    ///     Its tar is the canonical one: the same edits give the same ``diff_id``.
    ///
    /// Raises
    /// ------
    /// OSError
    ///     With the kernel's errno where an edit cannot be made.
    #[staticmethod]
    fn from_changes(py: Python<'_>, changes: &Bound<'_, PyAny>) -> Result<Self> {
        let edits = changes
            .try_iter()?
            .map(|edit| Ok(edit?.cast::<PyEdit>()?.get().0.clone()))
            .collect::<PyResult<Vec<Edit>>>()?;
        detached(py, || Layer::from_changes(&edits)).map(Self)
    }

    /// Know a layer by digest and size alone.
    ///
    /// Parameters
    /// ----------
    /// diff_id : str
    ///     Its identity.
    /// size : int
    ///     Its size in bytes, by whatever rule the model counts; at most 2**63 - 1.
    ///
    /// Returns
    /// -------
    /// Layer
    ///     Good for accounting; asked for entries or bytes it raises ``ContentMissingError``.
    ///
    /// Raises
    /// ------
    /// DigestFormatError
    ///     For a text that is no digest.
    /// ValueError
    ///     For a size that is negative, or more than 63 bits hold.
    #[staticmethod]
    #[pyo3(signature = (*, diff_id, size))]
    fn synthetic(diff_id: &str, size: SizeArg) -> Result<Self> {
        Ok(Self(Layer::synthetic(diff_id.parse()?, size.0)))
    }

    /// Digest of the uncompressed tar: ``sha256:`` and 64 hex digits.
    #[getter]
    fn diff_id(&self) -> String {
        self.0.diff_id().to_string()
    }

    /// Bytes by the INODE rule: distinct files and link targets, hard links once.
    #[getter]
    fn size(&self) -> u64 {
        self.0.size()
    }

    /// Bytes by the TAR rule: the sum of the sizes in the headers.
    #[getter]
    fn tar_size(&self) -> u64 {
        self.0.tar_size()
    }

    /// Length of the uncompressed tar in bytes.
    #[getter]
    fn tar_length(&self) -> Result<u64> {
        Ok(self.0.tar_len()?)
    }

    /// Bytes that the unpacked layer takes in whole blocks: ext4, blocks of 4 KiB, directories and its root included.
    #[getter]
    fn allocated_size(&self, py: Python<'_>) -> Result<u64> {
        detached(py, || layersim::allocation::of_layer(&self.0))
    }

    /// Whether it is known by digest and size alone.
    #[getter]
    fn is_synthetic(&self) -> bool {
        self.0.is_synthetic()
    }

    /// Whether its content is at hand; a saved one is read when it is first wanted.
    #[getter]
    fn is_read(&self) -> bool {
        self.0.is_read()
    }

    /// Read the content now, if that has not happened yet.
    ///
    /// Raises
    /// ------
    /// DigestMismatchError
    ///     When the saved bytes were changed, naming the file.
    /// ContentMissingError
    ///     When the file is gone, or for a synthetic layer.
    fn read(&self, py: Python<'_>) -> Result<()> {
        detached(py, || self.0.root().map(drop))
    }

    /// Write the uncompressed tar, byte for byte the one that ``diff_id`` is the digest of.
    ///
    /// Parameters
    /// ----------
    /// target : path or binary file
    ///     A path is written atomically: the old file or the new one, never half of it.
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
    /// ContentMissingError
    ///     For a synthetic layer.
    fn write_tar(&self, py: Python<'_>, target: TargetArg) -> Result<u64> {
        target.fill(py, |writer| self.0.write_tar(writer))
    }

    /// Give the uncompressed tar as bytes.
    ///
    /// Returns
    /// -------
    /// bytes
    ///     A copy.
    ///
    /// Raises
    /// ------
    /// ContentMissingError
    ///     For a synthetic layer.
    fn tar_bytes<'py>(&self, py: Python<'py>) -> Result<Bound<'py, PyBytes>> {
        let bytes = detached(py, || {
            let mut bytes = Vec::new();
            self.0.write_tar(&mut bytes).map(|()| bytes)
        })?;
        Ok(PyBytes::new(py, &bytes))
    }

    fn __len__(&self) -> usize {
        usize::try_from(self.0.len()).unwrap_or(usize::MAX)
    }

    #[expect(clippy::unused_self, reason = "Python passes it")]
    fn __bool__(&self) -> bool {
        true
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> Result<Bound<'py, PyAny>> {
        let entries = detached(py, || self.0.entries())?;
        let list = PyList::new(py, entries.into_iter().map(PyEntry))?;
        Ok(list.as_any().try_iter()?.into_any())
    }

    fn __eq__(&self, other: &Self) -> bool {
        self.0 == other.0
    }

    fn __hash__(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.0.diff_id().hash(&mut hasher);
        hasher.finish()
    }

    fn __repr__(&self) -> String {
        format!("Layer({:.19}, {} bytes, {} entries)", self.diff_id(), self.size(), self.0.len())
    }

    fn __copy__(&self) -> Self {
        self.clone()
    }

    fn __deepcopy__(&self, _memo: &Bound<'_, PyAny>) -> Self {
        self.clone()
    }

    #[expect(clippy::type_complexity, reason = "the shape that pickle wants")]
    fn __reduce__<'py>(
        &self,
        py: Python<'py>,
    ) -> Result<(Bound<'py, PyAny>, (String, u64, Option<Bound<'py, PyBytes>>))> {
        let restore = py.import("layersim._core")?.getattr("restore_layer")?;
        let tar = if self.0.is_synthetic() { None } else { Some(self.tar_bytes(py)?) };
        Ok((restore, (self.diff_id(), self.size(), tar)))
    }
}

/// Make a layer again from what a pickle holds.
///
/// Parameters
/// ----------
/// diff_id : str
///     Its identity, verified.
/// size : int
///     Its size in bytes; only a synthetic layer needs it.
/// tar : bytes, optional
///     Its tar; None for a synthetic layer.
///
/// Returns
/// -------
/// Layer
///     Equal to the one that was pickled.
///
/// Raises
/// ------
/// DigestMismatchError
///     When the bytes are not those of ``diff_id``.
#[pyfunction]
#[pyo3(signature = (diff_id, size, tar=None))]
pub fn restore_layer(py: Python<'_>, diff_id: &str, size: SizeArg, tar: Option<&[u8]>) -> Result<PyLayer> {
    let expected: DiffId = diff_id.parse()?;
    let Some(tar) = tar else {
        return Ok(PyLayer(Layer::synthetic(expected, size.0)));
    };
    let blob = Blob::from(tar.to_vec());
    detached(py, || Layer::from_tar(&blob, Some(expected), &Limits::default())).map(PyLayer)
}
