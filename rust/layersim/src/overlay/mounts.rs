//! Overlays mounted in directories of others, with what the kernel says of names at and across their edges.

use std::ops::DerefMut;

use super::journey::{Ends, Journey, Stop};
use super::resolve::{Outcome, Seen, check_len};
use super::{Caller, Credentials, Overlay};
use crate::error::{Errno, Error, Result};
use crate::path;
use crate::stack::Walked;
use crate::tree::Name;

/// The mode of directories that are made to mount something at.
const MOUNTPOINT_MODE: u32 = 0o755;

/// Which overlay a path has come to: the root one, or one that is mounted, by its number.
pub type Mounted = Option<usize>;

/// Where overlays are mounted: which one has the directory, and its real path there.
///
/// A point goes along when its directory, or one above it, is renamed. The overlays themselves are the caller's: every method
/// is given a way to enter one, and never holds two at once.
#[derive(Debug, Clone, Default)]
pub struct Points(Vec<Option<(Mounted, Vec<Name>)>>);

impl Points {
    /// A number of overlays, none of them mounted yet.
    pub fn of(count: usize) -> Self {
        Self(vec![None; count])
    }

    /// Leads a journey to its end, and returns the overlay that it ends in: what is left of its path is for that one alone.
    ///
    /// # Errors
    /// `ELOOP` for too many links on the whole way.
    pub fn lead<O: DerefMut<Target = Overlay>>(
        &self,
        journey: &mut Journey,
        enter: impl Fn(Mounted) -> O,
    ) -> Outcome<O> {
        loop {
            let overlay = enter(journey.here);
            let next = match overlay.travel(journey, self)? {
                Stop::End => return Ok(overlay),
                Stop::Into(mount) => (Some(mount), Vec::new()),
                Stop::Up => journey.here.map_or((None, Vec::new()), |mount| self.above(mount)),
                Stop::Top => (None, Vec::new()),
            };
            journey.go_on(next);
        }
    }

    /// Works on what a path names, in the overlay that it leads to.
    ///
    /// # Errors
    /// What the work says, about the path.
    pub fn visit<O: DerefMut<Target = Overlay>, T>(
        &self,
        (path, ends): (&[u8], Ends),
        credentials: &Credentials,
        enter: impl Fn(Mounted) -> O,
        work: impl FnOnce(&mut Overlay, &[u8]) -> Result<T>,
    ) -> Result<(Mounted, T)> {
        let mut journey = Journey::of(path, ends, credentials)?;
        let mut overlay = self.lead(&mut journey, enter).map_err(|errno| Error::system(errno, path))?;
        let done = work(&mut overlay, &journey.rest()).map_err(|error| error.of_path(path))?;
        Ok((journey.here, done))
    }

    /// Mounts an overlay, unless it is mounted already. Its directory is made if somebody wants that; otherwise it stays out
    /// where there is none.
    ///
    /// # Errors
    /// `EBUSY` for the root, otherwise as [`Points::make_directories`].
    pub fn mount<O: DerefMut<Target = Overlay>>(
        &mut self,
        (mount, path): (usize, &[u8]),
        enter: impl Fn(Mounted) -> O,
        maker: Option<&Caller>,
    ) -> Result<()> {
        if self.0.get(mount).is_none_or(Option::is_some) {
            return Ok(());
        }
        let mut journey = Journey::of(path, Ends::Found(true), &Credentials::ROOT)?;
        if let Some(caller) = maker {
            self.make_way(&mut journey, (path, MOUNTPOINT_MODE), &enter, caller)?;
        }
        let refused = |errno| Error::system(errno, path);
        let overlay = self.lead(&mut journey, &enter).map_err(refused)?;
        let is_there = journey.fault.is_none() && overlay.is_dir(&journey.rest(), &Credentials::ROOT);
        drop(overlay);
        if is_there { self.place(mount, &journey).map_err(refused) } else { Ok(()) }
    }

    /// Makes a directory and those above it; what exists stays as it is, and links lead on, to nothing too.
    ///
    /// # Errors
    /// `ENOTDIR` where something else is in the way, otherwise as [`Overlay::mkdir`].
    pub fn make_directories<O: DerefMut<Target = Overlay>>(
        &self,
        (path, mode): (&[u8], u32),
        enter: impl Fn(Mounted) -> O,
        caller: &Caller,
    ) -> Result<()> {
        self.make_way(&mut Journey::of(path, Ends::Found(true), &caller.credentials)?, (path, mode), enter, caller)
    }

