//! A layer whose tar stays where it is until its content is wanted; then it is mapped, verified and indexed, once.

use std::sync::{Arc, OnceLock};

use super::tar::index;
use super::{Body, Layer, Sums};
use crate::blob::Blob;
use crate::digest::{DiffId, Digest};
use crate::error::Result;
use crate::limits::Limits;
use crate::place::Place;
use crate::tree::{Dir, Leaf, Origin};

/// What is told of a layer before its tar is read.
#[derive(Debug, Clone, Copy, Default)]
pub struct Told {
    /// [`Layer::size`].
    pub size: u64,
    /// [`Layer::tar_size`].
    pub tar_size: u64,
    /// [`Layer::len`].
    pub len: u64,
    /// [`Layer::tar_len`].
    pub tar_len: u64,
}

/// Where the tar of a layer is, and what was made of it once it was wanted.
#[derive(Debug)]
pub(super) struct Located {
    pub tar_len: u64,
    place: Place,
    content: OnceLock<(Blob, Arc<Dir<Leaf>>)>,
}

impl Layer {
    /// A layer whose tar is at `place`, uncompressed. Nothing is read now; what is told of it is believed.
    pub fn located(diff_id: DiffId, told: Told, place: Place) -> Self {
        let Told { size, tar_size, len, tar_len } = told;
        let located = Located { tar_len, place, content: OnceLock::new() };
        Self::frozen(diff_id, Sums { size, tar_size, len }, Body::Located(located))
    }

    /// Whether its content is at hand, verified.
    pub fn is_read(&self) -> bool {
        match &self.0.body {
            Body::Located(located) => located.content.get().is_some(),
            Body::Tar(..) | Body::Tree(..) => true,
            Body::Nothing => false,
        }
    }
}

impl Located {
    /// Its tree. Of several threads that come first each may read the tar; all get what one of them made.
    pub fn root(&self, diff_id: DiffId) -> Result<&Arc<Dir<Leaf>>> {
        if let Some((_, root)) = self.content.get() {
            return Ok(root);
        }
        let blob = self.place.map(diff_id.0)?;
        let origin = Arc::new(Origin::default());
        // What is known by its digest was let in before: its own length bounds what it may ask for.
        let (digest, indexed) = rayon::join(|| Digest::of(&blob), || index(&blob, &origin, &Limits::none()));
        self.place.check(diff_id.0, digest)?;
        let (root, _) = indexed?;
        origin.name(diff_id);
        Ok(&self.content.get_or_init(|| (blob, Arc::new(root))).1)
    }

    /// Its tar, verified but not indexed for it.
    pub fn tar(&self, diff_id: DiffId) -> Result<Blob> {
        match self.content.get() {
            Some((blob, _)) => Ok(blob.clone()),
            None => self.place.read(diff_id.0),
        }
    }
}
