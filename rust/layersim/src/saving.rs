//! Writing a file or a directory of the host so that it is the old one or the new one, whenever the process is killed.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FlockOperation, Mode, OFlags, RenameFlags};

use crate::error::{Error, Result};

const BUFFER: usize = 1 << 20;

/// Lets `write` fill a new file, and puts it in the place of `target` when all of it is on the disk.
///
/// Until then the file has no name where the file system can do that, so that a killed process leaves nothing behind;
/// where it cannot, and for the moment before the new file takes the place, what stays is removed by the next save. A link is followed; a device, a pipe or a socket takes the bytes as they come, since nothing can take its place.
///
/// # Errors
/// [`Error::Io`] naming the file; what `write` says. In both cases a target that is a file is as it was.
pub fn save<T>(target: &Path, write: impl FnOnce(&mut dyn Write) -> Result<T>) -> Result<T> {
    let refused = |source| Error::io(format!("cannot write {}", target.display()), source);
    name_of(target)?;
    let found = fs::metadata(target).ok();
    if found.as_ref().is_some_and(|found| !found.is_file()) {
        let mut writer = BufWriter::new(File::options().write(true).open(target).map_err(refused)?);
        let written = write(&mut writer)?;
        writer.flush().map_err(refused)?;
        return Ok(written);
    }
    let target = &fs::canonicalize(target).unwrap_or_else(|_| target.to_path_buf());
    let name = name_of(target)?;
    remove_abandoned(target, name);
    let (beside, file) = match nameless(parent_of(target)) {
        Ok(file) => (None, file),
        Err(_) => Beside::file(target, name).map(|(beside, file)| (Some(beside), file)).map_err(refused)?,
    };
    let mut writer = BufWriter::with_capacity(BUFFER, file);
    let written = write(&mut writer)?;
    let file = writer.into_inner().map_err(|error| refused(error.into_error()))?;
    if let Some(found) = found {
        file.set_permissions(found.permissions()).map_err(refused)?;
    }
    file.sync_all().map_err(refused)?;
    let beside = beside.map_or_else(|| Beside::link(&file, target, name), Ok).map_err(refused)?;
    beside.settle(target).map_err(refused)?;
    sync(parent_of(target)).map_err(refused)?;
    Ok(written)
}

/// Lets `write` fill a new directory, and puts it in the place of `target`, whose files go with the old one.
///
/// What killed processes have left of earlier ones is removed.
///
/// # Errors
/// [`Error::Io`] naming the directory; what `write` says. In both cases the target is as it was.
pub fn save_directory<T>(target: &Path, write: impl FnOnce(&Path) -> Result<T>) -> Result<T> {
    let refused = |source| Error::io(format!("cannot write {}", target.display()), source);
    let name = name_of(target)?;
    remove_abandoned(target, name);
    let (beside, _lock) = Beside::directory(target, name).map_err(refused)?;
    let written = write(&beside.path)?;
    // The old one gets the other name, and goes with it.
    match rustix::fs::renameat_with(CWD, &beside.path, CWD, target, RenameFlags::EXCHANGE) {
        Err(rustix::io::Errno::NOENT) => beside.settle(target).map_err(refused)?,
        exchanged => exchanged.map_err(|errno| refused(errno.into()))?,
    }
    sync(parent_of(target)).map_err(refused)?;
    Ok(written)
}

/// A new file in `folder` without a name: it is gone when nobody has it open or mapped any more.
fn nameless(folder: &Path) -> io::Result<File> {
    let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
    Ok(File::from(rustix::fs::open(folder, flags, Mode::from_raw_mode(0o666))?))
}

/// A new file for bytes that wait in `folder`; it has no name, or loses it at once.
///
/// # Errors
/// The system refuses it.
pub fn scratch(folder: &Path) -> io::Result<File> {
    nameless(folder).or_else(|_| {
        let name = OsStr::new("layersim");
        Beside::new(&folder.join(name), name, |path| File::options().read(true).write(true).create_new(true).open(path))
            .map(|(_gone, file)| file)
    })
}

/// From this many files on the whole file system is asked to write at once: one by one takes a turn of the disk each.
const MANY: usize = 64;

/// Files of one folder that are there, all of them, once all their bytes are on the disk.
#[derive(Debug)]
pub struct Batch<'f> {
    folder: &'f Path,
    files: Vec<(Beside, PathBuf)>,
    written: u64,
}

impl<'f> Batch<'f> {
    /// Nothing yet.
    pub fn new(folder: &'f Path) -> Self {
        Self { folder, files: Vec::new(), written: 0 }
    }

