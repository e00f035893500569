//! `config/README.md`, `config/schema.json`, `config/suite.schema.json` and `config/openapi.json` are written from the code:
//! `UPDATE_GOLDEN=1` writes them anew, and without it they must be as they would be written.
//!
//! The reference is its template with the tables put in: the keys from the schema, which has the doc
//! comments of the raw types; the codes from their tables.

/// Sections and keys as tables.
mod keys;
/// The metrics as a table.
mod metrics;

use std::fmt::Write as _;
use std::fs;

use grantgate::config::endpoints::Endpoint;
use grantgate::config::{Code, Report, Severity, Source, digest, editor_schema, load};
use grantgate::gate;
use grantgate::management::description;
use grantgate::suite;
use serde_json::{Map, Value, json};

use crate::disk::{Fake, NOW, root};

/// Compares a file with what is written there now; or writes it.
fn fresh(path: &str, text: &str) {
    let path = root().join(path);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, text).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    let differs = found.lines().zip(text.lines()).position(|(found, text)| found != text);
    assert!(
        found == text,
        "{} is stale at line {:?}: UPDATE_GOLDEN=1 writes it anew",
        path.display(),
        differs.map(|line| line + 1)
    );
}

#[test]
fn the_schema_is_fresh() {
    fresh("config/schema.json", &format!("{:#}\n", editor_schema()));
}

#[test]
fn the_schema_of_suites_is_fresh() {
    fresh("config/suite.schema.json", &format!("{:#}\n", suite::schema()));
}

#[test]
fn the_description_of_the_management_api_is_fresh() {
    fresh("config/openapi.json", &format!("{:#}\n", description()));
}

#[test]
fn the_reference_is_fresh() {
    fresh("config/README.md", &reference());
}

fn reference() -> String {
    let template = fs::read_to_string(root().join("tests/it/reference/template.md")).unwrap();
    let mut out = String::new();
    for line in template.lines() {
        match line.strip_prefix("{{").and_then(|line| line.strip_suffix("}}")) {
            None => out.push_str(line),
            Some("check") => out.push_str(&check()),
            Some("endpoints") => out.push_str(&endpoints()),
            Some("errors") => out.push_str(&diagnostics(Severity::Error)),
            Some("keys") => out.push_str(&keys::tables(&editor_schema(), "Top level")),
            Some("metrics") => out.push_str(&rows(metrics::rows(EXAMPLE).into_iter())),
            Some("refusals") => out.push_str(&refusals()),
            Some("suites") => out.push_str(&keys::tables(&suite::schema(), "A suite's top level")),
            Some("warnings") => out.push_str(&diagnostics(Severity::Warning)),
            Some(include) => {
                let path = include.strip_prefix("include ").unwrap();
                let text = fs::read_to_string(root().join(path)).unwrap();
                // Without the editors' comment, whose path holds there alone.
                out.push_str(text.split_once('\n').unwrap().1.trim_end());
            }
        }
        out.push('\n');
    }
    out
}

fn endpoints() -> String {
    rows(Endpoint::ALL.iter().map(|endpoint| {
        let scope =
            endpoint.scope().map_or_else(|| "none".to_owned(), |scope| format!("`{scope}`"));
        format!("| `{} {}` | {scope} |", endpoint.method(), endpoint.path())
    }))
}

/// A configuration with an API, and an issuer whose keys are fetched.
const EXAMPLE: &str = "config/examples/sidecar";

fn diagnostics(severity: Severity) -> String {
    let codes = Code::ALL.iter().filter(|code| code.severity() == severity);
    rows(codes.map(|code| format!("| `{}` | {} |", code.as_str(), cell(code.meaning()))))
}

fn refusals() -> String {
    rows(gate::Code::ALL.iter().map(|code| {
        let (title, hint) = (cell(code.title()), cell(code.hint()));
        let (http, grpc) = (code.status().as_u16(), code.grpc());
        format!("| `{}` | {http} | {grpc} | {title} | {hint} |", code.as_str())
    }))
}

fn rows(rows: impl Iterator<Item = String>) -> String {
    rows.collect::<Vec<_>>().join("\n")
}

/// Text in a table's cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

/// The report that the page shows, of a real configuration.
fn check() -> String {
    let text = "log: {level: info, records: yes}\nclient_grants: []\n";
    let sources = [Source::new("grantgate.yaml", text)];
    let report = load(&sources, &Fake { folder: root() }, NOW).unwrap_err();
    format!("{:#}", report.to_json())
}

/// The page's fenced blocks of YAML that are whole configurations.
fn configurations() -> Vec<String> {
    let page = reference();
    let blocks = page.split("```yaml\n").skip(1);
    let blocks = blocks.map(|rest| rest.split("```").next().unwrap().to_owned());
    blocks.filter(|block| block.contains("\nclient_grants:")).collect()
}

#[test]
fn every_configuration_on_the_page_loads_without_a_warning() {
    let configurations = configurations();
    assert_eq!(configurations.len(), 4);
    for text in configurations {
        match load(&[Source::new("page", &*text)], &Fake { folder: root() }, NOW) {
            Ok(taken) => assert_eq!(taken.warnings.to_string(), ""),
            Err(report) => panic!("{report}"),
        }
    }
}

