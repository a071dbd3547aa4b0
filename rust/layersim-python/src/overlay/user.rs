//! An overlay through the eyes of a user.

use layersim::overlay::Credentials;
use pyo3::exceptions::{PyOverflowError, PyTypeError, PyValueError};
use pyo3::prelude::*;

use super::{Eyes, PyOverlay};
use crate::error::Result;

/// The id that the kernel takes for none.
const NOBODY: i64 = u32::MAX as i64;

/// The id of a user or of a group.
#[derive(Debug, Clone, Copy)]
struct IdArg(u32);

/// One group, or several.
#[derive(Debug)]
struct GroupsArg(Vec<u32>);

impl<'a, 'py> FromPyObject<'a, 'py> for IdArg {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        let refused = || PyValueError::new_err(format!("expected an id of 0 to 4294967294, got {}", &*object));
        match object.extract::<i64>() {
            Ok(id) if id < NOBODY => u32::try_from(id).map(Self).map_err(|_| refused()),
            Err(error) if !error.is_instance_of::<PyOverflowError>(object.py()) => Err(error),
            _ => Err(refused()),
        }
    }
}

impl<'a, 'py> FromPyObject<'a, 'py> for GroupsArg {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if object.hasattr("__index__")? {
            return object.extract::<IdArg>().map(|id| Self(vec![id.0]));
        }
        let groups = object.extract::<Vec<IdArg>>();
        let groups = groups.map_err(|error| {
            let is_told = error.is_instance_of::<PyValueError>(object.py());
            let wanted = || PyTypeError::new_err("gids: expected an int or a sequence of int");
            if is_told { error } else { wanted() }
        })?;
        Ok(Self(groups.into_iter().map(|id| id.0).collect()))
    }
}

impl PyOverlay {
    /// This overlay through the eyes that another one is seen with.
    pub fn seen_as(self, py: Python<'_>, other: &Self) -> Result<Self> {
        match &other.0 {
            Eyes::Root(_) => Ok(self),
            Eyes::User(_, credentials) => Ok(Self(Eyes::User(Py::new(py, self)?, credentials.clone()))),
        }
    }

    /// The overlay `whole` through the eyes of this one.
    pub fn shown(&self, whole: &Bound<'_, Self>) -> Result<Py<Self>> {
        match &self.0 {
            Eyes::Root(_) => Ok(Self::itself(whole)),
            Eyes::User(_, credentials) => {
                let user = Self(Eyes::User(Self::itself(whole), credentials.clone()));
                Ok(Py::new(whole.py(), user)?)
            }
        }
    }

    /// The overlay that root sees.
    fn itself(slf: &Bound<'_, Self>) -> Py<Self> {
        match &slf.get().0 {
            Eyes::Root(_) => slf.clone().unbind(),
            Eyes::User(whole, _) => whole.clone_ref(slf.py()),
        }
    }

    /// What `repr` says of whoever is not root.
    pub fn told_user(&self) -> String {
        match &self.0 {
            Eyes::Root(_) => String::new(),
            Eyes::User(_, credentials) => format!(", uid {}, gids {:?}", credentials.uid(), credentials.groups()),
        }
    }
}

#[pymethods]
impl PyOverlay {
    /// See the same overlay as another user.
    ///
    /// Parameters
    /// ----------
    /// uid : int
    ///     Who asks; 0, root, may do everything.
    /// gids : int or sequence of int
    ///     The groups: what is made gets the first one. Without any it is group 0 alone, as for ``docker run --user 1000``
    ///     where the image names no such user.
    ///
    /// Returns
    /// -------
    /// Overlay
    ///     What is written through it all others see, and what they write it sees.
    ///
    /// Raises
    /// ------
    /// ValueError
    ///     For an id below 0 or above 4294967294.
    /// TypeError
    ///     For what is no id at all.
    ///
    /// Notes
    /// -----
    /// Every path, name and file is checked as the kernel checks them for a process without capabilities, on what the union
    /// shows: modes, sticky directories, owners, set-id bits. ``fs.protected_hardlinks`` is 1, as distributions set it, and
    /// the other ``fs.protected_*`` are 0. Access control lists are kept as attributes and grant nothing. What is no file
    /// operation (:meth:`changes`, :meth:`to_layer`, :meth:`upper_lstat`, :meth:`snapshot`, :meth:`make_mountpoints`) is
    /// root's whoever asks.
    ///
    /// References
    /// ----------
    /// Linux, credentials(7), path_resolution(7), proc_sys_fs(5).
    ///
    /// Examples
    /// --------
    /// >>> import layersim as ls
    /// >>> fs = ls.Overlay([ls.Layer.from_changes([ls.write("/secret", b"1", mode=0o640)])])
    /// >>> user = fs.as_user(1000, 1000)
    /// >>> user.read_bytes("/secret")
    /// Traceback (most recent call last):
    ///     ...
    /// PermissionError: [Errno 13] Permission denied: '/secret'
    /// >>> fs.chown("/secret", 0, 1000)
    /// >>> user.read_bytes("/secret")
    /// b'1'
    #[pyo3(signature = (uid, gids=GroupsArg(Vec::new())))]
    #[expect(clippy::needless_pass_by_value, reason = "an extracted argument can only be owned")]
    fn as_user(slf: &Bound<'_, Self>, uid: IdArg, gids: GroupsArg) -> Self {
        Self(Eyes::User(Self::itself(slf), Credentials::new(uid.0, &gids.0)))
    }
}
