//! `/explain` and `/policy` at the running gate: what is answered, to whom, and what it costs the others.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant;

use serde_json::{Value, json};

use crate::door::client::{Answer, Client, PATIENCE};
use crate::door::gateway::token;

use super::served::{DOORS, Served, ask, get, in_folder};

/// The request that asks a question.
fn posted(body: &str) -> String {
    posted_with("host: localhost\r\ncontent-type: application/json", body)
}

fn posted_with(fields: &str, body: &str) -> String {
    let length = body.len();
    format!("POST /explain HTTP/1.1\r\n{fields}\r\ncontent-length: {length}\r\n\r\n{body}")
}

fn code(answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.one("content-type"), Some("application/json"));
    let reasoned: Value = serde_json::from_slice(&answer.body).unwrap();
    reasoned["explanation"]["refusal"]["code"].clone()
}

fn about(token: Option<&str>, method: &str, url: &str) -> String {
    let mut question = json!({"method": method, "url": url});
    if let Some(token) = token {
        question["token"] = json!(token);
    }
    question.to_string()
}

#[test]
fn a_question_is_answered_as_the_request_would_be_whatever_the_verdict() {
    let program = Served::start(DOORS);
    let admin = program.address("admin");
    let (token, before) = (token(), program.metric("grantgate_requests_total"));
    for (token, method, url, expected) in [
        (Some(&*token), "GET", "/orders/1", Value::Null),
        (Some(&token), "GET", "https://any.example/orders/1?a=b", Value::Null),
        (Some(&token), "DELETE", "/orders/1", json!("scope-insufficient")),
        (Some(&token), "PATCH", "/orders/1", json!("method-refused")),
        (Some(&token), "GET", "/nothing", json!("operation-unlisted")),
        (Some("a.b.c"), "GET", "/orders/1", json!("token-malformed")),
        (None, "GET", "/orders/1", json!("token-missing")),
        (None, "GET", "/open/1", Value::Null),
    ] {
        let answer = ask(admin, &posted(&about(token, method, url)));
        assert_eq!(code(&answer), expected, "{method} {url}");
    }
    let claims =
        json!({"method": "GET", "url": "/orders/1", "claims": {"iss": "https://other.example/"}});
    assert_eq!(code(&ask(admin, &posted(&claims.to_string()))), "token-issuer-unknown");
    let late =
        json!({"method": "GET", "url": "/orders/1", "token": token, "at": "2999-01-01T00:00:00Z"});
    assert_eq!(code(&ask(admin, &posted(&late.to_string()))), "token-expired");
    assert_eq!(program.metric("grantgate_requests_total"), before, "it counts as traffic");
}

#[test]
fn what_is_no_question_is_told_in_a_line() {
    let program = Served::start(DOORS);
    let admin = program.address("admin");
    let right = about(None, "GET", "/orders/1");
    let named =
        json!({"method": "GET", "url": "/orders/1", "api": "https://other.example"}).to_string();
    let long = about(Some(&"x".repeat(70_000)), "GET", "/orders/1");
    for (body, status, told) in [
        ("{", 400, "is no JSON"),
        ("[]", 400, "must be a JSON object"),
        (&about(None, "GET", "orders"), 400, "neither a URL nor a path"),
        (&named, 400, "`https://other.example`"),
        (&long, 413, "longer than 64 KiB"),
        (&right, 200, ""),
    ] {
        let answer = ask(admin, &posted(body));
        let text = answer.text();
        assert!(answer.status == status && text.contains(told), "{text}");
        assert_eq!(text.lines().count(), 1, "{text}");
    }
    for kind in ["text/plain", "application/x-www-form-urlencoded", "text/plain;application/json"] {
        let fields = format!("host: localhost\r\ncontent-type: {kind}");
        assert_eq!(ask(admin, &posted_with(&fields, &right)).status, 415, "{kind}");
    }
    assert_eq!(ask(admin, &posted_with("host: localhost", &right)).status, 415);
    // What is far too long is not waited for.
    let head = "POST /explain HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";
    assert_eq!(ask(admin, &format!("{head}content-length: 9999999999\r\n\r\n")).status, 413);
    // Nor is one that does not come.
    let mut slow = Client::connect(admin);
    slow.send(format!("{head}content-length: 50\r\n\r\n{{"));
    assert_eq!(slow.answer().status, 408);
    for method in ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"] {
        let request =
            format!("{method} /explain HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\n\r\n");
        let answer = Client::connect(admin).send(request).answer_to(method);
        assert_eq!((answer.status, answer.one("allow")), (405, Some("POST")), "{method}");
    }
    assert!(get(admin, "/").text().contains("/explain"));
}

#[test]
fn no_page_of_a_browser_asks_and_no_other_listener_answers() {
    let program = Served::start(DOORS);
    let (admin, body) = (program.address("admin"), about(None, "GET", "/orders/1"));
    let json = "content-type: application/json";
    for (fields, code) in [
        ("host: rebound.example:9181", "admin-host-refused"),
        ("host: localhost\r\norigin: https://evil.example", "admin-origin-refused"),
        ("host: localhost\r\nsec-fetch-site: cross-site", "admin-origin-refused"),
    ] {
        let answer = ask(admin, &posted_with(&format!("{fields}\r\n{json}"), &body));
        assert_eq!((answer.status, answer.code().as_str()), (403, code), "{fields}");
        let answer = ask(admin, &format!("GET /policy HTTP/1.1\r\n{fields}\r\n\r\n"));
        assert_eq!((answer.status, answer.code().as_str()), (403, code), "{fields}");
    }
    for path in ["/policy", "/explain"] {
        assert_eq!(program.asked(path).status, 404, "at the health listener");
        assert_eq!(get(program.address("traffic"), path).status, 401, "at the main door");
    }
    let post = posted(&body);
    assert_ne!(ask(program.address("health"), &post).status, 200);
    assert_eq!(ask(program.address("traffic"), &post).status, 401);
}

