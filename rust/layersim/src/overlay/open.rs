//! Opening a file, with the kernel's errors in the kernel's order (spec/overlay.md sections 5 and 6).

use std::sync::Arc;

use super::attributes::FILE_MAX;
use super::copy_up::Bytes;
use super::create::made;
use super::credentials::{READ, WRITE};
use super::handle::{Access, Handle, Opened, Way};
use super::journey::Ends;
use super::resolve::{Found, Last, Outcome, Seen, Spot, about};
use super::upper::Live;
use super::{Caller, Overlay};
use crate::content::Content;
use crate::error::{Errno, Error, Result};
use crate::tree::{Kind, Leaf, Name};

const ACCESS: i32 = 0o3;
const WRITE_ONLY: i32 = 0o1;
const READ_WRITE: i32 = 0o2;
const CREATE: i32 = 0o100;
const EXCLUSIVE: i32 = 0o200;
const TRUNCATE: i32 = 0o1000;
const APPEND: i32 = 0o2000;
const DIRECTORY: i32 = 0o200_000;
const NO_FOLLOW: i32 = 0o400_000;
const PATH_ONLY: i32 = 0o10_000_000;
const NAMELESS: i32 = 0o20_000_000;
const NO_ACCESS_TIME: i32 = 0o1_000_000;

/// What a file is created with where nobody says: no bit is masked.
const FILE_MODE: u32 = 0o666;

/// The flags of `open(2)` on x86-64.
#[derive(Debug, Clone, Copy)]
struct Flags(i32);

impl Flags {
    fn new(flags: i32) -> Outcome<Self> {
        let flags = if flags & PATH_ONLY == 0 { flags } else { flags & (PATH_ONLY | DIRECTORY | NO_FOLLOW) };
        if flags & (CREATE | DIRECTORY) == CREATE | DIRECTORY {
            return Err(Errno::EINVAL);
        }
        Ok(Self(flags))
    }

    fn has(self, flag: i32) -> bool {
        self.0 & flag != 0
    }

    fn follows(self) -> bool {
        !(self.has(NO_FOLLOW) || self.has(CREATE) && self.has(EXCLUSIVE))
    }

    /// What the mode of the file must grant.
    fn rights(self) -> u32 {
        let way = match self.0 & ACCESS {
            _ if self.has(PATH_ONLY) => return 0,
            0 => READ,
            WRITE_ONLY => WRITE,
            _ => READ | WRITE,
        };
        if self.has(TRUNCATE) { way | WRITE } else { way }
    }

    /// Whether a lower file is copied up: the fourth way to open asks for rights and gives none.
    fn copies(self) -> bool {
        self.way().writes() || self.has(TRUNCATE)
    }

    fn way(self) -> Way {
        match self.0 & ACCESS {
            _ if self.has(PATH_ONLY) => Way::Place,
            0 => Way::Read,
            WRITE_ONLY => Way::Write,
            READ_WRITE => Way::ReadWrite,
            _ => Way::Neither,
        }
    }

    fn access(self) -> Access {
        Access { way: self.way(), appends: self.has(APPEND) }
    }
}

impl Overlay {
    /// Opens a file; `flags` are those of `open(2)` on Linux, `mode` is for a file that is created.
    ///
    /// # Errors
    /// [`crate::Error::System`] as the kernel; `ENXIO` for sockets, pipes and devices, behind which nothing is.
    pub fn open(&mut self, path: &[u8], flags: i32, mode: u32, caller: &Caller) -> Result<Handle> {
        let flags = Flags::new(flags).map_err(|errno| Error::system(errno, path))?;
        about(path, || {
            if flags.has(NAMELESS) {
                return Err(Errno::EOPNOTSUPP);
            }
            if !flags.has(CREATE) {
                let Found { path, seen } = self.find(path, flags.follows(), &caller.credentials)?;
                let seen = self.held(seen);
                return self.opened(path, seen, flags, caller);
            }
            let Spot { parent, pair, last, slash } = self.landing(path, flags.follows(), &caller.credentials)?;
            let Last::Name(_) = last else {
                return Err(flags.if_there());
            };
            if slash {
                return Err(Errno::EISDIR);
            }
            let target = Spot { parent, pair, last, slash }.target().map_err(|_| Errno::EISDIR)??;
            let (granted, left) = (caller.credentials.may_create(target.pair), self.may_reuse(&target, caller));
            let (parent, name, seen) = (target.parent, target.name, self.held(target.seen));
            match seen {
                Held::Absent => {
                    self.check_writable()?;
                    granted?;
                    let file = Live::new(made(mode, caller), Kind::Regular(Content::default()));
                    let id = self.settle(&parent, &name, file, caller)?;
                    self.hold(Opened::Upper(id), flags.access())
                }
                _ if flags.has(EXCLUSIVE) => Err(Errno::EEXIST),
                Held::Dir => Err(Errno::EISDIR),
                seen => left.and_then(|()| self.opened([parent, vec![name]].concat(), seen, flags, caller)),
            }
        })
    }

