//! Modes, owners, times, lengths and extended attributes.

use super::copy_up::{Bytes, Raised};
use super::credentials::WRITE;
use super::permission::TRUSTED;
use super::resolve::{Found, Outcome, Seen, about};
use super::{Caller, Credentials, Overlay};
use crate::error::{Errno, Error, Result};
use crate::metadata::{CAPABILITY, Metadata, PERMISSIONS, Timestamp, Xattrs};
use crate::tree::{Kind, Leaf};

/// The longest file that ext4 holds in blocks of 4 KiB, in bytes.
pub(super) const FILE_MAX: u64 = 0xffff_ffff << 12;
const CREATE: i32 = 1;
const REPLACE: i32 = 2;
const NAMESPACES: [&[u8]; 3] = [b"user.", TRUSTED, b"security."];
/// All that file systems have of `system.`.
const ACCESS_CONTROL: [&[u8]; 2] = [b"system.posix_acl_access", b"system.posix_acl_default"];
/// The one flag beside the revision of a capability.
const CAPABILITY_EFFECTIVE: u32 = 1;
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
            let Found { path: real, seen } = self.find(path, true, &caller.credentials)?;
            match self.kind(seen) {
                None if matches!(seen, Seen::Dir(_)) => return Err(Errno::EISDIR),
                Some(Kind::Regular(_)) => {
                    self.check_writable()?;
                    caller.credentials.may(self.metadata(seen)?, WRITE)?;
                }
                _ => return Err(Errno::EINVAL),
            }
            let id = match seen {
                Seen::Absent | Seen::Dir(_) => return Err(Errno::ENOENT),
                Seen::Upper(id) => id,
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
        caller.credentials.disarm(&mut live.metadata);
        live.metadata.xattrs.remove(CAPABILITY);
        live.metadata.set_mtime(caller.now);
        Ok(())
    }

    /// Changes permission bits; those of a link cannot be changed.
    ///
    /// # Errors
    /// [`crate::Error::System`] as the kernel.
    pub fn chmod(&mut self, path: &[u8], mode: u32, follow: bool, caller: &Caller) -> Result<()> {
        let credentials = &caller.credentials;
        about(path, || {
            let seen = self.find(path, follow, credentials)?.seen;
            if self.link_target(seen).is_some() {
                return Err(Errno::EOPNOTSUPP);
            }
            self.check_writable()?;
            credentials.own(self.metadata(seen)?)?;
            let raised = self.raise(path, follow, credentials)?;
            self.describe(&raised, |metadata| metadata.mode = credentials.granted(mode & PERMISSIONS, metadata.gid))
        })
    }

    /// Changes owners; `None` keeps one. Set-id bits and capabilities of files go, as the kernel takes them.
    ///
    /// # Errors
    /// [`crate::Error::System`] as the kernel.
    pub fn chown(
        &mut self,
        path: &[u8],
        (uid, gid): (Option<u32>, Option<u32>),
        follow: bool,
        caller: &Caller,
    ) -> Result<()> {
        let credentials = &caller.credentials;
        about(path, || {
            self.may_give((path, follow), (uid, gid), credentials)?;
            let raised = self.raise(path, follow, credentials)?;
            let is_dir = matches!(raised, Raised::Dir(_));
            self.describe(&raised, |metadata| {
                if !is_dir {
                    metadata.mode &= !credentials.dropped(metadata);
                    metadata.xattrs.remove(CAPABILITY);
                }
                metadata.uid = uid.unwrap_or(metadata.uid);
                metadata.gid = gid.unwrap_or(metadata.gid);
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
            self.may_stamp((path, follow), times.is_none(), &caller.credentials)?;
            let raised = self.raise(path, follow, &caller.credentials)?;
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
    pub fn setxattr(
        &mut self,
        path: &[u8],
        (name, value, flags): (&[u8], &[u8], i32),
        follow: bool,
        caller: &Caller,
    ) -> Result<()> {
        crate::path::check_text(name)?;
        check_attribute(name, value, flags).map_err(|errno| Error::system(errno, path))?;
        about(path, || {
            let seen = self.find(path, follow, &caller.credentials)?.seen;
            let there = self.metadata(seen)?.xattrs.get(name).is_some();
            self.check_writable()?;
            if name == CAPABILITY && !value.is_empty() && !is_capability(value) {
                return Err(Errno::EINVAL);
            }
            self.may_set(seen, name, &caller.credentials)?;
            // The kernel copies up before it asks the upper file system, which then may refuse.
            let raised = self.raise(path, follow, &caller.credentials)?;
            check_namespace(name)?;
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
    pub fn getxattr(&self, path: &[u8], name: &[u8], follow: bool, credentials: &Credentials) -> Result<Vec<u8>> {
        crate::path::check_text(name)?;
        check_name(name).map_err(|errno| Error::system(errno, path))?;
        about(path, || {
            let seen = self.find(path, follow, credentials)?.seen;
            self.may_get(seen, name, credentials)?;
            check_namespace(name)?;
            self.metadata(seen)?.xattrs.get(name).map(<[u8]>::to_vec).ok_or(Errno::ENODATA)
        })
    }

    /// The names of all extended attributes that may be seen, sorted.
    ///
    /// # Errors
    /// [`crate::Error::System`] as the kernel.
    pub fn listxattr(&self, path: &[u8], follow: bool, credentials: &Credentials) -> Result<Vec<Vec<u8>>> {
        about(path, || {
            let xattrs: &Xattrs = &self.metadata(self.find(path, follow, credentials)?.seen)?.xattrs;
            let is_seen = |name: &[u8]| credentials.is_root() || !name.starts_with(TRUSTED);
            Ok(xattrs.iter().map(|(name, _)| name).filter(|name| is_seen(name)).map(<[u8]>::to_vec).collect())
        })
    }

    /// Removes an extended attribute.
    ///
    /// # Errors
    /// `ENODATA` when there is none of that name; otherwise as the kernel.
    pub fn removexattr(&mut self, path: &[u8], name: &[u8], follow: bool, caller: &Caller) -> Result<()> {
        crate::path::check_text(name)?;
        check_name(name).map_err(|errno| Error::system(errno, path))?;
        about(path, || {
            let seen = self.find(path, follow, &caller.credentials)?.seen;
            let there = self.metadata(seen)?.xattrs.get(name).is_some();
            self.check_writable()?;
            self.may_set(seen, name, &caller.credentials)?;
            check_namespace(name)?;
            if !there {
                return Err(Errno::ENODATA);
            }
            let raised = self.raise(path, follow, &caller.credentials)?;
            self.describe(&raised, |metadata| {
                metadata.xattrs.remove(name);
            })
        })
    }

    /// The metadata of what a path names.
    pub(super) fn metadata<'t>(&'t self, seen: Seen<'t>) -> Outcome<&'t Metadata> {
        match seen {
            Seen::Absent => Err(Errno::ENOENT),
            Seen::Upper(id) => self.live(id).map(|live| &live.metadata).ok_or(Errno::ENOENT),
            Seen::Lower(leaf) => Ok(&leaf.metadata),
            Seen::Dir(pair) => pair.metadata(),
        }
    }
}

/// Whether the kernel takes the bytes for capabilities: revision 2, or 3 with the user whose root they are for.
fn is_capability(value: &[u8]) -> bool {
    let revision = value.first_chunk().map(|magic| u32::from_le_bytes(*magic) & !CAPABILITY_EFFECTIVE);
    matches!((revision, value.len()), (Some(0x0200_0000), 20) | (Some(0x0300_0000), 24))
}

/// What `setxattr` looks at before it looks at the path.
fn check_attribute(name: &[u8], value: &[u8], flags: i32) -> Outcome<()> {
    if flags & !(CREATE | REPLACE) != 0 {
        return Err(Errno::EINVAL);
    }
    check_name(name)?;
    if value.len() > XATTR_VALUE_MAX { Err(Errno::E2BIG) } else { Ok(()) }
}

fn check_name(name: &[u8]) -> Outcome<()> {
    if name.is_empty() || name.len() > XATTR_NAME_MAX { Err(Errno::ERANGE) } else { Ok(()) }
}

/// A namespace alone is no name; one that no file system has is not supported.
fn check_namespace(name: &[u8]) -> Outcome<()> {
    match NAMESPACES.iter().find(|space| name.starts_with(space)) {
        Some(space) if name.len() == space.len() => Err(Errno::EINVAL),
        Some(_) => Ok(()),
        None if ACCESS_CONTROL.contains(&name) => Ok(()),
        None => Err(Errno::EOPNOTSUPP),
    }
}
