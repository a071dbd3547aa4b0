//! Where a walk has come to: in the merged tree, or in the trees of all layers side by side.

use std::sync::Arc;

use crate::tree::{Dir, Leaf, Node};

/// What a name led to.
pub(super) enum Step<'tree> {
    Nothing,
    /// A directory, which is the current one now.
    Entered,
    Leaf(&'tree Leaf),
}

/// The directories from the root down to the current one, and what was looked at on the way.
pub(super) trait Trail<'tree> {
    /// Looks a name up, and enters it if it is a directory.
    fn step(&mut self, name: &[u8]) -> Step<'tree>;
    /// Goes up by one directory; the root is its own parent.
    fn leave(&mut self);
    /// Goes back to the root.
    fn restart(&mut self);
    /// The current directory, with the metadata that it shows.
    fn here(&self) -> &'tree Arc<Dir<Leaf>>;
    /// How many lookups in single layers were made, or would have been.
    fn probes(&self) -> u32;
}

/// A trail in the merged tree: one lookup a name, and the kernel's lookups counted from what merging noted.
pub(super) struct Merged<'tree> {
    dirs: Vec<&'tree Arc<Dir<Leaf>>>,
    probes: u32,
}

/// A trail in the trees of all layers: each name is looked up in the members of a directory from the top, as overlayfs does
/// (spec/overlay.md section 1).
pub(super) struct Layered<'tree> {
    /// The members of all directories on the way, each directory's from the top.
    members: Vec<&'tree Arc<Dir<Leaf>>>,
    /// Where the members of each directory start.
    starts: Vec<usize>,
    probes: u32,
}

impl<'tree> Merged<'tree> {
    pub fn new(root: &'tree Arc<Dir<Leaf>>) -> Self {
        Self { dirs: vec![root], probes: 0 }
    }
}

impl<'tree> Trail<'tree> for Merged<'tree> {
    fn step(&mut self, name: &[u8]) -> Step<'tree> {
        let dir = self.here();
        let node = dir.get(name);
        self.probes += u32::from(dir.members - node.map_or(0, Node::stop));
        match node {
            Some(Node::Dir { dir, .. }) => {
                self.dirs.push(dir);
                Step::Entered
            }
            Some(Node::Leaf { leaf, .. }) => Step::Leaf(leaf),
            Some(Node::Whiteout { .. }) | None => Step::Nothing,
        }
    }

    fn leave(&mut self) {
        self.dirs.truncate(self.dirs.len().saturating_sub(1).max(1));
    }

    fn restart(&mut self) {
        self.dirs.truncate(1);
    }

    fn here(&self) -> &'tree Arc<Dir<Leaf>> {
        self.dirs[self.dirs.len() - 1]
    }

    fn probes(&self) -> u32 {
        self.probes
    }
}

impl<'tree> Layered<'tree> {
    /// A trail that starts at the roots of the layers, topmost first; of no layer, at `empty`.
    pub fn new(roots: &[&'tree Arc<Dir<Leaf>>], empty: &'tree Arc<Dir<Leaf>>) -> Self {
        let members = if roots.is_empty() { vec![empty] } else { roots.to_vec() };
        Self { members, starts: vec![0], probes: 0 }
    }

    /// Back to the root, with no probe counted.
    pub fn start_over(&mut self) {
        self.restart();
        self.probes = 0;
    }

    fn start(&self) -> usize {
        self.starts[self.starts.len() - 1]
    }
}

impl<'tree> Trail<'tree> for Layered<'tree> {
    fn step(&mut self, name: &[u8]) -> Step<'tree> {
        let end = self.members.len();
        for at in self.start()..end {
            self.probes += 1;
            match self.members[at].get(name) {
                None => {}
                Some(Node::Dir { dir, .. }) => {
                    self.members.push(dir);
                    if dir.is_opaque {
                        break;
                    }
                }
                Some(Node::Leaf { leaf, .. }) if self.members.len() == end => return Step::Leaf(leaf),
                Some(_) => break,
            }
        }
        if self.members.len() == end {
            return Step::Nothing;
        }
        self.starts.push(end);
        Step::Entered
    }

    fn leave(&mut self) {
        if self.starts.len() > 1 {
            self.members.truncate(self.start());
            self.starts.pop();
        }
    }

    fn restart(&mut self) {
        if let Some(first) = self.starts.get(1) {
            self.members.truncate(*first);
        }
        self.starts.truncate(1);
    }

    fn here(&self) -> &'tree Arc<Dir<Leaf>> {
        self.members[self.start()]
    }

    fn probes(&self) -> u32 {
        self.probes
    }
}
