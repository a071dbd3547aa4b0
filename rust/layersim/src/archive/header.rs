//! The 512 bytes of one header block: fields, numbers, checksum.

use super::BLOCK;

/// Where the checksum is; it counts as spaces in its own sum.
const CHECKSUM: std::ops::Range<usize> = 148..156;

/// Whose block it is, which decides what the fields after the first 257 bytes mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Before POSIX: no prefix, no devices.
    V7,
    /// POSIX: a prefix for long names.
    Ustar,
    /// Schily's: a shorter prefix, then times.
    Star,
    /// GNU's: times in the place of the prefix.
    Gnu,
}

/// A header block whose checksum holds.
#[derive(Debug, Clone, Copy)]
pub struct Block<'a> {
    bytes: &'a [u8],
    format: Format,
}

/// A field that holds no number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoNumber;

impl<'a> Block<'a> {
    /// Takes a block; `None` when its checksum is wrong.
    pub fn new(bytes: &'a [u8]) -> Option<Self> {
        if bytes.len() != BLOCK {
            return None;
        }
        let stored = octal(&bytes[CHECKSUM]).ok()?;
        let checked = |sum: i64| sum == stored;
        if !checked(unsigned_sum(bytes)) && !checked(signed_sum(bytes)) {
            return None;
        }
        Some(Self { bytes, format: format_of(bytes) })
    }

    /// The type flag.
    pub fn type_flag(&self) -> u8 {
        self.bytes[156]
    }

    /// The name, without what long names add.
    pub fn name(&self) -> &'a [u8] {
        text(&self.bytes[..100])
    }

    /// The target of a link.
    pub fn link_name(&self) -> &'a [u8] {
        text(&self.bytes[157..257])
    }

    /// The first part of a long name.
    pub fn prefix(&self) -> &'a [u8] {
        match self.format {
            Format::V7 => &[],
            Format::Ustar => text(&self.bytes[345..500]),
            Format::Star => text(&self.bytes[345..476]),
            Format::Gnu if self.has_gnu_times() => &[],
            // Some writers put a prefix where GNU has times; Go takes it if it can be no time.
            Format::Gnu => Some(text(&self.bytes[345..500])).filter(|prefix| prefix.is_ascii()).unwrap_or_default(),
        }
    }

    fn has_gnu_times(&self) -> bool {
        [&self.bytes[345..357], &self.bytes[357..369]].iter().all(|field| field[0] == 0 || number(field).is_ok())
    }

    /// The permission bits, as the field has them.
    pub fn mode(&self) -> Result<i64, NoNumber> {
        number(&self.bytes[100..108])
    }

    /// The owner.
    pub fn uid(&self) -> Result<i64, NoNumber> {
        number(&self.bytes[108..116])
    }

    /// The group.
    pub fn gid(&self) -> Result<i64, NoNumber> {
        number(&self.bytes[116..124])
    }

    /// The size of the data, in bytes.
    pub fn size(&self) -> Result<i64, NoNumber> {
        number(&self.bytes[124..136])
    }

    /// The modification time, in seconds.
    pub fn mtime(&self) -> Result<i64, NoNumber> {
        number(&self.bytes[136..148])
    }

    /// Major and minor number of a device; the oldest format has none.
    pub fn device(&self) -> Result<(i64, i64), NoNumber> {
        if self.format == Format::V7 {
            return Ok((0, 0));
        }
        Ok((number(&self.bytes[329..337])?, number(&self.bytes[337..345])?))
    }
}

/// The sum that a header block must show, its own field taken as spaces.
pub fn unsigned_sum(bytes: &[u8]) -> i64 {
    let all: u32 = bytes.iter().map(|byte| u32::from(*byte)).sum();
    let own: u32 = bytes[CHECKSUM].iter().map(|byte| u32::from(*byte)).sum();
    i64::from(all - own + u32::from(b' ') * 8)
}

/// What writers sum whose bytes have a sign.
fn signed_sum(bytes: &[u8]) -> i64 {
    let signed = |bytes: &[u8]| bytes.iter().map(|byte| i64::from(i8::from_ne_bytes([*byte]))).sum::<i64>();
    signed(bytes) - signed(&bytes[CHECKSUM]) + i64::from(b' ') * 8
}

fn format_of(bytes: &[u8]) -> Format {
    match (&bytes[257..263], &bytes[263..265]) {
        (b"ustar\0", _) if &bytes[508..512] == b"tar\0" => Format::Star,
        (b"ustar\0", _) => Format::Ustar,
        (b"ustar ", b" \0") => Format::Gnu,
        _ => Format::V7,
    }
}

/// Bytes up to the first NUL.
pub fn text(field: &[u8]) -> &[u8] {
    let len = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
    &field[..len]
}

/// A number in octal digits, or in base 256 where the first bit says so.
fn number(field: &[u8]) -> Result<i64, NoNumber> {
    match field.first() {
        Some(first) if first & 0x80 != 0 => base_256(field),
        _ => octal(field),
    }
}

fn octal(field: &[u8]) -> Result<i64, NoNumber> {
    let is_filler = |byte: &u8| matches!(byte, b' ' | 0);
    let start = field.iter().position(|byte| !is_filler(byte)).unwrap_or(field.len());
    let end = field.iter().rposition(|byte| !is_filler(byte)).map_or(start, |last| last + 1);
    let mut value = 0_i64;
    for digit in text(&field[start..end]) {
        if !(b'0'..=b'7').contains(digit) || value >> 60 != 0 {
            return Err(NoNumber);
        }
        value = value << 3 | i64::from(digit - b'0');
    }
    Ok(value)
}

/// Two's complement, the first bit being the mark of the notation and the second the sign.
fn base_256(field: &[u8]) -> Result<i64, NoNumber> {
    let flip = if field[0] & 0x40 != 0 { 0xff } else { 0 };
    let mut value = 0_u64;
    for (at, byte) in field.iter().enumerate() {
        let byte = (byte ^ flip) & if at == 0 { 0x7f } else { 0xff };
        if value >> 56 != 0 {
            return Err(NoNumber);
        }
        value = value << 8 | u64::from(byte);
    }
    let value = i64::try_from(value).map_err(|_| NoNumber)?;
    Ok(if flip == 0 { value } else { !value })
}
