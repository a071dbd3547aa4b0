//! Image archives on the way in: members by name.

use layersim::Limits;
use layersim::archive::Compression;
use layersim::bundle::{Bundle, Oddity, Packed, Wanted};
use layersim::place::Place;
use pyo3::exceptions::PyKeyError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::convert::{BytesArg, PathArg, text_of};
use crate::error::{Raised, Result, detached};
use crate::layer::{PyLayer, PyLimits, limits_or_default};
use crate::member::PyPacked;
use crate::progress::Listener;

/// Bytes of one member that are handed out unless more are asked for: configs and manifests are far smaller.
const READ_LIMIT: u64 = 64 << 20;

/// The members of an image archive: a tar, plain or compressed, or a directory.
///
/// Notes
/// -----
/// Members stay where they are until they are read. Links between members are followed inside the archive only.
#[pyclass(frozen, name = "Archive", module = "layersim")]
#[derive(Debug)]
pub struct PyArchive(Bundle);

#[pymethods]
impl PyArchive {
    /// Open an archive.
    ///
    /// Parameters
    /// ----------
    /// path : path
    ///     A tar or a directory.
    /// limits : Limits, optional
    ///     Bounds on hostile input.
    ///
    /// Returns
    /// -------
    /// Archive
    ///     Indexed, nothing verified yet.
    ///
    /// Raises
    /// ------
    /// ArchiveError
    ///     For a file that is no tar.
    /// OSError
    ///     When it cannot be read.
    #[staticmethod]
    #[pyo3(signature = (path, *, limits=None))]
    #[expect(clippy::needless_pass_by_value, reason = "an extracted argument can only be owned")]
    fn open(py: Python<'_>, path: PathArg<'_>, limits: Option<PyLimits>) -> Result<Self> {
        let (path, limits) = (path.as_host_path(), limits_or_default(limits));
        detached(py, || Bundle::open(path, &limits)).map(Self)
    }

    /// Open an archive in memory.
    ///
    /// Parameters
    /// ----------
    /// data : bytes-like
    ///     The tar; copied once.
    /// limits : Limits, optional
    ///     Bounds on hostile input.
    ///
    /// Returns
    /// -------
    /// Archive
    ///     Indexed, nothing verified yet.
    ///
    /// Raises
    /// ------
    /// ArchiveError
    ///     For bytes that are no tar.
    #[staticmethod]
    #[pyo3(signature = (data, *, limits=None))]
    fn from_bytes(py: Python<'_>, data: BytesArg, limits: Option<PyLimits>) -> Result<Self> {
        let (blob, limits) = (data.0.into(), limits_or_default(limits));
        detached(py, || Bundle::from_blob(&blob, &limits)).map(Self)
    }

