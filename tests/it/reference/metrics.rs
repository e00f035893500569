//! The metrics as rows of a table, read from what a gateway tells: their labels stand nowhere else.

use std::collections::BTreeSet;

use grantgate::config::load;
use grantgate::telemetry::Metrics;

use crate::disk::{Fake, NOW, root, sources};

/// Labels whose values are few and fixed, and told from the start.
const FIXED: [&str; 2] = ["kind", "outcome"];

/// A row for each metric of a gateway that runs the configuration at `path`.
pub fn rows(path: &str) -> Vec<String> {
    let path = root().join(path);
    let snapshot = load(&sources(&path, root()), &Fake { folder: &path }, NOW).unwrap().snapshot;
    let metrics = Metrics::new();
    metrics.follow(&snapshot);
    for issuer in &snapshot.issuers {
        metrics.keys_age(&issuer.trust.issuer, None);
    }
    let text = metrics.render();
    let described = text.split("# HELP ").skip(1);
    described.map(row).collect()
}

/// The row of what stands behind `# HELP `.
fn row(described: &str) -> String {
    let mut lines = described.lines();
    let (name, help) = lines.next().unwrap().split_once(' ').unwrap();
    let kind = lines.next().unwrap().rsplit(' ').next().unwrap();
    let told: Vec<_> = lines.collect();
    assert!(!told.is_empty(), "{name} has no series to read its labels from");
    let series: Vec<_> = told.iter().filter_map(|line| line.split_once('{')).collect();
    format!("| `{name}` | {kind} | {} | {help} |", labels(&series))
}

/// `` `issuer`, `outcome` (`failed`, `fetched`) ``.
fn labels(series: &[(&str, &str)]) -> String {
    let Some((_, first)) = series.first() else { return String::new() };
    let names = pairs(first).into_iter().map(|(name, _)| name).filter(|name| *name != "le");
    let cells = names.map(|name| {
        if !FIXED.contains(&name) {
            return format!("`{name}`");
        }
        let values: BTreeSet<_> = series
            .iter()
            .flat_map(|(_, labels)| pairs(labels))
            .filter(|(label, _)| *label == name)
            .map(|(_, value)| format!("`{value}`"))
            .collect();
        format!("`{name}` ({})", values.into_iter().collect::<Vec<_>>().join(", "))
    });
    cells.collect::<Vec<_>>().join(", ")
}

/// The names and values of `issuer="a",outcome="failed"} 0`.
fn pairs(labels: &str) -> Vec<(&str, &str)> {
    let labels = labels.rsplit_once("\"}").unwrap().0;
    labels.split("\",").map(|pair| pair.split_once("=\"").unwrap()).collect()
}
