//! Reading the union: what `stat`, `readlink`, `read`, `readdir` and `walk` show of it.

use super::credentials::{READ, SEARCH};
use super::handle::regular;
use super::resolve::{Outcome, Pair, Seen, about};
use super::upper::{InodeId, Live, Upper};
use super::{Credentials, Overlay};
use crate::error::{Errno, Result};
use crate::metadata::Metadata;
use crate::path::{self, NAME_MAX};
use crate::stack::{DIRECTORY_BITS, Stat, Walked};
use crate::tree::{Dir, Name, Node};

/// The type bits of the device that stands for a mark.
const CHARACTER_DEVICE: u32 = 0o020_000;

impl Overlay {
    /// What `path` names, a link at its end followed if `follow`.
    ///
    /// # Errors
    /// [`crate::Error::System`] as the kernel.
    pub fn stat(&self, path: &[u8], follow: bool, credentials: &Credentials) -> Result<Stat> {
        about(path, || self.stat_seen(self.find(path, follow, credentials)?.seen))
    }

    /// What the top alone holds under a path, no link followed. A mark is a character device 0/0.
    ///
    /// # Errors
    /// `ENOENT` where nothing was written, `ENOTDIR`, `ENAMETOOLONG`.
    pub fn upper_lstat(&self, path: &[u8]) -> Result<Stat> {
        about(path, || {
            if path.is_empty() {
                return Err(Errno::ENOENT);
            }
            let Some(upper) = &self.upper else {
                if self.options.is_read_only {
                    return Err(Errno::ENOENT);
                }
                let mut named = path::components(path);
                return if named.next().is_none() { self.stat_seen(self.seen_at(&[])?) } else { Err(Errno::ENOENT) };
            };
            upper.lstat(path)
        })
    }

    /// The target of a symbolic link.
    ///
    /// # Errors
    /// `EINVAL` for anything else, otherwise as the kernel.
    pub fn readlink(&self, path: &[u8], credentials: &Credentials) -> Result<Vec<u8>> {
        about(path, || {
            let found = self.find(path, false, credentials)?;
            self.link_target(found.seen).map(<[u8]>::to_vec).ok_or(Errno::EINVAL)
        })
    }

    /// All bytes of a file.
    ///
    /// # Errors
    /// `ENXIO` for sockets, pipes and devices, `ENOMEM` for a hole longer than memory, otherwise as the kernel.
    pub fn read_file(&self, path: &[u8], credentials: &Credentials) -> Result<Vec<u8>> {
        about(path, || {
            let seen = self.find(path, true, credentials)?.seen;
            credentials.may(self.metadata(seen)?, READ)?;
            let kind = self.kind(seen).ok_or(Errno::EISDIR)?;
            let content = regular(kind).ok_or(Errno::ENXIO)?;
            content.read(0..content.len())
        })
    }

    /// The names in a directory, sorted by their bytes.
    ///
    /// # Errors
    /// `ENOTDIR` for anything else, otherwise as the kernel.
    pub fn listdir(&self, path: &[u8], credentials: &Credentials) -> Result<Vec<Name>> {
        about(path, || {
            let pair = self.readable_dir(path, credentials)?;
            Ok(pair.list().into_iter().map(|(name, _)| Name::clone(name)).collect())
        })
    }

    /// A directory that may be listed.
    fn readable_dir<'t>(&'t self, path: &[u8], credentials: &'t Credentials) -> Outcome<Pair<'t>> {
        let Seen::Dir(pair) = self.find(path, true, credentials)?.seen else {
            return Err(Errno::ENOTDIR);
        };
        credentials.may(pair.metadata()?, READ).map(|()| pair)
    }

    /// The names in a directory, and whether each is one itself: of links nothing is said.
    pub(super) fn list_kinds(&self, path: &[u8], credentials: &Credentials) -> Result<Vec<(Name, Option<bool>)>> {
        let kind = |seen| self.link_target(seen).is_none().then_some(matches!(seen, Seen::Dir(_)));
        about(path, || {
            let pair = self.readable_dir(path, credentials)?;
            Ok(pair.list().into_iter().map(|(name, seen)| (Name::clone(name), kind(seen))).collect())
        })
    }

    /// All directories from `path` down, parents first, each with its names, as `os.walk` shows them.
    ///
    /// # Errors
    /// As [`Overlay::listdir`].
    pub fn walk(&self, path: &[u8], credentials: &Credentials) -> Result<Vec<Walked>> {
        about(path, || {
            let pair = self.readable_dir(path, credentials)?;
            let mut walked = Vec::new();
            self.walk_below(pair, path, credentials, &mut walked);
            Ok(walked)
        })
    }

