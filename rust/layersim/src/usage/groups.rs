//! Layers that the very same images hold, put together: they stay together and go together.

/// Such layers; either all of them are pinned or none is.
#[derive(Debug, Clone, Default)]
pub struct Group {
    /// Their bytes.
    pub size: u128,
    /// How many images hold them.
    pub referrers: u32,
    /// Whether something other than images holds them too.
    pub is_pinned: bool,
}

/// Lists of group numbers, end to end.
#[derive(Debug, Clone, Default)]
pub struct Lists {
    items: Vec<u32>,
    ends: Vec<usize>,
}

impl Lists {
    /// Adds a list.
    pub fn push(&mut self, list: impl IntoIterator<Item = u32>) {
        self.items.extend(list);
        self.ends.push(self.items.len());
    }

    /// The list at a place.
    pub fn get(&self, at: usize) -> &[u32] {
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        &self.items[start..self.ends[at]]
    }

    /// One after the other.
    pub fn iter(&self) -> impl Iterator<Item = &[u32]> {
        (0..self.ends.len()).map(|at| self.get(at))
    }
}

/// What images hold, by groups.
#[derive(Debug)]
pub struct Grouped {
    /// The groups, the fewest referrers first.
    pub groups: Vec<Group>,
    /// Of each layer its group; None for one that no image holds.
    pub group_of: Vec<Option<u32>>,
    /// Of each image its groups, each once, rising.
    pub held: Lists,
}

impl Grouped {
    /// Puts layers together. `sizes` and `pinned` are by layer number, and chains name no other numbers.
    pub fn new(sizes: &[u64], chains: &[&[u32]], pinned: &[bool]) -> Self {
        let (mut group_of, count) = split(chains, pinned);
        let (mut held, referrers) = held(chains, &group_of, count);
        let rank = ranks(&referrers);
        group_of.iter_mut().flatten().for_each(|group| *group = rank[*group as usize]);
        held = held.iter().fold(Lists::default(), |mut ranked, list| {
            let mut list: Vec<u32> = list.iter().map(|group| rank[*group as usize]).collect();
            list.sort_unstable();
            ranked.push(list);
            ranked
        });
        let mut groups = vec![Group::default(); count as usize];
        for (referrers, rank) in referrers.iter().zip(&rank) {
            groups[*rank as usize].referrers = *referrers;
        }
        for (layer, group) in group_of.iter().enumerate() {
            if let Some(group) = group.and_then(|group| groups.get_mut(group as usize)) {
                group.size += u128::from(sizes[layer]);
                group.is_pinned = pinned[layer];
            }
        }
        Self { groups, group_of, held }
    }
}

/// The group of each layer, None for one that no image holds; and how many groups there are.
///
/// Every image in turn takes what it holds out of each group, so in the end a group is what no image tells apart.
fn split(chains: &[&[u32]], pinned: &[bool]) -> (Vec<Option<u32>>, u32) {
    let mut part_of: Vec<usize> = pinned.iter().map(|is_pinned| usize::from(*is_pinned)).collect();
    let mut last_holder = vec![None; pinned.len()];
    // Of each part the image that last took something out of it, and the part that this is now.
    let mut taken = vec![(None, 0); 2];
    for (image, chain) in chains.iter().enumerate() {
        for layer in chain.iter().map(|layer| *layer as usize) {
            if last_holder[layer].replace(image) == Some(image) {
                continue;
            }
            let part = part_of[layer];
            if taken[part].0 != Some(image) {
                taken[part] = (Some(image), taken.len());
                taken.push((None, 0));
            }
            part_of[layer] = taken[part].1;
        }
    }
    numbered(chains, &part_of, taken.len())
}

/// Numbers the parts that something is left in.
fn numbered(chains: &[&[u32]], part_of: &[usize], parts: usize) -> (Vec<Option<u32>>, u32) {
    let (mut numbers, mut count) = (vec![None; parts], 0);
    for layer in chains.iter().copied().flatten() {
        numbers[part_of[*layer as usize]].get_or_insert_with(|| {
            count += 1;
            count - 1
        });
    }
    (part_of.iter().map(|part| numbers[*part]).collect(), count)
}

/// Of each image its groups, each once; and of each group how many images hold it.
fn held(chains: &[&[u32]], group_of: &[Option<u32>], count: u32) -> (Lists, Vec<u32>) {
    let (mut referrers, mut last_holder) = (vec![0; count as usize], vec![None; count as usize]);
    let mut held = Lists::default();
    for (image, chain) in chains.iter().enumerate() {
        let groups = chain.iter().filter_map(|layer| group_of[*layer as usize]);
        held.push(groups.filter(|group| last_holder[*group as usize].replace(image) != Some(image)));
        for group in held.get(image) {
            referrers[*group as usize] += 1;
        }
    }
    (held, referrers)
}

/// The place of each group when those with the fewest referrers come first.
fn ranks(referrers: &[u32]) -> Vec<u32> {
    let mut order: Vec<usize> = (0..referrers.len()).collect();
    order.sort_by_key(|group| referrers[*group]);
    let mut ranks = vec![0; referrers.len()];
    for (rank, group) in (0..).zip(order) {
        ranks[group] = rank;
    }
    ranks
}
