//! Paths that lead through several file systems, as through the mounts of a container: each overlay walks its own part.

use super::mounts::{Mounted, Points};
use super::open;
use super::resolve::{Outcome, Pair, Seen, Walk};
use super::{Credentials, Overlay};
use crate::error::{Errno, Result};
use crate::path;
use crate::tree::Name;

/// What a call does with the last component of its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ends {
    /// It asks for what is there; a link is followed if it says so.
    Found(bool),
    /// It makes or removes the name itself.
    Name,
    /// It makes a file: the name itself, or the one that a link leads to.
    Landing,
}

/// Why an overlay does not walk on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// What is left is for this overlay alone.
    End,
    /// Here another one is mounted.
    Into(usize),
    /// The path leads up, out of the root.
    Up,
    /// A link leads to the root of all.
    Top,
}

/// A path on its way.
#[derive(Debug)]
pub struct Journey {
    /// The overlay that it has come to.
    pub(super) here: Mounted,
    /// The directory there, without links.
    path: Vec<Name>,
    /// What is left, in reverse; an empty name is a slash at the end.
    wanted: Vec<Name>,
    links: usize,
    ends: Ends,
    /// Who is on the way.
    credentials: Credentials,
    /// Why it goes no further, if it does not reach its end.
    pub(super) fault: Option<Errno>,
}

/// The edges of one overlay among several.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds<'t> {
    points: &'t Points,
    here: Mounted,
}

impl Ends {
    /// How `open(2)` with these flags takes a path.
    pub fn of_open(flags: i32) -> Self {
        open::ends(flags)
    }
}

impl Bounds<'_> {
    pub fn mounted(self, path: &[Name]) -> Option<usize> {
        self.points.mounted(self.here, path)
    }

    /// Whether this overlay is mounted in another one.
    pub fn is_inner(self) -> bool {
        self.here.is_some()
    }
}

impl Journey {
    /// A path from the root of all.
    ///
    /// # Errors
    /// As every call says of a path that the system does not take.
    pub fn of(path: &[u8], ends: Ends, credentials: &Credentials) -> Result<Self> {
        path::check(path)?;
        let mut wanted = Vec::new();
        want(&mut wanted, path);
        let credentials = credentials.clone();
        Ok(Self { here: None, path: Vec::new(), wanted, links: 0, ends, credentials, fault: None })
    }

    /// Goes on from a directory of another overlay.
    pub(super) fn go_on(&mut self, (here, path): (Mounted, Vec<Name>)) {
        (self.here, self.path) = (here, path);
    }

    /// Whether it came to its end, or why not.
    pub(super) fn reached(&self) -> Outcome<()> {
        self.fault.map_or(Ok(()), Err)
    }

    /// What is left of the path, from the root of the overlay that it has come to; no link and no mount is on the way.
    pub(super) fn rest(&self) -> Vec<u8> {
        let mut rest = Vec::new();
        for name in self.path.iter().chain(self.wanted.iter().rev()) {
            rest.push(b'/');
            rest.extend_from_slice(name);
        }
        if rest.is_empty() { b"/".to_vec() } else { rest }
    }

    /// The directory that was found missing: with those above it the path from the root of its overlay.
    pub(super) fn missing(&self) -> Vec<u8> {
        let names: Vec<&[u8]> = self.path.iter().chain(self.wanted.last()).map(|name| &**name).collect();
        [b"/", names.join(&b'/').as_slice()].concat()
    }

    /// What the path names where it has ended, without the slash at its end.
    pub(super) fn named(&self) -> Vec<Name> {
        let left = self.wanted.iter().rev().filter(|name| !name.is_empty());
        self.path.iter().chain(left).cloned().collect()
    }
}

impl Overlay {
    /// Walks a path as far as it leads through this overlay. Of its errors only `ELOOP` comes from here: for the others the
    /// journey ends, and the call that takes the rest of it finds them in its own order.
    pub(super) fn travel(&self, journey: &mut Journey, points: &Points) -> Outcome<Stop> {
        let (ends, bounds) = (journey.ends, Bounds { points, here: journey.here });
        let Some(mut walk) = Walk::resumed(self, journey, bounds) else {
            journey.fault = Some(Errno::ENOENT);
            return Ok(Stop::End);
        };
        let stop = walk.travel(ends);
        let went = (walk.path, walk.wanted, walk.links);
        (journey.path, journey.wanted, journey.links) = went;
        match stop {
            Err(errno) if errno != Errno::ELOOP => {
                journey.fault = Some(errno);
                Ok(Stop::End)
            }
            stop => stop,
        }
    }
}

impl<'t> Walk<'t> {
    /// A walk that goes on; nothing where its directory has gone meanwhile.
    fn resumed(overlay: &'t Overlay, journey: &'t Journey, bounds: Bounds<'t>) -> Option<Self> {
        let mut pairs: Vec<Pair<'t>> = vec![overlay.root_pair()];
        for name in &journey.path {
            let Seen::Dir(pair) = pairs.last()?.child(name) else {
                return None;
            };
            pairs.push(pair);
        }
        let (path, wanted) = (journey.path.clone(), journey.wanted.clone());
        let (credentials, links, bounds) = (&journey.credentials, journey.links, Some(bounds));
        Some(Self { overlay, credentials, path, pairs, wanted, links, bounds, exit: None })
    }

    fn travel(&mut self, ends: Ends) -> Outcome<Stop> {
        while let Some(part) = self.wanted.pop() {
            let is_kept = match ends {
                Ends::Found(_) => false,
                Ends::Name => self.is_done(),
                Ends::Landing => self.is_done() && !self.is_link(&part),
            };
            if is_kept && !part.is_empty() {
                self.wanted.push(part);
                self.search()?;
                break;
            }
            match self.step(&part, ends != Ends::Found(false)) {
                Err(errno) => {
                    self.wanted.push(part);
                    return Err(errno);
                }
                Ok(_) if self.exit.is_some() => break,
                // A slash stays: what it says of the name before it is for the call to find.
                Ok(_) if part.is_empty() => {
                    self.wanted.push(part);
                    break;
                }
                Ok(_) => {}
            }
        }
        Ok(self.exit.take().unwrap_or(Stop::End))
    }
}

/// Puts the components of a path before those that are wanted already.
pub(super) fn want(wanted: &mut Vec<Name>, path: &[u8]) {
    let parts = path.split(|byte| *byte == b'/').filter(|part| !part.is_empty());
    if path.ends_with(b"/") {
        wanted.push(Name::from([]));
    }
    wanted.extend(parts.rev().map(Name::from));
}
