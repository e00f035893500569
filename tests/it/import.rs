//! `grantgate import` as it is started: what it makes of documents and exports, and how it ends.
//!
//! `tests/golden/import/` holds what it prints and says; `UPDATE_GOLDEN=1` writes that anew.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::disk::root;
use crate::expected::differs;
use crate::program::{grantgate, outcome};

fn golden() -> PathBuf {
    root().join("tests/golden/import")
}

/// As it is started in the folder of the goldens, so that no path of this machine is in what it says.
fn import(arguments: &[&str]) -> Command {
    let mut command = grantgate(&["import"]);
    command.args(arguments).current_dir(golden());
    command
}

#[test]
fn what_it_makes_reads_as_it_should_and_is_a_configuration() {
    let issuer = ["--issuer", "https://example.eu.auth0.com/"];
    let upstream = ["--upstream", "http://127.0.0.1:3000"];
    let cases: [(&str, Vec<&str>, i32); 6] = [
        (
            "openapi/orders",
            [
                &["openapi", "openapi/openapi.yaml", "--identifier", "https://orders.example.com"],
                &issuer[..],
                &upstream[..],
                &["--strict"],
            ]
            .concat(),
            1,
        ),
        ("openapi/operations", vec!["openapi", "openapi/openapi.yaml", "--operations-only"], 0),
        ("openapi/unsecured", vec!["openapi", "openapi/unsecured.json", "--strict"], 0),
        ("auth0/tenant", [&["auth0", "auth0/tenant.yaml"], &issuer[..]].concat(), 0),
        (
            "auth0/served",
            [
                &["auth0", "auth0", "--client", "Nightly report=nightly", "--strict"],
                &issuer[..],
                &upstream[..],
            ]
            .concat(),
            1,
        ),
        ("auth0/directory", vec!["auth0", "auth0/directory", "--client", "Web shop=web-shop"], 0),
    ];
    let mut wrong = Vec::new();
    for (name, arguments, code) in cases {
        let (ended, shown, talk) = outcome(&mut import(&arguments));
        assert_eq!(ended, Some(code), "{name}: {talk}");
        for (kind, got) in [("yaml.txt", &shown), ("said.txt", &talk)] {
            wrong.extend(differs(&golden().join(format!("{name}.{kind}")), got));
        }
        if !arguments.contains(&"--operations-only") {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("gateway.yaml");
            fs::write(&file, &shown).unwrap();
            let mut check = grantgate(&["check", "--config", file.to_str().unwrap()]);
            let (ended, report, _) = outcome(&mut check);
            assert_eq!(ended, Some(0), "{name}: {report}");
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn a_file_is_written_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gateway.yaml");
    let arguments = ["openapi", "openapi/openapi.yaml", "--output", file.to_str().unwrap()];
    let (code, shown, talk) = outcome(&mut import(&arguments));
    assert_eq!((code, shown.as_str()), (Some(0), ""), "{talk}");
    assert!(fs::read_to_string(&file).unwrap().contains("GET /v1/orders"));
    let (code, ..) = outcome(&mut import(&arguments));
    assert_eq!(code, Some(2));
}

#[test]
fn what_cannot_be_read_is_no_answer() {
    for (arguments, part) in [
        (vec!["openapi", "not-there.yaml"], "cannot be read"),
        (vec!["openapi", "auth0/directory/clients/web.json"], "no OpenAPI document"),
        (vec!["auth0", "not-there"], "cannot be read"),
        (vec!["auth0", "openapi"], "`openapi`: this is no tenant export: it has no `tenant.yaml`"),
        (
            vec!["auth0", "openapi/openapi.yaml"],
            "this is no tenant export: it has none of resourceServers, clientGrants, clients",
        ),
        (vec!["auth0", "auth0", "--client", "x"], "NAME=ID"),
        (vec!["auth0", "auth0", "--issuer", "nobody"], "is no configuration"),
    ] {
        let (code, shown, talk) = outcome(&mut import(&arguments));
        assert_eq!((code, shown.as_str()), (Some(2), ""), "{arguments:?} {talk}");
        assert!(talk.contains(part), "{arguments:?}: {talk}");
    }
}
