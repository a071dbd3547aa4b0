//! A stack: the read-only union of a chain of layers, base first.
//!
//! Each stack is its parent and one more layer, and its merged tree shares with the parent's all that the layer does not
//! touch. Stacks that are in use are found again through their parent (weakly, so an unused one costs nothing): two views
//! of the same [`Layer`]s share one tree and one table.

mod batch;
mod merge;
mod page;
mod resolve;
mod table;
mod trail;
mod view;

use std::any::Any;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

pub use batch::{Found, KIND_ABSENT, LAYER_ABSENT, PathBatch};
pub use page::Record;
pub use resolve::Resolved;
pub(crate) use view::DIRECTORY_BITS;
pub use view::{Stat, Walked};

use foldhash::fast::FixedState;
use imbl::GenericHashMap;
use imbl::shared_ptr::DefaultSharedPtr;

use crate::digest::{ChainId, DiffId};
use crate::error::{Error, Result};
use crate::layer::Layer;
use crate::metadata::Metadata;
use crate::tree::{Dir, Leaf, Node, Origin};
use table::Table;

/// The longest chain that a tree can attribute.
pub const MAX_DEPTH: usize = u16::MAX as usize;
/// The mode of a root that no layer describes.
const ROOT_MODE: u32 = 0o755;

/// The union of a chain of layers.
#[derive(Debug)]
pub struct Stack {
    top: Option<Top>,
    root: Arc<Dir<Leaf>>,
    children: Mutex<HashMap<DiffId, Weak<Stack>>>,
    /// Where each layer is; shared with the parent's but for the path to the new one.
    positions: GenericHashMap<DiffId, usize, FixedState, DefaultSharedPtr>,
    table: OnceLock<Arc<Table>>,
}

/// What a stack adds to its parent.
#[derive(Debug)]
struct Top {
    parent: Option<Arc<Stack>>,
    layer: Layer,
    chain_id: ChainId,
    depth: usize,
}

impl Stack {
    /// The union of no layer: an empty root.
    pub fn empty() -> Arc<Self> {
        let root = Dir::new(Arc::new(Origin::default()), 0, Metadata::with_mode(ROOT_MODE));
        Arc::new(Self::with_root(None, Arc::new(root)))
    }

    /// The union of `layers`, base first.
    ///
    /// # Errors
    /// [`Error::ContentMissing`] for a layer without a tree, [`Error::ChainTooDeep`] beyond [`MAX_DEPTH`] layers.
    pub fn of(layers: &[Layer]) -> Result<Arc<Self>> {
        let Some((base, rest)) = layers.split_first() else {
            return Ok(Self::empty());
        };
        rest.iter().try_fold(Self::base(base)?, |stack, layer| stack.with(layer))
    }

