//! Inodes of frozen trees, and the layer they came from.

use std::sync::{Arc, OnceLock};

use crate::content::Content;
use crate::digest::DiffId;
use crate::metadata::Metadata;

/// The layer that an inode or a directory came from. Its identity is known once the layer's tar has been hashed.
#[derive(Debug, Default)]
pub struct Origin(OnceLock<DiffId>);

impl Origin {
    /// Names the layer; a name that is there already stays.
    pub fn name(&self, diff_id: DiffId) {
        self.0.get_or_init(|| diff_id);
    }

    /// The layer, unless it is still being made.
    pub fn diff_id(&self) -> Option<DiffId> {
        self.0.get().copied()
    }
}

/// A file, link or node of a frozen tree.
#[derive(Debug, Clone)]
pub struct Inode {
    /// The layer it came from.
    pub origin: Arc<Origin>,
    /// Its number, unique within that layer.
    pub id: u32,
    /// Names that the layer gives it.
    pub links: u32,
    /// Mode, owner, time, attributes.
    pub metadata: Metadata,
    /// What it is.
    pub kind: Kind,
}

/// What a leaf is, with what only this kind has.
#[derive(Debug, Clone)]
pub enum Kind {
    /// A file with its bytes.
    Regular(Content),
    /// A symbolic link and its target, never rewritten or checked.
    Symlink(Arc<[u8]>),
    /// A character device.
    CharDevice {
        /// The driver.
        major: u32,
        /// The unit.
        minor: u32,
    },
    /// A block device.
    BlockDevice {
        /// The driver.
        major: u32,
        /// The unit.
        minor: u32,
    },
    /// A named pipe.
    Fifo,
    /// A socket's name.
    Socket,
}

impl Kind {
    /// `st_size`: the length of a file or of a link's target, 0 otherwise.
    pub fn size(&self) -> u64 {
        match self {
            Self::Regular(content) => content.len(),
            Self::Symlink(target) => target.len() as u64,
            _ => 0,
        }
    }

    /// The file type bits of `st_mode`.
    pub fn type_bits(&self) -> u32 {
        match self {
            Self::Regular(_) => 0o100_000,
            Self::Symlink(_) => 0o120_000,
            Self::CharDevice { .. } => 0o020_000,
            Self::BlockDevice { .. } => 0o060_000,
            Self::Fifo => 0o010_000,
            Self::Socket => 0o140_000,
        }
    }

    /// `st_rdev`, packed as Linux packs it.
    pub fn device(&self) -> u64 {
        let (Self::CharDevice { major, minor } | Self::BlockDevice { major, minor }) = self else {
            return 0;
        };
        let (major, minor) = (u64::from(*major), u64::from(*minor));
        (major & !0xfff) << 32 | (minor & !0xff) << 12 | (major & 0xfff) << 8 | (minor & 0xff)
    }

    /// Whether it is the device that marks a name as deleted on disk.
    pub fn is_whiteout_device(&self) -> bool {
        matches!(self, Self::CharDevice { major: 0, minor: 0 })
    }
}
