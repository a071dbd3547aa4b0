//! Lookups of many paths at once: packed paths in, columns out.

use std::sync::Arc;

use super::Stack;
use super::page::Record;
use super::resolve::{Resolved, walk};
use super::table::{Table, record};
use super::trail::{Layered, Trail};
use crate::tree::Node;

/// The kind of a path that names nothing; the others are the `DT_` numbers, type bits shifted right by 12.
pub const KIND_ABSENT: u8 = 0;
/// The layer of a path that names nothing.
pub const LAYER_ABSENT: i32 = -1;
/// Paths whose hashes are made before the first of them is looked up: their pages are fetched side by side.
const BLOCK: usize = 64;
const TYPE_SHIFT: u32 = 12;

/// Many paths in one buffer.
#[derive(Debug, Clone)]
pub enum PathBatch {
    /// One after the other; each ends where `ends` says.
    Packed {
        /// The bytes of all paths.
        bytes: Vec<u8>,
        /// The end of each path in `bytes`.
        ends: Vec<usize>,
    },
    /// Each in a field of the same width, filled up with NUL bytes.
    Fixed {
        /// The fields.
        bytes: Vec<u8>,
        /// The width of a field, in bytes; not 0 unless there are no paths.
        width: usize,
    },
}

impl PathBatch {
    /// How many paths there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Packed { ends, .. } => ends.len(),
            Self::Fixed { bytes, width } => bytes.len().checked_div(*width).unwrap_or(0),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One path.
    #[inline]
    pub fn get(&self, at: usize) -> &[u8] {
        match self {
            Self::Packed { bytes, ends } => {
                let start = if at == 0 { 0 } else { ends[at - 1] };
                &bytes[start..ends[at]]
            }
            Self::Fixed { bytes, width } => trimmed(&bytes[at * width..][..*width]),
        }
    }
}

impl<P: AsRef<[u8]>> FromIterator<P> for PathBatch {
    fn from_iter<I: IntoIterator<Item = P>>(paths: I) -> Self {
        let (mut bytes, mut ends) = (Vec::new(), Vec::new());
        for path in paths {
            bytes.extend_from_slice(path.as_ref());
            ends.push(bytes.len());
        }
        Self::Packed { bytes, ends }
    }
}

/// A field without the NUL bytes at its end.
#[inline]
fn trimmed(field: &[u8]) -> &[u8] {
    let len = field.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    &field[..len]
}

/// One column of an answer for each question that `lstat` settles, in the order of the paths.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// The position of the layer, base 0; [`LAYER_ABSENT`] where nothing is.
    pub layer: Vec<i32>,
    /// The type; [`KIND_ABSENT`] where nothing is.
    pub kind: Vec<u8>,
    /// Bytes; 0 where nothing is.
    pub size: Vec<u64>,
    /// Type and permission bits; 0 where nothing is.
    pub mode: Vec<u32>,
}

impl Found {
    fn with_capacity(len: usize) -> Self {
        Self {
            layer: Vec::with_capacity(len),
            kind: Vec::with_capacity(len),
            size: Vec::with_capacity(len),
            mode: Vec::with_capacity(len),
        }
    }

    #[inline]
    #[expect(clippy::cast_possible_wrap, reason = "a chain has at most 65,535 layers")]
    fn push(&mut self, record: Option<Record>) {
        let (layer, mode, size) = match record {
            Some(record) => (record.layer as i32, record.mode, record.st_size()),
            None => (LAYER_ABSENT, 0, 0),
        };
        self.layer.push(layer);
        self.kind.push((mode >> TYPE_SHIFT) as u8);
        self.size.push(size);
        self.mode.push(u32::from(mode));
    }
}

