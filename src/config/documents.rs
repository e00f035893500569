//! OpenAPI documents among the files of a configuration: a gate names one that may stand beside the file
//! that names it, in a directory whose files are all read.
//!
//! Such a file is no part of the configuration. One that no gate names is read as any other, and is then an
//! error, as every file is that says what nobody understands.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::raw::Configuration;
use super::read::read_file;
use super::report::Report;
use super::source::Source;
use super::tree::Node;

/// Reads all sources, each with its number; those that could not be read are left out. A document that a
/// gate names says nothing here.
pub(super) fn read_all(
    sources: &[Source],
    schema: &Value,
    report: &mut Report,
) -> Vec<(usize, Configuration)> {
    let (documents, others): (Vec<_>, Vec<_>) =
        sources.iter().enumerate().partition(|(_, source)| looks_like_one(&source.text));
    let mut read: Vec<(usize, Configuration)> = Vec::with_capacity(sources.len());
    let mut configuration = |number: usize, source: &Source| {
        Some((number, read_file(number, &source.text, schema, report)?))
    };
    read.extend(others.into_iter().filter_map(|(number, source)| configuration(number, source)));
    let named: BTreeSet<PathBuf> = read
        .iter()
        .flat_map(|(number, configuration)| {
            let of = sources.get(*number).map_or("", |source| &source.name);
            paths(configuration).map(move |path| beside(of, path))
        })
        .collect();
    for (number, source) in documents {
        if named.contains(&plain(Path::new(&source.name))) {
            read.push((number, Configuration::default()));
        } else {
            read.extend(configuration(number, source));
        }
    }
    read.sort_by_key(|(number, _)| *number);
    read
}

/// The documents that the gates of a file name.
fn paths(configuration: &Configuration) -> impl Iterator<Item = &str> {
    let servers = configuration.resource_servers.iter().flatten();
    let exported = configuration.exported_resource_servers.iter().flatten();
    servers.chain(exported).filter_map(|server| server.gate.as_ref()?.openapi.as_deref())
}

/// Where a file is that the source named `of` refers to by `path`.
pub(super) fn beside(of: &str, path: &str) -> PathBuf {
    plain(&Path::new(of).parent().unwrap_or(Path::new("")).join(path))
}

/// Whether the file of this plain name is one of the sources.
pub(super) fn is_among(sources: &[Source], name: &str) -> bool {
    sources.iter().any(|source| plain(Path::new(&source.name)) == Path::new(name))
}

/// A path without steps that lead nowhere.
fn plain(path: &Path) -> PathBuf {
    path.components().filter(|step| *step != Component::CurDir).collect()
}

/// Whether a text has `openapi` as a key at its top, which no configuration has.
fn looks_like_one(text: &str) -> bool {
    #[derive(Deserialize)]
    struct Top {
        openapi: Option<IgnoredAny>,
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim_start().starts_with('{') {
        return text.contains("\"openapi\"")
            && serde_json::from_str::<Top>(text).is_ok_and(|top| top.openapi.is_some());
    }
    let is_key = |line: &str| {
        ["openapi:", "\"openapi\":", "'openapi':"].iter().any(|key| line.starts_with(key))
    };
    text.lines().any(is_key)
}

/// The last key at the top of a document of the report.
pub(super) fn last_key(report: &Report, number: usize) -> Option<&str> {
    tree(report, number)?.entries().last().map(|entry| entry.key.as_str())
}

/// Whether a document of the report has something under these keys.
pub(super) fn has(report: &Report, number: usize, keys: &[&str]) -> bool {
    keys.iter().fold(tree(report, number), |node, key| node?.value(key)).is_some()
}

fn tree(report: &Report, number: usize) -> Option<&Node> {
    report.documents().get(number)?.tree.as_ref()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_known_behind_a_byte_order_mark() {
        for text in ["openapi: 3.0.0\n", "{\"openapi\": \"3.0.0\"}"] {
            assert!(looks_like_one(text) && looks_like_one(&format!("\u{feff}{text}")), "{text}");
        }
        assert!(!looks_like_one("client_grants: []\n"));
    }
}
