//! `grantgate inspect-token` as it is started: what it shows, how it ends, and what it never prints.
//!
//! `tests/golden/inspect-token/` holds what it shows; `UPDATE_GOLDEN=1` writes that anew.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;
use std::thread;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::disk::root;
use crate::expected::differs;
use crate::program::{grantgate, outcome};
use crate::tokens;

fn inspect(arguments: &[&str]) -> Command {
    let mut command = grantgate(&["inspect-token"]);
    command.args(arguments).env_remove("GRANTGATE_TOKEN");
    command
}

fn golden() -> PathBuf {
    root().join("tests/golden/inspect-token")
}

/// The source argument of a token in the vectors, such as `okta/user`.
fn vector(name: &str) -> String {
    format!("@{}", tokens::folder().join(name).with_extension("jwt").display())
}

fn token(name: &str) -> String {
    fs::read_to_string(&vector(name)[1..]).unwrap().trim_end().to_owned()
}

/// A token that nobody signed.
fn unsigned(head: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.", part(head), part(claims))
}

#[test]
fn what_it_shows_reads_as_it_should() {
    let config = golden().join("gateway.yaml").display().to_string();
    let with_config = ["--config", &config];
    let strange = unsigned(
        &json!({"alg": "none", "typ": "JWT"}),
        &json!({
            "iss": "https://example.eu.auth0.com/", "sub": "auth0|5f7c8ec7", "azp": "web-app",
            "aud": "https://orders.example.com", "exp": 1_577_836_800, "iat": 1_577_836_800,
            "gty": "client-credentials", "scope": "read:orders", "scp": ["write:orders"],
            "note": "\u{1b}[31mred\u{202e}", "cnf": {"jkt": "x"}, "act": {"sub": "x"},
        }),
    );
    let claims = json!({
        "iss": "https://example.eu.auth0.com/", "sub": "batch@clients", "azp": "batch",
        "aud": "https://orders.example.com", "exp": 4_102_444_800_i64, "gty": "client-credentials",
        "scope": "read:orders", "org_name": "acme",
        "authorization_details": [{"type": "payment", "amount": 7}, {"type": "refund"}],
    });
    let cases: [(&str, Command, i32); 12] = [
        ("keycloak-user-alone", inspect(&[&vector("keycloak/user")]), 0),
        ("keycloak-user-profile", inspect(&[&vector("keycloak/user"), "--profile", "keycloak"]), 0),
        (
            "keycloak-machine",
            inspect(&[&[&*vector("keycloak/machine"), "--verify"], &with_config[..]].concat()),
            0,
        ),
        ("okta-id", inspect(&[&[&*vector("okta/id"), "--verify"], &with_config[..]].concat()), 1),
        ("cognito-user", inspect(&[&[&*vector("cognito/user")], &with_config[..]].concat()), 0),
        (
            "entra-user",
            inspect(&[&[&*vector("entra/user"), "--format=json"], &with_config[..]].concat()),
            0,
        ),
        (
            "auth0-user-slash",
            inspect(&[&[&*vector("auth0/user"), "--verify"], &with_config[..]].concat()),
            1,
        ),
        ("strange", piped(&["--profile", "auth0"], &strange), 0),
        ("claims-alone", piped(&["--claims"], &claims.to_string()), 0),
        ("claims-profile", piped(&["--claims", "--profile", "auth0"], &claims.to_string()), 0),
        ("claims-json", piped(&["--claims", "-", "--format=json"], &claims.to_string()), 0),
        ("strange-json", piped(&["--profile", "auth0", "--format", "json"], &strange), 0),
    ];
    let mut wrong = Vec::new();
    for (name, mut command, code) in cases {
        let (ended, shown, talk) = outcome(&mut command);
        assert_eq!((ended, talk.as_str()), (Some(code), ""), "{name}");
        wrong.extend(differs(&golden().join(name).with_extension("txt"), &shown));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// With this text on standard input.
fn piped(arguments: &[&str], text: &str) -> Command {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    std::io::Seek::rewind(&mut file).unwrap();
    let mut command = inspect(arguments);
    command.stdin(file);
    command
}

#[test]
fn a_token_comes_from_a_file_a_pipe_or_the_environment_and_is_never_repeated() {
    let token = token("keycloak/user");
    let (_, signature) = token.rsplit_once('.').unwrap();
    let header = format!("Authorization: Bearer {token}\n");
    let mut ways = [
        inspect(&[&vector("keycloak/user")]),
        piped(&[], &token),
        piped(&["-"], &header),
        piped(&["--format", "json"], &token),
        inspect(&[]),
    ];
    ways[4].env("GRANTGATE_TOKEN", &token);
    for way in &mut ways {
        let (code, shown, talk) = outcome(way);
        assert_eq!((code, talk.as_str()), (Some(0), ""));
        assert!(shown.contains("\"azp\": \"web-shop\"") && !shown.contains(signature), "{shown}");
    }
    let (code, shown, talk) = outcome(&mut inspect(&[&token]));
    assert_eq!((code, shown.as_str()), (Some(2), ""));
    assert!(talk.contains("@file") && !talk.contains(signature), "{talk}");
}

#[test]
fn what_cannot_be_answered_is_no_answer() {
    let config = golden().join("gateway.yaml").display().to_string();
    let garbage = "not.a.token";
    let (code, shown, talk) = outcome(&mut piped(&[], garbage));
    assert_eq!((code, shown.as_str()), (Some(2), ""));
    assert!(talk.contains("base64url"), "{talk}");
    // Asked whether it passes, there is an answer.
    let (code, ..) = outcome(&mut piped(&["--verify", "--config", &config], garbage));
    assert_eq!(code, Some(1));

    let user = vector("keycloak/user");
    for arguments in [
        vec!["@/not/there"],
        vec!["-"],
        vec![&user, "--verify"],
        vec![&user, "--claims"],
        vec![&user, "--claims", "--verify", "--config", &config],
        vec![&user, "--profile", "custom"],
        vec![&user, "--config", "/not/there"],
    ] {
        let (code, shown, talk) = outcome(&mut inspect(&arguments));
        assert_eq!((code, shown.as_str()), (Some(2), ""), "{arguments:?}");
        assert!(!talk.is_empty());
    }
}

#[test]
fn a_token_that_was_changed_is_refused() {
    let config = golden().join("gateway.yaml").display().to_string();
    let machine = token("keycloak/machine");
    let (message, signature) = machine.rsplit_once('.').unwrap();
    let (head, claims) = message.split_once('.').unwrap();
    let mut claims: Value =
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    claims["scope"] = json!("admin:orders");
    let changed = format!("{head}.{}.{signature}", URL_SAFE_NO_PAD.encode(claims.to_string()));

    let json = ["--format", "json", "--config", &config];
    let (code, shown, _) = outcome(&mut piped(&[&["--verify"], &json[..]].concat(), &changed));
    assert_eq!(code, Some(1));
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(shown["verification"]["state"], "refused");
    assert_eq!(shown["verification"]["signature"], "wrong");
    assert_eq!(shown["verification"]["apis"][0]["code"], "token-signature-invalid");
    // Unasked, it is said all the same, and no answer is given.
    let (code, again, _) = outcome(&mut piped(&json, &changed));
    assert_eq!(code, Some(0));
    assert_eq!(serde_json::from_str::<Value>(&again).unwrap(), shown);
}

#[test]
fn keys_are_fetched_when_that_is_asked_for() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/keys", listener.local_addr().unwrap());
    let configuration = fs::read_to_string(golden().join("gateway.yaml")).unwrap();
    let vectors = "../../vectors/tokens/keys.jwks";
    let keys = tokens::folder().join("keys.jwks");
    let configuration = configuration
        .replace("https://login.microsoftonline.com/common/discovery/v2.0/keys", &url)
        .replace(vectors, &keys.display().to_string())
        .replace("\"api://orders\"", "d2a9c6b0-5f31-4e87-b1aa-6c0e7f493d15");
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("gateway.yaml");
    fs::write(&config, configuration).unwrap();
    let config = config.display().to_string();
    let machine = vector("entra/machine");

    let (code, shown, _) = outcome(&mut inspect(&[&machine, "--config", &config]));
    assert_eq!(code, Some(0));
    assert!(shown.starts_with("not verified") && shown.contains("--verify"), "{shown}");

    let keys = fs::read(keys).unwrap();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut head = [0; 4096];
        assert_ne!(stream.read(&mut head).unwrap(), 0);
        let length = keys.len();
        write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n")
            .and_then(|()| stream.write_all(&keys))
            .unwrap();
    });
    let verify = ["--config", &config, "--verify"];
    let (code, shown, talk) = outcome(&mut inspect(&[&[&*machine], &verify[..]].concat()));
    assert_eq!((code, talk.as_str()), (Some(0), ""), "{shown}");
    assert!(shown.starts_with("verified"), "{shown}");
    server.join().unwrap();

    // Nobody listens there any more.
    let (code, shown, talk) = outcome(&mut inspect(&[&[&*machine], &verify[..]].concat()));
    assert_eq!((code, shown.as_str()), (Some(2), ""));
    assert!(talk.contains("cannot be fetched"), "{talk}");
}
