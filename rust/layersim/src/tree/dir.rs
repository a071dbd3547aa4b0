//! A directory: its own metadata and its entries, immutable once it is shared.

use std::sync::Arc;

use super::entries::Entries;
use super::entry::{Name, Node};
use super::inode::Origin;
use super::redirect::Redirect;
use crate::metadata::Metadata;

/// The mode that parents get when a layer holds no entry for them (spec/layers.md section 4).
const IMPLICIT_MODE: u32 = 0o755;

/// The names that every directory has on disk.
const OWN_LINKS: usize = 2;
/// The most links that ext4 counts.
const LINKS_MAX: u32 = 65_000;

/// A directory of a layer, of a merged tree or of an upper tree.
#[derive(Debug, Clone)]
pub struct Dir<L> {
    /// The layer whose metadata it shows: the topmost that has it.
    pub origin: Arc<Origin>,
    /// Its number, unique within that layer.
    pub id: u32,
    /// How many directories the union merges here; 1 in a layer's own tree.
    pub members: u16,
    /// Whether it hides what is below.
    pub is_opaque: bool,
    /// Whether the layer has no entry for it, only for something in it.
    pub is_implicit: bool,
    /// Whether something of the layers was copied or moved into it, which overlayfs notes; only in an upper tree.
    pub is_impure: bool,
    /// Which directory of the layers is below it, where a path does not say it; only in an upper tree.
    pub redirect: Option<Arc<Redirect>>,
    /// Mode, owner, time, attributes.
    pub metadata: Metadata,
    entries: Entries<L>,
    visible: u64,
}

impl<L> Dir<L> {
    /// An empty directory.
    pub fn new(origin: Arc<Origin>, id: u32, metadata: Metadata) -> Self {
        let entries = Entries::default();
        let (is_opaque, is_implicit, is_impure) = (false, false, false);
        let redirect = None;
        Self { origin, id, members: 1, is_opaque, is_implicit, is_impure, redirect, metadata, entries, visible: 0 }
    }

    /// A directory that no entry describes: 0755, root's.
    pub fn implicit(origin: Arc<Origin>, id: u32) -> Self {
        Self { is_implicit: true, ..Self::new(origin, id, Metadata::with_mode(IMPLICIT_MODE)) }
    }

    /// What it holds, marks included.
    pub fn entries(&self) -> &Entries<L> {
        &self.entries
    }

    /// The node of a name, marks included.
    pub fn get(&self, name: &[u8]) -> Option<&Node<L>> {
        self.entries.get(name)
    }

    /// How many entries can be seen below it, at any depth.
    pub fn visible(&self) -> u64 {
        self.visible
    }

    /// `st_nlink` on ext4: its own name, its `.`, and the `..` of each directory in it; 1 beyond what ext4 counts.
    pub fn links_on_disk(&self) -> u32 {
        let dirs = self.entries.iter().filter(|entry| entry.node.as_dir().is_some()).count();
        u32::try_from(dirs + OWN_LINKS).ok().filter(|links| *links <= LINKS_MAX).unwrap_or(1)
    }

    /// Whether `readdir` shows nothing.
    pub fn looks_empty(&self) -> bool {
        self.visible == 0
    }
}

impl<L: Clone> Dir<L> {
    /// Puts a node under a name; returns what was there.
    pub fn put(&mut self, name: Name, node: Node<L>) -> Option<Node<L>> {
        self.visible += node.weight();
        let replaced = self.entries.insert(name, node);
        self.visible -= replaced.as_ref().map_or(0, Node::weight);
        replaced
    }

    /// Takes a name out; returns what was there.
    pub fn take(&mut self, name: &[u8]) -> Option<Node<L>> {
        let taken = self.entries.remove(name);
        self.visible -= taken.as_ref().map_or(0, Node::weight);
        taken
    }

    /// The node of a name, to be changed in place. Whoever changes how much is visible puts it back with [`Dir::put`].
    pub(super) fn get_mut(&mut self, name: &[u8]) -> Option<&mut Node<L>> {
        self.entries.get_mut(name)
    }

    /// Replaces the node of a name, whatever it weighs, by a mark that holds its place, and hands it out.
    pub fn lend(&mut self, name: &[u8]) -> Option<Node<L>> {
        let node = std::mem::replace(self.entries.get_mut(name)?, Node::whiteout());
        self.visible -= node.weight();
        Some(node)
    }

    /// The entries, to be changed freely by who does not use [`Dir::visible`]: the count is not kept up.
    pub fn entries_mut(&mut self) -> &mut Entries<L> {
        &mut self.entries
    }

    /// Gives back the room that building left over.
    pub fn shrink(&mut self) {
        self.entries.shrink();
    }
}
