//! Sizes and sharing of many images, as arrays.

use layersim::usage::{Chains, Holdings, Sets, Usage};
use numpy::{PyArray1, PyReadonlyArray1};
use pyo3::prelude::*;

use crate::error::{Result, detached};
use crate::lookup::frozen;

/// What each image of a set takes; the answer of :func:`usage`.
///
/// Notes
/// -----
/// The columns are read-only, uint64, shape (n_images,), bytes.
#[pyclass(frozen, name = "Usage", module = "layersim")]
#[derive(Debug)]
pub struct PyUsage {
    size: Py<PyArray1<u64>>,
    shared_size: Py<PyArray1<u64>>,
    unique_size: Py<PyArray1<u64>>,
    layers_size: u64,
}

#[pymethods]
impl PyUsage {
    /// Every position of the chain: uint64, shape (n_images,), bytes.
    #[getter]
    fn size(&self, py: Python<'_>) -> Py<PyArray1<u64>> {
        self.size.clone_ref(py)
    }

    /// Layers that more than one counted image holds: uint64, shape (n_images,), bytes.
    #[getter]
    fn shared_size(&self, py: Python<'_>) -> Py<PyArray1<u64>> {
        self.shared_size.clone_ref(py)
    }

    /// The rest: uint64, shape (n_images,), bytes.
    #[getter]
    fn unique_size(&self, py: Python<'_>) -> Py<PyArray1<u64>> {
        self.unique_size.clone_ref(py)
    }

    /// Every layer that a counted image holds, once, in bytes.
    #[getter]
    fn layers_size(&self) -> u64 {
        self.layers_size
    }
}

/// Sum up what images take and share.
///
/// Parameters
/// ----------
/// sizes : numpy.ndarray
///     uint64, shape (n_layers,): bytes of each layer, one row a chain id.
/// layers : numpy.ndarray
///     uint32: the layer numbers of all images, image after image.
/// offsets : numpy.ndarray
///     uint64, shape (n_images + 1,): where each image starts in ``layers``.
/// counted : numpy.ndarray
///     bool, shape (n_images,): which images make a layer shared.
///
/// Returns
/// -------
/// Usage
///     Sizes, shared and unique bytes of every image.
///
/// Raises
/// ------
/// ValueError
///     When the arrays do not fit together.
///
/// Notes
/// -----
/// Linear in the length of ``layers``.
///
/// References
/// ----------
/// The rules are those of ``docker system df -v``.
///
/// Examples
/// --------
/// >>> import numpy as np
/// >>> from layersim import usage
/// >>> base_and_app = usage(np.array([10, 3], "u8"), np.array([0, 0, 1], "u4"), np.array([0, 1, 3], "u8"), np.ones(2, bool))
/// >>> base_and_app.unique_size.tolist(), base_and_app.layers_size
/// ([0, 3], 13)
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "an extracted array can only be owned")]
pub fn usage(
    py: Python<'_>,
    sizes: PyReadonlyArray1<'_, u64>,
    layers: PyReadonlyArray1<'_, u32>,
    offsets: PyReadonlyArray1<'_, u64>,
    counted: PyReadonlyArray1<'_, bool>,
) -> Result<PyUsage> {
    let (sizes, counted) = (sizes.as_slice().map_err(PyErr::from)?, counted.as_slice().map_err(PyErr::from)?);
    let chains =
        Chains { layers: layers.as_slice().map_err(PyErr::from)?, offsets: offsets.as_slice().map_err(PyErr::from)? };
    let Usage { size, shared_size, unique_size, layers_size } =
        detached(py, || layersim::usage::usage(sizes, chains, counted))?;
    Ok(PyUsage {
        size: frozen(py, size),
        shared_size: frozen(py, shared_size),
        unique_size: frozen(py, unique_size),
        layers_size,
    })
}

