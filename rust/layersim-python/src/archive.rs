//! Image archives: members by name on the way in, members in order on the way out.

use std::borrow::Cow;

use layersim::Limits;
use layersim::bundle::{Bundle, Outgoing, Payload, Wanted};
use pyo3::exceptions::PyKeyError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::convert::{BytesArg, PathArg, text_of};
use crate::error::{Raised, Result, detached};
use crate::layer::{PyLayer, PyLimits, limits_or_default};
use crate::target::TargetArg;

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
    fn size(&self, name: &str) -> Result<u64> {
        Ok(self.member(name)?.len() as u64)
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
    fn read<'py>(&self, py: Python<'py>, name: &str, limit: u64) -> Result<Bound<'py, PyBytes>> {
        let blob = self.member(name)?;
        let what = format!("{name}: {} bytes", blob.len());
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
    fn sha256(&self, py: Python<'_>, name: &str) -> Result<String> {
        let blob = self.member(name)?;
        Ok(py.detach(|| layersim::Digest::of(&blob)).to_string())
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
        let raised = std::sync::Mutex::new(None);
        let told = |done: u64, total: u64| tell(progress.as_ref(), done, total, &raised);
        let read = detached(py, || self.0.layers(&wanted, &limits, &told));
        match raised.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner) {
            Some(raised) => Err(Raised::from(raised)),
            None => Ok(read?.into_iter().map(PyLayer).collect()),
        }
    }

    fn __contains__(&self, name: &Bound<'_, PyAny>) -> Result<bool> {
        let Ok(name) = name.extract::<Cow<'_, str>>() else {
            return Ok(false);
        };
        Ok(self.0.get(name.as_bytes())?.is_some())
    }

    fn __len__(&self) -> usize {
        self.0.names().count()
    }

    fn __repr__(&self) -> String {
        format!("Archive({} members)", self.__len__())
    }
}

impl PyArchive {
    fn member(&self, name: &str) -> Result<layersim::Blob> {
        let missing = || Raised::from(PyKeyError::new_err(name.to_owned()));
        self.0.get(name.as_bytes())?.ok_or_else(missing)
    }
}

/// Tells Python how far the work is; what it raises is kept, and stops the work.
fn tell(
    progress: Option<&Py<PyAny>>,
    done: u64,
    total: u64,
    raised: &std::sync::Mutex<Option<PyErr>>,
) -> layersim::Result<()> {
    let Some(progress) = progress else {
        return Ok(());
    };
    let Err(error) = Python::attach(|py| progress.call1(py, (done, total)).map(drop)) else {
        return Ok(());
    };
    *raised.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(error);
    Err(layersim::Error::input("the progress callback raised"))
}

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

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("Member({})", text_of(py, self.0.name())?.repr()?))
    }
}

/// Write members, in order, as one tar.
///
/// Parameters
/// ----------
/// target : path or binary file
///     A path is written atomically.
/// members : sequence of Member
///     What the archive holds.
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
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "an extracted list can only be owned")]
pub fn write_archive(py: Python<'_>, target: TargetArg, members: Vec<Bound<'_, PyMember>>) -> Result<u64> {
    let members: Vec<&Outgoing> = members.iter().map(|member| &member.get().0).collect();
    target.fill(py, |writer| Outgoing::write_all(&members, writer))
}
