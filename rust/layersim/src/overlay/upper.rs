//! What the writable top holds: its tree, its inodes, and where lower files were copied to.

use std::collections::HashSet;
use std::sync::Arc;

use imbl::OrdMap;

use super::Overlay;
use crate::error::Errno;
use crate::metadata::{Metadata, Timestamp};
use crate::path::DEPTH_MAX;
use crate::tree::{Dir, Kind, Leaf, Name, Node, Origin};

/// The number of an inode of the top.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InodeId(pub u32);

/// An inode of the top.
#[derive(Debug, Clone)]
pub struct Live {
    /// Mode, owner, modification time, attributes.
    pub metadata: Metadata,
    /// Last access.
    pub atime: Timestamp,
    /// What it is, with its bytes.
    pub kind: Kind,
    /// Its names.
    pub links: u32,
    /// Open files that need it even without a name.
    pub open: u32,
    /// Where it was copied up from: a file that was opened there before reads this one.
    pub origin: Option<Arc<[Name]>>,
    /// Whether overlayfs notes which file it was copied from: one that had a single name.
    pub is_noted: bool,
}

impl Live {
    /// A new inode with one name.
    pub fn new(metadata: Metadata, kind: Kind) -> Self {
        Self { atime: metadata.mtime(), metadata, kind, links: 1, open: 0, origin: None, is_noted: false }
    }
}

/// All that was written. A clone shares everything.
#[derive(Debug, Clone)]
pub struct Upper {
    /// Own entries, marks, copied-up directories.
    pub root: Arc<Dir<InodeId>>,
    /// The inodes that the tree names or an open file holds.
    pub inodes: OrdMap<InodeId, Arc<Live>>,
    /// Where each lower file went that was copied up, by its path.
    pub copied: OrdMap<Arc<[Name]>, InodeId>,
    /// When directories were last read, by their numbers, where somebody set it.
    pub dir_atimes: OrdMap<u32, Timestamp>,
    /// When the first mark was made: the kernel makes all marks of one inode.
    pub whiteout_mtime: Option<Timestamp>,
    pub origin: Arc<Origin>,
    pub next_id: u32,
}

impl Upper {
    fn over(lower: &Dir<Leaf>) -> Self {
        let origin = Arc::new(Origin::default());
        let root = Arc::new(Dir::new(Arc::clone(&origin), 0, lower.metadata.clone()));
        let (inodes, copied, dir_atimes) = (OrdMap::new(), OrdMap::new(), OrdMap::new());
        Self { root, inodes, copied, dir_atimes, whiteout_mtime: None, origin, next_id: 1 }
    }

    /// Distinct inodes of the tree, in bytes.
    pub fn size(&self) -> u64 {
        let mut seen = HashSet::new();
        let mut size = 0;
        self.add(&self.root, &mut seen, &mut size);
        size
    }

    fn add(&self, dir: &Dir<InodeId>, seen: &mut HashSet<InodeId>, size: &mut u64) {
        for entry in dir.entries().iter() {
            match &entry.node {
                Node::Dir { dir, .. } => self.add(dir, seen, size),
                Node::Leaf { leaf, .. } if seen.insert(*leaf) => {
                    *size = size.saturating_add(self.inodes.get(leaf).map_or(0, |live| live.kind.size()));
                }
                _ => {}
            }
        }
    }

    /// Takes all files for closed: what has no name any more goes.
    pub fn close_all(&mut self) {
        let held: Vec<InodeId> =
            self.inodes.iter().filter(|(_, live)| live.open > 0 || live.links == 0).map(|(id, _)| *id).collect();
        for id in held {
            if let Ok(live) = self.live_mut(id) {
                live.open = 0;
            }
            self.forget_if_unused(id, &Readers::new());
        }
    }

    /// A number that no inode or directory of this top has.
    pub fn id(&mut self) -> u32 {
        let id = self.next_id;
        self.next_id += 1;
        id
    }

    /// Takes a new inode in.
    pub fn admit(&mut self, live: Live) -> InodeId {
        let id = InodeId(self.id());
        self.inodes.insert(id, Arc::new(live));
        id
    }

    /// An inode, to be changed.
    pub fn live_mut(&mut self, id: InodeId) -> Result<&mut Live, Errno> {
        self.inodes.get_mut(&id).map(Arc::make_mut).ok_or(Errno::ENOENT)
    }

