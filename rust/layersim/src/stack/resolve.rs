//! Resolving a path in a union as the kernel walks it: component by component, through symbolic links.

use std::marker::PhantomData;
use std::sync::Arc;

use super::Stack;
use super::trail::{Merged, Step, Trail};
use crate::error::{Errno, Error, Result};
use crate::path::{self, NAME_MAX};
use crate::tree::{Dir, Kind, Leaf};

/// What a path names.
#[derive(Debug, Clone, Copy)]
pub enum Resolved<'tree> {
    /// A directory.
    Dir(&'tree Arc<Dir<Leaf>>),
    /// Anything else.
    Leaf(&'tree Leaf),
}

/// A walk on its way.
struct Walk<'tree, 'path, T> {
    trail: T,
    /// What is left of the path, in reverse.
    wanted: Vec<Part<'path>>,
    links: usize,
    tree: PhantomData<&'tree ()>,
}

#[derive(Clone, Copy)]
enum Part<'path> {
    Name(&'path [u8]),
    /// A slash at the end: what comes before it is a directory.
    Slash,
}

impl Stack {
    /// Finds what `path` names; a link at its end is followed only if `follow`.
    ///
    /// # Errors
    /// [`Error::System`] with the errno and the precedence of spec/overlay.md section 6.
    pub fn resolve(&self, path: &[u8], follow: bool) -> Result<Resolved<'_>> {
        walk(&mut Merged::new(self.root()), path, follow)
    }

    /// How many lookups in single layers the kernel makes for `lstat(path)`, whether it finds it or not.
    pub fn probes(&self, path: &[u8]) -> u32 {
        let mut trail = Merged::new(self.root());
        walk(&mut trail, path, false).map_or_else(|_| trail.probes(), |_| trail.probes())
    }
}

/// Walks a path along a trail from its start.
pub(super) fn walk<'tree, T: Trail<'tree>>(trail: &mut T, path: &[u8], follow: bool) -> Result<Resolved<'tree>> {
    path::check(path)?;
    if path.is_empty() {
        return Err(Error::system(Errno::ENOENT, path));
    }
    let mut walk = Walk { trail, wanted: Vec::new(), links: 0, tree: PhantomData };
    walk.want(path);
    walk.run(follow).map_err(|errno| Error::system(errno, path))
}

impl<'tree: 'path, 'path, T: Trail<'tree>> Walk<'tree, 'path, &mut T> {
    fn want(&mut self, path: &'path [u8]) {
        if path.ends_with(b"/") || path.ends_with(b"/.") {
            self.wanted.push(Part::Slash);
        }
        self.wanted.extend(path::components(path).rev().map(Part::Name));
    }

    fn run(&mut self, follow: bool) -> std::result::Result<Resolved<'tree>, Errno> {
        while let Some(part) = self.wanted.pop() {
            let Part::Name(name) = part else { continue };
            if name == b".." {
                self.trail.leave();
                continue;
            }
            if name.len() > NAME_MAX {
                return Err(Errno::ENAMETOOLONG);
            }
            match self.trail.step(name) {
                Step::Nothing => return Err(Errno::ENOENT),
                Step::Entered => {}
                Step::Leaf(leaf) => {
                    if let Some(leaf) = self.leaf(leaf, follow)? {
                        return Ok(Resolved::Leaf(leaf));
                    }
                }
            }
        }
        Ok(Resolved::Dir(self.trail.here()))
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
            self.trail.restart();
        }
        self.want(target);
        Ok(None)
    }
}
