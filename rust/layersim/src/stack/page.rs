//! One page of the flat table: a few records in one run of words, shared by every table that does not change it.
//!
//! ```text
//! word 0           how many records
//! then             the hash of each
//! then, for each   size | mode 16, length of the path 16, its offset 32 | layer
//! then             the bytes of the paths
//! ```

use std::sync::Arc;

const RECORD_WORDS: usize = 3;
const WORD_BYTES: usize = 8;

/// What the table knows of one path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record {
    /// Bytes, as `st_size`.
    pub size: u64,
    /// Type and permission bits, as `st_mode`: they fit 16 bits.
    pub mode: u16,
    /// The position of the layer in the chain.
    pub layer: u32,
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

/// An immutable page.
#[derive(Debug, Clone)]
pub struct Page(Arc<[u64]>);

impl Page {
    /// A page of these rows. Their paths are shorter than 64 KiB.
    pub fn of(rows: &[Row<'_>]) -> Self {
        let path_bytes: usize = rows.iter().map(|row| row.path.len()).sum();
        let head = 1 + rows.len() * (1 + RECORD_WORDS);
        let mut words = Vec::with_capacity(head + path_bytes.div_ceil(WORD_BYTES));
        words.push(rows.len() as u64);
        words.extend(rows.iter().map(|row| row.hash));
        let mut offset = 0_u64;
        for Row { path, record, .. } in rows {
            let key = u64::from(record.mode) << 48 | (path.len() as u64 & 0xffff) << 32 | offset;
            words.extend([record.size, key, u64::from(record.layer)]);
            offset += path.len() as u64;
        }
        let bytes: Vec<u8> = rows.iter().flat_map(|row| row.path.iter().copied()).collect();
        words.extend(bytes.chunks(WORD_BYTES).map(|chunk| {
            let mut word = [0; WORD_BYTES];
            word[..chunk.len()].copy_from_slice(chunk);
            u64::from_ne_bytes(word)
        }));
        Self(words.into())
    }

    /// The record of a path, if the page has it.
    #[inline]
    pub fn get(&self, hash: u64, path: &[u8]) -> Option<Record> {
        let count = self.len();
        let hashes = self.0.get(1..=count)?;
        let candidates = hashes.iter().enumerate().filter(|(_, have)| **have == hash);
        candidates.map(|(at, _)| self.row(at, count)).find(|row| row.path == path).map(|row| row.record)
    }

    /// All rows.
    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        let count = self.len();
        (0..count).map(move |at| self.row(at, count))
    }

    /// How many rows there are.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "the word was written from a usize")]
    pub fn len(&self) -> usize {
        self.0[0] as usize
    }

    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "each field is cut to the bits that it was written with")]
    fn row(&self, at: usize, count: usize) -> Row<'_> {
        let words = &self.0[1 + count + at * RECORD_WORDS..][..RECORD_WORDS];
        let (mode, len, offset) = ((words[1] >> 48) as u16, (words[1] >> 32) as u16, words[1] as u32);
        let paths = 1 + count * (1 + RECORD_WORDS);
        let path = bytes_of(&self.0[paths..]).get(offset as usize..).and_then(|rest| rest.get(..usize::from(len)));
        let record = Record { size: words[0], mode, layer: words[2] as u32 };
        Row { hash: self.0[1 + at], path: path.unwrap_or_default(), record }
    }
}

/// The same memory, byte by byte.
#[inline]
fn bytes_of(words: &[u64]) -> &[u8] {
    bytemuck::cast_slice(words)
}
