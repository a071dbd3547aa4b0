//! Many files of the host, hashed on all cores.

use std::fs::OpenOptions;
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use rustix::fs::OFlags;

use crate::digest::{Digest, Hasher};
use crate::error::{Error, Result};

/// Most files fit, and are read at one go.
const BUFFER: usize = 1 << 16;

/// A file, and what is hashed before its bytes.
#[derive(Debug, Clone, Default)]
pub struct Headed {
    /// The file.
    pub path: PathBuf,
    /// Bytes in front of its own.
    pub head: Vec<u8>,
}

/// Hashes each file after its head.
///
/// # Errors
/// [`Error::Io`] naming the file that cannot be read: the first of them.
pub fn digests(files: &[Headed]) -> Result<Vec<Digest>> {
    files.par_iter().map_init(|| vec![0; BUFFER], |buffer, file| digest(file, buffer)).collect()
}

fn digest(file: &Headed, buffer: &mut [u8]) -> Result<Digest> {
    let mut hasher = Hasher::default();
    hasher.update(&file.head);
    read(&file.path, &mut hasher, buffer)
        .map_err(|source| Error::io(format!("cannot read {}", file.path.display()), source))?;
    Ok(hasher.finish())
}

fn read(path: &Path, hasher: &mut Hasher, buffer: &mut [u8]) -> io::Result<()> {
    // What came into its place since it was listed is not followed, nor waited for.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let mut opened = OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path)?;
    loop {
        match opened.read(buffer)? {
            0 => return Ok(()),
            len => hasher.update(&buffer[..len]),
        }
    }
}
