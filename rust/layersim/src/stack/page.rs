//! One page of the flat table: a few rows in one run of words, shared by every table that does not change it.
//!
//! ```text
//! word 0          how many rows there are; the sign bit: some had no room
//! then, for each  48 bits of its hash, 16 bits where it starts
//! then, for each  size | mode 16, length of the path 16, nanoseconds 32 | layer 32, number 32 | uid 32, gid 32
//!                 | seconds | links 32 | the path, filled up to whole words
//! ```
//!
//! A row is in one or two cache lines, found through one more.

use std::sync::Arc;

use crate::metadata::Timestamp;

const WORD_BYTES: usize = 8;
const OFFSET_BITS: u64 = 0xffff;
const OVERFULL: u64 = 1 << 63;
const HALF: u32 = 32;

/// What the table knows of one path: all that `lstat` tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record {
    /// Type and permission bits: they fit 16 bits.
    pub mode: u16,
    /// The position of the layer in the chain.
    pub layer: u32,
    /// The number of the inode in that layer.
    pub id: u32,
    /// Names of the inode.
    pub links: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Bytes; of a device, its number.
    pub size: u64,
    /// Last modification.
    pub mtime: Timestamp,
}

impl Record {
    /// Bytes, as `st_size` says them.
    #[inline]
    pub fn st_size(&self) -> u64 {
        if self.is_device() { 0 } else { self.size }
    }

    /// The number of a device; 0 for anything else.
    #[inline]
    pub fn device(&self) -> u64 {
        if self.is_device() { self.size } else { 0 }
    }

    /// Whether it is a symbolic link.
    #[inline]
    pub fn is_link(&self) -> bool {
        self.mode >> 12 == 10
    }

    /// Character and block devices have type bits 2 and 6.
    #[inline]
    fn is_device(&self) -> bool {
        matches!(self.mode >> 12, 2 | 6)
    }
}

/// A record with its key.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    /// The hash of the path.
    pub hash: u64,
    /// The path, without a leading slash.
    pub path: &'a [u8],
    /// What is known of it.
    pub record: Record,
}

/// Where a row starts.
#[derive(Debug, Clone, Copy)]
pub struct Slot(usize);

/// An immutable page.
#[derive(Debug, Clone)]
pub struct Page(Arc<[u64]>);

impl Page {
    /// A page of these rows, whose paths are shorter than 64 KiB. Rows that find no room are left out, and the page says so.
    pub fn of(rows: &[Row<'_>]) -> Self {
        let mut words = vec![0; 1 + rows.len()];
        let mut count = 0;
        for row in rows {
            let start = words.len() as u64;
            if start > OFFSET_BITS {
                break;
            }
            count += 1;
            words[count] = row.hash & !OFFSET_BITS | start;
            row.write(&mut words);
        }
        words[0] = count as u64 | if count < rows.len() { OVERFULL } else { 0 };
        Self(words.into())
    }

    /// What can be read of it.
    #[inline]
    pub fn words(&self) -> Words<'_> {
        Words(&self.0)
    }
}

/// A page that is being read.
#[derive(Debug, Clone, Copy)]
pub struct Words<'a>(&'a [u64]);

impl<'a> Words<'a> {
    /// The first word, read early so that what follows it is near.
    #[inline]
    pub fn head(self) -> u64 {
        self.0[0]
    }

    /// Whether a path that is not found here may exist all the same.
    pub fn is_overfull(self) -> bool {
        self.head() & OVERFULL != 0
    }

    /// The first row whose hash may be this one.
    #[inline]
    pub fn slot(self, head: u64, hash: u64) -> Option<Slot> {
        let hashes = self.0.get(1..=size(head & !OVERFULL))?;
        let found = hashes.iter().find(|word| (*word ^ hash) & !OFFSET_BITS == 0)?;
        Some(Slot(size(found & OFFSET_BITS)))
    }

    /// The first word of a row, read early.
    #[inline]
    pub fn touch(self, slot: Slot) -> u64 {
        self.0.get(slot.0 + 1).copied().unwrap_or_default()
    }

    /// The record at a slot, if it is that of this path.
    #[inline]
    pub fn record(self, slot: Slot, path: &[u8]) -> Option<Record> {
        let (record, have) = self.row(slot)?;
        (have == path).then_some(record)
    }

    /// The record of a path, if the page has it.
    #[inline]
    pub fn get(self, hash: u64, path: &[u8]) -> Option<Record> {
        let found = self.slot(self.head(), hash)?;
        self.record(found, path).or_else(|| self.rows().find(|row| row.path == path).map(|row| row.record))
    }

    /// All rows; of their hashes only the bits that the page keeps.
    pub fn rows(self) -> impl Iterator<Item = Row<'a>> {
        let starts = self.0.get(1..=size(self.head() & !OVERFULL)).unwrap_or_default();
        starts.iter().filter_map(move |word| {
            let (record, path) = self.row(Slot(size(word & OFFSET_BITS)))?;
            Some(Row { hash: word & !OFFSET_BITS, path, record })
        })
    }

    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "each field is cut to the bits that it was written with")]
    fn row(self, slot: Slot) -> Option<(Record, &'a [u8])> {
        let words = self.0.get(slot.0..)?;
        let [size, shape, place, owner, seconds, links, path @ ..] = words else {
            return None;
        };
        let record = Record {
            mode: (shape >> 48) as u16,
            layer: (place >> HALF) as u32,
            id: *place as u32,
            links: *links as u32,
            uid: (owner >> HALF) as u32,
            gid: *owner as u32,
            size: *size,
            mtime: Timestamp { seconds: seconds.cast_signed(), nanos: *shape as u32 },
        };
        let path = bytemuck::cast_slice(path).get(..usize::from((shape >> HALF) as u16))?;
        Some((record, path))
    }
}

impl Row<'_> {
    fn write(&self, words: &mut Vec<u64>) {
        let Record { mode, layer, id, links, uid, gid, size, mtime } = self.record;
        let shape = u64::from(mode) << 48 | (self.path.len() as u64 & 0xffff) << HALF | u64::from(mtime.nanos);
        words.extend([
            size,
            shape,
            u64::from(layer) << HALF | u64::from(id),
            u64::from(uid) << HALF | u64::from(gid),
            mtime.seconds.cast_unsigned(),
            u64::from(links),
        ]);
        words.extend(self.path.chunks(WORD_BYTES).map(|chunk| {
            let mut word = [0; WORD_BYTES];
            word[..chunk.len()].copy_from_slice(chunk);
            u64::from_ne_bytes(word)
        }));
    }
}

/// A number that was written from an index.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "indexes of a page fit 16 bits")]
fn size(word: u64) -> usize {
    word as usize
}
