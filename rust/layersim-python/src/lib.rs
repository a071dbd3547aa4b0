//! The compiled floor of the Python package `layersim`: it converts, detaches from the interpreter and makes one core call.
#![expect(
    clippy::doc_markdown,
    clippy::doc_link_with_quotes,
    reason = "the docstrings are numpydoc, read by Python: ADR 0003"
)]

mod archive;
mod arrow;
mod change;
mod convert;
mod digest;
mod edit;
mod entry;
mod error;
mod file;
mod hashing;
mod layer;
mod listing;
mod lookup;
mod member;
mod overlay;
mod progress;
mod saved;
mod stat;
mod target;
mod upper;
mod usage;
mod view;

/// The compiled floor of layersim.
#[pyo3::pymodule]
mod _core {
    #[pymodule_export]
    use crate::archive::PyArchive;
    #[pymodule_export]
    use crate::change::PyChange;
    #[pymodule_export]
    use crate::digest::{chain_ids, sha256};
    #[pymodule_export]
    use crate::edit::{PyEdit, hardlink, mkdir, opaque, remove, symlink, write};
    #[pymodule_export]
    use crate::entry::PyEntry;
    #[pymodule_export]
    use crate::file::PyFile;
    #[pymodule_export]
    use crate::hashing::hash_files;
    #[pymodule_export]
    use crate::layer::{PyLayer, PyLimits, restore_layer};
    #[pymodule_export]
    use crate::listing::{PyListing, list_directories};
    #[pymodule_export]
    use crate::lookup::{PyFound, PyPaths};
    #[pymodule_export]
    use crate::member::{PyMember, PyPacked, pack_layers, write_archive, write_directory};
    #[pymodule_export]
    use crate::overlay::PyOverlay;
    #[pymodule_export]
    use crate::overlay::PySnapshot;
    #[pymodule_export]
    use crate::saved::{PyBlobs, write_blobs};
    #[pymodule_export]
    use crate::stat::PyStat;
    #[pymodule_export]
    use crate::upper::PyUpper;
    #[pymodule_export]
    use crate::usage::{PyHoldings, PyUsage, usage};
    #[pymodule_export]
    use crate::view::PyView;

    /// How the extension was built: `release` or `debug`. Benchmarks refuse the latter.
    #[pymodule_export]
    const BUILD_PROFILE: &str = if cfg!(debug_assertions) { "debug" } else { "release" };
    /// The longest chain of layers that a view can attribute.
    #[pymodule_export]
    const MAX_CHAIN: usize = layersim::stack::MAX_DEPTH;
}
