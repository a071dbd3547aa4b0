//! Removing names, and the marks that hide what is below them (spec/overlay.md section 3).

use super::resolve::{Last, Outcome, Seen, Target, about};
use super::{Caller, Overlay};
use crate::error::{Errno, Result};
use crate::tree::{Dir, Name, Node};

use super::upper::InodeId;

impl Overlay {
    /// Removes a name that is no directory.
    ///
    /// # Errors
    /// [`crate::Error::System`] as the kernel.
    pub fn unlink(&mut self, path: &[u8], caller: &Caller) -> Result<()> {
        about(path, || {
            let target = self.spot(path, &caller.credentials)?.target().map_err(|_| Errno::EISDIR)?;
            self.check_writable()?;
            let target = target?;
            match target.seen {
                Seen::Absent => return Err(Errno::ENOENT),
                Seen::Dir(_) if target.slash => return Err(Errno::EISDIR),
                _ if target.slash => return Err(Errno::ENOTDIR),
                _ => self.may_delete(&target, &caller.credentials)?,
            }
            let Target { parent, name, seen, .. } = target;
            if matches!(seen, Seen::Dir(_)) { Err(Errno::EISDIR) } else { self.erase(&parent, &name, caller) }
        })
    }

    /// Removes a directory that looks empty.
    ///
    /// # Errors
    /// [`crate::Error::System`] as the kernel.
    pub fn rmdir(&mut self, path: &[u8], caller: &Caller) -> Result<()> {
        self.rmdir_unless(false, path, caller)
    }

    /// The same, which `is_busy` refuses: something is mounted there.
    ///
    /// # Errors
    /// As [`Overlay::rmdir`], and `EBUSY`.
    pub fn rmdir_unless(&mut self, is_busy: bool, path: &[u8], caller: &Caller) -> Result<()> {
        about(path, || {
            let target = self.spot(path, &caller.credentials)?.target().map_err(|last| match last {
                Last::Dot => Errno::EINVAL,
                Last::DotDot => Errno::ENOTEMPTY,
                _ => Errno::EBUSY,
            })?;
            self.check_writable()?;
            let target = target?;
            if matches!(target.seen, Seen::Absent) {
                return Err(Errno::ENOENT);
            }
            self.may_delete(&target, &caller.credentials)?;
            match target.seen {
                Seen::Dir(_) if is_busy => Err(Errno::EBUSY),
                Seen::Dir(pair) if pair.looks_empty() => {
                    let Target { parent, name, .. } = target;
                    self.erase(&parent, &name, caller)
                }
                Seen::Dir(_) => Err(Errno::ENOTEMPTY),
                _ => Err(Errno::ENOTDIR),
            }
        })
    }

    /// Takes a name out of the union: out of the top, and hidden where the layers would show through.
    pub(super) fn erase(&mut self, parent: &[Name], name: &Name, caller: &Caller) -> Outcome<()> {
        let mut site = self.site(parent)?;
        let removed = site.dir.get(name).cloned();
        let is_marked = site.take(name, caller.now);
        let upper = self.upper_mut();
        if is_marked {
            upper.whiteout_mtime.get_or_insert(caller.now);
        }
        if let Some(node) = removed {
            self.release(&node);
        }
        Ok(())
    }

    /// Takes the names of a removed part of the top from its inodes.
    pub(super) fn release(&mut self, node: &Node<InodeId>) {
        match node {
            Node::Leaf { leaf, .. } => self.unlinked(*leaf),
            Node::Dir { dir, .. } => self.release_below(dir),
            Node::Whiteout { .. } => {}
        }
    }

    fn release_below(&mut self, dir: &Dir<InodeId>) {
        for entry in dir.entries().iter() {
            self.release(&entry.node);
        }
    }
}
