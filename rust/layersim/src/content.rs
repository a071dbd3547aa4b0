//! The bytes of a file as *pieces*: slices of shared blobs, holes, and seeded bytes that are made when they are read.
//!
//! Copying a content shares its pieces and copies nothing, so a copy-up is a few words, and a file of 1 TiB that
//! `truncate` made is one hole.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use crate::blob::Blob;
use crate::error::Errno;

const ZEROS: [u8; 1 << 14] = [0; 1 << 14];
const SEEDED_WORD: u64 = 8;

/// The bytes of one regular file.
#[derive(Debug, Clone)]
pub struct Content {
    len: u64,
    body: Body,
}

/// The common cases cost no list.
#[derive(Debug, Clone)]
enum Body {
    Hole,
    Slice(Blob, u64),
    Pieces(Arc<Vec<Piece>>),
}

/// A run of bytes from one source, up to `end` in the file; it starts where the one before it ends.
#[derive(Debug, Clone)]
struct Piece {
    end: u64,
    source: Source,
}

/// Where bytes come from; a position in a source is that of the run's first byte.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    Hole,
    Blob(Blob, u64),
    Seeded { seed: u64, start: u64 },
}

impl Default for Content {
    fn default() -> Self {
        Self::hole(0)
    }
}

impl From<Vec<u8>> for Content {
    fn from(bytes: Vec<u8>) -> Self {
        let len = bytes.len() as u64;
        Self { len, body: if len == 0 { Body::Hole } else { Body::Slice(bytes.into(), 0) } }
    }
}

impl Content {
    /// `len` zero bytes that take no room.
    pub fn hole(len: u64) -> Self {
        Self { len, body: Body::Hole }
    }

    /// A part of a blob; `None` when the blob does not reach that far.
    pub fn slice(blob: &Blob, range: Range<u64>) -> Option<Self> {
        let len = range.end.checked_sub(range.start)?;
        if range.end > blob.len() as u64 {
            return None;
        }
        Some(Self { len, body: if len == 0 { Body::Hole } else { Body::Slice(blob.clone(), range.start) } })
    }

    /// `len` bytes that follow from `seed` alone, made when they are read.
    pub fn seeded(seed: u64, len: u64) -> Self {
        let piece = Piece { end: len, source: Source::Seeded { seed, start: 0 } };
        Self { len, body: Body::Pieces(Arc::new(vec![piece])) }
    }

    /// The length, holes included, in bytes.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// How many blocks of `block` bytes hold anything but a hole.
    pub fn blocks(&self, block: u64) -> u64 {
        let mut next = 0;
        let mut count = 0;
        for (range, _) in self.sources(0..self.len).filter(|(_, source)| !matches!(source, Source::Hole)) {
            let (first, end) = (next.max(range.start / block), range.end.div_ceil(block));
            count += end.saturating_sub(first);
            next = next.max(end);
        }
        count
    }

    /// Reads from `offset` on; returns how many bytes there were, at most `buffer.len()`.
    pub fn read_at(&self, offset: u64, buffer: &mut [u8]) -> usize {
        let end = self.len.min(offset.saturating_add(buffer.len() as u64));
        let mut done = 0;
        for (range, source) in self.sources(offset..end) {
            let part = &mut buffer[done..done + size(range.end - range.start)];
            source.fill(part);
            done += part.len();
        }
        done
    }

    /// All bytes from `range`, cut at the end of the file.
    ///
    /// # Errors
    /// `ENOMEM` when there is no room for them: a hole may be longer than memory.
    pub fn read(&self, range: Range<u64>) -> Result<Vec<u8>, Errno> {
        let len = self.len.min(range.end).saturating_sub(range.start);
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(size(len)).map_err(|_| Errno::ENOMEM)?;
        bytes.resize(size(len), 0);
        self.read_at(range.start, &mut bytes);
        Ok(bytes)
    }

    /// Writes all bytes, without a copy where they are in a blob.
    ///
    /// # Errors
    /// What the writer says.
    pub fn write_to(&self, writer: &mut dyn io::Write) -> io::Result<()> {
        for (range, source) in self.sources(0..self.len) {
            source.write_to(range.end - range.start, writer)?;
        }
        Ok(())
    }

    /// Puts `bytes` at `offset`; a gap before them becomes a hole.
    pub fn write_at(&mut self, offset: u64, bytes: &[u8]) {
        let end = offset.saturating_add(bytes.len() as u64);
        if self.len < offset && !bytes.is_empty() {
            self.truncate(offset);
        }
        if bytes.is_empty() || self.extend_at(offset, bytes) {
            return;
        }
        let written = Piece { end, source: Source::Blob(bytes.to_vec().into(), 0) };
        if offset == 0 && end >= self.len {
            *self = Self::of_piece(written);
            return;
        }
        self.splice(offset..end, written);
    }

