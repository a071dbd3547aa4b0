//! The merged tree, its flat table and overlays against a map of whole paths: the plainest model there is.

#![expect(clippy::expect_used, reason = "a test stops where what it needs is not there")]

use std::collections::BTreeMap;
use std::sync::Arc;

use layersim::layer::{Edit, Layer, Operation};
use layersim::metadata::{Metadata, Timestamp};
use layersim::overlay::{Caller, Credentials, Overlay};
use layersim::stack::{PathBatch, Stack};
use layersim::{Content, change};
use proptest::prelude::*;

const NAMES: [&str; 3] = ["a", "b", "c"];

/// What one layer does, over paths of one to three names.
#[derive(Debug, Clone)]
enum Act {
    Write(Vec<u8>),
    Dir,
    /// A directory that hides what is below it.
    Fresh,
    Gone,
}

type Sketch = BTreeMap<Vec<usize>, Act>;
/// Whole paths to file bytes; directories have none.
type Model = BTreeMap<String, Option<Vec<u8>>>;

fn sketches() -> impl Strategy<Value = Vec<Sketch>> {
    let act = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..5).prop_map(Act::Write),
        Just(Act::Dir),
        Just(Act::Fresh),
        Just(Act::Gone),
    ];
    let path = prop::collection::vec(0..NAMES.len(), 1..4);
    let sketch = prop::collection::btree_map(path, act, 0..8).prop_map(|sketch| consistent(&sketch));
    prop::collection::vec(sketch, 1..5)
}

/// Drops what cannot be in one layer: something below a file or a mark.
fn consistent(sketch: &Sketch) -> Sketch {
    let is_leaf = |path: &[usize]| matches!(sketch.get(path), Some(Act::Write(_) | Act::Gone));
    let kept = |path: &Vec<usize>| (1..path.len()).all(|depth| !is_leaf(&path[..depth]));
    sketch.iter().filter(|(path, _)| kept(path)).map(|(path, act)| (path.clone(), act.clone())).collect()
}

fn spelled(path: &[usize]) -> String {
    path.iter().map(|name| NAMES[*name]).collect::<Vec<_>>().join("/")
}

fn layer(sketch: &Sketch) -> Layer {
    let edit = |(path, act): (&Vec<usize>, &Act)| {
        let metadata = Metadata::with_mode(0o755);
        let operations = match act {
            Act::Write(bytes) => vec![Operation::Write(metadata, Content::from(bytes.clone()))],
            Act::Dir => vec![Operation::MakeDir(metadata)],
            Act::Fresh => vec![Operation::MakeDir(metadata), Operation::Opaque],
            Act::Gone => vec![Operation::Remove],
        };
        let path = spelled(path).into_bytes();
        operations.into_iter().map(move |operation| Edit { path: path.clone(), operation })
    };
    let edits: Vec<Edit> = sketch.iter().flat_map(edit).collect();
    Layer::from_changes(&edits).expect("consistent sketches are layers")
}

/// Puts one path into the model, directories above it included; a file in their way goes.
fn put(model: &mut Model, path: &str, bytes: Option<Vec<u8>>) {
    for (slash, _) in path.match_indices('/') {
        let parent = &path[..slash];
        if model.get(parent) != Some(&None) {
            remove(model, parent);
            model.insert(parent.to_owned(), None);
        }
    }
    let stays = bytes.is_none() && model.get(path) == Some(&None);
    if !stays {
        remove(model, path);
        model.insert(path.to_owned(), bytes);
    }
}

fn remove(model: &mut Model, path: &str) {
    model.retain(|have, _| have != path && !have.starts_with(&format!("{path}/")));
}

fn modelled(stack: &[Sketch]) -> Model {
    let mut model = Model::new();
    for sketch in stack {
        for (path, act) in sketch {
            let path = spelled(path);
            match act {
                Act::Write(bytes) => put(&mut model, &path, Some(bytes.clone())),
                Act::Dir => put(&mut model, &path, None),
                Act::Fresh => {
                    put(&mut model, &path, None);
                    model.retain(|have, _| !have.starts_with(&format!("{path}/")));
                }
                Act::Gone => {
                    if let Some((parent, _)) = path.rsplit_once('/') {
                        put(&mut model, parent, None);
                    }
                    remove(&mut model, &path);
                }
            }
        }
    }
    model
}

fn stacked(sketches: &[Sketch]) -> Arc<Stack> {
    let layers: Vec<Layer> = sketches.iter().map(layer).collect();
    Stack::of(&layers).expect("a short chain of whole layers")
}

