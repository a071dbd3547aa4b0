//! Redirects: a directory of the layers is renamed by a note of where they have it (`redirect_dir=on`).

use std::sync::Arc;

use super::resolve::{Outcome, Pair, Seen, about};
use super::upper::Site;
use super::{InodeId, Overlay};
use crate::error::{Errno, Result};
use crate::path;
use crate::tree::{Dir, Leaf, Name, Node, Redirect};

/// The longest path that a note can say.
const REDIRECT_MAX: usize = 256;
/// How the upper directory spells the marks of its directories.
const OPAQUE: &str = "trusted.overlay.opaque";
const REDIRECT: &str = "trusted.overlay.redirect";

impl Overlay {
    /// The attributes by which a directory of the top hides the layers, or shows another directory of them.
    ///
    /// # Errors
    /// As [`Overlay::upper_lstat`].
    pub fn upper_marks(&self, path: &[u8]) -> Result<Vec<(&'static str, Vec<u8>)>> {
        self.upper_lstat(path)?;
        about(path, || {
            let Some(dir) = self.upper_dir(path::components(path)) else {
                return Ok(Vec::new());
            };
            let opaque = dir.is_opaque.then(|| (OPAQUE, b"y".to_vec()));
            let redirect = dir.redirect.as_ref().map(|redirect| (REDIRECT, redirect.text()));
            Ok(opaque.into_iter().chain(redirect).collect())
        })
    }

    fn upper_dir<'p>(&self, mut path: impl Iterator<Item = &'p [u8]>) -> Option<&Dir<InodeId>> {
        path.try_fold(self.upper_root()?, |dir, name| dir.get(name).and_then(Node::as_dir).map(|dir| &**dir))
    }

    /// Copies a directory of the layers up, and notes in it where they have it: what comes before its move to `parent`.
    ///
    /// `EXDEV` where the note would be too long; the copy stays.
    pub(super) fn redirect(&mut self, from: &[Name], parent: &[Name]) -> Outcome<()> {
        let path = self.lower_path(from);
        let leaves_parent = from.split_last().is_none_or(|(_, old)| old != parent);
        let mut site = self.site(parent)?;
        site.dir.is_impure |= leaves_parent;
        site = self.site(from)?;
        let Site { dir, below: Some(below) } = site else {
            return Ok(());
        };
        if dir.redirect.as_ref().is_some_and(|noted| noted.is_absolute || !leaves_parent) {
            return Ok(());
        }
        let redirect = Redirect { path, is_absolute: leaves_parent, below };
        if redirect.text().len() > REDIRECT_MAX {
            return Err(Errno::EXDEV);
        }
        dir.redirect = Some(Arc::new(redirect));
        Ok(())
    }

    /// Where the layers have what they show at a real path.
    pub(super) fn lower_path(&self, path: &[Name]) -> Arc<[Name]> {
        if !self.options.redirects {
            return path.into();
        }
        let (mut upper, mut lower) = (self.upper_root(), Vec::new());
        for name in path {
            lower.push(Name::clone(name));
            upper = upper.and_then(|dir| dir.get(name)).and_then(Node::as_dir).map(|dir| &**dir);
            if let Some(redirect) = upper.and_then(|dir| dir.redirect.as_ref()) {
                lower = redirect.path.to_vec();
            }
        }
        lower.into()
    }

    /// A directory of the layers as it is seen now, wherever it or one above it was renamed to.
    pub(super) fn seen_below(&self, path: &[Name], below: &Arc<Dir<Leaf>>) -> Option<Pair<'_>> {
        let mut starts = vec![(&[] as &[Name], self.root_pair())];
        self.upper_root().into_iter().for_each(|root| gather(root, &mut starts));
        let mut reached = starts.into_iter().filter_map(|(start, pair)| pair.descend(path.strip_prefix(start)?));
        reached.find(|pair| pair.lower.is_some_and(|lower| Arc::ptr_eq(lower, below)))
    }
}

impl Pair<'_> {
    /// The directory at a path below.
    fn descend(self, path: &[Name]) -> Option<Self> {
        path.iter().try_fold(self, |pair, name| match pair.child(name) {
            Seen::Dir(pair) => Some(pair),
            _ => None,
        })
    }
}

/// All renamed directories with their paths in the layers.
fn gather<'t>(dir: &'t Dir<InodeId>, found: &mut Vec<(&'t [Name], Pair<'t>)>) {
    for dir in dir.entries().iter().filter_map(|entry| entry.node.as_dir()) {
        if let Some(redirect) = &dir.redirect {
            found.push((&redirect.path, Pair { upper: Some(dir), lower: Some(&redirect.below) }));
        }
        gather(dir, found);
    }
}
