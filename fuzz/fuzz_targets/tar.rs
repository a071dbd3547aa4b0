//! Any bytes as a layer: one typed error or a layer that can be read, stacked and written back, byte for byte.

#![no_main]

use layersim::{Blob, Layer, Limits, Stack};
use libfuzzer_sys::fuzz_target;

/// Small enough that a lying header costs the fuzzer no time.
const LIMITS: Limits = Limits {
    entries: 10_000,
    file_bytes: 1 << 30,
    header_bytes: 1 << 16,
    depth: 200,
    sparse_pieces: 1000,
    inflated_bytes: 1 << 24,
    inflation_ratio: 1_100,
};

fuzz_target!(|data: &[u8]| {
    let blob = Blob::from(data.to_vec());
    let Ok(layer) = Layer::from_tar(&blob, None, &LIMITS) else { return };
    let mut tar = Vec::new();
    layer.write_tar(&mut tar).expect("a vector takes all");
    let again = Layer::from_tar(&Blob::from(tar), Some(layer.diff_id()), &LIMITS).expect("its own tar");
    assert_eq!((again.size(), again.tar_size(), again.len()), (layer.size(), layer.tar_size(), layer.len()));
    let stack = Stack::of(&[layer.clone(), again]).expect("two layers");
    for step in stack.walk(b"/").expect("a root") {
        for name in step.dirs.iter().chain(&step.files) {
            let path = layersim::path::join(&step.path, name);
            assert!(stack.stat(&path, false).is_ok());
        }
    }
});
