//! Reading a saved top: nothing is taken on trust, and nothing is allocated because a number claims it.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use imbl::OrdMap;

use super::{MAGIC, PREFACE, flag, kind, node, run};
use crate::blob::Blob;
use crate::content::{Content, Source};
use crate::error::{Error, Result};
use crate::metadata::{Metadata, PERMISSIONS, Timestamp, Xattrs};
use crate::overlay::rename::depth_of;
use crate::overlay::upper::{InodeId, Live, Upper};
use crate::path::{DEPTH_MAX, NAME_MAX};
use crate::tree::{Dir, Kind, Leaf, Name, Node, Origin, Redirect};

const NANOS: u32 = 1_000_000_000;
/// The longest file: offsets have a sign.
const FILE_MAX: u64 = i64::MAX.cast_unsigned();

/// The top that a blob says over these layers, and whether a directory of them was renamed.
///
/// # Errors
/// [`Error::Archive`] with the place of what makes no sense.
pub fn upper(blob: &Blob, lower: &Arc<Dir<Leaf>>) -> Result<(Upper, bool)> {
    let no_top = || Error::archive(0, "no saved top: its first bytes are others");
    let length = blob.strip_prefix(MAGIC).and_then(|rest| rest.first_chunk()).ok_or_else(no_top)?;
    let end = usize::try_from(u64::from_le_bytes(*length)).ok().and_then(|len| len.checked_add(PREFACE));
    let end = end.filter(|end| *end <= blob.len()).ok_or_else(|| Error::archive(0, "a saved top is cut short"))?;
    let (links, dir_atimes) = (BTreeMap::new(), OrdMap::new());
    let mut reader = Reader { blob, lower, at: PREFACE, end, data: end, links, dir_atimes, redirects: false };
    let upper = reader.upper()?;
    if reader.at != end || reader.data != blob.len() {
        return Err(reader.senseless("more bytes than it speaks of"));
    }
    Ok((upper, reader.redirects))
}

struct Reader<'b> {
    blob: &'b Blob,
    lower: &'b Arc<Dir<Leaf>>,
    at: usize,
    end: usize,
    /// Where the bytes of the next run are.
    data: usize,
    /// How many names were seen of each inode.
    links: BTreeMap<InodeId, u32>,
    dir_atimes: OrdMap<u32, Timestamp>,
    redirects: bool,
}

