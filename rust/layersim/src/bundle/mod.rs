//! The members of an image archive, by name: an outer tar (plain or compressed) or a directory.
//!
//! Members stay where they are. Links between members are followed inside the bundle only; nothing outside is reached.

mod outgoing;
mod packed;
mod progress;

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

pub use outgoing::{Listener, Outgoing, Payload};
pub use packed::Packed;
pub use progress::Progress;

use crate::archive::{Compression, Kind, Member, Reader, inflate};
use crate::blob::Blob;
use crate::content::Content;
use crate::digest::{DiffId, Digest};
use crate::error::{Error, Result};
use crate::layer::{Layer, verify};
use crate::limits::Limits;
use crate::path;

/// Members by their normal names.
#[derive(Debug)]
pub struct Bundle {
    members: BTreeMap<Vec<u8>, Place>,
    oddities: Vec<(Vec<u8>, Oddity)>,
}

/// What is odd about the name of a member, though it does no harm to reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Oddity {
    /// Another member before it has the name: the later one counts.
    Repeated,
    /// It is spelled in another way than the one that it is read as.
    Spelled,
}

/// Where the bytes of a member are.
#[derive(Debug, Clone)]
enum Place {
    Blob(Blob),
    /// A sparse file, put together when it is wanted.
    Pieces(Content),
    File(PathBuf),
    /// Another member, by its normal name.
    Link(Vec<u8>),
}

/// A layer that is wanted from a bundle.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The member.
    pub name: Vec<u8>,
    /// What its uncompressed bytes must hash to.
    pub diff_id: DiffId,
    /// What its bytes as stored must hash to, where that is known.
    pub digest: Option<Digest>,
}

impl Wanted {
    /// Pairs names with what they must hash to.
    ///
    /// # Errors
    /// [`Error::Input`] when there are not as many of each, [`Error::DigestFormat`].
    pub fn list(names: &[String], diff_ids: &[String], digests: Option<&[Option<String>]>) -> Result<Vec<Self>> {
        if names.len() != diff_ids.len() || digests.is_some_and(|digests| digests.len() != names.len()) {
            return Err(Error::input("expected as many diff_ids and digests as names"));
        }
        let wanted = names.iter().zip(diff_ids).enumerate().map(|(at, (name, diff_id))| {
            let digest = digests.and_then(|digests| digests[at].as_deref()).map(str::parse).transpose()?;
            Ok(Self { name: name.as_bytes().to_vec(), diff_id: diff_id.parse()?, digest })
        });
        wanted.collect()
    }
}

impl Bundle {
    /// Opens a tar or a directory.
    ///
    /// # Errors
    /// [`Error::Io`] naming the file, [`Error::Archive`], [`Error::Limit`], [`Error::Compression`].
    pub fn open(path: &Path, limits: &Limits) -> Result<Self> {
        if path.is_dir() {
            let mut members = BTreeMap::new();
            collect(path, &[], &mut members)?;
            return Ok(Self { members, oddities: Vec::new() });
        }
        Self::from_blob(&Blob::map(path)?, limits)
    }

    /// Opens a tar.
    ///
    /// # Errors
    /// [`Error::Archive`], [`Error::Limit`], [`Error::Compression`].
    pub fn from_blob(blob: &Blob, limits: &Limits) -> Result<Self> {
        let blob = match Compression::of(blob) {
            Compression::None => blob.clone(),
            compression => inflate(blob, compression, limits)?.blob,
        };
        let mut reader = Reader::new(&blob, limits);
        let (mut members, mut oddities) = (BTreeMap::new(), Vec::new());
        while let Some(member) = reader.next_member()? {
            let name = normal(&member.path);
            if !is_normal(&member.path, &name) {
                oddities.push((member.path.to_vec(), Oddity::Spelled));
            }
            let place = match &member.kind {
                Kind::Regular => match member.data.stored() {
                    Some(range) => blob.part(range).map(Place::Blob),
                    None => Some(Place::Pieces(bounded(member.data.content(&blob)?, limits, &member, blob.len())?)),
                },
                Kind::Symlink(target) => Some(Place::Link(beside(&name, target))),
                // The file that has the name now, whatever takes the name later.
                Kind::HardLink(target) => members.get(&normal(target)).cloned(),
                _ => None,
            };
            if let Some(place) = place
                && members.insert(name, place).is_some()
            {
                oddities.push((member.path.to_vec(), Oddity::Repeated));
            }
        }
        Ok(Self { members, oddities })
    }

