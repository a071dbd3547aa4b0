//! One name of a directory and what it stands for.

use std::sync::Arc;

use super::dir::Dir;

/// A name within a directory: bytes without `/`, shared by all trees that hold the entry.
pub type Name = Arc<[u8]>;

/// A name and its node.
#[derive(Debug, Clone)]
pub struct Entry<L> {
    /// The name.
    pub name: Name,
    /// What it stands for.
    pub node: Node<L>,
}

/// What a name stands for.
///
/// `stop` is the union member, counted from the lowest of the directory's members, where the kernel's lookup of this name
/// stops (spec/overlay.md section 1); in the tree of one layer it is 0.
#[derive(Debug, Clone)]
pub enum Node<L> {
    /// A directory.
    Dir {
        /// Where the lookup stops.
        stop: u16,
        /// The directory, shared.
        dir: Arc<Dir<L>>,
    },
    /// Anything that is no directory.
    Leaf {
        /// Where the lookup stops.
        stop: u16,
        /// The inode.
        leaf: L,
    },
    /// A mark: the name is hidden.
    Whiteout {
        /// Where the lookup stops.
        stop: u16,
    },
}

impl<L> Node<L> {
    /// A directory in the lowest member.
    pub fn dir(dir: Dir<L>) -> Self {
        Self::Dir { stop: 0, dir: Arc::new(dir) }
    }

    /// A leaf in the lowest member.
    pub fn leaf(leaf: L) -> Self {
        Self::Leaf { stop: 0, leaf }
    }

    /// A mark in the lowest member.
    pub fn whiteout() -> Self {
        Self::Whiteout { stop: 0 }
    }

    /// Whether the name can be seen.
    pub fn is_visible(&self) -> bool {
        !matches!(self, Self::Whiteout { .. })
    }

    /// The directory, if it is one.
    pub fn as_dir(&self) -> Option<&Arc<Dir<L>>> {
        match self {
            Self::Dir { dir, .. } => Some(dir),
            _ => None,
        }
    }

    /// The leaf, if it is one.
    pub fn as_leaf(&self) -> Option<&L> {
        match self {
            Self::Leaf { leaf, .. } => Some(leaf),
            _ => None,
        }
    }

    /// Where the kernel's lookup stops.
    pub fn stop(&self) -> u16 {
        match self {
            Self::Dir { stop, .. } | Self::Leaf { stop, .. } | Self::Whiteout { stop } => *stop,
        }
    }

    /// How many visible entries it brings into its directory, its own descendants included.
    pub(super) fn weight(&self) -> u64 {
        match self {
            Self::Dir { dir, .. } => 1 + dir.visible(),
            Self::Leaf { .. } => 1,
            Self::Whiteout { .. } => 0,
        }
    }
}
