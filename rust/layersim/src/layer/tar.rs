//! A layer from its tar: one pass that indexes, beside one that hashes; the files stay where they are in the archive.

use std::sync::Arc;

use super::build::{Builder, Met, Refused};
use super::names::Names;
use super::{Body, Layer, Sums};
use crate::archive::{Compression, Kind as MemberKind, Member, Reader, inflate};
use crate::blob::Blob;
use crate::digest::{DiffId, Digest};
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::path;
use crate::tree::{Dir, Kind, Leaf, Origin};
use crate::whiteout::{self, Meaning};

/// What an engine's sizes hold: they have a sign.
const SIZE_MAX: u64 = i64::MAX as u64;

impl Layer {
    /// Reads a layer from a tar, plain or compressed (by its first bytes). A plain one is not copied.
    ///
    /// `expected` is checked before anything is handed out.
    ///
    /// # Errors
    /// [`Error::Archive`] and [`Error::Limit`] with the offset of the member, [`Error::Compression`],
    /// [`Error::DigestMismatch`].
    pub fn from_tar(blob: &Blob, expected: Option<DiffId>, limits: &Limits) -> Result<Self> {
        let origin = Arc::new(Origin::default());
        let (blob, digest, indexed) = match Compression::of(blob) {
            Compression::None => {
                let (digest, indexed) = rayon::join(|| Digest::of(blob), || index(blob, &origin, limits));
                (blob.clone(), digest, indexed)
            }
            compression => {
                let inflated = inflate(blob, compression, limits)?;
                let indexed = index(&inflated.blob, &origin, limits);
                (inflated.blob, inflated.digest, indexed)
            }
        };
        verify("layer", expected.map(|diff_id| diff_id.0), digest)?;
        let (root, sums) = indexed?;
        origin.name(DiffId(digest));
        Ok(Self::frozen(DiffId(digest), sums, Body::Tar(blob, Arc::new(root))))
    }
}

/// Refuses bytes that are not the promised ones.
///
/// # Errors
/// [`Error::DigestMismatch`] with both digests.
pub fn verify(what: &str, expected: Option<Digest>, actual: Digest) -> Result<()> {
    match expected {
        Some(expected) if expected != actual => Err(Error::DigestMismatch { what: what.to_owned(), expected, actual }),
        _ => Ok(()),
    }
}

/// Extracts every member into a tree, in archive order.
pub(super) fn index(blob: &Blob, origin: &Arc<Origin>, limits: &Limits) -> Result<(Dir<Leaf>, Sums)> {
    let mut reader = Reader::new(blob, limits);
    let mut builder = Builder::new(Arc::clone(origin));
    let mut names = Names::default();
    let (mut tar_size, mut count) = (0_u64, 0);
    while let Some(member) = reader.next_member()? {
        count += 1;
        if builder.len().max(count) > limits.entries {
            let what = "more entries than are allowed".to_owned();
            return Err(Error::Limit { what, limit: limits.entries, offset: member.offset });
        }
        tar_size = tar_size.saturating_add(member.size);
        let met = extract(&mut builder, &member, blob, limits)?;
        names.take(blob, limits, member.offset, &member.path, met == Met::Entry)?;
    }
    let (root, sums) = builder.finish();
    let sums = Sums { tar_size, ..sums };
    if sums.size.max(tar_size) > SIZE_MAX {
        return Err(Error::Limit { what: "sizes that add up to more".to_owned(), limit: SIZE_MAX, offset: 0 });
    }
    Ok((root, sums))
}

fn extract(builder: &mut Builder, member: &Member<'_>, blob: &Blob, limits: &Limits) -> Result<Met> {
    let parts = path::clamped(&member.path);
    if parts.len() as u64 > limits.depth {
        let what = format!("{} directories deep", parts.len());
        return Err(Error::Limit { what, limit: limits.depth, offset: member.offset });
    }
    let refused =
        |refused| Error::archive(member.offset, format!("cannot make {}: {refused}", path::shown(&member.path)));
    let Some((base, parents)) = parts.split_last() else {
        return match member.kind {
            MemberKind::Directory => Ok(builder.meet_root()),
            // Engines skip whatever has the name of the root, unless it is spelled from above.
            _ if path::clean(&member.path) == b"." => Ok(builder.meet_root()),
            _ => Err(refused(Refused::Root)),
        };
    };
    builder.enter(parents).map_err(refused)?;
    match whiteout::meaning(base) {
        Meaning::Opaque => Ok(builder.make_opaque()),
        Meaning::Hides(name) => match builder.put_whiteout(name) {
            Ok(Met::Entry) => Err(refused(Refused::Exists)),
            met => met.map_err(refused),
        },
        Meaning::Nameless => Err(Error::archive(member.offset, format!("{} hides no name", path::shown(&member.path)))),
        Meaning::Entry(name) => put(builder, member, parents, name, blob)?.map_err(refused),
    }
}

/// The outer error is of the archive, the inner one of the tree.
fn put(
    builder: &mut Builder,
    member: &Member<'_>,
    parents: &[&[u8]],
    name: &[u8],
    blob: &Blob,
) -> Result<std::result::Result<Met, Refused>> {
    let metadata = member.metadata.clone();
    let kind = match &member.kind {
        MemberKind::Directory => return Ok(builder.put_dir(name, metadata)),
        MemberKind::HardLink(target) => {
            return Ok(builder.put_link(parents, name, &path::clamped(target), Some(metadata)));
        }
        MemberKind::Regular => Kind::Regular(member.data.content(blob)?),
        MemberKind::Symlink(target) => Kind::Symlink(Arc::from(target.as_ref())),
        MemberKind::CharDevice { major, minor } => Kind::CharDevice { major: *major, minor: *minor },
        MemberKind::BlockDevice { major, minor } => Kind::BlockDevice { major: *major, minor: *minor },
        MemberKind::Fifo => Kind::Fifo,
    };
    Ok(builder.put_leaf(name, metadata, kind))
}