    /// Writes a whole file, which is created if need be (mode 0666).
    ///
    /// # Errors
    /// [`crate::Error::System`] as the kernel.
    pub fn write_file(&mut self, path: &[u8], bytes: &[u8], caller: &Caller) -> Result<()> {
        let mut handle = self.open(path, WRITE_ONLY | CREATE | TRUNCATE, FILE_MODE, caller)?;
        let written = self.write(&mut handle, bytes, caller);
        self.close(handle);
        written
    }

    /// Writes a whole file of bytes that follow from `seed` alone; none of them is held.
    ///
    /// # Errors
    /// [`crate::Error::System`] as the kernel: `EFBIG` for more than a file holds.
    pub fn write_seeded(&mut self, path: &[u8], seed: u64, len: u64, caller: &Caller) -> Result<()> {
        if len > FILE_MAX {
            return Err(Error::system(Errno::EFBIG, path));
        }
        let handle = self.open(path, WRITE_ONLY | CREATE | TRUNCATE, FILE_MODE, caller)?;
        if let Opened::Upper(id) = handle.opened
            && let Ok(live) = self.upper_mut().live_mut(id)
        {
            live.kind = Kind::Regular(Content::seeded(seed, len));
        }
        self.close(handle);
        Ok(())
    }

    /// Opens what is there.
    fn opened(&mut self, path: Vec<Name>, held: Held, flags: Flags, caller: &Caller) -> Outcome<Handle> {
        let kind = match &held {
            Held::Absent => return Err(Errno::ENOENT),
            Held::Dir if flags.rights() & WRITE != 0 => return Err(Errno::EISDIR),
            Held::Dir => {
                self.may_open(&path, flags.rights(), flags.has(NO_ACCESS_TIME), caller)?;
                let seen = self.seen_at(&path)?;
                let below = if let Seen::Dir(pair) = seen { pair.lower.cloned() } else { None };
                let stat = self.stat_seen(seen)?;
                let lower = self.lower_path(&path);
                return self.hold(Opened::Dir(path, lower, below, stat), flags.access());
            }
            _ if flags.has(DIRECTORY) => return Err(Errno::ENOTDIR),
            Held::Upper(_, kind) => kind,
            Held::Lower(leaf) => &leaf.kind,
        };
        match kind {
            _ if flags.has(PATH_ONLY) => {}
            Kind::Regular(_) if flags.rights() & WRITE != 0 => {
                self.check_writable()?;
                self.may_open(&path, flags.rights(), flags.has(NO_ACCESS_TIME), caller)?;
            }
            Kind::Symlink(_) => return Err(Errno::ELOOP),
            _ => self.may_open(&path, flags.rights(), flags.has(NO_ACCESS_TIME), caller)?,
        }
        if !flags.has(PATH_ONLY) && !matches!(kind, Kind::Regular(_)) {
            return Err(Errno::ENXIO);
        }
        let opened = match held {
            Held::Lower(leaf) if flags.copies() => {
                let bytes = if flags.has(TRUNCATE) { Bytes::Dropped } else { Bytes::Shared };
                Opened::Upper(self.copy_up(&path, &leaf, bytes)?)
            }
            Held::Lower(leaf) => Opened::Lower(self.lower_path(&path), leaf),
            Held::Upper(id, _) => Opened::Upper(id),
            Held::Absent | Held::Dir => return Err(Errno::ENOENT),
        };
        if let Opened::Upper(id) = opened
            && flags.has(TRUNCATE)
        {
            self.cut(id, 0, caller)?;
        }
        self.hold(opened, flags.access())
    }

    /// Keeps the inode for as long as the handle is open.
    fn hold(&mut self, opened: Opened, access: Access) -> Outcome<Handle> {
        match &opened {
            Opened::Upper(id) => self.upper_mut().live_mut(*id)?.open += 1,
            Opened::Lower(path, _) => *self.readers.entry(Arc::clone(path)).or_insert(0) += 1,
            Opened::Dir(..) => {}
        }
        Ok(Handle::new(opened, access, self.epoch))
    }

    /// What is seen, without a borrow of the trees.
    fn held(&self, seen: Seen<'_>) -> Held {
        match seen {
            Seen::Absent => Held::Absent,
            Seen::Dir(_) => Held::Dir,
            Seen::Lower(leaf) => Held::Lower(Leaf::clone(leaf)),
            Seen::Upper(id) => self.live(id).map_or(Held::Absent, |live| Held::Upper(id, live.kind.clone())),
        }
    }
}

/// How a path is taken with these flags; which are none, the call itself says.
pub(super) fn ends(flags: i32) -> Ends {
    match Flags::new(flags) {
        Ok(flags) if flags.has(CREATE) => {
            if flags.follows() {
                Ends::Landing
            } else {
                Ends::Name
            }
        }
        Ok(flags) => Ends::Found(flags.follows()),
        Err(_) => Ends::Found(true),
    }
}

/// What is to be opened.
#[derive(Debug)]
enum Held {
    Absent,
    Dir,
    Upper(super::InodeId, Kind),
    Lower(Leaf),
}

impl Flags {
    /// What stands in the way of creating a name that is `.`, `..` or the root.
    fn if_there(self) -> Errno {
        if self.has(EXCLUSIVE) { Errno::EEXIST } else { Errno::EISDIR }
    }
}
