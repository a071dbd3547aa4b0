//! Image archives on the way out: members in order, and layers compressed.

use layersim::archive::{Dialect, Encoder};
use layersim::bundle::{Outgoing, Packed, Payload, Progress};
use pyo3::prelude::*;

use crate::convert::{BytesArg, PathArg, text_of};
use crate::error::{Result, detached};
use crate::layer::PyLayer;
use crate::progress::Listener;
use crate::target::TargetArg;

/// One member of an archive to be written.
#[pyclass(frozen, name = "Member", module = "layersim")]
#[derive(Debug)]
pub struct PyMember(pub Outgoing);

#[pymethods]
impl PyMember {
    /// Describe a file.
    ///
    /// Parameters
    /// ----------
    /// name : str
    ///     Its name in the archive.
    /// data : bytes
    ///     Its content.
    /// mtime : int
    ///     Seconds since 1970.
    /// mode : int
    ///     Permission bits.
    ///
    /// Returns
    /// -------
    /// Member
    ///     For :func:`write_archive`.
    #[staticmethod]
    #[pyo3(signature = (name, data, *, mtime=0, mode=0o644))]
    fn file(name: String, data: BytesArg, mtime: i64, mode: u32) -> Self {
        Self(Outgoing::new(name.into_bytes(), Payload::Bytes(data.0), mtime, mode))
    }

    /// Describe a directory.
    ///
    /// Parameters
    /// ----------
    /// name : str
    ///     Its name in the archive.
    /// mtime : int
    ///     Seconds since 1970.
    /// mode : int
    ///     Permission bits.
    ///
    /// Returns
    /// -------
    /// Member
    ///     For :func:`write_archive`.
    #[staticmethod]
    #[pyo3(signature = (name, *, mtime=0, mode=0o755))]
    fn directory(name: String, mtime: i64, mode: u32) -> Self {
        Self(Outgoing::new(name.into_bytes(), Payload::Directory, mtime, mode))
    }

    /// Describe a symbolic link.
    ///
    /// Parameters
    /// ----------
    /// name : str
    ///     Its name in the archive.
    /// target : str
    ///     What it says.
    /// mtime : int
    ///     Seconds since 1970.
    ///
    /// Returns
    /// -------
    /// Member
    ///     For :func:`write_archive`.
    #[staticmethod]
    #[pyo3(signature = (name, target, *, mtime=0))]
    fn symlink(name: String, target: String, mtime: i64) -> Self {
        Self(Outgoing::new(name.into_bytes(), Payload::Symlink(target.into_bytes()), mtime, 0o777))
    }

    /// Describe a file that holds the uncompressed tar of a layer.
    ///
    /// Parameters
    /// ----------
    /// name : str
    ///     Its name in the archive.
    /// layer : Layer
    ///     Not synthetic.
    /// mtime : int
    ///     Seconds since 1970.
    /// mode : int
    ///     Permission bits.
    ///
    /// Returns
    /// -------
    /// Member
    ///     For :func:`write_archive`.
    #[staticmethod]
    #[pyo3(signature = (name, layer, *, mtime=0, mode=0o644))]
    fn layer(name: String, layer: PyLayer, mtime: i64, mode: u32) -> Self {
        Self(Outgoing::new(name.into_bytes(), Payload::Layer(layer.0), mtime, mode))
    }

    /// Describe a file that holds a blob as it is stored.
    ///
    /// Parameters
    /// ----------
    /// name : str
    ///     Its name in the archive.
    /// packed : Packed
    ///     Verified when it is written, if it is kept somewhere.
    /// mtime : int
    ///     Seconds since 1970.
    /// mode : int
    ///     Permission bits.
    ///
    /// Returns
    /// -------
    /// Member
    ///     For :func:`write_archive`.
    #[staticmethod]
    #[pyo3(signature = (name, packed, *, mtime=0, mode=0o644))]
    fn packed(name: String, packed: &Bound<'_, PyPacked>, mtime: i64, mode: u32) -> Self {
        Self(Outgoing::new(name.into_bytes(), Payload::Packed(packed.get().0.clone()), mtime, mode))
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("Member({})", text_of(py, self.0.name())?.repr()?))
    }
}

/// A blob as a layout stores it: the compressed tar of a layer, or whatever came with an image.
///
/// Made by :func:`pack_layers`, :meth:`Packed.again`, :meth:`Archive.packed` and :meth:`Blobs.packed`.
#[pyclass(frozen, name = "Packed", module = "layersim")]
#[derive(Debug)]
pub struct PyPacked(pub Packed);

#[pymethods]
impl PyPacked {
    /// Digest of the compressed bytes.
    #[getter]
    fn digest(&self) -> String {
        self.0.digest().to_string()
    }

    /// How many they are.
    #[getter]
    fn size(&self) -> u64 {
        self.0.len()
    }

    /// Compress a layer to know what becomes of it; the bytes are made again when they are wanted.
    ///
    /// Parameters
    /// ----------
    /// layer : Layer
    ///     Not synthetic.
    /// compression : {"gzip", "zstd"}
    ///     At its usual level.
    ///
    /// Returns
    /// -------
    /// Packed
    ///     As :func:`pack_layers` has it.
    ///
    /// Raises
    /// ------
    /// ContentMissingError
    ///     For a synthetic layer.
    /// ValueError
    ///     For another compression.
    #[staticmethod]
    #[expect(clippy::needless_pass_by_value, reason = "an extracted argument can only be owned")]
    fn again(py: Python<'_>, layer: PyLayer, compression: &str) -> Result<Self> {
        let encoder = Encoder::named(compression, None)?;
        detached(py, || Packed::again(&layer.0, encoder)).map(Self)
    }

