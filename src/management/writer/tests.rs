use std::path::PathBuf;

use http::Method;

use super::*;
use crate::config::{Code, Place};
use crate::gate::{Call, Listener};
use crate::management::fixture::{Managed, section};
use crate::route::CanonPath;
use crate::token::credential;

fn fault(error: WriteError<Fault>) -> (u16, String, String) {
    let reply = refused(error);
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
        (unwritable(false), 507, "not_written", "no room"),
        (WriteError::Edit(large), 409, "file_too_large", "management.file: grants.json"),
        (WriteError::Edit(unfaithful), 409, "edit_refused", "grants.yaml"),
        (WriteError::Restless, 409, "conflict", "try again"),
        (WriteError::Refused(Fault::not_found("gone").with_code()), 404, "gone", "gone"),
        (WriteError::Broken(Arc::new(report())), 409, "configuration_broken", "corrected"),
        (WriteError::Invalid(Box::new(report())), 400, "invalid_body", "two grants; keep one"),
    ] {
        let (is, named, message) = fault(error);
        assert_eq!((is, &*named), (status, code), "{message}");
        assert!(message.contains(says), "{message}");
    }
}

#[test]
fn the_problems_of_a_configuration_are_told_with_their_places() {
    let body = refused(WriteError::Invalid(Box::new(report()))).body.unwrap();
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
    let grants = format!(
        "client_grants: [{{client_id: tool, audience: 'urn:grantgate:management', scope: ['{scope}']}}]"
    );
    let managed = Managed::of(&[&section(""), &grants]);
    let signer = managed.snapshot.management.as_ref().unwrap().signer.clone().unwrap();
    let name = "urn:grantgate:management";
    let token = signer.sign(&json!({
        "iss": name, "aud": name, "sub": "tool", "client_id": "tool", "jti": "1",
        "scope": "create:client_grants read:client_grants",
        "iat": now().seconds(), "exp": now().plus_seconds(60).seconds(),
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
    let leave = Leave { call: call.keep(None), generation: managed.snapshot.generation + 1 };
    (managed, leave)
}

#[test]
fn who_waited_while_his_grant_was_narrowed_writes_nothing() {
    let keys = FetchedKeys::default();
    let holds = |(managed, leave): &(Managed, Leave)| {
        leave.holds(&managed.snapshot, &keys, Endpoint::CreateGrant)
    };
    assert_eq!(holds(&waiting("create:client_grants")), Ok(()));
    let (managed, leave) = waiting("read:client_grants");
    let fault = holds(&(managed, leave)).unwrap_err();
    assert_eq!((fault.status, fault.code), (StatusCode::FORBIDDEN, Some("insufficient_scope")));
    // What decided before decides still.
    let (managed, mut leave) = waiting("read:client_grants");
    leave.generation = managed.snapshot.generation;
    assert_eq!(holds(&(managed, leave)), Ok(()));
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
