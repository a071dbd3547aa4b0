//! Other overlays in directories of this one, as a container sees its volumes.

use std::sync::{Mutex, MutexGuard, PoisonError};

use layersim::overlay::{Caller, Credentials, Ends, Mounted, Overlay, Points};
use layersim::path;
use layersim::stack::Walked;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::PyOverlay;
use crate::convert::PathArg;
use crate::error::{Result, detached};

/// The overlays that are to be mounted in one, those nearest to its root first, and where they are.
#[derive(Debug)]
pub struct Mounts {
    all: Vec<(Vec<u8>, Py<PyOverlay>)>,
    points: Mutex<Points>,
}

impl Mounts {
    /// None of them is mounted yet; nothing for no overlays.
    pub fn of(mounts: &Bound<'_, PyDict>) -> PyResult<Option<Box<Self>>> {
        let item = |(at, fs): (Bound<'_, PyAny>, Bound<'_, PyAny>)| -> PyResult<_> {
            Ok((at.extract::<PathArg<'_>>()?.bytes.into_owned(), fs.cast::<PyOverlay>()?.clone().unbind()))
        };
        let mut all = mounts.iter().map(item).collect::<PyResult<Vec<_>>>()?;
        all.sort_by_key(|(at, _)| path::components(at).count());
        let points = Mutex::new(Points::of(all.len()));
        Ok((!all.is_empty()).then(|| Box::new(Self { all, points })))
    }

    /// The same overlays, mounted where they are now.
    pub fn clone_ref(&self, py: Python<'_>) -> Self {
        let all = self.all.iter().map(|(at, fs)| (at.clone(), fs.clone_ref(py))).collect();
        let points = Mutex::new(py.detach(|| self.points().clone()));
        Self { all, points }
    }

    /// Where they are. Only wait for it detached from the interpreter.
    fn points(&self) -> MutexGuard<'_, Points> {
        self.points.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A path, and what is done with its last component.
#[derive(Debug)]
pub struct Place<'a> {
    fs: &'a PyOverlay,
    asked: &'a [u8],
    ends: Ends,
}

impl PyOverlay {
    /// Where a path leads: to this overlay or, through a mount, to another.
    pub fn at<'a>(&'a self, asked: &'a [u8], ends: Ends) -> Place<'a> {
        Place { fs: self, asked, ends }
    }

    /// The overlay of a number, once no other thread works on it.
    fn enter<'a>(&'a self, mounts: &'a Mounts, here: Mounted) -> MutexGuard<'a, Overlay> {
        here.and_then(|mount| mounts.all.get(mount)).map_or(self, |(_, fs)| fs.get()).lock()
    }

    /// The overlay of a number, for a file that is open in it: the same user goes on there.
    pub fn owner(slf: &Bound<'_, Self>, here: Mounted) -> Result<Py<Self>> {
        let mounts = slf.get().whole().mounts.as_ref();
        let mounted = mounts.zip(here).and_then(|(mounts, mount)| mounts.all.get(mount));
        mounted.map_or_else(|| Ok(slf.clone().unbind()), |(_, fs)| slf.get().shown(fs.bind(slf.py())))
    }

    /// Mounts what has a directory to be mounted at; a caller makes those that are missing.
    pub fn mount_all(&self, maker: Option<&Caller>) -> layersim::Result<()> {
        let Some(mounts) = self.whole().mounts.as_deref() else {
            return Ok(());
        };
        let mut points = mounts.points();
        let mut all = mounts.all.iter().enumerate();
        all.try_for_each(|(mount, (at, _))| points.mount((mount, at), |here| self.enter(mounts, here), maker))
    }

    /// Mounts again what has a directory after all of them may have changed.
    pub fn mount_anew(&self) -> layersim::Result<()> {
        if let Some(mounts) = self.whole().mounts.as_deref() {
            *mounts.points() = Points::of(mounts.all.len());
        }
        self.mount_all(None)
    }

    /// Makes directories through what is mounted.
    fn make_way(&self, py: Python<'_>, path: &[u8], mode: u32) -> Result<()> {
        let caller = self.caller(py)?;
        detached(py, || match self.whole().mounts.as_deref() {
            None => Points::default().make_directories((path, mode), |_| self.lock(), &caller),
            Some(mounts) => mounts.points().make_directories((path, mode), |here| self.enter(mounts, here), &caller),
        })
    }

    /// Removes a directory, unless something is mounted there.
    pub fn remove_directory(&self, py: Python<'_>, path: &[u8]) -> Result<()> {
        let Some(mounts) = self.whole().mounts.as_deref() else {
            return self.change(py, |overlay, caller| overlay.rmdir(path, caller));
        };
        let caller = self.caller(py)?;
        detached(py, || mounts.points().rmdir(path, |here| self.enter(mounts, here), &caller))
    }

    /// Renames within one overlay.
    pub fn move_name(&self, py: Python<'_>, (from, to): (&[u8], &[u8])) -> Result<()> {
        let Some(mounts) = self.whole().mounts.as_deref() else {
            return self.change(py, |overlay, caller| overlay.rename(from, to, caller));
        };
        let caller = self.caller(py)?;
        detached(py, || mounts.points().rename((from, to), |here| self.enter(mounts, here), &caller))
    }

    /// Links within one overlay.
    pub fn add_name(&self, py: Python<'_>, (from, to): (&[u8], &[u8]), follow: bool) -> Result<()> {
        let Some(mounts) = self.whole().mounts.as_deref() else {
            return self.change(py, |overlay, caller| overlay.link(from, to, follow, caller));
        };
        let caller = self.caller(py)?;
        detached(py, || mounts.points().link((from, to, follow), |here| self.enter(mounts, here), &caller))
    }

    /// Walks through what is mounted.
    pub fn walk_all(&self, py: Python<'_>, path: &[u8]) -> Result<Vec<Walked>> {
        let Some(mounts) = self.whole().mounts.as_deref() else {
            return self.ask(py, |overlay| overlay.walk(path, self.credentials()));
        };
        detached(py, || mounts.points().walk(path, self.credentials(), |here| self.enter(mounts, here)))
    }
}

#[pymethods]
impl PyOverlay {
    /// Make a directory and those above it, as an engine does: what exists stays, and links lead on, to nothing too.
    ///
    /// Parameters
    /// ----------
    /// path : path
    ///     In the union.
    /// mode : int
    ///     Permission bits of each that is made, taken as given.
    ///
    /// Raises
    /// ------
    /// OSError
    ///     With the kernel's errno: ``ENOTDIR`` when something else has one of the names.
    #[pyo3(signature = (path, mode=0o755))]
    #[expect(clippy::needless_pass_by_value, reason = "an extracted argument can only be owned")]
    fn make_directories(&self, py: Python<'_>, path: PathArg<'_>, mode: u32) -> Result<()> {
        self.make_way(py, path.bytes.as_ref(), mode)
    }

    /// Mount what found no directory so far, as an engine does when it starts a container: missing directories are made,
    /// 0755, and those above them too, where links lead to if there are any.
    ///
    /// Raises
    /// ------
    /// OSError
    ///     When something else has one of the names; what could be mounted is.
    fn make_mountpoints(&self, py: Python<'_>) -> Result<()> {
        let caller = Caller { credentials: Credentials::ROOT, ..self.caller(py)? };
        detached(py, || self.mount_all(Some(&caller)))
    }
}

impl Place<'_> {
    /// Changes the overlay that the path leads to.
    pub fn change<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&mut Overlay, &[u8], &Caller) -> layersim::Result<T> + Send,
    ) -> Result<T> {
        self.change_there(py, work).map(|(_, done)| done)
    }

    /// The same, and which overlay it was.
    pub fn change_there<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&mut Overlay, &[u8], &Caller) -> layersim::Result<T> + Send,
    ) -> Result<(Mounted, T)> {
        let caller = self.fs.caller(py)?;
        self.visit(py, |overlay, path| work(overlay, path, &caller))
    }

    /// Asks the overlay that the path leads to.
    pub fn ask<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&Overlay, &[u8], &Credentials) -> layersim::Result<T> + Send,
    ) -> Result<T> {
        let credentials = self.fs.credentials();
        self.visit(py, |overlay, path| work(overlay, path, credentials)).map(|(_, found)| found)
    }

    fn visit<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&mut Overlay, &[u8]) -> layersim::Result<T> + Send,
    ) -> Result<(Mounted, T)> {
        let Self { fs, asked, ends } = *self;
        detached(py, || match fs.whole().mounts.as_deref() {
            None => Ok((None, work(&mut fs.lock(), asked)?)),
            Some(mounts) => mounts.points().visit((asked, ends), fs.credentials(), |here| fs.enter(mounts, here), work),
        })
    }
}