/// Which images hold which layers, summed up once and asked often.
///
/// Parameters
/// ----------
/// sizes : numpy.ndarray
///     uint64, shape (n_layers,): bytes of whatever takes room, one row a number.
/// layers : numpy.ndarray
///     uint32: the layer numbers of all images, image after image.
/// offsets : numpy.ndarray
///     uint64, shape (n_images + 1,): where each image starts in ``layers``.
/// pinned : numpy.ndarray
///     bool, shape (n_layers,): what something other than images holds too.
///
/// Raises
/// ------
/// ValueError
///     When the arrays do not fit together.
///
/// Notes
/// -----
/// An image holds each of its layers once, however often it names it. Layers that the very same images hold are put
/// together first, which is linear in the length of ``layers``; :meth:`marginal` then takes a step for each such group
/// that an image of the set shares with others. The columns are read-only; in them, sums beyond 64 bits stay at the end.
#[pyclass(frozen, name = "Holdings", module = "layersim")]
#[derive(Debug)]
pub struct PyHoldings {
    holdings: Holdings,
    referrers: Py<PyArray1<u32>>,
    exclusive: Py<PyArray1<u64>>,
    fair_share: Py<PyArray1<f64>>,
}

#[pymethods]
impl PyHoldings {
    #[new]
    #[pyo3(signature = (sizes, layers, offsets, pinned, /))]
    #[expect(clippy::needless_pass_by_value, reason = "an extracted array can only be owned")]
    fn new(
        py: Python<'_>,
        sizes: PyReadonlyArray1<'_, u64>,
        layers: PyReadonlyArray1<'_, u32>,
        offsets: PyReadonlyArray1<'_, u64>,
        pinned: PyReadonlyArray1<'_, bool>,
    ) -> Result<Self> {
        let (sizes, pinned) = (sizes.as_slice().map_err(PyErr::from)?, pinned.as_slice().map_err(PyErr::from)?);
        let (layers, offsets) = (layers.as_slice().map_err(PyErr::from)?, offsets.as_slice().map_err(PyErr::from)?);
        let holdings = detached(py, || Holdings::new(sizes, Chains { layers, offsets }, pinned))?;
        Ok(Self {
            referrers: frozen(py, holdings.referrers().to_vec()),
            exclusive: frozen(py, holdings.exclusive().to_vec()),
            fair_share: frozen(py, holdings.fair_share().to_vec()),
            holdings,
        })
    }

    /// How many images hold each layer: uint32, shape (n_layers,).
    #[getter]
    fn referrers(&self, py: Python<'_>) -> Py<PyArray1<u32>> {
        self.referrers.clone_ref(py)
    }

    /// What would be freed if an image alone went: uint64, shape (n_images,), bytes.
    #[getter]
    fn exclusive(&self, py: Python<'_>) -> Py<PyArray1<u64>> {
        self.exclusive.clone_ref(py)
    }

    /// Each layer's size over the number of images that hold it, summed: float64, shape (n_images,), bytes.
    #[getter]
    fn fair_share(&self, py: Python<'_>) -> Py<PyArray1<f64>> {
        self.fair_share.clone_ref(py)
    }

    /// Bytes of every layer that an image holds, each once.
    #[getter]
    fn size(&self) -> u128 {
        self.holdings.size()
    }

    /// Those of them that stay when all images go.
    #[getter]
    fn pinned_size(&self) -> u128 {
        self.holdings.pinned_size()
    }

    /// Return what would be freed if the images of a set went, for many sets.
    ///
    /// Parameters
    /// ----------
    /// images : numpy.ndarray
    ///     uint64: places of images, set after set.
    /// offsets : numpy.ndarray
    ///     uint64, shape (n_sets + 1,): where each set starts in ``images``.
    ///
    /// Returns
    /// -------
    /// numpy.ndarray
    ///     uint64, shape (n_sets,), bytes.
    ///
    /// Raises
    /// ------
    /// ValueError
    ///     When the arrays do not fit together, or there is no such image.
    #[pyo3(signature = (images, offsets, /))]
    #[expect(clippy::needless_pass_by_value, reason = "an extracted array can only be owned")]
    fn marginal(
        &self,
        py: Python<'_>,
        images: PyReadonlyArray1<'_, u64>,
        offsets: PyReadonlyArray1<'_, u64>,
    ) -> Result<Py<PyArray1<u64>>> {
        let (images, offsets) = (images.as_slice().map_err(PyErr::from)?, offsets.as_slice().map_err(PyErr::from)?);
        let freed = detached(py, || self.holdings.marginal(Sets { images, offsets }))?;
        Ok(PyArray1::from_vec(py, freed).unbind())
    }
}
