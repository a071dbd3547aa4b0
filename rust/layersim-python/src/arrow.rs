//! Paths that come as a column of strings in Apache Arrow's memory format, read by nanoarrow.

use layersim::stack::PathBatch;
use numpy::PyReadonlyArray1;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// Layouts that are an array of offsets and one buffer of bytes.
const OFFSETS_AND_BYTES: [&str; 4] = ["STRING", "LARGE_STRING", "BINARY", "LARGE_BINARY"];
/// Layouts of strings that nanoarrow does not read; their owner is asked to convert them.
const OTHER_STRINGS: [&str; 3] = ["STRING_VIEW", "BINARY_VIEW", "DICTIONARY"];
/// What columns without any value may be.
const NOTHING: &str = "NULL";
/// The calls by which objects give columns away (the Arrow PyCapsule interface).
const EXPORTS: [&str; 2] = ["__arrow_c_array__", "__arrow_c_stream__"];

/// The strings of an Arrow array or stream; nothing where the object has none to offer, or only ones that must be iterated.
pub fn strings(object: &Bound<'_, PyAny>) -> PyResult<Option<PathBatch>> {
    let Some(export) = EXPORTS.into_iter().find(|export| object.hasattr(*export).unwrap_or(false)) else {
        return Ok(None);
    };
    let arrow = object.py().import("nanoarrow")?;
    let wanted = arrow.call_method0("large_string")?;
    let given = type_name(object, export, None)?;
    if given == NOTHING {
        return Ok(None);
    }
    let array = if OFFSETS_AND_BYTES.contains(&given.as_str()) {
        arrow.call_method1("Array", (object,))?
    } else if !OTHER_STRINGS.contains(&given.as_str()) {
        return Err(PyTypeError::new_err(format!("expected a column of strings, got Arrow's {given}")));
    } else if type_name(object, export, Some(&wanted))? == "LARGE_STRING" {
        arrow.call_method1("Array", (object, wanted))?
    } else {
        return Ok(None);
    };
    let (mut bytes, mut ends) = (Vec::new(), Vec::with_capacity(array.len()?));
    for chunk in array.call_method0("iter_chunks")?.try_iter()? {
        append(&chunk?, &mut bytes, &mut ends)?;
    }
    Ok(Some(PathBatch::Packed { bytes, ends }))
}

/// What an object exports, when it is asked for a certain type or for none. Only its schema is looked at.
fn type_name(object: &Bound<'_, PyAny>, export: &str, wanted: Option<&Bound<'_, PyAny>>) -> PyResult<String> {
    let arrow = object.py().import("nanoarrow")?;
    let request = wanted.map(|wanted| wanted.call_method0("__arrow_c_schema__")).transpose()?;
    let exported = object.call_method1(export, (request,))?;
    let schema = if export == EXPORTS[0] {
        exported.get_item(0)?
    } else {
        let stream = arrow.call_method1("c_array_stream", (exported,))?;
        stream.call_method0("get_schema")?
    };
    arrow.call_method1("Schema", (schema,))?.getattr("type")?.getattr("name")?.extract()
}

/// Copies the strings of one chunk.
fn append(chunk: &Bound<'_, PyAny>, bytes: &mut Vec<u8>, ends: &mut Vec<usize>) -> PyResult<()> {
    let len = chunk.len()?;
    if len == 0 {
        return Ok(());
    }
    let chunk = chunk.py().import("nanoarrow.c_array")?.call_method1("c_array_view", (chunk,))?;
    if chunk.getattr("null_count")?.extract::<i64>()? != 0 {
        return Err(PyValueError::new_err("expected a path in every row, got nulls"));
    }
    let start: usize = chunk.getattr("offset")?.extract()?;
    let offsets = offsets(&chunk.call_method1("buffer", (1,))?)?;
    let (first, offsets) = (offsets[start], &offsets[start + 1..=start + len]);
    let data = chunk.call_method1("buffer", (2,))?;
    let data = chunk.py().get_type::<PyBytes>().call1((data,))?.cast_into::<PyBytes>()?;
    let before = bytes.len();
    bytes.extend_from_slice(&data.as_bytes()[first..offsets[len - 1]]);
    ends.extend(offsets.iter().map(|end| before + end - first));
    Ok(())
}

/// Offsets of 32 or 64 bits as they are used here.
fn offsets(buffer: &Bound<'_, PyAny>) -> PyResult<Vec<usize>> {
    let wide = buffer.py().import("numpy")?.call_method1("asarray", (buffer, "uint64"))?;
    let wide: PyReadonlyArray1<'_, u64> = wide.extract()?;
    Ok(wide.as_slice()?.iter().map(|at| usize::try_from(*at).unwrap_or(usize::MAX)).collect())
}
