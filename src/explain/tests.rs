//! The rules' order, where it is not that of their numbers. What people read is in `tests/golden/explain`.

use std::cell::OnceCell;

use serde_json::json;

use super::{Explanation, RuleOutcome, Verdict, explain};
use crate::config::snapshot::{RemoteKeys, Snapshot};
use crate::config::{Nowhere, Source, load};
use crate::gate::{Env, Keys, Shown, Step, Supposed};
use crate::policy::{Issuer, UnixTime};
use crate::token::{KeySet, VerifiedCache};

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
      enforcement: enforce
      operations:
        - {on: GET /things, scopes: [read]}
        - {on: GET /open, public: true}
client_grants:
  - {client_id: web, subject_type: user, scope: [read]}
";

const NOW: UnixTime = UnixTime::from_seconds(1_800_000_000);

struct Nothing;

impl Keys for Nothing {
    fn find(&self, _: &Issuer, _: &RemoteKeys) -> Option<&KeySet> {
        None
    }
}

fn snapshot(text: &str) -> Snapshot {
    load(&[Source::new("a.yaml", text)], &Nowhere, NOW).unwrap().snapshot
}

fn explained(snapshot: &Snapshot, method: &str, path: &str, shown: Shown) -> Explanation {
    let supposed = Supposed::new(method, path, shown, snapshot, None).unwrap();
    let env = Env { keys: &Nothing, cache: &VerifiedCache::with_capacity(0), now: NOW };
    let held = OnceCell::new();
    let (Step::Done(outcome) | Step::NeedKeys { otherwise: outcome, .. }) =
        supposed.ask(snapshot, &env, &held);
    explain(snapshot, &supposed, &outcome, held.get().map(|parsed| &**parsed), NOW)
}

fn claims(expires_in: i64) -> Shown {
    let claims = json!({
        "iss": "https://a.example/", "aud": "https://api.example", "sub": "auth0|1", "azp": "web",
        "scope": "read", "exp": NOW.seconds() + expires_in,
    });
    Shown::Claims(claims.as_object().unwrap().clone())
}

/// The code, and how rules 2 and 3 went.
fn went(explanation: &Explanation) -> (&str, RuleOutcome, RuleOutcome) {
    let code = explanation.refusal.as_ref().map_or("", |refused| refused.code.as_str());
    (code, explanation.rules[1].outcome, explanation.rules[2].outcome)
}

#[test]
fn the_token_is_named_before_the_operation_except_where_nothing_is_to_be_hidden() {
    use RuleOutcome::{NotReached, Passed, Refused};

    let strict = snapshot(TEXT);
    let reports = snapshot(&TEXT.replace("enforce\n", "report\n      report_tokens: true\n"));
    for (snapshot, path, shown, expected) in [
        (&strict, "/things", claims(60), ("method-refused", Refused, Passed)),
        (&strict, "/things", claims(-60), ("token-expired", NotReached, Refused)),
        (&strict, "/things", Shown::Nothing, ("token-missing", NotReached, Refused)),
        (&strict, "/none", claims(-60), ("token-expired", NotReached, Refused)),
        (&strict, "/none", claims(60), ("operation-unlisted", Refused, Passed)),
        (&strict, "/open", claims(-60), ("method-refused", Refused, NotReached)),
        (&reports, "/things", claims(-60), ("method-refused", Refused, NotReached)),
    ] {
        let explanation = explained(snapshot, "POST", path, shown);
        assert_eq!(went(&explanation), expected, "{path}");
        assert!(!explanation.rules[1].saw.is_empty(), "{path}");
    }
}

#[test]
fn a_refusal_that_is_only_reported_is_told_as_one() {
    let reports = snapshot(&TEXT.replace("enforce\n", "report\n      report_tokens: true\n"));
    let explanation = explained(&reports, "GET", "/things", claims(-60));
    assert_eq!(explanation.verdict, Verdict::WouldRefuse);
    assert_eq!(went(&explanation), ("token-expired", RuleOutcome::Passed, RuleOutcome::Refused));
}

#[test]
fn of_a_public_operation_the_first_two_rules_alone_are_needed() {
    let explanation = explained(&snapshot(TEXT), "GET", "/open", claims(-60));
    assert_eq!(explanation.verdict, Verdict::Allowed);
    let needed = |rule: &&super::Finding| rule.outcome != RuleOutcome::NotNeeded;
    assert_eq!(explanation.rules.iter().filter(needed).count(), 2);
}

#[test]
fn neither_tokens_nor_queries_are_told_and_no_line_is_broken() {
    let snapshot = snapshot(TEXT);
    let shown = [Shown::Token("a.b.SECRET".to_owned()), claims(60)];
    for shown in shown {
        let explanation = explained(&snapshot, "GET", "/th\u{1b}\nings?key=SECRET", shown);
        let json = serde_json::to_string(&explanation).unwrap();
        let text = super::text(&explanation, None);
        assert!(!json.contains("SECRET") && !text.contains("SECRET"), "{text}");
        assert!(text.contains(r"/th\u001b\u000aings") && !text.contains('\u{1b}'), "{text}");
    }
}

#[test]
fn no_name_that_strangers_chose_breaks_a_line() {
    let snapshot = snapshot(TEXT);
    let Shown::Claims(mut claims) = claims(60) else { panic!("claims are shown") };
    let details = json!([{"type": "pay\nallowed: by grant"}]);
    claims.insert("authorization_details".to_owned(), details);
    let explanation = explained(&snapshot, "GET", "/things", Shown::Claims(claims));
    let code = explanation.refusal.as_ref().map(|refused| refused.code.as_str());
    assert_eq!(code, Some("authorization-details-exceed-grant"));
    let change = super::remedy::Change {
        instead: Some("a\nallowed".to_owned()),
        steps: vec![super::remedy::Step {
            words: "a\nallowed".to_owned(),
            at: "a\nallowed".to_owned(),
            yaml: String::new(),
        }],
        files: Vec::new(),
        caution: Some("a\nallowed".to_owned()),
    };
    let text = super::text(&explanation, Some(&super::remedy::Advice::Change(change)));
    assert!(text.lines().all(|line| !line.starts_with("allowed")), "{text}");
}
