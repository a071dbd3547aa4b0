//! The top without redirects, which no tar and no list of changes can tell: what is below a renamed directory is in it.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use super::Overlay;
use super::copy_up::public;
use super::resolve::below_of;
use super::upper::{InodeId, Live, Upper};
use crate::tree::{Dir, Inode, Leaf, Node};

type Below<'t> = Option<&'t Arc<Dir<Leaf>>>;

impl Overlay {
    /// The same union with nothing redirected; itself where nothing is.
    pub(crate) fn plain(&self) -> Cow<'_, Self> {
        let Some(upper) = self.upper.as_ref().filter(|_| self.options.redirects) else {
            return Cow::Borrowed(self);
        };
        let lower = Some(self.lower.root());
        let mut unfolding = Unfolding { upper: Upper::clone(upper), leaves: HashMap::new() };
        unfolding.upper.root = Arc::new(unfolding.dir(&upper.root, lower, lower));
        Cow::Owned(Self { upper: Some(Arc::new(unfolding.upper)), ..self.clone() })
    }
}

struct Unfolding {
    upper: Upper,
    /// Where inodes of the layers went, which may have several names.
    leaves: HashMap<*const Inode, InodeId>,
}

impl Unfolding {
    /// A directory of the top that shows `below`, at a place where the layers alone would show `there`.
    fn dir(&mut self, dir: &Dir<InodeId>, below: Below<'_>, there: Below<'_>) -> Dir<InodeId> {
        let is_there = matches!((below, there), (Some(below), Some(there)) if Arc::ptr_eq(below, there));
        let there = there.filter(|_| is_there);
        let mut plain = Dir::new(Arc::clone(&dir.origin), dir.id, dir.metadata.clone());
        plain.is_implicit = dir.is_implicit;
        plain.is_opaque = dir.is_opaque || (below.is_some() && !is_there);
        for entry in dir.entries().iter() {
            let named = |below: Below<'_>| below.and_then(|below| below.get(&entry.name)).cloned();
            let node = match &entry.node {
                Node::Dir { dir, .. } => {
                    let (below, there) = (named(below), named(there));
                    let there = there.as_ref().and_then(Node::as_dir).filter(|_| !dir.is_opaque);
                    Node::dir(self.dir(dir, below_of(dir, below.as_ref()), there))
                }
                Node::Whiteout { .. } if plain.is_opaque => continue,
                node => node.clone(),
            };
            plain.entries_mut().insert(Arc::clone(&entry.name), node);
        }
        if !is_there && let Some(below) = below {
            self.fill(&mut plain, below, Some(dir));
        }
        plain
    }

    /// Puts what a directory of the layers shows into one of the top, unless the one above it has a say in the name.
    fn fill(&mut self, plain: &mut Dir<InodeId>, below: &Dir<Leaf>, above: Option<&Dir<InodeId>>) {
        let is_free = |name: &[u8]| above.is_none_or(|above| above.get(name).is_none());
        for entry in below.entries().iter().filter(|entry| is_free(&entry.name)) {
            let node = match &entry.node {
                Node::Whiteout { .. } => continue,
                Node::Leaf { leaf, .. } => Node::leaf(self.leaf(leaf)),
                Node::Dir { dir, .. } => {
                    let id = self.upper.id();
                    let mut copy = Dir::new(Arc::clone(&self.upper.origin), id, public(&dir.metadata));
                    self.fill(&mut copy, dir, None);
                    Node::dir(copy)
                }
            };
            plain.entries_mut().insert(Arc::clone(&entry.name), node);
        }
    }

    fn leaf(&mut self, leaf: &Leaf) -> InodeId {
        let upper = &mut self.upper;
        let new = || upper.admit(Live { links: 0, ..Live::new(public(&leaf.metadata), leaf.kind.clone()) });
        let id = *self.leaves.entry(Arc::as_ptr(leaf)).or_insert_with(new);
        if let Ok(live) = self.upper.live_mut(id) {
            live.links += 1;
        }
        id
    }
}
