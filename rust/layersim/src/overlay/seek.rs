//! Moving in an open file, also from data to holes.

use super::Overlay;
use super::attributes::FILE_MAX;
use super::handle::{Handle, Way, unnamed};
use super::resolve::Outcome;
use crate::content::{Content, Source};
use crate::error::{Errno, Result};

/// Data take whole blocks, and the file system tells of no hole within one.
const BLOCK: u64 = 4096;

/// What an offset counts from, or what is looked for from there on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeekFrom {
    /// The start of the file.
    Start,
    /// The current position.
    Current,
    /// The end of the file.
    End,
    /// The next data from an offset on.
    Data,
    /// The next hole from an offset on; the end of the file is one.
    Hole,
}

impl Overlay {
    /// Moves the handle's position.
    ///
    /// # Errors
    /// `EINVAL` for a position before the start or beyond the longest file, `ENXIO` where no data or hole follows,
    /// `EBADF` for a handle that only marks a place.
    pub fn seek(&self, handle: &mut Handle, from: SeekFrom, offset: i64) -> Result<u64> {
        handle.position = unnamed(|| {
            self.admit(handle)?;
            if handle.access.way == Way::Place {
                return Err(Errno::EBADF);
            }
            let content = || self.opened_content(handle).map_err(|_| Errno::EINVAL);
            let base = match from {
                SeekFrom::Start => 0,
                SeekFrom::Current => handle.position,
                SeekFrom::End => content()?.len(),
                SeekFrom::Data => return found(content()?, offset, data_from),
                SeekFrom::Hole => return found(content()?, offset, |content, offset| Some(hole_from(content, offset))),
            };
            base.checked_add_signed(offset).filter(|position| *position <= FILE_MAX).ok_or(Errno::EINVAL)
        })?;
        Ok(handle.position)
    }
}

/// What a search from an offset within the file finds.
fn found(content: &Content, offset: i64, search: impl FnOnce(&Content, u64) -> Option<u64>) -> Outcome<u64> {
    let offset = u64::try_from(offset).ok().filter(|offset| *offset < content.len());
    offset.and_then(|offset| search(content, offset)).ok_or(Errno::ENXIO)
}

fn data_from(content: &Content, offset: u64) -> Option<u64> {
    data(content).find(|(_, end)| *end > offset).map(|(start, _)| start.max(offset))
}

fn hole_from(content: &Content, offset: u64) -> u64 {
    let at = data(content)
        .filter(|(_, end)| *end > offset)
        .try_fold(offset, |at, (start, end)| if start > at { Err(at) } else { Ok(at.max(end)) });
    at.unwrap_or_else(|hole| hole)
}

/// Where blocks with data start and end, within the file, in rising order; they may touch.
fn data(content: &Content) -> impl Iterator<Item = (u64, u64)> {
    let len = content.len();
    let runs = content.runs().scan(0, |at, (size, source)| {
        let start = *at;
        *at += size;
        Some((start, *at, source))
    });
    runs.filter(|(_, _, source)| !matches!(source, Source::Hole))
        .map(move |(start, end, _)| (start / BLOCK * BLOCK, end.next_multiple_of(BLOCK).min(len)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_are_told_of_by_the_block() {
        let mut content = Content::hole(40_000);
        content.write_at(9000, b"data");
        content.write_at(12_288, &[1; 4096]);
        let ask = |offset| (data_from(&content, offset), hole_from(&content, offset));
        assert_eq!(ask(0), (Some(8192), 0));
        assert_eq!(ask(9000), (Some(9000), 16_384));
        assert_eq!(ask(16_384), (None, 16_384));
        content.truncate(9002);
        assert_eq!((data_from(&content, 0), hole_from(&content, 8192)), (Some(8192), 9002));
    }
}