    /// The stack of one layer: its tree is the layer's own.
    fn base(layer: &Layer) -> Result<Arc<Self>> {
        let mut kept = layer.kept().lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Ok(stack)) = kept.upgrade().map(Arc::downcast::<Self>) {
            return Ok(stack);
        }
        let top = Top { parent: None, layer: layer.clone(), chain_id: ChainId::on(None, layer.diff_id()), depth: 1 };
        let stack = Arc::new(Self::with_root(Some(top), Arc::clone(layer.root()?)));
        let erased: Arc<dyn Any + Send + Sync> = stack.clone();
        *kept = Arc::downgrade(&erased);
        Ok(stack)
    }

    /// This stack and one more layer on top.
    ///
    /// # Errors
    /// As [`Stack::of`].
    pub fn with(self: &Arc<Self>, layer: &Layer) -> Result<Arc<Self>> {
        let mut children = self.children.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(stack) = children.get(&layer.diff_id()).and_then(Weak::upgrade) {
            return Ok(stack);
        }
        let depth = self.depth() + 1;
        if depth > MAX_DEPTH {
            return Err(Error::ChainTooDeep { depth, limit: MAX_DEPTH });
        }
        let root = merge::onto(&self.root, layer.root()?);
        let chain_id = ChainId::on(self.chain_id(), layer.diff_id());
        let top = Top { parent: Some(Arc::clone(self)), layer: layer.clone(), chain_id, depth };
        let stack = Arc::new(Self::with_root(Some(top), root));
        if children.len() == children.capacity() {
            children.retain(|_, stack| stack.strong_count() > 0);
        }
        children.insert(layer.diff_id(), Arc::downgrade(&stack));
        Ok(stack)
    }

    fn with_root(top: Option<Top>, root: Arc<Dir<Leaf>>) -> Self {
        let parent = top.as_ref().and_then(|top| top.parent.as_deref());
        let mut positions = parent.map(|parent| parent.positions.clone()).unwrap_or_default();
        if let Some(top) = &top {
            positions.insert(top.layer.diff_id(), top.depth - 1);
        }
        Self { top, root, children: Mutex::default(), positions, table: OnceLock::new() }
    }

    /// The merged tree. It may hold whiteout marks (nobody sees them) and opaque flags (without meaning here).
    pub fn root(&self) -> &Arc<Dir<Leaf>> {
        &self.root
    }

    /// How many layers there are.
    pub fn depth(&self) -> usize {
        self.top.as_ref().map_or(0, |top| top.depth)
    }

    /// The identity of the chain; the union of nothing has none.
    pub fn chain_id(&self) -> Option<ChainId> {
        self.top.as_ref().map(|top| top.chain_id)
    }

    /// The layers, base first.
    pub fn layers(&self) -> Vec<Layer> {
        let mut layers: Vec<Layer> = self.downwards().map(|top| top.layer.clone()).collect();
        layers.reverse();
        layers
    }

    /// Where in the chain a layer is, the base being 0. A layer that is there twice counts where it is last.
    pub fn position(&self, origin: &Origin) -> Option<usize> {
        self.positions.get(&origin.diff_id()?).copied()
    }

    /// Whether single lookups find the flat table made; the first one makes it, which takes a while.
    pub fn is_indexed(&self) -> bool {
        self.table.get().is_some()
    }

    /// Makes the flat table.
    pub fn index(&self) {
        self.table();
    }

    /// The flat table of all visible paths, made on first use from the parent's.
    ///
    /// Ancestors get theirs first, from the base upwards, so that a long chain needs no deep recursion.
    fn table(&self) -> &Arc<Table> {
        self.table.get_or_init(|| {
            let parents = std::iter::successors(self.parent(), |stack| stack.parent());
            let bare: Vec<&Self> = parents.take_while(|stack| stack.table.get().is_none()).collect();
            for stack in bare.into_iter().rev() {
                stack.table.get_or_init(|| stack.new_table());
            }
            self.new_table()
        })
    }

    fn new_table(&self) -> Arc<Table> {
        let position = |node: &Node<Leaf>| self.position_of(node);
        let above = self.top.as_ref().and_then(|top| Some((top.parent.as_deref()?, top.layer.root().ok()?)));
        Arc::new(match above {
            Some((parent, layer)) => parent.table().with(&parent.root, layer, &self.root, &position),
            None => Table::of(&self.root, &position),
        })
    }

    fn parent(&self) -> Option<&Self> {
        self.top.as_ref()?.parent.as_deref()
    }

    fn position_of(&self, node: &Node<Leaf>) -> u32 {
        let origin = match node {
            Node::Dir { dir, .. } => &dir.origin,
            Node::Leaf { leaf, .. } => &leaf.origin,
            Node::Whiteout { .. } => return 0,
        };
        self.position(origin).and_then(|at| u32::try_from(at).ok()).unwrap_or_default()
    }

    fn downwards(&self) -> impl Iterator<Item = &Top> {
        std::iter::successors(self.top.as_ref(), |top| top.parent.as_ref()?.top.as_ref())
    }
}

impl Drop for Stack {
    /// Lets a long chain go without deep recursion.
    fn drop(&mut self) {
        let mut parent = self.top.as_mut().and_then(|top| top.parent.take());
        while let Some(mut stack) = parent.and_then(Arc::into_inner) {
            parent = stack.top.as_mut().and_then(|top| top.parent.take());
        }
    }
}
