//! The writable top against a naive one: two maps of whole paths, a rule of spec/overlay.md a line. No links, no handles.

#![expect(clippy::expect_used, reason = "a test stops where what it needs is not there")]

use std::collections::BTreeMap;
use std::sync::Arc;

use layersim::error::{Errno, Error};
use layersim::layer::{Edit, Layer, Operation};
use layersim::metadata::{Metadata, Timestamp};
use layersim::overlay::{Caller, Credentials, Overlay};
use layersim::{Content, Stack};
use proptest::prelude::*;

const NAMES: [&str; 3] = ["a", "b", "c"];
const TYPE: u32 = 0o170_000;

/// What a map holds under a path: a file's bytes, a directory that may hide what is below it, or a whiteout.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Node {
    File(Vec<u8>),
    Dir { is_opaque: bool },
    Gone,
}

#[derive(Debug, Clone)]
enum Act {
    Write(String, Vec<u8>),
    MakeDir(String),
    Unlink(String),
    RemoveDir(String),
    Rename(String, String),
    Chmod(String),
    /// All that is there, from the bottom up, as `rm -r` does it.
    RemoveAll(String),
}

type Tree = BTreeMap<String, Node>;
type Outcome = Result<(), Errno>;

const DIR: Node = Node::Dir { is_opaque: false };

/// The merged layers, and the top.
#[derive(Debug, Default)]
struct Naive {
    lower: Tree,
    upper: Tree,
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

fn is_below(path: &str, top: &str) -> bool {
    path.strip_prefix(top).is_some_and(|rest| rest.starts_with('/'))
}

impl Naive {
    /// What the layers show here through the top: nothing below a mark, an opaque directory or a file.
    fn below(&self, path: &str) -> Option<&Node> {
        let hides = |place: &str| matches!(self.upper.get(place), Some(node) if *node != DIR);
        let is_hidden = path.match_indices('/').any(|(at, _)| hides(&path[..at]));
        self.lower.get(path).filter(|_| !is_hidden)
    }

    fn seen(&self, path: &str) -> Option<&Node> {
        match self.upper.get(path) {
            Some(Node::Gone) => None,
            Some(node) => Some(node),
            None => self.below(path),
        }
    }

    fn is_dir(&self, path: &str) -> bool {
        path.is_empty() || matches!(self.seen(path), Some(Node::Dir { .. }))
    }

    /// Whether the layers have a part in a directory.
    fn is_merged(&self, path: &str) -> bool {
        let is_opaque = self.upper.get(path) == Some(&Node::Dir { is_opaque: true });
        path.is_empty() || (!is_opaque && matches!(self.below(path), Some(Node::Dir { .. })))
    }

    fn is_empty(&self, path: &str) -> bool {
        !self.lower.keys().chain(self.upper.keys()).any(|have| parent(have) == path && self.seen(have).is_some())
    }

    /// Walks to the directory of a path.
    fn walk(&self, path: &str) -> Outcome {
        for (at, _) in path.match_indices('/') {
            match self.seen(&path[..at]) {
                None => return Err(Errno::ENOENT),
                Some(Node::Dir { .. }) => {}
                Some(_) => return Err(Errno::ENOTDIR),
            }
        }
        Ok(())
    }

    /// Copies up the directories above a path.
    fn raise_parents(&mut self, path: &str) {
        for (at, _) in path.match_indices('/') {
            self.upper.entry(path[..at].to_owned()).or_insert(DIR);
        }
    }

    /// Takes a name out, and leaves a mark where the layers would show through.
    fn take(&mut self, path: &str) {
        self.raise_parents(path);
        self.upper.retain(|have, _| have != path && !is_below(have, path));
        if self.below(path).is_some() {
            self.upper.insert(path.to_owned(), Node::Gone);
        }
    }

    /// The single steps of an act.
    fn steps(&self, act: &Act) -> Vec<Act> {
        let Act::RemoveAll(top) = act else { return vec![act.clone()] };
        let mut there: Vec<&String> = self.lower.keys().chain(self.upper.keys()).collect();
        there.retain(|path| {
            (*path == top || is_below(path, top)) && self.walk(path).is_ok() && self.seen(path).is_some()
        });
        there.sort();
        there.dedup();
        let step = |path: &&String| {
            if self.is_dir(path) { Act::RemoveDir((*path).clone()) } else { Act::Unlink((*path).clone()) }
        };
        there.iter().rev().map(step).collect()
    }

