//! Paths as attackers spell them, generated: every trick in every place of public and protected paths.
//!
//! A slow reference takes a path in every way that some server behind could take it. Where one of these
//! ways leads to what is protected, no public rule may serve the path. What goes upstream is the path that
//! was matched, byte for byte, in the one spelling that it has.

mod readings;
mod spellings;

use proptest::collection::vec;
use proptest::prelude::any;
use proptest::test_runner::{Config, TestRunner};
use serde_json::Value;

use crate::door::client::Client;
use crate::door::gateway::{Gateway, configuration, token};

use super::recorder::Recorder;
use readings::readings;
use spellings::spellings;

/// What is protected within what is public.
const WITHIN: &str = r#"        - {on: "GET /open/admin/*", scopes: ["write:orders"]}
        - {on: "GET /open/private", scopes: ["write:orders"]}
"#;

fn protected(upstream: &Recorder) -> Gateway {
    let public = "        - {on: \"GET,POST /open/*\", public: true}\n";
    let text = configuration(upstream.address, "", "");
    Gateway::start(&text.replace(public, &format!("{public}{WITHIN}")))
}

/// Whether a path as some server takes it is one that needs a token.
fn needs_token(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    path == "/open/private" || path.starts_with("/open/admin/") || path.starts_with("/orders/")
}

#[test]
fn no_public_rule_serves_a_path_that_some_server_takes_for_a_protected_one() {
    let upstream = Recorder::start();
    let gateway = protected(&upstream);
    let mut client = gateway.client();
    let paths = spellings();
    assert!(paths.len() > 3000, "only {} paths", paths.len());

    let mut served = Vec::new();
    for path in &paths {
        let (status, line) = ask(&mut client, &gateway, &upstream, path, None);
        assert!(matches!(status, 200 | 400 | 401), "{status} for {path}");
        if status == 200 {
            let line = line.unwrap();
            let dangerous = readings(path).into_iter().find(|reading| needs_token(reading));
            assert_eq!(dangerous, None, "{path} was served as {line}");
            served.push(line);
        }
    }
    assert!(served.len() > 20, "only {} paths were served", served.len());
    let records = gateway.finish();
    let matched = records.iter().filter(|record| record["decision"] == "allow");
    let matched: Vec<_> = matched.map(|record| as_line(&record["path"])).collect();
    assert_eq!(matched, served, "what was matched is what was forwarded");
}

#[test]
fn what_the_upstream_receives_is_the_canonical_path_that_was_matched() {
    let upstream = Recorder::start();
    let gateway = protected(&upstream);
    let (mut client, token) = (gateway.client(), token());
    let mut served = Vec::new();
    for path in spellings().iter().step_by(3) {
        let (status, line) = ask(&mut client, &gateway, &upstream, path, Some(&token));
        assert!(matches!(status, 200 | 400 | 403 | 405), "{status} for {path}");
        assert_eq!(status == 200, line.is_some(), "{path}");
        if let Some(line) = line {
            assert_eq!(line, format!("GET {} HTTP/1.1", respelled(path)), "{path}");
            let admin = |reading: &String| needs_token(reading) && reading.contains("/open/");
            assert_eq!(readings(path).into_iter().find(admin), None, "{path} was served");
            served.push(line);
        }
    }
    let records = gateway.finish();
    let matched = records.iter().filter(|record| record["decision"] == "allow");
    let matched: Vec<_> = matched.map(|record| as_line(&record["path"])).collect();
    assert_eq!(matched, served);
}

#[test]
fn equivalent_spellings_of_a_path_are_decided_alike() {
    let upstream = Recorder::start();
    let gateway = protected(&upstream);
    let token = token();
    let mut runner =
        TestRunner::new(Config { cases: 48, failure_persistence: None, ..Config::default() });
    let escaped = vec(any::<(bool, bool)>(), 32);
    let credential = any::<bool>();
    let outcome = runner.run(&(escaped, credential), |(escaped, credential)| {
        let mut client = gateway.client();
        let token = credential.then_some(token.as_str());
        for plain in [
            "/orders/1",
            "/orders/1/",
            "/Orders/1",
            "/orders",
            "/open/x",
            "/open/x/y",
            "/OPEN/x",
            "/open/private",
            "/open/private/",
            "/open/Private",
            "/open/admin/x",
            "/open/Admin/x",
            "/elsewhere",
            "/",
            "/orders/a~b-c_d",
            "/open/a.b",
            "/open/..",
            "/orders/./1",
        ] {
            let letters = plain.bytes().zip(escaped.iter().cycle());
            let other: String = letters
                .map(|(byte, (escape, lower))| match (byte, escape, lower) {
                    (b'/', ..) | (_, false, _) => char::from(byte).to_string(),
                    (_, true, false) => format!("%{byte:02X}"),
                    (_, true, true) => format!("%{byte:02x}"),
                })
                .collect();
            let as_it_is = ask(&mut client, &gateway, &upstream, plain, token);
            let spelled = ask(&mut client, &gateway, &upstream, &other, token);
            assert_eq!(as_it_is, spelled, "{plain} and {other}");
        }
        Ok(())
    });
    outcome.unwrap();
}

/// Asks for a path; the status, and the request line that the upstream got.
fn ask(
    client: &mut Client,
    gateway: &Gateway,
    upstream: &Recorder,
    path: &str,
    token: Option<&str>,
) -> (u16, Option<String>) {
    let credential =
        token.map(|token| format!("authorization: Bearer {token}\r\n")).unwrap_or_default();
    let answer = client.ask(format!("GET {path} HTTP/1.1\r\nhost: a\r\n{credential}\r\n"));
    if answer.one("connection") == Some("close") {
        *client = gateway.client();
    }
    let (seen, wrong) = upstream.since();
    assert!(wrong.is_empty() && seen.len() < 2, "{path}: {wrong:?} {seen:?}");
    (answer.status, seen.into_iter().next().map(|request| request.line))
}

fn as_line(path: &Value) -> String {
    format!("GET {} HTTP/1.1", path.as_str().unwrap())
}

/// The one spelling of a path that is not ambiguous.
fn respelled(path: &str) -> String {
    let mut text = String::new();
    let mut rest = path;
    while let Some(at) = rest.find('%') {
        let (before, escape) = rest.split_at(at);
        let byte = u8::from_str_radix(&escape[1..3], 16).unwrap();
        text.push_str(before);
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&escape[..3].to_ascii_uppercase());
        }
        rest = &escape[3..];
    }
    text + rest
}
