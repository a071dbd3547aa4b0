//! The sorted entries of one directory: one array while there are few, shared pages when there are many.
//!
//! Changing one name of a large directory copies one page of at most [`PAGE`] entries and the list of pages, so a clone that
//! differs in one name of 10,000 shares all the others.

use std::sync::Arc;

use super::entry::{Entry, Name, Node};

/// Up to this many entries stay in one array.
const SMALL: usize = 64;
/// A page that would grow beyond this is split.
const PAGE: usize = 128;

type Page<L> = Vec<Entry<L>>;

/// A persistent map from name to node, in the order of the names' bytes.
#[derive(Debug, Clone)]
pub struct Entries<L>(Store<L>);

#[derive(Debug, Clone)]
enum Store<L> {
    Small(Page<L>),
    /// No page is empty.
    Paged(Vec<Arc<Page<L>>>),
}

impl<L> Default for Entries<L> {
    fn default() -> Self {
        Self(Store::Small(Vec::new()))
    }
}

impl<L> Entries<L> {
    /// How many entries there are, marks included.
    pub fn len(&self) -> usize {
        match &self.0 {
            Store::Small(page) => page.len(),
            Store::Paged(pages) => pages.iter().map(|page| page.len()).sum(),
        }
    }

    /// Whether there is none, not even a mark.
    pub fn is_empty(&self) -> bool {
        matches!(&self.0, Store::Small(page) if page.is_empty())
    }

    /// The node of a name.
    pub fn get(&self, name: &[u8]) -> Option<&Node<L>> {
        let page = match &self.0 {
            Store::Small(page) => page,
            Store::Paged(pages) => pages[page_of(pages, name)].as_ref(),
        };
        find(page, name).ok().map(|at| &page[at].node)
    }

    /// All entries, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Entry<L>> {
        let (small, pages) = match &self.0 {
            Store::Small(page) => (page.as_slice(), [].as_slice()),
            Store::Paged(pages) => ([].as_slice(), pages.as_slice()),
        };
        small.iter().chain(pages.iter().flat_map(|page| page.iter()))
    }
}

impl<L: Clone> Entries<L> {
    /// The node of a name, to be changed in place; what is shared is copied first.
    pub fn get_mut(&mut self, name: &[u8]) -> Option<&mut Node<L>> {
        let page = match &mut self.0 {
            Store::Small(page) => page,
            Store::Paged(pages) => {
                let at = page_of(pages, name);
                Arc::make_mut(&mut pages[at])
            }
        };
        find(page, name).ok().map(|at| &mut page[at].node)
    }

    /// Puts a node under a name; returns what was there.
    pub fn insert(&mut self, name: Name, node: Node<L>) -> Option<Node<L>> {
        let replaced = match &mut self.0 {
            Store::Small(page) => insert(page, name, node),
            Store::Paged(pages) => insert_paged(pages, name, node),
        };
        if let Store::Small(page) = &mut self.0
            && page.len() > SMALL
        {
            let upper = page.split_off(SMALL);
            self.0 = Store::Paged(vec![Arc::new(std::mem::take(page)), Arc::new(upper)]);
        }
        replaced
    }

    /// Takes a name out; returns what was there.
    pub fn remove(&mut self, name: &[u8]) -> Option<Node<L>> {
        match &mut self.0 {
            Store::Small(page) => find(page, name).ok().map(|at| page.remove(at).node),
            Store::Paged(pages) => {
                let at = page_of(pages, name);
                let within = find(&pages[at], name).ok()?;
                let node = Arc::make_mut(&mut pages[at]).remove(within).node;
                if pages[at].is_empty() {
                    pages.remove(at);
                }
                if pages.is_empty() {
                    self.0 = Store::Small(Vec::new());
                }
                Some(node)
            }
        }
    }

    /// Gives back the room that growing at the end left over. What it takes does not depend on how many pages there are.
    pub fn shrink(&mut self) {
        match &mut self.0 {
            Store::Small(page) => page.shrink_to_fit(),
            Store::Paged(pages) => {
                pages.last_mut().and_then(Arc::get_mut).into_iter().for_each(Vec::shrink_to_fit);
                pages.shrink_to_fit();
            }
        }
    }
}

fn find<L>(page: &[Entry<L>], name: &[u8]) -> Result<usize, usize> {
    match page.last() {
        Some(last) if *last.name < *name => Err(page.len()),
        _ => page.binary_search_by(|entry| (*entry.name).cmp(name)),
    }
}

/// The page that holds a name, or would.
fn page_of<L>(pages: &[Arc<Page<L>>], name: &[u8]) -> usize {
    let after = match pages.last().and_then(|page| page.first()) {
        Some(first) if *first.name <= *name => pages.len(),
        _ => pages.partition_point(|page| page.first().is_some_and(|first| *first.name <= *name)),
    };
    after.saturating_sub(1)
}

fn insert<L>(page: &mut Page<L>, name: Name, node: Node<L>) -> Option<Node<L>> {
    match find(page, &name) {
        Ok(at) => Some(std::mem::replace(&mut page[at].node, node)),
        Err(at) => {
            page.insert(at, Entry { name, node });
            None
        }
    }
}

fn insert_paged<L: Clone>(pages: &mut Vec<Arc<Page<L>>>, name: Name, node: Node<L>) -> Option<Node<L>> {
    let at = page_of(pages, &name);
    let is_appended = at + 1 == pages.len() && pages[at].last().is_none_or(|last| *last.name < *name);
    if is_appended && pages[at].len() >= PAGE {
        pages.push(Arc::new(vec![Entry { name, node }]));
        return None;
    }
    let page = Arc::make_mut(&mut pages[at]);
    let replaced = insert(page, name, node);
    if page.len() > PAGE {
        let upper = page.split_off(PAGE / 2);
        page.shrink_to_fit();
        pages.insert(at + 1, Arc::new(upper));
    }
    replaced
}
