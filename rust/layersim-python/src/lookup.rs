//! Many paths at once: packed on the way in, columns on the way out.

use std::sync::{Arc, OnceLock};

use layersim::Stack;
use layersim::stack::{Found, PathBatch};
use numpy::{Element, PyArray1, PyArrayMethods};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedStr;
use pyo3::sync::OnceLockExt;
use pyo3::types::{PyBytes, PyString};

use crate::arrow;
use crate::convert::PathArg;

/// Paths packed into one buffer, for lookups that are made more than once.
///
/// Parameters
/// ----------
/// paths : iterable of str or bytes
///     Copied once. Also numpy arrays of strings and whatever offers a column of strings by Arrow's PyCapsule interface.
///
/// Examples
/// --------
/// >>> from layersim import Paths
/// >>> len(Paths(["/etc", "/etc/motd"]))
/// 2
#[pyclass(frozen, name = "Paths", module = "layersim")]
#[derive(Debug)]
pub struct PyPaths(pub Arc<PathBatch>);

#[pymethods]
impl PyPaths {
    #[new]
    #[pyo3(signature = (paths, /))]
    fn new(paths: BatchArg) -> Self {
        Self(paths.0)
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }

    fn __repr__(&self) -> String {
        format!("Paths({})", self.0.len())
    }
}

/// Paths in any form that `View.lookup` takes.
#[derive(Debug)]
pub struct BatchArg(pub Arc<PathBatch>);

impl<'a, 'py> FromPyObject<'a, 'py> for BatchArg {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(paths) = object.cast::<PyPaths>() {
            return Ok(Self(Arc::clone(&paths.get().0)));
        }
        if let Some(fields) = fixed(&object)? {
            return Ok(Self(Arc::new(fields)));
        }
        if let Some(strings) = arrow::strings(&object)? {
            return Ok(Self(Arc::new(strings)));
        }
        if object.is_instance_of::<PyString>() || object.is_instance_of::<PyBytes>() {
            return Err(PyTypeError::new_err("expected many paths, got one: put it into a list"));
        }
        let (mut bytes, mut ends) = (Vec::new(), Vec::new());
        let paths = object.try_iter().map_err(|_| {
            let given = object.get_type().name().map_or_else(|_| "something else".to_owned(), |name| name.to_string());
            PyTypeError::new_err(format!("expected many paths, got {given}"))
        })?;
        for path in paths {
            bytes.extend_from_slice(&path?.extract::<PathArg<'_>>()?.bytes);
            ends.push(bytes.len());
        }
        Ok(Self(Arc::new(PathBatch::Packed { bytes, ends })))
    }
}

/// The fields of a numpy array of bytes (dtype `S`), taken over in one copy; other strings are encoded by numpy first.
fn fixed(object: &Bound<'_, PyAny>) -> PyResult<Option<PathBatch>> {
    let Ok(dtype) = object.getattr("dtype") else {
        return Ok(None);
    };
    // The types of other libraries' columns, a polars Series for one, have no kind.
    let Some(kind) = dtype.getattr_opt("kind")? else {
        return Ok(None);
    };
    let fields = match kind.extract::<&str>()? {
        "S" => object.clone(),
        "U" => object
            .py()
            .import("numpy")?
            .getattr("strings")?
            .call_method1("encode", (object, "utf-8", "surrogateescape"))?,
        _ => return Ok(None),
    };
    let width: usize = fields.getattr("dtype")?.getattr("itemsize")?.extract()?;
    let bytes: Vec<u8> = fields.call_method0("tobytes")?.extract()?;
    Ok((width > 0).then_some(PathBatch::Fixed { bytes, width }))
}

/// How a lookup is made.
#[derive(Debug, Clone, Copy)]
pub enum Strategy {
    /// In the table of the merged tree.
    Index,
    /// Layer by layer, from the top.
    Walk,
}

impl<'a, 'py> FromPyObject<'a, 'py> for Strategy {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        match object.extract::<PyBackedStr>()?.as_ref() {
            "index" => Ok(Self::Index),
            "walk" => Ok(Self::Walk),
            other => Err(PyValueError::new_err(format!("expected the strategy \"index\" or \"walk\", got {other:?}"))),
        }
    }
}

/// The answer of :meth:`View.lookup`: one column a question, one row a path, in the order of the paths.
///
/// Notes
/// -----
/// The columns are read-only. ``layer`` is int32, -1 where nothing is; ``kind`` is uint8, the type bits of ``st_mode``
/// shifted right by 12 (``DT_REG`` is 8, ``DT_DIR`` 4, ``DT_LNK`` 10), 0 where nothing is; ``size`` is uint64, bytes;
/// ``mode`` is uint32; ``probes`` is uint32, counted when it is asked for (with ``strategy="walk"`` while looking up).
#[pyclass(frozen, name = "Found", module = "layersim")]
#[derive(Debug)]
pub struct PyFound {
    stack: Arc<Stack>,
    paths: Arc<PathBatch>,
    layer: Py<PyArray1<i32>>,
    kind: Py<PyArray1<u8>>,
    size: Py<PyArray1<u64>>,
    mode: Py<PyArray1<u32>>,
    probes: OnceLock<Py<PyArray1<u32>>>,
}

impl PyFound {
    /// Takes the columns over; without `probes` they are counted when they are asked for.
    pub fn new(
        py: Python<'_>,
        stack: Arc<Stack>,
        paths: Arc<PathBatch>,
        found: Found,
        probes: Option<Vec<u32>>,
    ) -> Self {
        let probes = probes.map(|probes| frozen(py, probes));
        Self {
            stack,
            paths,
            layer: frozen(py, found.layer),
            kind: frozen(py, found.kind),
            size: frozen(py, found.size),
            mode: frozen(py, found.mode),
            probes: probes.map_or_else(OnceLock::new, OnceLock::from),
        }
    }
}

/// A column that cannot be written to.
pub fn frozen<T: Element>(py: Python<'_>, column: Vec<T>) -> Py<PyArray1<T>> {
    let array = PyArray1::from_vec(py, column);
    array.readwrite().make_nonwriteable();
    array.unbind()
}

#[pymethods]
impl PyFound {
    /// Position of the layer, base 0: int32, shape (n,), -1 where nothing is.
    #[getter]
    fn layer(&self, py: Python<'_>) -> Py<PyArray1<i32>> {
        self.layer.clone_ref(py)
    }

    /// Type: uint8, shape (n,), 0 where nothing is.
    #[getter]
    fn kind(&self, py: Python<'_>) -> Py<PyArray1<u8>> {
        self.kind.clone_ref(py)
    }

    /// Bytes: uint64, shape (n,).
    #[getter]
    fn size(&self, py: Python<'_>) -> Py<PyArray1<u64>> {
        self.size.clone_ref(py)
    }

    /// Type and permission bits: uint32, shape (n,).
    #[getter]
    fn mode(&self, py: Python<'_>) -> Py<PyArray1<u32>> {
        self.mode.clone_ref(py)
    }

    /// Lookups in single layers that the kernel would make for ``lstat``: uint32, shape (n,).
    #[getter]
    fn probes(&self, py: Python<'_>) -> Py<PyArray1<u32>> {
        let counted = || frozen(py, py.detach(|| self.stack.probes_of(&self.paths)));
        self.probes.get_or_init_py_attached(py, counted).clone_ref(py)
    }

    fn __len__(&self) -> usize {
        self.paths.len()
    }

    fn __repr__(&self) -> String {
        format!("Found({} paths)", self.paths.len())
    }
}
