//! The overlay: a writable top over a stack, with the semantics of Linux overlayfs (spec/overlay.md).
//!
//! An overlay is a pair: the merged tree of the layers, which nothing changes, and a tree of what was written, with whiteout
//! marks and opaque flags as the kernel's upper directory has them. The union of the two is made while walking and never
//! stored. Inodes of the upper tree live in a map of their own, so that open files survive rename and unlink, and hard links
//! are real. All parts are persistent: a clone of an overlay is its fork.

mod attributes;
mod copy_up;
mod create;
mod credentials;
mod freeze;
mod handle;
mod journey;
mod link;
mod listing;
mod mounts;
mod open;
mod permission;
mod plain;
mod redirect;
mod remove;
mod rename;
mod resolve;
mod saved;
mod seek;
mod snapshot;
mod upper;

use std::sync::Arc;

pub use credentials::Credentials;
pub use handle::Handle;
pub use journey::{Ends, Journey};
pub use mounts::{Mounted, Points};
pub(crate) use resolve::below_of;
pub use saved::Saved;
pub use seek::SeekFrom;
pub use snapshot::Snapshot;
pub(crate) use upper::{InodeId, Live};

use crate::metadata::Timestamp;
use crate::stack::Stack;
use crate::tree::Dir;
use upper::{Readers, Upper};

/// Who asks, and when: the core has no clock.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The time of the operation.
    pub now: Timestamp,
    /// Whose rights it has.
    pub credentials: Credentials,
}

impl Caller {
    /// Root, at this time.
    pub fn at(now: Timestamp) -> Self {
        Self { now, credentials: Credentials::ROOT }
    }
}

/// How a union is mounted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// Whether it has no writable top, as a mount without an upper directory.
    pub is_read_only: bool,
    /// Whether directories of the layers can be renamed (`redirect_dir=on`).
    pub redirects: bool,
}

/// A writable union. A clone is a fork: neither sees what the other writes.
#[derive(Debug, Clone)]
pub struct Overlay {
    lower: Arc<Stack>,
    /// Nothing until the first write.
    upper: Option<Arc<Upper>>,
    /// Files that are open on the layers; a copy of one of them stays while it is.
    readers: Readers,
    /// How often it went back to an earlier state.
    epoch: u64,
    options: Options,
}

impl Overlay {
    /// An overlay that nothing has been written to.
    pub fn new(lower: Arc<Stack>) -> Self {
        Self::mounted(lower, Options::default())
    }

    /// The same, mounted otherwise than Docker does.
    pub fn mounted(lower: Arc<Stack>, options: Options) -> Self {
        Self { lower, upper: None, readers: Readers::new(), epoch: 0, options }
    }

    /// How it is mounted.
    pub fn options(&self) -> Options {
        self.options
    }

    /// The layers below.
    pub fn lower(&self) -> &Arc<Stack> {
        &self.lower
    }

    /// Bytes that the top holds by the INODE rule: distinct files and link targets (spec/accounting.md section 5).
    pub fn size_rw(&self) -> u64 {
        self.upper.as_ref().map_or(0, |upper| upper.size())
    }

    /// The tree of what was written, if anything was.
    pub(crate) fn upper_root(&self) -> Option<&Dir<InodeId>> {
        self.upper.as_ref().map(|upper| &*upper.root)
    }

    /// An inode of the upper tree.
    pub(crate) fn live(&self, id: InodeId) -> Option<&Live> {
        self.upper.as_ref()?.inodes.get(&id).map(|live| &**live)
    }
}
