//! Telling Python how far a long piece of work is.

use std::sync::{Mutex, PoisonError};

use pyo3::prelude::*;

use crate::error::{Raised, Result};

/// A callback that hears the bytes done and the bytes in all; what it raises is kept, and stops the work.
#[derive(Debug)]
pub struct Listener {
    callback: Option<Py<PyAny>>,
    raised: Mutex<Option<PyErr>>,
}

impl Listener {
    /// Nobody listens to no callback.
    pub fn new(callback: Option<Py<PyAny>>) -> Self {
        Self { callback, raised: Mutex::new(None) }
    }

    /// Calls back.
    pub fn tell(&self, done: u64, total: u64) -> layersim::Result<()> {
        let Some(callback) = &self.callback else {
            return Ok(());
        };
        let Err(error) = Python::attach(|py| callback.call1(py, (done, total)).map(drop)) else {
            return Ok(());
        };
        *self.raised.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        Err(layersim::Error::input("the progress callback raised"))
    }

    /// What the work gave, unless the callback raised.
    pub fn result<T, E: Into<Raised>>(self, given: std::result::Result<T, E>) -> Result<T> {
        match self.raised.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some(raised) => Err(Raised::from(raised)),
            None => given.map_err(Into::into),
        }
    }
}
