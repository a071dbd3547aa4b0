//! Who holds what, every layer once: what goes with one image, or with any set of them.

use rayon::prelude::*;

use super::groups::{Group, Grouped, Lists};
use super::{Chains, slices};
use crate::error::{Error, Result};

/// From this many images on, in all sets together, other threads are worth waking.
const SIDE_BY_SIDE: usize = 50_000;

/// Sets of images: set `s` is `images[offsets[s]..offsets[s + 1]]`; naming an image twice changes nothing.
#[derive(Debug, Clone, Copy)]
pub struct Sets<'a> {
    /// Places of the images among the chains, set after set.
    pub images: &'a [u64],
    /// Where each set starts; one more than there are sets, the last is `images.len()`.
    pub offsets: &'a [u64],
}

/// Which images hold which layers, summed up.
///
/// An image holds each of its layers once, however often it names it. A *pinned* layer is held by something else too, so
/// that it stays when all images go. In columns, sums beyond 64 bits, where no disk is, stay at the end.
#[derive(Debug, Clone)]
pub struct Holdings {
    referrers: Vec<u32>,
    exclusive: Vec<u64>,
    fair_share: Vec<f64>,
    size: u128,
    pinned_size: u128,
    groups: Vec<Group>,
    /// Of each image the groups that go with it and others, rising.
    shared: Lists,
}

impl Holdings {
    /// Sums up. `sizes` and `pinned` are by layer number.
    ///
    /// # Errors
    /// [`Error::Input`] for a layer without a flag, and for an offset or a layer out of range.
    pub fn new(sizes: &[u64], chains: Chains<'_>, pinned: &[bool]) -> Result<Self> {
        if pinned.len() != sizes.len() {
            return Err(Error::input("there must be as many flags as sizes"));
        }
        let Grouped { groups, group_of, held } = Grouped::new(sizes, &chains.checked(sizes.len())?, pinned);
        let at = |group: &u32| &groups[*group as usize];
        let mut shared = Lists::default();
        for list in held.iter() {
            shared.push(list.iter().copied().filter(|group| goes_with_several(at(group))));
        }
        Ok(Self {
            referrers: group_of.iter().map(|group| group.as_ref().map_or(0, |group| at(group).referrers)).collect(),
            exclusive: held
                .iter()
                .map(|list| narrowed(total(list.iter().map(at).filter(|group| goes_with_one(group)))))
                .collect(),
            fair_share: held.iter().map(|list| list.iter().map(at).map(share).sum()).collect(),
            size: total(groups.iter()),
            pinned_size: total(groups.iter().filter(|group| group.is_pinned)),
            groups,
            shared,
        })
    }

    /// How many images hold each layer, by layer number.
    pub fn referrers(&self) -> &[u32] {
        &self.referrers
    }

    /// What would be freed if an image alone went, by image.
    pub fn exclusive(&self) -> &[u64] {
        &self.exclusive
    }

    /// What an image's layers take, each divided by the number of images that hold it, by image.
    pub fn fair_share(&self) -> &[f64] {
        &self.fair_share
    }

    /// Bytes of all layers that an image holds, each once.
    pub fn size(&self) -> u128 {
        self.size
    }

    /// Those of them that stay when all images go.
    pub fn pinned_size(&self) -> u128 {
        self.pinned_size
    }

    /// What would be freed if the images of a set went, by set.
    ///
    /// # Errors
    /// [`Error::Input`] for an offset or an image out of range, and for more sets than 32 bits count.
    pub fn marginal(&self, sets: Sets<'_>) -> Result<Vec<u64>> {
        let images = self.exclusive.len();
        if sets.images.iter().any(|image| *image >= images as u64) {
            return Err(Error::input(format!("there are {images} images, and a set has another")));
        }
        let sets = slices(sets.images, sets.offsets, "images")?;
        let count = u32::try_from(sets.len()).map_err(|_| Error::input("too many sets"))?;
        let freed = |tally: &mut Tally<'_>, (number, set): (u32, &&[u64])| tally.freed(number + 1, set);
        if sets.iter().map(|set| set.len()).sum::<usize>() < SIDE_BY_SIDE {
            let mut tally = Tally::new(self);
            return Ok((0..count).zip(&sets).map(|set| freed(&mut tally, set)).collect());
        }
        Ok((0..count).into_par_iter().zip(&sets).map_init(|| Tally::new(self), freed).collect())
    }
}

fn goes_with_one(group: &Group) -> bool {
    group.referrers == 1 && !group.is_pinned
}

fn goes_with_several(group: &Group) -> bool {
    group.referrers > 1 && !group.is_pinned
}

fn total<'a>(groups: impl Iterator<Item = &'a Group>) -> u128 {
    groups.map(|group| group.size).sum()
}

/// What of a sum a column can tell.
fn narrowed(sum: u128) -> u64 {
    u64::try_from(sum).unwrap_or(u64::MAX)
}

#[expect(clippy::cast_precision_loss, reason = "a column of shares has 53 bits")]
fn share(group: &Group) -> f64 {
    group.size as f64 / f64::from(group.referrers)
}

/// The counters of one thread; what belongs to an earlier set is told by that set's number, and never wiped.
#[derive(Debug)]
struct Tally<'a> {
    holdings: &'a Holdings,
    /// Of each image the last set that had it.
    met: Vec<u32>,
    /// Of each group the last set that met it, and how many of its referrers that set has not shown yet.
    missing: Vec<(u32, u32)>,
}

impl<'a> Tally<'a> {
    fn new(holdings: &'a Holdings) -> Self {
        let (images, groups) = (holdings.exclusive.len(), holdings.groups.len());
        Self { holdings, met: vec![0; images], missing: vec![(0, 0); groups] }
    }

    /// What goes with a set: the groups that all referrers of are in it. `number` is that of no earlier set, and not 0.
    fn freed(&mut self, number: u32, set: &[u64]) -> u64 {
        let Holdings { exclusive, groups, shared, .. } = self.holdings;
        // Groups with more referrers than the set has images stay anyway.
        let stay = groups.partition_point(|group| u64::from(group.referrers) <= set.len() as u64);
        let mut freed = 0_u64;
        for image in set.iter().filter_map(|image| usize::try_from(*image).ok()) {
            if std::mem::replace(&mut self.met[image], number) == number {
                continue;
            }
            freed = freed.saturating_add(exclusive[image]);
            for group in shared.get(image).iter().map(|group| *group as usize).take_while(|group| *group < stay) {
                let (met, missing) = &mut self.missing[group];
                if std::mem::replace(met, number) != number {
                    *missing = groups[group].referrers;
                }
                *missing -= 1;
                if *missing == 0 {
                    freed = freed.saturating_add(narrowed(groups[group].size));
                }
            }
        }
        freed
    }
}
