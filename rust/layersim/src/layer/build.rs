//! Building a layer's tree entry by entry, as an engine extracts a tar into an empty directory (spec/layers.md sections 4-6).
//!
//! The builder keeps the chain of directories down to the current one open. Entries that come in walk order, as nearly all
//! do, find their directory there; any other order is only slower.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::Sums;
use super::extracted::extracted;
use crate::metadata::{CAPABILITY, Metadata, SET_GID};
use crate::path;
use crate::tree::{Dir, Inode, Kind, Leaf, Name, Node, Origin};

/// The attribute of an opaque directory on disk.
const OPAQUE: &[u8] = b"trusted.overlay.opaque";

/// Why an entry cannot be made; the text completes "cannot make <path>: ".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// A target, or a directory that a link leads to, is not in this layer.
    #[error("no such file or directory in this layer")]
    NotFound,
    /// A parent is there and is no directory.
    #[error("not a directory")]
    NotDirectory,
    /// A hard link to a directory.
    #[error("operation not permitted: a hard link to a directory")]
    LinkToDirectory,
    /// A mark for a name that the layer has already.
    #[error("file exists: the layer itself holds the name that it hides")]
    Exists,
    /// A path leads through too many links.
    #[error("too many levels of symbolic links")]
    Loop,
    /// A component is longer than a file system takes.
    #[error("file name too long: a component has more than 255 bytes")]
    NameTooLong,
    /// The tree is too deep.
    #[error("directories nested deeper than 2048")]
    TooDeep,
    /// A symbolic link to nothing.
    #[error("no such file or directory: a symbolic link without a target")]
    NoTarget,
    /// The name of an extended attribute is empty, or longer than a file system takes.
    #[error("numerical result out of range: the name of an extended attribute has 1 to 255 bytes")]
    XattrName,
    /// The value of an extended attribute is longer than Linux takes.
    #[error("argument list too long: an extended attribute has at most 65536 bytes")]
    XattrTooLarge,
    /// Something other than a directory in the place of the root.
    #[error("the root can only be a directory")]
    Root,
}

/// A layer's tree in the making.
#[derive(Debug)]
pub struct Builder {
    origin: Arc<Origin>,
    next_id: u32,
    open: Vec<(Name, Dir<Leaf>)>,
    relinked: HashMap<u32, Relinked>,
    sums: Sums,
    must_recount: bool,
    has_root: bool,
    has_root_mark: bool,
}

/// What hard links changed about an inode that was made before.
#[derive(Debug)]
struct Relinked {
    links: u32,
    metadata: Metadata,
}

/// Whether an entry met one that was there before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Met {
    /// The name was free, or held a directory that nothing described.
    Nothing,
    /// The name was taken.
    Entry,
}

impl Builder {
    /// An empty tree of the layer `origin`.
    pub fn new(origin: Arc<Origin>) -> Self {
        let root = Dir::implicit(Arc::clone(&origin), 0);
        let open = vec![(Name::from([]), root)];
        let (relinked, sums) = (HashMap::new(), Sums::default());
        Self { origin, next_id: 1, open, relinked, sums, must_recount: false, has_root: false, has_root_mark: false }
    }

    /// Goes to the directory that `parents` names; those that are missing are made, 0755 and root's.
    pub fn enter(&mut self, parents: &[&[u8]]) -> Result<(), Refused> {
        let shared = self.open[1..].iter().zip(parents).take_while(|((name, _), part)| **name == ***part).count();
        self.leave_to(shared + 1);
        for (at, part) in parents.iter().enumerate().skip(shared) {
            match self.here().get(part) {
                Some(Node::Leaf { leaf, .. }) if matches!(leaf.kind, Kind::Symlink(_)) => {
                    return self.follow(reversed(&parents[at..], true));
                }
                _ => self.descend(part, true)?,
            }
        }
        Ok(())
    }

    /// Goes on from the current directory, through symbolic links of this layer, where a component may be one.
    ///
    /// `wanted` is in reverse; each component says whether it may be made. What a link names must be there.
    fn follow(&mut self, mut wanted: Vec<(Vec<u8>, bool)>) -> Result<(), Refused> {
        let mut links = 0;
        while let Some((part, may_make)) = wanted.pop() {
            if part == b".." {
                self.leave_to(self.open.len().saturating_sub(1).max(1));
                continue;
            }
            let Some(target) = self.here().get(&part).and_then(link_target) else {
                self.descend(&part, may_make)?;
                continue;
            };
            links += 1;
            if links > path::LINKS_MAX {
                return Err(Refused::Loop);
            }
            if target.first() == Some(&b'/') {
                self.leave_to(1);
            }
            wanted.extend(path::components(&target).rev().map(|part| (part.to_vec(), false)));
        }
        Ok(())
    }

