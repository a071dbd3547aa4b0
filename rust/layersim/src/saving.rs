//! Writing a file of the host so that it is the old one or the new one, whenever the process is killed.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

const BUFFER: usize = 1 << 20;

/// Lets `write` fill a new file beside `target`, and puts it in its place when all of it is on the disk.
///
/// # Errors
/// [`Error::Io`] naming the file; what `write` says. In both cases the target is as it was.
pub fn save<T>(target: &Path, write: impl FnOnce(&mut dyn Write) -> Result<T>) -> Result<T> {
    let refused = |source| Error::io(format!("cannot write {}", target.display()), source);
    let (beside, file) = Beside::new(target)?.map_err(refused)?;
    let mut writer = BufWriter::with_capacity(BUFFER, file);
    let written = write(&mut writer)?;
    let file = writer.into_inner().map_err(|error| refused(error.into_error()))?;
    file.sync_all().map_err(refused)?;
    fs::rename(&beside.path, target).map_err(refused)?;
    // The new name is an entry of the directory, which has a life of its own on the disk.
    let parent = target.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Who may write into a directory need not be allowed to read it; then it is written when the system likes.
    if let Ok(directory) = File::open(parent) {
        directory.sync_all().map_err(refused)?;
    }
    Ok(written)
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
        let (beside, file) = Beside::new(&target)?.map_err(refused)?;
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
        for (beside, target) in &self.files {
            fs::rename(&beside.path, target).map_err(refused)?;
        }
        folder.sync_all().map_err(refused)?;
        Ok(self.written)
    }
}

/// A file in the making, removed unless it has been renamed.
#[derive(Debug)]
struct Beside {
    path: PathBuf,
}

impl Beside {
    /// A new file under a name that nothing has: not another thread's file, nor a link that somebody put there.
    fn new(target: &Path) -> Result<io::Result<(Self, File)>> {
        let Some(name) = target.file_name() else {
            return Err(Error::input(format!("{} names no file", target.display())));
        };
        for number in 0_u64.. {
            let mut hidden = std::ffi::OsString::from(".");
            hidden.push(name);
            hidden.push(format!(".{}-{number}.part", std::process::id()));
            let path = target.with_file_name(hidden);
            match File::create_new(&path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                made => return Ok(made.map(|file| (Self { path }, file))),
            }
        }
        Ok(Err(io::ErrorKind::AlreadyExists.into()))
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        // After the rename there is nothing left to remove, and before it there is nobody to tell.
        let _gone = fs::remove_file(&self.path);
    }
}
