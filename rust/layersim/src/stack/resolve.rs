//! Resolving a path in a merged tree as the kernel walks it: component by component, through symbolic links.

use std::sync::Arc;

use super::Stack;
use crate::error::{Errno, Error, Result};
use crate::path::{self, NAME_MAX};
use crate::tree::{Dir, Kind, Leaf, Node};

/// What a path names.
#[derive(Debug, Clone, Copy)]
pub enum Resolved<'tree> {
    /// A directory.
    Dir(&'tree Arc<Dir<Leaf>>),
    /// Anything else.
    Leaf(&'tree Leaf),
}

/// A walk on its way.
struct Walk<'tree> {
    /// The directories from the root down to the current one.
    dirs: Vec<&'tree Arc<Dir<Leaf>>>,
    /// What is left of the path, in reverse.
    wanted: Vec<Part>,
    links: usize,
    probes: u32,
}

enum Part {
    Name(Arc<[u8]>),
    /// A slash at the end: what comes before it is a directory.
    Slash,
}

impl Stack {
    /// Finds what `path` names; a link at its end is followed only if `follow`.
    ///
    /// # Errors
    /// [`Error::System`] with the errno and the precedence of spec/overlay.md section 6.
    pub fn resolve(&self, path: &[u8], follow: bool) -> Result<Resolved<'_>> {
        path::check(path)?;
        self.walk_to(path, follow).0.map_err(|errno| Error::system(errno, path))
    }

    /// How many lookups in single layers the kernel makes for `lstat(path)`, whether it finds it or not.
    pub fn probes(&self, path: &[u8]) -> u32 {
        if path::check(path).is_err() {
            return 0;
        }
        self.walk_to(path, false).1
    }

    fn walk_to(&self, path: &[u8], follow: bool) -> (std::result::Result<Resolved<'_>, Errno>, u32) {
        let mut walk = Walk { dirs: vec![self.root()], wanted: Vec::new(), links: 0, probes: 0 };
        if path.is_empty() {
            return (Err(Errno::ENOENT), 0);
        }
        walk.want(path);
        let result = walk.run(follow);
        (result, walk.probes)
    }
}

impl<'tree> Walk<'tree> {
    fn want(&mut self, path: &[u8]) {
        if path.ends_with(b"/") || path.ends_with(b"/.") {
            self.wanted.push(Part::Slash);
        }
        self.wanted.extend(path::components(path).rev().map(|part| Part::Name(Arc::from(part))));
    }

    fn here(&self) -> &'tree Arc<Dir<Leaf>> {
        self.dirs[self.dirs.len() - 1]
    }

    fn run(&mut self, follow: bool) -> std::result::Result<Resolved<'tree>, Errno> {
        while let Some(part) = self.wanted.pop() {
            let Part::Name(name) = part else { continue };
            if *name == *b".." {
                self.dirs.truncate(self.dirs.len().saturating_sub(1).max(1));
                continue;
            }
            match self.look_up(&name)? {
                Node::Dir { dir, .. } => self.dirs.push(dir),
                Node::Leaf { leaf, .. } => {
                    if let Some(leaf) = self.leaf(leaf, follow)? {
                        return Ok(Resolved::Leaf(leaf));
                    }
                }
                Node::Whiteout { .. } => return Err(Errno::ENOENT),
            }
        }
        Ok(Resolved::Dir(self.here()))
    }

    /// One component, counted as the kernel probes the members of the directory from the top.
    fn look_up(&mut self, name: &[u8]) -> std::result::Result<&'tree Node<Leaf>, Errno> {
        if name.len() > NAME_MAX {
            return Err(Errno::ENAMETOOLONG);
        }
        let dir = self.here();
        let node = dir.get(name);
        self.probes += u32::from(dir.members - node.map_or(0, Node::stop));
        node.ok_or(Errno::ENOENT)
    }

    /// A leaf at the end is the answer; a link on the way, or one that is followed, is replaced by its target.
    fn leaf(&mut self, leaf: &'tree Leaf, follow: bool) -> std::result::Result<Option<&'tree Leaf>, Errno> {
        let Kind::Symlink(target) = &leaf.kind else {
            return if self.wanted.is_empty() { Ok(Some(leaf)) } else { Err(Errno::ENOTDIR) };
        };
        if self.wanted.is_empty() && !follow {
            return Ok(Some(leaf));
        }
        self.links += 1;
        if self.links > path::LINKS_MAX {
            return Err(Errno::ELOOP);
        }
        if target.first() == Some(&b'/') {
            self.dirs.truncate(1);
        }
        self.want(target);
        Ok(None)
    }
}
