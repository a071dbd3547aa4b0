//! The top as one run of bytes that is known by its digest, with nothing left out that a path can reach.
//!
//! A layer says less than a top holds: whole seconds, no sockets, no times of access, and a hole takes its length. So a top
//! has its own spelling (docs/state.md): a head with the inodes and the tree, then the bytes of the files. Open files, and
//! what only they reach, are not in it.

mod read;
mod write;

use std::sync::Arc;

use super::{Options, Overlay};
use crate::content::Content;
use crate::digest::{Digest, Hasher};
use crate::error::{Error, Result};
use crate::place::Place;
use crate::stack::Stack;

/// What every saved top starts with; then comes the length of the head, in eight bytes.
const MAGIC: &[u8] = b"layersim upper 1\n";
/// Bytes before the head.
const PREFACE: usize = MAGIC.len() + size_of::<u64>();

/// How runs of a file's bytes are told apart.
mod run {
    pub const HOLE: u8 = 0;
    pub const DATA: u8 = 1;
    pub const SEEDED: u8 = 2;
}

/// How inodes are told apart.
mod kind {
    pub const REGULAR: u8 = 0;
    pub const SYMLINK: u8 = 1;
    pub const CHAR_DEVICE: u8 = 2;
    pub const BLOCK_DEVICE: u8 = 3;
    pub const FIFO: u8 = 4;
    pub const SOCKET: u8 = 5;
}

/// How entries are told apart.
mod node {
    pub const WHITEOUT: u8 = 0;
    pub const LEAF: u8 = 1;
    pub const DIR: u8 = 2;
}

/// What a directory's flags say.
mod flag {
    pub const OPAQUE: u8 = 1;
    pub const IMPLICIT: u8 = 2;
    pub const ACCESSED: u8 = 4;
    pub const IMPURE: u8 = 8;
    pub const REDIRECTED: u8 = 16;
    pub const ABSOLUTELY: u8 = 32;
    pub const ALL: u8 = OPAQUE | IMPLICIT | ACCESSED | IMPURE | REDIRECTED | ABSOLUTELY;
}

/// A top that was saved: a value, whatever happens to the overlay.
#[derive(Debug, Clone)]
pub struct Saved {
    digest: Digest,
    len: u64,
    size: u64,
    body: Body,
}

#[derive(Debug, Clone)]
enum Body {
    Here(Content),
    Elsewhere(Place),
}

impl Saved {
    /// A top whose bytes are at `place`. Nothing is read now; its size by the INODE rule is believed.
    pub fn located(digest: Digest, len: u64, size: u64, place: Place) -> Self {
        Self { digest, len, size, body: Body::Elsewhere(place) }
    }

    /// The digest of its bytes.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// How many bytes it takes.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// No top is: it says at least what its root is.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// What [`Overlay::size_rw`] says of it.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Whether its bytes are at hand, and are not read from a saved engine.
    pub fn is_read(&self) -> bool {
        matches!(self.body, Body::Here(_))
    }

    /// Its bytes, verified; those of files are shared, not copied.
    ///
    /// # Errors
    /// [`Error::BlobMissing`], [`Error::DigestMismatch`], [`Error::Io`] when they cannot be read.
    pub fn content(&self) -> Result<Content> {
        match &self.body {
            Body::Here(content) => Ok(content.clone()),
            Body::Elsewhere(place) => {
                let blob = place.read(self.digest)?;
                Content::slice(&blob, 0..blob.len() as u64).ok_or_else(|| Error::input("a blob ends before its end"))
            }
        }
    }

    /// The overlay that it was, on the same layers. Renamed directories make it one that renames them.
    ///
    /// # Errors
    /// As [`Saved::content`], and [`Error::Archive`] for bytes that say no top.
    pub fn over(&self, lower: Arc<Stack>, options: Options) -> Result<Overlay> {
        let blob = match &self.body {
            Body::Here(content) => content.read(0..content.len()).map_err(Error::of_file)?.into(),
            Body::Elsewhere(place) => place.read(self.digest)?,
        };
        let (upper, redirects) = read::upper(&blob, lower.root())?;
        let options = Options { redirects: options.redirects || redirects, ..options };
        Ok(Overlay { upper: Some(Arc::new(upper)), ..Overlay::mounted(lower, options) })
    }
}

impl Overlay {
    /// Freezes what was written, exactly; nothing where nothing was. The cost follows what was written.
    ///
    /// # Errors
    /// [`Error::Io`] when bytes cannot be hashed, which does not happen.
    pub fn save(&self) -> Result<Option<Saved>> {
        let Some(upper) = &self.upper else {
            return Ok(None);
        };
        let content = write::content(upper);
        let mut hasher = Hasher::default();
        content.write_to(&mut hasher).map_err(|source| Error::io("cannot hash a top", source))?;
        let (len, digest) = (hasher.len(), hasher.finish());
        Ok(Some(Saved { digest, len, size: self.size_rw(), body: Body::Here(content) }))
    }
}
