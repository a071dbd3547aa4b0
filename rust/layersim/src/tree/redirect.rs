//! Where the layers have what is in a directory that was renamed.

use std::sync::Arc;

use super::dir::Dir;
use super::entry::Name;
use super::inode::Inode;

/// What overlayfs notes in a renamed directory of an upper tree (`trusted.overlay.redirect`).
#[derive(Debug, Clone)]
pub struct Redirect {
    /// The directory's path in the layers.
    pub path: Arc<[Name]>,
    /// Whether the note says all of the path: else the directory has not left its parent, and it says the last name.
    pub is_absolute: bool,
    /// What is at the path.
    pub below: Arc<Dir<Arc<Inode>>>,
}

impl Redirect {
    /// The note itself.
    pub fn text(&self) -> Vec<u8> {
        if !self.is_absolute {
            return self.path.last().map_or_else(Vec::new, |name| name.to_vec());
        }
        self.path.iter().flat_map(|name| [b"/", &**name].concat()).collect()
    }
}
