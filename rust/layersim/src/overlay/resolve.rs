//! Finding what a path names in the union, with the kernel's errors in the kernel's order (spec/overlay.md sections 1 and 6).

use std::sync::Arc;

use super::Overlay;
use super::credentials::{Credentials, SEARCH};
use super::journey::{Bounds, Stop, want};
use super::upper::InodeId;
use crate::error::{Errno, Error, Result};
use crate::metadata::Metadata;
use crate::path::{self, LINKS_MAX, NAME_MAX, PATH_MAX};
use crate::tree::{Dir, Kind, Leaf, Name, Node};

/// A result whose error has no path yet.
pub type Outcome<T> = std::result::Result<T, Errno>;

/// A directory of the union: its member in the top, and the merged one below unless it is hidden. One of them is there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pair<'t> {
    pub upper: Option<&'t Dir<InodeId>>,
    pub lower: Option<&'t Arc<Dir<Leaf>>>,
}

/// What a name stands for in the union.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Seen<'t> {
    Absent,
    Dir(Pair<'t>),
    /// A leaf of the top.
    Upper(InodeId),
    /// A leaf of the layers.
    Lower(&'t Leaf),
}

/// Something that is there: its real path, without links, and what it is.
#[derive(Debug)]
pub(super) struct Found<'t> {
    pub path: Vec<Name>,
    pub seen: Seen<'t>,
}

/// How a path ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Last {
    Name(Name),
    Dot,
    DotDot,
    Root,
}

/// The directory that a path leads to, and what is to be found or made in it.
#[derive(Debug)]
pub(super) struct Spot<'t> {
    pub parent: Vec<Name>,
    pub pair: Pair<'t>,
    pub last: Last,
    /// Whether the path ends in a slash.
    pub slash: bool,
}

/// A spot whose last component is an ordinary name.
#[derive(Debug)]
pub(super) struct Target<'t> {
    pub parent: Vec<Name>,
    pub pair: Pair<'t>,
    pub name: Name,
    pub slash: bool,
    pub seen: Seen<'t>,
}

impl<'t> Pair<'t> {
    pub fn child(self, name: &[u8]) -> Seen<'t> {
        let below = self.lower.and_then(|dir| dir.get(name));
        match self.upper.and_then(|dir| dir.get(name)) {
            Some(Node::Whiteout { .. }) => Seen::Absent,
            Some(Node::Leaf { leaf, .. }) => Seen::Upper(*leaf),
            Some(Node::Dir { dir, .. }) => Seen::Dir(Pair { upper: Some(dir), lower: below_of(dir, below) }),
            None => match below {
                Some(Node::Dir { dir, .. }) => Seen::Dir(Pair { upper: None, lower: Some(dir) }),
                Some(Node::Leaf { leaf, .. }) => Seen::Lower(leaf),
                _ => Seen::Absent,
            },
        }
    }

    /// What the directory says of itself: that is what its topmost member says.
    pub fn metadata(self) -> Outcome<&'t Metadata> {
        let upper = self.upper.map(|dir| &dir.metadata);
        upper.or_else(|| self.lower.map(|dir| &dir.metadata)).ok_or(Errno::ENOENT)
    }

    /// Whether `readdir` shows nothing.
    pub fn looks_empty(self) -> bool {
        let shown_above = self.upper.is_some_and(|dir| dir.entries().iter().any(|entry| entry.node.is_visible()));
        let hidden = |name: &[u8]| self.upper.is_some_and(|dir| dir.get(name).is_some());
        let shows_below = |dir: &Arc<Dir<Leaf>>| {
            !dir.looks_empty() && dir.entries().iter().any(|entry| entry.node.is_visible() && !hidden(&entry.name))
        };
        !shown_above && !self.lower.is_some_and(shows_below)
    }

    /// Whether the layers have a part in it.
    pub fn is_merged(self) -> bool {
        self.lower.is_some()
    }
}

/// What is below a directory of the top, where the layers have `below` under its name.
pub(crate) fn below_of<'t>(dir: &'t Dir<InodeId>, below: Option<&'t Node<Leaf>>) -> Option<&'t Arc<Dir<Leaf>>> {
    let named = || below.and_then(Node::as_dir).filter(|_| !dir.is_opaque);
    dir.redirect.as_ref().map(|redirect| &redirect.below).or_else(named)
}

