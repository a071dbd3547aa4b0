//! Reading a stack: what `stat`, `readlink`, `read`, `readdir` and `walk` show of the union.

use super::Stack;
use super::page::Record;
use super::resolve::Resolved;
use crate::content::Content;
use crate::error::{Errno, Error, Result};
use crate::metadata::{Metadata, Timestamp, Xattrs};
use crate::tree::{Dir, Inode, Kind, Leaf, Name, Node};

/// The type bits of a directory's mode.
pub(crate) const DIRECTORY_BITS: u32 = 0o040_000;
/// What every directory says its size is (ext4 with 4 KiB blocks).
pub(crate) const DIRECTORY_SIZE: u64 = 4096;
const POSITION_SHIFT: u32 = 32;

/// What `stat` answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stat {
    /// Type and permission bits.
    pub mode: u32,
    /// A number that two names share only if they are one inode.
    pub ino: u64,
    /// Names of the inode in its own layer; of a directory those on disk, or 1 where the union merges several.
    pub nlink: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// The device that a node stands for, as Linux packs it.
    pub rdev: u64,
    /// Bytes of a file or of a link's target; 4,096 for a directory.
    pub size: u64,
    /// Last access.
    pub atime: Timestamp,
    /// Last modification.
    pub mtime: Timestamp,
    /// Last change.
    pub ctime: Timestamp,
    /// The position of the layer it comes from, base 0; `None` for the writable top.
    pub layer: Option<usize>,
}

impl Stat {
    pub(crate) fn new(metadata: &Metadata, type_bits: u32) -> Self {
        let mtime = metadata.mtime();
        Self {
            mode: type_bits | metadata.mode,
            ino: 0,
            nlink: 1,
            uid: metadata.uid,
            gid: metadata.gid,
            rdev: 0,
            size: DIRECTORY_SIZE,
            atime: mtime,
            mtime,
            ctime: mtime,
            layer: None,
        }
    }

    fn of_record(record: &Record) -> Self {
        let Record { uid, gid, links, mtime, .. } = *record;
        let stat = Self {
            mode: record.mode.into(),
            ino: 0,
            nlink: links,
            uid,
            gid,
            rdev: record.device(),
            size: record.st_size(),
            atime: mtime,
            mtime,
            ctime: mtime,
            layer: None,
        };
        stat.placed(Some(record.layer as usize), record.id)
    }

    pub(crate) fn placed(self, layer: Option<usize>, id: u32) -> Self {
        let ino = layer.map_or(0, |at| at as u64 + 1) << POSITION_SHIFT | u64::from(id);
        Self { ino, layer, ..self }
    }
}

/// One directory of a walk, with the names in it: those that lead to directories, and the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Walked {
    /// The directory, spelled below the path that the walk started from.
    pub path: Vec<u8>,
    /// Directories, and links to directories.
    pub dirs: Vec<Name>,
    /// Everything else.
    pub files: Vec<Name>,
}

impl Stack {
    /// What `path` names, a link at its end followed if `follow`.
    ///
    /// # Errors
    /// [`Error::System`], as [`Stack::resolve`].
    pub fn stat(&self, path: &[u8], follow: bool) -> Result<Stat> {
        if let Some(record) = self.tabled(path).filter(|record| !follow || !record.is_link()) {
            return Ok(Stat::of_record(&record));
        }
        Ok(match self.resolve(path, follow)? {
            Resolved::Dir(dir) => self.stat_dir(dir),
            Resolved::Leaf(leaf) => self.stat_leaf(leaf),
        })
    }

    /// What a directory of this stack's tree says of itself.
    pub(crate) fn stat_dir(&self, dir: &Dir<Leaf>) -> Stat {
        let stat = Stat::new(&dir.metadata, DIRECTORY_BITS).placed(self.position(&dir.origin), dir.id);
        let is_root = std::ptr::eq(dir, &raw const **self.root());
        Stat { nlink: if is_root { 1 } else { dir_links(dir) }, ..stat }
    }

    /// What a leaf of this stack's tree says of itself.
    pub(crate) fn stat_leaf(&self, leaf: &Inode) -> Stat {
        let stat = Stat::new(&leaf.metadata, leaf.kind.type_bits());
        let stat = Stat { nlink: leaf.links, rdev: leaf.kind.device(), size: leaf.kind.size(), ..stat };
        stat.placed(self.position(&leaf.origin), leaf.id)
    }

