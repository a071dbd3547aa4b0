//! Renaming (spec/overlay.md section 4): the checks in the kernel's order, then the move within the top.

use super::copy_up::Bytes;
use super::credentials::WRITE;
use super::resolve::{Outcome, Seen, Target, about, check_len};
use super::{Caller, Credentials, Overlay};
use crate::error::{Errno, Result};
use crate::path::DEPTH_MAX;
use crate::tree::{Dir, Leaf, Name, Node};

/// A rename that has passed its checks.
struct Move {
    from: (Vec<Name>, Name),
    to: (Vec<Name>, Name),
    /// Whether a directory that arrives must hide what is below it.
    into_merged: bool,
    /// A lower file that is to be copied up first.
    lower: Option<Leaf>,
    /// Whether it is a directory that the layers have a part in.
    is_merged: bool,
}

impl Overlay {
    /// Renames `source` to `path`, replacing what is there.
    ///
    /// # Errors
    /// [`crate::Error::System`] as the kernel, about both.
    pub fn rename(&mut self, source: &[u8], path: &[u8], caller: &Caller) -> Result<()> {
        self.rename_unless(false, source, path, caller)
    }

    /// The same, which `is_busy` refuses: something is mounted at one of the two.
    ///
    /// # Errors
    /// As [`Overlay::rename`], and `EBUSY`.
    pub fn rename_unless(&mut self, is_busy: bool, source: &[u8], path: &[u8], caller: &Caller) -> Result<()> {
        crate::path::check_text(path)?;
        about(source, || match self.checked(source, path, is_busy, &caller.credentials)? {
            Some(checked) => self.carry_out(checked, caller),
            None => Ok(()),
        })
        .map_err(|error| error.of_both(source, path))
    }

    /// The move, or nothing where both names are of one inode.
    fn checked(
        &mut self,
        source: &[u8],
        path: &[u8],
        is_busy: bool,
        credentials: &Credentials,
    ) -> Outcome<Option<Move>> {
        let Some((from, to)) = self.both(source, path, credentials)? else {
            return Ok(None);
        };
        let into_merged = to.pair.is_merged();
        self.may_rename(&from, &to, credentials)?;
        if is_busy {
            return Err(Errno::EBUSY);
        }
        let is_merged = matches!(from.seen, Seen::Dir(pair) if pair.is_merged());
        if is_merged && !self.options.redirects {
            return Err(Errno::EXDEV);
        }
        check_depth(&from, &to)?;
        if let (Seen::Dir(_), Seen::Dir(there)) = (from.seen, to.seen)
            && !there.looks_empty()
        {
            if there.is_merged() {
                return Err(Errno::ENOTEMPTY);
            }
            let (path, parent) = (join(&from), to.parent);
            return self.refuse_full(&path, &parent, is_merged, into_merged);
        }
        let lower = if let Seen::Lower(leaf) = from.seen { Some(Leaf::clone(leaf)) } else { None };
        Ok(Some(Move { from: (from.parent, from.name), to: (to.parent, to.name), into_merged, lower, is_merged }))
    }

