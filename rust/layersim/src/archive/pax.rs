//! PAX records: what an extended header says about the member after it.

use super::header::NoNumber;
use crate::metadata::Timestamp;

const XATTR: &[u8] = b"SCHILY.xattr.";
const SPARSE_OFFSET: &[u8] = b"GNU.sparse.offset";
const SPARSE_LENGTH: &[u8] = b"GNU.sparse.numbytes";
const NANO_DIGITS: usize = 9;

/// The records of one extended header; of two of one key the later one counts.
#[derive(Debug, Clone, Default)]
pub struct Records<'a> {
    pairs: Vec<(&'a [u8], &'a [u8])>,
    /// Offsets and lengths of a sparse file in the oldest notation, in turn.
    pub sparse_pairs: Vec<&'a [u8]>,
}

impl<'a> Records<'a> {
    /// Reads the body of an extended header; `None` where it is malformed.
    pub fn parse(mut body: &'a [u8]) -> Option<Self> {
        let mut records = Self::default();
        while !body.is_empty() {
            let (key, value, rest) = record(body)?;
            body = rest;
            if key != SPARSE_OFFSET && key != SPARSE_LENGTH {
                records.pairs.push((key, value));
                continue;
            }
            let wanted = if records.sparse_pairs.len().is_multiple_of(2) { SPARSE_OFFSET } else { SPARSE_LENGTH };
            if key != wanted || value.contains(&b',') {
                return None;
            }
            records.sparse_pairs.push(value);
        }
        Some(records)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty() && self.sparse_pairs.is_empty()
    }

    /// The value of a key that is there and not empty.
    pub fn get(&self, key: &[u8]) -> Option<&'a [u8]> {
        let found = self.pairs.iter().rev().find(|(have, _)| *have == key);
        found.map(|(_, value)| *value).filter(|value| !value.is_empty())
    }

    /// The value of a key as a number.
    pub fn number(&self, key: &[u8]) -> Result<Option<i64>, NoNumber> {
        self.get(key).map(decimal).transpose()
    }

    /// The value of a key as a time.
    pub fn time(&self, key: &[u8]) -> Result<Option<Timestamp>, NoNumber> {
        self.get(key).map(time).transpose()
    }

    /// Extended attributes, in the order they come.
    pub fn xattrs(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        let named = |(key, value): &(&'a [u8], &'a [u8])| Some((key.strip_prefix(XATTR)?, *value));
        self.pairs.iter().filter_map(named).filter(|(_, value)| !value.is_empty())
    }
}

/// `"<length> <key>=<value>\n"`, the length counting all of it.
fn record(body: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let space = body.iter().position(|byte| *byte == b' ')?;
    let len = usize::try_from(decimal(&body[..space]).ok()?).ok()?;
    if len <= space + 1 || len > body.len() || body[len - 1] != b'\n' {
        return None;
    }
    let pair = &body[space + 1..len - 1];
    let equals = pair.iter().position(|byte| *byte == b'=')?;
    let (key, value) = (&pair[..equals], &pair[equals + 1..]);
    let must_be_text = matches!(key, b"path" | b"linkpath" | b"uname" | b"gname" | b"GNU.sparse.name");
    let is_valid = !(key.is_empty() || key.contains(&0) || must_be_text && value.contains(&0));
    is_valid.then_some((key, value, &body[len..]))
}

/// A decimal number, as Go's `ParseInt` takes it.
pub fn decimal(digits: &[u8]) -> Result<i64, NoNumber> {
    std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok()).ok_or(NoNumber)
}

/// Seconds with up to nine digits after the point; more are cut off.
fn time(value: &[u8]) -> Result<Timestamp, NoNumber> {
    let point = value.iter().position(|byte| *byte == b'.');
    let (whole, rest) = point.map_or((value, &[][..]), |point| (&value[..point], &value[point + 1..]));
    let seconds = decimal(whole)?;
    if !rest.iter().all(u8::is_ascii_digit) {
        return Err(NoNumber);
    }
    let digits = rest.iter().copied().chain(std::iter::repeat(b'0')).take(NANO_DIGITS);
    let nanos = digits.fold(0_u32, |nanos, digit| nanos * 10 + u32::from(digit - b'0'));
    let sign = if whole.first() == Some(&b'-') { -1 } else { 1 };
    Ok(Timestamp::from_nanos(i128::from(seconds) * 1_000_000_000 + i128::from(nanos) * sign))
}
