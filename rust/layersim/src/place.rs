//! Blobs that are known by their digests and have not been read yet: where they are, and the proof once they are wanted.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::blob::Blob;
use crate::digest::Digest;
use crate::error::{Error, Result};

/// Where a blob is; its digest is kept beside it.
#[derive(Debug, Clone)]
pub enum Place {
    /// A folder in which every blob is a file named by the hex digits of its digest.
    Folder(Arc<Path>),
    /// A part of a file that is mapped already, and the name of that file.
    Part(Blob, Arc<Path>),
}

impl Place {
    /// The file that holds the blob.
    pub fn file(&self, digest: Digest) -> PathBuf {
        match self {
            Self::Folder(folder) => folder.join(digest.hex()),
            Self::Part(_, file) => file.to_path_buf(),
        }
    }

    /// The bytes as they are; nothing is read or proven.
    ///
    /// # Errors
    /// [`Error::BlobMissing`] when no file is there, [`Error::Io`] when it cannot be opened.
    pub fn map(&self, digest: Digest) -> Result<Blob> {
        let path = match self {
            Self::Part(blob, _) => return Ok(blob.clone()),
            Self::Folder(_) => self.file(digest),
        };
        if path.exists() && !path.is_file() {
            return Err(Error::BlobMissing { digest, path });
        }
        Blob::map(&path).map_err(|error| match error {
            Error::Io { source, .. } if source.kind() == std::io::ErrorKind::NotFound => {
                Error::BlobMissing { digest, path }
            }
            other => other,
        })
    }

    /// The bytes, once they are known to be the right ones.
    ///
    /// # Errors
    /// As [`Place::map`], and [`Error::DigestMismatch`] with the file's name.
    pub fn read(&self, digest: Digest) -> Result<Blob> {
        let blob = self.map(digest)?;
        self.check(digest, Digest::of(&blob))?;
        Ok(blob)
    }

    /// Refuses bytes that are not the promised ones.
    ///
    /// # Errors
    /// [`Error::DigestMismatch`] with the file's name.
    pub fn check(&self, expected: Digest, actual: Digest) -> Result<()> {
        if expected == actual {
            return Ok(());
        }
        let what = format!("a blob of {} was changed", self.file(expected).display());
        Err(Error::DigestMismatch { what, expected, actual })
    }
}
