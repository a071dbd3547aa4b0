//! Writing an image archive: members in the order they are given.

use std::io::Write;

use crate::archive::{Dialect, Header, Kind, Writer};
use crate::content::Content;
use crate::error::Result;
use crate::layer::Layer;
use crate::metadata::{Metadata, Timestamp};

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
    /// A directory.
    Directory,
    /// A symbolic link.
    Symlink(Vec<u8>),
}

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

    /// Writes members, in order, as one tar.
    ///
    /// # Errors
    /// [`crate::Error::Io`] from the writer, [`crate::Error::ContentMissing`] for a synthetic layer.
    pub fn write_all(members: &[&Self], target: &mut dyn Write) -> Result<()> {
        let mut writer = Writer::new(target, Dialect::Canonical);
        for member in members {
            member.append_to(&mut writer)?;
        }
        writer.finish().map(drop)
    }

    fn append_to(&self, writer: &mut Writer<&mut dyn Write>) -> Result<()> {
        let (kind, content) = match &self.content {
            Payload::Bytes(bytes) => (Kind::Regular, Some(Content::from(bytes.clone()))),
            Payload::Layer(layer) => (Kind::Regular, Some(layer.tar_content()?)),
            Payload::Content(content) => (Kind::Regular, Some(content.clone())),
            Payload::Directory => (Kind::Directory, None),
            Payload::Symlink(target) => (Kind::Symlink(target.as_slice().into()), None),
        };
        writer.append(&Header::new(&self.name, kind, &self.metadata), content.as_ref())
    }
}
