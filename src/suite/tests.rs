use super::*;
use crate::config::{Code, Loaded, Outside, Report, Source, load};
use crate::policy::UnixTime;

const NOW: UnixTime = UnixTime::from_seconds(1_800_000_000);

const CONFIG: &str = "
issuers:
  - {issuer: 'https://a.example/', profile: auth0}
  - {issuer: 'https://b.example/', profile: rfc9068}
resource_servers:
  - identifier: https://orders.example
    scopes: [{value: read}, {value: write}]
    subject_type_authorization:
      user: {policy: require_client_grant}
      client: {policy: require_client_grant}
    gate:
      hosts: [orders.example]
      upstream: http://127.0.0.1:3000
      issuers: ['https://a.example/']
      operations:
        - {on: GET /things/*, scopes: [read]}
  - identifier: https://ledger.example
    scopes: [{value: read}]
    subject_type_authorization:
      user: {policy: deny_all}
      client: {policy: require_client_grant}
    gate:
      hosts: [ledger.example]
      upstream: http://127.0.0.1:3000
      issuers: ['https://a.example/', 'https://b.example/']
      enforcement: enforce
      operations:
        - {on: GET /things/*, scopes: [read]}
client_grants:
  - {client_id: web, audience: 'https://orders.example', subject_type: user, scope: [read]}
";

struct Beside(&'static str);

impl Outside for Beside {
    fn env(&self, _: &str) -> Option<String> {
        None
    }

    fn file(&self, source: &str, path: &str) -> Result<String, String> {
        assert_eq!((source, path), ("folder/gateway.yaml", "suite.yaml"));
        if self.0.is_empty() { Err("it is not there".to_owned()) } else { Ok(self.0.to_owned()) }
    }
}

fn loaded(more: &str) -> Loaded {
    let source = Source::new("folder/gateway.yaml", format!("{CONFIG}{more}"));
    load(&[source], &Beside(""), NOW).unwrap_or_else(|report| panic!("{report}"))
}

/// The cases of a suite by name, with whether they pass, what was touched, and what is wrong with it.
fn ran(text: &str) -> (Vec<(String, bool)>, Covered, Report) {
    let (snapshot, mut report) = (loaded("").snapshot, Report::default());
    let suites = read(vec![Source::new("suite.yaml", text)], &snapshot, NOW, &mut report);
    let mut coverage = Coverage::default();
    let runs: Vec<_> =
        suites.iter().map(|suite| run(suite, &snapshot, |_| true, &mut coverage)).collect();
    let findings = runs.iter().flat_map(|run| &run.findings);
    let named = findings.map(|finding| (finding.case.name.clone(), finding.passed())).collect();
    (named, coverage.of(&snapshot), report)
}

fn passed(text: &str) {
    let (named, _, report) = ran(text);
    assert!(!report.has_errors() && !named.is_empty(), "{report}");
    assert!(named.iter().all(|(_, passed)| *passed), "{named:?}");
}

/// The codes of what is wrong with a suite, with what is said.
fn wrong(text: &str) -> Vec<(Code, String)> {
    let (_, _, report) = ran(text);
    report.iter().map(|found| (found.code, found.message.clone())).collect()
}

#[test]
fn a_row_is_its_case_with_other_keys() {
    let text = "
api: https://orders.example
cases:
  - name: table
    caller: {client_id: web, subject_type: user, scopes: [read]}
    request: GET /things/1
    expect: allow
    rows:
      - {}
      - {name: another application, caller: {client_id: other}, expect: grant-missing}
      - {caller: {scopes: []}, expect: scope-insufficient}
      - {no_token: true, expect: token-missing}
      - {request: 'GET https://nowhere.example/', expect: route-unknown}
      - {claims: {iss: 'https://a.example/', aud: 'https://orders.example', azp: web, sub: a|1}, expect: scope-insufficient}
  - name: claims
    claims: {iss: 'https://a.example/', aud: 'https://orders.example', azp: web, sub: a|1, scope: read}
    request: GET /things/1
    rows:
      - {expect: allow, effective_scopes: [read]}
      - {claims: {azp: other}, expect: grant-missing}
      - {claims: {aud: null}, expect: token-claim-missing}
      - {claims: {exp: 1}, expect: token-expired}
";
    passed(text);
    let (named, ..) = ran(text);
    assert_eq!(named[0].0, "table: row 1");
    assert_eq!(named[1].0, "table: another application");
}

#[test]
fn effective_scopes_are_exact() {
    let of = |scopes: &str| {
        let (named, ..) = ran(&format!(
            "cases: [{{name: a, caller: {{client_id: web, subject_type: user, scopes: [read]}}, \
             request: 'GET https://orders.example/things/1', expect: allow, effective_scopes: {scopes}}}]"
        ));
        named[0].1
    };
    assert!(of("[read]"));
    assert!(!of("[]") && !of("[read, write]") && !of("[write]"));
}

#[test]
fn what_is_meant_must_be_said_where_it_could_be_several() {
    let case = |top: &str, caller: &str, request: &str| {
        wrong(&format!(
            "{top}cases: [{{name: a, caller: {caller}, request: '{request}', expect: allow}}]"
        ))
    };
    let orders = "GET https://orders.example/things/1";
    let ledger = "GET https://ledger.example/things/1";
    assert_eq!(case("", "{client_id: web}", orders), []);
    let codes =
        |found: Vec<(Code, String)>| found.into_iter().map(|(code, _)| code).collect::<Vec<_>>();
    assert_eq!(codes(case("", "{client_id: web}", "GET /things/1")), [Code::PolicyTestInvalid]);
    assert_eq!(case("api: 'https://orders.example'\n", "{client_id: web}", "GET /things/1"), []);
    assert_eq!(
        codes(case("api: 'https://order.example'\n", "{client_id: web}", orders)),
        [Code::PolicyTestInvalid]
    );
    assert_eq!(codes(case("", "{client_id: web}", ledger)), [Code::IssuerAmbiguous]);
    assert_eq!(case("", "{client_id: web, issuer: 'https://b.example/'}", ledger), []);
    assert_eq!(
        codes(case("", "{client_id: web, issuer: 'https://c.example/'}", ledger)),
        [Code::IssuerUnknown]
    );
    let nowhere = "GET https://nowhere.example/";
    let issuer = "{client_id: web, issuer: 'https://b.example/'}";
    assert_eq!(codes(case("", issuer, nowhere)), [Code::AudienceAmbiguous]);
    let both = "{client_id: web, issuer: 'https://b.example/', audience: 'https://c.example'}";
    assert_eq!(case("", both, nowhere), []);
}

#[test]
fn a_suite_has_bounds() {
    let row = "{request: GET /, no_token: true, expect: allow}";
    let rows = vec![row; 10_001].join(", ");
    let found = wrong(&format!("cases: [{{name: a, rows: [{rows}]}}]"));
    assert!(found[0].1.contains("10001 cases"), "{found:?}");
    let found = wrong(&format!("cases: [] # {}", "x".repeat(1 << 20)));
    assert_eq!(found[0].0, Code::ConfigTooLarge);
    assert_eq!(wrong("cases: []")[0].0, Code::KeyMissing);
}

#[test]
fn codes_that_the_configuration_cannot_give_need_no_case() {
    let (_, covered, _) =
        ran("cases: [{name: a, caller: {client_id: web, subject_type: user, scopes: [read]}, \
         request: 'GET https://orders.example/things/1', expect: allow}]");
    let untouched: Vec<_> =
        covered.codes.untouched.iter().map(|code| code.what.split('`').nth(1).unwrap()).collect();
    for impossible in
        ["grant-expired", "organization-denied", "organization-required", "scope-not-granted"]
    {
        assert!(!untouched.contains(&impossible), "{impossible}");
    }
    for possible in ["route-unknown", "policy-denies-all", "grant-missing", "scope-exceeds-grant"] {
        assert!(untouched.contains(&possible), "{possible}");
    }
    assert_eq!((covered.grants.touched(), covered.operations.touched()), (1, 1));
    let untouched = &covered.operations.untouched[..];
    let [Untouched { what, line: Some(line) }] = untouched else { panic!("{untouched:?}") };
    assert_eq!(what, "`GET /things/*`, API `https://ledger.example`");
    assert_eq!(line, "folder/gateway.yaml:28");
    assert!(covered.percent() < 100);
}

#[test]
fn suites_hold_a_configuration_where_they_are_required() {
    const RIGHT: &str = "cases: [{name: a, no_token: true, request: 'GET https://a.example/', expect: route-unknown}]";
    const WRONG: &str =
        "cases: [{name: a, no_token: true, request: 'GET https://a.example/', expect: allow}]";
    let held = |required: bool, text: &'static str, demand: Demand| {
        let tests = format!("tests: {{suites: [suite.yaml], required: {required}}}\n");
        let held = hold(loaded(&tests), &Beside(text), NOW, demand);
        held.err().map(|report| {
            let errors = report
                .iter()
                .filter(|found| found.code.severity() == crate::config::Severity::Error);
            errors.map(|found| found.code).collect::<Vec<_>>()
        })
    };
    assert_eq!(held(true, RIGHT, Demand::AsWritten), None);
    assert_eq!(held(true, WRONG, Demand::AsWritten), Some(vec![Code::PolicyTestFailed]));
    assert_eq!(held(true, "", Demand::AsWritten), Some(vec![Code::FileUnreadable]));
    assert_eq!(held(true, "case: []", Demand::AsWritten), Some(vec![Code::KeyUnknown]));
    // Else nobody reads them.
    assert_eq!(held(false, "", Demand::AsWritten), None);
    assert_eq!(held(false, WRONG, Demand::Always), Some(vec![Code::PolicyTestFailed]));
    let none = hold(loaded(""), &Beside(RIGHT), NOW, Demand::Always).unwrap_err();
    assert!(none.to_string().contains("the configuration names none"), "{none}");
}

#[test]
fn what_xml_cannot_hold_is_not_written() {
    let text = "cases: [{name: \"a\\u0000\\u001b<&\\t\", no_token: true, request: 'GET https://a.example/', \
                expect: allow}]";
    let (snapshot, mut report) = (loaded("").snapshot, Report::default());
    let suites = read(vec![Source::new("a&b", text)], &snapshot, NOW, &mut report);
    let xml = show::junit(&[run(&suites[0], &snapshot, |_| true, &mut Coverage::default())]);
    assert!(xml.contains("name=\"a\u{fffd}\u{fffd}&lt;&amp;&#9;\""), "{xml}");
    assert!(xml.contains("classname=\"a&amp;b\""), "{xml}");
}

#[test]
fn a_suite_that_was_cut_short_does_not_pass_where_files_tell_their_ends() {
    const WHOLE: &str = "cases: [{name: a, no_token: true, request: 'GET https://a.example/', expect: route-unknown}]\n...\n";
    const CUT: &str = "cases:\n  - {name: a, no_token: true, request: 'GET https://a.example/', expect: route-unknown}\n";
    let held = |text: &'static str| {
        let more =
            "tests: {suites: [suite.yaml], required: true}\nreload: {end_marker: required}\n...\n";
        hold(loaded(more), &Beside(text), NOW, Demand::AsWritten)
    };
    assert!(held(WHOLE).is_ok());
    let report = held(CUT).unwrap_err();
    assert!(report.iter().any(|found| found.code == Code::EndMarkerMissing), "{report}");
}

#[test]
fn a_reload_waits_for_so_many_cases_and_no_more() {
    let mut text = "cases:\n  - {name: a, no_token: true, request: 'GET https://a.example/', \
                    expect: route-unknown, rows: ["
        .to_owned();
    text.push_str(&"{},".repeat(9_999));
    text.push_str("{}]}\n");
    let count = |suites: usize| {
        let (snapshot, mut report) = (loaded("").snapshot, Report::default());
        let sources = (0..suites).map(|n| Source::new(format!("{n}.yaml"), text.as_str()));
        let read = read(sources.collect(), &snapshot, NOW, &mut report);
        (read.len(), report.has_errors())
    };
    assert_eq!(count(10), (10, false));
    assert_eq!(count(11), (10, true));
}