    fn make_way<O: DerefMut<Target = Overlay>>(
        &self,
        journey: &mut Journey,
        (path, mode): (&[u8], u32),
        enter: impl Fn(Mounted) -> O,
        caller: &Caller,
    ) -> Result<()> {
        loop {
            let mut overlay = self.lead(journey, &enter).map_err(|errno| Error::system(errno, path))?;
            match journey.fault.take() {
                None if overlay.is_dir(&journey.rest(), &caller.credentials) => return Ok(()),
                Some(Errno::ENOENT) => {
                    let done = overlay.mkdir(&journey.missing(), mode, caller);
                    done.map_err(|error| error.of_path(path))?;
                }
                fault => return Err(Error::system(fault.unwrap_or(Errno::ENOTDIR), path)),
            }
        }
    }

    /// Removes an empty directory that nothing is mounted at.
    ///
    /// # Errors
    /// `EBUSY`, otherwise as [`Overlay::rmdir`].
    pub fn rmdir<O: DerefMut<Target = Overlay>>(
        &self,
        path: &[u8],
        enter: impl Fn(Mounted) -> O,
        caller: &Caller,
    ) -> Result<()> {
        let mut journey = Journey::of(path, Ends::Name, &caller.credentials)?;
        let mut overlay = self.lead(&mut journey, enter).map_err(|errno| Error::system(errno, path))?;
        let is_busy = self.is_busy(&journey);
        overlay.rmdir_unless(is_busy, &journey.rest(), caller).map_err(|error| error.of_path(path))
    }

    /// Renames within one overlay. What is mounted below a directory goes along with it.
    ///
    /// # Errors
    /// `EXDEV` between two of them, `EBUSY` where one is mounted, otherwise as [`Overlay::rename`].
    pub fn rename<O: DerefMut<Target = Overlay>>(
        &mut self,
        (source, path): (&[u8], &[u8]),
        enter: impl Fn(Mounted) -> O,
        caller: &Caller,
    ) -> Result<()> {
        path::check_text(path)?;
        let refused = |errno| Error::system(errno, source).of_both(source, path);
        let credentials = &caller.credentials;
        let mut from = Journey::of(source, Ends::Name, credentials).map_err(|error| error.of_both(source, path))?;
        drop(self.lead(&mut from, &enter).map_err(refused)?);
        from.reached().and_then(|()| check_len(path)).map_err(refused)?;
        let mut to = Journey::of(path, Ends::Name, credentials)?;
        let mut overlay = self.lead(&mut to, &enter).map_err(refused)?;
        to.reached().map_err(refused)?;
        if from.here != to.here {
            return Err(refused(Errno::EXDEV));
        }
        let is_busy = self.is_busy(&from) || self.is_busy(&to);
        let done = overlay.rename_unless(is_busy, &from.rest(), &to.rest(), caller);
        done.map_err(|error| error.of_both(source, path))?;
        self.follow(&from, &to);
        Ok(())
    }

    /// Gives a file one more name in the overlay that it is in.
    ///
    /// # Errors
    /// `EXDEV` between two of them, otherwise as [`Overlay::link`].
    pub fn link<O: DerefMut<Target = Overlay>>(
        &self,
        (source, path, follow): (&[u8], &[u8], bool),
        enter: impl Fn(Mounted) -> O,
        caller: &Caller,
    ) -> Result<()> {
        path::check_text(path)?;
        let refused = |errno| Error::system(errno, source).of_both(source, path);
        let credentials = &caller.credentials;
        let mut from =
            Journey::of(source, Ends::Found(follow), credentials).map_err(|error| error.of_both(source, path))?;
        drop(self.lead(&mut from, &enter).map_err(refused)?);
        from.reached().and_then(|()| check_len(path)).map_err(refused)?;
        let mut to = Journey::of(path, Ends::Name, credentials)?;
        let mut overlay = self.lead(&mut to, &enter).map_err(refused)?;
        if from.here != to.here {
            return Err(refused(overlay.vacancy(&to.rest(), false, credentials).err().unwrap_or(Errno::EXDEV)));
        }
        // The source is walked to its end, so that there is no link left to follow.
        overlay.link(&from.rest(), &to.rest(), false, caller).map_err(|error| error.of_both(source, path))
    }

