//! The top as a layer: what `docker commit` keeps of it (spec/layers.md section 7).

use std::collections::HashMap;
use std::sync::Arc;

use super::Overlay;
use super::upper::{InodeId, Live, Upper};
use crate::archive::Dialect;
use crate::error::Result;
use crate::layer::{Layer, Spelling};
use crate::limits::Limits;
use crate::metadata::{CAPABILITY, Metadata, Timestamp, Xattrs};
use crate::tree::{Dir, Inode, Kind, Leaf, Node, Origin};
use crate::whiteout::{self, Meaning};

impl Overlay {
    /// Freezes what was written. Stacked on the layers below, it shows what this overlay shows: times in whole seconds,
    /// without sockets, and for Docker's dialects without attributes other than capabilities.
    ///
    /// A file whose name spells a mark is one in the layer, as it is with Docker.
    ///
    /// # Errors
    /// [`crate::Error::Archive`] when something cannot be spelled as a tar.
    pub fn to_layer(&self, dialect: Dialect) -> Result<Layer> {
        let plain = self.plain();
        plain.freeze(plain.upper_root(), dialect)
    }

    /// Freezes a part of what was written: the whole tree of the top, or one made of what is in it.
    ///
    /// # Errors
    /// As [`Overlay::to_layer`].
    pub(crate) fn freeze(&self, written: Option<&Dir<InodeId>>, dialect: Dialect) -> Result<Layer> {
        let origin = Arc::new(Origin::default());
        let root = Dir::implicit(Arc::clone(&origin), 0);
        let (Some(upper), Some(written)) = (&self.upper, written) else {
            return Layer::from_tree(root, &origin, Spelling { dialect, ..Spelling::default() });
        };
        let whiteout_mtime = whole(upper.whiteout_mtime.unwrap_or_default());
        let mut frost = Frost { upper, origin, dialect, leaves: HashMap::new(), speaks: false };
        let root = frost.fill(root, written);
        let layer = Layer::from_tree(root, &frost.origin, Spelling { dialect, whiteout_mtime })?;
        if !frost.speaks {
            return Ok(layer);
        }
        let mut tar = Vec::new();
        layer.write_tar(&mut tar)?;
        Layer::from_tar(&tar.into(), Some(layer.diff_id()), &Limits::default())
    }
}

/// A freezing on its way.
struct Frost<'t> {
    upper: &'t Upper,
    origin: Arc<Origin>,
    dialect: Dialect,
    leaves: HashMap<InodeId, Leaf>,
    /// Whether the tar says something else than the tree: a name spells a mark, or a time is before 1970.
    speaks: bool,
}

impl Frost<'_> {
    fn fill(&mut self, mut frozen: Dir<Leaf>, dir: &Dir<InodeId>) -> Dir<Leaf> {
        for entry in dir.entries().iter() {
            let node = match &entry.node {
                Node::Whiteout { .. } => Some(Node::whiteout()),
                Node::Dir { dir, .. } => Some(Node::dir(self.dir(dir))),
                Node::Leaf { leaf, .. } => self.leaf(*leaf).map(Node::leaf),
            };
            if let Some(node) = node {
                self.speaks |= node.is_visible() && !matches!(whiteout::meaning(&entry.name), Meaning::Entry(_));
                frozen.put(Arc::clone(&entry.name), node);
            }
        }
        frozen.shrink();
        frozen
    }

    fn dir(&mut self, dir: &Dir<InodeId>) -> Dir<Leaf> {
        let metadata = self.metadata(&dir.metadata);
        let mut frozen = Dir::new(Arc::clone(&self.origin), dir.id, metadata);
        frozen.is_opaque = dir.is_opaque;
        self.fill(frozen, dir)
    }

    fn leaf(&mut self, id: InodeId) -> Option<Leaf> {
        if let Some(leaf) = self.leaves.get(&id) {
            return Some(Leaf::clone(leaf));
        }
        let Live { metadata, kind, links, .. } = &**self.upper.inodes.get(&id)?;
        if matches!(kind, Kind::Socket) {
            return None;
        }
        let (origin, metadata, kind) = (Arc::clone(&self.origin), self.metadata(metadata), kind.clone());
        let leaf = Arc::new(Inode { origin, id: id.0, links: *links, metadata, kind });
        self.leaves.insert(id, Leaf::clone(&leaf));
        Some(leaf)
    }

    fn metadata(&mut self, metadata: &Metadata) -> Metadata {
        let mut kept = metadata.clone();
        self.speaks |= metadata.mtime() < Timestamp::default();
        kept.set_mtime(whole(metadata.mtime()));
        kept.xattrs.drop_empty();
        if self.dialect != Dialect::Canonical {
            kept.xattrs =
                metadata.xattrs.get(CAPABILITY).map(|value| (CAPABILITY, value)).into_iter().collect::<Xattrs>();
        }
        kept
    }
}

/// A time without its nanoseconds.
fn whole(time: Timestamp) -> Timestamp {
    Timestamp { nanos: 0, ..time }
}
