//! Bytes that many files share and nobody can write: a mapped file or one buffer.

use std::fs::{self, File};
use std::io;
use std::ops::{Deref, DerefMut, Range};
use std::path::Path;
use std::sync::Arc;

use memmap2::{Advice, Mmap, MmapMut};

use crate::error::{Errno, Error, Result};

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
    /// [`Error::Io`] when the file cannot be opened or mapped, as a pipe or a device cannot: opening one would wait.
    pub fn map(path: &Path) -> Result<Self> {
        let refused = |source| Error::io(format!("cannot open {}", path.display()), source);
        let kind = fs::metadata(path).map_err(refused)?.file_type();
        if !kind.is_file() && !kind.is_dir() {
            return Err(Error::io(format!("{} is no regular file", path.display()), rustix::io::Errno::NODEV.into()));
        }
        let file = File::open(path).map_err(refused)?;
        Self::of_file(&file).map_err(refused)
    }

    /// Maps an open file read-only.
    ///
    /// # Errors
    /// It is a directory, or the system refuses to map it.
    pub fn of_file(file: &File) -> io::Result<Self> {
        let status = file.metadata()?;
        if status.is_dir() {
            return Err(io::Error::from_raw_os_error(Errno::EISDIR.code()));
        }
        if status.len() == 0 {
            return Ok(Self::from(Vec::new()));
        }
        #[expect(unsafe_code, reason = "mmap is the one way not to copy a layer: docs/adr/0006-mapped-files.md")]
        // SAFETY: the mapping is private and read-only, so this process cannot write through it. Another process that
        // truncates the file while it is mapped is outside what any user of mmap(2) can exclude: see docs/adr.
        let map = unsafe { Mmap::map(file) }?;
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

/// From this many bytes on a room asks the system for large pages: touching small ones takes longer than filling them.
const LARGE: usize = 4 << 20;

/// A buffer of zeros that is filled once and then is a blob.
#[derive(Debug)]
pub enum Room {
    /// On the heap.
    Small(Vec<u8>),
    /// In pages of its own.
    Large(MmapMut),
}

impl Room {
    /// `len` zeros; memory is only taken for what is written.
    ///
    /// # Errors
    /// There is no room.
    pub fn new(len: usize) -> io::Result<Self> {
        if len < LARGE {
            let mut bytes = Vec::new();
            bytes.try_reserve_exact(len)?;
            bytes.resize(len, 0);
            return Ok(Self::Small(bytes));
        }
        let pages = MmapMut::map_anon(len)?;
        // A system without large pages says so; small ones do as well.
        pages.advise(Advice::HugePage).ok();
        Ok(Self::Large(pages))
    }

    /// The first `len` bytes, for ever.
    ///
    /// # Errors
    /// The system refuses to close the pages to writers.
    pub fn freeze(self, len: usize) -> io::Result<Blob> {
        match self {
            Self::Small(mut bytes) => {
                bytes.truncate(len);
                bytes.shrink_to_fit();
                Ok(bytes.into())
            }
            Self::Large(pages) => {
                let whole = Blob(Arc::new(Backing::Mapped(pages.make_read_only()?)));
                Ok(Blob(Arc::new(Backing::Part(whole, 0..len))))
            }
        }
    }
}

impl Deref for Room {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Small(bytes) => bytes,
            Self::Large(pages) => pages,
        }
    }
}

impl DerefMut for Room {
    fn deref_mut(&mut self) -> &mut [u8] {
        match self {
            Self::Small(bytes) => bytes,
            Self::Large(pages) => pages,
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
