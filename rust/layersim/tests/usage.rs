//! Sums over who holds what, against sets and loops.

#![expect(clippy::expect_used, reason = "a test stops where what it needs is not there")]
#![expect(clippy::cast_precision_loss, reason = "shares are compared as far as a column tells them")]

use std::collections::BTreeSet;

use layersim::usage::{Chains, Holdings, Sets, usage};
use proptest::prelude::*;

const LAYERS: u32 = 12;

/// A fleet as it is told: sizes and pins by layer, layers by image, perhaps named twice.
#[derive(Debug, Clone)]
struct Fleet {
    sizes: Vec<u64>,
    pinned: Vec<bool>,
    images: Vec<Vec<u32>>,
}

fn fleets() -> impl Strategy<Value = Fleet> {
    let sizes = prop::collection::vec(prop_oneof![9 => 0..1000_u64, 1 => Just(u64::MAX / 2)], LAYERS as usize);
    let pinned = prop::collection::vec(prop::bool::weighted(0.2), LAYERS as usize);
    let images = prop::collection::vec(prop::collection::vec(0..LAYERS, 0..7), 0..9);
    (sizes, pinned, images).prop_map(|(sizes, pinned, images)| Fleet { sizes, pinned, images })
}

fn packed<T: Copy>(lists: &[Vec<T>]) -> (Vec<T>, Vec<u64>) {
    let ends = lists.iter().scan(0, |end, list| {
        *end += list.len() as u64;
        Some(*end)
    });
    (lists.concat(), std::iter::once(0).chain(ends).collect())
}

impl Fleet {
    fn holdings(&self) -> Holdings {
        let (layers, offsets) = packed(&self.images);
        Holdings::new(&self.sizes, Chains { layers: &layers, offsets: &offsets }, &self.pinned).expect("in range")
    }

    fn referrers(&self, layer: u32) -> usize {
        self.images.iter().filter(|image| image.contains(&layer)).count()
    }

    fn exact(&self, layer: u32) -> u128 {
        u128::from(self.sizes[layer as usize])
    }

    /// The layers that images of `places` hold.
    fn held(&self, places: impl Iterator<Item = usize>) -> BTreeSet<u32> {
        places.flat_map(|place| self.images[place].clone()).collect()
    }

    fn bytes(&self, layers: impl IntoIterator<Item = u32>) -> u64 {
        layers.into_iter().fold(0, |sum, layer| sum.saturating_add(self.sizes[layer as usize]))
    }

    /// What is there before, without what the rest holds and what is pinned.
    fn freed(&self, set: &[u64]) -> u64 {
        let goes = |place: &usize| set.contains(&(*place as u64));
        let kept = self.held((0..self.images.len()).filter(|place| !goes(place)));
        let gone = self.held((0..self.images.len()).filter(goes));
        self.bytes(gone.difference(&kept).copied().filter(|layer| !self.pinned[*layer as usize]))
    }
}

