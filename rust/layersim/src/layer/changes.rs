//! A layer from a list of edits: the tiny language in which tests and models make layers.

use std::collections::HashSet;
use std::sync::Arc;

use super::Layer;
use super::build::{Builder, Met, Refused};
use super::spell::Spelling;
use crate::content::Content;
use crate::error::{Errno, Error, Result};
use crate::metadata::Metadata;
use crate::path;
use crate::tree::{Kind, Origin};

/// One edit: what happens, and to which path.
#[derive(Debug, Clone)]
pub struct Edit {
    /// The path, from the root of the layer.
    pub path: Vec<u8>,
    /// What happens.
    pub operation: Operation,
}

/// What an edit does.
#[derive(Debug, Clone)]
pub enum Operation {
    /// Makes a directory, or gives an implied one its metadata.
    MakeDir(Metadata),
    /// Makes a file.
    Write(Metadata, Content),
    /// Makes a symbolic link to this target.
    Symlink(Metadata, Vec<u8>),
    /// Gives a file of the same layer one more name; the target is a path.
    HardLink(Vec<u8>),
    /// Hides what lower layers have under the path.
    Remove,
    /// Hides what lower layers have below the directory.
    Opaque,
}

impl Layer {
    /// Makes a layer of edits. The order matters only where two edits add one path: the later one stays.
    ///
    /// A removal with additions at or below the same path is a replacement: the new directory is opaque.
    ///
    /// # Errors
    /// [`Error::System`] with the path where an edit cannot be made, as the kernel would refuse it.
    pub fn from_changes(edits: &[Edit]) -> Result<Self> {
        let origin = Arc::new(Origin::default());
        let mut builder = Builder::new(Arc::clone(&origin));
        let kept = directories(edits);
        for pass in [Pass::Hide, Pass::Add, Pass::Link] {
            for edit in edits.iter().filter(|edit| edit.operation.pass() == pass) {
                path::check(&edit.path)?;
                edit.apply(&mut builder, &kept).map_err(|refused| Error::system(refused.errno(), &edit.path))?;
            }
        }
        let (root, _) = builder.finish();
        Self::from_tree(root, &origin, Spelling::default())
    }
}

/// When an edit is made: removals first, links when their targets are there.
#[derive(PartialEq)]
enum Pass {
    Hide,
    Add,
    Link,
}

impl Operation {
    fn pass(&self) -> Pass {
        match self {
            Self::Remove | Self::Opaque => Pass::Hide,
            Self::MakeDir(_) | Self::Write(..) | Self::Symlink(..) => Pass::Add,
            Self::HardLink(_) => Pass::Link,
        }
    }
}

impl Edit {
    fn apply(&self, builder: &mut Builder, kept: &HashSet<Vec<Vec<u8>>>) -> std::result::Result<Met, Refused> {
        let parts = path::clamped(&self.path);
        let Some((name, parents)) = parts.split_last() else {
            return Err(Refused::Root);
        };
        if let Operation::Opaque = self.operation {
            builder.enter(&parts)?;
            return Ok(builder.make_opaque());
        }
        builder.enter(parents)?;
        match &self.operation {
            Operation::MakeDir(metadata) => builder.put_dir(name, metadata.clone()),
            Operation::Write(metadata, content) => {
                builder.put_leaf(name, metadata.clone(), Kind::Regular(content.clone()))
            }
            Operation::Symlink(metadata, target) => {
                builder.put_leaf(name, metadata.clone(), Kind::Symlink(Arc::from(target.as_slice())))
            }
            Operation::HardLink(target) => builder.put_link(parents, name, &path::clamped(target), None),
            Operation::Remove if kept.contains(&owned(&parts)) => {
                builder.enter(&parts)?;
                Ok(builder.make_opaque())
            }
            Operation::Remove | Operation::Opaque => builder.put_whiteout(name),
        }
    }
}

/// The directories that the additions need.
fn directories(edits: &[Edit]) -> HashSet<Vec<Vec<u8>>> {
    let mut needed = HashSet::new();
    for edit in edits.iter().filter(|edit| edit.operation.pass() != Pass::Hide) {
        let parts = path::clamped(&edit.path);
        let is_dir = matches!(edit.operation, Operation::MakeDir(_));
        let depth = parts.len() - usize::from(!is_dir && !parts.is_empty());
        needed.extend((1..=depth).map(|depth| owned(&parts[..depth])));
    }
    needed
}

fn owned(parts: &[&[u8]]) -> Vec<Vec<u8>> {
    parts.iter().map(|part| part.to_vec()).collect()
}

impl Refused {
    fn errno(self) -> Errno {
        match self {
            Self::NotFound | Self::NoTarget => Errno::ENOENT,
            Self::NotDirectory => Errno::ENOTDIR,
            Self::LinkToDirectory => Errno::EPERM,
            Self::Exists | Self::Root => Errno::EEXIST,
            Self::Loop => Errno::ELOOP,
            Self::NameTooLong | Self::TooDeep => Errno::ENAMETOOLONG,
            Self::XattrName => Errno::ERANGE,
            Self::XattrTooLarge => Errno::E2BIG,
        }
    }
}
