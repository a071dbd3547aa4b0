//! Reading a tar in one pass over its bytes: members with their names, metadata and the place of their data.
//!
//! Nothing is copied but names that are put together; nothing is allocated because a header claims it.

use std::borrow::Cow;
use std::ops::Range;

use super::BLOCK;
use super::header::{Block, NoNumber, text};
use super::pax::Records;
use super::sparse::{self, Notation, Run, Unfit};
use crate::blob::Blob;
use crate::content::Content;
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::metadata::{Metadata, PERMISSIONS, Timestamp};
use crate::path::shown;

const PAX_NEXT: u8 = b'x';
const PAX_GLOBAL: u8 = b'g';
const GNU_LONG_NAME: u8 = b'L';
const GNU_LONG_LINK: u8 = b'K';

/// What a member is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind<'a> {
    /// A file.
    Regular,
    /// One more name of another member.
    HardLink(Cow<'a, [u8]>),
    /// A symbolic link.
    Symlink(Cow<'a, [u8]>),
    /// A character device.
    CharDevice {
        /// The driver.
        major: u32,
        /// The unit.
        minor: u32,
    },
    /// A block device.
    BlockDevice {
        /// The driver.
        major: u32,
        /// The unit.
        minor: u32,
    },
    /// A directory.
    Directory,
    /// A named pipe.
    Fifo,
}

/// Where the bytes of a member are in the archive.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Data {
    stored: Range<usize>,
    /// The runs of a sparse file, and its length.
    sparse: Option<(Vec<Run>, u64)>,
}

/// One member of an archive.
#[derive(Debug, Clone)]
pub struct Member<'a> {
    /// Where its first header block starts, extended headers included.
    pub offset: u64,
    /// Its name, as the archive says it.
    pub path: Cow<'a, [u8]>,
    /// What it is.
    pub kind: Kind<'a>,
    /// Mode, owner, time, attributes.
    pub metadata: Metadata,
    /// The size that its headers say, in bytes.
    pub size: u64,
    /// Where its bytes are.
    pub data: Data,
}

impl Data {
    /// The bytes in the archive, unless the file is sparse.
    pub fn stored(&self) -> Option<Range<usize>> {
        self.sparse.is_none().then(|| self.stored.clone())
    }

    /// The file's content: slices of the archive's blob, and holes.
    ///
    /// # Errors
    /// [`Error::Input`] when `blob` is not the archive that was read.
    pub fn content(&self, blob: &Blob) -> Result<Content> {
        let slice = |start: usize, len: u64| {
            let start = start as u64;
            let end = start.saturating_add(len);
            Content::slice(blob, start..end).ok_or_else(|| Error::input("the blob is not the archive that was read"))
        };
        let Some((runs, len)) = &self.sparse else {
            return slice(self.stored.start, self.stored.len() as u64);
        };
        let mut at = self.stored.start;
        let mut parts = Vec::with_capacity(runs.len() + 1);
        for (offset, run) in runs {
            parts.push((*offset, slice(at, *run)?));
            at = at.saturating_add(usize::try_from(*run).unwrap_or(usize::MAX));
        }
        let mut content: Content = parts.into_iter().collect();
        content.truncate(*len);
        Ok(content)
    }
}

/// What extended headers say about the next member.
#[derive(Debug, Default)]
struct Extended<'a> {
    records: Records<'a>,
    long_name: Option<&'a [u8]>,
    long_link: Option<&'a [u8]>,
}

/// Reads the members of an archive, one after the other.
#[derive(Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    limits: Limits,
    at: usize,
}

impl<'a> Reader<'a> {
    /// A reader at the start of an archive.
    pub fn new(bytes: &'a [u8], limits: &Limits) -> Self {
        Self { bytes, limits: *limits, at: 0 }
    }