    /// The names of all members that are files or links, sorted.
    pub fn names(&self) -> impl Iterator<Item = &[u8]> {
        self.members.keys().map(Vec::as_slice)
    }

    /// Members whose names are odd, in the order of the archive.
    pub fn oddities(&self) -> &[(Vec<u8>, Oddity)] {
        &self.oddities
    }

    /// The bytes of a member; `None` where there is none of that name.
    ///
    /// # Errors
    /// [`Error::Io`] when a file of the directory cannot be opened.
    pub fn get(&self, name: &[u8]) -> Result<Option<Blob>> {
        let mut name = normal(name);
        for _ in 0..path::LINKS_MAX {
            match self.members.get(&name) {
                None => match self.through_link(&name) {
                    Some(elsewhere) => name = elsewhere,
                    None => return Ok(None),
                },
                Some(Place::Blob(blob)) => return Ok(Some(blob.clone())),
                Some(Place::Pieces(content)) => {
                    let bytes = content.read(0..content.len()).map_err(|errno| Error::system(errno, &name))?;
                    return Ok(Some(bytes.into()));
                }
                Some(Place::File(path)) => return Blob::map(path).map(Some),
                Some(Place::Link(target)) => name.clone_from(target),
            }
        }
        Ok(None)
    }

    /// The same name with the first directory that is a link replaced by what it leads to.
    fn through_link(&self, name: &[u8]) -> Option<Vec<u8>> {
        let slashes = name.iter().enumerate().filter(|(_, byte)| **byte == b'/');
        slashes.map(|(at, _)| name.split_at(at)).find_map(|(parent, below)| match self.members.get(parent) {
            Some(Place::Link(target)) => Some([target.as_slice(), below].concat()),
            _ => None,
        })
    }

    /// Reads layers, side by side, every digest verified; `progress` hears the bytes done and the bytes in all, and may stop.
    ///
    /// # Errors
    /// [`Error::Member`] with what is wrong with the first member that is. Nothing is handed out then.
    pub fn layers(
        &self,
        wanted: &[Wanted],
        limits: &Limits,
        progress: &(dyn Fn(u64, u64) -> Result<()> + Sync),
    ) -> Result<Vec<Layer>> {
        let mut unique: Vec<&Wanted> = Vec::new();
        let mut places = HashMap::new();
        for one in wanted {
            places.entry((one.diff_id, &one.name)).or_insert_with(|| {
                unique.push(one);
                unique.len() - 1
            });
        }
        let blobs = unique.iter().map(|wanted| self.wanted(wanted)).collect::<Result<Vec<Blob>>>()?;
        let total = blobs.iter().map(|blob| blob.len() as u64).sum();
        let budget = Budget { all: limits.inflated(total), spent: AtomicU64::new(0) };
        // Held while it is told, so that what is told only grows.
        let done = Mutex::new(0);
        let read = unique.par_iter().zip(&blobs).map(|(wanted, blob)| {
            let layer = read(blob, wanted, &budget.left(limits)).map_err(|error| error.of_member(&wanted.name))?;
            budget.take(blob, &layer);
            let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
            *done += blob.len() as u64;
            progress(*done, total)?;
            Ok(layer)
        });
        let layers = read.collect::<Result<Vec<Layer>>>()?;
        Ok(wanted.iter().map(|one| layers[places[&(one.diff_id, &one.name)]].clone()).collect())
    }