    /// The bytes of a file.
    ///
    /// # Errors
    /// `EISDIR` for a directory, `EINVAL` for what has no bytes, and as [`Stack::resolve`].
    pub fn content(&self, path: &[u8]) -> Result<&Content> {
        match self.resolve(path, true)? {
            Resolved::Dir(_) => Err(Error::system(Errno::EISDIR, path)),
            Resolved::Leaf(leaf) => match &leaf.kind {
                Kind::Regular(content) => Ok(content),
                _ => Err(Error::system(Errno::EINVAL, path)),
            },
        }
    }

    /// The target of a symbolic link.
    ///
    /// # Errors
    /// `EINVAL` for anything else, and as [`Stack::resolve`].
    pub fn read_link(&self, path: &[u8]) -> Result<&[u8]> {
        if let Resolved::Leaf(leaf) = self.resolve(path, false)?
            && let Kind::Symlink(target) = &leaf.kind
        {
            return Ok(target);
        }
        Err(Error::system(Errno::EINVAL, path))
    }

    /// The extended attributes of what `path` names.
    ///
    /// # Errors
    /// As [`Stack::resolve`].
    pub fn xattrs(&self, path: &[u8], follow: bool) -> Result<&Xattrs> {
        match self.resolve(path, follow)? {
            Resolved::Dir(dir) => Ok(&dir.metadata.xattrs),
            Resolved::Leaf(leaf) => Ok(&leaf.metadata.xattrs),
        }
    }

    /// The value of one extended attribute.
    ///
    /// # Errors
    /// `ENODATA` when there is none of that name, and as [`Stack::resolve`].
    pub fn xattr(&self, path: &[u8], name: &[u8], follow: bool) -> Result<&[u8]> {
        self.xattrs(path, follow)?.get(name).ok_or_else(|| Error::system(Errno::ENODATA, path))
    }

    /// The names in a directory, sorted by their bytes.
    ///
    /// # Errors
    /// `ENOTDIR` for anything else, and as [`Stack::resolve`].
    pub fn list(&self, path: &[u8]) -> Result<Vec<Name>> {
        let dir = self.directory(path)?;
        Ok(visible(dir).map(|(name, _)| name.clone()).collect())
    }

    /// All directories from `path` down, parents first, each with its names, as `os.walk` shows them.
    ///
    /// # Errors
    /// As [`Stack::list`].
    pub fn walk(&self, path: &[u8]) -> Result<Vec<Walked>> {
        let mut walked = Vec::new();
        self.walk_below(self.directory(path)?, path, &mut walked);
        Ok(walked)
    }

    fn walk_below(&self, dir: &Dir<Leaf>, path: &[u8], walked: &mut Vec<Walked>) {
        let leads_to_dir = |name: &Name, node: &Node<Leaf>| match node {
            Node::Leaf { leaf, .. } if matches!(leaf.kind, Kind::Symlink(_)) => {
                matches!(self.resolve(&crate::path::join(path, name), true), Ok(Resolved::Dir(_)))
            }
            node => node.as_dir().is_some(),
        };
        let (dirs, files): (Vec<_>, Vec<_>) = visible(dir).partition(|(name, node)| leads_to_dir(name, node));
        let names = |listed: &[(&Name, &Node<Leaf>)]| listed.iter().map(|(name, _)| Name::clone(name)).collect();
        walked.push(Walked { path: path.to_vec(), dirs: names(&dirs), files: names(&files) });
        for (name, node) in dirs {
            if let Some(dir) = node.as_dir() {
                self.walk_below(dir, &crate::path::join(path, name), walked);
            }
        }
    }

    fn directory(&self, path: &[u8]) -> Result<&Dir<Leaf>> {
        match self.resolve(path, true)? {
            Resolved::Dir(dir) => Ok(dir),
            Resolved::Leaf(_) => Err(Error::system(Errno::ENOTDIR, path)),
        }
    }
}

/// Names of a directory: the union does not count those of one that it merges (`ovl_getattr`).
pub(super) fn dir_links(dir: &Dir<Leaf>) -> u32 {
    if dir.members > 1 { 1 } else { dir.links_on_disk() }
}

fn visible(dir: &Dir<Leaf>) -> impl Iterator<Item = (&Name, &Node<Leaf>)> {
    dir.entries().iter().filter(|entry| entry.node.is_visible()).map(|entry| (&entry.name, &entry.node))
}
