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
                let encoder = flate2::write::GzEncoder::new(target, flate2::Compression::new(level));
                in_blocks(encoder, write)?.finish().map_err(refused)
            }
            Self::Zstd(level) => {
                let mut encoder = zstd::Encoder::new(target, level).map_err(refused)?;
                encoder.include_checksum(true).map_err(refused)?;
                encoder.set_pledged_src_size(Some(len)).map_err(refused)?;
                in_blocks(encoder, write)?.finish().map_err(refused)
            }
        }
    }
}

const BLOCK: usize = 1 << 16;

/// Gives an encoder its bytes in blocks of one length: what it makes depends on how they are cut.
fn in_blocks<W: Write>(encoder: W, write: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<W> {
    let mut blocks = Blocks { encoder, block: Vec::with_capacity(BLOCK) };
    write(&mut blocks)?;
    blocks.encoder.write_all(&blocks.block).map_err(refused)?;
    Ok(blocks.encoder)
}

struct Blocks<W> {
    encoder: W,
    block: Vec<u8>,
}

impl<W: Write> Write for Blocks<W> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let taken = data.len().min(BLOCK - self.block.len());
        self.block.extend_from_slice(&data[..taken]);
        if self.block.len() == BLOCK {
            self.encoder.write_all(&self.block)?;
            self.block.clear();
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn refused(source: io::Error) -> Error {
    Error::io("cannot compress a layer", source)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(encoder: Encoder, data: &[u8], length: usize) -> Result<Vec<u8>> {
        let pieces = |writer: &mut dyn Write| data.chunks(length).try_for_each(|piece| writer.write_all(piece));
        encoder.compress(Vec::new(), data.len() as u64, |writer| pieces(writer).map_err(refused))
    }

    #[test]
    fn how_the_bytes_come_in_does_not_matter() -> Result<()> {
        let data: Vec<u8> = (0..300_000_u32).flat_map(|number| number.wrapping_mul(number).to_le_bytes()).collect();
        for encoder in [Encoder::Gzip(6), Encoder::Zstd(3)] {
            let whole = made(encoder, &data, data.len())?;
            for length in [1, 512, 70_000] {
                assert!(made(encoder, &data, length)? == whole);
            }
        }
        Ok(())
    }
}
