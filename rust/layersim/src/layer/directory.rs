//! A layer from a directory of the host, read once: later changes of the files do not reach it.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs::{self, DirEntry};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;
use std::sync::Arc;

use super::Layer;
use super::build::{Builder, Met, Refused};
use super::spell::Spelling;
use crate::error::{Error, Result};
use crate::metadata::{Metadata, PERMISSIONS, Timestamp, Xattrs};
use crate::tree::{Kind, Origin};

/// More than Linux lets one file have (`XATTR_LIST_MAX`, `XATTR_SIZE_MAX`).
const XATTR_BUFFER: usize = 1 << 16;

impl Layer {
    /// Reads a directory: types, modes, owners, whole seconds of times, attributes, hard links, bytes.
    ///
    /// The upper directory of an overlay mount is read as what it means: 0/0 character devices hide, the opaque attribute
    /// replaces. Sockets are left out, as engines do.
    ///
    /// # Errors
    /// [`Error::Io`] naming the file that cannot be read.
    pub fn from_directory(path: &Path) -> Result<Self> {
        let origin = Arc::new(Origin::default());
        let mut reading = Reading { builder: Builder::new(Arc::clone(&origin)), linked: HashMap::new() };
        reading.directory(path, &mut Vec::new())?;
        let (root, _) = reading.builder.finish();
        Self::from_tree(root, &origin, Spelling::default())
    }
}

struct Reading {
    builder: Builder,
    /// Where a file with several names was met first.
    linked: HashMap<(u64, u64), Vec<Vec<u8>>>,
}

impl Reading {
    fn directory(&mut self, path: &Path, parents: &mut Vec<Vec<u8>>) -> Result<()> {
        let refused = |source| Error::io(format!("cannot read {}", path.display()), source);
        let listed = fs::read_dir(path).and_then(Iterator::collect::<std::io::Result<Vec<DirEntry>>>);
        let mut entries = listed.map_err(refused)?;
        entries.sort_by_key(DirEntry::file_name);
        for entry in entries {
            self.entry(&entry, parents)?;
        }
        Ok(())
    }

    fn entry(&mut self, entry: &DirEntry, parents: &mut Vec<Vec<u8>>) -> Result<()> {
        let path = entry.path();
        let refused = |source| Error::io(format!("cannot read {}", path.display()), source);
        let found = fs::symlink_metadata(&path).map_err(refused)?;
        let name = entry.file_name();
        let metadata = described(&found, &path).map_err(refused)?;
        if found.is_dir() {
            self.builder
                .enter(&borrowed(parents))
                .and_then(|()| self.builder.put_dir(name.as_bytes(), metadata))
                .map_err(at(&path))?;
            parents.push(name.as_bytes().to_vec());
            self.directory(&path, parents)?;
            parents.pop();
            return Ok(());
        }
        self.leaf(&path, name.as_os_str(), &found, metadata, parents)
    }

    fn leaf(
        &mut self,
        path: &Path,
        name: &OsStr,
        found: &fs::Metadata,
        metadata: Metadata,
        parents: &[Vec<u8>],
    ) -> Result<()> {
        let name = name.as_bytes();
        let here: Vec<Vec<u8>> = parents.iter().cloned().chain([name.to_vec()]).collect();
        if found.nlink() > 1 {
            if let Some(first) = self.linked.get(&(found.dev(), found.ino())) {
                let made = self.builder.put_link(&borrowed(parents), name, &borrowed(first), None);
                return made.map(|_: Met| ()).map_err(at(path));
            }
            self.linked.insert((found.dev(), found.ino()), here);
        }
        let Some(kind) =
            kind_of(found, path).map_err(|source| Error::io(format!("cannot read {}", path.display()), source))?
        else {
            return Ok(());
        };
        let made = self.builder.enter(&borrowed(parents)).and_then(|()| self.builder.put_leaf(name, metadata, kind));
        made.map(|_: Met| ()).map_err(at(path))
    }
}

fn at(path: &Path) -> impl Fn(Refused) -> Error {
    move |refused| Error::io(format!("cannot take {}", path.display()), std::io::Error::other(refused))
}

fn borrowed(parts: &[Vec<u8>]) -> Vec<&[u8]> {
    parts.iter().map(Vec::as_slice).collect()
}

fn kind_of(found: &fs::Metadata, path: &Path) -> std::io::Result<Option<Kind>> {
    let file_type = found.file_type();
    let (major, minor) = (rustix::fs::major(found.rdev()), rustix::fs::minor(found.rdev()));
    Ok(Some(if file_type.is_symlink() {
        Kind::Symlink(Arc::from(fs::read_link(path)?.as_os_str().as_bytes()))
    } else if file_type.is_file() {
        Kind::Regular(fs::read(path)?.into())
    } else if file_type.is_char_device() {
        Kind::CharDevice { major, minor }
    } else if file_type.is_block_device() {
        Kind::BlockDevice { major, minor }
    } else if file_type.is_fifo() {
        Kind::Fifo
    } else {
        return Ok(None);
    }))
}

fn described(found: &fs::Metadata, path: &Path) -> std::io::Result<Metadata> {
    let mut metadata = Metadata::with_mode(found.mode() & PERMISSIONS);
    (metadata.uid, metadata.gid) = (found.uid(), found.gid());
    metadata.set_mtime(Timestamp { seconds: found.mtime(), nanos: 0 });
    metadata.xattrs = attributes(path)?;
    Ok(metadata)
}

fn attributes(path: &Path) -> std::io::Result<Xattrs> {
    // Nearly all files have none, and need no large buffer to say so.
    if let Ok(0) | Err(rustix::io::Errno::NOTSUP) = rustix::fs::llistxattr(path, &mut [0_u8; 1]) {
        return Ok(Xattrs::default());
    }
    let mut listed = vec![0; XATTR_BUFFER];
    let len = rustix::fs::llistxattr(path, &mut listed)?;
    let mut xattrs = Xattrs::default();
    for name in listed[..len].split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
        let mut value = vec![0; XATTR_BUFFER];
        let len = rustix::fs::lgetxattr(path, name, &mut value)?;
        xattrs.set(name, &value[..len]);
    }
    Ok(xattrs)
}