    fn perform(&mut self, act: &Act) -> Outcome {
        match act {
            Act::Write(path, bytes) => {
                self.walk(path)?;
                if self.is_dir(path) {
                    return Err(Errno::EISDIR);
                }
                self.raise_parents(path);
                self.upper.insert(path.clone(), Node::File(bytes.clone()));
                Ok(())
            }
            Act::MakeDir(path) => {
                self.walk(path)?;
                if self.seen(path).is_some() {
                    return Err(Errno::EEXIST);
                }
                self.raise_parents(path);
                let is_opaque = self.upper.get(path) == Some(&Node::Gone);
                self.upper.insert(path.clone(), Node::Dir { is_opaque });
                Ok(())
            }
            Act::Unlink(path) => {
                self.walk(path)?;
                match self.seen(path) {
                    None => return Err(Errno::ENOENT),
                    Some(Node::Dir { .. }) => return Err(Errno::EISDIR),
                    Some(_) => self.take(path),
                }
                Ok(())
            }
            Act::RemoveDir(path) => {
                self.walk(path)?;
                match self.seen(path) {
                    None => return Err(Errno::ENOENT),
                    Some(Node::Dir { .. }) if !self.is_empty(path) => return Err(Errno::ENOTEMPTY),
                    Some(Node::Dir { .. }) => self.take(path),
                    Some(_) => return Err(Errno::ENOTDIR),
                }
                Ok(())
            }
            Act::Chmod(path) => {
                self.walk(path)?;
                let node = self.seen(path).ok_or(Errno::ENOENT)?.clone();
                self.raise_parents(path);
                self.upper.entry(path.clone()).or_insert(node);
                Ok(())
            }
            Act::Rename(from, to) => self.rename(from, to),
            Act::RemoveAll(_) => Ok(()),
        }
    }

    fn rename(&mut self, from: &str, to: &str) -> Outcome {
        self.walk(from)?;
        self.walk(to)?;
        let moved = self.seen(from).ok_or(Errno::ENOENT)?.clone();
        if is_below(to, from) {
            return Err(Errno::EINVAL);
        }
        if is_below(from, to) {
            return Err(Errno::ENOTEMPTY);
        }
        if from == to {
            return Ok(());
        }
        let is_dir = matches!(moved, Node::Dir { .. });
        match self.seen(to) {
            Some(Node::Dir { .. }) if !is_dir => return Err(Errno::EISDIR),
            Some(Node::File(_)) if is_dir => return Err(Errno::ENOTDIR),
            _ => {}
        }
        if is_dir && self.is_merged(from) {
            return Err(Errno::EXDEV);
        }
        let into_merged = self.is_merged(parent(to));
        if self.is_dir(to) && !self.is_empty(to) {
            if !self.is_merged(to) && into_merged {
                self.upper.insert(from.to_owned(), Node::Dir { is_opaque: true });
            }
            return Err(Errno::ENOTEMPTY);
        }
        let carried: Vec<_> = self
            .upper
            .iter()
            .filter(|(have, _)| is_below(have, from))
            .map(|(have, node)| (have[from.len()..].to_owned(), node.clone()))
            .collect();
        self.take(from);
        self.raise_parents(to);
        self.upper.retain(|have, _| have != to && !is_below(have, to));
        let node = if is_dir && into_merged { Node::Dir { is_opaque: true } } else { moved };
        self.upper.insert(to.to_owned(), node);
        self.upper.extend(carried.into_iter().map(|(rest, node)| (format!("{to}{rest}"), node)));
        Ok(())
    }
}

fn paths() -> impl Strategy<Value = String> {
    prop::collection::vec(0..NAMES.len(), 1..4)
        .prop_map(|path| path.iter().map(|name| NAMES[*name]).collect::<Vec<_>>().join("/"))
}

fn lowers() -> impl Strategy<Value = Tree> {
    let node = prop_oneof![Just(DIR), prop::collection::vec(any::<u8>(), 0..4).prop_map(Node::File)];
    prop::collection::btree_map(paths(), node, 0..12).prop_map(|drawn| {
        let mut tree = Tree::new();
        for (path, node) in drawn {
            let is_in_a_file =
                path.match_indices('/').any(|(at, _)| matches!(tree.get(&path[..at]), Some(Node::File(_))));
            if !is_in_a_file {
                path.match_indices('/').for_each(|(at, _)| drop(tree.insert(path[..at].to_owned(), DIR)));
                tree.insert(path, node);
            }
        }
        tree
    })
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        (paths(), prop::collection::vec(any::<u8>(), 0..4)).prop_map(|(path, bytes)| Act::Write(path, bytes)),
        paths().prop_map(Act::MakeDir),
        paths().prop_map(Act::Unlink),
        paths().prop_map(Act::RemoveDir),
        (paths(), paths()).prop_map(|(from, to)| Act::Rename(from, to)),
        paths().prop_map(Act::Chmod),
        paths().prop_map(Act::RemoveAll),
    ];
    prop::collection::vec(act, 1..40)
}

