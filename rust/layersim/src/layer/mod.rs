//! A layer: a frozen tree with its marks, known by the digest of its tar, shared by whoever stacks it.

mod build;
mod changes;
mod directory;
mod entries;
mod extracted;
mod located;
mod names;
mod spell;
mod tar;

use std::any::Any;
use std::io::Write;
use std::sync::{Arc, Mutex, Weak};

pub use changes::{Edit, Operation};
pub use entries::Listed;
pub use located::Told;
pub use spell::Spelling;
pub use tar::verify;

use crate::archive::Dialect;
use crate::blob::Blob;
use crate::content::Content;
use crate::digest::{DiffId, Hasher};
use crate::error::{Error, Result};
use crate::tree::{Dir, Leaf, Origin};
use located::Located;

/// A read-only layer. A clone is one counter; equality is that of [`Layer::diff_id`].
#[derive(Debug, Clone)]
pub struct Layer(Arc<Frozen>);

#[derive(Debug)]
struct Frozen {
    diff_id: DiffId,
    size: u64,
    tar_size: u64,
    len: u64,
    body: Body,
    kept: Mutex<Weak<dyn Any + Send + Sync>>,
}

/// Where the tar and the tree of a layer are.
#[derive(Debug)]
enum Body {
    /// The tar as it came, and the tree whose files point into it.
    Tar(Blob, Arc<Dir<Leaf>>),
    /// A tree whose tar is written when it is wanted; its length is in bytes.
    Tree(Arc<Dir<Leaf>>, Spelling, u64),
    /// A tar that is read when it is wanted.
    Located(Located),
    /// Neither: known by digest and size alone.
    Nothing,
}

/// The sums that a layer is asked for.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    size: u64,
    tar_size: u64,
    len: u64,
}

impl Layer {
    /// Freezes a tree; its tar is spelled as `spelling` says, and hashed.
    ///
    /// # Errors
    /// [`Error::Archive`] when the tree cannot be spelled as a tar.
    pub fn from_tree(root: Dir<Leaf>, origin: &Origin, spelling: Spelling) -> Result<Self> {
        let mut sink = Hasher::default();
        spell::write_layer(&root, spelling, &mut sink)?;
        let len = sink.len();
        let diff_id = DiffId(sink.finish());
        origin.name(diff_id);
        let sums = build::sums(&root);
        Ok(Self::frozen(diff_id, sums, Body::Tree(Arc::new(root), spelling, len)))
    }

    /// A layer that is known by digest and size alone, for models in which only accounting is asked.
    pub fn synthetic(diff_id: DiffId, size: u64) -> Self {
        Self::frozen(diff_id, Sums { size, tar_size: size, len: 0 }, Body::Nothing)
    }

    fn frozen(diff_id: DiffId, sums: Sums, body: Body) -> Self {
        let kept: Weak<dyn Any + Send + Sync> = Weak::<()>::new();
        let Sums { size, tar_size, len } = sums;
        Self(Arc::new(Frozen { diff_id, size, tar_size, len, body, kept: Mutex::new(kept) }))
    }

    /// The digest of its uncompressed tar.
    pub fn diff_id(&self) -> DiffId {
        self.0.diff_id
    }

    /// Its size by the INODE rule: distinct files and link targets, in bytes (spec/accounting.md section 1).
    pub fn size(&self) -> u64 {
        self.0.size
    }

    /// Its size by the TAR rule: the sizes in the headers, in bytes (spec/accounting.md section 1).
    pub fn tar_size(&self) -> u64 {
        self.0.tar_size
    }

    /// How many entries it has, marks and implied directories included, the root not.
    pub fn len(&self) -> u64 {
        self.0.len
    }

    /// Whether it has no entry.
    pub fn is_empty(&self) -> bool {
        self.0.len == 0
    }

    /// Whether it is known by digest and size alone.
    pub fn is_synthetic(&self) -> bool {
        matches!(self.0.body, Body::Nothing)
    }

    /// Its tree.
    ///
    /// # Errors
    /// [`Error::ContentMissing`] for a synthetic layer; what reading says where it is read now.
    pub fn root(&self) -> Result<&Arc<Dir<Leaf>>> {
        match &self.0.body {
            Body::Tar(_, root) | Body::Tree(root, ..) => Ok(root),
            Body::Located(located) => located.root(self.diff_id()),
            Body::Nothing => Err(self.missing("tree")),
        }
    }

    /// The length of its uncompressed tar, in bytes.
    ///
    /// # Errors
    /// [`Error::ContentMissing`] for a synthetic layer.
    pub fn tar_len(&self) -> Result<u64> {
        match &self.0.body {
            Body::Tar(blob, _) => Ok(blob.len() as u64),
            Body::Tree(_, _, len) => Ok(*len),
            Body::Located(located) => Ok(located.tar_len),
            Body::Nothing => Err(self.missing("tar")),
        }
    }

    /// Writes its uncompressed tar, byte for byte the one that [`Layer::diff_id`] is the digest of.
    ///
    /// # Errors
    /// [`Error::ContentMissing`] for a synthetic layer, [`Error::Io`] from the writer.
    pub fn write_tar(&self, writer: &mut dyn Write) -> Result<()> {
        let whole = match &self.0.body {
            Body::Tar(blob, _) => blob.clone(),
            Body::Located(located) => located.tar(self.diff_id())?,
            Body::Tree(root, spelling, _) => return spell::write_layer(root, *spelling, writer),
            Body::Nothing => return Err(self.missing("tar")),
        };
        writer.write_all(&whole).map_err(|source| Error::io("cannot write a layer", source))
    }

    /// Its uncompressed tar as a file's content; of a layer that came from a tar nothing is copied.
    ///
    /// # Errors
    /// [`Error::ContentMissing`] for a synthetic layer.
    pub fn tar_content(&self) -> Result<Content> {
        let whole = match &self.0.body {
            Body::Tar(blob, _) => Some(blob.clone()),
            Body::Located(located) => Some(located.tar(self.diff_id())?),
            Body::Tree(..) | Body::Nothing => None,
        };
        if let Some(content) = whole.and_then(|blob| Content::slice(&blob, 0..blob.len() as u64)) {
            return Ok(content);
        }
        let mut bytes = Vec::new();
        self.write_tar(&mut bytes)?;
        Ok(bytes.into())
    }

    /// What a higher floor keeps beside the layer, weakly.
    pub(crate) fn kept(&self) -> &Mutex<Weak<dyn Any + Send + Sync>> {
        &self.0.kept
    }

    fn missing(&self, wanted: &'static str) -> Error {
        Error::ContentMissing { diff_id: self.diff_id().to_string(), wanted }
    }
}

impl PartialEq for Layer {
    fn eq(&self, other: &Self) -> bool {
        self.diff_id() == other.diff_id()
    }
}

impl Eq for Layer {}

/// Writes the files that a read-only tree shows as one tar, marks left out, as `docker export` does.
///
/// # Errors
/// [`Error::Io`] from the writer, [`Error::Archive`] when the tree cannot be spelled as a tar.
pub fn write_flattened(root: &Dir<Leaf>, dialect: Dialect, writer: &mut dyn Write) -> Result<()> {
    spell::write_flattened(root, dialect, writer)
}
