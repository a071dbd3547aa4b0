//! Whose headers a writer writes.

use crate::error::{Error, Result};

/// How headers are spelled (spec/layers.md section 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Dialect {
    /// Nothing in which two equal trees could differ: permission bits, no names, whole seconds.
    #[default]
    Canonical,
    /// As dockerd 20.10: the mode field has the file type bits, and root has a name.
    Docker20,
    /// As dockerd 29: permission bits, no names.
    Docker29,
    /// As containerd's differ since 2.0: the same, and marks say nothing of themselves.
    Containerd,
}

impl Dialect {
    /// The dialect of that name.
    ///
    /// # Errors
    /// [`Error::Input`] for another name.
    pub fn named(name: &str) -> Result<Self> {
        match name {
            "canonical" => Ok(Self::Canonical),
            "docker20" => Ok(Self::Docker20),
            "docker29" => Ok(Self::Docker29),
            "containerd" => Ok(Self::Containerd),
            _ => {
                Err(Error::input(format!("expected 'canonical', 'containerd', 'docker20' or 'docker29', got {name:?}")))
            }
        }
    }
}
