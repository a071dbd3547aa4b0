//! The language in which layers are made: one function an edit.

use std::collections::HashMap;

use layersim::layer::{Edit, Operation};
use layersim::{Metadata, Timestamp};
use pyo3::prelude::*;

use crate::convert::{BytesArg, PathArg, text_of};

/// One edit of a layer, made by ``write``, ``mkdir``, ``symlink``, ``hardlink``, ``remove`` or ``opaque``.
#[pyclass(frozen, name = "Edit", module = "layersim")]
#[derive(Debug, Clone)]
pub struct PyEdit(pub Edit);

#[pymethods]
impl PyEdit {
    /// The name of the function that made it.
    #[getter]
    fn op(&self) -> &'static str {
        match self.0.operation {
            Operation::MakeDir(_) => "mkdir",
            Operation::Write(..) => "write",
            Operation::Symlink(..) => "symlink",
            Operation::HardLink(_) => "hardlink",
            Operation::Remove => "remove",
            Operation::Opaque => "opaque",
        }
    }

    /// The path that it is about.
    #[getter]
    fn path<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        text_of(py, &self.0.path)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("{}({})", self.op(), self.path(py)?.repr()?))
    }
}

fn edit(path: &PathArg<'_>, operation: Operation) -> PyEdit {
    PyEdit(Edit { path: path.bytes.to_vec(), operation })
}

fn owned(mode: u32, uid: u32, gid: u32, mtime_ns: i128, xattrs: Option<HashMap<String, Vec<u8>>>) -> Metadata {
    let mut metadata = Metadata::with_mode(mode);
    (metadata.uid, metadata.gid) = (uid, gid);
    metadata.set_mtime(Timestamp { nanos: 0, ..Timestamp::from_nanos(mtime_ns) });
    metadata.xattrs = xattrs.into_iter().flatten().collect();
    metadata
}

/// Make a directory.
///
/// Parameters
/// ----------
/// path : str, bytes or path object
///     From the root of the layer; parents that no edit makes are root's, 0755.
/// mode : int
///     Permission bits.
/// uid, gid : int
///     Owner.
/// mtime_ns : int
///     Modification time, nanoseconds since 1970; a tar keeps whole seconds.
/// xattrs : dict of str to bytes, optional
///     Extended attributes.
///
/// Returns
/// -------
/// Edit
///     For :meth:`Layer.from_changes`.
///
/// Examples
/// --------
/// >>> from layersim import mkdir
/// >>> mkdir("/app")
/// mkdir('/app')
#[pyfunction]
#[pyo3(signature = (path, *, mode=0o755, uid=0, gid=0, mtime_ns=0, xattrs=None))]
#[expect(clippy::needless_pass_by_value, reason = "an extracted argument can only be owned")]
pub fn mkdir(
    path: PathArg<'_>,
    mode: u32,
    uid: u32,
    gid: u32,
    mtime_ns: i128,
    xattrs: Option<HashMap<String, Vec<u8>>>,
) -> PyEdit {
    edit(&path, Operation::MakeDir(owned(mode, uid, gid, mtime_ns, xattrs)))
}

/// Make a file.
///
/// Parameters
/// ----------
/// path : str, bytes or path object
///     From the root of the layer.
/// data : bytes-like
///     Its content, copied once.
/// mode : int
///     Permission bits.
/// uid, gid : int
///     Owner.
/// mtime_ns : int
///     Modification time, nanoseconds since 1970; a tar keeps whole seconds.
/// xattrs : dict of str to bytes, optional
///     Extended attributes.
///
/// Returns
/// -------
/// Edit
///     For :meth:`Layer.from_changes`.
///
/// Examples
/// --------
/// >>> from layersim import Layer, write
/// >>> Layer.from_changes([write("/app/app.js", b"x" * 846)]).size
/// 846
#[pyfunction]
#[pyo3(signature = (path, data, *, mode=0o644, uid=0, gid=0, mtime_ns=0, xattrs=None))]
#[expect(clippy::needless_pass_by_value, reason = "an extracted argument can only be owned")]
pub fn write(
    path: PathArg<'_>,
    data: BytesArg,
    mode: u32,
    uid: u32,
    gid: u32,
    mtime_ns: i128,
    xattrs: Option<HashMap<String, Vec<u8>>>,
) -> PyEdit {
    edit(&path, Operation::Write(owned(mode, uid, gid, mtime_ns, xattrs), data.0.into()))
}

/// Make a symbolic link.
///
/// Parameters
/// ----------
/// path : str, bytes or path object
///     Where the link is.
/// target : str, bytes or path object
///     What it says; stored as it is.
/// uid, gid : int
///     Owner.
/// mtime_ns : int
///     Modification time, nanoseconds since 1970; a tar keeps whole seconds.
///
/// Returns
/// -------
/// Edit
///     For :meth:`Layer.from_changes`.
///
/// Examples
/// --------
/// >>> from layersim import symlink
/// >>> symlink("/app/cur", "v1").op
/// 'symlink'
#[pyfunction]
#[pyo3(signature = (path, target, *, uid=0, gid=0, mtime_ns=0))]
#[expect(clippy::needless_pass_by_value, reason = "an extracted argument can only be owned")]
pub fn symlink(path: PathArg<'_>, target: PathArg<'_>, uid: u32, gid: u32, mtime_ns: i128) -> PyEdit {
    let metadata = owned(0o777, uid, gid, mtime_ns, None);
    edit(&path, Operation::Symlink(metadata, target.bytes.to_vec()))
}

/// Give a file of the same layer one more name.
///
/// Parameters
/// ----------
/// path : str, bytes or path object
///     The new name.
/// target : str, bytes or path object
///     A file that another edit of the same layer makes.
///
/// Returns
/// -------
/// Edit
///     For :meth:`Layer.from_changes`.
///
/// Examples
/// --------
/// >>> from layersim import Layer, hardlink, write
/// >>> Layer.from_changes([write("/a", b"12"), hardlink("/b", "/a")]).size
/// 2
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "an extracted argument can only be owned")]
pub fn hardlink(path: PathArg<'_>, target: PathArg<'_>) -> PyEdit {
    edit(&path, Operation::HardLink(target.bytes.to_vec()))
}

/// Hide what lower layers have under a path.
///
/// Parameters
/// ----------
/// path : str, bytes or path object
///     The name to hide. With another edit that makes the same directory, the new one is opaque.
///
/// Returns
/// -------
/// Edit
///     For :meth:`Layer.from_changes`.
///
/// Examples
/// --------
/// >>> from layersim import Layer, remove
/// >>> [entry.kind for entry in Layer.from_changes([remove("/etc/motd")])]
/// ['directory', 'whiteout']
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "an extracted argument can only be owned")]
pub fn remove(path: PathArg<'_>) -> PyEdit {
    edit(&path, Operation::Remove)
}

/// Hide all that lower layers have below a directory.
///
/// Parameters
/// ----------
/// path : str, bytes or path object
///     The directory; it is made where no other edit does.
///
/// Returns
/// -------
/// Edit
///     For :meth:`Layer.from_changes`.
///
/// Examples
/// --------
/// >>> from layersim import Layer, opaque
/// >>> [entry.is_opaque for entry in Layer.from_changes([opaque("/etc")])]
/// [True]
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "an extracted argument can only be owned")]
pub fn opaque(path: PathArg<'_>) -> PyEdit {
    edit(&path, Operation::Opaque)
}
