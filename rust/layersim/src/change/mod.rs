//! Changesets: what differs between two trees, as `docker diff` tells it (spec/accounting.md section 6).

mod differ;

use std::sync::Arc;

use differ::differing;

use crate::archive::Dialect;
use crate::error::Result;
use crate::layer::Layer;
use crate::metadata::{CAPABILITY, Metadata, Timestamp};
use crate::overlay::{InodeId, Overlay};
use crate::tree::{Dir, Inode, Kind, Leaf, Name, Node};

/// What happened to a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChangeKind {
    /// It is only in the newer tree.
    Add,
    /// It is in both, and differs, or something below it does.
    Modify,
    /// It is only in the older tree.
    Delete,
}

impl ChangeKind {
    /// The letter that `docker diff` prints.
    pub fn letter(self) -> char {
        match self {
            Self::Add => 'A',
            Self::Modify => 'C',
            Self::Delete => 'D',
        }
    }

    /// What a letter stands for.
    pub fn from_letter(letter: char) -> Option<Self> {
        [Self::Add, Self::Modify, Self::Delete].into_iter().find(|kind| kind.letter() == letter)
    }
}

/// One path that differs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Change {
    /// What happened.
    pub kind: ChangeKind,
    /// The path, from the root, with a leading `/`.
    pub path: Vec<u8>,
}

/// What an overlay's top changes. Only what the top holds is walked.
///
/// Sorted by name; parents before children, what a directory lost after what it gained.
pub fn changes(overlay: &Overlay) -> Vec<Change> {
    let overlay = overlay.plain();
    let Some(root) = overlay.upper_root() else {
        return Vec::new();
    };
    Comparison::new(&*overlay).of(Some(overlay.lower().root()), root)
}

/// What a commit makes of an overlay's top, in the way of an engine.
///
/// # Errors
/// As [`Overlay::to_layer`].
pub fn to_layer(overlay: &Overlay, dialect: Dialect) -> Result<Layer> {
    if dialect == Dialect::Containerd { differing(overlay) } else { overlay.to_layer(dialect) }
}

/// What differs between two merged trees, in the same order. Directories that both share are skipped.
///
/// Trees from tars have whole seconds, so files and links of the same size and time are read and compared, too.
pub fn diff(older: &Dir<Leaf>, newer: &Dir<Leaf>) -> Vec<Change> {
    Comparison::new(&Merged).of(Some(older), newer)
}

/// How the newer of two trees is read; the older one is always frozen.
trait Newer<L> {
    fn inode<'a>(&'a self, leaf: &'a L) -> Option<(&'a Metadata, &'a Kind)>;

    /// Whether a directory shows nothing of the older tree: then names that it does not have are deleted ones.
    fn is_whole(&self, dir: &Dir<L>) -> bool;

    /// Whether bytes are compared where everything else is equal.
    const READS: bool;

    /// Whether a directory is the older one itself.
    fn is_shared(&self, older: &Dir<Leaf>, newer: &Dir<L>) -> bool;
}

impl Newer<InodeId> for Overlay {
    const READS: bool = false;

    fn inode<'a>(&'a self, leaf: &'a InodeId) -> Option<(&'a Metadata, &'a Kind)> {
        self.live(*leaf).map(|live| (&live.metadata, &live.kind))
    }

    fn is_whole(&self, dir: &Dir<InodeId>) -> bool {
        dir.is_opaque
    }

    fn is_shared(&self, _older: &Dir<Leaf>, _newer: &Dir<InodeId>) -> bool {
        false
    }
}

/// A merged tree: nothing shines through it.
struct Merged;

impl Newer<Leaf> for Merged {
    const READS: bool = true;

    fn inode<'a>(&'a self, leaf: &'a Leaf) -> Option<(&'a Metadata, &'a Kind)> {
        Some((&leaf.metadata, &leaf.kind))
    }

    fn is_whole(&self, _dir: &Dir<Leaf>) -> bool {
        true
    }

    fn is_shared(&self, older: &Dir<Leaf>, newer: &Dir<Leaf>) -> bool {
        std::ptr::eq(older, newer)
    }
}

/// A comparison on its way.
struct Comparison<'n, N> {
    newer: &'n N,
    path: Vec<u8>,
    changes: Vec<Change>,
}

impl<'n, N> Comparison<'n, N> {
    fn new(newer: &'n N) -> Self {
        Self { newer, path: Vec::new(), changes: Vec::new() }
    }

    fn of<L>(mut self, older: Option<&Dir<Leaf>>, newer: &Dir<L>) -> Vec<Change>
    where
        N: Newer<L>,
    {
        self.below(older, newer);
        self.changes
    }

