//! Bytes that a tree takes on a disk: whole blocks, as ext4 with 4 KiB blocks and 256-byte inodes allocates them.
//!
//! This is how the containerd image store measures a snapshot (spec/accounting.md section 1): files in whole blocks,
//! each directory and the root of the layer too.

use std::collections::HashSet;
use std::sync::Arc;

use crate::content::Content;
use crate::error::Result;
use crate::layer::Layer;
use crate::metadata::Xattrs;
use crate::overlay::{InodeId, Overlay, below_of};
use crate::tree::{Dir, Kind, Leaf, Node};

/// The bytes of a block.
pub const BLOCK: u64 = 4096;
/// The longest target of a symbolic link that the inode itself holds.
const INLINE_TARGET: usize = 59;
/// What the inode has room for beside its own fields: 256 - 128 - 32 bytes, less the mark and the end of the list.
const INLINE_XATTRS: usize = 88;
/// The fields of an attribute before its name.
const XATTR_HEADER: usize = 16;
/// What a block of a directory keeps for its checksum.
const DIRENT_TAIL: u64 = 12;
/// The fields of a directory entry before its name.
const DIRENT_HEADER: usize = 8;
/// The entries `.` and `..`.
const OWN_DIRENTS: u64 = 24;
/// How full the blocks of a large directory are, in hundredths: the index splits a full one into halves.
const LEAF_FILL: u64 = 72;
/// The attributes that overlayfs leaves on what it copied up: which file it was, and that a directory holds such files.
const ORIGIN: (&[u8], usize) = (b"trusted.overlay.origin", 29);
const IMPURE: (&[u8], usize) = (b"trusted.overlay.impure", 1);
/// And on the root of the upper directory, since Linux 6.6.
const UUID: (&[u8], usize) = (b"trusted.overlay.uuid", 16);
const OPAQUE: (&[u8], usize) = (b"trusted.overlay.opaque", 1);
/// And on a renamed directory of the layers.
const REDIRECT: &[u8] = b"trusted.overlay.redirect";
/// Attributes are kept without these, by their number.
const NAMESPACES: [&[u8]; 4] = [b"user.", b"trusted.", b"security.", b"system."];

/// Blocks of the unpacked layer, its root included, in bytes. Extraction writes holes as zeros.
///
/// # Errors
/// [`crate::Error::ContentMissing`] for a synthetic layer.
pub fn of_layer(layer: &Layer) -> Result<u64> {
    let mut seen = HashSet::new();
    Ok(layer_dir(layer.root()?, &mut seen))
}

/// Blocks of what was written to an overlay, the root of the upper directory included, in bytes.
pub fn of_upper(overlay: &Overlay) -> u64 {
    let Some(root) = overlay.upper_root() else {
        return if overlay.options().is_read_only { 0 } else { BLOCK };
    };
    let mut seen = HashSet::new();
    upper_dir(overlay, root, Some(overlay.lower().root()), true, &mut seen)
}

fn layer_dir(dir: &Dir<Leaf>, seen: &mut HashSet<u32>) -> u64 {
    let marks: &[_] = if dir.is_opaque { &[OPAQUE] } else { &[] };
    let own = directory_blocks(dir) + xattr_block(&dir.metadata.xattrs, marks);
    let below = dir.entries().iter().map(|entry| match &entry.node {
        Node::Dir { dir, .. } => layer_dir(dir, seen),
        Node::Leaf { leaf, .. } if seen.insert(leaf.id) => {
            let file = match &leaf.kind {
                Kind::Regular(content) => content.len().div_ceil(BLOCK).saturating_mul(BLOCK),
                kind => link_block(kind),
            };
            file.saturating_add(xattr_block(&leaf.metadata.xattrs, &[]))
        }
        _ => 0,
    });
    below.fold(own, u64::saturating_add)
}

/// A directory of the upper tree; `below` is what the layers have there, unless it is opaque.
fn upper_dir(
    overlay: &Overlay,
    dir: &Dir<InodeId>,
    below: Option<&Arc<Dir<Leaf>>>,
    is_root: bool,
    seen: &mut HashSet<InodeId>,
) -> u64 {
    let mut total = directory_blocks(dir);
    for entry in dir.entries().iter() {
        match &entry.node {
            Node::Dir { dir, .. } => {
                let lower = below_of(dir, below.and_then(|below| below.get(&entry.name)));
                total = total.saturating_add(upper_dir(overlay, dir, lower, false, seen));
            }
            Node::Leaf { leaf, .. } => {
                let Some(live) = overlay.live(*leaf) else { continue };
                if seen.insert(*leaf) {
                    let file = match &live.kind {
                        Kind::Regular(content) => written_blocks(content),
                        kind => link_block(kind),
                    };
                    let marks: &[_] = if live.is_noted { &[ORIGIN] } else { &[] };
                    total = total.saturating_add(file + xattr_block(&live.metadata.xattrs, marks));
                }
            }
            Node::Whiteout { .. } => {}
        }
    }
    let marks = [
        is_root.then_some(UUID).or(below.map(|_| ORIGIN)),
        dir.is_impure.then_some(IMPURE),
        dir.is_opaque.then_some(OPAQUE),
        dir.redirect.as_ref().map(|redirect| (REDIRECT, redirect.text().len())),
    ];
    total.saturating_add(xattr_block(&dir.metadata.xattrs, &marks.into_iter().flatten().collect::<Vec<_>>()))
}

/// Blocks that hold bytes: holes take none.
fn written_blocks(content: &Content) -> u64 {
    content.blocks(BLOCK).saturating_mul(BLOCK)
}

fn link_block(kind: &Kind) -> u64 {
    match kind {
        Kind::Symlink(target) if target.len() > INLINE_TARGET => BLOCK,
        _ => 0,
    }
}

/// One block of entries; what does not fit makes an index and blocks that are partly full.
fn directory_blocks<L>(dir: &Dir<L>) -> u64 {
    let entry = |name: &[u8]| (DIRENT_HEADER + name.len()).next_multiple_of(4) as u64;
    let length = dir.entries().iter().map(|each| entry(&each.name)).fold(OWN_DIRENTS, u64::saturating_add);
    if length <= BLOCK - DIRENT_TAIL {
        return BLOCK;
    }
    let leaves = (length * 100).div_ceil((BLOCK - DIRENT_TAIL) * LEAF_FILL).max(2);
    (1 + leaves) * BLOCK
}

/// A block of its own for attributes that the inode has no room for; `marks` are those of overlayfs.
fn xattr_block(xattrs: &Xattrs, marks: &[(&[u8], usize)]) -> u64 {
    let given = xattrs.iter().map(|(name, value)| (name, value.len()));
    let length: usize = given.chain(marks.iter().copied()).map(|(name, value)| xattr_length(name, value)).sum();
    if length > INLINE_XATTRS { BLOCK } else { 0 }
}

fn xattr_length(name: &[u8], value: usize) -> usize {
    let kept = NAMESPACES.iter().find_map(|space| name.strip_prefix(*space)).unwrap_or(name);
    (XATTR_HEADER + kept.len()).next_multiple_of(4) + value.next_multiple_of(4)
}
