//! The flat table: the whole path to its record, for lookups in batches.
//!
//! A cache of the tree, never a second truth. Pages are chosen by the high bits of the path's hash and shared with the
//! table of the parent chain: a layer copies the pages that its own entries fall into, in groups, and no others.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

use foldhash::fast::FixedState;

use super::page::{Page, Record, Row, Words};
use super::view::{DIRECTORY_BITS, DIRECTORY_SIZE, dir_links};
use crate::metadata::Metadata;
use crate::tree::{Dir, Leaf, Node, Step, visit};

/// Rows of a page when a table is made.
const ROWS: usize = 6;
/// A table whose pages hold more than this on average is made anew.
const CROWDED_ROWS: usize = 2 * ROWS;
/// Pages that are shared or copied together with the list that names them.
const GROUP: usize = 64;

/// All visible paths of a stack.
#[derive(Debug, Clone)]
pub struct Table {
    groups: Vec<Arc<[Page]>>,
    shift: u32,
}

/// A change of one path: a new record, or none.
struct Edit {
    path: Vec<u8>,
    record: Option<Record>,
}

/// The edits that a layer makes, collected by walking its own entries.
struct Edits<'a> {
    made: Vec<Edit>,
    path: Vec<u8>,
    position: &'a dyn Fn(&Node<Leaf>) -> u32,
}

impl Table {
    /// The table of a whole tree; `position` tells the layer of each node.
    pub fn of(root: &Dir<Leaf>, position: &dyn Fn(&Node<Leaf>) -> u32) -> Self {
        let pages = (usize::try_from(root.visible()).unwrap_or(usize::MAX) / ROWS).max(1).next_power_of_two();
        let page = Page::of(&[]);
        let group: Arc<[Page]> = vec![page; pages.min(GROUP)].into();
        let empty = Self { groups: vec![group; pages.div_ceil(GROUP)], shift: u64::BITS - pages.trailing_zeros() };
        let mut edits = Edits { made: Vec::new(), path: Vec::new(), position };
        edits.insert_below(root);
        empty.edited(edits.made)
    }

    /// The table after `layer` has been merged onto the tree `lower`, which this is the table of; `merged` is the result.
    pub fn with(
        &self,
        lower: &Dir<Leaf>,
        layer: &Dir<Leaf>,
        merged: &Dir<Leaf>,
        position: &dyn Fn(&Node<Leaf>) -> u32,
    ) -> Self {
        if usize::try_from(merged.visible()).unwrap_or(usize::MAX) / CROWDED_ROWS > self.pages() {
            return Self::of(merged, position);
        }
        let mut edits = Edits { made: Vec::new(), path: Vec::new(), position };
        edits.merge(lower, layer, merged);
        self.edited(edits.made)
    }

    /// The hash that pages are chosen by.
    #[inline]
    pub fn hash(path: &[u8]) -> u64 {
        let mut hasher = FixedState::with_seed(0).build_hasher();
        hasher.write(path);
        hasher.finish()
    }

    /// The record of a path without a leading slash.
    #[inline]
    pub fn get(&self, hash: u64, path: &[u8]) -> Option<Record> {
        self.page(hash).get(hash, path)
    }

    fn pages(&self) -> usize {
        self.groups.iter().map(|group| group.len()).sum()
    }

    /// The page that a path of this hash is in.
    #[inline]
    pub fn page(&self, hash: u64) -> Words<'_> {
        let at = self.page_number(hash);
        self.groups[at / GROUP][at % GROUP].words()
    }

    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "a table in memory has fewer pages than addresses")]
    fn page_number(&self, hash: u64) -> usize {
        hash.checked_shr(self.shift).unwrap_or(0) as usize
    }

    /// Makes each changed page once.
    fn edited(&self, edits: Vec<Edit>) -> Self {
        let mut by_page: BTreeMap<usize, Vec<(u64, Edit)>> = BTreeMap::new();
        for edit in edits {
            let hash = Self::hash(&edit.path);
            by_page.entry(self.page_number(hash)).or_default().push((hash, edit));
        }
        let mut table = self.clone();
        for (at, edits) in by_page {
            let old = self.groups[at / GROUP][at % GROUP].words();
            let is_changed = |row: &Row<'_>| edits.iter().any(|(_, edit)| edit.path == row.path);
            let kept = old.rows().filter(|row| !is_changed(row));
            let added = edits
                .iter()
                .filter_map(|(hash, edit)| edit.record.map(|record| Row { hash: *hash, path: &edit.path, record }));
            let rows: Vec<Row<'_>> = kept.chain(added).collect();
            Arc::make_mut(&mut table.groups[at / GROUP])[at % GROUP] = Page::of(&rows);
        }
        table
    }
}

