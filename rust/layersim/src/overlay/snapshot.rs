//! Going back to an earlier state, all at once.

use std::sync::Arc;

use super::handle::Handle;
use super::resolve::Outcome;
use super::upper::{Readers, Upper};
use super::{Options, Overlay};
use crate::error::Errno;
use crate::stack::Stack;

/// What was written to an overlay up to one moment.
#[derive(Debug, Clone)]
pub struct Snapshot {
    lower: Arc<Stack>,
    upper: Option<Arc<Upper>>,
    options: Options,
}

impl Overlay {
    /// Keeps the state as it is now; nothing is copied.
    pub fn snapshot(&self) -> Snapshot {
        let (lower, upper) = (Arc::clone(&self.lower), self.upper.clone());
        Snapshot { lower, upper, options: self.options }
    }

    /// Goes back to a state. Files that are open now are stale from here on: whatever is asked of them is `ESTALE`.
    ///
    /// Returns whether it could: a state is one of certain layers, mounted in one way.
    pub fn roll_back(&mut self, snapshot: &Snapshot) -> bool {
        if !Arc::ptr_eq(&self.lower, &snapshot.lower) || self.options != snapshot.options {
            return false;
        }
        self.upper.clone_from(&snapshot.upper);
        if let Some(upper) = &mut self.upper {
            Arc::make_mut(upper).close_all();
        }
        self.readers = Readers::new();
        self.epoch += 1;
        true
    }

    /// Refuses a handle that was opened before the overlay went back to an earlier state.
    pub(super) fn admit(&self, handle: &Handle) -> Outcome<()> {
        if handle.epoch == self.epoch { Ok(()) } else { Err(Errno::ESTALE) }
    }
}
