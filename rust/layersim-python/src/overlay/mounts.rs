//! Other overlays under a directory of this one, as a container sees its volumes.

use std::borrow::Cow;

use layersim::error::Errno;
use layersim::overlay::{Caller, Overlay};
use layersim::{Error, path};
use pyo3::prelude::*;

use super::PyOverlay;
use crate::convert::PathArg;
use crate::error::Result;

const MOUNTPOINT_MODE: u32 = 0o755;

/// A directory, and the overlay whose root it shows.
#[derive(Debug)]
pub struct Mount {
    at: Vec<u8>,
    fs: Py<PyOverlay>,
}

impl Mount {
    /// Mounts an overlay at a path, in which links are not followed.
    pub fn of_item(at: &Bound<'_, PyAny>, fs: &Bound<'_, PyAny>) -> PyResult<Self> {
        let at: PathArg<'_> = at.extract()?;
        Ok(Self { at: path::normalized(&at.bytes), fs: fs.cast::<PyOverlay>()?.clone().unbind() })
    }

    /// The same mount once more.
    pub fn clone_ref(&self, py: Python<'_>) -> Self {
        Self { at: self.at.clone(), fs: self.fs.clone_ref(py) }
    }
}

/// A path, and the file system that it leads to.
#[derive(Debug)]
pub struct Place<'a> {
    fs: &'a PyOverlay,
    mount: Option<&'a Mount>,
    path: Cow<'a, [u8]>,
    asked: &'a [u8],
}

impl PyOverlay {
    /// Where a path leads: to this overlay or, at a mount and below it, to another.
    pub fn at<'a>(&'a self, asked: &'a [u8]) -> Place<'a> {
        if !self.mounts.is_empty() {
            let whole = path::normalized(asked);
            let inner = |mount: &'a Mount| path::below(&mount.at, &whole).map(|rest| (mount, rest.to_vec()));
            if let Some((mount, mut rest)) = self.mounts.iter().filter_map(inner).min_by_key(|(_, rest)| rest.len()) {
                if asked.ends_with(b"/") && rest.len() > 1 {
                    rest.push(b'/');
                }
                return Place { fs: mount.fs.get(), mount: Some(mount), path: Cow::Owned(rest), asked };
            }
        }
        Place { fs: self, mount: None, path: Cow::Borrowed(asked), asked }
    }

    /// Refuses to move the directory of a mount, or something into its place.
    pub fn spare_mounts(&self, from: &[u8], to: &[u8]) -> Result<()> {
        if self.at(from).is_mount() || self.at(to).is_mount() {
            return Err(Error::system(Errno::EBUSY, from).of_both(from, to).into());
        }
        Ok(())
    }

    /// Changes something that has two paths, if both lead to one file system.
    pub fn change_both<T: Send>(
        &self,
        py: Python<'_>,
        (from, to): (&[u8], &[u8]),
        work: impl FnOnce(&mut Overlay, (&[u8], &[u8]), &Caller) -> layersim::Result<T> + Send,
    ) -> Result<T> {
        let (source, target) = (self.at(from), self.at(to));
        if !std::ptr::eq(source.fs, target.fs) {
            return Err(Error::system(Errno::EXDEV, from).of_both(from, to).into());
        }
        let paths = (source.path.as_ref(), target.path.as_ref());
        source.fs.change(py, |overlay, caller| work(overlay, paths, caller).map_err(|error| error.of_both(from, to)))
    }
}

#[pymethods]
impl PyOverlay {
    /// Make the directories that overlays are mounted at, where this one has none, as an engine does when it starts a
    /// container: 0755, and those above them too.
    ///
    /// Raises
    /// ------
    /// OSError
    ///     When something else has one of the names.
    fn make_mountpoints(&self, py: Python<'_>) -> Result<()> {
        self.change(py, |overlay, caller| {
            self.mounts.iter().try_for_each(|mount| overlay.make_directories(&mount.at, MOUNTPOINT_MODE, caller))
        })
    }
}

impl Place<'_> {
    /// Whether it is the very directory that another overlay is mounted at.
    fn is_mount(&self) -> bool {
        self.mount.is_some() && *self.path == *b"/"
    }

    /// The overlay that is mounted there, if one is.
    pub fn mounted(&self, py: Python<'_>) -> Option<Py<PyOverlay>> {
        self.mount.map(|mount| mount.fs.clone_ref(py))
    }

    /// Changes the file system that the path leads to.
    pub fn change<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&mut Overlay, &[u8], &Caller) -> layersim::Result<T> + Send,
    ) -> Result<T> {
        self.fs
            .change(py, |overlay, caller| work(overlay, &self.path, caller).map_err(|error| error.of_path(self.asked)))
    }

    /// Asks the file system that the path leads to.
    pub fn ask<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&Overlay, &[u8]) -> layersim::Result<T> + Send,
    ) -> Result<T> {
        self.fs.ask(py, |overlay| work(overlay, &self.path).map_err(|error| error.of_path(self.asked)))
    }
}