    /// Read the bytes, if they are somewhere, and hash them.
    ///
    /// Raises
    /// ------
    /// DigestMismatchError
    ///     When they were changed.
    /// ContentMissingError
    ///     When they are gone.
    fn verify(&self, py: Python<'_>) -> Result<()> {
        detached(py, || self.0.verify())
    }

    fn __repr__(&self) -> String {
        format!("Packed({:.19}, {} bytes)", self.0.digest(), self.0.len())
    }
}

/// Compress layers, several at once.
///
/// Parameters
/// ----------
/// layers : sequence of Layer
///     None of them synthetic.
/// compression : {"gzip", "zstd"}
///     The same layer, compression and level give the same bytes.
/// folder : path
///     Where the bytes wait until they are written, in files without a name.
/// level : int, optional
///     0 to 9 for gzip, 6 by default; 1 to 22 for zstd, 3 by default.
/// progress : callable, optional
///     Called with bytes of layers done and bytes in all; what it raises stops the work.
///
/// Returns
/// -------
/// list of Packed
///     In the order of ``layers``.
///
/// Raises
/// ------
/// ContentMissingError
///     For a synthetic layer.
/// OSError
///     When there is no room.
/// ValueError
///     For another compression, or a level that it does not have.
#[pyfunction]
#[pyo3(signature = (layers, compression, folder, *, level=None, progress=None))]
#[expect(clippy::needless_pass_by_value, reason = "an extracted list can only be owned")]
pub fn pack_layers(
    py: Python<'_>,
    layers: Vec<PyLayer>,
    compression: &str,
    folder: PathArg<'_>,
    level: Option<i32>,
    progress: Option<Py<PyAny>>,
) -> Result<Vec<PyPacked>> {
    let encoder = Encoder::named(compression, level)?;
    let (folder, listener) = (folder.as_host_path(), Listener::new(progress));
    let layers: Vec<layersim::Layer> = layers.into_iter().map(|layer| layer.0).collect();
    let packed = detached(py, || {
        let total = layers.iter().map(layersim::Layer::tar_len).sum::<layersim::Result<u64>>()?;
        let tell = |done, total| listener.tell(done, total);
        Packed::all(&layers, encoder, folder, &Progress::new(total, &tell))
    });
    Ok(listener.result(packed)?.into_iter().map(PyPacked).collect())
}

/// Write members, in order, as one tar.
///
/// Parameters
/// ----------
/// target : path or binary file
///     A path is written atomically.
/// members : sequence of Member
///     What the archive holds.
/// dialect : {"canonical", "docker20", "docker29"}
///     Whose headers it has.
/// progress : callable, optional
///     Called with bytes of layers done and bytes in all, those left out that :func:`pack_layers` told; what it raises stops the work.
///
/// Returns
/// -------
/// int
///     Bytes written.
///
/// Raises
/// ------
/// OSError
///     When the target cannot be written; it is then as it was.
/// ContentMissingError
///     For a synthetic layer.
/// ValueError
///     For another dialect.
#[pyfunction]
#[pyo3(signature = (target, members, *, dialect="canonical", progress=None))]
#[expect(clippy::needless_pass_by_value, reason = "an extracted list can only be owned")]
pub fn write_archive(
    py: Python<'_>,
    target: TargetArg,
    members: Vec<Bound<'_, PyMember>>,
    dialect: &str,
    progress: Option<Py<PyAny>>,
) -> Result<u64> {
    let dialect = Dialect::named(dialect)?;
    let (members, listener) = (inner(&members), Listener::new(progress));
    let written = target
        .fill(py, |writer| Outgoing::write_all(&members, dialect, writer, &|done, total| listener.tell(done, total)));
    listener.result(written)
}

/// Write members as files of a directory, which takes the place of the one that has its name.
///
/// Parameters
/// ----------
/// target : path
///     The directory; what is in it goes.
/// members : sequence of Member
///     What it is to hold.
/// progress : callable, optional
///     Called with bytes of layers done and bytes in all, those left out that :func:`pack_layers` told; what it raises stops the work.
///
/// Returns
/// -------
/// int
///     Bytes of files.
///
/// Raises
/// ------
/// OSError
///     When it cannot be written; it is then as it was.
/// ContentMissingError
///     For a synthetic layer.
#[pyfunction]
#[pyo3(signature = (target, members, *, progress=None))]
#[expect(clippy::needless_pass_by_value, reason = "an extracted list can only be owned")]
pub fn write_directory(
    py: Python<'_>,
    target: PathArg<'_>,
    members: Vec<Bound<'_, PyMember>>,
    progress: Option<Py<PyAny>>,
) -> Result<u64> {
    let (members, listener) = (inner(&members), Listener::new(progress));
    let written = detached(py, || {
        layersim::saving::save_directory(target.as_host_path(), |folder| {
            Outgoing::write_below(&members, folder, &|done, total| listener.tell(done, total))
        })
    });
    listener.result(written)
}

fn inner<'m>(members: &'m [Bound<'_, PyMember>]) -> Vec<&'m Outgoing> {
    members.iter().map(|member| &member.get().0).collect()
}
