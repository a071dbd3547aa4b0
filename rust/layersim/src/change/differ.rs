//! What containerd's differ writes of a container (spec/layers.md section 7): what differs between two merged trees.

use std::collections::HashSet;
use std::sync::Arc;

use super::{Look, look_of, marked_names, visible_names};
use crate::archive::Dialect;
use crate::error::Result;
use crate::layer::Layer;
use crate::metadata::Timestamp;
use crate::overlay::{InodeId, Overlay};
use crate::tree::{Dir, Leaf, Node};

/// The layer of a commit: what was copied up and is as it was is left out, and what an opaque directory hides is
/// deleted name by name.
///
/// A file that is as it was stays when one of its names is new, so that the two are linked.
///
/// # Errors
/// [`crate::Error::Archive`] when something cannot be spelled as a tar.
pub fn differing(overlay: &Overlay) -> Result<Layer> {
    let overlay = &*overlay.plain();
    let lower = Some(&**overlay.lower().root());
    let root = overlay.upper_root().map(|upper| {
        let mut differ = Differ { overlay, linked: HashSet::new() };
        differ.look_for_links(lower, upper);
        differ.dir(lower, upper)
    });
    overlay.freeze(root.as_ref(), Dialect::Containerd)
}

struct Differ<'o> {
    overlay: &'o Overlay,
    /// Inodes of several names one of which differs.
    linked: HashSet<InodeId>,
}

impl Differ<'_> {
    fn look_for_links(&mut self, older: Option<&Dir<Leaf>>, newer: &Dir<InodeId>) {
        for entry in newer.entries().iter() {
            let before = before(older, &entry.name);
            match &entry.node {
                Node::Dir { dir, .. } => self.look_for_links(as_dir(before), dir),
                Node::Leaf { leaf, .. } if self.differs(before, *leaf) => {
                    self.linked.extend(self.overlay.live(*leaf).filter(|live| live.links > 1).map(|_| *leaf));
                }
                Node::Leaf { .. } | Node::Whiteout { .. } => {}
            }
        }
    }

    /// What of a directory differs: an empty one where nothing in it does.
    fn dir(&self, older: Option<&Dir<Leaf>>, newer: &Dir<InodeId>) -> Dir<InodeId> {
        let mut kept = Dir::new(Arc::clone(&newer.origin), newer.id, newer.metadata.clone());
        for entry in newer.entries().iter() {
            let before = before(older, &entry.name);
            let node = match &entry.node {
                Node::Dir { dir, .. } => self.child(before, dir),
                Node::Leaf { leaf, .. } => {
                    let is_kept = self.linked.contains(leaf) || self.differs(before, *leaf);
                    is_kept.then(|| Node::leaf(*leaf))
                }
                Node::Whiteout { .. } => None,
            };
            if let Some(node) = node {
                kept.put(Arc::clone(&entry.name), node);
            }
        }
        hide(older, newer, &mut kept);
        kept
    }

    fn child(&self, before: Option<&Node<Leaf>>, dir: &Dir<InodeId>) -> Option<Node<InodeId>> {
        let kept = self.dir(as_dir(before), dir);
        let is_same = look_of(before).is_some_and(|older| !Look::of_dir(dir).differs_in_form(&older));
        let is_empty = kept.entries().iter().next().is_none();
        (!(is_same && is_empty)).then(|| Node::dir(kept))
    }

    fn differs(&self, before: Option<&Node<Leaf>>, leaf: InodeId) -> bool {
        let Some(live) = self.overlay.live(leaf) else {
            return false;
        };
        let newer = Look::of_leaf(&live.metadata, &live.kind);
        look_of(before).is_none_or(|older| newer.differs_in_form(&older) || is_other(&newer, &older))
    }
}

/// Whether two files of the same form were written at different times, or, where both say whole seconds, are others.
fn is_other(newer: &Look<'_>, older: &Look<'_>) -> bool {
    let (new, old): (Timestamp, Timestamp) = (newer.metadata.mtime(), older.metadata.mtime());
    new != old || (new.nanos == 0 && newer.says_other(older))
}

/// Marks what the older directory had and the newer one has not.
fn hide(older: Option<&Dir<Leaf>>, newer: &Dir<InodeId>, kept: &mut Dir<InodeId>) {
    let is_shown = |name: &[u8]| newer.get(name).is_some_and(Node::is_visible);
    match older {
        Some(older) if newer.is_opaque => {
            for name in visible_names(older).filter(|name| !is_shown(name)) {
                kept.put(Arc::clone(name), Node::whiteout());
            }
        }
        _ => {
            for name in marked_names(newer).filter(|name| before(older, name).is_some()) {
                kept.put(Arc::clone(name), Node::whiteout());
            }
        }
    }
}

fn before<'t>(older: Option<&'t Dir<Leaf>>, name: &[u8]) -> Option<&'t Node<Leaf>> {
    older.and_then(|dir| dir.get(name)).filter(|node| node.is_visible())
}

fn as_dir(node: Option<&Node<Leaf>>) -> Option<&Dir<Leaf>> {
    node.and_then(Node::as_dir).map(|dir| &**dir)
}
