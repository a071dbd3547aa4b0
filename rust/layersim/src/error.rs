//! Every way in which the core can fail, one cause a variant.

use std::io;
use std::path::PathBuf;

use crate::digest::Digest;
use crate::path::shown;

/// The result of everything that can fail in this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// A cause with its context; the text says what was expected and what came.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A text is no digest.
    #[error("expected 'sha256:' and 64 lower-case hex digits, got {text:?}")]
    DigestFormat {
        /// The text as it came.
        text: String,
    },
    /// Bytes do not have the digest that was promised.
    #[error("{what}: expected {expected}, got {actual}")]
    DigestMismatch {
        /// Which bytes: a layer, a blob, with its name.
        what: String,
        /// The promise.
        expected: Digest,
        /// The truth.
        actual: Digest,
    },
    /// An archive is malformed, or holds what no engine accepts.
    #[error("{cause} (at byte {offset} of the archive)")]
    Archive {
        /// What was expected and what came, with the member's name where it is known.
        cause: String,
        /// Where in the uncompressed archive the header of the member starts.
        offset: u64,
    },
    /// An archive asks for more than [`crate::Limits`] allow.
    #[error("{what} over the limit of {limit} (at byte {offset} of the archive)")]
    Limit {
        /// The quantity that is too large, with its value where it is known.
        what: String,
        /// The bound.
        limit: u64,
        /// Where in the uncompressed archive the header of the member starts.
        offset: u64,
    },
    /// A compressed stream is broken.
    #[error("broken {format} stream: {cause}")]
    Compression {
        /// The format that the magic bytes promised.
        format: &'static str,
        /// What the decoder says.
        cause: String,
    },
    /// A path cannot name anything.
    #[error("{} is no path: {cause}", shown(.path))]
    InvalidPath {
        /// The path as it came.
        path: Vec<u8>,
        /// What is wrong with it.
        cause: &'static str,
    },
    /// A file operation fails as the kernel's would.
    #[error("{}: {}", .errno.name(), .paths.iter().map(|path| shown(path)).collect::<Vec<_>>().join(" -> "))]
    System {
        /// The kernel's number.
        errno: Errno,
        /// The paths that were asked for, as they came: none for an open file, two for a rename or a link.
        paths: Vec<Vec<u8>>,
    },
    /// The operating system refused a real file.
    #[error("{context}: {source}")]
    Io {
        /// What was being done, with the file's name.
        context: String,
        /// The refusal.
        source: io::Error,
    },
    /// A layer known by digest and size alone was asked for more.
    #[error("layer {diff_id} is known by digest and size alone: it has no {wanted}")]
    ContentMissing {
        /// The layer.
        diff_id: String,
        /// What was asked for.
        wanted: &'static str,
    },
    /// A blob that was promised is not there any more.
    #[error("{digest}: its blob is missing: no file {}", .path.display())]
    BlobMissing {
        /// The blob.
        digest: Digest,
        /// Where it was.
        path: PathBuf,
    },
    /// Something is wrong with one member of an archive.
    #[error("{name}: {source}")]
    Member {
        /// The member.
        name: String,
        /// What is wrong.
        source: Box<Error>,
    },
    /// Arguments do not fit together.
    #[error("{cause}")]
    Input {
        /// What was expected and what came.
        cause: String,
    },
    /// A chain has more layers than a tree can attribute.
    #[error("a chain of {depth} layers is deeper than {limit}")]
    ChainTooDeep {
        /// The length that was asked for.
        depth: usize,
        /// The longest chain.
        limit: usize,
    },
}

impl Error {
    /// An [`Error::Archive`] at `offset`.
    pub fn archive(offset: u64, cause: impl Into<String>) -> Self {
        Self::Archive { cause: cause.into(), offset }
    }

    /// The same error, of the member `name`.
    #[must_use]
    pub fn of_member(self, name: &[u8]) -> Self {
        Self::Member { name: shown(name), source: Box::new(self) }
    }

    /// An [`Error::Input`].
    pub fn input(cause: impl Into<String>) -> Self {
        Self::Input { cause: cause.into() }
    }

    /// An [`Error::System`] about `path`.
    pub fn system(errno: Errno, path: &[u8]) -> Self {
        Self::System { errno, paths: vec![path.to_vec()] }
    }

    /// An [`Error::System`] of an open file, which has no path.
    pub fn of_file(errno: Errno) -> Self {
        Self::System { errno, paths: Vec::new() }
    }

    /// The same error, about another path, if it is about one.
    #[must_use]
    pub fn of_path(self, path: &[u8]) -> Self {
        match self {
            Self::System { errno, paths } if paths.len() == 1 => Self::system(errno, path),
            other => other,
        }
    }

    /// The same error, about two paths.
    #[must_use]
    pub fn of_both(self, from: &[u8], to: &[u8]) -> Self {
        match self {
            Self::System { errno, .. } => Self::System { errno, paths: vec![from.to_vec(), to.to_vec()] },
            other => other,
        }
    }

    /// An [`Error::Io`] that says what was being done.
    pub fn io(context: impl Into<String>, source: io::Error) -> Self {
        Self::Io { context: context.into(), source }
    }
}

/// The kernel's error numbers that file operations of this crate answer with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "errno(3) defines these names")]
#[repr(i32)]
pub enum Errno {
    EPERM = 1,
    ENOENT = 2,
    ENXIO = 6,
    E2BIG = 7,
    EBADF = 9,
    ENOMEM = 12,
    EACCES = 13,
    EBUSY = 16,
    EEXIST = 17,
    EXDEV = 18,
    ENOTDIR = 20,
    EISDIR = 21,
    EINVAL = 22,
    EFBIG = 27,
    EROFS = 30,
    ERANGE = 34,
    ENAMETOOLONG = 36,
    ENOTEMPTY = 39,
    ELOOP = 40,
    ENODATA = 61,
    EOPNOTSUPP = 95,
    ESTALE = 116,
}

impl Errno {
    /// The number.
    pub fn code(self) -> i32 {
        self as i32
    }

    /// The name, as errno(3) spells it.
    pub fn name(self) -> String {
        format!("{self:?}")
    }

    /// What `strerror(3)` says.
    pub fn text(self) -> &'static str {
        match self {
            Self::EPERM => "Operation not permitted",
            Self::ENOENT => "No such file or directory",
            Self::ENXIO => "No such device or address",
            Self::E2BIG => "Argument list too long",
            Self::EBADF => "Bad file descriptor",
            Self::ENOMEM => "Cannot allocate memory",
            Self::EACCES => "Permission denied",
            Self::EBUSY => "Device or resource busy",
            Self::EEXIST => "File exists",
            Self::EXDEV => "Invalid cross-device link",
            Self::ENOTDIR => "Not a directory",
            Self::EISDIR => "Is a directory",
            Self::EINVAL => "Invalid argument",
            Self::EFBIG => "File too large",
            Self::EROFS => "Read-only file system",
            Self::ERANGE => "Numerical result out of range",
            Self::ENAMETOOLONG => "File name too long",
            Self::ENOTEMPTY => "Directory not empty",
            Self::ELOOP => "Too many levels of symbolic links",
            Self::ENODATA => "No data available",
            Self::EOPNOTSUPP => "Operation not supported",
            Self::ESTALE => "Stale file handle",
        }
    }
}