    /// Cuts the file, or extends it by a hole.
    pub fn truncate(&mut self, len: u64) {
        if len > self.len && !matches!(self.body, Body::Hole) {
            let hole = Piece { end: len, source: Source::Hole };
            self.splice(self.len..len, hole);
        } else if let Body::Pieces(pieces) = &mut self.body {
            let kept = pieces.partition_point(|piece| piece.end < len) + 1;
            let pieces = Arc::make_mut(pieces);
            pieces.truncate(kept);
            if let Some(last) = pieces.last_mut() {
                last.end = len;
            }
        }
        self.len = len;
        if len == 0 {
            self.body = Body::Hole;
        }
    }

    /// Whether both have the same bytes.
    pub fn same_bytes(&self, other: &Self) -> bool {
        if self.len != other.len {
            return false;
        }
        if let (Body::Slice(left, from), Body::Slice(right, to)) = (&self.body, &other.body)
            && std::ptr::eq(left.as_ptr(), right.as_ptr())
            && from == to
        {
            return true;
        }
        let (mut left, mut right) = (ZEROS, ZEROS);
        (0..self.len).step_by(ZEROS.len()).all(|start| {
            let len = self.read_at(start, &mut left);
            other.read_at(start, &mut right) == len && left[..len] == right[..len]
        })
    }

    fn of_piece(piece: Piece) -> Self {
        match piece.source {
            Source::Hole => Self::hole(piece.end),
            Source::Blob(blob, start) => Self { len: piece.end, body: Body::Slice(blob, start) },
            Source::Seeded { .. } => Self { len: piece.end, body: Body::Pieces(Arc::new(vec![piece])) },
        }
    }

    /// Writes in place when the bytes before `offset` are the whole tail of a buffer that only this content holds.
    fn extend_at(&mut self, offset: u64, bytes: &[u8]) -> bool {
        let end = offset + bytes.len() as u64;
        let extended = match &mut self.body {
            Body::Hole => false,
            Body::Slice(blob, start) => {
                offset == self.len && blob.len() as u64 == *start + offset && blob.extend_unshared(bytes)
            }
            Body::Pieces(pieces) => Arc::get_mut(pieces).is_some_and(|pieces| extend_piece(pieces, offset, bytes)),
        };
        self.len = if extended { self.len.max(end) } else { self.len };
        extended
    }

    /// Replaces what is in `range` (which may start at the end and reach beyond it) by one piece.
    fn splice(&mut self, range: Range<u64>, piece: Piece) {
        let mut shared = self.take_pieces();
        let pieces = Arc::make_mut(&mut shared);
        let first = pieces.partition_point(|piece| piece.end <= range.start);
        let last = pieces.partition_point(|piece| piece.end <= range.end);
        let left = pieces.get(first).filter(|_| begin_of(pieces, first) < range.start);
        let left = left.map(|left| Piece { end: range.start, source: left.source.clone() });
        let right = pieces.get(last).map(|right| right.without(range.end - begin_of(pieces, last)));
        let replaced = first..pieces.len().min(last + 1);
        pieces.splice(replaced, left.into_iter().chain([piece]).chain(right));
        self.body = Body::Pieces(shared);
        self.len = self.len.max(range.end);
    }

    /// The pieces, to be changed and put back.
    fn take_pieces(&mut self) -> Arc<Vec<Piece>> {
        let whole = |source| Arc::new(vec![Piece { end: self.len, source }]);
        match std::mem::replace(&mut self.body, Body::Hole) {
            Body::Pieces(pieces) => pieces,
            Body::Hole if self.len == 0 => Arc::default(),
            Body::Hole => whole(Source::Hole),
            Body::Slice(blob, start) => whole(Source::Blob(blob, start)),
        }
    }

    /// All runs: how long each is, and where its bytes come from.
    pub(crate) fn runs(&self) -> impl Iterator<Item = (u64, Source)> {
        self.sources(0..self.len).map(|(range, source)| (range.end - range.start, source))
    }

    /// The sources of a range, each with its own range in the file, cut to what was asked for.
    fn sources(&self, wanted: Range<u64>) -> impl Iterator<Item = (Range<u64>, Source)> {
        let wanted = wanted.start..wanted.end.min(self.len);
        let (pieces, single) = match &self.body {
            Body::Hole => (&[][..], Some(Source::Hole)),
            Body::Slice(blob, start) => (&[][..], Some(Source::Blob(blob.clone(), *start))),
            Body::Pieces(pieces) => (pieces.as_slice(), None),
        };
        let first = pieces.partition_point(|piece| piece.end <= wanted.start);
        let begin = first.checked_sub(1).map_or(0, |before| pieces[before].end);
        let listed = pieces[first..].iter().scan(begin, |begin, piece| {
            let range = *begin..piece.end;
            *begin = piece.end;
            Some((range, piece.source.clone()))
        });
        let whole = single.map(|source| (0..self.len, source));
        whole.into_iter().chain(listed).map_while(move |(range, source)| {
            let cut = range.start.max(wanted.start)..range.end.min(wanted.end);
            (cut.start < cut.end).then(|| (cut.clone(), source.advanced(cut.start - range.start)))
        })
    }
}

