//! A merged tree as files on a disk of the host.
//!
//! Every file is made below a directory that this code has made itself, in a directory that was empty, so no link that the
//! tree holds is ever followed. Metadata comes last, children before parents, as the tree says it.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{AtFlags, CWD, FileType, Mode, Timespec, Timestamps, XattrFlags};

use crate::error::{Error, Result};
use crate::metadata::Metadata;
use crate::tree::{Dir, Inode, Kind, Leaf, Node};

/// Writes what a tree shows below `directory`, which is made if it is missing and must be empty.
///
/// Owners, devices and privileged attributes need root; without it files belong to the user, and devices are refused.
///
/// # Errors
/// [`Error::Io`] naming what could not be written.
pub fn extract(root: &Dir<Leaf>, directory: &Path) -> Result<()> {
    let refused = |source| Error::io(format!("cannot extract to {}", directory.display()), source);
    fs::create_dir_all(directory).map_err(refused)?;
    if fs::read_dir(directory).map_err(refused)?.next().is_some() {
        return Err(Error::input(format!("{} is not empty", directory.display())));
    }
    let mut extraction = Extraction { first_names: HashMap::new(), is_root: rustix::process::geteuid().is_root() };
    extraction.fill(root, directory)
}

struct Extraction {
    /// Where an inode with several names was written first.
    first_names: HashMap<*const Inode, PathBuf>,
    is_root: bool,
}

impl Extraction {
    fn fill(&mut self, dir: &Dir<Leaf>, path: &Path) -> Result<()> {
        for entry in dir.entries().iter() {
            let child = path.join(OsStr::from_bytes(&entry.name));
            let refused = |source| Error::io(format!("cannot write {}", child.display()), source);
            match &entry.node {
                Node::Dir { dir, .. } => {
                    fs::create_dir(&child).map_err(refused)?;
                    self.fill(dir, &child)?;
                }
                Node::Leaf { leaf, .. } => self.leaf(leaf, &child).map_err(refused)?,
                Node::Whiteout { .. } => {}
            }
        }
        let refused = |source| Error::io(format!("cannot write {}", path.display()), source);
        self.describe(&dir.metadata, path, false).map_err(refused)
    }

    fn leaf(&mut self, leaf: &Leaf, path: &Path) -> io::Result<()> {
        if leaf.links > 1 {
            if let Some(first) = self.first_names.get(&Arc::as_ptr(leaf)) {
                return fs::hard_link(first, path);
            }
            self.first_names.insert(Arc::as_ptr(leaf), path.to_owned());
        }
        match &leaf.kind {
            Kind::Regular(content) => {
                let mut file = BufWriter::new(File::create_new(path)?);
                content.write_to(&mut file)?;
                file.flush()?;
            }
            Kind::Symlink(target) => symlink(OsStr::from_bytes(target), path)?,
            Kind::Fifo => make_node(path, FileType::Fifo, 0)?,
            Kind::Socket => make_node(path, FileType::Socket, 0)?,
            Kind::CharDevice { major, minor } => make_node(path, FileType::CharacterDevice, device(*major, *minor))?,
            Kind::BlockDevice { major, minor } => make_node(path, FileType::BlockDevice, device(*major, *minor))?,
        }
        self.describe(&leaf.metadata, path, matches!(leaf.kind, Kind::Symlink(_)))
    }

    /// Owner, then attributes, then mode (a link has none), then times: each of the first would change a later one.
    fn describe(&self, metadata: &Metadata, path: &Path, is_link: bool) -> io::Result<()> {
        if self.is_root {
            std::os::unix::fs::lchown(path, Some(metadata.uid), Some(metadata.gid))?;
        }
        for (name, value) in metadata.xattrs.iter() {
            match rustix::fs::lsetxattr(path, name, value, XattrFlags::empty()) {
                Err(rustix::io::Errno::PERM | rustix::io::Errno::NOTSUP) if !self.is_root => {}
                result => result?,
            }
        }
        if !is_link {
            fs::set_permissions(path, fs::Permissions::from_mode(metadata.mode))?;
        }
        let mtime = metadata.mtime();
        let time = Timespec { tv_sec: mtime.seconds, tv_nsec: mtime.nanos.into() };
        let times = Timestamps { last_access: time, last_modification: time };
        Ok(rustix::fs::utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW)?)
    }
}

fn make_node(path: &Path, file_type: FileType, device: u64) -> io::Result<()> {
    Ok(rustix::fs::mknodat(CWD, path, file_type, Mode::RUSR | Mode::WUSR, device)?)
}

fn device(major: u32, minor: u32) -> u64 {
    rustix::fs::makedev(major, minor)
}