#[test]
fn the_policy_is_a_configuration_that_means_the_same_and_holds_no_secret() {
    let program = Served::start(DOORS);
    let admin = program.address("admin");
    let answer = get(admin, "/policy");
    assert_eq!((answer.status, answer.one("content-type")), (200, Some("application/json")));
    assert!(answer.whole && !answer.text().contains("ssss"), "{}", answer.text());
    let policy: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(policy["client_grants"][0]["client_id"], "batch");
    assert_eq!(policy["resource_servers"][0]["identifier"], "https://orders.example.com");
    let head =
        Client::connect(admin).send("HEAD /policy HTTP/1.1\r\nhost: a\r\n\r\n").answer_to("HEAD");
    assert_eq!(head.status, 403, "by an address or localhost");
    let head = "HEAD /policy HTTP/1.1\r\nhost: localhost\r\n\r\n";
    assert_eq!(Client::connect(admin).send(head).answer_to("HEAD").status, 200);
    for method in ["POST", "PUT", "DELETE"] {
        let request =
            format!("{method} /policy HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\n\r\n");
        let answer = ask(admin, &request);
        assert_eq!((answer.status, answer.one("allow")), (405, Some("GET, HEAD")), "{method}");
    }

    program.edit(|text| text.replace("client_id: batch", "client_id: other"));
    program.says(&["configuration applied"]);
    let policy: Value = serde_json::from_slice(&get(admin, "/policy").body).unwrap();
    assert_eq!(policy["client_grants"][0]["client_id"], "other");
    assert_eq!(program.status()["admin"], admin.to_string());
}

#[test]
fn over_a_unix_socket_the_same_is_answered() {
    let folder = tempfile::tempdir().unwrap();
    let socket = in_folder(folder.path(), "admin.sock");
    let admin = format!("admin: {{listen: \"unix:{socket}\"}}");
    let top = DOORS.replace("admin: {listen: \"127.0.0.1:0\"}", &admin);
    let program = Served::start(&top);
    let mut client = Client::over(UnixStream::connect(&socket).unwrap());
    let answer = client.ask(posted(&about(None, "GET", "/orders/1")));
    assert_eq!(code(&answer), "token-missing");
    let answer = client.ask("GET /policy HTTP/1.1\r\nhost: localhost\r\n\r\n");
    assert!(answer.status == 200 && answer.whole);
    drop(program);
}

#[test]
fn answers_are_of_one_configuration_while_files_change() {
    let program = Served::start(DOORS);
    let (admin, is_over) = (program.address("admin"), AtomicBool::new(false));
    let question = posted(&about(Some(&token()), "GET", "/orders/1"));
    thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                let code = code(&ask(admin, &question));
                assert!(code.is_null() || code == "grant-missing", "{code}");
            }
        });
        for _ in 0..5 {
            program.edit(|text| text.replace("client_id: batch", "client_id: other"));
            program.says(&["configuration applied"]);
            assert_eq!(code(&ask(admin, &question)), "grant-missing");
            program.edit(|text| text.replace("client_id: other", "client_id: batch"));
            program.says(&["configuration applied"]);
            assert!(code(&ask(admin, &question)).is_null());
        }
        is_over.store(true, Ordering::Relaxed);
    });
}

#[test]
fn very_many_questions_leave_health_answered_and_no_token_is_in_the_log() {
    let top = format!("{DOORS}\nlog: {{level: debug}}\n");
    let program = Served::start(&top);
    let admin: SocketAddr = program.address("admin");
    let token = token();
    let question = posted(&about(Some(&token), "GET", "/orders/1"));
    let half = &question[..question.len() / 2];
    // Some ask whole, and some never come to the end of their question.
    let asking: Vec<_> = (0..200)
        .map(|number| {
            let mut stream = TcpStream::connect(admin).unwrap();
            let sent = if number % 2 == 0 { &question } else { half };
            stream.write_all(sent.as_bytes()).unwrap();
            stream
        })
        .collect();
    for _ in 0..20 {
        assert_eq!(program.asked("/readyz").status, 200);
    }
    let begun = Instant::now();
    // The first ones have made room, the last ones are answered.
    let mut last = &asking[198];
    last.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut answer = [0; 12];
    last.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200", "{:?}", begun.elapsed());
    drop(asking);
    let asked = program.says(&["what would become of a request is asked"]);
    assert!(asked.contains("token") && !asked.contains(&token), "{asked}");
    let answer = ask(admin, &question);
    assert!(!answer.text().contains(&token));
    program.signal("TERM");
    let said = program.rest();
    let parts = token.split('.').skip(1);
    assert!(!said.is_empty() && parts.clone().count() == 2);
    for part in parts {
        assert!(said.iter().all(|line| !line.contains(part)), "{said:#?}");
    }
}
