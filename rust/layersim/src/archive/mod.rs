//! Tar in and out, and the compressions that layers come in.
//!
//! What is accepted is what Go's `archive/tar` accepts, because every engine reads layers with it (spec/layers.md section 3).

mod compression;
mod encoder;
mod header;
mod pax;
mod read;
mod sparse;
mod spelling;
mod write;

pub use compression::{Compression, Inflated, inflate};
pub use encoder::Encoder;
pub use read::{Data, Kind, Member, Reader};
pub use spelling::Dialect;
pub use write::{Header, Writer};

/// Tars are made of blocks of so many bytes.
const BLOCK: usize = 512;
