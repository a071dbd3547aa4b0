//! The rule that no path may be twice in an archive (spec/layers.md section 3), at the price of a set only where it is needed.
//!
//! Two members of one path always meet in the tree. So the names are collected only when some entry meets another, and then
//! they decide: an alias such as `/a` beside `a` replaces, the same name again is refused.

use std::collections::HashSet;

use crate::archive::Reader;
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::path;

/// The names of the members so far, once they are wanted.
#[derive(Debug, Default)]
pub struct Names(Option<HashSet<Vec<u8>>>);

impl Names {
    /// Takes the name of the member at `offset` of `bytes`; `met` says that it met an entry.
    ///
    /// # Errors
    /// [`Error::Archive`] when a member before had the same name.
    pub fn take(&mut self, bytes: &[u8], limits: &Limits, offset: u64, name: &[u8], met: bool) -> Result<()> {
        if self.0.is_none() && met {
            self.0 = Some(names_before(bytes, limits, offset)?);
        }
        let Some(names) = &mut self.0 else {
            return Ok(());
        };
        if names.insert(path::clean(name)) {
            return Ok(());
        }
        let cause = format!("duplicates of file paths not supported: {} is there twice", path::shown(name));
        Err(Error::archive(offset, cause))
    }
}

fn names_before(bytes: &[u8], limits: &Limits, offset: u64) -> Result<HashSet<Vec<u8>>> {
    let mut reader = Reader::new(bytes, limits);
    let mut names = HashSet::new();
    while let Some(member) = reader.next_member()? {
        if member.offset >= offset {
            break;
        }
        names.insert(path::clean(&member.path));
    }
    Ok(names)
}
