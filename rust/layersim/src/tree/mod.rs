//! The one tree of the core: persistent directories whose leaves are inodes, with the marks of a layer among them.
//!
//! A frozen tree has [`Inode`] leaves behind `Arc`s; the writable top of an overlay is the same tree over inode numbers.

mod dir;
mod edit;
mod entries;
mod entry;
mod inode;
mod redirect;
mod walk;

pub use dir::Dir;
pub use edit::reach;
pub use entries::Entries;
pub use entry::{Entry, Name, Node};
pub use inode::{Inode, Kind, Origin};
pub use redirect::Redirect;
pub use walk::{Step, visit};

use std::sync::Arc;

/// The leaf of a frozen tree. Hard links are entries with one and the same inode.
pub type Leaf = Arc<Inode>;