    /// Drops an inode that nothing can reach any more.
    fn forget_if_unused(&mut self, id: InodeId, readers: &Readers) {
        let is_read = |live: &Live| live.origin.as_ref().is_some_and(|path| readers.contains_key(&**path));
        let is_unused = |live: &&Arc<Live>| live.links == 0 && live.open == 0 && !is_read(live);
        let Some(live) = self.inodes.get(&id).filter(is_unused) else {
            return;
        };
        if let Some(path) = live.origin.clone() {
            self.copied.remove(&*path);
        }
        self.inodes.remove(&id);
    }
}

/// How many files are open on lower ones, by their paths.
pub type Readers = OrdMap<Arc<[Name]>, u32>;

/// A directory of the top, to be changed, and what is below it.
#[derive(Debug)]
pub struct Site<'a> {
    /// The directory.
    pub dir: &'a mut Dir<InodeId>,
    /// What the layers have here, unless it is hidden.
    pub below: Option<Arc<Dir<Leaf>>>,
}

impl Site<'_> {
    /// Whether the layers show something under a name.
    pub fn covers(&self, name: &[u8]) -> bool {
        self.below.as_ref().and_then(|below| below.get(name)).is_some_and(Node::is_visible)
    }

    /// Puts a node, in the place of whatever is there, and says when.
    pub fn put(&mut self, name: &Name, node: Node<InodeId>, now: Timestamp) {
        self.dir.entries_mut().insert(Arc::clone(name), node);
        self.dir.metadata.set_mtime(now);
    }

    /// Takes a name out, leaves a mark if the layers would show through, and says when. True if it left one.
    pub fn take(&mut self, name: &Name, now: Timestamp) -> bool {
        let covers = self.covers(name);
        if covers {
            self.dir.entries_mut().insert(Arc::clone(name), Node::whiteout());
        } else {
            self.dir.entries_mut().remove(name);
        }
        self.dir.metadata.set_mtime(now);
        covers
    }
}

impl Overlay {
    /// Takes one name from an inode; without names and open files it goes.
    pub(super) fn unlinked(&mut self, id: InodeId) {
        let upper = self.upper_mut();
        if let Ok(live) = upper.live_mut(id) {
            live.links = live.links.saturating_sub(1);
        }
        self.forget_if_unused(id);
    }

    /// Drops an inode that nothing can reach any more.
    pub(super) fn forget_if_unused(&mut self, id: InodeId) {
        if let Some(upper) = &mut self.upper {
            Arc::make_mut(upper).forget_if_unused(id, &self.readers);
        }
    }

    /// Refuses a change where there is no top.
    pub(super) fn check_writable(&self) -> Result<(), Errno> {
        if self.options.is_read_only { Err(Errno::EROFS) } else { Ok(()) }
    }

    /// The top, this overlay's own from here on.
    pub(super) fn upper_mut(&mut self) -> &mut Upper {
        let lower = &self.lower;
        Arc::make_mut(self.upper.get_or_insert_with(|| Arc::new(Upper::over(lower.root()))))
    }

    /// The directory at a real path in the top; it and its ancestors are copied up where they are missing.
    pub(super) fn site(&mut self, path: &[Name]) -> Result<Site<'_>, Errno> {
        if path.len() > DEPTH_MAX {
            return Err(Errno::ENAMETOOLONG);
        }
        let mut below = Some(Arc::clone(self.lower.root()));
        let Upper { root, next_id, origin, .. } = self.upper_mut();
        let mut dir = Arc::make_mut(root);
        for name in path {
            below = below.and_then(|below| below.get(name).and_then(Node::as_dir).cloned());
            if dir.get(name).is_none() {
                let metadata = below.as_ref().ok_or(Errno::ENOENT)?.metadata.clone();
                let copy = Dir::new(Arc::clone(origin), *next_id, metadata);
                *next_id += 1;
                dir.entries_mut().insert(Arc::clone(name), Node::dir(copy));
                dir.is_impure = true;
            }
            let Some(Node::Dir { dir: child, .. }) = dir.entries_mut().get_mut(name) else {
                return Err(Errno::ENOTDIR);
            };
            dir = Arc::make_mut(child);
            below = below.filter(|_| !dir.is_opaque);
            if let Some(redirect) = &dir.redirect {
                below = Some(Arc::clone(&redirect.below));
            }
        }
        Ok(Site { dir, below })
    }
}
