//! What a user may do to what stands at a path: the checks of the kernel's `may_create`, `may_delete`, `may_linkat` and
//! `xattr_permission`, each of them nothing for root.

use super::credentials::{Credentials, READ, SEARCH, WRITE};
use super::resolve::{Outcome, Pair, Seen, Target};
use super::{Caller, Overlay};
use crate::error::Errno;
use crate::metadata::{GROUP_EXECUTE, SET_GID, SET_UID, STICKY};
use crate::tree::{Kind, Name};

/// Attributes that everyone may have on files and directories.
const USER: &[u8] = b"user.";
/// Attributes that only root sees.
pub(super) const TRUSTED: &[u8] = b"trusted.";
const SECURITY: &[u8] = b"security.";
const SYSTEM: &[u8] = b"system.";
const ACCESS_CONTROL: &[u8] = b"system.posix_acl_";

impl Credentials {
    /// Refuses new names in a directory.
    pub(super) fn may_create(&self, pair: Pair<'_>) -> Outcome<()> {
        self.may(pair.metadata()?, WRITE | SEARCH)
    }
}

impl Overlay {
    /// Refuses to take a name out of its directory.
    pub(super) fn may_delete(&self, target: &Target<'_>, credentials: &Credentials) -> Outcome<()> {
        if credentials.is_root() {
            return Ok(());
        }
        let dir = target.pair.metadata()?;
        credentials.may(dir, WRITE | SEARCH)?;
        credentials.unstick(dir, self.metadata(target.seen)?)
    }

    /// Refuses more names of a file that is not one's own, unless it is a safe one (`fs.protected_hardlinks`).
    pub(super) fn may_link(&self, seen: Seen<'_>, credentials: &Credentials) -> Outcome<()> {
        let metadata = self.metadata(seen)?;
        let is_regular = matches!(self.kind(seen), Some(Kind::Regular(_)));
        let runs = SET_GID | GROUP_EXECUTE;
        let is_armed = metadata.mode & SET_UID != 0 || metadata.mode & runs == runs;
        if is_regular && !is_armed && credentials.may(metadata, READ | WRITE).is_ok() {
            return Ok(());
        }
        credentials.own(metadata)
    }

    /// Refuses to open what others left in a sticky directory of all, where a file was to be made: root, too. Regular files
    /// and fifos are let through (`fs.protected_regular` and `fs.protected_fifos` are 0).
    pub(super) fn may_reuse(&self, target: &Target<'_>, caller: &Caller) -> Outcome<()> {
        if matches!(self.kind(target.seen), None | Some(Kind::Regular(_) | Kind::Fifo)) {
            return Ok(());
        }
        let (dir, left) = (target.pair.metadata()?, self.metadata(target.seen)?);
        let is_of_all = dir.mode & (STICKY | WRITE) == STICKY | WRITE;
        let is_trusted = left.uid == dir.uid || left.uid == caller.credentials.uid();
        if is_of_all && !is_trusted { Err(Errno::EACCES) } else { Ok(()) }
    }

    /// Refuses to open what stands at a real path.
    pub(super) fn may_open(&self, path: &[Name], rights: u32, keeps_atime: bool, caller: &Caller) -> Outcome<()> {
        if caller.credentials.is_root() {
            return Ok(());
        }
        let metadata = self.metadata(self.seen_at(path)?)?;
        caller.credentials.may(metadata, rights)?;
        if keeps_atime { caller.credentials.own(metadata) } else { Ok(()) }
    }

    /// Refuses new times to all but the owner; that they are now may be said by whoever may write.
    pub(super) fn may_stamp(
        &self,
        (path, follow): (&[u8], bool),
        is_now: bool,
        credentials: &Credentials,
    ) -> Outcome<()> {
        if credentials.is_root() {
            return Ok(());
        }
        let metadata = self.metadata(self.find(path, follow, credentials)?.seen)?;
        self.check_writable()?;
        match credentials.own(metadata) {
            Err(_) if is_now => credentials.may(metadata, WRITE),
            owned => owned,
        }
    }

    /// Refuses a change of owners. What clears set-id bits on the way is for the owner alone, too.
    pub(super) fn may_give(
        &self,
        (path, follow): (&[u8], bool),
        (uid, gid): (Option<u32>, Option<u32>),
        credentials: &Credentials,
    ) -> Outcome<()> {
        if credentials.is_root() {
            return Ok(());
        }
        let seen = self.find(path, follow, credentials)?.seen;
        let metadata = self.metadata(seen)?;
        self.check_writable()?;
        credentials.give(metadata, uid, gid)?;
        let is_dir = matches!(seen, Seen::Dir(_));
        if is_dir || credentials.dropped(metadata) == 0 { Ok(()) } else { credentials.own(metadata) }
    }

    /// Refuses to read the value of an attribute.
    pub(super) fn may_get(&self, seen: Seen<'_>, name: &[u8], credentials: &Credentials) -> Outcome<()> {
        if name.starts_with(SECURITY) || name.starts_with(SYSTEM) {
            return Ok(());
        }
        if name.starts_with(TRUSTED) {
            return credentials.be_root().map_err(|_| Errno::ENODATA);
        }
        self.takes_attributes(seen, name).map_err(|_| Errno::ENODATA)?;
        credentials.may(self.metadata(seen)?, READ)
    }

    /// Refuses to set or to remove an attribute.
    pub(super) fn may_set(&self, seen: Seen<'_>, name: &[u8], credentials: &Credentials) -> Outcome<()> {
        if name.starts_with(ACCESS_CONTROL) {
            return credentials.own(self.metadata(seen)?);
        }
        if name.starts_with(SYSTEM) {
            return Ok(());
        }
        if name.starts_with(SECURITY) || name.starts_with(TRUSTED) {
            return credentials.be_root();
        }
        self.takes_attributes(seen, name)?;
        let metadata = self.metadata(seen)?;
        if name.starts_with(USER) && matches!(seen, Seen::Dir(_)) && metadata.mode & STICKY != 0 {
            credentials.own(metadata)?;
        }
        credentials.may(metadata, WRITE)
    }

    /// Attributes of users are for files and directories alone.
    fn takes_attributes(&self, seen: Seen<'_>, name: &[u8]) -> Outcome<()> {
        let is_special = self.kind(seen).is_some_and(|kind| !matches!(kind, Kind::Regular(_)));
        if is_special && name.starts_with(USER) { Err(Errno::EPERM) } else { Ok(()) }
    }
}
