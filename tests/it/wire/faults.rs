//! Whatever fails behind the gate, nobody passes because of it.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use serde_json::json;

use crate::door::gateway::{Gateway, claims_with, configuration};
use crate::signing::Key;

use super::recorder::Recorder;

/// What an issuer's host does instead of giving the keys that it has; `KEYS` stands for them.
const FAULTS: &[(&str, &str)] = &[
    ("refuses", "HTTP/1.1 403 Forbidden\r\ncontent-length: 4\r\n\r\nKEYS"),
    ("fails", "HTTP/1.1 500 Internal Server Error\r\ncontent-length: 4\r\n\r\nKEYS"),
    ("has nothing", "HTTP/1.1 204 No Content\r\n\r\n"),
    ("has none", "HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\n{\"keys\":[]}"),
    (
        "has a page",
        "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 13\r\n\r\n<html></html>",
    ),
    ("has null", "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nnull"),
    (
        "has keys of another kind",
        "HTTP/1.1 200 OK\r\ncontent-length: 60\r\n\r\n{\"keys\":[{\"kty\":\"oct\",\"kid\":\"ed\",\"alg\":\"HS256\",\"k\":\"ZXZpbA\"}]}",
    ),
    ("breaks off", "HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\nKEYS"),
    ("breaks off in chunks", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nfff\r\nKEYS"),
    (
        "sends elsewhere",
        "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.2:9/\r\ncontent-length: 0\r\n\r\n",
    ),
    ("sends to itself", "HTTP/1.1 302 Found\r\nlocation: /10\r\ncontent-length: 0\r\n\r\n"),
    ("speaks otherwise", "SSH-2.0-OpenSSH_9.2\r\n"),
    ("says nothing", ""),
];

#[test]
fn no_fault_of_an_issuer_lets_anybody_pass() {
    let (key, upstream) = (Key::new(), Recorder::start());
    let host = host(&key);
    let issuer = |number: usize| format!("https://issuer{number}.example/");
    let issuers = FAULTS.iter().enumerate().map(|(number, _)| {
        let place = format!("jwks_uri: \"http://{host}/{number}\", refresh_cooldown: 1ms");
        format!("{{issuer: \"{}\", profile: auth0, {place}}}", issuer(number))
    });
    let issuers = issuers.collect::<Vec<_>>().join(", ");
    let all: Vec<_> = (0..FAULTS.len()).map(|number| json!(issuer(number))).collect();
    let one = "{issuer: \"https://issuer.example/\", profile: auth0, jwks_file: jwks.json}";
    let grants = (0..FAULTS.len()).map(|number| {
        format!(
            "  - {{client_id: batch, issuer: \"{}\", scope: [\"read:orders\"]}}\n",
            issuer(number)
        )
    });
    let text = configuration(upstream.address, &format!("issuers: {}", json!(all)), "")
        .replace(one, &issuers)
        .replace("      hs_secret: \"${env:LONG_SECRET}\"\n", "");
    let (text, _) = text.split_once("client_grants:").unwrap();
    let gateway = Gateway::start(&format!("{text}client_grants:\n{}", grants.collect::<String>()));
    let askers: Vec<_> = (0..FAULTS.len())
        .map(|number| {
            let claims = claims_with(&json!({"iss": issuer(number)}));
            let token = key.sign(&json!({"alg": "EdDSA", "kid": "ed", "typ": "at+jwt"}), &claims);
            let mut client = gateway.client();
            client.send(format!(
                "GET /orders/1 HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {token}\r\n\r\n"
            ));
            client
        })
        .collect();
    for (mut client, (name, _)) in askers.into_iter().zip(FAULTS) {
        let answer = client.answer();
        let code = answer.code();
        let expected = [(503, "keys-unavailable"), (401, "token-key-unknown")];
        assert!(
            expected.contains(&(answer.status, code.as_str())),
            "an issuer that {name}: {code}"
        );
    }
    let (seen, wrong) = upstream.since();
    assert!(seen.is_empty() && wrong.is_empty(), "{seen:?} {wrong:?}");
}

/// A host that answers `/<number>` with that fault.
fn host(key: &Key) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let keys: Arc<str> = json!({"keys": [key.jwk("ed")]}).to_string().into();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let keys = keys.clone();
            thread::spawn(move || fail(stream, &keys));
        }
    });
    address
}

fn fail(mut stream: TcpStream, keys: &str) {
    let mut asked = [0; 4096];
    let length = stream.read(&mut asked).unwrap_or(0);
    let asked = String::from_utf8_lossy(&asked[..length]).into_owned();
    let number = asked.strip_prefix("GET /").and_then(|rest| rest.split(' ').next()?.parse().ok());
    let number: usize = number.unwrap_or(FAULTS.len() - 1);
    let (_, answer) = FAULTS[number];
    // What says how long it is must be true of the keys as of the word that stands for them.
    let answer = answer.replace(
        "content-length: 4\r\n\r\nKEYS",
        &format!("content-length: {}\r\n\r\n{keys}", keys.len()),
    );
    let _ = stream.write_all(answer.replace("KEYS", keys).as_bytes());
}