proptest! {
    #[test]
    fn holdings_are_what_sets_say(fleet in fleets(), picks in prop::collection::vec(prop::collection::vec(any::<u64>(), 0..12), 0..6)) {
        let holdings = fleet.holdings();
        let images = fleet.images.len();
        let all = fleet.held(0..images);
        let pinned = |layer: &u32| fleet.pinned[*layer as usize];
        prop_assert_eq!(holdings.size(), all.iter().map(|layer| fleet.exact(*layer)).sum::<u128>());
        let kept = all.iter().filter(|layer| pinned(layer));
        prop_assert_eq!(holdings.pinned_size(), kept.map(|layer| fleet.exact(*layer)).sum::<u128>());
        for layer in 0..LAYERS {
            prop_assert_eq!(holdings.referrers()[layer as usize] as usize, fleet.referrers(layer));
        }
        for place in 0..images {
            prop_assert_eq!(holdings.exclusive()[place], fleet.freed(&[place as u64]));
            let share = |layer: u32| fleet.sizes[layer as usize] as f64 / fleet.referrers(layer) as f64;
            let fair: f64 = fleet.held(std::iter::once(place)).into_iter().map(share).sum();
            prop_assert!((holdings.fair_share()[place] - fair).abs() <= fair * 1e-12);
        }
        let sets: Vec<Vec<u64>> = match images as u64 {
            0 => picks.iter().map(|_| vec![]).collect(),
            images => picks.iter().map(|set| set.iter().map(|at| at % images).collect()).collect(),
        };
        let (members, offsets) = packed(&sets);
        let freed = holdings.marginal(Sets { images: &members, offsets: &offsets }).expect("in range");
        prop_assert_eq!(freed, sets.iter().map(|set| fleet.freed(set)).collect::<Vec<_>>());
    }

    #[test]
    fn usage_is_what_loops_say(fleet in fleets(), flags in prop::collection::vec(any::<bool>(), 9)) {
        let (layers, offsets) = packed(&fleet.images);
        let counted = &flags[..fleet.images.len()];
        let sums = usage(&fleet.sizes, Chains { layers: &layers, offsets: &offsets }, counted).expect("in range");
        let positions = |layer: u32| {
            let counting = fleet.images.iter().zip(counted).filter(|(_, counted)| **counted);
            counting.flat_map(|(image, _)| image).filter(|other| **other == layer).count()
        };
        for (place, image) in fleet.images.iter().enumerate() {
            let shared = fleet.bytes(image.iter().copied().filter(|layer| positions(*layer) > 1));
            prop_assert_eq!(sums.size[place], fleet.bytes(image.iter().copied()));
            prop_assert_eq!(sums.shared_size[place], shared);
            prop_assert_eq!(sums.unique_size[place], sums.size[place] - shared);
        }
        prop_assert_eq!(sums.layers_size, fleet.bytes((0..LAYERS).filter(|layer| positions(*layer) > 0)));
    }
}

#[test]
fn arrays_that_do_not_fit_are_refused() {
    let chains = |layers, offsets| Chains { layers, offsets };
    let refused = |sizes: &[u64], chains, pinned: &[bool]| {
        Holdings::new(sizes, chains, pinned).expect_err("does not fit").to_string()
    };
    assert_eq!(refused(&[1], chains(&[0], &[0, 1]), &[]), "there must be as many flags as sizes");
    assert_eq!(refused(&[1], chains(&[1], &[0, 1]), &[false]), "a layer has no size");
    assert_eq!(refused(&[1], chains(&[0], &[0, 2]), &[false]), "offsets must rise and stay within the layers");
    assert_eq!(refused(&[1], chains(&[0], &[1, 0]), &[false]), "offsets must rise and stay within the layers");
    let holdings = Holdings::new(&[1], chains(&[0], &[0, 1]), &[false]).expect("fits");
    let marginal = |images: &[u64], offsets: &[u64]| holdings.marginal(Sets { images, offsets });
    assert_eq!(marginal(&[1], &[0, 1]).expect_err("no image").to_string(), "there are 1 images, and a set has another");
    assert_eq!(
        marginal(&[0], &[0, 9]).expect_err("too far").to_string(),
        "offsets must rise and stay within the images"
    );
    assert_eq!(marginal(&[0], &[]).expect("no set"), Vec::<u64>::new());
    assert_eq!(marginal(&[0], &[0, 1, 1, 1]).expect("fits"), [1, 0, 0]);
}

#[test]
fn very_many_sets_are_summed_up_side_by_side() {
    let images: Vec<Vec<u32>> = (0..100).map(|image| vec![image % 7, 7 + image]).collect();
    let (sizes, pinned) = ((1..=107).collect(), vec![false; 107]);
    let fleet = Fleet { sizes, pinned, images };
    let sets: Vec<Vec<u64>> = (1..1000).map(|set| (0..100).filter(|image| (set * image) % 11 < 9).collect()).collect();
    let (members, offsets) = packed(&sets);
    let freed = fleet.holdings().marginal(Sets { images: &members, offsets: &offsets }).expect("in range");
    assert!(members.len() > 50_000);
    for (set, freed) in sets.iter().zip(freed).step_by(53) {
        assert_eq!(freed, fleet.freed(set));
    }
}
