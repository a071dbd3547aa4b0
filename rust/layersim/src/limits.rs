//! Bounds on hostile input: explicit, adjustable, each with its reason.

/// What an archive may ask for before it is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Members of one archive. A large base system has a few hundred thousand; each costs some 200 bytes of memory.
    pub entries: u64,
    /// Bytes of one file's content, holes included. Larger than any file system that an engine runs on would want.
    pub file_bytes: u64,
    /// Bytes of one PAX header or GNU long name. Go's reader, hence every engine, stops at 1 MiB too.
    pub header_bytes: u64,
    /// Components of one path. The kernel takes 4,095 bytes, hence at most 2,047 nested directories.
    pub depth: u64,
    /// Pieces of one sparse file. Each piece costs 32 bytes of memory.
    pub sparse_pieces: u64,
    /// Bytes that the compressed layers of one archive may inflate to, together; they are held in memory.
    pub inflated_bytes: u64,
    /// Inflated bytes per compressed byte, beyond the first 256 MiB. Gzip itself cannot exceed 1,032.
    pub inflation_ratio: u64,
}

/// Bytes that are allowed whatever the ratio.
const FREE_BYTES: u64 = 256 << 20;

impl Limits {
    /// How many bytes so many stored bytes may become in memory.
    pub fn inflated(&self, stored: u64) -> u64 {
        FREE_BYTES.max(self.inflation_ratio.saturating_mul(stored)).min(self.inflated_bytes)
    }
}

impl Limits {
    /// No bound but what the input's own length sets: for what was let in before and is known by its digest.
    pub fn none() -> Self {
        Self {
            entries: u64::MAX,
            file_bytes: i64::MAX.cast_unsigned(),
            header_bytes: u64::MAX,
            depth: u64::MAX,
            sparse_pieces: u64::MAX,
            inflated_bytes: u64::MAX,
            inflation_ratio: u64::MAX,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            entries: 4_000_000,
            file_bytes: 1 << 44,
            header_bytes: 1 << 20,
            depth: 2_047,
            sparse_pieces: 1 << 20,
            inflated_bytes: 16 << 30,
            inflation_ratio: 1_100,
        }
    }
}
