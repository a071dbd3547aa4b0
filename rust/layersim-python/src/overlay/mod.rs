//! `Overlay`: a writable top over a view, with the functions of `os`.

mod attributes;
mod mounts;
mod names;
mod reading;
mod snapshot;
mod user;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use layersim::archive::Dialect;
use layersim::overlay::{Caller, Credentials, Ends, Options, Overlay};
use layersim::{Timestamp, change};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::change::PyChange;
use crate::convert::PathArg;
use crate::error::{Result, detached};
use crate::file::PyFile;
use crate::layer::PyLayer;
use crate::upper::PyUpper;
use crate::view::{PyView, stack_of};
use mounts::Mounts;
pub use snapshot::PySnapshot;

/// The union with a writable top: the file system that a container sees.
///
/// Parameters
/// ----------
/// layers : sequence of Layer, or View
///     Base first. A view is shared, so that a new overlay costs a few words.
/// redirect_dir : bool
///     Whether directories of lower layers can be renamed, as with the mount option ``redirect_dir=on``: the directory in
///     the upper then says where the layers have its contents. Docker mounts without it: such a rename is ``EXDEV``.
/// read_only : bool
///     Whether there is no writable top, as in a mount without an upper directory: every change is ``EROFS``.
/// clock : callable, optional
///     Gives the time of every change, nanoseconds since 1970; None: the system's clock.
/// mounts : dict of path to Overlay, optional
///     File systems of their own in directories of this one, as a container sees its volumes: what is written there is
///     not written here. A path may lead through links; where it leads to no directory yet, nothing is mounted before
///     :meth:`make_mountpoints`. What is mounted in one of them itself is not shown, as by ``mount --bind``.
///
/// Raises
/// ------
/// ContentMissingError
///     For a synthetic layer.
///
/// Notes
/// -----
/// Methods are named and behave as in :mod:`os`, for root with umask 0 and, through :meth:`as_user`, for anybody; errors
/// are ``OSError`` with the errno of Linux overlayfs. No write reaches a layer: the first one to a lower file copies it up, by sharing its bytes.
///
/// References
/// ----------
/// Linux overlayfs, Documentation/filesystems/overlayfs.rst.
///
/// Examples
/// --------
/// >>> import layersim as ls
/// >>> base = ls.Layer.from_changes([ls.write("/etc/motd", b"hello")])
/// >>> fs = ls.Overlay([base])
/// >>> fs.write_bytes("/etc/motd", b"goodbye")
/// 7
/// >>> fs.size_rw, fs.changes()
/// (7, [Change('C', '/etc'), Change('C', '/etc/motd')])
/// >>> ls.View([base]).read_bytes("/etc/motd")
/// b'hello'
#[pyclass(frozen, name = "Overlay", module = "layersim")]
#[derive(Debug)]
pub struct PyOverlay(Eyes);

/// Through whose eyes an overlay is seen.
#[derive(Debug)]
enum Eyes {
    /// Root's.
    Root(Whole),
    /// Somebody's; the overlay itself is another value.
    User(Py<PyOverlay>, Credentials),
}

/// All that an overlay is.
#[derive(Debug)]
struct Whole {
    overlay: Mutex<Overlay>,
    clock: Option<Py<PyAny>>,
    mounts: Option<Box<Mounts>>,
}

impl Whole {
    fn lock(&self) -> MutexGuard<'_, Overlay> {
        self.overlay.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PyOverlay {
    /// An overlay with a clock; None: the system's. Nothing is mounted in it.
    pub fn over(overlay: Overlay, clock: Option<Py<PyAny>>) -> Self {
        Self(Eyes::Root(Whole { overlay: Mutex::new(overlay), clock, mounts: None }))
    }

    /// The overlay itself, whoever sees it.
    fn whole(&self) -> &Whole {
        let mut seen = &self.0;
        loop {
            match seen {
                Eyes::Root(whole) => return whole,
                Eyes::User(whole, _) => seen = &whole.get().0,
            }
        }
    }

    /// Whose rights its operations have.
    fn credentials(&self) -> &Credentials {
        match &self.0 {
            Eyes::Root(_) => &Credentials::ROOT,
            Eyes::User(_, credentials) => credentials,
        }
    }

    /// The same overlay with others mounted in it, by path.
    pub fn with_mounts(mut self, py: Python<'_>, mounts: Option<&Bound<'_, PyDict>>) -> Result<Self> {
        let (Some(mounts), Eyes::Root(whole)) = (mounts, &mut self.0) else {
            return Ok(self);
        };
        whole.mounts = Mounts::of(mounts)?;
        detached(py, || self.mount_all(None))?;
        Ok(self)
    }

    /// The overlay, once no other thread works on it. Only wait for it detached from the interpreter.
    pub fn lock(&self) -> MutexGuard<'_, Overlay> {
        self.whole().lock()
    }

