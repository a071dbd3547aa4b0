//! Sizes and reference counts of many images at once, as arrays (spec/accounting.md sections 2 to 4).

mod groups;
mod holdings;

pub use holdings::{Holdings, Sets};

use crate::error::{Error, Result};

/// Which layers each image holds: image `i` has `layers[offsets[i]..offsets[i + 1]]`, each the number of a chain id.
#[derive(Debug, Clone, Copy)]
pub struct Chains<'a> {
    /// The numbers of the layers, image after image.
    pub layers: &'a [u32],
    /// Where each image starts; one more than there are images, the last is `layers.len()`.
    pub offsets: &'a [u64],
}

impl<'a> Chains<'a> {
    /// The chains as slices, once every number is known to be in range.
    fn checked(self, layers: usize) -> Result<Vec<&'a [u32]>> {
        if self.layers.iter().any(|layer| *layer as usize >= layers) {
            return Err(Error::input("a layer has no size"));
        }
        slices(self.layers, self.offsets, "layers")
    }
}

/// What each image takes, in bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Usage {
    /// The whole image: every position of its chain.
    pub size: Vec<u64>,
    /// Layers that more than one counted image holds.
    pub shared_size: Vec<u64>,
    /// The rest.
    pub unique_size: Vec<u64>,
    /// Every layer that a counted image holds, once.
    pub layers_size: u64,
}

/// Adds sizes; beyond 64 bits, where no disk is, it stays at the end.
fn total<'a>(sizes: impl Iterator<Item = &'a u64>) -> u64 {
    sizes.fold(0, |sum, size| sum.saturating_add(*size))
}

/// Sums up. `sizes` is by layer number; `counted` says which images make a layer shared.
///
/// # Errors
/// [`Error::Input`] for an image without a flag, and for an offset or a layer out of range.
pub fn usage(sizes: &[u64], chains: Chains<'_>, counted: &[bool]) -> Result<Usage> {
    if chains.offsets.len() != counted.len() + 1 {
        return Err(Error::input("there must be one offset more than images"));
    }
    let chains = chains.checked(sizes.len())?;
    let mut references = vec![0_u32; sizes.len()];
    for (chain, _) in chains.iter().zip(counted).filter(|(_, counted)| **counted) {
        for layer in *chain {
            references[*layer as usize] += 1;
        }
    }
    let held = references.iter().zip(sizes).filter(|(references, _)| **references > 0);
    let mut usage = Usage { layers_size: total(held.map(|(_, size)| size)), ..Usage::default() };
    for chain in chains {
        let size = total(chain.iter().map(|layer| &sizes[*layer as usize]));
        let is_shared = |layer: &&u32| references[**layer as usize] > 1;
        let shared = total(chain.iter().filter(is_shared).map(|layer| &sizes[*layer as usize]));
        usage.size.push(size);
        usage.shared_size.push(shared);
        usage.unique_size.push(size - shared);
    }
    Ok(usage)
}

/// Lists that lie end to end, as slices; `what` they list, for the error.
fn slices<'a, T>(items: &'a [T], offsets: &[u64], what: &str) -> Result<Vec<&'a [T]>> {
    let bounds = offsets.windows(2).map(|pair| (usize::try_from(pair[0]), usize::try_from(pair[1])));
    let slice = |(start, end)| match (start, end) {
        (Ok(start), Ok(end)) => items.get(start..end),
        _ => None,
    };
    bounds
        .map(|bounds| {
            slice(bounds).ok_or_else(|| Error::input(format!("offsets must rise and stay within the {what}")))
        })
        .collect()
}