    fn wanted(&self, wanted: &Wanted) -> Result<Blob> {
        let missing = || Error::archive(0, "the archive has no such member").of_member(&wanted.name);
        self.get(&wanted.name)?.ok_or_else(missing)
    }
}

/// What the compressed layers of one archive may inflate to, together; those in work at once do not see each other.
struct Budget {
    all: u64,
    spent: AtomicU64,
}

impl Budget {
    fn left(&self, limits: &Limits) -> Limits {
        let left = self.all.saturating_sub(self.spent.load(Ordering::Relaxed));
        Limits { inflated_bytes: limits.inflated_bytes.min(left), ..*limits }
    }

    fn take(&self, blob: &Blob, layer: &Layer) {
        if Compression::of(blob) != Compression::None {
            self.spent.fetch_add(layer.tar_len().unwrap_or_default(), Ordering::Relaxed);
        }
    }
}

/// A sparse member of an archive of `stored` bytes, if it may be put together in memory.
fn bounded(content: Content, limits: &Limits, member: &Member<'_>, stored: usize) -> Result<Content> {
    let limit = limits.inflated(stored as u64);
    if content.len() <= limit {
        return Ok(content);
    }
    let what = format!("{} has {} bytes, nearly all of them holes", path::shown(&member.path), content.len());
    Err(Error::Limit { what, limit, offset: member.offset })
}

/// Hashes a compressed blob as stored only where its digest is asked for; a plain one has one hash.
fn read(blob: &Blob, wanted: &Wanted, limits: &Limits) -> Result<Layer> {
    let is_same_hash = Compression::of(blob) == Compression::None && wanted.digest == Some(wanted.diff_id.0);
    let stored = wanted.digest.filter(|_| !is_same_hash);
    let (verified, layer) = rayon::join(
        || stored.map_or(Ok(()), |digest| verify("blob", Some(digest), Digest::of(blob))),
        || Layer::from_tar(blob, Some(wanted.diff_id), limits),
    );
    verified?;
    layer
}

/// A member's name without `.`, `..`, and slashes that say nothing.
fn normal(name: &[u8]) -> Vec<u8> {
    path::clamped(name).join(&b'/')
}

/// Whether a name is spelled as it is read; `./` before it and `/` after it are how tars of directories spell names.
fn is_normal(path: &[u8], name: &[u8]) -> bool {
    let path = path.strip_suffix(b"/").unwrap_or(path);
    path == b"." || path.strip_prefix(b"./").unwrap_or(path) == name
}

/// The member that a link beside `name` leads to.
fn beside(name: &[u8], target: &[u8]) -> Vec<u8> {
    if target.first() == Some(&b'/') {
        return normal(target);
    }
    let parent = name.iter().rposition(|byte| *byte == b'/').map_or(&b""[..], |slash| &name[..slash]);
    normal(&path::join(parent, target))
}

/// Lists the files below a directory; links are taken as links between members.
fn collect(directory: &Path, prefix: &[u8], members: &mut BTreeMap<Vec<u8>, Place>) -> Result<()> {
    let refused = |source| Error::io(format!("cannot read {}", directory.display()), source);
    for entry in fs::read_dir(directory).map_err(refused)? {
        let entry = entry.map_err(refused)?;
        let name = path::join(prefix, entry.file_name().as_bytes());
        let file_type = entry.file_type().map_err(refused)?;
        if file_type.is_dir() {
            collect(&entry.path(), &name, members)?;
        } else if file_type.is_symlink() {
            let target = fs::read_link(entry.path()).map_err(refused)?;
            let target = beside(&name, target.as_os_str().as_bytes());
            members.insert(name, Place::Link(target));
        } else if file_type.is_file() {
            members.insert(name, Place::File(entry.path()));
        }
    }
    Ok(())
}
