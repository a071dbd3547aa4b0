//! The compressions that layers come in, told by their first bytes, and inflating beside a hashing thread.

use std::io::{self, Read};
use std::sync::mpsc;
use std::thread;

use crate::blob::{Blob, Room};
use crate::digest::{Digest, Hasher};
use crate::error::{Error, Result};
use crate::limits::Limits;

/// Inflated bytes that are handed to the hashing thread at once.
const CHUNK: usize = 4 << 20;
/// Chunks that are made ready before they are wanted.
const AHEAD: usize = 4;
const PAGE: usize = 4096;
/// The first buffer when nothing says how long the data is, and the least by which it grows.
const LEAST_BUFFER: u64 = 1 << 20;

/// A compression of a whole blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// None.
    None,
    /// RFC 1952.
    Gzip,
    /// bzip2.
    Bzip2,
    /// xz.
    Xz,
    /// RFC 8878.
    Zstd,
}

/// Inflated bytes and their digest.
#[derive(Debug)]
pub struct Inflated {
    /// All of them, in one run.
    pub blob: Blob,
    /// Their SHA-256.
    pub digest: Digest,
}

impl Compression {
    /// Tells by the first bytes (spec/layers.md section 2).
    pub fn of(bytes: &[u8]) -> Self {
        match bytes {
            [0x1f, 0x8b, 0x08, ..] => Self::Gzip,
            [b'B', b'Z', b'h', ..] => Self::Bzip2,
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Self::Xz,
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            _ => Self::None,
        }
    }

    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "uncompressed",
            Self::Gzip => "gzip",
            Self::Bzip2 => "bzip2",
            Self::Xz => "xz",
            Self::Zstd => "zstd",
        }
    }

    fn reader(self, bytes: &[u8]) -> io::Result<Box<dyn Read + '_>> {
        Ok(match self {
            Self::None => Box::new(bytes),
            Self::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(bytes)),
            Self::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(bytes)),
            Self::Xz => Box::new(liblzma::bufread::XzDecoder::new_multi_decoder(bytes)),
            Self::Zstd => Box::new(zstd::stream::read::Decoder::with_buffer(bytes)?),
        })
    }

    /// How long the data says it is, which may be wrong.
    fn hint(self, bytes: &[u8]) -> u64 {
        let trailer = bytes.last_chunk().map(|trailer| u64::from(u32::from_le_bytes(*trailer)));
        let hint = match self {
            Self::Gzip => trailer,
            Self::Zstd => zstd::zstd_safe::get_frame_content_size(bytes).ok().flatten(),
            _ => None,
        };
        hint.unwrap_or(LEAST_BUFFER)
    }
}

/// Inflates a blob, and hashes what comes out on another thread meanwhile.
///
/// # Errors
/// [`Error::Compression`] for a broken or cut-off stream, [`Error::Limit`] for one that inflates to too much.
pub fn inflate(bytes: &[u8], compression: Compression, limits: &Limits) -> Result<Inflated> {
    let broken = |error: io::Error| Error::Compression { format: compression.name(), cause: error.to_string() };
    let most = limits.inflated(bytes.len() as u64);
    let mut reader = compression.reader(bytes).map_err(broken)?;
    let mut hasher = Hasher::default();
    let mut rooms: Vec<(Room, usize)> = Vec::new();
    let mut len = 0_u64;
    let mut wanted = compression.hint(bytes);
    loop {
        let size = |wanted: u64| usize::try_from(wanted.min(most - len).max(1)).unwrap_or(usize::MAX);
        let mut room = Room::new(size(wanted)).or_else(|_| Room::new(size(LEAST_BUFFER))).map_err(no_room)?;
        let filled;
        (filled, hasher) = fill(&mut room, reader.as_mut(), hasher).map_err(broken)?;
        let is_end = filled < room.len();
        len += filled as u64;
        if len > most {
            let what = format!("{} bytes of {} that inflate to more", bytes.len(), compression.name());
            return Err(Error::Limit { what, limit: most, offset: 0 });
        }
        rooms.push((room, filled));
        if is_end {
            break;
        }
        wanted = len.max(LEAST_BUFFER);
    }
    let blob = joined(rooms).map_err(no_room)?;
    Ok(Inflated { blob, digest: hasher.finish() })
}

/// Fills a buffer as far as there is data. Beside it one thread makes room ahead, and one hashes what is done.
fn fill(buffer: &mut [u8], reader: &mut dyn Read, mut hasher: Hasher) -> io::Result<(usize, Hasher)> {
    thread::scope(|scope| {
        let (ready, blank) = mpsc::sync_channel::<&mut [u8]>(AHEAD);
        scope.spawn(move || buffer.chunks_mut(CHUNK).map(touched).try_for_each(|chunk| ready.send(chunk)));
        let (sender, receiver) = mpsc::channel::<&[u8]>();
        let hashing = scope.spawn(move || {
            for chunk in &receiver {
                hasher.update(chunk);
            }
            hasher
        });
        let mut filled = 0;
        for chunk in blank {
            let got = read_full(reader, chunk)?;
            filled += got;
            let is_end = got < chunk.len();
            let sent = sender.send(&chunk[..got]);
            if is_end || sent.is_err() {
                break;
            }
        }
        drop(sender);
        let hasher = hashing.join().map_err(|_| io::Error::other("the hashing thread stopped"))?;
        Ok((filled, hasher))
    })
}

/// Memory that the system has really given: it does so when a page is first written to, which may take longer than
/// inflating into it.
fn touched(chunk: &mut [u8]) -> &mut [u8] {
    chunk.iter_mut().step_by(PAGE).for_each(|byte| *byte = 0);
    chunk
}

/// Reads until the buffer is full or there is no more.
fn read_full(reader: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match reader.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(got) => filled += got,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// All rooms in one; usually there is only one that holds anything.
fn joined(mut rooms: Vec<(Room, usize)>) -> io::Result<Blob> {
    rooms.retain(|(_, filled)| *filled > 0);
    if rooms.len() > 1 {
        let mut whole = Room::new(rooms.iter().map(|(_, filled)| filled).sum())?;
        let mut len = 0;
        for (room, filled) in rooms {
            whole[len..len + filled].copy_from_slice(&room[..filled]);
            len += filled;
        }
        return whole.freeze(len);
    }
    rooms.pop().map_or_else(|| Ok(Vec::new().into()), |(room, filled)| room.freeze(filled))
}

fn no_room(source: io::Error) -> Error {
    Error::io("no room for the inflated bytes", source)
}
