//! Path-copying: reaching a directory to change it, without touching any tree that shares it.

use std::sync::Arc;

use super::dir::Dir;
use super::entry::Node;

/// The directory at `path` below `root`, made this tree's own on the way down; `None` where no directory is.
///
/// Directories that other trees share are copied, each with one level of entries. Counts of visible entries above the
/// directory are not kept up: trees that are edited this way do not use them.
pub fn reach<'tree, L: Clone, N: AsRef<[u8]>>(root: &'tree mut Arc<Dir<L>>, path: &[N]) -> Option<&'tree mut Dir<L>> {
    let mut dir = Arc::make_mut(root);
    for name in path {
        match dir.get_mut(name.as_ref()) {
            Some(Node::Dir { dir: child, .. }) => dir = Arc::make_mut(child),
            _ => return None,
        }
    }
    Some(dir)
}