    /// All directories from `path` down, as [`Overlay::walk`] shows them, through what is mounted.
    ///
    /// # Errors
    /// As [`Overlay::listdir`].
    pub fn walk<O: DerefMut<Target = Overlay>>(
        &self,
        path: &[u8],
        credentials: &Credentials,
        enter: impl Fn(Mounted) -> O + Copy,
    ) -> Result<Vec<Walked>> {
        let mut walked = Vec::new();
        self.walk_below(path, credentials, enter, &mut walked)?;
        Ok(walked)
    }

    fn walk_below<O: DerefMut<Target = Overlay>>(
        &self,
        path: &[u8],
        credentials: &Credentials,
        enter: impl Fn(Mounted) -> O + Copy,
        walked: &mut Vec<Walked>,
    ) -> Result<()> {
        let asked = (path, Ends::Found(true));
        let (_, listed) =
            self.visit(asked, credentials, enter, |overlay, path| overlay.list_kinds(path, credentials))?;
        let leads_to_dir = |name: &Name| {
            let (place, ends) = (path::join(path, name), Ends::Found(true));
            let is_dir = |overlay: &mut Overlay, path: &[u8]| Ok(overlay.is_dir(path, credentials));
            matches!(self.visit((&place, ends), credentials, enter, is_dir), Ok((_, true)))
        };
        let (dirs, files): (Vec<_>, Vec<_>) =
            listed.into_iter().partition(|(name, is_dir)| is_dir.unwrap_or_else(|| leads_to_dir(name)));
        let names = |listed: &[(Name, Option<bool>)]| listed.iter().map(|(name, _)| Name::clone(name)).collect();
        walked.push(Walked { path: path.to_vec(), dirs: names(&dirs), files: names(&files) });
        for (name, _) in dirs.iter().filter(|(_, is_dir)| *is_dir == Some(true)) {
            // What went away meanwhile or must not be read is left out, as `os.walk` does.
            drop(self.walk_below(&path::join(path, name), credentials, enter, walked));
        }
        Ok(())
    }

    fn place(&mut self, mount: usize, journey: &Journey) -> Outcome<()> {
        let at = journey.named();
        if journey.here.is_none() && at.is_empty() {
            return Err(Errno::EBUSY);
        }
        if let Some(point) = self.0.get_mut(mount) {
            *point = Some((journey.here, at));
        }
        Ok(())
    }

    /// Whether something is mounted at the very name that a journey has ended at.
    fn is_busy(&self, journey: &Journey) -> bool {
        self.mounted(journey.here, &journey.named()).is_some()
    }

    /// The directory above what is mounted.
    fn above(&self, mount: usize) -> (Mounted, Vec<Name>) {
        match self.0.get(mount).and_then(Option::as_ref) {
            Some((Some(under), at)) if at.is_empty() => self.above(*under),
            Some((within, at)) => (*within, at.split_last().map_or_else(Vec::new, |(_, above)| above.to_vec())),
            None => (None, Vec::new()),
        }
    }

    fn follow(&mut self, from: &Journey, to: &Journey) {
        let (old, new) = (from.named(), to.named());
        for (within, at) in self.0.iter_mut().flatten() {
            if *within == from.here && at.starts_with(&old) {
                at.splice(..old.len(), new.iter().cloned());
            }
        }
    }

    /// What is mounted on a directory; of several the last one.
    pub(super) fn mounted(&self, here: Mounted, path: &[Name]) -> Option<usize> {
        let is_there = |point: &Option<(Mounted, Vec<Name>)>| {
            point.as_ref().is_some_and(|(within, at)| *within == here && at == path)
        };
        let mount = self.0.iter().rposition(is_there)?;
        self.mounted(Some(mount), &[]).or(Some(mount))
    }
}

impl Overlay {
    fn is_dir(&self, path: &[u8], credentials: &Credentials) -> bool {
        matches!(self.find(path, true, credentials), Ok(found) if matches!(found.seen, Seen::Dir(_)))
    }
}
