//! Writing a tar: POSIX headers where the values fit, PAX records where they do not, as Go's writer decides.

use std::io::Write;

use super::BLOCK;
use super::header::unsigned_sum;
use super::read::Kind;
use super::spelling::Dialect;
use crate::content::Content;
use crate::error::{Error, Result};
use crate::metadata::{CAPABILITY, Metadata};
use crate::path::shown;

const NAME_LEN: usize = 100;
const PREFIX_LEN: usize = 155;
const PAX_DIRECTORY: &[u8] = b"PaxHeaders.0";
const ZEROS: [u8; BLOCK] = [0; BLOCK];

/// What stands before a member's data.
#[derive(Debug, Clone)]
pub struct Header<'a> {
    path: &'a [u8],
    kind: Kind<'a>,
    metadata: &'a Metadata,
    /// A link name that means nothing, of a file that stands for a mark.
    leaked: Option<&'a [u8]>,
}

impl<'a> Header<'a> {
    /// Describes a member. A directory's path gets its slash from the writer.
    pub fn new(path: &'a [u8], kind: Kind<'a>, metadata: &'a Metadata) -> Self {
        Self { path, kind, metadata, leaked: None }
    }

    /// Describes the empty file that stands for a mark: no dialect adds type bits to its mode.
    pub fn mark(path: &'a [u8], metadata: &'a Metadata, leaked: &'a [u8]) -> Self {
        Self { path, kind: Kind::Regular, metadata, leaked: Some(leaked) }
    }

    fn name(&self) -> Vec<u8> {
        let slash: &[u8] = if self.kind == Kind::Directory && !self.path.ends_with(b"/") { b"/" } else { b"" };
        [self.path, slash].concat()
    }

    fn link(&self) -> &[u8] {
        match &self.kind {
            Kind::HardLink(target) | Kind::Symlink(target) => target,
            _ => self.leaked.unwrap_or_default(),
        }
    }

    fn mode(&self, dialect: Dialect) -> u32 {
        let type_bits = match &self.kind {
            _ if dialect != Dialect::Docker20 || self.leaked.is_some() => 0,
            Kind::Directory => 0o040_000,
            Kind::Symlink(_) => 0o120_000,
            Kind::CharDevice { .. } => 0o020_000,
            Kind::BlockDevice { .. } => 0o060_000,
            Kind::Fifo => 0o010_000,
            Kind::Regular | Kind::HardLink(_) => 0o100_000,
        };
        type_bits | self.metadata.mode
    }

    fn type_flag(&self) -> u8 {
        match self.kind {
            Kind::Regular => b'0',
            Kind::HardLink(_) => b'1',
            Kind::Symlink(_) => b'2',
            Kind::CharDevice { .. } => b'3',
            Kind::BlockDevice { .. } => b'4',
            Kind::Directory => b'5',
            Kind::Fifo => b'6',
        }
    }

    fn device(&self) -> (u32, u32) {
        match self.kind {
            Kind::CharDevice { major, minor } | Kind::BlockDevice { major, minor } => (major, minor),
            _ => (0, 0),
        }
    }
}

/// Writes members, one after the other.
#[derive(Debug)]
pub struct Writer<W> {
    target: W,
    dialect: Dialect,
}

impl<W: Write> Writer<W> {
    /// A writer at the start of an archive.
    pub fn new(target: W, dialect: Dialect) -> Self {
        Self { target, dialect }
    }

    /// Writes one member.
    ///
    /// # Errors
    /// [`Error::Io`] from the target, [`Error::Input`] for a value that no header can hold.
    pub fn append(&mut self, header: &Header<'_>, content: Option<&Content>) -> Result<()> {
        self.append_stream(header, content.map_or(0, Content::len), |target| {
            content.map_or(Ok(()), |content| content.write_to(target).map_err(refused))
        })
    }

    /// Writes one member whose `size` bytes of data `write` gives.
    ///
    /// # Errors
    /// [`Error::Io`] from the target, [`Error::Input`] for a value that no header can hold; what `write` says.
    pub fn append_stream(
        &mut self,
        header: &Header<'_>,
        size: u64,
        write: impl FnOnce(&mut dyn Write) -> Result<()>,
    ) -> Result<()> {
        let records = Records::needed(header, size, self.dialect)?;
        if !records.0.is_empty() {
            self.pax_header(&header.name(), &records)?;
        }
        let block = block_of(header, size, self.dialect, &records);
        self.write(&block)?;
        write(&mut self.target)?;
        self.pad(size)
    }

