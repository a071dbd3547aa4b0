//! `View`: the read-only union of a chain of layers.

mod reading;

pub use reading::steps;

use std::sync::Arc;

use layersim::archive::Dialect;
use layersim::layer::{Layer, write_flattened};
use layersim::{Stack, change};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::change::PyChange;
use crate::convert::PathArg;
use crate::error::{Result, detached};
use crate::layer::PyLayer;
use crate::lookup::{BatchArg, PyFound, Strategy};
use crate::target::TargetArg;

/// The read-only union of layers, as a container sees them.
///
/// Parameters
/// ----------
/// layers : sequence of Layer
///     Base first.
///
/// Raises
/// ------
/// ContentMissingError
///     For a synthetic layer.
///
/// Notes
/// -----
/// Making one costs the entries of the layers that no other live view has merged in this order, hiding included; a
/// directory that only one layer has is taken over as it is. ``len`` is the number of visible entries, the root not counted.
/// Paths are taken from the root, with or without a leading slash.
///
/// References
/// ----------
/// Linux overlayfs, Documentation/filesystems/overlayfs.rst.
///
/// Examples
/// --------
/// >>> import layersim as ls
/// >>> base = ls.Layer.from_changes([ls.write("/etc/motd", b"hello")])
/// >>> app = ls.Layer.from_changes([ls.remove("/etc/motd"), ls.write("/app", b"1")])
/// >>> view = ls.View([base, app])
/// >>> "/etc/motd" in view, view.listdir("/"), view.stat("/app").layer
/// (False, ['app', 'etc'], 1)
#[pyclass(frozen, name = "View", module = "layersim")]
#[derive(Debug)]
pub struct PyView(pub Arc<Stack>);

/// Layers in a sequence, or those of a view.
pub fn stack_of(py: Python<'_>, layers: &Bound<'_, PyAny>) -> Result<Arc<Stack>> {
    if let Ok(view) = layers.cast::<PyView>() {
        return Ok(Arc::clone(&view.get().0));
    }
    let layers = layers
        .try_iter()?
        .map(|layer| Ok(layer?.cast::<PyLayer>()?.get().0.clone()))
        .collect::<PyResult<Vec<Layer>>>()?;
    detached(py, || Stack::of(&layers))
}

impl PyView {
    /// The stack, ready for single lookups: making its table does not hold the interpreter up.
    pub(crate) fn indexed(&self, py: Python<'_>) -> &Stack {
        if !self.0.is_indexed() {
            py.detach(|| self.0.index());
        }
        &self.0
    }
}

#[pymethods]
impl PyView {
    #[new]
    #[pyo3(signature = (layers, /))]
    fn new(py: Python<'_>, layers: &Bound<'_, PyAny>) -> Result<Self> {
        stack_of(py, layers).map(Self)
    }

    /// The layers, base first.
    #[getter]
    fn layers<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.0.layers().into_iter().map(PyLayer))
    }

    /// Identity of the chain, or None for the union of nothing.
    #[getter]
    fn chain_id(&self) -> Option<String> {
        self.0.chain_id().map(|id| id.to_string())
    }

    /// Look many paths up at once.
    ///
    /// Parameters
    /// ----------
    /// paths : Paths, numpy.ndarray, Arrow array or sequence of str or bytes
    ///     A ``Paths``, an array of dtype ``S`` or Arrow strings are looked up without touching Python objects.
    /// strategy : str
    ///     ``"index"`` asks the table of the merged tree. ``"walk"`` looks every name up in one layer after the other, from
    ///     the top, and counts these probes: the same answers at a cost that grows with the depth, to compare with.
    ///
    /// Returns
    /// -------
    /// Found
    ///     Columns ``layer``, ``kind``, ``size``, ``mode`` and ``probes``.
    ///
    /// Raises
    /// ------
    /// TypeError
    ///     For something that is not paths.
    /// ValueError
    ///     For another strategy, or a null in an Arrow array.
    ///
    /// Notes
    /// -----
    /// As ``lstat``: links on the way are followed, one at the end is not. One probe of a table per path; the table is made
    /// when it is first wanted, from that of the parent chain.
    #[pyo3(signature = (paths, *, strategy=Strategy::Index), text_signature = "($self, paths, *, strategy='index')")]
    fn lookup(&self, py: Python<'_>, paths: BatchArg, strategy: Strategy) -> PyFound {
        let (found, probes) = py.detach(|| match strategy {
            Strategy::Index => (self.0.lookup(&paths.0), None),
            Strategy::Walk => {
                let (found, probes) = self.0.lookup_layered(&paths.0);
                (found, Some(probes))
            }
        });
        PyFound::new(py, Arc::clone(&self.0), paths.0, found, probes)
    }

    /// Tell what changed from this view to another.
    ///
    /// Parameters
    /// ----------
    /// other : View
    ///     The later one.
    ///
    /// Returns
    /// -------
    /// list of Change
    ///     As ``docker diff`` lists them, sorted.
    ///
    /// Notes
    /// -----
    /// What ``docker diff`` takes for equal, files and links of one size and one time, is compared byte by byte here:
    /// times in archives are whole seconds. Directories that both views share are skipped.
    fn changes(&self, py: Python<'_>, other: &Self) -> Vec<PyChange> {
        let changes = py.detach(|| change::diff(self.0.root(), other.0.root()));
        changes.into_iter().map(PyChange).collect()
    }

    /// Write what the view shows as one tar, as ``docker export`` does.
    ///
    /// Parameters
    /// ----------
    /// target : path or binary file
    ///     A path is written atomically.
    ///
    /// Returns
    /// -------
    /// int
    ///     Bytes written.
    ///
    /// Raises
    /// ------
    /// OSError
    ///     When the target cannot be written.
    fn write_tar(&self, py: Python<'_>, target: TargetArg) -> Result<u64> {
        target.fill(py, |writer| write_flattened(self.0.root(), Dialect::Canonical, writer))
    }

    /// Write what the view shows as files on a disk.
    ///
    /// Parameters
    /// ----------
    /// directory : path
    ///     Made if it is missing; must be empty.
    ///
    /// Raises
    /// ------
    /// OSError
    ///     When something cannot be written, naming it.
    ///
    /// Notes
    /// -----
    /// Owners, device nodes and privileged attributes need root; otherwise files belong to the user and devices are
    /// refused. Nothing is written outside ``directory``, whatever links say.
    #[expect(clippy::needless_pass_by_value, reason = "an extracted argument can only be owned")]
    fn extract(&self, py: Python<'_>, directory: PathArg<'_>) -> Result<()> {
        let directory = directory.as_host_path();
        detached(py, || layersim::extract::extract(self.0.root(), directory))
    }

    #[expect(clippy::needless_pass_by_value, reason = "an extracted argument can only be owned")]
    fn __contains__(&self, py: Python<'_>, path: PathArg<'_>) -> bool {
        self.indexed(py).lookup_one(&path.bytes).is_some()
    }

    fn __len__(&self) -> usize {
        usize::try_from(self.0.root().visible()).unwrap_or(usize::MAX)
    }

    #[expect(clippy::unused_self, reason = "Python passes it")]
    fn __bool__(&self) -> bool {
        true
    }

    fn __repr__(&self) -> String {
        format!("View({} layers, {} entries)", self.0.depth(), self.__len__())
    }
}
