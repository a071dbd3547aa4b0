//! Layers as a layout stores them: compressed side by side into files that have no name.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use rayon::prelude::*;

use super::progress::Progress;
use crate::archive::Encoder;
use crate::blob::Blob;
use crate::digest::{Digest, Hasher};
use crate::error::{Error, Result};
use crate::layer::Layer;
use crate::saving;

const BUFFER: usize = 1 << 20;

/// A layer's compressed tar.
#[derive(Debug, Clone)]
pub struct Packed {
    blob: Blob,
    digest: Digest,
}

impl Packed {
    /// Compresses layers, several at once; the bytes wait in `folder`, in files that vanish with the last user.
    ///
    /// # Errors
    /// [`Error::ContentMissing`] for a synthetic layer, [`Error::Io`] when there is no room; what `progress` says.
    pub fn all(layers: &[Layer], encoder: Encoder, folder: &Path, progress: &Progress<'_>) -> Result<Vec<Self>> {
        layers.par_iter().map(|layer| Self::new(layer, encoder, folder, progress)).collect()
    }

    fn new(layer: &Layer, encoder: Encoder, folder: &Path, progress: &Progress<'_>) -> Result<Self> {
        let refused = |source| Error::io(format!("cannot write into {}", folder.display()), source);
        let file = saving::scratch(folder).map_err(refused)?;
        let target = Hashing { target: BufWriter::with_capacity(BUFFER, file), hasher: Hasher::default() };
        let Hashing { target, hasher } = encoder
            .compress(target, layer.tar_len()?, |writer| progress.through(writer, |told| layer.write_tar(told)))?;
        let file: File = target.into_inner().map_err(|error| refused(error.into_error()))?;
        Ok(Self { blob: Blob::of_file(&file).map_err(refused)?, digest: hasher.finish() })
    }

    /// The compressed bytes.
    pub fn blob(&self) -> &Blob {
        &self.blob
    }

    /// Their digest.
    pub fn digest(&self) -> Digest {
        self.digest
    }
}

/// Hashes what it passes on.
struct Hashing<W> {
    target: W,
    hasher: Hasher,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.target.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.target.flush()
    }
}
