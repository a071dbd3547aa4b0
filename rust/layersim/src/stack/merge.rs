//! Merging one layer onto a merged tree by the kernel's rules (spec/overlay.md section 1).
//!
//! Only the layer's own entries are walked: a directory that meets none below is taken over as it is, a mark hides one entry,
//! an opaque directory replaces one. What neither touches stays shared with the tree below.

use std::sync::Arc;

use crate::tree::{Dir, Leaf, Node};

/// The tree that shows `upper` over `lower`.
pub fn onto(lower: &Arc<Dir<Leaf>>, upper: &Arc<Dir<Leaf>>) -> Arc<Dir<Leaf>> {
    let top = lower.members;
    let mut merged = Dir::clone(lower);
    merged.origin = Arc::clone(&upper.origin);
    merged.id = upper.id;
    merged.metadata = upper.metadata.clone();
    merged.is_implicit = upper.is_implicit;
    merged.members = top.saturating_add(1);
    for entry in upper.entries().iter() {
        let node = over(merged.get(&entry.name), &entry.node, top);
        merged.put(Arc::clone(&entry.name), node);
    }
    Arc::new(merged)
}

/// What shows where `upper` meets `lower` in a directory whose topmost member is number `top`.
fn over(lower: Option<&Node<Leaf>>, upper: &Node<Leaf>, top: u16) -> Node<Leaf> {
    match (upper, lower) {
        (Node::Whiteout { .. }, _) => Node::Whiteout { stop: top },
        (Node::Leaf { leaf, .. }, _) => Node::Leaf { stop: top, leaf: Arc::clone(leaf) },
        (Node::Dir { dir, .. }, _) if dir.is_opaque => Node::Dir { stop: top, dir: Arc::clone(dir) },
        (Node::Dir { dir, .. }, Some(Node::Dir { stop, dir: below })) => {
            Node::Dir { stop: *stop, dir: onto(below, dir) }
        }
        (Node::Dir { dir, .. }, below) => Node::Dir { stop: below.map_or(0, Node::stop), dir: Arc::clone(dir) },
    }
}
