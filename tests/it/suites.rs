//! Policy suites, as the program runs them: `grantgate test`.
//!
//! `tests/golden/test/` holds what it shows; `UPDATE_GOLDEN=1` writes that anew. `tests/policy/` holds the
//! project's own suites.

/// A strict reader of XML, as far as it is needed.
mod xml;

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::disk::root;
use crate::expected::differs;
use crate::program::{grantgate, outcome};

/// Runs `test` below the repository's root.
fn test(arguments: &[&str]) -> (Option<i32>, String, String) {
    outcome(grantgate(&["test"]).args(arguments).current_dir(root()))
}

const CONFIG: [&str; 2] = ["--config", "tests/golden/test/gateway.yaml"];

fn with_config(arguments: &[&str]) -> (Option<i32>, String, String) {
    test(&[&CONFIG, arguments].concat())
}

fn golden(name: &str, shown: &str) {
    let path = root().join("tests/golden/test").join(name);
    if let Some(difference) = differs(&path, shown) {
        panic!("{difference}");
    }
}

#[test]
fn the_projects_own_suites_pass_and_touch_everything() {
    let config = ["--config", "tests/policy/gateway.yaml", "--coverage=100"];
    let (code, shown, talk) = test(&config);
    assert_eq!((code, talk.as_str()), (Some(0), ""), "{shown}");
    assert!(shown.starts_with("coverage: 100 %"), "{shown}");
    // Every code of all rules but that of the token itself.
    assert!(shown.contains("codes 17 of 17)"), "{shown}");
}

#[test]
fn what_fails_reads_as_it_should() {
    let failing = "tests/golden/test/failing.yaml";
    let (code, shown, talk) = with_config(&[failing, "--coverage"]);
    assert_eq!((code, talk.as_str()), (Some(1), ""));
    golden("failing.txt", &shown);
    let (code, shown, _) = with_config(&[failing, "--coverage", "--format", "json"]);
    assert_eq!(code, Some(1));
    let parsed: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(parsed["summary"], json!({"cases": 6, "passed": 2, "failed": 4}));
    golden("failing.json", &shown);
    let (code, shown, _) = with_config(&[failing, "--format", "junit"]);
    assert_eq!(code, Some(1));
    golden("failing.xml", &shown);
}

#[test]
fn coverage_is_told_beside_junit_and_is_of_all_cases() {
    let failing = "tests/golden/test/failing.yaml";
    let (_, text, _) = with_config(&[failing, "--coverage"]);
    let (code, shown, talk) = with_config(&[failing, "--coverage", "--format", "junit"]);
    assert_eq!(code, Some(1));
    assert!(xml::parse(&shown).is_ok() && !shown.contains("coverage"), "{shown}");
    assert!(talk.starts_with("coverage: ") && text.contains(&talk), "{talk}");
    let (code, _, talk) = with_config(&[failing, "--coverage", "--filter", "reads"]);
    assert_eq!(code, Some(2));
    assert!(talk.contains("cannot be used with"), "{talk}");
}

#[test]
fn a_suite_that_cannot_be_asked_is_a_report() {
    let (code, shown, talk) = with_config(&["tests/golden/test/broken.yaml"]);
    assert_eq!((code, shown.as_str()), (Some(2), ""));
    golden("broken.txt", &talk);
    let (code, _, talk) = with_config(&["tests/golden/test/not-there.yaml"]);
    assert_eq!(code, Some(2));
    assert!(talk.contains("not-there.yaml` cannot be read"), "{talk}");
    let (code, _, talk) = test(&["--config", "tests/golden/test/failing.yaml"]);
    assert_eq!(code, Some(2));
    assert!(talk.contains("key-unknown"), "{talk}");
}

#[test]
fn junit_is_well_formed_and_says_what_failed() {
    let (_, shown, _) = with_config(&["tests/golden/test/failing.yaml", "--format", "junit"]);
    let root = xml::parse(&shown).unwrap_or_else(|error| panic!("{error}\n{shown}"));
    assert_eq!((root.name.as_str(), root.attribute("failures")), ("testsuites", Some("4")));
    let suite = &root.children[0];
    assert_eq!((suite.name.as_str(), suite.attribute("tests")), ("testsuite", Some("6")));
    let case = &suite.children[2];
    assert_eq!(case.attribute("name"), Some("with what it may use, & no \"more\" <than> that"));
    assert_eq!(case.attribute("line"), Some("14"));
    let failure = &case.children[0];
    assert_eq!((failure.name.as_str(), failure.attribute("type")), ("failure", Some("allow")));
    assert!(failure.text.contains("\n+ seen: allow with [read:orders]"), "{}", failure.text);
    assert!(suite.children[0].children.is_empty());
}