    /// List the names of all files and links, sorted.
    ///
    /// Returns
    /// -------
    /// list of str
    ///     Without ``./`` and leading slashes.
    fn names<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        self.0.names().map(|name| text_of(py, name)).collect()
    }

    /// List the members whose names are odd, though they can be read.
    ///
    /// Returns
    /// -------
    /// list of (str, str)
    ///     The name as it is spelled, and ``repeated`` or ``spelled``.
    fn oddities<'py>(&self, py: Python<'py>) -> PyResult<Vec<(Bound<'py, PyAny>, &'static str)>> {
        let word = |oddity| if oddity == Oddity::Repeated { "repeated" } else { "spelled" };
        self.0.oddities().iter().map(|(name, oddity)| Ok((text_of(py, name)?, word(*oddity)))).collect()
    }

    /// Tell the length of a member.
    ///
    /// Parameters
    /// ----------
    /// name : str
    ///     The member.
    ///
    /// Returns
    /// -------
    /// int
    ///     Bytes.
    ///
    /// Raises
    /// ------
    /// KeyError
    ///     When there is none of that name.
    #[expect(clippy::needless_pass_by_value, reason = "an extracted argument can only be owned")]
    fn size(&self, name: PathArg<'_>) -> Result<u64> {
        Ok(self.member(&name)?.len() as u64)
    }

    /// Read a member.
    ///
    /// Parameters
    /// ----------
    /// name : str
    ///     The member.
    /// limit : int
    ///     A longer one is refused, in bytes.
    ///
    /// Returns
    /// -------
    /// bytes
    ///     All of it.
    ///
    /// Raises
    /// ------
    /// KeyError
    ///     When there is none of that name.
    /// ArchiveLimitError
    ///     When it is longer than ``limit``.
    #[pyo3(signature = (name, *, limit=READ_LIMIT))]
    #[expect(clippy::needless_pass_by_value, reason = "an extracted argument can only be owned")]
    fn read<'py>(&self, py: Python<'py>, name: PathArg<'_>, limit: u64) -> Result<Bound<'py, PyBytes>> {
        let blob = self.member(&name)?;
        let what = format!("{}: {} bytes", String::from_utf8_lossy(&name.bytes), blob.len());
        let error = layersim::Error::Limit { what, limit, offset: 0 };
        if blob.len() as u64 > limit { Err(Raised::from(error)) } else { Ok(PyBytes::new(py, &blob)) }
    }

    /// Hash a member as it is stored.
    ///
    /// Parameters
    /// ----------
    /// name : str
    ///     The member.
    ///
    /// Returns
    /// -------
    /// str
    ///     ``sha256:`` and 64 hex digits.
    ///
    /// Raises
    /// ------
    /// KeyError
    ///     When there is none of that name.
    #[expect(clippy::needless_pass_by_value, reason = "an extracted argument can only be owned")]
    fn sha256(&self, py: Python<'_>, name: PathArg<'_>) -> Result<String> {
        let blob = self.member(&name)?;
        Ok(py.detach(|| layersim::Digest::of(&blob)).to_string())
    }

    /// Keep a member as it is stored, without reading it.
    ///
    /// Parameters
    /// ----------
    /// name : str
    ///     The member.
    /// digest : str
    ///     What its bytes must hash to when they are wanted.
    ///
    /// Returns
    /// -------
    /// Packed
    ///     It holds the file of the archive, or the bytes of one in memory.
    ///
    /// Raises
    /// ------
    /// KeyError
    ///     When there is none of that name.
    /// DigestFormatError
    ///     For a text that is no digest.
    #[expect(clippy::needless_pass_by_value, reason = "an extracted argument can only be owned")]
    fn packed(&self, name: PathArg<'_>, digest: &str) -> Result<PyPacked> {
        let blob = self.member(&name)?;
        let (len, digest) = (blob.len() as u64, digest.parse()?);
        Ok(PyPacked(Packed::stored(digest, len, Place::Part(blob, name.as_host_path().into()))))
    }

    /// Tell the compression of a member by its first bytes.
    ///
    /// Parameters
    /// ----------
    /// name : str
    ///     The member.
    ///
    /// Returns
    /// -------
    /// str
    ///     ``uncompressed``, ``gzip``, ``bzip2``, ``xz`` or ``zstd``.
    ///
    /// Raises
    /// ------
    /// KeyError
    ///     When there is none of that name.
    #[expect(clippy::needless_pass_by_value, reason = "an extracted argument can only be owned")]
    fn compression(&self, name: PathArg<'_>) -> Result<&'static str> {
        Ok(Compression::of(&self.member(&name)?).name())
    }

    /// Read layers, side by side, every digest verified.
    ///
    /// Parameters
    /// ----------
    /// names : sequence of str
    ///     The members; one may be there several times.
    /// diff_ids : sequence of str
    ///     What the uncompressed tar of each must hash to.
    /// digests : sequence of str or None, optional
    ///     What each must hash to as stored.
    /// limits : Limits, optional
    ///     Bounds on hostile input.
    /// progress : callable, optional
    ///     Called with the bytes done and the bytes in all; what it raises stops the work.
    ///
    /// Returns
    /// -------
    /// list of Layer
    ///     In the order of ``names``.
    ///
    /// Raises
    /// ------
    /// ArchiveError
    ///     For a member that is missing or no layer, naming it.
    /// DigestMismatchError
    ///     For one with other bytes, naming it.
    /// ValueError
    ///     When the sequences have different lengths.
    #[pyo3(signature = (names, diff_ids, *, digests=None, limits=None, progress=None))]
    #[expect(clippy::needless_pass_by_value, reason = "an extracted list can only be owned")]
    fn layers(
        &self,
        py: Python<'_>,
        names: Vec<String>,
        diff_ids: Vec<String>,
        digests: Option<Vec<Option<String>>>,
        limits: Option<PyLimits>,
        progress: Option<Py<PyAny>>,
    ) -> Result<Vec<PyLayer>> {
        let wanted = Wanted::list(&names, &diff_ids, digests.as_deref())?;
        let limits: Limits = limits_or_default(limits);
        let listener = Listener::new(progress);
        let read = detached(py, || self.0.layers(&wanted, &limits, &|done, total| listener.tell(done, total)));
        Ok(listener.result(read)?.into_iter().map(PyLayer).collect())
    }

    fn __contains__(&self, name: &Bound<'_, PyAny>) -> Result<bool> {
        let Ok(name) = name.extract::<PathArg<'_>>() else {
            return Ok(false);
        };
        Ok(self.0.get(&name.bytes)?.is_some())
    }

    fn __len__(&self) -> usize {
        self.0.names().count()
    }

    fn __repr__(&self) -> String {
        format!("Archive({} members)", self.__len__())
    }
}

impl PyArchive {
    fn member(&self, name: &PathArg<'_>) -> Result<layersim::Blob> {
        let missing = || Raised::from(PyKeyError::new_err(String::from_utf8_lossy(&name.bytes).into_owned()));
        self.0.get(&name.bytes)?.ok_or_else(missing)
    }
}
