//! `grantgate explain` as it is started: what it says of every code that claims can show, and that a change
//! which it suggests makes it say that the request is allowed.
//!
//! `tests/golden/explain/<case>/` holds the arguments, the claims that are piped in, and what is said;
//! `UPDATE_GOLDEN=1` writes that anew. The configuration and the log are shared.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use grantgate::explain::{Explanation, RuleOutcome, Verdict};
use grantgate::gate::{Code, Rule};
use serde_json::Value;
use tempfile::TempDir;

use crate::disk::root;
use crate::expected::differs;
use crate::program::{grantgate, outcome};
use crate::tokens;

/// What is wrong with a token's text or signature, or with how it came: claims alone cannot show it.
const NOT_OF_CLAIMS: [Code; 6] = [
    Code::CredentialAmbiguous,
    Code::KeysUnavailable,
    Code::TokenAlgorithmRefused,
    Code::TokenKeyUnknown,
    Code::TokenSignatureInvalid,
    Code::TokenTooLarge,
];

fn golden() -> PathBuf {
    root().join("tests/golden/explain")
}

fn cases() -> Vec<PathBuf> {
    let entries = fs::read_dir(golden()).unwrap().map(|entry| entry.unwrap().path());
    let mut cases: Vec<_> = entries.filter(|path| path.is_dir()).collect();
    cases.sort();
    cases
}

fn name(case: &Path) -> &str {
    case.file_name().unwrap().to_str().unwrap()
}

/// The program as the case has it, on the configuration in `folder`.
fn explain(case: &Path, folder: &Path) -> Command {
    let arguments = fs::read_to_string(case.join("args")).unwrap();
    let mut command = grantgate(&["explain", "--config", "gateway.yaml"]);
    command.args(arguments.lines()).current_dir(folder).env_remove("GRANTGATE_TOKEN");
    if !arguments.contains("--decision") {
        command.args(["--at", "2026-11-22T00:00:00Z"]);
    }
    if let Ok(claims) = fs::File::open(case.join("claims.json")) {
        command.stdin(Stdio::from(claims));
    }
    command
}