/// The page's suite speaks of the page's first configuration.
#[test]
fn the_suite_on_the_page_passes() {
    let configuration = configurations().remove(0);
    let snapshot = load(&[Source::new("page", configuration)], &Fake { folder: root() }, NOW);
    let (snapshot, mut report) = (snapshot.unwrap().snapshot, Report::default());
    let page = reference();
    let mut blocks = page.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let text = blocks.find(|block| block.contains("\ncases:")).unwrap();
    let suites = suite::read(vec![Source::new("suite", text)], &snapshot, NOW, &mut report);
    assert_eq!(report.to_string(), "");
    let mut coverage = suite::Coverage::default();
    let run = suite::run(&suites[0], &snapshot, |_| true, &mut coverage);
    assert_eq!(run.failed().map(suite::Finding::seen_words).collect::<Vec<_>>(), [""; 0]);
    assert!(run.findings.len() > 5);
    // And what the page shows of its coverage is what is printed.
    let covered =
        suite::show::coverage(&coverage.of(&snapshot)).replace("page:", "grantgate.yaml:");
    for line in covered.lines().take(6) {
        assert!(page.contains(&format!("\n{line}\n")), "{covered}");
    }
}

/// What the page and editors show as defaults: written out, they change nothing.
#[test]
fn the_defaults_are_what_is_meant_by_leaving_them_out() {
    let schema = editor_schema();
    let defaults = |section: &str| {
        let properties = schema["definitions"][section]["properties"].as_object().unwrap();
        let stated = properties.iter().filter_map(|(key, of)| Some((key, of.get("default")?)));
        stated.map(|(key, of)| (key.clone(), of.clone())).collect::<Map<String, Value>>()
    };
    let configuration = |with: &dyn Fn(&str, Value) -> Value| {
        let api = json!({
            "identifier": "https://orders.example.com",
            "scopes": [{"value": "read:orders"}],
            "subject_type_authorization": {
                "user": {"policy": "require_client_grant"},
                "client": {"policy": "require_client_grant"},
            },
            "gate": with("Gate", json!({
                "upstream": "http://127.0.0.1:3000",
                "operations": [{"on": "GET /orders", "scopes": ["read:orders"]}],
            })),
        });
        let custom = json!({
            "issuer": "https://id.example.com",
            "profile": "custom",
            "user": [{"claim": "a", "equals": "b"}],
            "claims": with("Claims", json!({})),
        });
        let grant = json!({"client_id": "app", "scope": ["read:orders"]});
        let client = json!({"client_id": "app", "is_first_party": false});
        let mut whole = json!({
            "issuers": [with("Issuer", custom)],
            "resource_servers": [api],
            "clients": [with("Client", client)],
            "client_grants": [with("ClientGrant", grant)],
            "management": with("Management", json!({
                "listen": "127.0.0.1:9443",
                "tls": {"cert": "tls/tls.crt", "key": "tls/tls.key"},
                "clients": [{"client_id": "tool", "client_secret": "${env:LONG_SECRET}"}],
            })),
        });
        for (key, section) in [
            ("server", "Server"),
            ("health", "Health"),
            ("limits", "Limits"),
            ("timeouts", "Timeouts"),
            ("log", "Log"),
            ("reload", "Reload"),
        ] {
            whole[key] = with(section, json!({}));
        }
        let source = Source::new("defaults.json", whole.to_string());
        match load(&[source], &Fake { folder: root() }, NOW) {
            Ok(mut loaded) => {
                loaded.snapshot.digest = digest(&[]);
                // Nothing of the gateway's own API is configured, and its many scopes print in any order.
                loaded.snapshot.apis.retain(|served| served.upstream.is_some());
                // This has what is written, and not what it means.
                loaded.snapshot.management.as_mut().unwrap().inventory = std::sync::Arc::default();
                format!("{:#?}", loaded.snapshot)
            }
            Err(report) => panic!("{report}"),
        }
    };
    let written = configuration(&|section, mut value| {
        let map = value.as_object_mut().unwrap();
        for (key, default) in defaults(section) {
            map.entry(key).or_insert(default);
        }
        value
    });
    let left_out = configuration(&|_, value| value);
    let differs = written.lines().zip(left_out.lines()).find(|(written, out)| written != out);
    assert_eq!(differs, None);
    assert!(defaults("Server").len() >= 4 && defaults("Gate").len() >= 5);
}

#[test]
fn the_links_of_the_page_lead_somewhere() {
    let page = reference();
    let headings = page.lines().filter(|line| line.starts_with('#'));
    let anchors: Vec<_> =
        headings.map(|line| keys::anchor(line.trim_start_matches('#').trim())).collect();
    let mut broken = String::new();
    for link in page.split("](").skip(1).map(|rest| rest.split(')').next().unwrap()) {
        let leads = match link.strip_prefix('#') {
            Some(anchor) => anchors.iter().any(|known| known == anchor),
            None => root().join("config").join(link).exists(),
        };
        if !leads {
            let _ = writeln!(broken, "{link}");
        }
    }
    assert_eq!(broken, "");
}