    /// Ends the archive with two blocks of zeros.
    ///
    /// # Errors
    /// [`Error::Io`] from the target.
    pub fn finish(mut self) -> Result<W> {
        self.write(&ZEROS)?;
        self.write(&ZEROS)?;
        self.target.flush().map_err(refused)?;
        Ok(self.target)
    }

    fn pax_header(&mut self, name: &[u8], records: &Records) -> Result<()> {
        let body = records.body();
        let mut fields = Fields::default();
        let name = ascii(&pax_name(name));
        let cut = &name[..name.len().min(NAME_LEN)];
        let end = cut.iter().rposition(|byte| *byte != b'/').map_or(0, |last| last + 1);
        fields.text(0..100, &cut[..end]);
        fields.numbers(&[(100..108, 0), (108..116, 0), (116..124, 0), (124..136, body.len() as u64), (136..148, 0)]);
        fields.0[156] = b'x';
        self.write(&fields.finished())?;
        self.write(&body)?;
        self.pad(body.len() as u64)
    }

    fn pad(&mut self, size: u64) -> Result<()> {
        let over = usize::try_from(size % BLOCK as u64).unwrap_or_default();
        if over == 0 { Ok(()) } else { self.write(&ZEROS[over..]) }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.target.write_all(bytes).map_err(refused)
    }
}

fn refused(source: std::io::Error) -> Error {
    Error::io("cannot write a tar", source)
}

/// The PAX records that a member needs, sorted by key.
struct Records(Vec<(Vec<u8>, Vec<u8>)>);

impl Records {
    /// What does not fit the POSIX fields. Go writes it so, and so do we: no record without need.
    fn needed(header: &Header<'_>, size: u64, dialect: Dialect) -> Result<Self> {
        let name = header.name();
        let mut records = Vec::new();
        let mut need = |key: &[u8], value: &[u8]| records.push((key.to_vec(), value.to_vec()));
        if name.contains(&0) || header.link().contains(&0) {
            return Err(Error::input(format!("{} holds a NUL byte", shown(&name))));
        }
        let is_short = |text: &[u8]| text.is_ascii() && text.len() <= NAME_LEN;
        if !is_short(header.link()) {
            need(b"linkpath", header.link());
        }
        for (key, id) in [(b"uid", header.metadata.uid), (b"gid", header.metadata.gid)] {
            if u64::from(id) > octal_max(8) {
                need(key, id.to_string().as_bytes());
            }
        }
        if size > octal_max(12) {
            need(b"size", size.to_string().as_bytes());
        }
        let seconds = header.metadata.mtime().seconds;
        if u64::try_from(seconds).map_or(true, |seconds| seconds > octal_max(12)) {
            need(b"mtime", seconds.to_string().as_bytes());
        }
        for (name, value) in header.metadata.xattrs.iter() {
            if let Some(value) = spelled(name, value, dialect) {
                if name.contains(&0) || name.contains(&b'=') {
                    let cause = format!("no tar can say the attribute {} of {}", shown(name), shown(header.path));
                    return Err(Error::input(cause));
                }
                need(&[b"SCHILY.xattr.", name].concat(), &value);
            }
        }
        // A long name that could be split goes into a record all the same once there is a record for something else.
        if !is_short(&name) && (!records.is_empty() || split(&name).is_none()) {
            records.push((b"path".to_vec(), name));
        }
        records.sort();
        Ok(Self(records))
    }

    fn body(&self) -> Vec<u8> {
        self.0.iter().flat_map(|(key, value)| record(key, value)).collect()
    }
}

/// An attribute as the dialect writes it: engines keep capabilities alone, and lower them to the form without a root id.
fn spelled(name: &[u8], value: &[u8], dialect: Dialect) -> Option<Vec<u8>> {
    const REVISION_AT: usize = 3;
    const LEN_OF_REVISION_2: usize = 20;
    if dialect == Dialect::Canonical {
        return Some(value.to_vec());
    }
    let mut value = (name == CAPABILITY).then(|| value.to_vec())?;
    if value.get(REVISION_AT) == Some(&3) {
        value[REVISION_AT] = 2;
        value.truncate(LEN_OF_REVISION_2);
    }
    Some(value)
}

