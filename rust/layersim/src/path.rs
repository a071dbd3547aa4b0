//! Paths are bytes, separated by `/`, relative to the root of a tree.

use crate::error::{Errno, Error, Result};

/// The longest component, in bytes (`NAME_MAX`).
pub const NAME_MAX: usize = 255;
/// Paths of this many bytes and more are refused (`PATH_MAX` counts the closing NUL).
pub const PATH_MAX: usize = 4096;
/// Directories that one path can name: no call reaches deeper ones.
pub const DEPTH_MAX: usize = PATH_MAX / 2;
/// Symbolic links that one path may lead through; one more is `ELOOP` (spec/overlay.md section 6).
pub const LINKS_MAX: usize = 40;

/// The components that name something: empty ones and `.` are left out, `..` is kept.
pub fn components(path: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> + Clone {
    path.split(|byte| *byte == b'/').filter(|part| !part.is_empty() && *part != b".")
}

/// The components after `..` has been taken literally and stopped at the root.
pub fn clamped(path: &[u8]) -> Vec<&[u8]> {
    let mut kept = Vec::new();
    for part in components(path) {
        if part == b".." {
            kept.pop();
        } else {
            kept.push(part);
        }
    }
    kept
}

/// The path from the root, its components as [`clamped`] has them.
pub fn normalized(path: &[u8]) -> Vec<u8> {
    [b"/", clamped(path).join(&b'/').as_slice()].concat()
}

/// What is left of a normalized path below a normalized directory, which is `/` itself.
pub fn below<'p>(directory: &[u8], path: &'p [u8]) -> Option<&'p [u8]> {
    match path.strip_prefix(directory)? {
        b"" => Some(b"/"),
        rest => rest.starts_with(b"/").then_some(rest),
    }
}

/// The path as Go's `path.Clean` writes it: what decides whether two names of one archive are the same.
pub fn clean(path: &[u8]) -> Vec<u8> {
    let is_rooted = path.first() == Some(&b'/');
    let mut kept: Vec<&[u8]> = Vec::new();
    for part in components(path) {
        match (part, kept.last()) {
            (b"..", Some(&last)) if last != b".." => {
                kept.pop();
            }
            (b"..", _) if is_rooted => {}
            _ => kept.push(part),
        }
    }
    let joined = kept.join(&b'/');
    match (is_rooted, joined.is_empty()) {
        (true, _) => [b"/", joined.as_slice()].concat(),
        (false, true) => b".".to_vec(),
        (false, false) => joined,
    }
}

/// Refuses what no system call would take as a text: it ends at the first NUL byte.
///
/// # Errors
/// [`Error::InvalidPath`].
pub fn check_text(text: &[u8]) -> Result<()> {
    if text.contains(&0) {
        return Err(Error::InvalidPath { path: text.to_vec(), cause: "it holds a NUL byte" });
    }
    Ok(())
}

/// Refuses a path that no system call would take.
///
/// # Errors
/// `ENAMETOOLONG` from [`PATH_MAX`] bytes on (spec/overlay.md section 6), [`Error::InvalidPath`] for a NUL byte.
pub fn check(path: &[u8]) -> Result<()> {
    check_text(path)?;
    if path.len() >= PATH_MAX {
        return Err(Error::system(Errno::ENAMETOOLONG, path));
    }
    Ok(())
}

/// `parent` and `name` with one slash between; the root's own path is empty.
pub fn join(parent: &[u8], name: &[u8]) -> Vec<u8> {
    if parent.is_empty() || parent.ends_with(b"/") {
        return [parent, name].concat();
    }
    [parent, b"/", name].concat()
}

/// The path in quotes for a message, bytes that are no UTF-8 escaped.
pub fn shown(path: &[u8]) -> String {
    let text: String = path.utf8_chunks().fold(String::new(), |mut text, chunk| {
        text.extend(chunk.valid().chars().flat_map(char::escape_debug));
        text.extend(chunk.invalid().iter().map(|byte| format!("\\x{byte:02x}")));
        text
    });
    format!("'{text}'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clean_is_what_go_calls_clean() {
        let table: [(&[u8], &[u8]); 9] = [
            (b"./a", b"a"),
            (b"a//b", b"a/b"),
            (b"/d/a", b"/d/a"),
            (b"d/../z", b"z"),
            (b"../x", b"../x"),
            (b"/../x", b"/x"),
            (b"./", b"."),
            (b"/", b"/"),
            (b"a/..", b"."),
        ];
        for (raw, expected) in table {
            assert_eq!(clean(raw), expected, "{}", shown(raw));
        }
    }

    #[test]
    fn clamped_stops_at_the_root() {
        assert_eq!(clamped(b"../../x/./y/../z"), vec![b"x".as_slice(), b"z"]);
        assert!(clamped(b"a/../..").is_empty());
    }
}
