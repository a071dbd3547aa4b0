//! Walking a tree in the order that engines write layers: a directory, then its entries by the bytes of their names.

use super::dir::Dir;
use super::entry::Node;

/// Whether a walk goes into the directory that it just showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Go on, into it.
    Into,
    /// Go on, past it.
    Over,
}

/// What is shown a path and its node, and says whether the walk goes on into it.
type Show<'s, L, E> = dyn FnMut(&[u8], &Node<L>) -> Result<Step, E> + 's;

/// Shows every node below `root` with its path (no leading `/`), marks included, parents first.
///
/// # Errors
/// The first error of `show` ends the walk.
pub fn visit<L, E>(root: &Dir<L>, show: &mut Show<'_, L, E>) -> Result<(), E> {
    let mut path = Vec::new();
    visit_below(root, &mut path, show)
}

fn visit_below<L, E>(dir: &Dir<L>, path: &mut Vec<u8>, show: &mut Show<'_, L, E>) -> Result<(), E> {
    let parent_len = path.len();
    for entry in dir.entries().iter() {
        if parent_len > 0 {
            path.push(b'/');
        }
        path.extend_from_slice(&entry.name);
        let step = show(path, &entry.node)?;
        if let (Step::Into, Node::Dir { dir, .. }) = (step, &entry.node) {
            visit_below(dir, path, show)?;
        }
        path.truncate(parent_len);
    }
    Ok(())
}