#[test]
fn what_it_says_reads_as_it_should() {
    let mut wrong = Vec::new();
    for case in cases() {
        let (code, shown, talk) = outcome(&mut explain(&case, &golden()));
        assert_eq!(talk, "", "{}", name(&case));
        let said = if shown.is_empty() { "nothing\n".to_owned() } else { shown };
        let shown = format!("{said}exit code {}\n", code.unwrap());
        wrong.extend(differs(&case.join("expected.txt"), &shown));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn every_code_that_claims_can_show_has_a_case_and_refuses_by_one_rule() {
    let decided = Code::ALL.iter().filter(|code| Rule::of(**code, true).is_some());
    for code in decided.filter(|code| !NOT_OF_CLAIMS.contains(code)) {
        let case = golden().join(code.as_str());
        assert!(case.is_dir(), "{} is missing", case.display());
        let explanation = explanation(&case, &golden());
        let refusal = explanation.refusal.unwrap();
        assert_eq!(refusal.code, code.as_str());
        let refused: Vec<_> = explanation
            .rules
            .iter()
            .filter(|finding| finding.outcome == RuleOutcome::Refused)
            .map(|finding| finding.rule)
            .collect();
        assert_eq!(Some(refused), refusal.rule.map(|rule| vec![rule]), "{code}");
    }
}

fn answer(case: &Path, folder: &Path) -> Value {
    let (_, shown, _) = outcome(explain(case, folder).args(["--format", "json"]));
    serde_json::from_str(&shown).unwrap_or_else(|error| panic!("{}: {error}", name(case)))
}

/// What is sent is also read: the admin listener answers with it.
fn explanation(case: &Path, folder: &Path) -> Explanation {
    serde_json::from_value(answer(case, folder)["explanation"].take()).unwrap()
}

#[test]
fn a_change_that_is_suggested_makes_it_say_allowed() {
    let mut changed = BTreeSet::new();
    for case in cases().iter().filter(|case| !["json", "patch"].contains(&name(case))) {
        let answer = answer(case, &golden());
        let verdict = &answer["explanation"]["verdict"];
        assert_eq!(verdict == "allowed", answer["advice"].is_null(), "{}", name(case));
        let Some(change) = answer["advice"].get("change") else { continue };
        let folder = copied();
        for file in change["files"].as_array().unwrap() {
            let path = folder.path().join(file["name"].as_str().unwrap());
            let before = fs::read_to_string(&path).unwrap();
            fs::write(path, patched(&before, file["diff"].as_str().unwrap())).unwrap();
        }
        let after = explanation(case, folder.path());
        assert_eq!(after.verdict, Verdict::Allowed, "{}", name(case));
        changed.insert(name(case).to_owned());
    }
    for code in ["grant-missing", "grant-expired", "scope-exceeds-grant", "scope-not-granted"] {
        assert!(changed.contains(code), "{code} is not among {changed:?}");
    }
}

/// The configuration and the log, to be changed.
fn copied() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["gateway.yaml", "gate.log"] {
        fs::copy(golden().join(name), folder.path().join(name)).unwrap();
    }
    folder
}

/// `text` with a unified difference applied, whose every line must fit where it says.
fn patched(text: &str, diff: &str) -> String {
    let old: Vec<_> = text.split_inclusive('\n').collect();
    let (mut new, mut at) = (String::new(), 0);
    for line in diff.split_inclusive('\n').skip_while(|line| !line.starts_with("@@")) {
        let (kind, rest) = line.split_at(1);
        match kind {
            "@" => {
                let start: usize =
                    rest.split(['-', ',', ' ']).nth(2).and_then(|it| it.parse().ok()).unwrap();
                new.extend(old[at..start - 1].iter().copied());
                at = start - 1;
            }
            "+" => new.push_str(rest),
            "-" | " " => {
                assert_eq!(old[at], rest);
                at += 1;
                if kind == " " {
                    new.push_str(rest);
                }
            }
            _ => panic!("{line} is no line of a difference"),
        }
    }
    new.extend(old[at..].iter().copied());
    new
}

#[test]
fn a_patch_is_what_patch_takes() {
    let folder = copied();
    let case = golden().join("scope-exceeds-grant");
    let (code, patch, talk) = outcome(explain(&case, folder.path()).args(["--format", "patch"]));
    assert_eq!((code, talk.as_str()), (Some(1), ""));
    let config = folder.path().join("gateway.yaml");
    let after = patched(&fs::read_to_string(&config).unwrap(), &patch);
    fs::write(config, after).unwrap();
    let (code, patch, _) = outcome(explain(&case, folder.path()).args(["--format", "patch"]));
    assert_eq!((code, patch.as_str()), (Some(0), ""));
}

#[test]
fn what_else_is_to_know_of_a_patch_is_talk() {
    let folder = copied();
    for (case, said) in [
        ("operation-unlisted", "grantgate: mind: "),
        ("scope-insufficient", "grantgate: in most cases, rather ask the issuer"),
        ("token-expired", "grantgate: no change is suggested: get a new access token"),
    ] {
        let mut command = explain(&golden().join(case), folder.path());
        let (code, patch, talk) = outcome(command.args(["--format", "patch"]));
        assert_eq!(code, Some(1), "{case}");
        assert!(talk.starts_with(said), "{case}: {talk}");
        assert_eq!(patch.is_empty(), case != "operation-unlisted", "{case}: {patch}");
    }
}

#[test]
fn a_refusal_that_was_only_reported_is_not_the_same_decision() {
    let folder = copied();
    let log = fs::read_to_string(golden().join("gate.log")).unwrap();
    let log = log.replace(
        r#""decision":"refuse","code":"scope-exceeds-grant","would_refuse":null"#,
        r#""decision":"would_refuse","code":null,"would_refuse":"scope-exceeds-grant""#,
    );
    fs::write(folder.path().join("gate.log"), log).unwrap();
    let (_, said, _) = outcome(&mut explain(&golden().join("decision"), folder.path()));
    assert!(said.contains("decides otherwise"), "{said}");
}

#[test]
fn what_is_not_done_in_most_cases_is_no_patch_unless_it_is_asked_for_even_so() {
    let case = golden().join("scope-insufficient");
    let patch =
        |more: &[&str]| outcome(explain(&case, &golden()).args(["--format", "patch"]).args(more));
    let (code, shown, talk) = patch(&[]);
    assert_eq!((code, shown.as_str()), (Some(1), ""));
    assert!(talk.contains("ask the issuer for a token") && talk.contains("--even-so"), "{talk}");
    assert!(talk.contains("mind: this opens"), "{talk}");
    let (code, shown, talk) = patch(&["--even-so"]);
    assert_eq!(code, Some(1));
    assert!(shown.starts_with("--- gateway.yaml"), "{shown}");
    assert!(talk.contains("mind: this opens"), "{talk}");
}

#[test]
fn a_method_and_a_url_in_one_word_are_two() {
    let case = golden().join("public");
    let url = "https://orders.example.com:8443/healthz?secret=1";
    for words in [&["GET", url][..], &[&format!("GET {url}")]] {
        let mut command = grantgate(&["explain", "--config", "gateway.yaml", "--no-token"]);
        let (code, shown, _) = outcome(command.args(words).current_dir(case.parent().unwrap()));
        assert_eq!(code, Some(0), "{shown}");
        let request = "request       GET https://orders.example.com:8443/healthz\n";
        assert!(shown.contains(request), "{shown}");
    }
}

/// A suite that the gate requires is told of before it refuses the change.
#[test]
fn a_change_that_a_required_suite_is_against_says_which_case() {
    let folder = copied();
    let config = folder.path().join("gateway.yaml");
    let text = fs::read_to_string(&config).unwrap();
    let tests = "tests: {suites: [suite.yaml], required: true}\n";
    fs::write(&config, format!("{text}\n{tests}")).unwrap();
    let suite = r#"api: https://orders.example.com
cases:
  - name: a stranger is not let in
    caller: {client_id: stranger, subject_type: client, scopes: ["read:orders"]}
    request: GET /orders/1
    expect: grant-missing
"#;
    fs::write(folder.path().join("suite.yaml"), suite).unwrap();
    let claims = r#"{"iss": "https://example.eu.auth0.com/", "aud": "https://orders.example.com",
        "sub": "stranger@clients", "azp": "stranger", "gty": "client-credentials", "scope": "read:orders"}"#;
    fs::write(folder.path().join("claims.json"), claims).unwrap();
    let mut command = grantgate(&["explain", "--config", "gateway.yaml", "--claims", "GET"]);
    command.args(["https://orders.example.com/orders/1", "@claims.json"]);
    let (code, shown, talk) = outcome(command.current_dir(folder.path()));
    assert_eq!(code, Some(1), "{talk}");
    assert!(
        shown.contains("suite.yaml:3` expects `grant-missing` here: change that case"),
        "{shown}"
    );
}

