//! Hard links: real in the union, because the source is copied up first (spec/overlay.md section 2).

use super::copy_up::Raised;
use super::resolve::{Seen, Target, about, check_len};
use super::{Caller, Overlay};
use crate::error::{Errno, Result};
use crate::tree::Node;

impl Overlay {
    /// Gives `source` one more name.
    ///
    /// # Errors
    /// [`crate::Error::System`] as the kernel, about both.
    pub fn link(&mut self, source: &[u8], path: &[u8], follow: bool, caller: &Caller) -> Result<()> {
        crate::path::check_text(path)?;
        about(source, || {
            let seen = self.find(source, follow, &caller.credentials)?.seen;
            check_len(path)?;
            let Target { parent, name, pair, .. } = self.vacancy(path, false, &caller.credentials)?;
            self.may_link(seen, &caller.credentials)?;
            caller.credentials.may_create(pair)?;
            if matches!(seen, Seen::Dir(_)) {
                return Err(Errno::EPERM);
            }
            let Raised::Leaf(id) = self.raise(source, follow, &caller.credentials)? else {
                return Err(Errno::EPERM);
            };
            self.site(&parent)?.put(&name, Node::leaf(id), caller.now);
            self.upper_mut().live_mut(id)?.links += 1;
            self.receive(&parent, id)
        })
        .map_err(|error| error.of_both(source, path))
    }
}
