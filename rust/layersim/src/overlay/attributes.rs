//! Modes, owners, times, lengths and extended attributes.

use super::copy_up::{Bytes, Raised};
use super::resolve::{Found, Outcome, Seen, about};
use super::{Caller, Overlay};
use crate::error::{Errno, Error, Result};
use crate::metadata::{CAPABILITY, Metadata, PERMISSIONS, SET_GID, Timestamp, Xattrs};
use crate::tree::{Kind, Leaf};

/// The longest file that ext4 holds in blocks of 4 KiB, in bytes.
pub(super) const FILE_MAX: u64 = 0xffff_ffff << 12;
const SET_UID: u32 = 0o4000;
const GROUP_EXECUTE: u32 = 0o010;
const CREATE: i32 = 1;
const REPLACE: i32 = 2;
const USER: &[u8] = b"user.";
const NAMESPACES: [&[u8]; 4] = [USER, b"trusted.", b"security.", b"system."];
const XATTR_NAME_MAX: usize = 255;
const XATTR_VALUE_MAX: usize = 1 << 16;

impl Overlay {
    /// Cuts a file, or extends it by a hole.
    ///
    /// # Errors
    /// [`crate::Error::System`] as the kernel.
    pub fn truncate(&mut self, path: &[u8], length: i64, caller: &Caller) -> Result<()> {
        let length = u64::try_from(length).map_err(|_| Error::system(Errno::EINVAL, path))?;
        about(path, || {
            let Found { path: real, seen } = self.find(path, true)?;
            let id = match seen {
                Seen::Absent => return Err(Errno::ENOENT),
                Seen::Dir(_) => return Err(Errno::EISDIR),
                Seen::Upper(id) => id,
                Seen::Lower(leaf) if !matches!(leaf.kind, Kind::Regular(_)) => {
                    return Err(Errno::EINVAL);
                }
                Seen::Lower(_) if self.options.is_read_only => return Err(Errno::EROFS),
                Seen::Lower(leaf) => {
                    let leaf = Leaf::clone(leaf);
                    self.copy_up(&real, &leaf, if length == 0 { Bytes::Dropped } else { Bytes::Shared })?
                }
            };
            self.cut(id, length, caller)
        })
    }

    /// Cuts an inode of the top.
    pub(super) fn cut(&mut self, id: super::InodeId, length: u64, caller: &Caller) -> Outcome<()> {
        if length > FILE_MAX {
            return Err(Errno::EFBIG);
        }
        let live = self.upper_mut().live_mut(id)?;
        let Kind::Regular(content) = &mut live.kind else {
            return Err(Errno::EINVAL);
        };
        content.truncate(length);
        live.metadata.xattrs.remove(CAPABILITY);
        live.metadata.set_mtime(caller.now);
        Ok(())
    }

    /// Changes permission bits; those of a link cannot be changed.
    ///
    /// # Errors
    /// [`crate::Error::System`] as the kernel.
    pub fn chmod(&mut self, path: &[u8], mode: u32, follow: bool) -> Result<()> {
        about(path, || {
            if self.link_target(self.find(path, follow)?.seen).is_some() {
                return Err(Errno::EOPNOTSUPP);
            }
            let raised = self.raise(path, follow)?;
            self.describe(&raised, |metadata| metadata.mode = mode & PERMISSIONS)
        })
    }

    /// Changes owners; `None` keeps one. Set-id bits and capabilities of files go, as the kernel takes them.
    ///
    /// # Errors
    /// [`crate::Error::System`] as the kernel.
    pub fn chown(&mut self, path: &[u8], uid: Option<u32>, gid: Option<u32>, follow: bool) -> Result<()> {
        about(path, || {
            let raised = self.raise(path, follow)?;
            let is_dir = matches!(raised, Raised::Dir(_));
            self.describe(&raised, |metadata| {
                metadata.uid = uid.unwrap_or(metadata.uid);
                metadata.gid = gid.unwrap_or(metadata.gid);
                if !is_dir {
                    metadata.mode &= !dropped_bits(metadata.mode);
                    metadata.xattrs.remove(CAPABILITY);
                }
            })
        })
    }

    /// Changes the times of access and modification; `None`: both are now.
    ///
    /// # Errors
    /// [`crate::Error::System`] as the kernel.
    pub fn utime(
        &mut self,
        path: &[u8],
        times: Option<(Timestamp, Timestamp)>,
        follow: bool,
        caller: &Caller,
    ) -> Result<()> {
        about(path, || {
            let (atime, mtime) = times.unwrap_or((caller.now, caller.now));
            let (atime, mtime) = (atime.on_disk(), mtime.on_disk());
            let raised = self.raise(path, follow)?;
            match &raised {
                Raised::Leaf(id) => self.upper_mut().live_mut(*id)?.atime = atime,
                Raised::Dir(path) => {
                    let id = self.site(path)?.dir.id;
                    self.upper_mut().dir_atimes.insert(id, atime);
                }
            }
            self.describe(&raised, |metadata| metadata.set_mtime(mtime))
        })
    }