/// What its document describes and cannot be listed is said, and listed under the document's own path.
#[test]
fn an_operation_that_is_left_out_of_a_document_is_found_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let config = "issuers: [{issuer: \"https://a.example/\", profile: auth0}]\nresource_servers:\n  - \
        identifier: https://api.example\n    scopes: [{value: read}]\n    subject_type_authorization:\n      \
        user: {policy: allow_all}\n      client: {policy: deny_all}\n    gate:\n      openapi: \
        openapi.json\n      upstream: http://127.0.0.1:9\nclient_grants: []\n";
    let document = r#"{"openapi": "3.0.3", "info": {"title": "Orders", "version": "1"},
        "servers": [{"url": "/v1"}],
        "paths": {"/orders/{id}": {"get": {"responses": {}}}},
        "components": {}}"#;
    fs::write(folder.path().join("gateway.yaml"), config).unwrap();
    fs::write(folder.path().join("openapi.json"), document).unwrap();
    let claims = r#"{"iss": "https://a.example/", "aud": "https://api.example", "sub": "auth0|1",
        "azp": "web", "scope": "read"}"#;
    fs::write(folder.path().join("claims.json"), claims).unwrap();
    let mut command = grantgate(&["explain", "--config", "gateway.yaml", "--claims", "GET"]);
    command.args(["/v1/orders/7", "@claims.json"]);
    let (code, shown, talk) = outcome(command.current_dir(folder.path()));
    assert_eq!(code, Some(1), "{talk}");
    assert!(shown.contains("describes `/v1/orders/{id}`, which is left out:"), "{shown}");
    assert!(shown.contains("- {on: \"GET /v1/orders/{id}\", scopes: [read]}"), "{shown}");
}

