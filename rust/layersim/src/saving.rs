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
    Ok(written)
}

/// A file in the making, removed unless it has been renamed.
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
