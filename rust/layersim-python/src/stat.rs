//! What `stat` answers, with the names of `os.stat_result`.

use layersim::Timestamp;
use layersim::stack::Stat;
use pyo3::prelude::*;

const NANOS: f64 = 1e9;

/// The answer of ``stat``: the attributes of :class:`os.stat_result`, and the layer.
///
/// Notes
/// -----
/// Sizes are bytes, ``st_*time`` seconds and ``st_*time_ns`` nanoseconds since 1970. ``st_ctime`` is not modelled: it
/// equals ``st_mtime``. Every directory has 4,096 bytes, and one link where the union merges several (as Linux tells it).
#[pyclass(frozen, eq, name = "Stat", module = "layersim")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PyStat(pub Stat);

#[expect(clippy::cast_precision_loss, reason = "os.stat rounds the same way")]
fn seconds(time: Timestamp) -> f64 {
    time.as_nanos() as f64 / NANOS
}

#[pymethods]
impl PyStat {
    /// Type and permission bits.
    #[getter]
    fn st_mode(&self) -> u32 {
        self.0.mode
    }

    /// A number that two names of one view share only if they are one inode.
    #[getter]
    fn st_ino(&self) -> u64 {
        self.0.ino
    }

    /// The device of the union: always 0.
    #[getter]
    #[expect(clippy::unused_self, reason = "Python passes it")]
    fn st_dev(&self) -> u64 {
        0
    }

    /// Names of the inode.
    #[getter]
    fn st_nlink(&self) -> u32 {
        self.0.nlink
    }

    /// Owner.
    #[getter]
    fn st_uid(&self) -> u32 {
        self.0.uid
    }

    /// Group.
    #[getter]
    fn st_gid(&self) -> u32 {
        self.0.gid
    }

    /// The device that a node stands for.
    #[getter]
    fn st_rdev(&self) -> u64 {
        self.0.rdev
    }

    /// Bytes.
    #[getter]
    fn st_size(&self) -> u64 {
        self.0.size
    }

    /// Last access, seconds.
    #[getter]
    fn st_atime(&self) -> f64 {
        seconds(self.0.atime)
    }

    /// Last modification, seconds.
    #[getter]
    fn st_mtime(&self) -> f64 {
        seconds(self.0.mtime)
    }

    /// Last change, seconds.
    #[getter]
    fn st_ctime(&self) -> f64 {
        seconds(self.0.ctime)
    }

    /// Last access, nanoseconds.
    #[getter]
    fn st_atime_ns(&self) -> i128 {
        self.0.atime.as_nanos()
    }

    /// Last modification, nanoseconds.
    #[getter]
    fn st_mtime_ns(&self) -> i128 {
        self.0.mtime.as_nanos()
    }

    /// Last change, nanoseconds.
    #[getter]
    fn st_ctime_ns(&self) -> i128 {
        self.0.ctime.as_nanos()
    }

    /// Position of the layer it comes from, base 0; -1 for the writable top.
    #[getter]
    fn layer(&self) -> i64 {
        self.0.layer.and_then(|at| i64::try_from(at).ok()).unwrap_or(-1)
    }

    fn __repr__(&self) -> String {
        let Stat { mode, uid, gid, size, .. } = self.0;
        format!("Stat(st_mode=0o{mode:o}, st_uid={uid}, st_gid={gid}, st_size={size}, layer={})", self.layer())
    }
}
