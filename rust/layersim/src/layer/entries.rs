//! The entries of a layer, one after the other, for who wants to read them as a list.

use super::Layer;
use crate::error::{Error, Result};
use crate::metadata::Metadata;
use crate::tree::{Inode, Kind, Node, Step, visit};

const DIRECTORY: &str = "directory";
const WHITEOUT: &str = "whiteout";

/// One entry of a layer, as its tar says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// From the root, without a leading slash. A whiteout is listed under the name that it hides.
    pub path: Vec<u8>,
    /// What it is, in one word.
    pub kind: &'static str,
    /// Mode, owner, time, attributes; a whiteout has none.
    pub metadata: Metadata,
    /// Bytes of a file or of a link's target.
    pub size: u64,
    /// The target of a symbolic link.
    pub target: Option<Vec<u8>>,
    /// Whether a directory hides what is below it.
    pub is_opaque: bool,
}

impl Layer {
    /// All entries, parents first, by the bytes of their names.
    ///
    /// # Errors
    /// [`Error::ContentMissing`] for a synthetic layer.
    pub fn entries(&self) -> Result<Vec<Listed>> {
        let mut entries = Vec::new();
        visit(self.root()?, &mut |path, node| {
            entries.push(match node {
                Node::Dir { dir, .. } => {
                    let is_opaque = dir.is_opaque;
                    Listed { is_opaque, ..Listed::new(path, DIRECTORY, dir.metadata.clone()) }
                }
                Node::Leaf { leaf, .. } => Listed::of_leaf(path, leaf),
                Node::Whiteout { .. } => Listed::new(path, WHITEOUT, Metadata::default()),
            });
            Ok::<Step, Error>(Step::Into)
        })?;
        Ok(entries)
    }
}

impl Listed {
    fn new(path: &[u8], kind: &'static str, metadata: Metadata) -> Self {
        Self { path: path.to_vec(), kind, metadata, size: 0, target: None, is_opaque: false }
    }

    fn of_leaf(path: &[u8], leaf: &Inode) -> Self {
        let (kind, target) = match &leaf.kind {
            Kind::Regular(_) => ("file", None),
            Kind::Symlink(target) => ("symlink", Some(target.to_vec())),
            Kind::CharDevice { .. } => ("char device", None),
            Kind::BlockDevice { .. } => ("block device", None),
            Kind::Fifo => ("fifo", None),
            Kind::Socket => ("socket", None),
        };
        Self { size: leaf.kind.size(), target, ..Self::new(path, kind, leaf.metadata.clone()) }
    }
}
