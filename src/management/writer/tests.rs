use std::path::PathBuf;

use http::Method;

use serde_json::json;

use super::*;
use crate::config::{Code, Place, Report};
use crate::gate::{Call, Listener};
use crate::management::fixture::{Managed, section};
use crate::route::CanonPath;
use crate::telemetry::Rfc3339;
use crate::token::credential;

fn fault(error: WriteError<Fault>) -> (u16, String, String) {
    let reply = refused(error, &Touched::default());
    let body = reply.body.unwrap();
    assert_eq!(body["errorCode"].as_str(), reply.code);
    let text = |key: &str| body[key].as_str().unwrap().to_owned();
    (reply.status.as_u16(), text("errorCode"), text("message"))
}

fn unwritable(read_only: bool) -> WriteError<Fault> {
    let (path, reason) = (PathBuf::from("/etc/grantgate/grants.yaml"), "no room".to_owned());
    WriteError::Unwritable { path, reason, read_only }
}

fn report() -> Report {
    let sources = [Source::new("grants.yaml", "client_grants: []\n")];
    let mut report = Report::new(sources);
    let place = Place::root(0).key("client_grants");
    report.push(Code::GrantDuplicate, &place, "two grants").help("keep one");
    report
}

#[test]
fn every_failure_says_what_to_do_about_it() {
    let large = EditError::TooLarge { name: "grants.yaml".to_owned(), most: 5 << 20 };
    let unfaithful = EditError::Unfaithful("grants.yaml".to_owned());
    for (error, status, code, says) in [
        (unwritable(true), 409, "read_only", "`management.file`"),
        (unwritable(true), 409, "read_only", "`grants.yaml` cannot be written: no room"),
        (unwritable(false), 507, "not_written", "no room"),
        (WriteError::Edit(large), 409, "file_too_large", "management.file: grants.json"),
        (WriteError::Edit(unfaithful), 409, "edit_refused", "grants.yaml"),
        (WriteError::Restless, 409, "conflict", "try again"),
        (WriteError::Refused(Fault::not_found("gone").with_code()), 404, "gone", "gone"),
        (WriteError::Broken(Arc::new(report())), 409, "configuration_broken", "nothing is changed"),
        (WriteError::Invalid(Box::new(report())), 400, "invalid_body", "two grants; keep one"),
    ] {
        let (is, named, message) = fault(error);
        assert_eq!((is, &*named), (status, code), "{message}");
        assert!(message.contains(says) && !message.contains("/etc"), "{message}");
    }
}

#[test]
fn the_problems_of_a_configuration_are_told_with_their_places() {
    let body = refused(WriteError::Invalid(Box::new(report())), &Touched::default()).body.unwrap();
    let problem = json!({
        "code": "grant-duplicate", "message": "two grants",
        "place": "grants.yaml: client_grants", "help": "keep one",
    });
    assert_eq!(body["problems"], json!([problem]));
}

impl Fault {
    fn with_code(self) -> Self {
        Self { code: Some("gone"), ..self }
    }
}

/// A configuration in which the tool holds this scope, and its call to write by a token with all of them.
fn waiting(scope: &str) -> (Managed, Leave) {
    waiting_with(scope, 60)
}

/// For so many seconds the grant holds.
const GRANTED: i64 = 120;

/// The same with a token of another life.
fn waiting_with(scope: &str, lifetime: i64) -> (Managed, Leave) {
    let end = json!(Rfc3339(now().plus_seconds(GRANTED)));
    let grants = format!(
        "client_grants: [{{client_id: tool, audience: 'urn:grantgate:management', scope: ['{scope}'], \
         expires_at: {end}}}]"
    );
    let managed = Managed::of(&[&section(""), &grants]);
    let signer = managed.snapshot.management.as_ref().unwrap().signer.clone().unwrap();
    let name = "urn:grantgate:management";
    let token = signer.sign(&json!({
        "iss": name, "aud": name, "sub": "tool", "client_id": "tool", "jti": "1",
        "scope": "create:client_grants read:client_grants",
        "iat": now().seconds(), "exp": now().plus_seconds(lifetime).seconds(),
    }));
    let header = format!("Bearer {token}");
    let path = Endpoint::CreateGrant.operation();
    let call = Call {
        listener: Listener::Management,
        method: &Method::POST,
        host: "grants.example.com".into(),
        path: CanonPath::parse(&path).unwrap(),
        preflight: None,
        credential: credential([header.as_bytes()].into_iter(), None),
    };
    (managed, Leave(call.keep(None)))
}

#[test]
fn who_waited_while_his_grant_was_narrowed_writes_nothing() {
    let keys = FetchedKeys::default();
    let holds = |(managed, leave): &(Managed, Leave)| {
        leave.holds(&managed.snapshot, &keys, Endpoint::CreateGrant, now())
    };
    assert_eq!(holds(&waiting("create:client_grants")), Ok(()));
    let fault = holds(&waiting("read:client_grants")).unwrap_err();
    assert_eq!((fault.status, fault.code), (StatusCode::FORBIDDEN, Some("insufficient_scope")));
}

#[test]
fn who_waited_until_his_token_or_his_grant_ended_writes_nothing_though_nothing_else_changed() {
    let keys = FetchedKeys::default();
    for (lifetime, waited, expected) in [
        (60, 30, Ok(())),
        (60, 600, Err((401, "invalid_token"))),
        (240, GRANTED + 1, Err((403, "grant-expired"))),
    ] {
        let (managed, leave) = waiting_with("create:client_grants", lifetime);
        let later = now().plus_seconds(waited);
        let held = leave.holds(&managed.snapshot, &keys, Endpoint::CreateGrant, later);
        let told = held.map_err(|fault| (fault.status.as_u16(), fault.code.unwrap()));
        assert_eq!(told, expected, "{lifetime} {waited}");
    }
}

#[test]
fn who_finds_too_many_waiting_is_told_when_to_come_again() {
    let room = Arc::new(Semaphore::new(MOST_WRITES));
    let mut waiting: Vec<_> = (0..MOST_WRITES).map(|_| enter(&room).unwrap()).collect();
    let full = enter(&room).unwrap_err();
    assert_eq!(full.code, Some("overloaded"));
    let response = full.response(&Method::POST, false);
    assert_eq!(
        (response.status().as_u16(), &response.headers()[RETRY_AFTER]),
        (503, &"1".parse().unwrap())
    );
    waiting.pop();
    assert!(enter(&room).is_ok());
}