#[test]
fn what_cannot_be_answered_is_no_answer_and_says_why() {
    let config = golden().join("gateway.yaml").display().to_string();
    let log = golden().join("gate.log").display().to_string();
    let url = "https://orders.example.com/orders/1";
    for (arguments, said) in [
        (vec![url], "--no-token"),
        (vec!["GET", "/orders/1", "--no-token"], "does not say which host"),
        (
            vec!["GET", "/orders/1", "--no-token", "--api", "https://order.example.com"],
            "is `https://orders",
        ),
        (vec!["GET", url, "eyJhbGciOiJub25lIn0.e30."], "@file"),
        (vec!["GET", url, "--claims", "@/not/there"], "/not/there"),
        (vec!["GET", url, "--claims", "@/dev/null"], "--no-token"),
        (vec!["GET", "orders", "--no-token"], "neither a URL nor a path"),
        (vec!["--decision", "none", "--log", &log], "no record"),
        (vec!["--decision", "none", "--log", "/not/there"], "cannot be read"),
        (vec!["--decision", "none"], "--log"),
        (vec!["GET", url, "--no-token", "--at", "noon"], "2030-01-01T00:00:00Z"),
        (vec![], "REQUEST"),
    ] {
        let mut command = grantgate(&["explain", "--config", &config]);
        let (code, shown, talk) = outcome(command.args(&arguments).env_remove("GRANTGATE_TOKEN"));
        assert_eq!((code, shown.as_str()), (Some(2), ""), "{arguments:?}");
        assert!(talk.contains(said) && !talk.contains("eyJ"), "{arguments:?}: {talk}");
    }
}

#[test]
fn a_token_is_verified_or_said_to_be_believed() {
    let configuration = root().join("tests/golden/inspect-token/gateway.yaml");
    let keys = tokens::folder().join("keys.jwks").display().to_string();
    // Nobody listens at this port.
    let configuration = fs::read_to_string(configuration)
        .unwrap()
        .replace(
            "https://login.microsoftonline.com/common/discovery/v2.0/keys",
            "http://127.0.0.1:1/",
        )
        .replace("\"api://orders\"", "d2a9c6b0-5f31-4e87-b1aa-6c0e7f493d15")
        .replace("../../vectors/tokens/keys.jwks", &keys);
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("gateway.yaml");
    fs::write(&config, configuration).unwrap();
    let config = config.display().to_string();
    let ask = |token: &str, more: &[&str]| {
        let token = tokens::folder().join(token).with_extension("jwt");
        let mut command = grantgate(&["explain", "--config", &config]);
        command.args(["https://orders.example.com/orders", &format!("@{}", token.display())]);
        outcome(command.args(more).env_remove("GRANTGATE_TOKEN"))
    };

    let (code, shown, talk) = ask("keycloak/machine", &[]);
    assert_eq!((code, talk.as_str()), (Some(1), ""));
    assert!(
        shown.starts_with("refused: grant-missing") && !shown.contains("not looked at"),
        "{shown}"
    );
    let (code, shown, talk) = ask("entra/machine", &[]);
    assert_eq!((code, shown.as_str()), (Some(2), ""));
    assert!(talk.contains("cannot be fetched") && talk.contains("--offline"), "{talk}");
    let (code, shown, talk) = ask("entra/machine", &["--offline"]);
    assert_eq!(code, Some(1));
    assert!(
        talk.contains("NOT VERIFIED") && shown.contains("signature not looked at"),
        "{talk}{shown}"
    );
}