/// Everything that a walk shows.
fn shown(stack: &Stack) -> Model {
    let mut model = Model::new();
    for step in stack.walk(b"/").expect("the root is a directory") {
        for (names, is_dir) in [(&step.dirs, true), (&step.files, false)] {
            for name in names {
                let path = layersim::path::join(&step.path, name);
                let content = |path: &[u8]| {
                    let content = stack.content(path).expect("a file");
                    content.read(0..content.len()).expect("a short file")
                };
                let bytes = (!is_dir).then(|| content(&path));
                model.insert(String::from_utf8_lossy(&path).trim_start_matches('/').to_owned(), bytes);
            }
        }
    }
    model
}

fn all_paths() -> Vec<String> {
    let deep: Vec<String> = NAMES.iter().flat_map(|one| NAMES.iter().map(move |two| format!("{one}/{two}"))).collect();
    let deeper = deep.iter().flat_map(|path| NAMES.iter().map(move |name| format!("{path}/{name}")));
    NAMES.iter().map(ToString::to_string).chain(deep.clone()).chain(deeper).collect()
}

proptest! {
    #[test]
    fn a_stack_shows_what_the_model_holds(sketches in sketches()) {
        prop_assert_eq!(shown(&stacked(&sketches)), modelled(&sketches));
    }

    #[test]
    fn the_table_says_what_the_tree_says(sketches in sketches()) {
        let stack = stacked(&sketches);
        let paths = all_paths();
        let found = stack.lookup(&paths.iter().collect::<PathBatch>());
        for (at, path) in paths.iter().enumerate() {
            // The table holds no path that is spelled so: the tree answers.
            let stat = stack.stat(format!("./{path}").as_bytes(), false).ok();
            prop_assert_eq!(stack.stat(path.as_bytes(), false).ok(), stat, "{}", path);
            let layer = stat.map_or(-1, |stat| i32::try_from(stat.layer.expect("a layer")).expect("few layers"));
            prop_assert_eq!(found.layer[at], layer, "{}", path);
            prop_assert_eq!(found.size[at], stat.map_or(0, |stat| stat.size));
            prop_assert_eq!(found.mode[at], stat.map_or(0, |stat| stat.mode));
        }
    }

    #[test]
    fn a_longer_chain_shares_the_answer_of_its_prefix(sketches in sketches()) {
        let (last, below) = sketches.split_last().expect("at least one");
        let lower = stacked(below);
        let before = shown(&lower);
        let upper = lower.with(&layer(last)).expect("a short chain");
        prop_assert_eq!(shown(&upper), modelled(&sketches));
        prop_assert_eq!(shown(&lower), before);
    }

    #[test]
    fn a_layer_is_the_tar_that_it_writes(sketches in sketches()) {
        for sketch in &sketches {
            let made = layer(sketch);
            let mut tar = Vec::new();
            made.write_tar(&mut tar).expect("a vector takes all");
            let read = Layer::from_tar(&tar.into(), Some(made.diff_id()), &layersim::Limits::default());
            let read = read.expect("our own tar");
            prop_assert_eq!((read.size(), read.len()), (made.size(), made.len()));
        }
    }

    #[test]
    fn an_overlay_writes_beside_the_layers(sketches in sketches(), works in sketches()) {
        let stack = stacked(&sketches);
        let before = shown(&stack);
        let mut overlay = Overlay::new(Arc::clone(&stack));
        let caller = Caller::at(Timestamp::from_nanos(5_000_000_000));
        for (path, act) in works.iter().flatten() {
            let path = format!("/{}", spelled(path)).into_bytes();
            // What the kernel refuses is refused: the tests beside the kernel say when.
            let _refused = match act {
                Act::Write(bytes) => overlay.write_file(&path, bytes, &caller),
                Act::Dir | Act::Fresh => overlay.mkdir(&path, 0o755, &caller),
                Act::Gone => overlay.unlink(&path, &caller).or_else(|_| overlay.rmdir(&path, &caller)),
            };
        }
        prop_assert_eq!(shown(&stack), before);
        let frozen = overlay.to_layer(layersim::archive::Dialect::Canonical).expect("plain files");
        let again = stack.with(&frozen).expect("a short chain");
        prop_assert_eq!(again.walk(b"/").expect("a root"), overlay.walk(b"/", &Credentials::ROOT).expect("a root"));
        prop_assert_eq!(change::diff(stack.root(), again.root()), change::changes(&overlay));
    }
}
