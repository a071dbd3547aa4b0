//! Users: whose rights a call has, and what the mode of a file gives them (the kernel's `generic_permission`).

use std::sync::Arc;

use super::resolve::Outcome;
use crate::error::Errno;
use crate::metadata::{GROUP_EXECUTE, Metadata, SET_GID, SET_UID, STICKY};

/// The right to read a file, or to list a directory.
pub(super) const READ: u32 = 0o4;
/// The right to change a file, or names in a directory.
pub(super) const WRITE: u32 = 0o2;
/// The right to look a name up in a directory.
pub(super) const SEARCH: u32 = 0o1;

/// Whose rights a call has. Root, the default, has all capabilities; nobody else has any.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Credentials {
    uid: u32,
    /// Nothing for the group 0 alone.
    groups: Option<Arc<[u32]>>,
}

impl Credentials {
    /// Root in root's group.
    pub const ROOT: Self = Self { uid: 0, groups: None };

    /// A user in groups, of which the first one is that of new files; without any it is the group 0.
    pub fn new(uid: u32, groups: &[u32]) -> Self {
        Self { uid, groups: (!groups.is_empty()).then(|| groups.into()) }
    }

    /// The user.
    pub fn uid(&self) -> u32 {
        self.uid
    }

    /// The groups; the first one is that of new files.
    pub fn groups(&self) -> &[u32] {
        self.groups.as_deref().unwrap_or(&[0])
    }

    /// Whether there is nothing to check.
    pub fn is_root(&self) -> bool {
        self.uid == 0
    }

    /// The group of new files.
    pub(super) fn gid(&self) -> u32 {
        self.groups()[0]
    }

    pub(super) fn is_member(&self, gid: u32) -> bool {
        self.groups().contains(&gid)
    }

    /// Refuses what the mode does not grant: to the owner, the group or the others, whichever comes first.
    pub(super) fn may(&self, metadata: &Metadata, rights: u32) -> Outcome<()> {
        let class = match metadata {
            _ if self.is_root() => return Ok(()),
            owned if owned.uid == self.uid => 6,
            shared if self.is_member(shared.gid) => 3,
            _ => 0,
        };
        if metadata.mode >> class & rights == rights { Ok(()) } else { Err(Errno::EACCES) }
    }

    /// Refuses what only the owner may do.
    pub(super) fn own(&self, metadata: &Metadata) -> Outcome<()> {
        if self.is_root() || metadata.uid == self.uid { Ok(()) } else { Err(Errno::EPERM) }
    }

    /// Refuses what takes a capability.
    pub(super) fn be_root(&self) -> Outcome<()> {
        if self.is_root() { Ok(()) } else { Err(Errno::EPERM) }
    }

    /// Refuses to take a name out of a sticky directory to all but the owners of the two.
    pub(super) fn unstick(&self, dir: &Metadata, victim: &Metadata) -> Outcome<()> {
        if dir.mode & STICKY == 0 || dir.uid == self.uid { Ok(()) } else { self.own(victim) }
    }

    /// Refuses a change of owners: a file can only be given to another group of its owner's.
    pub(super) fn give(&self, metadata: &Metadata, uid: Option<u32>, gid: Option<u32>) -> Outcome<()> {
        let keeps = uid.is_none_or(|uid| uid == metadata.uid);
        let shares = gid.is_none_or(|gid| gid == metadata.gid || self.is_member(gid));
        match (uid, gid) {
            _ if self.is_root() => Ok(()),
            (None, None) => Ok(()),
            _ if keeps && shares => self.own(metadata),
            _ => Err(Errno::EPERM),
        }
    }

    /// The mode that somebody may give to a file: set-gid is for members of its group.
    pub(super) fn granted(&self, mode: u32, gid: u32) -> u32 {
        if self.is_root() || self.is_member(gid) { mode } else { mode & !SET_GID }
    }

    /// The set-id bits that a change of owner clears. Set-gid without group execution is one only for those outside.
    pub(super) fn dropped(&self, metadata: &Metadata) -> u32 {
        let is_run = metadata.mode & GROUP_EXECUTE != 0;
        let kept = if is_run { 0 } else { self.granted(SET_GID, metadata.gid) };
        metadata.mode & (SET_UID | SET_GID) & !kept
    }

    /// Clears what a write by a user clears.
    pub(super) fn disarm(&self, metadata: &mut Metadata) {
        if !self.is_root() {
            metadata.mode &= !self.dropped(metadata);
        }
    }

    /// The mode of a new file in a directory: set-gid to run is for members of the group that it inherits.
    pub(super) fn born(&self, mode: u32, parent: &Metadata) -> u32 {
        let is_run = mode & (SET_GID | GROUP_EXECUTE) == SET_GID | GROUP_EXECUTE;
        if is_run && parent.mode & SET_GID != 0 { self.granted(mode, parent.gid) } else { mode }
    }
}