    /// Puts a directory: a new one, or new metadata for the one that is there.
    pub fn put_dir(&mut self, name: &[u8], mut metadata: Metadata) -> Result<Met, Refused> {
        check_name(name)?;
        // Engines set the attribute as it is, and the kernel obeys it (spec/layers.md section 3).
        let is_opaque = metadata.xattrs.get(OPAQUE) == Some(b"y") && metadata.xattrs.remove(OPAQUE);
        extracted(&mut metadata, None)?;
        if let Some(Node::Dir { .. }) = self.here().get(name) {
            self.descend(name, false)?;
            let dir = self.here_mut();
            let met = if dir.is_implicit { Met::Nothing } else { Met::Entry };
            dir.metadata = metadata;
            dir.is_implicit = false;
            dir.is_opaque |= is_opaque;
            return Ok(met);
        }
        let mut dir = Dir::new(Arc::clone(&self.origin), self.id(), metadata);
        dir.is_opaque = is_opaque;
        Ok(self.put(name, Node::dir(dir)))
    }

    /// Puts anything that is no directory, in the place of whatever is there.
    pub fn put_leaf(&mut self, name: &[u8], mut metadata: Metadata, kind: Kind) -> Result<Met, Refused> {
        check_name(name)?;
        extracted(&mut metadata, Some(&kind))?;
        if kind.is_whiteout_device() {
            return Ok(self.put(name, Node::whiteout()));
        }
        self.sums.size = self.sums.size.saturating_add(kind.size());
        let inode = Inode { origin: Arc::clone(&self.origin), id: self.id(), links: 1, metadata, kind };
        Ok(self.put(name, Node::leaf(Arc::new(inode))))
    }

    /// Puts one more name of the leaf at `target`, which this layer must hold already.
    pub fn put_link(
        &mut self,
        parents: &[&[u8]],
        name: &[u8],
        target: &[&[u8]],
        metadata: Option<Metadata>,
    ) -> Result<Met, Refused> {
        check_name(name)?;
        let (target_name, target_parents) = target.split_last().ok_or(Refused::LinkToDirectory)?;
        self.enter(parents)?;
        let replaced = self.here_mut().take(name).is_some();
        self.must_recount |= replaced;
        self.leave_to(1);
        self.follow(reversed(target_parents, false))?;
        let node = match self.here().get(target_name) {
            Some(Node::Leaf { leaf, .. }) => Node::leaf(Arc::clone(leaf)),
            // On disk a mark is a device, and one more name of it is one more mark.
            Some(Node::Whiteout { .. }) => Node::whiteout(),
            Some(Node::Dir { .. }) => return Err(Refused::LinkToDirectory),
            None => return Err(Refused::NotFound),
        };
        if let Some(leaf) = node.as_leaf() {
            self.relink(leaf, metadata)?;
        }
        self.enter(parents)?;
        self.put(name, node);
        Ok(if replaced { Met::Entry } else { Met::Nothing })
    }

    /// Hides a name of the layers below; a mark may be there already.
    pub fn put_whiteout(&mut self, name: &[u8]) -> Result<Met, Refused> {
        check_name(name)?;
        if self.here().get(name).is_some_and(Node::is_visible) {
            return Err(Refused::Exists);
        }
        Ok(self.put(name, Node::whiteout()))
    }

    /// Makes the current directory hide what is below it; at the root that has no effect.
    pub fn make_opaque(&mut self) -> Met {
        let is_root = self.open.len() == 1;
        if is_root {
            return if std::mem::replace(&mut self.has_root_mark, true) { Met::Entry } else { Met::Nothing };
        }
        let dir = self.here_mut();
        let met = if dir.is_opaque { Met::Entry } else { Met::Nothing };
        dir.is_opaque = true;
        met
    }

    /// Takes an entry for the root itself: engines skip what it says.
    pub fn meet_root(&mut self) -> Met {
        if std::mem::replace(&mut self.has_root, true) { Met::Entry } else { Met::Nothing }
    }

    /// How many entries there are so far, implied directories included.
    pub fn len(&self) -> u64 {
        self.sums.len
    }

    /// The finished tree and its sums (the TAR rule's size is the caller's to know).
    pub fn finish(mut self) -> (Dir<Leaf>, Sums) {
        self.leave_to(1);
        let mut root = self.open.swap_remove(0).1;
        if !self.relinked.is_empty() {
            settle(&mut root, &mut Settling { relinked: &self.relinked, settled: HashMap::new() });
        }
        if self.must_recount {
            self.sums = sums(&root);
        }
        (root, self.sums)
    }

    /// An archive's link header says the metadata again, and engines apply it to the inode.
    fn relink(&mut self, leaf: &Leaf, metadata: Option<Metadata>) -> Result<(), Refused> {
        let before = Relinked { links: leaf.links, metadata: leaf.metadata.clone() };
        let relinked = self.relinked.entry(leaf.id).or_insert(before);
        relinked.links = relinked.links.saturating_add(1);
        let Some(mut metadata) = metadata else { return Ok(()) };
        extracted(&mut metadata, Some(&leaf.kind))?;
        if matches!(leaf.kind, Kind::Symlink(_)) {
            (relinked.metadata.uid, relinked.metadata.gid) = (metadata.uid, metadata.gid);
        } else {
            // Setting the owner again takes capabilities; the header may bring its own.
            let kept = relinked.metadata.xattrs.iter().filter(|(name, _)| *name != CAPABILITY);
            metadata.xattrs = kept.chain(metadata.xattrs.iter()).collect();
            relinked.metadata = metadata;
        }
        Ok(())
    }

