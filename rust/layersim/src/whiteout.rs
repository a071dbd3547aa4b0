//! How a layer's tar spells deletion: the only place that knows the prefix.
//!
//! The rules are those of overlay2's whiteout converter (spec/layers.md section 6): the prefix is cut off once, whatever follows,
//! so that an aufs name like the prefix twice hides a name that nobody has.

const PREFIX: &[u8] = b".wh.";
const OPAQUE: &[u8] = b".wh..wh..opq";

/// What the last component of a member's name means in a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning<'a> {
    /// An entry of this name.
    Entry(&'a [u8]),
    /// The name is hidden in the layers below.
    Hides(&'a [u8]),
    /// The whole directory that holds the member hides what is below.
    Opaque,
    /// The prefix without a name: engines refuse it.
    Nameless,
}

/// Reads a member's last component.
pub fn meaning(base: &[u8]) -> Meaning<'_> {
    if base == OPAQUE {
        return Meaning::Opaque;
    }
    match base.strip_prefix(PREFIX) {
        None => Meaning::Entry(base),
        Some(b"" | b"." | b"..") => Meaning::Nameless,
        Some(name) => Meaning::Hides(name),
    }
}

/// The member name that hides `name`.
pub fn hiding(name: &[u8]) -> Vec<u8> {
    [PREFIX, name].concat()
}

/// The member name that makes its directory opaque.
pub fn opaque() -> &'static [u8] {
    OPAQUE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_has_one_meaning() {
        let table: [(&[u8], Meaning<'_>); 8] = [
            (b"x", Meaning::Entry(b"x")),
            (b".wh", Meaning::Entry(b".wh")),
            (b".wh.x", Meaning::Hides(b"x")),
            (b".wh..wh..opq", Meaning::Opaque),
            (b".wh..wh.aufs", Meaning::Hides(b".wh.aufs")),
            (b".wh.", Meaning::Nameless),
            (b".wh..", Meaning::Nameless),
            (b".wh...", Meaning::Nameless),
        ];
        for (base, expected) in table {
            assert_eq!(meaning(base), expected);
        }
        assert_eq!(meaning(&hiding(b"zfile")), Meaning::Hides(b"zfile"));
        assert_eq!(meaning(opaque()), Meaning::Opaque);
    }
}
