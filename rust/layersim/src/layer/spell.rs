//! Spelling a tree as a tar: what stands where, in which order (spec/layers.md section 7).

use std::collections::HashMap;
use std::io::Write;
use std::sync::Arc;

use crate::archive::{Dialect, Header, Kind as MemberKind, Writer};
use crate::content::Content;
use crate::error::{Error, Result};
use crate::metadata::{Metadata, Timestamp};
use crate::path;
use crate::tree::{Dir, Inode, Kind, Leaf, Node, Step, visit};
use crate::whiteout;

/// The permission bits of a file that stands for a mark.
const MARK_MODE: u32 = 0o600;
/// The bits of a directory that its opaque mark takes over.
const OPAQUE_MODE_BITS: u32 = 0o777;

/// How a layer's tar is spelled.
#[derive(Debug, Clone, Copy, Default)]
pub struct Spelling {
    /// Whose headers.
    pub dialect: Dialect,
    /// When the marks were made. Canonical tars do not tell.
    pub whiteout_mtime: Timestamp,
}

/// Writes a layer's own entries, marks among them.
///
/// # Errors
/// [`Error::Io`] from the writer, [`Error::Archive`] for what no header can hold.
pub fn write_layer(root: &Dir<Leaf>, spelling: Spelling, target: &mut dyn Write) -> Result<()> {
    Scribe::new(spelling, true, target).write(root)
}

/// Writes what a merged tree shows.
///
/// # Errors
/// As [`write_layer`].
pub fn write_flattened(root: &Dir<Leaf>, dialect: Dialect, target: &mut dyn Write) -> Result<()> {
    Scribe::new(Spelling { dialect, ..Spelling::default() }, false, target).write(root)
}

struct Scribe<'w> {
    writer: Writer<&'w mut dyn Write>,
    spelling: Spelling,
    with_marks: bool,
    /// The first name of each inode that has several.
    first_names: HashMap<*const Inode, Vec<u8>>,
    /// The first name that was hidden.
    first_hidden: Option<Vec<u8>>,
}

impl<'w> Scribe<'w> {
    fn new(spelling: Spelling, with_marks: bool, target: &'w mut dyn Write) -> Self {
        let writer = Writer::new(target, spelling.dialect);
        Self { writer, spelling, with_marks, first_names: HashMap::new(), first_hidden: None }
    }

    fn write(mut self, root: &Dir<Leaf>) -> Result<()> {
        visit(root, &mut |path, node| {
            match node {
                Node::Dir { dir, .. } => self.dir(path, dir)?,
                Node::Leaf { leaf, .. } => self.leaf(path, leaf)?,
                Node::Whiteout { .. } if self.with_marks => self.whiteout(path)?,
                Node::Whiteout { .. } => {}
            }
            Ok::<Step, Error>(Step::Into)
        })?;
        self.writer.finish().map(|_| ())
    }

    fn dir(&mut self, path: &[u8], dir: &Dir<Leaf>) -> Result<()> {
        self.writer.append(&Header::new(path, MemberKind::Directory, &dir.metadata), None)?;
        if !(dir.is_opaque && self.with_marks) {
            return Ok(());
        }
        let mut metadata = Metadata::with_mode(dir.metadata.mode & OPAQUE_MODE_BITS);
        (metadata.uid, metadata.gid) = (dir.metadata.uid, dir.metadata.gid);
        self.mark(&path::join(path, whiteout::opaque()), &metadata, None)
    }

    /// Later marks carry the first one's name as a link name: the kernel makes them of one inode, and dockerd lets it show.
    fn whiteout(&mut self, path: &[u8]) -> Result<()> {
        let is_bare = self.spelling.dialect == Dialect::Containerd;
        let mut metadata = Metadata::with_mode(if is_bare { 0 } else { MARK_MODE });
        if self.is_as_the_kernel_has_it() {
            metadata.set_mtime(self.spelling.whiteout_mtime);
        }
        let (parent, name) = match path.iter().rposition(|byte| *byte == b'/') {
            Some(slash) => (&path[..slash], &path[slash + 1..]),
            None => (&[][..], path),
        };
        let first = self.first_hidden.clone();
        self.mark(&path::join(parent, &whiteout::hiding(name)), &metadata, first.as_deref())?;
        self.first_hidden.get_or_insert_with(|| path.to_vec());
        Ok(())
    }

    /// Whether marks are the inodes that the kernel made of them.
    fn is_as_the_kernel_has_it(&self) -> bool {
        matches!(self.spelling.dialect, Dialect::Docker20 | Dialect::Docker29)
    }

    fn mark(&mut self, path: &[u8], metadata: &Metadata, leaked: Option<&[u8]>) -> Result<()> {
        let leaked = leaked.filter(|_| self.is_as_the_kernel_has_it()).unwrap_or_default();
        self.writer.append(&Header::mark(path, metadata, leaked), None)
    }

    fn leaf(&mut self, path: &[u8], leaf: &Leaf) -> Result<()> {
        if leaf.links > 1 {
            if let Some(first) = self.first_names.get(&Arc::as_ptr(leaf)) {
                let kind = MemberKind::HardLink(first.as_slice().into());
                return self.writer.append(&Header::new(path, kind, &leaf.metadata), None);
            }
            self.first_names.insert(Arc::as_ptr(leaf), path.to_vec());
        }
        let Some((kind, content)) = member(&leaf.kind) else {
            return Ok(());
        };
        self.writer.append(&Header::new(path, kind, &leaf.metadata), content)
    }
}

/// How an inode is spelled; sockets are not.
fn member(kind: &Kind) -> Option<(MemberKind<'_>, Option<&Content>)> {
    Some(match kind {
        Kind::Regular(content) => (MemberKind::Regular, Some(content)),
        Kind::Symlink(target) => (MemberKind::Symlink(target.as_ref().into()), None),
        Kind::CharDevice { major, minor } => (MemberKind::CharDevice { major: *major, minor: *minor }, None),
        Kind::BlockDevice { major, minor } => (MemberKind::BlockDevice { major: *major, minor: *minor }, None),
        Kind::Fifo => (MemberKind::Fifo, None),
        Kind::Socket => return None,
    })
}