    /// Who changes something, and when.
    pub fn caller(&self, py: Python<'_>) -> Result<Caller> {
        let nanos = match &self.whole().clock {
            Some(clock) => clock.call0(py)?.extract(py)?,
            None => SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos().cast_signed()),
        };
        Ok(Caller { credentials: self.credentials().clone(), ..Caller::at(Timestamp::from_nanos(nanos)) })
    }

    fn change<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&mut Overlay, &Caller) -> layersim::Result<T> + Send,
    ) -> Result<T> {
        let caller = self.caller(py)?;
        detached(py, || work(&mut self.lock(), &caller))
    }

    fn ask<T: Send>(&self, py: Python<'_>, work: impl FnOnce(&Overlay) -> layersim::Result<T> + Send) -> Result<T> {
        detached(py, || work(&self.lock()))
    }
}

#[pymethods]
impl PyOverlay {
    #[new]
    #[pyo3(signature = (layers, /, *, redirect_dir=false, read_only=false, clock=None, mounts=None))]
    fn new(
        py: Python<'_>,
        layers: &Bound<'_, PyAny>,
        redirect_dir: bool,
        read_only: bool,
        clock: Option<Py<PyAny>>,
        mounts: Option<&Bound<'_, PyDict>>,
    ) -> Result<Self> {
        let options = Options { is_read_only: read_only, redirects: redirect_dir };
        Self::over(Overlay::mounted(stack_of(py, layers)?, options), clock).with_mounts(py, mounts)
    }

    /// Whether there is no writable top.
    #[getter]
    fn read_only(&self, py: Python<'_>) -> bool {
        py.detach(|| self.lock().options().is_read_only)
    }

    /// Whether directories of the layers can be renamed.
    #[getter]
    fn redirect_dir(&self, py: Python<'_>) -> bool {
        py.detach(|| self.lock().options().redirects)
    }

    /// The read-only view below.
    #[getter]
    fn lower(&self, py: Python<'_>) -> PyView {
        PyView(py.detach(|| std::sync::Arc::clone(self.lock().lower())))
    }

    /// Bytes that the writable top holds: distinct files and link targets, hard links once.
    #[getter]
    fn size_rw(&self, py: Python<'_>) -> u64 {
        py.detach(|| self.lock().size_rw())
    }

    /// Bytes that the writable top takes in whole blocks: ext4, blocks of 4 KiB, directories and its root included.
    #[getter]
    fn allocated_rw(&self, py: Python<'_>) -> u64 {
        py.detach(|| layersim::allocation::of_upper(&self.lock()))
    }

    /// Open a file.
    ///
    /// Parameters
    /// ----------
    /// path : path
    ///     In the union.
    /// flags : int
    ///     ``os.O_RDONLY`` and so on.
    /// mode : int
    ///     Permission bits of a file that is created, taken as given.
    ///
    /// Returns
    /// -------
    /// File
    ///     Open; a context manager.
    ///
    /// Raises
    /// ------
    /// OSError
    ///     With the kernel's errno.
    #[pyo3(signature = (path, flags=0, mode=0o666))]
    #[expect(clippy::needless_pass_by_value, reason = "an extracted argument can only be owned")]
    fn open(slf: Bound<'_, Self>, path: PathArg<'_>, flags: i32, mode: u32) -> Result<PyFile> {
        let bytes = path.bytes.as_ref();
        let place = slf.get().at(bytes, Ends::of_open(flags));
        let opened = place.change_there(slf.py(), |overlay, path, caller| overlay.open(path, flags, mode, caller));
        let (here, handle) = opened?;
        Ok(PyFile::new(Self::owner(&slf, here)?, handle))
    }