    /// Lets `write` fill the file that will have this name.
    ///
    /// # Errors
    /// As [`save`]; nothing has its name then.
    pub fn add(&mut self, name: &str, write: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<()> {
        let target = self.folder.join(name);
        let refused = |source| Error::io(format!("cannot write {}", target.display()), source);
        let (beside, file) = Beside::file(&target, OsStr::new(name)).map_err(refused)?;
        let mut writer = BufWriter::with_capacity(BUFFER, file);
        write(&mut writer)?;
        let file = writer.into_inner().map_err(|error| refused(error.into_error()))?;
        self.written += file.metadata().map_err(refused)?.len();
        self.files.push((beside, target));
        Ok(())
    }

    /// Gives all files their names; returns how many bytes they have.
    ///
    /// # Errors
    /// [`Error::Io`] naming the folder.
    pub fn finish(self) -> Result<u64> {
        let refused = |source| Error::io(format!("cannot write into {}", self.folder.display()), source);
        let folder = File::open(self.folder).map_err(refused)?;
        if self.files.len() < MANY {
            let sync = |(beside, _): &(Beside, PathBuf)| File::open(&beside.path)?.sync_all();
            self.files.iter().try_for_each(sync).map_err(refused)?;
        } else {
            rustix::fs::syncfs(&folder).map_err(|errno| refused(errno.into()))?;
        }
        for (beside, target) in self.files {
            beside.settle(&target).map_err(refused)?;
        }
        folder.sync_all().map_err(refused)?;
        Ok(self.written)
    }
}

/// Something in the making under a name of its own, removed unless it has been renamed.
#[derive(Debug)]
struct Beside {
    path: PathBuf,
    is_settled: bool,
}

impl Beside {
    /// A file, locked for as long as the handle is there.
    fn file(target: &Path, name: &OsStr) -> io::Result<(Self, File)> {
        loop {
            let (beside, file) = Self::new(target, name, |path| File::create_new(path))?;
            // Before it was locked, it looked abandoned to another process.
            if lock(&file).is_ok() && file.metadata()?.nlink() > 0 {
                return Ok((beside, file));
            }
        }
    }

    /// Gives it the name that it is for; what has the old one from now on is somebody else's.
    fn settle(mut self, target: &Path) -> io::Result<()> {
        fs::rename(&self.path, target)?;
        self.is_settled = true;
        Ok(())
    }

    /// A name for a file that has none; it is locked too.
    fn link(file: &File, target: &Path, name: &OsStr) -> io::Result<Self> {
        lock(file)?;
        let nameless = format!("/proc/self/fd/{}", file.as_raw_fd());
        let link = |path: &Path| rustix::fs::linkat(CWD, &nameless, CWD, path, AtFlags::SYMLINK_FOLLOW);
        Ok(Self::new(target, name, |path| Ok(link(path)?))?.0)
    }

    /// A directory, locked for as long as it is made.
    fn directory(target: &Path, name: &OsStr) -> io::Result<(Self, File)> {
        let (beside, ()) = Self::new(target, name, |path| fs::create_dir(path))?;
        let handle = File::open(&beside.path)?;
        lock(&handle)?;
        Ok((beside, handle))
    }

    /// Makes something under a name that nothing has: not another thread's file, nor a link that somebody put there.
    fn new<T>(target: &Path, name: &OsStr, make: impl Fn(&Path) -> io::Result<T>) -> io::Result<(Self, T)> {
        for number in 0_u64.. {
            let mut hidden = prefix(name);
            hidden.push(format!("{}-{number}.part", std::process::id()));
            let path = target.with_file_name(hidden);
            match make(&path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                outcome => return outcome.map(|made| (Self { path, is_settled: false }, made)),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        if self.is_settled {
            return;
        }
        // Of what cannot be removed there is nobody to tell.
        let _gone = if self.path.is_dir() { fs::remove_dir_all(&self.path) } else { fs::remove_file(&self.path) };
    }
}

fn prefix(name: &OsStr) -> OsString {
    let mut hidden = OsString::from(".");
    hidden.push(name);
    hidden.push(".");
    hidden
}

fn lock(handle: &File) -> io::Result<()> {
    Ok(rustix::fs::flock(handle, FlockOperation::NonBlockingLockExclusive)?)
}

/// Removes what is named like a file or a directory in the making of `target`, and that nobody holds locked.
///
/// What cannot be listed, opened or removed stays: it is in nobody's way.
fn remove_abandoned(target: &Path, name: &OsStr) {
    let prefix = prefix(name);
    let listed = fs::read_dir(parent_of(target)).into_iter().flatten().flatten();
    for entry in
        listed.filter(|entry| is_in_the_making(entry.file_name().as_encoded_bytes(), prefix.as_encoded_bytes()))
    {
        if let Ok(kind) = entry.file_type()
            && (kind.is_dir() || kind.is_file())
            && let Ok(handle) = File::open(entry.path())
            && lock(&handle).is_ok()
        {
            let _gone = if kind.is_dir() { fs::remove_dir_all(entry.path()) } else { fs::remove_file(entry.path()) };
        }
    }
}

/// Whether a name is one of those that [`Beside::new`] gives.
fn is_in_the_making(name: &[u8], prefix: &[u8]) -> bool {
    let numbers = name.strip_prefix(prefix).and_then(|rest| rest.strip_suffix(b".part"));
    let mut parts = numbers.into_iter().flat_map(|numbers| numbers.split(|&byte| byte == b'-'));
    let mut is_number = || parts.next().is_some_and(|part| !part.is_empty() && part.iter().all(u8::is_ascii_digit));
    is_number() && is_number() && parts.next().is_none()
}

fn name_of(target: &Path) -> Result<&OsStr> {
    target.file_name().ok_or_else(|| Error::input(format!("{} names no file", target.display())))
}

fn parent_of(target: &Path) -> &Path {
    target.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