    /// Tells everything below a directory, `older` being what was there before.
    fn below<L>(&mut self, older: Option<&Dir<Leaf>>, newer: &Dir<L>)
    where
        N: Newer<L>,
    {
        let before = |name: &Name| older.and_then(|dir| dir.get(name)).filter(|node| node.is_visible());
        for entry in newer.entries().iter() {
            self.named(&entry.name, |comparison| match &entry.node {
                Node::Dir { dir, .. } => comparison.dir(before(&entry.name), dir),
                Node::Leaf { leaf, .. } => comparison.leaf(before(&entry.name), leaf),
                Node::Whiteout { .. } => {}
            });
        }
        let is_shown = |name: &Name| newer.get(name).is_some_and(Node::is_visible);
        let gone: Vec<&Name> = match older {
            Some(older) if self.newer.is_whole(newer) => visible_names(older).filter(|name| !is_shown(name)).collect(),
            _ => marked_names(newer).filter(|name| before(name).is_some()).collect(),
        };
        for name in gone {
            self.named(name, |comparison| comparison.tell(ChangeKind::Delete));
        }
    }

    fn dir<L>(&mut self, older: Option<&Node<Leaf>>, newer: &Arc<Dir<L>>)
    where
        N: Newer<L>,
    {
        let older_dir = older.and_then(Node::as_dir).map(|dir| &**dir);
        if older_dir.is_some_and(|older| self.newer.is_shared(older, newer)) {
            return;
        }
        let kind = verdict(older, &Look::of_dir(newer), false);
        self.tell(kind.unwrap_or(ChangeKind::Modify));
        let told = self.changes.len();
        self.below(older_dir, newer);
        if kind.is_none() && self.changes.len() == told {
            self.changes.pop();
        }
    }

    fn leaf<L>(&mut self, older: Option<&Node<Leaf>>, newer: &L)
    where
        N: Newer<L>,
    {
        let Some((metadata, kind)) = self.newer.inode(newer) else {
            return;
        };
        if let Some(kind) = verdict(older, &Look::of_leaf(metadata, kind), N::READS) {
            self.tell(kind);
        }
    }

    fn named(&mut self, name: &[u8], work: impl FnOnce(&mut Self)) {
        let len = self.path.len();
        self.path.push(b'/');
        self.path.extend_from_slice(name);
        work(self);
        self.path.truncate(len);
    }

    fn tell(&mut self, kind: ChangeKind) {
        self.changes.push(Change { kind, path: self.path.clone() });
    }
}

fn visible_names(dir: &Dir<Leaf>) -> impl Iterator<Item = &Name> {
    dir.entries().iter().filter(|entry| entry.node.is_visible()).map(|entry| &entry.name)
}

fn marked_names<L>(dir: &Dir<L>) -> impl Iterator<Item = &Name> {
    dir.entries().iter().filter(|entry| !entry.node.is_visible()).map(|entry| &entry.name)
}

/// What happened to a name, if anything did.
fn verdict(older: Option<&Node<Leaf>>, newer: &Look<'_>, reads: bool) -> Option<ChangeKind> {
    let Some(older) = look_of(older) else {
        return Some(ChangeKind::Add);
    };
    (newer.differs(&older) || reads && newer.says_other(&older)).then_some(ChangeKind::Modify)
}

fn look_of(node: Option<&Node<Leaf>>) -> Option<Look<'_>> {
    match node? {
        Node::Dir { dir, .. } => Some(Look::of_dir(dir)),
        Node::Leaf { leaf, .. } => {
            let Inode { metadata, kind, .. } = &**leaf;
            Some(Look::of_leaf(metadata, kind))
        }
        Node::Whiteout { .. } => None,
    }
}

/// What the comparison looks at.
struct Look<'t> {
    metadata: &'t Metadata,
    /// `None`: a directory, of which size and time do not count.
    kind: Option<&'t Kind>,
}

impl<'t> Look<'t> {
    fn of_dir<L>(dir: &'t Dir<L>) -> Self {
        Self { metadata: &dir.metadata, kind: None }
    }

    fn of_leaf(metadata: &'t Metadata, kind: &'t Kind) -> Self {
        Self { metadata, kind: Some(kind) }
    }

    /// Whether a file has other bytes, or a link another target.
    fn says_other(&self, older: &Self) -> bool {
        match (self.kind, older.kind) {
            (Some(Kind::Regular(newer)), Some(Kind::Regular(older))) => !newer.same_bytes(older),
            (Some(Kind::Symlink(newer)), Some(Kind::Symlink(older))) => newer != older,
            _ => false,
        }
    }

    fn differs(&self, older: &Self) -> bool {
        let is_timed = self.kind.is_some();
        self.differs_in_form(older) || (is_timed && !is_same_time(self.metadata.mtime(), older.metadata.mtime()))
    }

    /// Whether they differ in anything but time and bytes.
    fn differs_in_form(&self, older: &Self) -> bool {
        let owned = |look: &Self| (look.metadata.mode, look.metadata.uid, look.metadata.gid);
        let shaped = |look: &Self| look.kind.map(|kind| (kind.type_bits(), kind.device(), kind.size()));
        let capability = |look: &Self| look.metadata.xattrs.get(CAPABILITY).map(<[u8]>::to_vec);
        owned(self) != owned(older) || shaped(self) != shaped(older) || capability(self) != capability(older)
    }
}

/// Equal, or as equal as a file system that keeps whole seconds lets it be.
fn is_same_time(newer: Timestamp, older: Timestamp) -> bool {
    newer == older || (newer.seconds == older.seconds && (newer.nanos == 0 || older.nanos == 0))
}
