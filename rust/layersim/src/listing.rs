//! Directories of the host, listed together: names and what is known of them, as values that compare.

use std::ffi::{CStr, OsStr};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

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

    fn failed(error: Errno) -> Self {
        Self { errno: error.raw_os_error(), ..Self::default() }
    }

    fn add(&mut self, name: &CStr, described: rustix::io::Result<Described>) {
        let errno = described.as_ref().map_or_else(|error| error.raw_os_error(), |_| 0);
        let (attributes, target, capability) = described.unwrap_or_default();
        let mut ends = [0; 3];
        for (end, part) in ends.iter_mut().zip([name.to_bytes(), &target, &capability]) {
            self.bytes.extend_from_slice(part);
            *end = self.bytes.len();
        }
        self.rows.push(Row { errno, attributes, ends });
    }
}

/// Lists directories, side by side; each answer tells for itself what went wrong.
pub fn list(directories: &[PathBuf], with_capabilities: bool) -> Vec<Listing> {
    directories.par_iter().map(|path| listed(path, with_capabilities).unwrap_or_else(Listing::failed)).collect()
}

fn listed(directory: &Path, with_capabilities: bool) -> rustix::io::Result<Listing> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let opened = rustix::fs::open(directory, flags, Mode::empty())?;
    let mut found = Vec::new();
    for entry in Dir::read_from(&opened)? {
        let name = entry?.file_name().to_owned();
        if !matches!(name.as_bytes(), b"." | b"..") {
            found.push(name);
        }
    }
    found.sort_unstable();
    let mut listing = Listing::default();
    for name in found {
        listing.add(&name, described(&opened, directory, &name, with_capabilities));
    }
    Ok(listing)
}

type Described = (Attributes, Vec<u8>, Vec<u8>);

fn described(
    opened: &OwnedFd,
    directory: &Path,
    name: &CStr,
    with_capabilities: bool,
) -> rustix::io::Result<Described> {
    let stat = rustix::fs::statat(opened, name, AtFlags::SYMLINK_NOFOLLOW)?;
    let kind = FileType::from_raw_mode(stat.st_mode);
    let target =
        if kind.is_symlink() { rustix::fs::readlinkat(opened, name, Vec::new())?.into_bytes() } else { vec![] };
    let is_asked = with_capabilities && kind.is_file();
    let capability = if is_asked { capability_of(&directory.join(OsStr::from_bytes(name.to_bytes()))) } else { vec![] };
    Ok((Attributes::from(&stat), target, capability))
}

impl From<&Stat> for Attributes {
    fn from(stat: &Stat) -> Self {
        Self {
            mode: stat.st_mode,
            size: u64::try_from(stat.st_size).unwrap_or(0),
            mtime_ns: nanoseconds(stat.st_mtime, stat.st_mtime_nsec),
            ctime_ns: nanoseconds(stat.st_ctime, stat.st_ctime_nsec),
            nlink: stat.st_nlink,
            dev: stat.st_dev,
            ino: stat.st_ino,
            rdev: stat.st_rdev,
        }
    }
}

fn nanoseconds(seconds: i64, rest: u64) -> i64 {
    seconds.saturating_mul(NANOS).saturating_add_unsigned(rest)
}

/// The capability of a file; none where it has none, or its file system knows none.
fn capability_of(path: &Path) -> Vec<u8> {
    let mut value = vec![0; CAPABILITY_MAX];
    let len = rustix::fs::lgetxattr(path.as_os_str().as_bytes(), CAPABILITY, &mut value).unwrap_or(0);
    value.truncate(len);
    value
}