#[test]
fn too_little_coverage_is_a_no() {
    let covered = |percent: &str| with_config(&["tests/golden/test/failing.yaml", percent]).0;
    let own = |percent: &str| {
        let suite = "tests/policy/suites/grants.yaml";
        test(&["--config", "tests/policy/gateway.yaml", suite, percent])
    };
    assert_eq!(covered("--coverage=0"), Some(1));
    assert_eq!(own("--coverage").0, Some(0));
    assert_eq!(own("--coverage=10").0, Some(0));
    let (code, shown, talk) = own("--coverage=90");
    assert_eq!(code, Some(1));
    assert!(shown.contains("operations that no case touches:\n    `GET /healthz`"), "{shown}");
    assert!(talk.contains("90 % are asked for"), "{talk}");
    assert_eq!(own("--coverage=101").0, Some(2));
}

#[test]
fn cases_are_chosen_by_their_names() {
    let failing = "tests/golden/test/failing.yaml";
    let (code, shown, _) = with_config(&[failing, "--filter", "reads orders"]);
    assert_eq!((code, shown.as_str()), (Some(0), "1 case passed\n"));
    let (code, shown, talk) = with_config(&[failing, "--filter", "nothing of the kind"]);
    assert_eq!((code, shown.as_str()), (Some(2), ""));
    assert!(talk.contains("nothing of the kind"), "{talk}");
}

#[test]
fn suites_are_files_or_folders_or_what_the_configuration_names() {
    let policy = ["--config", "tests/policy/gateway.yaml"];
    let named = test(&policy);
    let folder = test(&[&policy[..], &["tests/policy/suites"]].concat());
    assert_eq!(named.1, folder.1);
    let (code, _, talk) = with_config(&[]);
    assert_eq!(code, Some(2));
    assert!(talk.contains("tests: {suites: [policy-tests/orders.yaml]}"), "{talk}");
}

#[test]
fn editors_are_given_the_schema() {
    let (code, schema, _) = outcome(&mut grantgate(&["schema", "--suites"]));
    assert_eq!(code, Some(0));
    assert_eq!(schema, fs::read_to_string(root().join("config/suite.schema.json")).unwrap());
}

/// The gate does not start with what it must refuse later on.
#[test]
fn what_is_required_is_required_at_the_start_and_by_check() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("gateway.yaml");
    let own = root().join("tests/golden/test/gateway.yaml");
    let suite = "cases: [{name: one, no_token: true, request: GET /orders/1, expect: allow}]\n";
    fs::create_dir(folder.path().join("suites")).unwrap();
    fs::write(folder.path().join("suites/one.yaml"), suite).unwrap();
    let write = |required: bool| {
        let tests = format!("tests: {{suites: [suites/one.yaml], required: {required}}}\n...\n");
        let text = fs::read_to_string(&own).unwrap().replace("...\n", &tests);
        fs::write(&config, text).unwrap();
    };
    let ask = |verb: &str, more: &[&str]| {
        outcome(grantgate(&[verb, "--config"]).arg(Path::new(&config)).args(more))
    };
    write(true);
    let (code, report, _) = ask("check", &[]);
    assert_eq!(code, Some(1));
    assert!(
        report.contains("error[policy-test-failed]") && report.contains("one.yaml:1:"),
        "{report}"
    );
    let (code, _, report) = ask("run", &[]);
    assert_eq!(code, Some(2));
    assert!(report.contains("error[policy-test-failed]"), "{report}");
    write(false);
    let (code, report, _) = ask("check", &[]);
    assert_eq!(code, Some(0), "{report}");
    let (code, _, report) = ask("run", &["--require-tests"]);
    assert_eq!(code, Some(2));
    assert!(report.contains("error[policy-test-failed]"), "{report}");
    assert_eq!(ask("test", &[]).0, Some(1));
}