    fn walk_below(&self, pair: Pair<'_>, path: &[u8], credentials: &Credentials, walked: &mut Vec<Walked>) {
        let leads_to_dir = |name: &Name, seen: Seen<'_>| match seen {
            Seen::Dir(_) => true,
            seen if self.link_target(seen).is_none() => false,
            _ => {
                matches!(self.find(&path::join(path, name), true, credentials), Ok(found) if matches!(found.seen, Seen::Dir(_)))
            }
        };
        let (dirs, files): (Vec<_>, Vec<_>) =
            pair.list().into_iter().partition(|(name, seen)| leads_to_dir(name, *seen));
        let names = |listed: &[(&Name, Seen<'_>)]| listed.iter().map(|(name, _)| Name::clone(name)).collect();
        walked.push(Walked { path: path.to_vec(), dirs: names(&dirs), files: names(&files) });
        let may = |pair: Pair<'_>, rights| pair.metadata().is_ok_and(|dir| credentials.may(dir, rights).is_ok());
        for (name, seen) in dirs {
            if let Seen::Dir(below) = seen
                && may(pair, SEARCH)
                && may(below, READ)
            {
                self.walk_below(below, &path::join(path, name), credentials, walked);
            }
        }
    }

    /// What stands at a real path, through which no link leads.
    pub(super) fn seen_at(&self, path: &[Name]) -> Outcome<Seen<'_>> {
        path.iter().try_fold(Seen::Dir(self.root_pair()), |seen, name| match seen {
            Seen::Dir(pair) => Ok(pair.child(name)),
            Seen::Absent => Err(Errno::ENOENT),
            _ => Err(Errno::ENOTDIR),
        })
    }

    /// What something says of itself.
    pub(super) fn stat_seen(&self, seen: Seen<'_>) -> Outcome<Stat> {
        Ok(match seen {
            Seen::Absent => return Err(Errno::ENOENT),
            Seen::Lower(leaf) => self.lower.stat_leaf(leaf),
            Seen::Upper(id) => self.live(id).ok_or(Errno::ENOENT)?.stat(id),
            Seen::Dir(Pair { upper: Some(dir), lower }) => {
                let stat = disk_stat(dir);
                let atime = self.upper.as_ref().and_then(|upper| upper.dir_atimes.get(&dir.id)).copied();
                let nlink = if lower.is_some() { 1 } else { stat.nlink };
                Stat { nlink, atime: atime.unwrap_or(stat.atime), ..stat }
            }
            Seen::Dir(Pair { lower, .. }) => self.lower.stat_dir(lower.ok_or(Errno::ENOENT)?),
        })
    }
}

impl<'t> Pair<'t> {
    /// The names that can be seen, sorted by their bytes, and what they stand for.
    fn list(self) -> Vec<(&'t Name, Seen<'t>)> {
        let names = |dir: Option<&'t Dir<InodeId>>| {
            dir.into_iter().flat_map(|dir| dir.entries().iter()).map(|entry| &entry.name)
        };
        let lower = self.lower.into_iter().flat_map(|dir| dir.entries().iter()).map(|entry| &entry.name);
        let mut listed: Vec<_> = names(self.upper).chain(lower).map(|name| (name, self.child(name))).collect();
        listed.retain(|(_, seen)| !matches!(seen, Seen::Absent));
        listed.sort_by_key(|(name, _)| *name);
        listed.dedup_by_key(|(name, _)| *name);
        listed
    }
}

impl Upper {
    fn lstat(&self, path: &[u8]) -> Outcome<Stat> {
        let mut here = Some(&*self.root);
        let mut stat = disk_stat(&self.root);
        for name in path::components(path) {
            let dir = here.ok_or(Errno::ENOTDIR)?;
            if name.len() > NAME_MAX {
                return Err(Errno::ENAMETOOLONG);
            }
            let node = dir.get(name).ok_or(Errno::ENOENT)?;
            here = node.as_dir().map(|dir| &**dir);
            stat = match node {
                Node::Dir { dir, .. } => disk_stat(dir),
                Node::Leaf { leaf, .. } => self.inodes.get(leaf).ok_or(Errno::ENOENT)?.stat(*leaf),
                Node::Whiteout { .. } => self.mark_stat(),
            };
        }
        if here.is_none() && path.ends_with(b"/") { Err(Errno::ENOTDIR) } else { Ok(stat) }
    }

    /// What the directory with this inode number says, wherever it is.
    pub(super) fn find_dir(&self, ino: u64) -> Option<Stat> {
        fn below(dir: &Dir<InodeId>, ino: u64) -> Option<Stat> {
            let mut dirs = dir.entries().iter().filter_map(|entry| entry.node.as_dir());
            let stat = disk_stat(dir);
            if stat.ino == ino { Some(stat) } else { dirs.find_map(|dir| below(dir, ino)) }
        }
        below(&self.root, ino)
    }

    fn mark_stat(&self) -> Stat {
        let mut metadata = Metadata::default();
        metadata.set_mtime(self.whiteout_mtime.unwrap_or_default());
        Stat { size: 0, ..Stat::new(&metadata, CHARACTER_DEVICE) }
    }
}

impl Live {
    fn stat(&self, id: InodeId) -> Stat {
        let stat = Stat::new(&self.metadata, self.kind.type_bits()).placed(None, id.0);
        let (rdev, size) = (self.kind.device(), self.kind.size());
        Stat { nlink: self.links, rdev, size, atime: self.atime, ..stat }
    }
}

/// A directory as the file system below the union shows it.
fn disk_stat(dir: &Dir<InodeId>) -> Stat {
    let stat = Stat::new(&dir.metadata, DIRECTORY_BITS).placed(None, dir.id);
    Stat { nlink: dir.links_on_disk(), ..stat }
}
