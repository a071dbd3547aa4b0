//! Writing a file of the host so that it is the old one or the new one, whenever the process is killed.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

const BUFFER: usize = 1 << 20;

/// Lets `write` fill a new file beside `target`, and puts it in its place when all of it is on the disk.
///
/// # Errors
/// [`Error::Io`] naming the file; what `write` says. In both cases the target is as it was.
pub fn save<T>(target: &Path, write: impl FnOnce(&mut dyn Write) -> Result<T>) -> Result<T> {
    let beside = Beside::new(target)?;
    let refused = |source| Error::io(format!("cannot write {}", target.display()), source);
    let file = File::create(&beside.path).map_err(refused)?;
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
    fn new(target: &Path) -> Result<Self> {
        let Some(name) = target.file_name() else {
            return Err(Error::input(format!("{} names no file", target.display())));
        };
        let mut hidden = std::ffi::OsString::from(".");
        hidden.push(name);
        hidden.push(format!(".{}.part", std::process::id()));
        Ok(Self { path: target.with_file_name(hidden) })
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        // After the rename there is nothing left to remove, and before it there is nobody to tell.
        let _gone = fs::remove_file(&self.path);
    }
}
