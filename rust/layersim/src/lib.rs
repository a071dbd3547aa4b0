//! Docker's layer storage as values, without a daemon, a clock or a global.
//!
//! The floors, lowest first; a module uses lower floors only:
//!
//! | floor | modules | subject |
//! |---|---|---|
//! | R0 | [`error`] [`path`] [`digest`] [`limits`] [`saving`] [`hashing`] [`listing`] | causes, byte paths, identifiers, bounds on hostile input, atomic files, files hashed and directories listed together |
//! | R1 | [`metadata`] [`blob`] [`place`] [`content`] [`whiteout`] | what an inode carries, file bytes as pieces, blobs not read yet, the tar spelling of deletion |
//! | R2 | [`tree`] | the one tree: directories, entries, inodes |
//! | R3 | [`archive`] [`layer`] [`bundle`] | tar in and out, the frozen layer, the members of an image archive |
//! | R4 | [`stack`] [`extract`] | the union of a chain of layers and its flat table, also as files on a disk |
//! | R5 | [`overlay`] | a writable top over a stack |
//! | R6 | [`change`] [`usage`] [`allocation`] | changesets; sizes and sharing as arrays; blocks on a disk |

pub mod allocation;
pub mod archive;
pub mod blob;
pub mod bundle;
pub mod change;
pub mod content;
pub mod digest;
pub mod error;
pub mod extract;
pub mod hashing;
pub mod layer;
pub mod limits;
pub mod listing;
pub mod metadata;
pub mod overlay;
pub mod path;
pub mod place;
pub mod saving;
pub mod stack;
pub mod tree;
pub mod usage;
pub mod whiteout;

pub use blob::Blob;
pub use content::Content;
pub use digest::{ChainId, DiffId, Digest};
pub use error::{Error, Result};
pub use layer::Layer;
pub use limits::Limits;
pub use metadata::{Metadata, Timestamp};
pub use overlay::Overlay;
pub use stack::Stack;
