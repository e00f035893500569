//! A configuration that must pass its policy suites: what fails them stays out, and what runs before
//! decides, until configuration and suites agree again.

use std::fs;

use grantgate::reload::ReloadOutcome;

use super::gate::{Gate, World, request_of, told};
use super::site::{Layout, Site};

const QUIET: &str = "quiet: 25ms";

fn suite(decision: &str) -> String {
    format!(
        "cases:
  - name: one reads orders
    caller: {{client_id: one, scopes: ['read:orders']}}
    request: GET /orders/1
    expect: {decision}
"
    )
}

#[test]
fn what_fails_its_suites_is_kept_out_while_traffic_goes_on() {
    let world = World::new();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("suite.yaml");
    let tests = format!("tests: {{required: true, suites: [{:?}]}}", file.display().to_string());
    let text = |clients: &[&str]| {
        world.text(clients, QUIET).replace("client_grants:", &format!("{tests}\nclient_grants:"))
    };
    fs::write(&file, suite("allow")).unwrap();
    let site = Site::new(Layout::File, &text(&["one"]));
    let mut gate = Gate::start(&site.config());
    let (mut client, request) = (gate.client(), request_of("one"));
    let allowed = (200, String::new());
    assert_eq!(told(&client.ask(&request)), allowed);

    site.restore(&text(&[]));
    let report = gate.until_kept();
    assert!(report.contains("error[policy-test-failed]"), "{report}");
    assert!(report.contains("suite.yaml:2:5") && report.contains("seen grant-missing"), "{report}");
    assert_eq!(told(&client.ask(&request)), allowed);

    // So does a suite that is broken; and a revocation arrives with the suite that agrees to it.
    fs::write(&file, "cases: nothing\n").unwrap();
    gate.until(|status| match &status.last {
        ReloadOutcome::Kept(report) => report.to_string().contains("error[kind-wrong]"),
        _ => false,
    });
    assert_eq!(told(&client.ask(&request)), allowed);
    let generation = gate.generation();
    fs::write(&file, suite("grant-missing")).unwrap();
    gate.until(|status| status.generation > generation);
    assert_eq!(told(&client.ask(&request)), (403, "grant-missing".to_owned()));

    // What passes no longer is refused when the suite alone changes, and nothing else.
    fs::write(&file, suite("allow")).unwrap();
    assert!(gate.until_kept().contains("policy-test-failed"));
    assert_eq!(told(&client.ask(&request)), (403, "grant-missing".to_owned()));
}
