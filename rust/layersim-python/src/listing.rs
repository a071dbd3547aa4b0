//! Directories of the host, listed together.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use layersim::listing::{self, Listed, Listing};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyList};

use crate::convert::text_of;

type Row<'py> =
    (Bound<'py, PyAny>, i32, u32, u64, i64, i64, u64, u64, u64, u64, Bound<'py, PyAny>, Bound<'py, PyBytes>);

/// The names in one directory of the host, and what ``lstat`` says of each; two are equal when nothing has changed.
#[pyclass(frozen, eq, name = "Listing", module = "layersim")]
#[derive(Debug, PartialEq, Eq)]
pub struct PyListing(Listing);

#[pymethods]
impl PyListing {
    /// The error of the system where the directory cannot be listed, otherwise 0.
    #[getter]
    fn errno(&self) -> i32 {
        self.0.errno()
    }

    /// Return what is known of each name, sorted by their bytes.
    ///
    /// Returns
    /// -------
    /// list of tuple
    ///     Name, error of the system or 0, mode, size, modification and change in nanoseconds since 1970, links, device,
    ///     inode, the device that it stands for, target of a link, capability.
    fn rows<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let rows = self.0.iter().map(|listed| row(py, &listed)).collect::<PyResult<Vec<_>>>()?;
        PyList::new(py, rows)
    }
}

fn row<'py>(py: Python<'py>, listed: &Listed<'_>) -> PyResult<Row<'py>> {
    let found = listed.attributes;
    Ok((
        text_of(py, listed.name)?,
        listed.errno,
        found.mode,
        found.size,
        found.mtime_ns,
        found.ctime_ns,
        found.nlink,
        found.dev,
        found.ino,
        found.rdev,
        text_of(py, listed.target)?,
        PyBytes::new(py, listed.capability),
    ))
}

/// List directories of the host, on all cores.
///
/// Parameters
/// ----------
/// paths : sequence of bytes
///     Directories.
/// capabilities : bool, default False
///     Whether to ask for the capabilities of files.
///
/// Returns
/// -------
/// list of Listing
///     One for each; one that cannot be listed tells its error.
#[pyfunction]
#[pyo3(signature = (paths, *, capabilities=false))]
#[expect(clippy::needless_pass_by_value, reason = "an extracted argument can only be owned")]
pub fn list_directories(py: Python<'_>, paths: Vec<PyBackedBytes>, capabilities: bool) -> Vec<PyListing> {
    let directories: Vec<PathBuf> = paths.iter().map(|path| OsStr::from_bytes(path).into()).collect();
    py.detach(|| listing::list(&directories, capabilities)).into_iter().map(PyListing).collect()
}
