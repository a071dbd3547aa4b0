//! Copy-up: the first change of a lower file gives the top its own inode, which shares the bytes (spec/overlay.md section 2).

use std::sync::Arc;

use super::create::inherit;
use super::resolve::{Found, Outcome, Seen};
use super::upper::{InodeId, Live};
use super::{Caller, Credentials, Overlay};
use crate::content::Content;
use crate::error::Errno;
use crate::metadata::Metadata;
use crate::tree::{Kind, Leaf, Name, Node};

/// Attributes that belong to the file system and are not copied.
const PRIVATE_XATTRS: &[u8] = b"trusted.overlay.";

/// Whether the bytes of a file come along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bytes {
    /// They are shared with the layer.
    Shared,
    /// The file is about to be cut to nothing: none are copied.
    Dropped,
}

/// Something of the union that is in the top now.
#[derive(Debug)]
pub(super) enum Raised {
    /// A directory, at its real path.
    Dir(Vec<Name>),
    /// An inode.
    Leaf(InodeId),
}

impl Overlay {
    /// Makes sure that something is in the top.
    pub(super) fn raise(&mut self, path: &[u8], follow: bool, credentials: &Credentials) -> Outcome<Raised> {
        let Found { path, seen } = self.find(path, follow, credentials)?;
        self.check_writable()?;
        match seen {
            Seen::Absent => Err(Errno::ENOENT),
            Seen::Dir(_) => {
                self.site(&path)?;
                Ok(Raised::Dir(path))
            }
            Seen::Upper(id) => Ok(Raised::Leaf(id)),
            Seen::Lower(leaf) => {
                let leaf = Leaf::clone(leaf);
                self.copy_up(&path, &leaf, Bytes::Shared).map(Raised::Leaf)
            }
        }
    }

    /// Copies a lower leaf to the top, under its own real path.
    pub(super) fn copy_up(&mut self, path: &[Name], leaf: &Leaf, bytes: Bytes) -> Outcome<InodeId> {
        let (name, parent) = path.split_last().ok_or(Errno::EISDIR)?;
        self.site(parent)?;
        let kind = match &leaf.kind {
            Kind::Regular(_) if bytes == Bytes::Dropped => Kind::Regular(Content::default()),
            kind => kind.clone(),
        };
        let origin = self.lower_path(path);
        let (from, is_noted) = (Some(Arc::clone(&origin)), leaf.links == 1);
        let live = Live { origin: from, is_noted, ..Live::new(public(&leaf.metadata), kind) };
        let upper = self.upper_mut();
        let id = upper.admit(live);
        upper.copied.insert(origin, id);
        let site = self.site(parent)?;
        site.dir.entries_mut().insert(Name::clone(name), Node::leaf(id));
        site.dir.is_impure = true;
        Ok(id)
    }

    /// Changes the metadata of a directory or an inode of the top.
    pub(super) fn describe(&mut self, raised: &Raised, change: impl FnOnce(&mut Metadata)) -> Outcome<()> {
        match raised {
            Raised::Dir(path) => change(&mut self.site(path)?.dir.metadata),
            Raised::Leaf(id) => change(&mut self.upper_mut().live_mut(*id)?.metadata),
        }
        Ok(())
    }

    /// Notes that an inode which came from a layer is in a directory now.
    pub(super) fn receive(&mut self, parent: &[Name], id: InodeId) -> Outcome<()> {
        if self.live(id).is_some_and(|live| live.is_noted) {
            self.site(parent)?.dir.is_impure = true;
        }
        Ok(())
    }

    /// Puts a new inode under a name that is free.
    pub(super) fn settle(&mut self, parent: &[Name], name: &Name, mut live: Live, caller: &Caller) -> Outcome<InodeId> {
        let above = &self.site(parent)?.dir.metadata;
        inherit(&mut live.metadata, above);
        live.metadata.mode = caller.credentials.born(live.metadata.mode, above);
        let id = self.upper_mut().admit(live);
        self.site(parent)?.put(name, Node::leaf(id), caller.now);
        Ok(id)
    }
}

pub(super) fn public(metadata: &Metadata) -> Metadata {
    let mut copy = metadata.clone();
    let private = metadata.xattrs.iter().filter(|(name, _)| name.starts_with(PRIVATE_XATTRS));
    for (name, _) in private {
        copy.xattrs.remove(name);
    }
    copy
}