    /// Sets an extended attribute; `flags` may ask that it is new, or that it is there.
    ///
    /// # Errors
    /// [`crate::Error::System`] as the kernel.
    pub fn setxattr(&mut self, path: &[u8], name: &[u8], value: &[u8], flags: i32, follow: bool) -> Result<()> {
        crate::path::check_text(name)?;
        about(path, || {
            if flags & !(CREATE | REPLACE) != 0 {
                return Err(Errno::EINVAL);
            }
            check_name(name)?;
            if value.len() > XATTR_VALUE_MAX {
                return Err(Errno::E2BIG);
            }
            let there = self.xattrs(path, follow)?.get(name).is_some();
            self.check_writable()?;
            self.check_user_xattr(path, name, follow)?;
            check_namespace(name)?;
            // The kernel copies up before it asks the upper file system, which then may refuse.
            let raised = self.raise(path, follow)?;
            if there && flags & CREATE != 0 {
                return Err(Errno::EEXIST);
            }
            if !there && flags & REPLACE != 0 {
                return Err(Errno::ENODATA);
            }
            self.describe(&raised, |metadata| metadata.xattrs.set(name, value))
        })
    }

    /// The value of an extended attribute.
    ///
    /// # Errors
    /// `ENODATA` when there is none of that name; otherwise as the kernel.
    pub fn getxattr(&self, path: &[u8], name: &[u8], follow: bool) -> Result<Vec<u8>> {
        crate::path::check_text(name)?;
        about(path, || {
            check_name(name)?;
            let xattrs = self.xattrs(path, follow)?;
            self.check_user_xattr(path, name, follow).map_err(|_| Errno::ENODATA)?;
            check_namespace(name)?;
            xattrs.get(name).map(<[u8]>::to_vec).ok_or(Errno::ENODATA)
        })
    }

    /// The names of all extended attributes, sorted.
    ///
    /// # Errors
    /// [`crate::Error::System`] as the kernel.
    pub fn listxattr(&self, path: &[u8], follow: bool) -> Result<Vec<Vec<u8>>> {
        about(path, || Ok(self.xattrs(path, follow)?.iter().map(|(name, _)| name.to_vec()).collect()))
    }

    /// Removes an extended attribute.
    ///
    /// # Errors
    /// `ENODATA` when there is none of that name; otherwise as the kernel.
    pub fn removexattr(&mut self, path: &[u8], name: &[u8], follow: bool) -> Result<()> {
        crate::path::check_text(name)?;
        about(path, || {
            check_name(name)?;
            let there = self.xattrs(path, follow)?.get(name).is_some();
            self.check_writable()?;
            self.check_user_xattr(path, name, follow)?;
            check_namespace(name)?;
            if !there {
                return Err(Errno::ENODATA);
            }
            let raised = self.raise(path, follow)?;
            self.describe(&raised, |metadata| {
                metadata.xattrs.remove(name);
            })
        })
    }

    /// Attributes of users are for files and directories alone.
    fn check_user_xattr(&self, path: &[u8], name: &[u8], follow: bool) -> Outcome<()> {
        let is_special = |kind: &Kind| !matches!(kind, Kind::Regular(_));
        let refused = match self.find(path, follow)?.seen {
            Seen::Upper(id) => self.live(id).is_some_and(|live| is_special(&live.kind)),
            Seen::Lower(leaf) => is_special(&leaf.kind),
            _ => false,
        };
        if refused && name.starts_with(USER) { Err(Errno::EPERM) } else { Ok(()) }
    }

    fn xattrs(&self, path: &[u8], follow: bool) -> Outcome<&Xattrs> {
        Ok(&self.metadata(self.find(path, follow)?.seen)?.xattrs)
    }

    /// The metadata of what a path names.
    pub(super) fn metadata<'t>(&'t self, seen: Seen<'t>) -> Outcome<&'t Metadata> {
        match seen {
            Seen::Absent => Err(Errno::ENOENT),
            Seen::Upper(id) => self.live(id).map(|live| &live.metadata).ok_or(Errno::ENOENT),
            Seen::Lower(leaf) => Ok(&leaf.metadata),
            Seen::Dir(pair) => {
                let upper = pair.upper.map(|dir| &dir.metadata);
                upper.or_else(|| pair.lower.map(|dir| &dir.metadata)).ok_or(Errno::ENOENT)
            }
        }
    }
}

/// The set-id bits that a change of owner clears; set-gid without group execution is not one.
fn dropped_bits(mode: u32) -> u32 {
    SET_UID | if mode & GROUP_EXECUTE != 0 { SET_GID } else { 0 }
}

fn check_name(name: &[u8]) -> Outcome<()> {
    if name.is_empty() || name.len() > XATTR_NAME_MAX { Err(Errno::ERANGE) } else { Ok(()) }
}

/// A namespace alone is no name; one that no file system has is not supported.
fn check_namespace(name: &[u8]) -> Outcome<()> {
    match NAMESPACES.iter().find(|space| name.starts_with(space)) {
        Some(space) if name.len() == space.len() => Err(Errno::EINVAL),
        Some(_) => Ok(()),
        None => Err(Errno::EOPNOTSUPP),
    }
}