impl Reader<'_> {
    fn upper(&mut self) -> Result<Upper> {
        let whiteout_mtime = match self.byte()? {
            0 => None,
            _ => Some(self.time()?),
        };
        let next_id = self.number()?;
        let mut lives = BTreeMap::new();
        for _ in 0..self.long()? {
            let (id, live) = self.inode()?;
            self.links.insert(id, 0);
            if id.0 >= next_id || lives.insert(id, live).is_some() {
                return Err(self.senseless("an inode's number that is taken"));
            }
        }
        let origin = Arc::new(Origin::default());
        let root = Arc::new(self.dir(&origin, next_id, 0)?);
        let mut inodes = OrdMap::new();
        for (id, live) in lives {
            let links = self.links.get(&id).copied().unwrap_or_default();
            if links == 0 {
                return Err(self.senseless("an inode without a name"));
            }
            inodes.insert(id, Arc::new(Live { links, ..live }));
        }
        let dir_atimes = std::mem::take(&mut self.dir_atimes);
        Ok(Upper { root, inodes, copied: OrdMap::new(), dir_atimes, whiteout_mtime, origin, next_id })
    }

    fn inode(&mut self) -> Result<(InodeId, Live)> {
        let id = InodeId(self.number()?);
        let metadata = self.metadata()?;
        let atime = self.time()?;
        let is_noted = self.byte()? != 0;
        let kind = match self.byte()? {
            kind::REGULAR => Kind::Regular(self.content()?),
            kind::SYMLINK => Kind::Symlink(Arc::from(self.text()?)),
            kind::CHAR_DEVICE => Kind::CharDevice { major: self.number()?, minor: self.number()? },
            kind::BLOCK_DEVICE => Kind::BlockDevice { major: self.number()?, minor: self.number()? },
            kind::FIFO => Kind::Fifo,
            kind::SOCKET => Kind::Socket,
            _ => return Err(self.senseless("an inode of no known kind")),
        };
        Ok((id, Live { atime, is_noted, ..Live::new(metadata, kind) }))
    }

    fn content(&mut self) -> Result<Content> {
        let mut runs = Vec::new();
        let mut total = 0_u64;
        for _ in 0..self.long()? {
            let tag = self.byte()?;
            let len = self.long()?;
            total = total.saturating_add(len);
            if len == 0 || total > FILE_MAX {
                return Err(self.senseless("a run of a length that no file has"));
            }
            let source = match tag {
                run::HOLE => Source::Hole,
                run::DATA => self.data(len)?,
                run::SEEDED => Source::Seeded { seed: self.long()?, start: self.start(len)? },
                _ => return Err(self.senseless("a run of no known kind")),
            };
            runs.push((len, source));
        }
        Ok(Content::of_runs(runs))
    }

    fn data(&mut self, len: u64) -> Result<Source> {
        let start = self.data;
        let end = usize::try_from(len).ok().and_then(|len| start.checked_add(len));
        self.data =
            end.filter(|end| *end <= self.blob.len()).ok_or_else(|| self.senseless("bytes that are not there"))?;
        Ok(Source::Blob(self.blob.clone(), start as u64))
    }

    /// Where a seeded run starts, so that its end can be counted.
    fn start(&mut self, len: u64) -> Result<u64> {
        let start = self.long()?;
        start.checked_add(len).map(|_| start).ok_or_else(|| self.senseless("a run beyond the last byte"))
    }

    fn dir(&mut self, origin: &Arc<Origin>, next_id: u32, depth: usize) -> Result<Dir<InodeId>> {
        let id = self.number()?;
        let flags = self.byte()?;
        if depth > DEPTH_MAX || id >= next_id || flags & !flag::ALL != 0 {
            return Err(self.senseless("a directory that cannot be"));
        }
        let mut dir = Dir::new(Arc::clone(origin), id, self.metadata()?);
        dir.is_opaque = flags & flag::OPAQUE != 0;
        dir.is_implicit = flags & flag::IMPLICIT != 0;
        dir.is_impure = flags & flag::IMPURE != 0;
        if flags & flag::ACCESSED != 0 {
            let atime = self.time()?;
            self.dir_atimes.insert(id, atime);
        }
        if flags & flag::REDIRECTED != 0 {
            let redirect = self.redirect(flags & flag::ABSOLUTELY != 0)?;
            if depth == 0 || dir.is_opaque || depth + depth_of(&redirect.below) > DEPTH_MAX {
                return Err(self.senseless("a renamed directory where none can be"));
            }
            dir.redirect = Some(Arc::new(redirect));
        }
        for _ in 0..self.long()? {
            let name = self.name()?;
            let node = match self.byte()? {
                node::WHITEOUT => Node::whiteout(),
                node::LEAF => Node::leaf(self.leaf()?),
                node::DIR => Node::dir(self.dir(origin, next_id, depth + 1)?),
                _ => return Err(self.senseless("an entry of no known kind")),
            };
            if dir.entries_mut().insert(name, node).is_some() {
                return Err(self.senseless("a name twice"));
            }
        }
        Ok(dir)
    }

    fn redirect(&mut self, is_absolute: bool) -> Result<Redirect> {
        let mut path = Vec::new();
        let mut below = Arc::clone(self.lower);
        for _ in 0..self.long()? {
            let name = self.name()?;
            let next = below.get(&name).and_then(Node::as_dir).cloned();
            below = next.ok_or_else(|| self.senseless("a renamed directory that the layers do not have"))?;
            path.push(name);
        }
        if path.is_empty() {
            return Err(self.senseless("a root that was renamed"));
        }
        self.redirects = true;
        Ok(Redirect { path: path.into(), is_absolute, below })
    }

    fn leaf(&mut self) -> Result<InodeId> {
        let id = InodeId(self.number()?);
        match self.links.get_mut(&id) {
            Some(links) => *links = links.saturating_add(1),
            None => return Err(self.senseless("a name of no inode")),
        }
        Ok(id)
    }

    fn name(&mut self) -> Result<Name> {
        let name = self.text()?;
        let is_name = !matches!(name, b"" | b"." | b"..") && name.len() <= NAME_MAX;
        if !is_name || name.iter().any(|byte| matches!(byte, b'/' | 0)) {
            return Err(self.senseless("a name that no file has"));
        }
        Ok(Name::from(name))
    }

    fn metadata(&mut self) -> Result<Metadata> {
        let mtime = self.time()?;
        let mode = self.number()?;
        let mut metadata = Metadata::with_mode(mode);
        if mode & !PERMISSIONS != 0 {
            return Err(self.senseless("a mode of more than permissions"));
        }
        metadata.set_mtime(mtime);
        (metadata.uid, metadata.gid) = (self.number()?, self.number()?);
        let count = self.long()?;
        let pairs: Result<Xattrs> = (0..count).map(|_| Ok((self.text()?.to_vec(), self.text()?.to_vec()))).collect();
        metadata.xattrs = pairs?;
        Ok(metadata)
    }

    fn time(&mut self) -> Result<Timestamp> {
        let seconds = i64::from_le_bytes(self.array()?);
        let nanos = self.number()?;
        if nanos >= NANOS {
            return Err(self.senseless("a time of more nanoseconds than a second has"));
        }
        Ok(Timestamp { seconds, nanos })
    }

    fn text(&mut self) -> Result<&[u8]> {
        let len = usize::try_from(self.long()?).unwrap_or(usize::MAX);
        let range = self.take(len)?;
        Ok(&self.blob[range])
    }

    fn byte(&mut self) -> Result<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn number(&mut self) -> Result<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn long(&mut self) -> Result<u64> {
        self.array().map(u64::from_le_bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let range = self.take(N)?;
        <[u8; N]>::try_from(&self.blob[range]).map_err(|_| self.senseless("a number that is cut short"))
    }

    fn take(&mut self, len: usize) -> Result<Range<usize>> {
        let end = self.at.checked_add(len).filter(|end| *end <= self.end);
        let end = end.ok_or_else(|| self.senseless("a head that is cut short"))?;
        Ok(std::mem::replace(&mut self.at, end)..end)
    }

    fn senseless(&self, what: &str) -> Error {
        Error::archive(self.at as u64, format!("a saved top with {what}"))
    }
}