impl Piece {
    /// The rest of it after the first `by` bytes.
    fn without(&self, by: u64) -> Self {
        Self { end: self.end, source: self.source.advanced(by) }
    }
}

/// Where a piece starts.
fn begin_of(pieces: &[Piece], at: usize) -> u64 {
    at.checked_sub(1).map_or(0, |before| pieces[before].end)
}

/// Lets the piece that ends at `offset` go on with `bytes`, over what comes after it, if its buffer can grow.
fn extend_piece(pieces: &mut Vec<Piece>, offset: u64, bytes: &[u8]) -> bool {
    let Ok(at) = pieces.binary_search_by_key(&offset, |piece| piece.end) else {
        return false;
    };
    let (begin, end) = (begin_of(pieces, at), offset + bytes.len() as u64);
    let Source::Blob(blob, start) = &mut pieces[at].source else {
        return false;
    };
    if blob.len() as u64 != *start + offset - begin || !blob.extend_unshared(bytes) {
        return false;
    }
    let last = pieces.partition_point(|piece| piece.end <= end);
    if let Some(right) = pieces.get(last) {
        pieces[last] = right.without(end - begin_of(pieces, last));
    }
    pieces.drain(at + 1..last);
    pieces[at].end = end;
    true
}

impl Content {
    /// Joins runs again; none of them may be empty.
    pub(crate) fn of_runs(runs: impl IntoIterator<Item = (u64, Source)>) -> Self {
        let mut end = 0;
        let mut pieces = Vec::new();
        for (len, source) in runs {
            end += len;
            pieces.push(Piece { end, source });
        }
        match pieces.len() {
            0 => Self::default(),
            1 => Self::of_piece(pieces.swap_remove(0)),
            _ => Self { len: end, body: Body::Pieces(Arc::new(pieces)) },
        }
    }
}

impl FromIterator<(u64, Content)> for Content {
    /// Joins parts, each with the offset it starts at, in rising order; gaps become holes.
    fn from_iter<I: IntoIterator<Item = (u64, Content)>>(parts: I) -> Self {
        let mut pieces = Vec::new();
        let mut len = 0;
        for (offset, part) in parts {
            if offset > len {
                pieces.push(Piece { end: offset, source: Source::Hole });
            }
            pieces.extend(part.sources(0..part.len).map(|(range, source)| Piece { end: offset + range.end, source }));
            len = offset.max(len) + part.len;
        }
        Self { len, body: if pieces.is_empty() { Body::Hole } else { Body::Pieces(Arc::new(pieces)) } }
    }
}

impl Source {
    /// The same source, `by` bytes on.
    fn advanced(&self, by: u64) -> Self {
        match self {
            Self::Hole => Self::Hole,
            Self::Blob(blob, start) => Self::Blob(blob.clone(), start + by),
            Self::Seeded { seed, start } => Self::Seeded { seed: *seed, start: start + by },
        }
    }

    fn fill(&self, part: &mut [u8]) {
        match self {
            Self::Hole => part.fill(0),
            Self::Blob(blob, start) => {
                part.copy_from_slice(&blob[size(*start)..size(*start) + part.len()]);
            }
            Self::Seeded { seed, start } => {
                for (byte, at) in part.iter_mut().zip(*start..) {
                    *byte = seeded_byte(*seed, at);
                }
            }
        }
    }

    fn write_to(&self, len: u64, writer: &mut dyn io::Write) -> io::Result<()> {
        if let Self::Blob(blob, start) = self {
            return writer.write_all(&blob[size(*start)..size(*start + len)]);
        }
        let mut buffer = ZEROS;
        let mut done = 0;
        while done < len {
            let part = &mut buffer[..size((len - done).min(ZEROS.len() as u64))];
            self.advanced(done).fill(part);
            writer.write_all(part)?;
            done += part.len() as u64;
        }
        Ok(())
    }
}

/// One byte of the stream that `seed` names: splitmix64 over the index of its word.
fn seeded_byte(seed: u64, at: u64) -> u8 {
    let mut word = seed.wrapping_add((at / SEEDED_WORD).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (word ^ (word >> 31)).to_le_bytes()[(at % SEEDED_WORD) as usize]
}

/// A length that a buffer of this process has.
#[expect(
    clippy::cast_possible_truncation,
    reason = "lengths of buffers in memory fit; the crate is for 64-bit targets"
)]
fn size(len: u64) -> usize {
    len as usize
}
