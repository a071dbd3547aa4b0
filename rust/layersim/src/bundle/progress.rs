//! How far a long save is: told in bytes of layers, only ever more, and able to stop the work.

use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

use crate::error::{Error, Result};

/// Bytes between two tellings.
const STEP: u64 = 16 << 20;

/// Who hears the bytes done and the bytes in all.
pub struct Progress<'p> {
    total: u64,
    done: Mutex<u64>,
    tell: &'p (dyn Fn(u64, u64) -> Result<()> + Sync),
}

impl std::fmt::Debug for Progress<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Progress").field("total", &self.total).finish_non_exhaustive()
    }
}

impl<'p> Progress<'p> {
    /// Starts at nothing of `total`.
    pub fn new(total: u64, tell: &'p (dyn Fn(u64, u64) -> Result<()> + Sync)) -> Self {
        Self { total, done: Mutex::new(0), tell }
    }

    /// Counts the bytes that `write` writes.
    ///
    /// # Errors
    /// What `write` or the listener says.
    pub fn through(&self, target: &mut dyn Write, write: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<()> {
        let mut counting = Counting { target, progress: self, untold: 0, stopped: None };
        let written = write(&mut counting);
        let rest = counting.untold;
        counting.stopped.map_or(Ok(()), Err)?;
        written?;
        self.add(rest)
    }

    fn add(&self, bytes: u64) -> Result<()> {
        if bytes == 0 {
            return Ok(());
        }
        // Held while it is told, so that what is told only grows.
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        *done += bytes;
        (self.tell)(*done, self.total)
    }
}

struct Counting<'w, 'p> {
    target: &'w mut dyn Write,
    progress: &'w Progress<'p>,
    untold: u64,
    stopped: Option<Error>,
}

impl Write for Counting<'_, '_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // A whole layer may come in one piece.
        let part = &bytes[..bytes.len().min(usize::try_from(STEP).unwrap_or(usize::MAX))];
        let written = self.target.write(part)?;
        self.untold += written as u64;
        if self.untold >= STEP {
            let told = self.progress.add(std::mem::take(&mut self.untold));
            if let Err(error) = told {
                self.stopped = Some(error);
                return Err(io::Error::other("stopped by its listener"));
            }
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.target.flush()
    }
}
