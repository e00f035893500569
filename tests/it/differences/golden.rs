//! `grantgate diff` and `grantgate access` as they are started: what they print, and how they end.
//!
//! `tests/golden/{diff,access}/` holds configurations, and for each case what is printed;
//! `UPDATE_GOLDEN=1` writes that anew.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::disk::root;
use crate::expected::differs;
use crate::program::grantgate;

/// Runs a verb within the folder of its goldens.
fn run(verb: &str, arguments: &[&str]) -> String {
    let mut command: Command = grantgate(&[verb]);
    command.args(arguments).current_dir(root().join("tests/golden").join(verb));
    command.env_remove("GRANTGATE_CONFIG");
    let output = command.output().unwrap();
    let (out, talk) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    let shown = arguments.join(" ");
    format!("$ grantgate {verb} {shown}\n{out}{talk}exit {}\n", output.status.code().unwrap())
}

fn hold(verb: &str, cases: &[(&str, &[&str])]) {
    let mut wrong = Vec::new();
    for (name, arguments) in cases {
        let path = root().join("tests/golden").join(verb).join(format!("{name}.txt"));
        wrong.extend(differs(&path, &run(verb, arguments)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

const AT: &str = "--at=2026-11-22T00:00:00Z";

#[test]
fn diff_prints_what_it_should() {
    hold(
        "diff",
        &[
            ("text", &["old", "new", AT]),
            ("markdown", &["old", "new", AT, "--format", "markdown"]),
            ("json", &["old", "new", AT, "--format", "json"]),
            ("nothing", &["old", "old", AT, "--fail-on", "change"]),
            ("loss-only", &["old", "narrower.yaml", AT]),
            ("change", &["old", "narrower.yaml", AT, "--fail-on", "change"]),
            ("strangers", &["old", "strangers", AT, "--format", "markdown", "--fail-on", "never"]),
            ("refused", &["old", "broken.yaml", AT]),
        ],
    );
}

#[test]
fn access_prints_what_it_should() {
    let config = ["--config", "gateway.yaml", AT];
    let ask = |more: &[&'static str]| [&config[..], more].concat();
    let cases: Vec<(&str, Vec<&str>)> = vec![
        ("everything", ask(&[])),
        ("scope", ask(&["--scope", "write:orders"])),
        ("client", ask(&["--client", "nightly-batch"])),
        ("api-csv", ask(&["--api", "https://orders.example.com", "--format", "csv"])),
        (
            "operation-json",
            ask(&["--operation", "GET /orders/7", "--subject-type", "client", "--format", "json"]),
        ),
        ("nobody", ask(&["--scope", "wirte:orders"])),
        ("stranger", ask(&["--client", "nightly-bath"])),
    ];
    let cases: Vec<(&str, &[&str])> =
        cases.iter().map(|(name, case)| (*name, case.as_slice())).collect();
    hold("access", &cases);
}

#[test]
fn a_long_difference_fits_a_comment() {
    let folder = tempfile::tempdir().unwrap();
    let old = fs::read_to_string(root().join("tests/golden/diff/old/gateway.yaml")).unwrap();
    let grants = (0..2000).fold(String::new(), |text, at| {
        let scope = if at % 2 == 0 { "read:orders" } else { "write:orders" };
        text + &format!("  - {{client_id: app-{at}, scope: ['{scope}'], expires_at: '20{}-01-01T00:00:00Z', organization_usage: require, organizations: [org_{at}]}}\n", 30 + at % 60)
    });
    let whole = old.replacen("client_grants:\n", &format!("client_grants:\n{grants}"), 1);
    assert_ne!(whole, old);
    let path = folder.path().join("gateway.yaml");
    fs::write(&path, whole).unwrap();
    let shown = markdown(&path);
    assert!(shown.len() <= 64 << 10, "{}", shown.len());
    assert!(shown.contains("more callers are left out here"), "{shown}");
}

fn markdown(new: &Path) -> String {
    let new = new.to_str().unwrap();
    run("diff", &["old", new, AT, "--format", "markdown", "--fail-on", "never"])
}
