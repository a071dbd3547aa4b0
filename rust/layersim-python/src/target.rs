//! Where a tar goes: a path of the host (the old file or the new one, never half of it) or a binary file.

use std::io::{self, Write};
use std::path::PathBuf;

use layersim::error::Error;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::convert::PathArg;
use crate::error::{Result, detached};

/// Bytes that are handed to a Python file at once.
const BUFFER: usize = 1 << 20;

/// A target that has been recognised.
#[derive(Debug)]
pub enum TargetArg {
    /// A file of the host.
    Path(PathBuf),
    /// Anything with a `write` method.
    File(Py<PyAny>),
}

impl<'a, 'py> FromPyObject<'a, 'py> for TargetArg {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        match object.getattr("write") {
            Ok(_) => Ok(Self::File(object.to_owned().unbind())),
            Err(_) => Ok(Self::Path(object.extract::<PathArg<'_>>()?.as_host_path().to_owned())),
        }
    }
}

impl TargetArg {
    /// Lets `write` fill the target; returns how many bytes it wrote.
    pub fn fill(
        self,
        py: Python<'_>,
        write: impl FnOnce(&mut dyn Write) -> layersim::Result<()> + Send,
    ) -> Result<u64> {
        detached(py, || match self {
            Self::Path(path) => layersim::saving::save(&path, |writer| counted(writer, write)),
            Self::File(file) => counted(&mut io::BufWriter::with_capacity(BUFFER, PythonFile(file)), write),
        })
    }
}

fn counted(
    writer: &mut dyn Write,
    write: impl FnOnce(&mut dyn Write) -> layersim::Result<()>,
) -> layersim::Result<u64> {
    let mut counting = Counting { writer, written: 0 };
    write(&mut counting)?;
    counting.flush().map_err(|source| Error::io("cannot write", source))?;
    Ok(counting.written)
}

struct Counting<'w> {
    writer: &'w mut dyn Write,
    written: u64,
}

impl Write for Counting<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.writer.write(bytes)?;
        self.written += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

/// A Python file; each write takes the interpreter for a moment.
struct PythonFile(Py<PyAny>);

impl Write for PythonFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Python::attach(|py| {
            let written = self.0.call_method1(py, "write", (PyBytes::new(py, bytes),)).map_err(io::Error::other)?;
            // A raw file may take less than it is given; some files say nothing.
            let written: Option<usize> = written.extract(py).map_err(io::Error::other)?;
            match written.unwrap_or(bytes.len()) {
                written if written <= bytes.len() => Ok(written),
                more => Err(io::Error::other(format!("write() says {more} of {} bytes", bytes.len()))),
            }
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
