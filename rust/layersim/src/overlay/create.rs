//! Making names: directories, symbolic links, nodes (spec/overlay.md sections 3 and 5).

use std::sync::Arc;

use super::resolve::{Target, about};
use super::upper::Live;
use super::{Caller, Overlay};
use crate::content::Content;
use crate::error::{Errno, Error, Result};
use crate::metadata::{Metadata, SET_GID};
use crate::path::PATH_MAX;
use crate::tree::{Dir, Kind, Node};

/// The bits that `mkdir` takes: set-id bits are not among them.
const DIRECTORY_MODE: u32 = 0o1777;
const TYPE_BITS: u32 = 0o170_000;

impl Overlay {
    /// Makes a directory. In the place of a mark it is opaque.
    ///
    /// # Errors
    /// [`crate::Error::System`] as the kernel.
    pub fn mkdir(&mut self, path: &[u8], mode: u32, caller: &Caller) -> Result<()> {
        about(path, || {
            let Target { parent, name, pair, .. } = self.vacancy(path, true, &caller.credentials)?;
            caller.credentials.may_create(pair)?;
            // With redirects, what the layers may have one day is not to be shown in it.
            let is_apart = self.options.redirects && pair.is_merged();
            self.site(&parent)?;
            let upper = self.upper_mut();
            let (id, origin) = (upper.id(), Arc::clone(&upper.origin));
            let mut site = self.site(&parent)?;
            let mut metadata = made(mode & DIRECTORY_MODE, caller);
            inherit(&mut metadata, &site.dir.metadata);
            metadata.mode |= site.dir.metadata.mode & SET_GID;
            let mut dir = Dir::new(origin, id, metadata);
            dir.is_opaque = is_apart || matches!(site.dir.get(&name), Some(Node::Whiteout { .. }));
            site.put(&name, Node::dir(dir), caller.now);
            Ok(())
        })
    }

    /// Makes a symbolic link at `path` that says `target`.
    ///
    /// # Errors
    /// [`crate::Error::System`] as the kernel.
    pub fn symlink(&mut self, target: &[u8], path: &[u8], caller: &Caller) -> Result<()> {
        crate::path::check_text(target)?;
        about(path, || {
            if target.is_empty() {
                return Err(Errno::ENOENT);
            }
            if target.len() >= PATH_MAX {
                return Err(Errno::ENAMETOOLONG);
            }
            let Target { parent, name, pair, .. } = self.vacancy(path, false, &caller.credentials)?;
            caller.credentials.may_create(pair)?;
            let live = Live::new(made(0o777, caller), Kind::Symlink(target.into()));
            self.settle(&parent, &name, live, caller).map(drop)
        })
        .map_err(|error| error.of_both(target, path))
    }

    /// Makes a file, a fifo, a socket or a device node, as the type bits of `mode` say; `device` is packed as Linux does.
    ///
    /// # Errors
    /// [`crate::Error::System`] as the kernel; `EPERM` for the device that would be a mark.
    pub fn mknod(&mut self, path: &[u8], mode: u32, device: u64, caller: &Caller) -> Result<()> {
        let kind = node(mode, device).map_err(|errno| Error::system(errno, path))?;
        about(path, || {
            let Target { parent, name, pair, .. } = self.vacancy(path, false, &caller.credentials)?;
            caller.credentials.may_create(pair)?;
            if kind.is_whiteout_device() {
                return Err(Errno::EPERM);
            }
            if matches!(kind, Kind::CharDevice { .. } | Kind::BlockDevice { .. }) {
                caller.credentials.be_root()?;
            }
            self.settle(&parent, &name, Live::new(made(mode, caller), kind), caller).map(drop)
        })
    }
}

/// The metadata of what somebody makes now.
pub(super) fn made(mode: u32, caller: &Caller) -> Metadata {
    let mut metadata = Metadata::with_mode(mode);
    (metadata.uid, metadata.gid) = (caller.credentials.uid(), caller.credentials.gid());
    metadata.set_mtime(caller.now);
    metadata
}

/// A directory with the set-gid bit gives its group to what is made in it.
pub(super) fn inherit(metadata: &mut Metadata, parent: &Metadata) {
    if parent.mode & SET_GID != 0 {
        metadata.gid = parent.gid;
    }
}

fn node(mode: u32, device: u64) -> std::result::Result<Kind, Errno> {
    // A device number has 32 bits for the system call.
    let device = u64::from(u32::try_from(device).map_err(|_| Errno::EINVAL)?);
    let number = |high: u64, low: u64| u32::try_from(high | low).map_err(|_| Errno::EINVAL);
    let major = number(device >> 32 & !0xfff, device >> 8 & 0xfff)?;
    let minor = number(device >> 12 & 0xffff_ff00, device & 0xff)?;
    Ok(match mode & TYPE_BITS {
        0 | 0o100_000 => Kind::Regular(Content::default()),
        0o010_000 => Kind::Fifo,
        0o140_000 => Kind::Socket,
        0o020_000 => Kind::CharDevice { major, minor },
        0o060_000 => Kind::BlockDevice { major, minor },
        0o040_000 => return Err(Errno::EPERM),
        _ => return Err(Errno::EINVAL),
    })
}