impl Edits<'_> {
    /// Walks the layer's own entries beside what they meet and what came of both.
    fn merge(&mut self, lower: &Dir<Leaf>, layer: &Dir<Leaf>, merged: &Dir<Leaf>) {
        for entry in layer.entries().iter() {
            let len = self.enter(&entry.name);
            let name = &entry.name;
            match (&entry.node, lower.get(name), merged.get(name)) {
                (
                    Node::Dir { dir, .. },
                    Some(Node::Dir { dir: below, .. }),
                    Some(both @ Node::Dir { dir: merged, .. }),
                ) if !dir.is_opaque => {
                    self.set(both);
                    self.merge(below, dir, merged);
                }
                (node, below, _) => {
                    self.remove(below);
                    self.insert(node);
                }
            }
            self.path.truncate(len);
        }
    }

    fn enter(&mut self, name: &[u8]) -> usize {
        let len = self.path.len();
        if len > 0 {
            self.path.push(b'/');
        }
        self.path.extend_from_slice(name);
        len
    }

    fn insert(&mut self, node: &Node<Leaf>) {
        self.set(node);
        if let Node::Dir { dir, .. } = node {
            self.insert_below(dir);
        }
    }

    fn insert_below(&mut self, dir: &Dir<Leaf>) {
        for entry in dir.entries().iter() {
            let len = self.enter(&entry.name);
            self.insert(&entry.node);
            self.path.truncate(len);
        }
    }

    /// Paths of 64 KiB and more are left to the tree.
    fn set(&mut self, node: &Node<Leaf>) {
        if u16::try_from(self.path.len()).is_ok() && node.is_visible() {
            let record = record(node, (self.position)(node));
            self.made.push(Edit { path: self.path.clone(), record: Some(record) });
        }
    }

    fn remove(&mut self, node: Option<&Node<Leaf>>) {
        let Some(node) = node.filter(|node| node.is_visible()) else {
            return;
        };
        self.made.push(Edit { path: self.path.clone(), record: None });
        let Node::Dir { dir, .. } = node else { return };
        let (edits, path) = (&mut self.made, &self.path);
        let walked: Result<(), std::convert::Infallible> = visit(dir, &mut |below, node| {
            if node.is_visible() {
                edits.push(Edit { path: crate::path::join(path, below), record: None });
            }
            Ok(Step::Into)
        });
        walked.unwrap_or_else(|never| match never {});
    }
}

/// What the table says of a node.
pub fn record(node: &Node<Leaf>, layer: u32) -> Record {
    let (metadata, type_bits, id, links, size) = match node {
        Node::Leaf { leaf, .. } => {
            let size = if leaf.kind.device() == 0 { leaf.kind.size() } else { leaf.kind.device() };
            (&leaf.metadata, leaf.kind.type_bits(), leaf.id, leaf.links, size)
        }
        Node::Dir { dir, .. } => (&dir.metadata, DIRECTORY_BITS, dir.id, dir_links(dir), DIRECTORY_SIZE),
        Node::Whiteout { .. } => (&Metadata::default(), 0, 0, 0, 0),
    };
    let mode = u16::try_from(type_bits | metadata.mode).unwrap_or_default();
    Record { mode, layer, id, links, uid: metadata.uid, gid: metadata.gid, size, mtime: metadata.mtime() }
}
