//! Writing an image archive, members in the order they are given: as one tar, or as a directory.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::packed::Packed;
use super::progress::Progress;
use crate::archive::{Dialect, Header, Kind, Writer};
use crate::content::Content;
use crate::error::{Error, Result};
use crate::layer::Layer;
use crate::metadata::{Metadata, Timestamp};
use crate::path;

const BUFFER: usize = 1 << 20;

/// A member on its way out.
#[derive(Debug, Clone)]
pub struct Outgoing {
    name: Vec<u8>,
    content: Payload,
    metadata: Metadata,
}

/// What a member is.
#[derive(Debug, Clone)]
pub enum Payload {
    /// A file with these bytes.
    Bytes(Vec<u8>),
    /// A file with the uncompressed tar of a layer.
    Layer(Layer),
    /// A file with these bytes, shared.
    Content(Content),
    /// A file with a blob as it is stored, mostly the compressed tar of a layer.
    Packed(Packed),
    /// A directory.
    Directory,
    /// A symbolic link.
    Symlink(Vec<u8>),
}

/// Who is told of bytes that are written, and of how many there are.
pub type Listener<'l> = &'l (dyn Fn(u64, u64) -> Result<()> + Sync);

impl Outgoing {
    /// Describes a member; `mtime` is in seconds since 1970.
    pub fn new(name: Vec<u8>, content: Payload, mtime: i64, mode: u32) -> Self {
        let mut metadata = Metadata::with_mode(mode);
        metadata.set_mtime(Timestamp { seconds: mtime, nanos: 0 });
        Self { name, content, metadata }
    }

    /// Its name.
    pub fn name(&self) -> &[u8] {
        &self.name
    }

    /// Writes members, in order, as one tar; the listener hears of the bytes of layers, unless it heard them be compressed.
    ///
    /// # Errors
    /// [`Error::Io`] from the writer, [`Error::ContentMissing`] for a synthetic layer, what the listener says.
    pub fn write_all(
        members: &[&Self],
        dialect: Dialect,
        target: &mut dyn Write,
        listener: Listener<'_>,
    ) -> Result<()> {
        let progress = progress_of(members, listener)?;
        let mut writer = Writer::new(target, dialect);
        for member in members {
            let header = Header::new(&member.name, member.kind(), &member.metadata);
            writer.append_stream(&header, member.len()?, |target| member.write_data(target, &progress))?;
        }
        writer.finish().map(drop)
    }

    /// Writes members, in order, as files below a directory that is there, and makes sure that the disk has them.
    ///
    /// # Errors
    /// [`Error::Io`] naming the file, [`Error::Input`] for a name that leads out of the directory,
    /// [`Error::ContentMissing`] for a synthetic layer, what the listener says.
    pub fn write_below(members: &[&Self], folder: &Path, listener: Listener<'_>) -> Result<u64> {
        let progress = progress_of(members, listener)?;
        let mut written = 0;
        for member in members {
            member.write_file(folder, &progress)?;
            written += member.len()?;
        }
        for member in members.iter().filter(|member| matches!(member.content, Payload::Directory)) {
            sync(&member.place(folder)?)?;
        }
        sync(folder)?;
        Ok(written)
    }

    fn write_file(&self, folder: &Path, progress: &Progress<'_>) -> Result<()> {
        let place = self.place(folder)?;
        let refused = |source| Error::io(format!("cannot write {}", place.display()), source);
        match &self.content {
            Payload::Directory => fs::create_dir_all(&place).map_err(refused),
            Payload::Symlink(target) => {
                let target = OsStr::from_bytes(target);
                symlink(target, &place).map_err(refused)
            }
            Payload::Bytes(_) | Payload::Layer(_) | Payload::Content(_) | Payload::Packed(_) => {
                let file = File::create_new(&place).map_err(refused)?;
                let mut writer = BufWriter::with_capacity(BUFFER, file);
                self.write_data(&mut writer, progress)?;
                let file = writer.into_inner().map_err(|error| refused(error.into_error()))?;
                file.sync_all().map_err(refused)
            }
        }
    }

    fn place(&self, folder: &Path) -> Result<PathBuf> {
        let parts = path::clamped(&self.name);
        if parts.join(&b'/') != self.name.strip_suffix(b"/").unwrap_or(&self.name) {
            return Err(Error::input(format!("{} is no plain name of a member", path::shown(&self.name))));
        }
        Ok(folder.join(OsStr::from_bytes(&self.name)))
    }

    fn kind(&self) -> Kind<'_> {
        match &self.content {
            Payload::Bytes(_) | Payload::Layer(_) | Payload::Content(_) | Payload::Packed(_) => Kind::Regular,
            Payload::Directory => Kind::Directory,
            Payload::Symlink(target) => Kind::Symlink(target.as_slice().into()),
        }
    }

    fn len(&self) -> Result<u64> {
        match &self.content {
            Payload::Bytes(bytes) => Ok(bytes.len() as u64),
            Payload::Layer(layer) => layer.tar_len(),
            Payload::Content(content) => Ok(content.len()),
            Payload::Packed(packed) => Ok(packed.len()),
            Payload::Directory | Payload::Symlink(_) => Ok(0),
        }
    }

    fn write_data(&self, target: &mut dyn Write, progress: &Progress<'_>) -> Result<()> {
        let bytes: &[u8] = match &self.content {
            Payload::Layer(layer) => return progress.through(target, |told| layer.write_tar(told)),
            Payload::Content(content) => {
                let refused = |source| Error::io("cannot write a member", source);
                return progress.through(target, |told| content.write_to(told).map_err(refused));
            }
            Payload::Packed(packed) if packed.is_told() => return packed.write_to(target),
            Payload::Packed(packed) => return progress.through(target, |told| packed.write_to(told)),
            Payload::Bytes(bytes) => bytes,
            Payload::Directory | Payload::Symlink(_) => return Ok(()),
        };
        target.write_all(bytes).map_err(|source| Error::io("cannot write an archive", source))
    }
}

fn progress_of<'l>(members: &[&Outgoing], listener: Listener<'l>) -> Result<Progress<'l>> {
    let is_heard = |content: &Payload| match content {
        Payload::Layer(_) => true,
        Payload::Packed(packed) => !packed.is_told(),
        _ => false,
    };
    let heard = members.iter().filter(|member| is_heard(&member.content));
    Ok(Progress::new(heard.map(|member| member.len()).sum::<Result<u64>>()?, listener))
}

fn sync(folder: &Path) -> Result<()> {
    let refused = |source| Error::io(format!("cannot write {}", folder.display()), source);
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(refused)
}
