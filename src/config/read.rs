//! One source, read: text → tree → checked value → the raw type.
//!
//! Whatever is wrong is in the report; what comes out is what could be read all the same, so that
//! every problem of every file comes in one report.

use schemars::{JsonSchema, SchemaGenerator};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::allow;
use super::diagnostic::Code;
use super::machine::{self, Grants, Slip};
use super::place::Place;
use super::raw::Configuration;
use super::report::Report;
use super::tree::{MAX_BYTES, parse, parse_foreign};
use super::walk::walk;

/// The JSON Schema of a raw type, for [`read()`].
pub fn schema_of<T: JsonSchema>() -> Value {
    let mut schema = SchemaGenerator::default().into_root_schema_for::<T>().to_value();
    // Keys that are named to people come in the order of the alphabet.
    schema.sort_all_objects();
    schema
}

/// Reads the text of a source of the report. Gives none where nothing of it can be used.
pub fn read<T: DeserializeOwned>(
    source: usize,
    text: &str,
    schema: &Value,
    report: &mut Report,
) -> Option<T> {
    let root = Place::root(source);
    let tree = parse(source, text, report)?;
    let value = walk(&tree, schema, &root, report);
    report.attach(source, tree);
    let read = serde_json::from_value(value);
    if let Err(error) = &read
        // Where something was refused, serde may have stumbled over what stands in for it.
        && !report.has_error_within(&root)
    {
        // The walk lets nothing through that the schema forbids; this is what no schema can say.
        report.push(Code::ConfigUnreadable, &root, error.to_string()).at(0..0);
    }
    read.ok()
}

/// Reads a text that others wrote, and not for the gate, as JSON has it. None where it cannot be read; why is
/// in the report.
pub fn read_foreign(source: usize, text: &str, report: &mut Report) -> Option<Value> {
    let tree = parse_foreign(source, text, report)?;
    let value = tree.to_json();
    report.attach(source, tree);
    (!report.has_error_within(&Place::root(source))).then_some(value)
}

/// Reads a file of the configuration. One that programs write is read in a shorter way, to the same end.
pub(super) fn read_file(
    source: usize,
    text: &str,
    schema: &Value,
    report: &mut Report,
) -> Option<Configuration> {
    match machine::read(text) {
        Some(Ok(Grants { grants, rows })) => {
            report.attach_rows(source, rows);
            Some(Configuration { client_grants: Some(grants), ..Configuration::default() })
        }
        // The other way would say no more than that it is too long.
        Some(Err(Slip { span, message })) if text.len() > MAX_BYTES => {
            report.push(Code::ConfigUnreadable, &Place::root(source), message).at(span);
            None
        }
        Some(Err(_)) | None => {
            let read = read(source, text, schema, report);
            // In what is too long nothing was read that could be accepted.
            if text.len() <= MAX_BYTES {
                allow::gather(source, text, report);
            }
            read
        }
    }
}

#[cfg(test)]
mod tests;