    fn put(&mut self, name: &[u8], node: Node<Leaf>) -> Met {
        let replaced = self.here_mut().put(Name::from(name), node);
        if replaced.is_some() {
            self.must_recount = true;
            return Met::Entry;
        }
        self.sums.len += 1;
        Met::Nothing
    }

    fn here(&self) -> &Dir<Leaf> {
        &self.open[self.open.len() - 1].1
    }

    fn here_mut(&mut self) -> &mut Dir<Leaf> {
        let last = self.open.len() - 1;
        &mut self.open[last].1
    }

    fn id(&mut self) -> u32 {
        let id = self.next_id;
        self.next_id = self.next_id.saturating_add(1);
        id
    }

    /// Opens a directory below the current one.
    fn descend(&mut self, name: &[u8], may_make: bool) -> Result<(), Refused> {
        if self.open.len() > path::DEPTH_MAX {
            return Err(Refused::TooDeep);
        }
        match self.here().get(name) {
            Some(Node::Dir { .. }) => {}
            Some(_) => return Err(Refused::NotDirectory),
            None if !may_make => return Err(Refused::NotFound),
            None => {
                check_name(name)?;
                let mut dir = Dir::implicit(Arc::clone(&self.origin), self.id());
                dir.metadata.mode |= self.here().metadata.mode & SET_GID;
                self.put(name, Node::dir(dir));
            }
        }
        if let Some(Node::Dir { dir, .. }) = self.here_mut().lend(name) {
            self.open.push((Name::from(name), Arc::unwrap_or_clone(dir)));
        }
        Ok(())
    }

    /// Closes open directories until `depth` of them are left, the root being the first.
    fn leave_to(&mut self, depth: usize) {
        while self.open.len() > depth {
            if let Some((name, mut dir)) = self.open.pop() {
                dir.shrink();
                self.here_mut().put(name, Node::dir(dir));
            }
        }
    }
}

/// Components in the order in which they are popped, each with whether it may be made.
fn reversed(parts: &[&[u8]], may_make: bool) -> Vec<(Vec<u8>, bool)> {
    parts.iter().rev().map(|part| (part.to_vec(), may_make)).collect()
}

fn check_name(name: &[u8]) -> Result<(), Refused> {
    if name.len() > path::NAME_MAX { Err(Refused::NameTooLong) } else { Ok(()) }
}

fn link_target(node: &Node<Leaf>) -> Option<Arc<[u8]>> {
    match &node.as_leaf()?.kind {
        Kind::Symlink(target) => Some(Arc::clone(target)),
        _ => None,
    }
}

/// What is left to do when all hard links are known.
struct Settling<'a> {
    relinked: &'a HashMap<u32, Relinked>,
    settled: HashMap<u32, Leaf>,
}

/// Gives every inode with several names its final link count and metadata, one inode for all its names.
fn settle(dir: &mut Dir<Leaf>, settling: &mut Settling<'_>) {
    let names: Vec<Name> = dir.entries().iter().map(|entry| Arc::clone(&entry.name)).collect();
    for name in names {
        match dir.entries_mut().get_mut(&name) {
            Some(Node::Dir { dir, .. }) => settle(Arc::make_mut(dir), settling),
            Some(Node::Leaf { leaf, .. }) => {
                if let Some(Relinked { links, metadata }) = settling.relinked.get(&leaf.id) {
                    let settled = settling.settled.entry(leaf.id).or_insert_with(|| {
                        Arc::new(Inode { links: *links, metadata: metadata.clone(), ..Inode::clone(leaf) })
                    });
                    *leaf = Arc::clone(settled);
                }
            }
            _ => {}
        }
    }
}

/// Counts a tree: every entry once, every inode's size once. The TAR rule is taken to count files but not links.
pub fn sums(root: &Dir<Leaf>) -> Sums {
    let (mut sums, mut seen) = (Sums::default(), HashSet::new());
    add(root, &mut sums, &mut seen);
    sums
}

fn add(dir: &Dir<Leaf>, sums: &mut Sums, seen: &mut HashSet<u32>) {
    for entry in dir.entries().iter() {
        sums.len += 1;
        match &entry.node {
            Node::Dir { dir, .. } => add(dir, sums, seen),
            Node::Leaf { leaf, .. } if leaf.links == 1 || seen.insert(leaf.id) => {
                let size = leaf.kind.size();
                let in_tar = if matches!(leaf.kind, Kind::Regular(_)) { size } else { 0 };
                sums.size = sums.size.saturating_add(size);
                sums.tar_size = sums.tar_size.saturating_add(in_tar);
            }
            _ => {}
        }
    }
}