    /// Tell what the writable top changed.
    ///
    /// Returns
    /// -------
    /// list of Change
    ///     As ``docker diff`` lists them, sorted: parents before children, what a directory lost after what it gained.
    ///
    /// Notes
    /// -----
    /// The cost follows what was written, not the size of the layers.
    fn changes(&self, py: Python<'_>) -> Vec<PyChange> {
        py.detach(|| change::changes(&self.lock())).into_iter().map(PyChange).collect()
    }

    /// Freeze what the writable top holds, as ``docker commit`` does.
    ///
    /// Parameters
    /// ----------
    /// dialect : str
    ///     How the tar is spelled: ``"docker29"`` (permission bits, no names), ``"docker20"`` (file type bits in the mode,
    ///     root's name), ``"canonical"`` (nothing that two equal trees could differ in). ``"containerd"`` is what an
    ///     engine with the containerd image store commits: only what differs, without opaque marks.
    ///
    /// Returns
    /// -------
    /// Layer
    ///     Stacked on the layers below, it shows what this overlay shows. A tar cannot say that a directory was renamed: it
    ///     holds all that is in such a directory.
    ///
    /// Raises
    /// ------
    /// ValueError
    ///     For another dialect.
    #[pyo3(signature = (*, dialect="docker29"))]
    fn to_layer(&self, py: Python<'_>, dialect: &str) -> Result<PyLayer> {
        let dialect = Dialect::named(dialect)?;
        self.ask(py, |overlay| change::to_layer(overlay, dialect)).map(PyLayer)
    }

    /// Freeze what the writable top holds, exactly.
    ///
    /// Returns
    /// -------
    /// Upper or None
    ///     None where nothing was ever written.
    ///
    /// Notes
    /// -----
    /// The cost is that of hashing what was written.
    fn upper(&self, py: Python<'_>) -> Result<Option<PyUpper>> {
        let overlay = py.detach(|| self.lock().clone());
        detached(py, || PyUpper::of(&overlay))
    }

    /// Copy the overlay; neither sees what the other writes from here on.
    ///
    /// Parameters
    /// ----------
    /// mounts : dict of path to Overlay, optional
    ///     What is mounted in the copy; by default what is mounted here.
    ///
    /// Returns
    /// -------
    /// Overlay
    ///     On the same layers, with the same clock, through the eyes of the same user.
    ///
    /// Notes
    /// -----
    /// Nothing is copied until one of them writes; files that are open stay with the original. Mounts are shared, as two
    /// containers share a volume: what the one writes there the other sees. Where they are mounted each decides alone.
    #[pyo3(signature = (*, mounts=None))]
    fn fork(&self, py: Python<'_>, mounts: Option<&Bound<'_, PyDict>>) -> Result<Self> {
        let whole = self.whole();
        let clock = whole.clock.as_ref().map(|clock| clock.clone_ref(py));
        let overlay = Mutex::new(py.detach(|| whole.lock().clone()));
        let here = || whole.mounts.as_ref().map(|here| Box::new(here.clone_ref(py)));
        let copy = Whole { overlay, clock, mounts: if mounts.is_none() { here() } else { None } };
        match &self.0 {
            Eyes::Root(_) if mounts.is_none() => Ok(Self(Eyes::Root(copy))),
            _ => Self(Eyes::Root(copy)).with_mounts(py, mounts)?.seen_as(py, self),
        }
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        py.detach(|| {
            let overlay = self.lock();
            let (depth, user) = (overlay.lower().depth(), self.told_user());
            if overlay.options().is_read_only {
                return format!("Overlay({depth} layers, read-only{user})");
            }
            format!("Overlay({depth} layers, {} bytes written{user})", overlay.size_rw())
        })
    }
}