/// A walk on its way.
pub(super) struct Walk<'t> {
    pub overlay: &'t Overlay,
    pub credentials: &'t Credentials,
    pub path: Vec<Name>,
    pub pairs: Vec<Pair<'t>>,
    /// What is left of the path, in reverse; an empty name is a slash at the end.
    pub wanted: Vec<Name>,
    pub links: usize,
    /// Where this overlay ends, if it is one of several.
    pub bounds: Option<Bounds<'t>>,
    /// Where the path leads out of it.
    pub exit: Option<Stop>,
}

impl<'t> Walk<'t> {
    fn new(overlay: &'t Overlay, path: &[u8], credentials: &'t Credentials) -> Self {
        let mut wanted = Vec::new();
        want(&mut wanted, path);
        let pairs = vec![overlay.root_pair()];
        Self { overlay, credentials, path: Vec::new(), pairs, wanted, links: 0, bounds: None, exit: None }
    }

    fn here(&self) -> Pair<'t> {
        self.pairs[self.pairs.len() - 1]
    }

    pub fn is_done(&self) -> bool {
        self.wanted.iter().all(|part| part.is_empty())
    }

    /// Whether a link is next, and no slash after it.
    pub fn is_link(&self, part: &Name) -> bool {
        self.wanted.is_empty() && self.overlay.link_target(self.here().child(part)).is_some()
    }

    /// Refuses to look anything up in this directory.
    pub fn search(&self) -> Outcome<()> {
        if self.credentials.is_root() { Ok(()) } else { self.credentials.may(self.here().metadata()?, SEARCH) }
    }

    /// Takes one component. A leaf that is the end comes back.
    pub fn step(&mut self, part: &Name, follow: bool) -> Outcome<Option<Seen<'t>>> {
        if part.is_empty() {
            return Ok(None);
        }
        self.search()?;
        match &**part {
            b"." => return Ok(None),
            b".." => {
                if self.path.is_empty() && self.is_inner() {
                    self.exit = Some(Stop::Up);
                }
                self.path.pop();
                self.pairs.truncate(self.pairs.len().saturating_sub(1).max(1));
                return Ok(None);
            }
            _ => {}
        }
        if part.len() > NAME_MAX {
            return Err(Errno::ENAMETOOLONG);
        }
        let seen = self.here().child(part);
        match seen {
            Seen::Absent => Err(Errno::ENOENT),
            Seen::Dir(pair) => {
                self.path.push(Arc::clone(part));
                self.pairs.push(pair);
                self.exit = self.bounds.and_then(|bounds| bounds.mounted(&self.path)).map(Stop::Into);
                Ok(None)
            }
            Seen::Upper(_) | Seen::Lower(_) => self.leaf(part, seen, follow),
        }
    }

    fn leaf(&mut self, part: &Name, seen: Seen<'t>, follow: bool) -> Outcome<Option<Seen<'t>>> {
        let is_end = self.wanted.is_empty();
        let Some(target) = self.overlay.link_target(seen) else {
            if !is_end {
                return Err(Errno::ENOTDIR);
            }
            self.path.push(Arc::clone(part));
            return Ok(Some(seen));
        };
        if is_end && !follow {
            self.path.push(Arc::clone(part));
            return Ok(Some(seen));
        }
        self.links += 1;
        if self.links > LINKS_MAX {
            return Err(Errno::ELOOP);
        }
        if target.first() == Some(&b'/') {
            self.path.clear();
            self.pairs.truncate(1);
            self.exit = self.is_inner().then_some(Stop::Top);
        }
        want(&mut self.wanted, target);
        Ok(None)
    }

    fn is_inner(&self) -> bool {
        self.bounds.is_some_and(Bounds::is_inner)
    }
}