fn stacked(tree: &Tree) -> Arc<Stack> {
    let metadata = Metadata::with_mode(0o755);
    let edit = |(path, node): (&String, &Node)| {
        let operation = match node {
            Node::File(bytes) => Operation::Write(metadata.clone(), Content::from(bytes.clone())),
            _ => Operation::MakeDir(metadata.clone()),
        };
        Edit { path: path.clone().into_bytes(), operation }
    };
    let edits: Vec<Edit> = tree.iter().map(edit).collect();
    Stack::of(&[Layer::from_changes(&edits).expect("a tree is a layer")]).expect("one layer")
}

fn performed(overlay: &mut Overlay, act: &Act) -> Outcome {
    let caller = Caller::at(Timestamp::from_nanos(5_000_000_000));
    let done = match act {
        Act::Write(path, bytes) => overlay.write_file(path.as_bytes(), bytes, &caller),
        Act::MakeDir(path) => overlay.mkdir(path.as_bytes(), 0o755, &caller),
        Act::Unlink(path) => overlay.unlink(path.as_bytes(), &caller),
        Act::RemoveDir(path) => overlay.rmdir(path.as_bytes(), &caller),
        Act::Rename(from, to) => overlay.rename(from.as_bytes(), to.as_bytes(), &caller),
        Act::Chmod(path) => overlay.chmod(path.as_bytes(), 0o700, true, &caller),
        Act::RemoveAll(_) => Ok(()),
    };
    done.map_err(|error| if let Error::System { errno, .. } = error { errno } else { Errno::EINVAL })
}

/// The kind that a path of the top has: `d`, `f`, or `w` for a whiteout.
fn kind_above(overlay: &Overlay, path: &str) -> Option<char> {
    let stat = overlay.upper_lstat(path.as_bytes()).ok()?;
    Some(match stat.mode & TYPE {
        0o040_000 => 'd',
        0o100_000 => 'f',
        _ => 'w',
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn an_overlay_does_what_the_naive_one_does(lower in lowers(), acts in acts()) {
        let mut overlay = Overlay::new(stacked(&lower));
        let mut naive = Naive { lower, upper: Tree::new() };
        for act in &acts {
            for step in naive.steps(act) {
                prop_assert_eq!(performed(&mut overlay, &step), naive.perform(&step), "{:?}", step);
            }
        }
        let every: Vec<String> = naive.lower.keys().chain(naive.upper.keys()).cloned().collect();
        for path in &every {
            let bytes = overlay.read_file(path.as_bytes(), &Credentials::ROOT).ok();
            let expected = if let Some(Node::File(bytes)) = naive.walk(path).ok().and(naive.seen(path)) { Some(bytes.clone()) } else { None };
            prop_assert_eq!(bytes, expected, "{}", path);
            let above = naive.upper.get(path).map(|node| match node {
                Node::Dir { .. } => 'd',
                Node::File(_) => 'f',
                Node::Gone => 'w',
            });
            prop_assert_eq!(kind_above(&overlay, path), above, "{}", path);
        }
        let seen = every.iter().filter(|path| naive.walk(path).is_ok() && naive.seen(path).is_some());
        let expected = seen.collect::<std::collections::BTreeSet<_>>().len();
        let walked = overlay.walk(b"/", &Credentials::ROOT).expect("a root");
        prop_assert_eq!(walked.iter().map(|step| step.dirs.len() + step.files.len()).sum::<usize>(), expected);
    }
}