    /// The next member; `None` at the end of the archive, which bytes may follow.
    ///
    /// # Errors
    /// [`Error::Archive`] where the archive is malformed or cut off, [`Error::Limit`]; both with the offset.
    pub fn next_member(&mut self) -> Result<Option<Member<'a>>> {
        let mut extended = Extended::default();
        let offset = self.at as u64;
        loop {
            let header_at = self.at as u64;
            let Some(block) = self.block(header_at)? else {
                return Ok(None);
            };
            let invalid = |NoNumber| Error::archive(header_at, "archive/tar: invalid tar header");
            match block.type_flag() {
                PAX_NEXT => {
                    let body = self.special(block, header_at)?;
                    extended.records = Records::parse(body).ok_or(NoNumber).map_err(invalid)?;
                }
                PAX_GLOBAL => {
                    let body = self.special(block, header_at)?;
                    Records::parse(body).ok_or(NoNumber).map_err(invalid)?;
                    extended = Extended::default();
                }
                GNU_LONG_NAME => extended.long_name = said(self.special(block, header_at)?),
                GNU_LONG_LINK => extended.long_link = said(self.special(block, header_at)?),
                _ => return self.member(offset, block, &extended).map(Some),
            }
        }
    }

    /// The next header block; `None` at the end.
    fn block(&mut self, offset: u64) -> Result<Option<Block<'a>>> {
        let Some(bytes) = self.take(BLOCK, offset)? else {
            return Ok(None);
        };
        if bytes.iter().all(|byte| *byte == 0) {
            return match self.take(BLOCK, offset)? {
                Some(second) if second.iter().any(|byte| *byte != 0) => Err(invalid_header(offset)),
                _ => Ok(None),
            };
        }
        Block::new(bytes).ok_or_else(|| invalid_header(offset)).map(Some)
    }

    /// Exactly so many bytes; `None` if the archive ends right here.
    fn take(&mut self, len: usize, offset: u64) -> Result<Option<&'a [u8]>> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        if rest.is_empty() {
            return Ok(None);
        }
        let taken = rest.get(..len).ok_or_else(|| Error::archive(offset, "unexpected EOF in a header block"))?;
        self.at += len;
        Ok(Some(taken))
    }

    /// The body of an extended header.
    fn special(&mut self, block: Block<'a>, offset: u64) -> Result<&'a [u8]> {
        let size = block.size().ok().and_then(|size| u64::try_from(size).ok()).ok_or_else(|| invalid_header(offset))?;
        if size > self.limits.header_bytes {
            let what = format!("an extended header of {size} bytes");
            return Err(Error::Limit { what, limit: self.limits.header_bytes, offset });
        }
        let range = self.data(size, offset, b"extended header")?;
        Ok(&self.bytes[range])
    }

    /// Moves over a member's data; an archive that is cut off in the padding after it ends there.
    fn data(&mut self, size: u64, offset: u64, name: &[u8]) -> Result<Range<usize>> {
        let end = usize::try_from(size).ok().and_then(|size| self.at.checked_add(size));
        let Some(end) = end.filter(|end| *end <= self.bytes.len()) else {
            let left = self.bytes.len().saturating_sub(self.at);
            let cause = format!("unexpected EOF: {} has {size} bytes, {left} are left", shown(name));
            return Err(Error::archive(offset, cause));
        };
        let range = self.at..end;
        self.at = end.next_multiple_of(BLOCK);
        Ok(range)
    }

    fn member(&mut self, offset: u64, block: Block<'a>, extended: &Extended<'a>) -> Result<Member<'a>> {
        let invalid = |NoNumber| invalid_header(offset);
        let records = &extended.records;
        let mut path = name_of(block, extended);
        let mut size =
            records.number(b"size").and_then(|size| size.map_or_else(|| block.size(), Ok)).map_err(invalid)?;
        let kind = Self::kind(block, extended, &path, offset)?;
        let has_data = matches!(kind, Kind::Regular);
        // What has no data may say any size, a negative one too: Go reads past it.
        let stored_size = u64::try_from(if has_data { size } else { 0 }).map_err(|_| invalid_header(offset))?;
        let mut data = Data { stored: self.data(stored_size, offset, &path)?, sparse: None };
        if let Some(notation) = sparse::notation(records).filter(|_| has_data) {
            if let Some(name) = records.get(b"GNU.sparse.name") {
                path = Cow::Borrowed(name);
            }
            let real = records.number(b"GNU.sparse.realsize").map_err(invalid)?;
            size = records.number(b"GNU.sparse.size").map_err(invalid)?.or(real).unwrap_or(size);
            data = self.sparse(notation, records, data.stored, size).map_err(|unfit| match unfit {
                Unfit::Map => invalid_header(offset),
                Unfit::Limit => {
                    let what = format!("the runs of {}", shown(&path));
                    Error::Limit { what, limit: self.limits.sparse_pieces, offset }
                }
            })?;
        }
        let size = u64::try_from(if has_data { size } else { size.max(0) }).map_err(|_| invalid_header(offset))?;
        if size > self.limits.file_bytes {
            let what = format!("{} of {size} bytes", shown(&path));
            return Err(Error::Limit { what, limit: self.limits.file_bytes, offset });
        }
        let metadata = metadata(block, records).map_err(invalid)?;
        Ok(Member { offset, path, kind, metadata, size, data })
    }

    fn kind(block: Block<'a>, extended: &Extended<'a>, path: &[u8], offset: u64) -> Result<Kind<'a>> {
        let (major, minor) = block.device().map(numbers_on_disk).map_err(|NoNumber| invalid_header(offset))?;
        Ok(match block.type_flag() {
            0 if path.ends_with(b"/") => Kind::Directory,
            0 | b'0' => Kind::Regular,
            b'1' => Kind::HardLink(Cow::Borrowed(link_of(block, extended))),
            b'2' => Kind::Symlink(Cow::Borrowed(link_of(block, extended))),
            b'3' => Kind::CharDevice { major, minor },
            b'4' => Kind::BlockDevice { major, minor },
            b'5' => Kind::Directory,
            b'6' => Kind::Fifo,
            other => {
                let cause = format!("unhandled tar header type {other} of {}", shown(path));
                return Err(Error::archive(offset, cause));
            }
        })
    }

    fn sparse(
        &self,
        notation: Notation,
        records: &Records<'_>,
        stored: Range<usize>,
        size: i64,
    ) -> std::result::Result<Data, Unfit> {
        let limit = self.limits.sparse_pieces;
        let size = u64::try_from(size).map_err(|_| NoNumber)?;
        let (runs, skipped) = match notation {
            Notation::Header => (sparse::map_in_header(records, limit)?, 0),
            Notation::Data => sparse::map_in_data(&self.bytes[stored.clone()], limit)?,
        };
        let start = stored.start.checked_add(skipped).filter(|start| *start <= stored.end).ok_or(Unfit::Map)?;
        let total = runs.iter().try_fold(0_u64, |total, (_, len)| total.checked_add(*len));
        if total != Some((stored.end - start) as u64) || !sparse::is_valid(&runs, size) {
            return Err(Unfit::Map);
        }
        Ok(Data { stored: start..stored.end, sparse: Some((runs, size)) })
    }
}

