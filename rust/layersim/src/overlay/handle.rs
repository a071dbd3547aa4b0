//! Open files: reading, writing and describing them, whatever happens to their names.

use std::sync::Arc;

use super::attributes::FILE_MAX;
use super::resolve::{Outcome, Seen};
use super::upper::InodeId;
use super::{Caller, Overlay};
use crate::content::Content;
use crate::error::{Errno, Error, Result};
use crate::metadata::CAPABILITY;
use crate::stack::Stat;
use crate::tree::{Dir, Kind, Leaf, Name};

/// The most bytes that one read gives, as on Linux (`MAX_RW_COUNT`).
const AT_ONCE: u64 = 0x7fff_f000;

/// What a handle may do with the bytes of its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Read,
    Write,
    ReadWrite,
    /// Access mode 3, which asks for both rights and gives none.
    Neither,
    /// It only marks a place (`O_PATH`).
    Place,
}

/// How a file was opened.
#[derive(Debug, Clone, Copy)]
pub(super) struct Access {
    pub way: Way,
    pub appends: bool,
}

impl Way {
    pub fn reads(self) -> bool {
        matches!(self, Self::Read | Self::ReadWrite)
    }

    pub fn writes(self) -> bool {
        matches!(self, Self::Write | Self::ReadWrite)
    }
}

/// What a handle is open on.
#[derive(Debug)]
pub(super) enum Opened {
    /// An inode of the top.
    Upper(InodeId),
    /// A leaf at its path in the layers: if that is copied up later, the handle sees the copy.
    Lower(Arc<[Name]>, Leaf),
    /// A directory: where it was, there and in the layers, what they have of it, and what it said of itself.
    Dir(Vec<Name>, Arc<[Name]>, Option<Arc<Dir<Leaf>>>, Stat),
}

/// An open file; it belongs to the overlay that opened it.
#[derive(Debug)]
pub struct Handle {
    pub(super) opened: Opened,
    pub(super) access: Access,
    pub(super) position: u64,
    /// That of its overlay when it was opened.
    pub(super) epoch: u64,
}

impl Handle {
    pub(super) fn new(opened: Opened, access: Access, epoch: u64) -> Self {
        Self { opened, access, position: 0, epoch }
    }

    fn writable(&self) -> Outcome<InodeId> {
        match self.opened {
            Opened::Upper(id) if self.access.way.writes() => Ok(id),
            _ => Err(Errno::EBADF),
        }
    }
}

impl Overlay {
    /// Reads at most `size` bytes from the handle's position on.
    ///
    /// # Errors
    /// `EBADF` for a handle that does not read, `EISDIR`, `ENOMEM`, `EINVAL` beyond signed 64 bits.
    pub fn read(&self, handle: &mut Handle, size: u64) -> Result<Vec<u8>> {
        let bytes = self.pread(handle, size, handle.position)?;
        handle.position += bytes.len() as u64;
        Ok(bytes)
    }

    /// Reads all that is left from the handle's position on.
    ///
    /// # Errors
    /// As [`Overlay::read`].
    pub fn read_rest(&self, handle: &mut Handle) -> Result<Vec<u8>> {
        let bytes = unnamed(|| self.readable_content(handle)?.read(handle.position..u64::MAX))?;
        handle.position += bytes.len() as u64;
        Ok(bytes)
    }

    /// Reads at most `size` bytes from `offset` on, and at most 2 GiB less a page.
    ///
    /// # Errors
    /// As [`Overlay::read`].
    pub fn pread(&self, handle: &Handle, size: u64, offset: u64) -> Result<Vec<u8>> {
        unnamed(|| {
            let content = self.readable_content(handle)?;
            content.read(offset..end_of(offset, size)?.min(offset.saturating_add(AT_ONCE)))
        })
    }

    /// Writes at the handle's position, or at the end if it appends.
    ///
    /// # Errors
    /// `EBADF` for a handle that does not write, `EFBIG`.
    pub fn write(&mut self, handle: &mut Handle, bytes: &[u8], caller: &Caller) -> Result<()> {
        handle.position = unnamed(|| self.write_from(handle, bytes, handle.position, caller))?;
        Ok(())
    }

    /// Writes at `offset`, or at the end if the handle appends (as Linux does).
    ///
    /// # Errors
    /// As [`Overlay::write`].
    pub fn pwrite(&mut self, handle: &Handle, bytes: &[u8], offset: u64, caller: &Caller) -> Result<()> {
        unnamed(|| self.write_from(handle, bytes, offset, caller)).map(drop)
    }

    /// Writes and returns where it ended.
    fn write_from(&mut self, handle: &Handle, bytes: &[u8], offset: u64, caller: &Caller) -> Outcome<u64> {
        self.admit(handle)?;
        let id = handle.writable()?;
        let live = self.upper_mut().live_mut(id)?;
        let Kind::Regular(content) = &mut live.kind else {
            return Err(Errno::EBADF);
        };
        if bytes.is_empty() {
            return Ok(offset);
        }
        end_of(offset, bytes.len() as u64)?;
        let offset = if handle.access.appends { content.len() } else { offset };
        let end = offset.checked_add(bytes.len() as u64).filter(|end| *end <= FILE_MAX).ok_or(Errno::EFBIG)?;
        content.write_at(offset, bytes);
        caller.credentials.disarm(&mut live.metadata);
        live.metadata.xattrs.remove(CAPABILITY);
        live.metadata.set_mtime(caller.now);
        Ok(end)
    }

