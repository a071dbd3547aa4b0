//! Bytes that many files share and nobody can write: a mapped file or one buffer.

use std::fs::File;
use std::ops::{Deref, Range};
use std::path::Path;
use std::sync::Arc;

use memmap2::Mmap;

use crate::error::{Error, Result};

/// A shared, immutable run of bytes; a clone is one counter.
#[derive(Debug, Clone)]
pub struct Blob(Arc<Backing>);

#[derive(Debug)]
enum Backing {
    Mapped(Mmap),
    Owned(Vec<u8>),
    Part(Blob, Range<usize>),
}

impl Blob {
    /// Maps a file read-only. Its bytes are read when they are wanted, and never copied.
    ///
    /// # Errors
    /// [`Error::Io`] when the file cannot be opened or mapped.
    pub fn map(path: &Path) -> Result<Self> {
        let refused = |source| Error::io(format!("cannot open {}", path.display()), source);
        let file = File::open(path).map_err(refused)?;
        if file.metadata().map_err(refused)?.len() == 0 {
            return Ok(Self::from(Vec::new()));
        }
        #[expect(unsafe_code, reason = "mmap is the one way not to copy a layer: docs/adr/0006-mapped-files.md")]
        // SAFETY: the mapping is private and read-only, so this process cannot write through it. Another process that
        // truncates the file while it is mapped is outside what any user of mmap(2) can exclude: see docs/adr.
        let map = unsafe { Mmap::map(&file) }.map_err(refused)?;
        Ok(Self(Arc::new(Backing::Mapped(map))))
    }

    /// A part of it, without a copy; `None` when it does not reach that far.
    pub fn part(&self, range: Range<usize>) -> Option<Self> {
        self.get(range.clone())?;
        Some(Self(Arc::new(match &*self.0 {
            Backing::Part(whole, outer) => {
                Backing::Part(whole.clone(), outer.start + range.start..outer.start + range.end)
            }
            _ => Backing::Part(self.clone(), range),
        })))
    }

    /// Adds bytes at the end, in place, if nobody else holds the buffer; says whether it did.
    pub(crate) fn extend_unshared(&mut self, bytes: &[u8]) -> bool {
        match Arc::get_mut(&mut self.0) {
            Some(Backing::Owned(buffer)) => {
                buffer.extend_from_slice(bytes);
                true
            }
            _ => false,
        }
    }
}

impl From<Vec<u8>> for Blob {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Arc::new(Backing::Owned(bytes)))
    }
}

impl Deref for Blob {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &*self.0 {
            Backing::Mapped(map) => map,
            Backing::Owned(bytes) => bytes,
            Backing::Part(whole, range) => &whole[range.clone()],
        }
    }
}
