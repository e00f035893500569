//! What a gate would say to a change that is advised: whether the suites that its configuration names still
//! pass with it.
//!
//! In comes the advice and the files that it was found for; out comes the same, with a caution where cases
//! expect what the change undoes. The change stays what it is: proven for the request. Nothing is written.

use super::Surroundings;
use crate::clock::now;
use crate::config::{Report, Source, load};
use crate::explain::remedy::{Advice, Change};
use crate::suite::{Coverage, named, read, run};

/// The most cases that are named.
const MOST_NAMED: usize = 3;

/// The advice, with what the suites have against it.
#[must_use]
pub fn foreseen(advice: Advice, sources: &[Source]) -> Advice {
    let Advice::Change(mut change) = advice else { return advice };
    let cautions = [change.caution.take(), objection(&change, sources)];
    let cautions: Vec<_> = cautions.into_iter().flatten().collect();
    change.caution = (!cautions.is_empty()).then(|| cautions.join("; "));
    Advice::Change(change)
}

/// The cases that would fail with the change, in words.
fn objection(change: &Change, sources: &[Source]) -> Option<String> {
    let mut after = sources.to_vec();
    for source in &mut after {
        if let Some(file) = change.files.iter().find(|file| *file.name == *source.name) {
            source.text = file.after.clone().into();
        }
    }
    let (outside, now) = (Surroundings::default(), now());
    let snapshot = load(&after, &outside, now).ok()?.snapshot;
    let mut report = Report::new(after);
    let suites = named(&snapshot, &outside, &mut report);
    let suites = read(suites, &snapshot, now, &mut report);
    let mut cases = Vec::new();
    for suite in &suites {
        let run = run(suite, &snapshot, |_| true, &mut Coverage::default());
        cases.extend(run.failed().map(|finding| {
            let (line, expected) = (finding.case.line, finding.expected_words());
            format!("`{}:{line}` expects `{expected}`", suite.name)
        }));
    }
    let named = cases.get(..MOST_NAMED.min(cases.len()))?.join(", ");
    let more = match cases.len().saturating_sub(MOST_NAMED) {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    let (these, them) =
        if cases.len() == 1 { ("that case", "the suite") } else { ("those cases", "the suites") };
    (!cases.is_empty()).then(|| {
        let refused = if snapshot.tests.required {
            "the gate does not take this change before its suites agree: "
        } else {
            ""
        };
        format!("{refused}{named}{more} here: change {these} in the same edit, {them} first")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::remedy::ChangedFile;

    const TEXT: &str = "
issuers: [{issuer: 'https://a.example/', profile: auth0}]
resource_servers:
  - identifier: https://api.example
    scopes: [{value: read}]
    subject_type_authorization:
      user: {policy: require_client_grant}
      client: {policy: require_client_grant}
    gate:
      upstream: http://127.0.0.1:3000
      operations:
        - {on: GET /things/*, scopes: [read]}
";
    const SUITE: &str = "
api: https://api.example
cases:
  - name: a stranger
    caller: {client_id: web, subject_type: user, scopes: [read]}
    request: GET /things/1
    expect: grant-missing
";

    #[test]
    fn a_change_that_undoes_what_a_case_expects_says_which_and_whether_that_is_held_against_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        std::fs::write(path("suite.yaml"), SUITE).unwrap();
        let asked = |required: bool, grants: &str| {
            let tests = format!("tests: {{suites: [suite.yaml], required: {required}}}\n");
            let before = format!("{TEXT}{tests}");
            let file = ChangedFile {
                name: path("gateway.yaml"),
                before: before.clone(),
                after: format!("{before}{grants}"),
                diff: String::new(),
                masked: false,
            };
            let caution = Some("one thing".to_owned());
            let change = Change { instead: None, steps: Vec::new(), files: vec![file], caution };
            let sources = [Source::new(path("gateway.yaml"), before)];
            match foreseen(Advice::Change(change), &sources) {
                Advice::Change(change) => change.caution.unwrap().replace(&path(""), ""),
                other => panic!("{other:?}"),
            }
        };
        let grants = "client_grants: [{client_id: web, subject_type: user, scope: [read]}]\n";
        let case = "`suite.yaml:4` expects `grant-missing` here: change that case in the same edit, \
                    the suite first";
        assert_eq!(asked(false, grants), format!("one thing; {case}"));
        assert_eq!(
            asked(true, grants),
            format!(
                "one thing; the gate does not take this change before its suites agree: {case}"
            )
        );
        assert_eq!(asked(true, "client_grants: []\n"), "one thing");
    }
}
