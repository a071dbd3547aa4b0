//! Spelling a top: integers in little-endian order, texts with their length before them.

use super::{MAGIC, PREFACE, flag, kind, node, run};
use crate::content::{Content, Source};
use crate::metadata::{Metadata, Timestamp};
use crate::overlay::upper::{InodeId, Live, Upper};
use crate::tree::{Dir, Kind, Node};

/// All bytes of a saved top; those of files are shared with it.
pub fn content(upper: &Upper) -> Content {
    let mut scribe = Scribe::default();
    scribe.upper(upper);
    let mut head = MAGIC.to_vec();
    head.extend((scribe.head.len() as u64).to_le_bytes());
    head.extend(scribe.head);
    debug_assert!(head.len() >= PREFACE);
    let head = Content::from(head);
    Content::of_runs(head.runs().chain(scribe.data))
}

#[derive(Default)]
struct Scribe {
    head: Vec<u8>,
    data: Vec<(u64, Source)>,
}

impl Scribe {
    fn upper(&mut self, upper: &Upper) {
        self.optional_time(upper.whiteout_mtime);
        self.number(upper.next_id);
        let named = upper.inodes.iter().filter(|(_, live)| live.links > 0);
        self.count(named.clone().count());
        for (id, live) in named {
            self.inode(*id, live);
        }
        self.dir(&upper.root, upper);
    }

    fn inode(&mut self, id: InodeId, live: &Live) {
        self.number(id.0);
        self.metadata(&live.metadata);
        self.time(live.atime);
        self.byte(live.is_noted.into());
        match &live.kind {
            Kind::Regular(content) => {
                self.byte(kind::REGULAR);
                self.content(content);
            }
            Kind::Symlink(target) => {
                self.byte(kind::SYMLINK);
                self.text(target);
            }
            Kind::CharDevice { major, minor } => self.device(kind::CHAR_DEVICE, *major, *minor),
            Kind::BlockDevice { major, minor } => self.device(kind::BLOCK_DEVICE, *major, *minor),
            Kind::Fifo => self.byte(kind::FIFO),
            Kind::Socket => self.byte(kind::SOCKET),
        }
    }

    /// Runs of data are not told where their bytes are: each begins where the one before it ends.
    fn content(&mut self, content: &Content) {
        self.count(content.runs().count());
        for (len, source) in content.runs() {
            match source {
                Source::Hole => self.byte(run::HOLE),
                Source::Blob(..) => self.byte(run::DATA),
                Source::Seeded { .. } => self.byte(run::SEEDED),
            }
            self.long(len);
            match source {
                Source::Hole => {}
                Source::Blob(..) => self.data.push((len, source)),
                Source::Seeded { seed, start } => {
                    self.long(seed);
                    self.long(start);
                }
            }
        }
    }

    fn dir(&mut self, dir: &Dir<InodeId>, upper: &Upper) {
        let atime = upper.dir_atimes.get(&dir.id);
        let said = [
            (dir.is_opaque, flag::OPAQUE),
            (dir.is_implicit, flag::IMPLICIT),
            (atime.is_some(), flag::ACCESSED),
            (dir.is_impure, flag::IMPURE),
            (dir.redirect.is_some(), flag::REDIRECTED),
            (dir.redirect.as_ref().is_some_and(|redirect| redirect.is_absolute), flag::ABSOLUTELY),
        ];
        self.number(dir.id);
        self.byte(said.iter().filter(|(is_so, _)| *is_so).map(|(_, flag)| flag).sum());
        self.metadata(&dir.metadata);
        if let Some(atime) = atime {
            self.time(*atime);
        }
        if let Some(redirect) = &dir.redirect {
            self.count(redirect.path.len());
            redirect.path.iter().for_each(|name| self.text(name));
        }
        self.count(dir.entries().len());
        for entry in dir.entries().iter() {
            self.text(&entry.name);
            match &entry.node {
                Node::Whiteout { .. } => self.byte(node::WHITEOUT),
                Node::Leaf { leaf, .. } => {
                    self.byte(node::LEAF);
                    self.number(leaf.0);
                }
                Node::Dir { dir, .. } => {
                    self.byte(node::DIR);
                    self.dir(dir, upper);
                }
            }
        }
    }

    fn metadata(&mut self, metadata: &Metadata) {
        self.time(metadata.mtime());
        for number in [metadata.mode, metadata.uid, metadata.gid] {
            self.number(number);
        }
        self.count(metadata.xattrs.iter().count());
        for (name, value) in metadata.xattrs.iter() {
            self.text(name);
            self.text(value);
        }
    }

    fn device(&mut self, kind: u8, major: u32, minor: u32) {
        self.byte(kind);
        self.number(major);
        self.number(minor);
    }

    fn optional_time(&mut self, time: Option<Timestamp>) {
        self.byte(time.is_some().into());
        if let Some(time) = time {
            self.time(time);
        }
    }

    fn time(&mut self, time: Timestamp) {
        self.head.extend(time.seconds.to_le_bytes());
        self.number(time.nanos);
    }

    fn text(&mut self, text: &[u8]) {
        self.count(text.len());
        self.head.extend(text);
    }

    fn byte(&mut self, byte: u8) {
        self.head.push(byte);
    }

    /// What there are so many of in memory has 32 bits at the most: names, attributes, inodes.
    fn count(&mut self, count: usize) {
        self.long(count as u64);
    }

    fn number(&mut self, number: u32) {
        self.head.extend(number.to_le_bytes());
    }

    fn long(&mut self, number: u64) {
        self.head.extend(number.to_le_bytes());
    }
}