    /// Cuts an open file, or extends it by a hole.
    ///
    /// # Errors
    /// `EINVAL` for a negative length or a handle that does not write, `EFBIG`.
    pub fn ftruncate(&mut self, handle: &Handle, length: i64, caller: &Caller) -> Result<()> {
        unnamed(|| {
            self.admit(handle)?;
            let length = u64::try_from(length).map_err(|_| Errno::EINVAL)?;
            if handle.access.way == Way::Place {
                return Err(Errno::EBADF);
            }
            self.cut(handle.writable().map_err(|_| Errno::EINVAL)?, length, caller)
        })
    }

    /// Describes an open file.
    ///
    /// # Errors
    /// `EBADF` when the overlay does not hold it, `ESTALE` when it went back to an earlier state.
    pub fn fstat(&self, handle: &Handle) -> Result<Stat> {
        unnamed(|| self.admit(handle).and_then(|()| self.stat_opened(&handle.opened)))
    }

    fn stat_opened(&self, opened: &Opened) -> Outcome<Stat> {
        match opened {
            Opened::Upper(id) => self.stat_seen(Seen::Upper(*id)),
            Opened::Lower(path, leaf) => match self.copied_to(path) {
                Some(id) => self.stat_seen(Seen::Upper(id)),
                None => Ok(self.lower.stat_leaf(leaf)),
            },
            Opened::Dir(path, lower, below, stat) => {
                let removed = Stat { nlink: if below.is_some() { stat.nlink } else { 0 }, ..*stat };
                Ok(self.moved_dir((path, lower), below.as_ref(), stat).unwrap_or(removed))
            }
        }
    }

    /// Closes an open file.
    pub fn close(&mut self, handle: Handle) {
        if self.admit(&handle).is_err() {
            return;
        }
        match handle.opened {
            Opened::Upper(id) => {
                if let Ok(live) = self.upper_mut().live_mut(id) {
                    live.open = live.open.saturating_sub(1);
                }
                self.forget_if_unused(id);
            }
            Opened::Lower(path, _) => {
                let copy = self.copied_to(&path);
                match self.readers.get_mut(&*path) {
                    Some(count) if *count > 1 => *count -= 1,
                    _ => drop(self.readers.remove(&*path)),
                }
                if let Some(id) = copy {
                    self.forget_if_unused(id);
                }
            }
            Opened::Dir(..) => {}
        }
    }

    /// What a directory that was opened says now, wherever it went; `None` when it is gone.
    fn moved_dir(
        &self,
        (path, lower): (&[Name], &[Name]),
        below: Option<&Arc<Dir<Leaf>>>,
        stat: &Stat,
    ) -> Option<Stat> {
        if let Ok(seen @ Seen::Dir(pair)) = self.seen_at(path) {
            let is_same = match (below, pair.lower) {
                (Some(below), Some(lower)) => Arc::ptr_eq(below, lower),
                _ => false,
            };
            let now = self.stat_seen(seen).ok()?;
            if is_same || now.ino == stat.ino {
                return Some(now);
            }
        }
        let redirected = below.and_then(|below| self.seen_below(lower, below));
        let stat_redirected = |pair| self.stat_seen(Seen::Dir(pair)).ok();
        redirected.and_then(stat_redirected).or_else(|| self.upper.as_ref()?.find_dir(stat.ino))
    }

    fn copied_to(&self, path: &[Name]) -> Option<InodeId> {
        self.upper.as_ref()?.copied.get(path).copied()
    }

    fn readable_content<'a>(&'a self, handle: &'a Handle) -> Outcome<&'a Content> {
        self.admit(handle)?;
        if handle.access.way.reads() { self.opened_content(handle) } else { Err(Errno::EBADF) }
    }

    pub(super) fn opened_content<'a>(&'a self, handle: &'a Handle) -> Outcome<&'a Content> {
        let upper = match &handle.opened {
            Opened::Dir(..) => return Err(Errno::EISDIR),
            Opened::Upper(id) => self.live(*id),
            Opened::Lower(path, leaf) => match self.copied_to(path) {
                None => return regular(&leaf.kind).ok_or(Errno::EBADF),
                Some(id) => self.live(id),
            },
        };
        upper.and_then(|live| regular(&live.kind)).ok_or(Errno::EBADF)
    }
}

pub(super) fn regular(kind: &Kind) -> Option<&Content> {
    match kind {
        Kind::Regular(content) => Some(content),
        _ => None,
    }
}

/// Where a read or a write ends; the kernel counts in signed 64 bits.
fn end_of(offset: u64, size: u64) -> Outcome<u64> {
    offset.checked_add(size).filter(|end| i64::try_from(*end).is_ok()).ok_or(Errno::EINVAL)
}

/// Runs an operation on an open file, whose errors name no path.
pub(super) fn unnamed<T>(work: impl FnOnce() -> Outcome<T>) -> Result<T> {
    work().map_err(Error::of_file)
}
