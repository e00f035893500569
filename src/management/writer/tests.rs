use std::path::PathBuf;

use super::*;
use crate::config::{Code, Place};

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