/// A long name, unless it is empty: then the header's own counts.
fn said(body: &[u8]) -> Option<&[u8]> {
    Some(text(body)).filter(|name| !name.is_empty())
}

fn invalid_header(offset: u64) -> Error {
    Error::archive(offset, "archive/tar: invalid tar header")
}

fn name_of<'a>(block: Block<'a>, extended: &Extended<'a>) -> Cow<'a, [u8]> {
    if let Some(name) = extended.long_name.or_else(|| extended.records.get(b"path")) {
        return Cow::Borrowed(name);
    }
    match block.prefix() {
        b"" => Cow::Borrowed(block.name()),
        prefix => Cow::Owned([prefix, b"/", block.name()].concat()),
    }
}

fn link_of<'a>(block: Block<'a>, extended: &Extended<'a>) -> &'a [u8] {
    extended.long_link.or_else(|| extended.records.get(b"linkpath")).unwrap_or_else(|| block.link_name())
}

fn metadata(block: Block<'_>, records: &Records<'_>) -> std::result::Result<Metadata, NoNumber> {
    let mode = u32::try_from(block.mode()? & i64::from(PERMISSIONS)).map_err(|_| NoNumber)?;
    let mut metadata = Metadata::with_mode(mode);
    metadata.uid = owner(records.number(b"uid")?.map_or_else(|| block.uid(), Ok)?);
    metadata.gid = owner(records.number(b"gid")?.map_or_else(|| block.gid(), Ok)?);
    let header_time = Timestamp { seconds: block.mtime()?, nanos: 0 };
    metadata.set_mtime(records.time(b"mtime")?.unwrap_or(header_time));
    for unused in [b"atime", b"ctime"] {
        records.time(unused)?;
    }
    if !records.is_empty() {
        metadata.xattrs = records.xattrs().collect();
    }
    Ok(metadata)
}

/// What `chown` makes of an owner: its lower 32 bits, of which all ones leave root.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the system call cuts the number so")]
fn owner(id: i64) -> u32 {
    match id as u32 {
        u32::MAX => 0,
        id => id,
    }
}

/// What `mknod` makes of the numbers of a device: Linux keeps 12 and 20 bits.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the system call cuts the numbers so")]
fn numbers_on_disk((major, minor): (i64, i64)) -> (u32, u32) {
    (major as u32 & 0xfff, minor as u32 & 0xf_ffff)
}