impl Stack {
    /// Looks many paths up, as `lstat` would: links on the way are followed, one at the end is not.
    ///
    /// Each step is made for a block of paths before the next one, so that their cache misses overlap.
    pub fn lookup(&self, paths: &PathBatch) -> Found {
        let table = Arc::clone(self.table());
        let mut found = Found::with_capacity(paths.len());
        for start in (0..paths.len()).step_by(BLOCK) {
            let hashes: [_; BLOCK] = std::array::from_fn(|at| {
                let at = start + at;
                Table::hash(if at < paths.len() { relative(paths.get(at)) } else { b"" })
            });
            let pages = hashes.map(|hash| (hash, table.page(hash)));
            let block = pages.map(|(hash, page)| (hash, page, page.head()));
            let slots = block.map(|(hash, page, head)| {
                let slot = page.slot(head, hash);
                (slot, slot.map_or(0, |slot| page.touch(slot)))
            });
            for (at, ((hash, page, _), (slot, _))) in (start..paths.len()).zip(block.into_iter().zip(slots)) {
                let path = paths.get(at);
                let key = relative(path);
                let record = slot.and_then(|slot| page.record(slot, key).or_else(|| page.get(hash, key)));
                found.push(record.or_else(|| self.look_again(&table, path)));
            }
        }
        found
    }

    /// Looks one path up, as `lstat` would.
    pub fn lookup_one(&self, path: &[u8]) -> Option<Record> {
        let table = self.table();
        let key = relative(path);
        table.get(Table::hash(key), key).or_else(|| self.look_again(table, path))
    }

    /// What the table knows of a path by this very spelling; `None` decides nothing.
    pub(super) fn tabled(&self, path: &[u8]) -> Option<Record> {
        let key = relative(path);
        self.table().get(Table::hash(key), key)
    }

    /// How many lookups in single layers the kernel would make for each path.
    pub fn probes_of(&self, paths: &PathBatch) -> Vec<u32> {
        (0..paths.len()).map(|at| self.probes(paths.get(at))).collect()
    }

    /// The same answers, and the probes that were made for them, by looking every name up layer by layer.
    ///
    /// This is the experiment to compare the table with: its cost grows with the depth of the stack.
    pub fn lookup_layered(&self, paths: &PathBatch) -> (Found, Vec<u32>) {
        let layers = self.layers();
        let roots: Vec<_> = layers.iter().rev().filter_map(|layer| layer.root().ok()).collect();
        let mut trail = Layered::new(&roots, self.root());
        let (mut found, mut probes) = (Found::with_capacity(paths.len()), Vec::with_capacity(paths.len()));
        for at in 0..paths.len() {
            trail.start_over();
            found.push(walk(&mut trail, paths.get(at), false).ok().map(|seen| self.record_of(seen)));
            probes.push(trail.probes());
        }
        (found, probes)
    }

    /// What the table does not hold by this spelling: absent, or behind a link or an unusual spelling.
    fn look_again(&self, table: &Table, path: &[u8]) -> Option<Record> {
        if is_plainly_absent(table, relative(path)) {
            return None;
        }
        self.resolve(path, false).ok().map(|seen| self.record_of(seen))
    }

    fn record_of(&self, seen: Resolved<'_>) -> Record {
        let node = match seen {
            Resolved::Dir(dir) => Node::Dir { stop: 0, dir: Arc::clone(dir) },
            Resolved::Leaf(leaf) => Node::Leaf { stop: 0, leaf: Arc::clone(leaf) },
        };
        record(&node, self.position_of(&node))
    }
}

#[inline]
fn relative(path: &[u8]) -> &[u8] {
    path.strip_prefix(b"/").unwrap_or(path)
}

/// Whether the parent is a directory of the table and the last component an ordinary name, which is then not in it.
fn is_plainly_absent(table: &Table, path: &[u8]) -> bool {
    let Some(slash) = path.iter().rposition(|byte| *byte == b'/') else {
        return !matches!(path, b"" | b"." | b"..") && !table.page(Table::hash(path)).is_overfull();
    };
    let (parent, name) = (&path[..slash], &path[slash + 1..]);
    let parent_is_dir = || table.get(Table::hash(parent), parent).is_some_and(|record| record.mode >> TYPE_SHIFT == 4);
    !matches!(name, b"" | b"." | b"..") && !table.page(Table::hash(path)).is_overfull() && parent_is_dir()
}
