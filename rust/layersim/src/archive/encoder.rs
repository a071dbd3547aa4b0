//! Compressing a layer on its way out: the same bytes in give the same bytes out.

use std::io::{self, Write};

use crate::error::{Error, Result};

/// The compressions that layers go out in, each with its level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoder {
    /// RFC 1952, without a name or a time in its header; 0 to 9.
    Gzip(u32),
    /// RFC 8878, with a checksum; 1 to 22.
    Zstd(i32),
}

impl Encoder {
    /// The compression of that name, at a level or at the usual one.
    ///
    /// # Errors
    /// [`Error::Input`] for another name, or a level that it does not have.
    pub fn named(name: &str, level: Option<i32>) -> Result<Self> {
        let refused = |levels| Err(Error::input(format!("the level of {name} must be from {levels}")));
        match name {
            "gzip" => match u32::try_from(level.unwrap_or(6)) {
                Ok(level @ 0..=9) => Ok(Self::Gzip(level)),
                _ => refused("0 to 9"),
            },
            "zstd" => match level.unwrap_or(3) {
                level @ 1..=22 => Ok(Self::Zstd(level)),
                _ => refused("1 to 22"),
            },
            _ => Err(Error::input(format!("expected the compression 'gzip' or 'zstd', got {name:?}"))),
        }
    }

    /// Compresses the `len` bytes that `write` gives.
    ///
    /// # Errors
    /// [`Error::Io`] from the target; what `write` says.
    pub fn compress<W: Write>(
        self,
        target: W,
        len: u64,
        write: impl FnOnce(&mut dyn Write) -> Result<()>,
    ) -> Result<W> {
        match self {
            Self::Gzip(level) => {
                let mut encoder = flate2::write::GzEncoder::new(target, flate2::Compression::new(level));
                write(&mut encoder)?;
                encoder.finish().map_err(refused)
            }
            Self::Zstd(level) => {
                let mut encoder = zstd::Encoder::new(target, level).map_err(refused)?;
                encoder.include_checksum(true).map_err(refused)?;
                encoder.set_pledged_src_size(Some(len)).map_err(refused)?;
                write(&mut encoder)?;
                encoder.finish().map_err(refused)
            }
        }
    }
}

fn refused(source: io::Error) -> Error {
    Error::io("cannot compress a layer", source)
}
