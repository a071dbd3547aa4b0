//! What extraction leaves of an entry's metadata: an engine's system calls, and what they drop or refuse.

use super::build::Refused;
use crate::metadata::{Metadata, Timestamp};
use crate::path::{NAME_MAX, PATH_MAX};
use crate::tree::Kind;

/// The mode of every symbolic link on Linux.
const LINK_MODE: u32 = 0o777;
/// The last second that Go's times in nanoseconds reach; engines set what is beyond, or before 1970, to 1970.
const LAST_SECOND: i64 = i64::MAX / 1_000_000_000;
/// `XATTR_SIZE_MAX`.
const VALUE_MAX: usize = 1 << 16;
const USER: &[u8] = b"user.";
/// Namespaces that a file system keeps; attributes of others are left out, as engines ignore that they cannot be set.
const NAMESPACES: [&[u8]; 5] =
    [USER, b"trusted.", b"security.", b"system.posix_acl_access", b"system.posix_acl_default"];
/// Turns what a header says into what is on the disk afterwards; a directory has no kind.
pub(super) fn extracted(metadata: &mut Metadata, kind: Option<&Kind>) -> Result<(), Refused> {
    if let Some(Kind::Symlink(target)) = kind {
        match target.len() {
            0 => return Err(Refused::NoTarget),
            PATH_MAX.. => return Err(Refused::NameTooLong),
            _ => metadata.mode = LINK_MODE,
        }
        metadata.set_mtime(metadata.mtime().on_disk());
    } else if !(0..=LAST_SECOND).contains(&metadata.mtime().seconds) {
        metadata.set_mtime(Timestamp::default());
    }
    if metadata.xattrs.is_empty() {
        return Ok(());
    }
    let takes_user = matches!(kind, None | Some(Kind::Regular(_)));
    for (name, value) in metadata.xattrs.iter() {
        check_xattr(name, value)?;
    }
    let kept =
        |name: &[u8]| NAMESPACES.iter().any(|space| name.starts_with(space)) && (takes_user || !name.starts_with(USER));
    metadata.xattrs = metadata.xattrs.iter().filter(|(name, value)| kept(name) && !value.is_empty()).collect();
    Ok(())
}

fn check_xattr(name: &[u8], value: &[u8]) -> Result<(), Refused> {
    if name.is_empty() || name.len() > NAME_MAX {
        return Err(Refused::XattrName);
    }
    if value.len() > VALUE_MAX { Err(Refused::XattrTooLarge) } else { Ok(()) }
}
