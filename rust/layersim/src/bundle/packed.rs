//! Layers as a layout stores them: compressed side by side into files that have no name, or known by their digests.

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
use crate::place::Place;
use crate::saving;

const BUFFER: usize = 1 << 20;

/// A blob as it is stored, mostly a layer's compressed tar.
#[derive(Debug, Clone)]
pub struct Packed {
    digest: Digest,
    len: u64,
    source: Source,
}

/// Where the bytes come from.
#[derive(Debug, Clone)]
enum Source {
    /// They were compressed to be written soon, and the listener heard of it.
    Waiting(Blob),
    /// They are somewhere, and are verified when they are wanted.
    Stored(Place),
    /// They are made again.
    Again(Layer, Encoder),
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
        let target = Hashing::new(BufWriter::with_capacity(BUFFER, file));
        let Hashing { target, hasher, len } = encoder
            .compress(target, layer.tar_len()?, |writer| progress.through(writer, |told| layer.write_tar(told)))?;
        let file: File = target.into_inner().map_err(|error| refused(error.into_error()))?;
        let blob = Blob::of_file(&file).map_err(refused)?;
        Ok(Self { digest: hasher.finish(), len, source: Source::Waiting(blob) })
    }

    /// Compresses a layer to know the digest, and keeps nothing: whoever wants the bytes makes them again.
    ///
    /// # Errors
    /// [`Error::ContentMissing`] for a synthetic layer.
    pub fn again(layer: &Layer, encoder: Encoder) -> Result<Self> {
        let Hashing { hasher, len, .. } = pack(layer, encoder, io::sink())?;
        Ok(Self { digest: hasher.finish(), len, source: Source::Again(layer.clone(), encoder) })
    }

    /// A blob that is at `place`; nothing is read now.
    pub fn stored(digest: Digest, len: u64, place: Place) -> Self {
        Self { digest, len, source: Source::Stored(place) }
    }

    /// Digest of its bytes.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// How many they are.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether a listener heard of its bytes before they are written.
    pub(super) fn is_told(&self) -> bool {
        matches!(self.source, Source::Waiting(_))
    }

    /// Writes its bytes; those that are somewhere are verified before.
    ///
    /// # Errors
    /// [`Error::DigestMismatch`], [`Error::BlobMissing`] when they are not there as they were; [`Error::Io`] from the target.
    pub fn write_to(&self, target: &mut dyn Write) -> Result<()> {
        let refused = |source| Error::io("cannot write a blob", source);
        match &self.source {
            Source::Waiting(blob) => target.write_all(blob).map_err(refused),
            Source::Stored(place) => target.write_all(&place.read(self.digest)?).map_err(refused),
            Source::Again(layer, encoder) => self.check(pack(layer, *encoder, target)?.hasher.finish()),
        }
    }

    /// Reads what is somewhere.
    ///
    /// # Errors
    /// As [`Packed::write_to`].
    pub fn verify(&self) -> Result<()> {
        match &self.source {
            Source::Stored(place) => place.read(self.digest).map(drop),
            Source::Waiting(_) | Source::Again(..) => Ok(()),
        }
    }

    fn check(&self, actual: Digest) -> Result<()> {
        let what = || "a layer is packed into other bytes than before".into();
        let mismatch = || Error::DigestMismatch { what: what(), expected: self.digest, actual };
        if actual == self.digest { Ok(()) } else { Err(mismatch()) }
    }
}

fn pack<W: Write>(layer: &Layer, encoder: Encoder, target: W) -> Result<Hashing<W>> {
    encoder.compress(Hashing::new(target), layer.tar_len()?, |writer| layer.write_tar(writer))
}

/// Hashes and counts what it passes on.
struct Hashing<W> {
    target: W,
    hasher: Hasher,
    len: u64,
}

impl<W: Write> Hashing<W> {
    fn new(target: W) -> Self {
        Self { target, hasher: Hasher::default(), len: 0 }
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.target.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        self.len += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.target.flush()
    }
}