    /// What stands at both paths, in the order in which the kernel looks; nothing where both are one inode.
    fn both<'t>(
        &'t self,
        source: &[u8],
        path: &[u8],
        credentials: &'t Credentials,
    ) -> Outcome<Option<(Target<'t>, Target<'t>)>> {
        let from = self.spot(source, credentials)?;
        check_len(path)?;
        let to = self.spot(path, credentials)?;
        let from = from.target().map_err(|_| Errno::EBUSY)?;
        let to = to.target().map_err(|_| Errno::EBUSY)?;
        self.check_writable()?;
        let from = from?;
        if matches!(from.seen, Seen::Absent) {
            return Err(Errno::ENOENT);
        }
        let to = to?;
        let (old, new) = (join(&from), join(&to));
        if !matches!(from.seen, Seen::Dir(_)) && (from.slash || to.slash) {
            return Err(Errno::ENOTDIR);
        }
        if to.parent.starts_with(&old) {
            return Err(Errno::EINVAL);
        }
        if from.parent.starts_with(&new) {
            return Err(Errno::ENOTEMPTY);
        }
        let is_one = old == new || is_one_inode(from.seen, to.seen);
        Ok((!is_one).then_some((from, to)))
    }

    /// Refuses what the two directories do not grant, then what cannot replace the other, then a new `..` of a directory.
    fn may_rename(&self, from: &Target<'_>, to: &Target<'_>, credentials: &Credentials) -> Outcome<()> {
        self.may_delete(from, credentials)?;
        match to.seen {
            Seen::Absent => credentials.may_create(to.pair)?,
            _ => self.may_delete(to, credentials)?,
        }
        check_kinds(from, to)?;
        match from.seen {
            Seen::Dir(pair) if from.parent != to.parent => credentials.may(pair.metadata()?, WRITE),
            _ => Ok(()),
        }
    }

    /// The kernel marks the source opaque before the upper file system finds the target not empty.
    fn refuse_full(
        &mut self,
        from: &[Name],
        parent: &[Name],
        is_merged: bool,
        into_merged: bool,
    ) -> Outcome<Option<Move>> {
        if is_merged {
            self.redirect(from, parent)?;
        } else if into_merged {
            self.site(from)?.dir.is_opaque = true;
        }
        Err(Errno::ENOTEMPTY)
    }

    fn carry_out(&mut self, checked: Move, caller: &Caller) -> Outcome<()> {
        let Move { from: (from_parent, from_name), to: (to_parent, to_name), into_merged, lower, is_merged } = checked;
        if let Some(leaf) = lower {
            let path: Vec<Name> = from_parent.iter().chain([&from_name]).cloned().collect();
            self.copy_up(&path, &leaf, Bytes::Shared)?;
        }
        if is_merged {
            self.redirect(&[from_parent.as_slice(), &[Name::clone(&from_name)]].concat(), &to_parent)?;
        }
        self.site(&to_parent)?;
        let mut site = self.site(&from_parent)?;
        let mut node = site.dir.get(&from_name).cloned().ok_or(Errno::ENOENT)?;
        if site.take(&from_name, caller.now) {
            self.upper_mut().whiteout_mtime.get_or_insert(caller.now);
        }
        if let Node::Dir { dir, .. } = &mut node
            && into_merged
            && !is_merged
        {
            std::sync::Arc::make_mut(dir).is_opaque = true;
        }
        let mut site = self.site(&to_parent)?;
        let replaced = site.dir.get(&to_name).cloned();
        let moved = node.as_leaf().copied();
        site.put(&to_name, node, caller.now);
        if let Some(node) = replaced {
            self.release(&node);
        }
        if let Some(id) = moved {
            self.receive(&to_parent, id)?;
        }
        Ok(())
    }
}

/// Refuses what cannot replace the other.
fn check_kinds(from: &Target<'_>, to: &Target<'_>) -> Outcome<()> {
    match (from.seen, to.seen) {
        (Seen::Dir(_), Seen::Upper(_) | Seen::Lower(_)) => Err(Errno::ENOTDIR),
        (Seen::Upper(_) | Seen::Lower(_), Seen::Dir(_)) => Err(Errno::EISDIR),
        _ => Ok(()),
    }
}

/// Refuses directories that would be too deep. What does not go down stays as deep as it was.
fn check_depth(from: &Target<'_>, to: &Target<'_>) -> Outcome<()> {
    match from.seen {
        Seen::Dir(pair) if to.parent.len() > from.parent.len() => {
            let (upper, lower) = (pair.upper.map_or(0, depth_of), pair.lower.map_or(0, |dir| depth_of(dir)));
            let is_too_deep = upper.max(lower) + to.parent.len() > DEPTH_MAX;
            if is_too_deep { Err(Errno::ENAMETOOLONG) } else { Ok(()) }
        }
        _ => Ok(()),
    }
}

fn join(target: &Target<'_>) -> Vec<Name> {
    target.parent.iter().chain([&target.name]).cloned().collect()
}

fn is_one_inode(from: Seen<'_>, to: Seen<'_>) -> bool {
    matches!((from, to), (Seen::Upper(from), Seen::Upper(to)) if from == to)
}

/// How many directories are below one another, itself counted.
pub(super) fn depth_of<L>(dir: &Dir<L>) -> usize {
    let children = dir.entries().iter().filter_map(|entry| entry.node.as_dir());
    let inner = 1 + children.map(|dir| depth_of(dir)).max().unwrap_or(0);
    dir.redirect.as_ref().map_or(inner, |redirect| inner.max(depth_of(&redirect.below)))
}
