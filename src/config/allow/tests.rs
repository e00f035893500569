use super::super::{Loaded, Nowhere, Source, load};
use super::*;
use crate::policy::UnixTime;

const NOW: UnixTime = UnixTime::from_seconds(1_795_305_600);

const RIGHT: &str = "\
issuers: [{issuer: https://a.example/, profile: auth0}]
resource_servers:
  - identifier: https://api.example
    scopes: [{value: read}]
    subject_type_authorization: {user: {policy: deny_all}, client: {policy: require_client_grant}}
    gate:
      upstream: http://127.0.0.1:3000
      operations: [{on: GET /things, scopes: [read]}]
client_grants:
  - {client_id: here, audience: https://api.example, scope: [read]}
";

fn warnings(texts: &[String]) -> Report {
    let sources = texts.iter().enumerate();
    let sources: Vec<_> =
        sources.map(|(index, text)| Source::new(format!("{index}.yaml"), text.as_str())).collect();
    match load(&sources, &Nowhere, NOW) {
        Ok(Loaded { warnings, .. }) => warnings,
        Err(report) => panic!("{report}"),
    }
}

/// The codes that are shown, and how many are allowed.
fn shown(texts: &[String]) -> (Vec<&'static str>, usize) {
    let report = warnings(texts);
    let codes = report.sorted().into_iter().map(|found| found.code.as_str()).collect();
    (codes, report.allowed())
}

fn elsewhere(count: usize) -> String {
    "  - {client_id: a, audience: https://other.example, scope: []}\n".repeat(count)
}

#[test]
fn a_comment_is_about_its_line_or_the_line_below() {
    const ALLOW: &str = "# grantgate: allow grant-elsewhere: given at the other gate";
    let grant = elsewhere(1);
    let grant = grant.trim_end();
    for (text, expected) in [
        (format!("{grant} {ALLOW}"), (vec![], 1)),
        (format!("  {ALLOW}\n{grant}"), (vec![], 1)),
        (format!("{ALLOW}\n# more is said\n\t# here\n{grant}"), (vec![], 1)),
        // It reaches no further than one line, and not upwards.
        (format!("{ALLOW}\n{grant}\n{grant}"), (vec!["grant-elsewhere"], 1)),
        (format!("{grant}\n{ALLOW}"), (vec!["grant-elsewhere"], 0)),
        (format!("{ALLOW}\n\n{grant}"), (vec!["grant-elsewhere"], 0)),
        (format!("  # see {ALLOW}\n{grant}"), (vec!["grant-elsewhere"], 0)),
        // What is a text, and not a comment.
        (
            format!("{}\n", grant.replace("id: a", &format!("id: a, reason: \"{ALLOW}\""))),
            (vec!["grant-elsewhere"], 0),
        ),
    ] {
        assert_eq!(shown(&[format!("{RIGHT}{text}")]), expected, "{text}");
    }
}

#[test]
fn a_comment_is_about_the_line_that_the_warning_names() {
    let text = format!(
        "{RIGHT}  # grantgate: allow grant-expires-soon: it ends with the contract\n  \
         - client_id: a\n    audience: https://api.example\n    scope: []\n    \
         expires_at: \"2026-11-23T00:00:00Z\"\n"
    );
    assert_eq!(shown(std::slice::from_ref(&text)), (vec!["grant-expires-soon"], 0));
    let within = text.replace("Z\"\n", "Z\" # grantgate: allow grant-expires-soon: it ends then\n");
    assert_eq!(shown(&[within]), (vec![], 1));
}

#[test]
fn very_many_are_allowed_by_line_or_file_and_the_others_are_still_counted() {
    let file = "# grantgate: allow-file grant-elsewhere: one file for all gates\n";
    let report = warnings(&[format!("{file}{RIGHT}{}", elsewhere(5000))]);
    assert_eq!((report.count(Severity::Warning), report.allowed()), (0, 5000));
    assert_eq!(report.to_string(), "");

    // Beyond those that are kept.
    let last = elsewhere(1).replace('\n', " # grantgate: allow grant-elsewhere: known\n");
    let report = warnings(&[format!("{RIGHT}{}{last}{}", elsewhere(1500), elsewhere(1))]);
    assert_eq!((report.count(Severity::Warning), report.allowed()), (1501, 1));
    assert!(report.to_string().ends_with("1501 warnings, 1 allowed\n"));
}

#[test]
fn a_file_allows_nothing_of_another_but_what_is_in_none() {
    let file = "# grantgate: allow-file grant-elsewhere: one file for all gates\n";
    let others = format!("client_grants:\n{}", elsewhere(1));
    let here = format!("{file}{RIGHT}");
    assert_eq!(shown(&[here, others.clone()]), (vec!["grant-elsewhere"], 0));
    assert_eq!(shown(&[RIGHT.to_owned(), format!("{file}{others}")]), (vec![], 1));
    let nothing = "# grantgate: allow-file nothing-served: it is yet to come\nclient_grants: []\n";
    assert_eq!(shown(&[nothing.to_owned()]), (vec![], 1));
}

#[test]
fn what_programs_write_is_allowed_from_elsewhere() {
    let rows = vec![r#"{"client_id":"a","audience":"https://other.example","scope":[]}"#; 1200];
    let written = format!("{{\"client_grants\": [\n{}\n]}}\n", rows.join(",\n"));
    let comment = "# grantgate: allow-everywhere grant-elsewhere: one list for all gates\n";
    assert_eq!(shown(&[written.clone(), format!("{comment}{RIGHT}")]), (vec![], 1200));
    assert_eq!(warnings(&[written, RIGHT.to_owned()]).count(Severity::Warning), 1200);
    let unused = comment.replace("grant-elsewhere", "user-allow-all");
    assert_eq!(shown(&[format!("{unused}{RIGHT}")]), (vec!["allow-unused"], 0));
}

#[test]
fn what_allows_nothing_is_told_unless_it_may_yet_come() {
    let with = |allow: &str| shown(&[format!("{RIGHT}# grantgate: {allow}\n")]).0;
    assert_eq!(with("allow-file scope-unused: the upstream asks"), ["allow-unused"]);
    assert_eq!(with("allow scope-unused: the upstream asks"), ["allow-unused"]);
    assert!(with("allow-file grant-elsewhere: one file for all gates").is_empty());
    assert!(with("allow-file grant-expires-soon: they are renewed by themselves").is_empty());
}

#[test]
fn a_comment_that_cannot_be_taken_says_what_to_write() {
    for (comment, message) in [
        ("allow scope-unused", "does not say why"),
        ("allow scope-unused:  ", "does not say why"),
        ("allow scope-unused because", "does not say why"),
        ("allow", "does not say which"),
        ("allow: scope-unused", "does not say which"),
        ("allow scope-unsued: x", "`scope-unsued` is not"),
        ("allow url-invalid: x", "is an error"),
        ("allow allow-unused: x", "about comments"),
        ("alow scope-unused: x", "`alow` is nothing"),
        ("allow_file scope-unused: x", "`allow_file` is nothing"),
    ] {
        let found = read(&format!("grantgate: {comment}"));
        let Some(Err(slip)) = found else { panic!("{comment} is taken") };
        assert!(slip.message.contains(message), "{comment}: {}", slip.message);
    }
    for other in ["grantgate: the gate before orders", "allow x: y", "grantgate", "grantgate:"] {
        assert!(read(other).is_none(), "{other}");
    }
    let Some(Ok((Code::ScopeUnused, Verb::File))) = read("grantgate:allow-file scope-unused :why")
    else {
        panic!("it is refused");
    };
}
