//! Whose headers a writer writes.

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
}
