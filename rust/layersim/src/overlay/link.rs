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
            let is_dir = matches!(self.find(source, follow)?.seen, Seen::Dir(_));
            check_len(path)?;
            let Target { parent, name, .. } = self.vacancy(path, false)?;
            if is_dir {
                return Err(Errno::EPERM);
            }
            let Raised::Leaf(id) = self.raise(source, follow)? else {
                return Err(Errno::EPERM);
            };
            self.site(&parent)?.put(&name, Node::leaf(id), caller.now);
            self.upper_mut().live_mut(id)?.links += 1;
            self.receive(&parent, id)
        })
        .map_err(|error| error.of_both(source, path))
    }
}
