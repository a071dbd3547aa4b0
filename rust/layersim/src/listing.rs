//! Directories of the host, listed together: names and what is known of them, as values that compare.

use std::ffi::OsString;
use std::fs::{self, DirEntry, Metadata};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

const CAPABILITY: &str = "security.capability";
/// A capability is 24 bytes at most.
const CAPABILITY_MAX: usize = 64;
const NANOS: i64 = 1_000_000_000;

/// What `lstat` says of a name; zeros where it fails.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Attributes {
    /// Type and permission bits.
    pub mode: u32,
    /// Bytes.
    pub size: u64,
    /// Last modification, nanoseconds since 1970.
    pub mtime_ns: i64,
    /// Last change of anything, nanoseconds since 1970.
    pub ctime_ns: i64,
    /// Names of the inode.
    pub nlink: u64,
    /// Its file system.
    pub dev: u64,
    /// Its number there.
    pub ino: u64,
    /// The device that it stands for.
    pub rdev: u64,
}

/// One name in a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listed<'a> {
    /// Its bytes.
    pub name: &'a [u8],
    /// The error of the system where it cannot be described, otherwise 0.
    pub errno: i32,
    /// What it is.
    pub attributes: Attributes,
    /// Where a symbolic link leads.
    pub target: &'a [u8],
    /// The capability of a file, if that was asked for.
    pub capability: &'a [u8],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Row {
    errno: i32,
    attributes: Attributes,
    /// Where its name, target and capability end among the bytes.
    ends: [usize; 3],
}

/// The names in one directory, sorted by their bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    errno: i32,
    rows: Vec<Row>,
    bytes: Vec<u8>,
}

impl Listing {
    /// The error of the system where the directory cannot be listed, otherwise 0.
    pub fn errno(&self) -> i32 {
        self.errno
    }

    /// The names, in order.
    pub fn iter(&self) -> impl Iterator<Item = Listed<'_>> {
        let mut start = 0;
        self.rows.iter().map(move |row| {
            let [name, target, capability] = row.ends;
            let listed = Listed {
                name: &self.bytes[start..name],
                errno: row.errno,
                attributes: row.attributes,
                target: &self.bytes[name..target],
                capability: &self.bytes[target..capability],
            };
            start = capability;
            listed
        })
    }

    fn failed(error: &io::Error) -> Self {
        Self { errno: errno_of(error), ..Self::default() }
    }

    fn add(&mut self, described: Described) {
        self.bytes.extend(described.name.into_vec());
        let name = self.bytes.len();
        self.bytes.extend(described.target);
        let target = self.bytes.len();
        self.bytes.extend(described.capability);
        let ends = [name, target, self.bytes.len()];
        self.rows.push(Row { errno: described.errno, attributes: described.attributes, ends });
    }
}

struct Described {
    name: OsString,
    errno: i32,
    attributes: Attributes,
    target: Vec<u8>,
    capability: Vec<u8>,
}

/// Lists directories, side by side; each answer tells for itself what went wrong.
pub fn list(directories: &[PathBuf], with_capabilities: bool) -> Vec<Listing> {
    directories
        .par_iter()
        .map(|path| listed(path, with_capabilities).unwrap_or_else(|error| Listing::failed(&error)))
        .collect()
}

fn listed(directory: &Path, with_capabilities: bool) -> io::Result<Listing> {
    let mut found: Vec<Described> = fs::read_dir(directory)?
        .map(|entry| entry.map(|entry| described(&entry, with_capabilities)))
        .collect::<io::Result<_>>()?;
    found.sort_unstable_by(|one, other| one.name.cmp(&other.name));
    let mut listing = Listing::default();
    for described in found {
        listing.add(described);
    }
    Ok(listing)
}

fn described(entry: &DirEntry, with_capabilities: bool) -> Described {
    let name = entry.file_name();
    match attributes_of(entry, with_capabilities) {
        Ok((attributes, target, capability)) => Described { name, errno: 0, attributes, target, capability },
        Err(error) => Described {
            name,
            errno: errno_of(&error),
            attributes: Attributes::default(),
            target: Vec::new(),
            capability: Vec::new(),
        },
    }
}

fn attributes_of(entry: &DirEntry, with_capabilities: bool) -> io::Result<(Attributes, Vec<u8>, Vec<u8>)> {
    let metadata = entry.metadata()?;
    let target = if metadata.is_symlink() { fs::read_link(entry.path())?.into_os_string().into_vec() } else { vec![] };
    let capability = if with_capabilities && metadata.is_file() { capability_of(&entry.path()) } else { vec![] };
    Ok((Attributes::from(&metadata), target, capability))
}

impl From<&Metadata> for Attributes {
    fn from(metadata: &Metadata) -> Self {
        Self {
            mode: metadata.mode(),
            size: metadata.size(),
            mtime_ns: nanoseconds(metadata.mtime(), metadata.mtime_nsec()),
            ctime_ns: nanoseconds(metadata.ctime(), metadata.ctime_nsec()),
            nlink: metadata.nlink(),
            dev: metadata.dev(),
            ino: metadata.ino(),
            rdev: metadata.rdev(),
        }
    }
}

fn nanoseconds(seconds: i64, rest: i64) -> i64 {
    seconds.saturating_mul(NANOS).saturating_add(rest)
}

/// The capability of a file; none where it has none, or its file system knows none.
fn capability_of(path: &Path) -> Vec<u8> {
    let mut value = vec![0; CAPABILITY_MAX];
    let len = rustix::fs::lgetxattr(path.as_os_str().as_bytes(), CAPABILITY, &mut value).unwrap_or(0);
    value.truncate(len);
    value
}

fn errno_of(error: &io::Error) -> i32 {
    error.raw_os_error().unwrap_or(rustix::io::Errno::IO.raw_os_error())
}
