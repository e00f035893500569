use std::sync::Arc;

use http_body::Body as _;

use super::*;
use crate::policy::{Grant, GrantId, GrantKind, NameSet, Origin};

const NOBODY: Address<'_> = Address {
    decision_id: Some("d1"),
    served: None,
    caller: None,
    method: &Method::GET,
    grpc: false,
    close: false,
};

#[test]
fn a_problem_holds_what_rfc_9457_asks_and_no_markup() {
    let refusal = Refusal {
        missing_scopes: vec!["read:orders".to_owned()],
        grant: Some(Arc::new(Grant {
            id: GrantId::new("cgr_1").unwrap(),
            ceiling: NameSet::EMPTY,
            expires_at: None,
            kind: GrantKind::AnonymousUser,
            owner: Some("<orders&team>".into()),
            origin: Origin::default(),
        })),
        ..Refusal::new(Code::ScopeNotGranted, "application `<script>`")
    };
    let text = String::from_utf8(problem(&refusal, &NOBODY)).unwrap();
    assert!(!text.contains(['<', '>', '&']), "{text}");
    let problem: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        problem,
        serde_json::json!({
            "type": "urn:grantgate:problem:scope-not-granted",
            "title": Code::ScopeNotGranted.title(),
            "status": 403,
            "detail": "application `<script>`; ask the API's owner to grant them",
            "code": "scope-not-granted",
            "decision_id": "d1",
            "missing_scopes": ["read:orders"],
            "contact": "<orders&team>",
        })
    );
}

#[test]
fn a_refused_head_gets_the_length_and_no_body() {
    let address = Address { method: &Method::HEAD, close: true, ..NOBODY };
    let refusal = Refusal {
        allow: vec![Method::GET, Method::HEAD],
        retry_after: Some(30),
        ..Code::MethodRefused.into()
    };
    let response = refuse(&refusal, &address);
    let value = |name: &str| response.headers().get(name).unwrap().to_str().unwrap();
    assert!(response.body().is_end_stream());
    assert_ne!(value("content-length"), "0");
    assert_eq!((value("allow"), value("retry-after")), ("GET, HEAD", "30"));
    assert_eq!(value("connection"), "close");
}