/// `"<length> <key>=<value>\n"`, the length counting its own digits.
fn record(key: &[u8], value: &[u8]) -> Vec<u8> {
    let rest = key.len() + value.len() + 3;
    let mut len = rest + rest.to_string().len();
    len = rest + len.to_string().len();
    [len.to_string().as_bytes(), b" ", key, b"=", value, b"\n"].concat()
}

/// The largest number that a field of so many bytes holds in octal digits and a NUL.
fn octal_max(field: u32) -> u64 {
    (1 << ((field - 1) * 3)) - 1
}

/// The name of the extended header of a member.
fn pax_name(name: &[u8]) -> Vec<u8> {
    let slash = name.iter().rposition(|byte| *byte == b'/');
    let (directory, base) = slash.map_or((&[][..], name), |slash| (&name[..=slash], &name[slash + 1..]));
    crate::path::clean(&[directory, PAX_DIRECTORY, b"/", base].concat())
}

fn ascii(text: &[u8]) -> Vec<u8> {
    text.iter().copied().filter(|byte| byte.is_ascii() && *byte != 0).collect()
}

/// A long name as prefix and rest, if it can be cut at a slash so that both fit.
fn split(name: &[u8]) -> Option<(&[u8], &[u8])> {
    if name.len() <= NAME_LEN || !name.is_ascii() {
        return None;
    }
    let reach =
        if name.len() > PREFIX_LEN + 1 { PREFIX_LEN + 1 } else { name.len() - usize::from(name.ends_with(b"/")) };
    let slash = name[..reach].iter().rposition(|byte| *byte == b'/').filter(|slash| *slash > 0)?;
    let rest = &name[slash + 1..];
    (!rest.is_empty() && rest.len() <= NAME_LEN).then_some((&name[..slash], rest))
}

fn block_of(header: &Header<'_>, size: u64, dialect: Dialect, records: &Records) -> [u8; BLOCK] {
    let name = header.name();
    let mut fields = Fields::default();
    match split(&name).filter(|_| records.0.is_empty()) {
        Some((prefix, rest)) => {
            fields.text(0..100, rest);
            fields.text(345..500, prefix);
        }
        None => fields.text(0..100, &ascii(&name)),
    }
    let (major, minor) = header.device();
    let Metadata { uid, gid, .. } = header.metadata;
    let seconds = u64::try_from(header.metadata.mtime().seconds).unwrap_or_default();
    fields.numbers(&[
        (100..108, header.mode(dialect).into()),
        (108..116, (*uid).into()),
        (116..124, (*gid).into()),
        (124..136, size),
        (136..148, seconds),
        (329..337, major.into()),
        (337..345, minor.into()),
    ]);
    fields.0[156] = header.type_flag();
    fields.text(157..257, &ascii(header.link()));
    if dialect == Dialect::Docker20 {
        // dockerd looks names up on its host, where only root's is the same everywhere.
        let name_of = |id: u32| if id == 0 { &b"root"[..] } else { b"" };
        fields.text(265..297, name_of(*uid));
        fields.text(297..329, name_of(*gid));
    }
    fields.finished()
}

/// A header block in the making.
struct Fields([u8; BLOCK]);

impl Default for Fields {
    fn default() -> Self {
        Self([0; BLOCK])
    }
}

impl Fields {
    /// Cuts what is too long; a record says it whole.
    fn text(&mut self, range: std::ops::Range<usize>, text: &[u8]) {
        let field = &mut self.0[range];
        let len = text.len().min(field.len());
        field[..len].copy_from_slice(&text[..len]);
        if text.len() > field.len() && field.ends_with(b"/") {
            let end = field.iter().rposition(|byte| *byte != b'/').map_or(0, |last| last + 1);
            field[end] = 0;
        }
    }

    /// Octal digits and a NUL; 0 for what does not fit.
    fn numbers(&mut self, numbers: &[(std::ops::Range<usize>, u64)]) {
        for (range, number) in numbers {
            let width = range.len() - 1;
            let number = if *number >> (3 * width) == 0 { *number } else { 0 };
            let digits = format!("{number:0width$o}");
            self.0[range.start..range.start + width].copy_from_slice(digits.as_bytes());
        }
    }

    fn finished(mut self) -> [u8; BLOCK] {
        self.0[257..265].copy_from_slice(b"ustar\x0000");
        let sum = unsigned_sum(&self.0);
        self.0[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        self.0
    }
}
