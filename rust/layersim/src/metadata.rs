//! What an inode or a directory carries beside its bytes: mode, owner, times, extended attributes.

use std::sync::Arc;

/// What a write or a change of owner takes away, and the one attribute that engines commit and compare.
pub(crate) const CAPABILITY: &[u8] = b"security.capability";
/// A file with this bit runs with its owner's rights; a write by a user clears it.
pub(crate) const SET_UID: u32 = 0o4000;
/// A directory with this bit leaves its names to their owners.
pub(crate) const STICKY: u32 = 0o1000;
/// Whether the group may run a file: set-gid without it means nothing.
pub(crate) const GROUP_EXECUTE: u32 = 0o010;
/// A directory with this bit gives its group to what is made in it, and the bit to the directories.
pub(crate) const SET_GID: u32 = 0o2000;
/// The bits of a mode that a tar header or `chmod` may set.
pub const PERMISSIONS: u32 = 0o7777;
const NANOS_PER_SECOND: i128 = 1_000_000_000;
/// The range of ext4's times with 256-byte inodes, in seconds since 1970: from 1901 to 2446.
const FIRST_SECOND: i64 = -0x8000_0000;
const LAST_SECOND: i64 = 0x3_7fff_ffff;

/// A point in time: whole seconds since 1970 and the nanoseconds after them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp {
    /// Seconds since 1970-01-01T00:00:00Z, negative before.
    pub seconds: i64,
    /// 0 to 999,999,999.
    pub nanos: u32,
}

impl Timestamp {
    /// Splits nanoseconds since 1970; beyond the range of `seconds` it saturates.
    pub fn from_nanos(nanos: i128) -> Self {
        let seconds = nanos.div_euclid(NANOS_PER_SECOND).clamp(i64::MIN.into(), i64::MAX.into());
        let rest = nanos.rem_euclid(NANOS_PER_SECOND);
        Self { seconds: i64::try_from(seconds).unwrap_or_default(), nanos: u32::try_from(rest).unwrap_or_default() }
    }

    /// The time as ext4 keeps it: what is beyond its range becomes the end.
    #[must_use]
    pub fn on_disk(self) -> Self {
        let seconds = self.seconds.clamp(FIRST_SECOND, LAST_SECOND);
        let is_end = seconds == FIRST_SECOND || seconds == LAST_SECOND;
        Self { seconds, nanos: if is_end { 0 } else { self.nanos } }
    }

    /// Nanoseconds since 1970.
    pub fn as_nanos(self) -> i128 {
        i128::from(self.seconds) * NANOS_PER_SECOND + i128::from(self.nanos)
    }
}

/// A name and its value.
type Pair = (Vec<u8>, Vec<u8>);

/// Extended attributes, sorted by name. Empty ones cost one word.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Xattrs(Option<Arc<Vec<Pair>>>);

impl Xattrs {
    /// All attributes, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.0.iter().flat_map(|pairs| pairs.iter()).map(|(name, value)| (name.as_slice(), value.as_slice()))
    }

    /// The value of one attribute.
    pub fn get(&self, name: &[u8]) -> Option<&[u8]> {
        let pairs = self.0.as_ref()?;
        pairs.binary_search_by(|(have, _)| have.as_slice().cmp(name)).ok().map(|at| pairs[at].1.as_slice())
    }

    /// Sets one attribute.
    pub fn set(&mut self, name: &[u8], value: &[u8]) {
        let pairs = Arc::make_mut(self.0.get_or_insert_default());
        match pairs.binary_search_by(|(have, _)| have.as_slice().cmp(name)) {
            Ok(at) => pairs[at].1 = value.to_vec(),
            Err(at) => pairs.insert(at, (name.to_vec(), value.to_vec())),
        }
    }

    /// Drops one attribute; says whether it was there.
    pub fn remove(&mut self, name: &[u8]) -> bool {
        let Some(pairs) = &mut self.0 else {
            return false;
        };
        let Ok(at) = pairs.binary_search_by(|(have, _)| have.as_slice().cmp(name)) else {
            return false;
        };
        Arc::make_mut(pairs).remove(at);
        if pairs.is_empty() {
            self.0 = None;
        }
        true
    }

    /// Drops attributes without a value: a PAX record that says nothing takes one away, so that no tar can tell them.
    pub fn drop_empty(&mut self) {
        if self.iter().any(|(_, value)| value.is_empty()) {
            *self = self.iter().filter(|(_, value)| !value.is_empty()).collect();
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }
}

/// Of two attributes with one name the later one counts.
impl<N: Into<Vec<u8>>, V: Into<Vec<u8>>> FromIterator<(N, V)> for Xattrs {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        let mut sorted: Vec<Pair> = pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        // Of one name the last value stays: it is the first one seen from behind.
        sorted.reverse();
        sorted.sort_by(|one, other| one.0.cmp(&other.0));
        sorted.dedup_by(|later, kept| later.0 == kept.0);
        Self((!sorted.is_empty()).then(|| Arc::new(sorted)))
    }
}

/// Mode, owner, modification time and attributes, packed into 32 bytes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Metadata {
    mtime_seconds: i64,
    mtime_nanos: u32,
    /// Permission bits with set-id and sticky, no file type: at most `0o7777`.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Extended attributes.
    pub xattrs: Xattrs,
}

impl Metadata {
    /// Root's, modified at 1970, with this mode.
    pub fn with_mode(mode: u32) -> Self {
        Self { mode: mode & PERMISSIONS, ..Self::default() }
    }

    /// The modification time.
    pub fn mtime(&self) -> Timestamp {
        Timestamp { seconds: self.mtime_seconds, nanos: self.mtime_nanos }
    }

    /// Changes the modification time.
    pub fn set_mtime(&mut self, mtime: Timestamp) {
        (self.mtime_seconds, self.mtime_nanos) = (mtime.seconds, mtime.nanos);
    }
}
