//! Sparse files in the three PAX notations: where the stored bytes belong in the file.

use super::BLOCK;
use super::header::NoNumber;
use super::pax::{Records, decimal};

/// One stored run: where it belongs in the file, and its length, in bytes.
pub type Run = (u64, u64);

/// How a member says that it is sparse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notation {
    /// The map is in the extended header (versions 0.0 and 0.1).
    Header,
    /// The map stands before the data (version 1.0).
    Data,
}

/// The notation of a member, if it is sparse at all.
pub fn notation(records: &Records<'_>) -> Option<Notation> {
    let version = (records.get(b"GNU.sparse.major"), records.get(b"GNU.sparse.minor"));
    match version {
        (Some(b"0"), Some(b"0" | b"1")) => Some(Notation::Header),
        (Some(b"1"), Some(b"0")) => Some(Notation::Data),
        (None, None) if records.get(b"GNU.sparse.map").is_some() || !records.sparse_pairs.is_empty() => {
            Some(Notation::Header)
        }
        _ => None,
    }
}

/// Why there is no map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfit {
    /// It is none.
    Map,
    /// It has more runs than are allowed.
    Limit,
}

impl From<NoNumber> for Unfit {
    fn from(NoNumber: NoNumber) -> Self {
        Self::Map
    }
}

/// The map in an extended header.
pub fn map_in_header(records: &Records<'_>, limit: u64) -> Result<Vec<Run>, Unfit> {
    let count = records.number(b"GNU.sparse.numblocks")?.unwrap_or_default();
    let written: Vec<&[u8]> = match records.get(b"GNU.sparse.map") {
        _ if !records.sparse_pairs.is_empty() => records.sparse_pairs.clone(),
        Some(map) => map.split(|byte| *byte == b',').collect(),
        None => Vec::new(),
    };
    let count = u64::try_from(count).map_err(|_| Unfit::Map)?;
    if count > limit {
        return Err(Unfit::Limit);
    }
    if written.len() as u64 != 2 * count {
        return Err(Unfit::Map);
    }
    written.chunks_exact(2).map(|pair| Ok((position(pair[0])?, position(pair[1])?))).collect()
}

/// The map before the data: decimal numbers, each on a line, filled up to whole blocks. Also how long it is, in bytes.
pub fn map_in_data(data: &[u8], limit: u64) -> Result<(Vec<Run>, usize), Unfit> {
    let mut lines = data.split(|byte| *byte == b'\n');
    let mut used = 0;
    let mut next = || {
        let line = lines.next().ok_or(Unfit::Map)?;
        used += line.len() + 1;
        Ok::<u64, Unfit>(position(line)?)
    };
    let count = next()?;
    if count > limit {
        return Err(Unfit::Limit);
    }
    let mut runs = Vec::new();
    for _ in 0..count {
        runs.push((next()?, next()?));
    }
    Ok((runs, used.next_multiple_of(BLOCK)))
}

/// Whether the runs are in order, apart, and within a file of this size.
pub fn is_valid(runs: &[Run], size: u64) -> bool {
    let mut end = 0;
    runs.iter().all(|(offset, len)| {
        let is_after = *offset >= end;
        let reaches = offset.checked_add(*len);
        end = reaches.unwrap_or(u64::MAX);
        is_after && reaches.is_some_and(|reaches| reaches <= size)
    })
}

fn position(digits: &[u8]) -> Result<u64, NoNumber> {
    u64::try_from(decimal(digits)?).map_err(|_| NoNumber)
}