impl Overlay {
    pub(super) fn root_pair(&self) -> Pair<'_> {
        Pair { upper: self.upper_root(), lower: Some(self.lower.root()) }
    }

    /// What a leaf is.
    pub(super) fn kind<'t>(&'t self, seen: Seen<'t>) -> Option<&'t Kind> {
        match seen {
            Seen::Upper(id) => self.live(id).map(|live| &live.kind),
            Seen::Lower(leaf) => Some(&leaf.kind),
            _ => None,
        }
    }

    /// The target of a leaf that is a symbolic link.
    pub(super) fn link_target<'t>(&'t self, seen: Seen<'t>) -> Option<&'t [u8]> {
        match self.kind(seen)? {
            Kind::Symlink(target) => Some(target),
            _ => None,
        }
    }

    /// Finds what a path names; a link at its end is followed only if `follow`, or if a slash comes after it.
    pub(super) fn find<'t>(&'t self, path: &[u8], follow: bool, credentials: &'t Credentials) -> Outcome<Found<'t>> {
        if path.is_empty() {
            return Err(Errno::ENOENT);
        }
        let mut walk = Walk::new(self, path, credentials);
        while let Some(part) = walk.wanted.pop() {
            if let Some(seen) = walk.step(&part, follow)? {
                return Ok(Found { path: walk.path, seen });
            }
        }
        let seen = Seen::Dir(walk.here());
        Ok(Found { path: walk.path, seen })
    }

    /// Finds the directory that holds the last component.
    pub(super) fn spot<'t>(&'t self, path: &[u8], credentials: &'t Credentials) -> Outcome<Spot<'t>> {
        self.landing(path, false, credentials)
    }

    /// The same, where the path ends after its last link, if `follow`: what a file that is created becomes.
    pub(super) fn landing<'t>(&'t self, path: &[u8], follow: bool, credentials: &'t Credentials) -> Outcome<Spot<'t>> {
        if path.is_empty() {
            return Err(Errno::ENOENT);
        }
        let mut walk = Walk::new(self, path, credentials);
        let last = loop {
            match walk.wanted.pop() {
                None => break Last::Root,
                Some(part) if part.is_empty() => {}
                Some(part) if walk.is_done() && !(follow && walk.is_link(&part)) => {
                    walk.search()?;
                    break Last::of(part);
                }
                Some(part) => {
                    walk.step(&part, true)?;
                }
            }
        };
        let (pair, slash) = (walk.here(), last == Last::Root || !walk.wanted.is_empty());
        Ok(Spot { parent: walk.path, pair, last, slash })
    }

    /// A spot in which something is to be made: whatever is there already is in the way.
    pub(super) fn vacancy<'t>(
        &'t self,
        path: &[u8],
        is_dir: bool,
        credentials: &'t Credentials,
    ) -> Outcome<Target<'t>> {
        let spot = self.spot(path, credentials)?;
        let target = spot.target().map_err(|_| Errno::EEXIST)??;
        match target.seen {
            Seen::Absent if target.slash && !is_dir => Err(Errno::ENOENT),
            Seen::Absent => self.check_writable().map(|()| target),
            _ => Err(Errno::EEXIST),
        }
    }
}

impl Last {
    fn of(part: Name) -> Self {
        match &*part {
            b"." => Self::Dot,
            b".." => Self::DotDot,
            _ => Self::Name(part),
        }
    }
}

impl<'t> Spot<'t> {
    /// What is under the last component. The outer error is for a last component that is no ordinary name.
    pub fn target(self) -> std::result::Result<Outcome<Target<'t>>, Last> {
        let Self { parent, pair, last, slash } = self;
        match last {
            Last::Name(name) if name.len() > NAME_MAX => Ok(Err(Errno::ENAMETOOLONG)),
            Last::Name(name) => {
                let seen = pair.child(&name);
                Ok(Ok(Target { parent, pair, name, slash, seen }))
            }
            other => Err(other),
        }
    }
}

/// Refuses a second path where the kernel looks at it, after the first one.
pub(super) fn check_len(path: &[u8]) -> Outcome<()> {
    if path.len() >= PATH_MAX { Err(Errno::ENAMETOOLONG) } else { Ok(()) }
}

/// Checks a path as every call does first, runs the operation, and names the path in its error.
pub(super) fn about<T>(path: &[u8], work: impl FnOnce() -> Outcome<T>) -> Result<T> {
    path::check(path)?;
    work().map_err(|errno| Error::system(errno, path))
}
