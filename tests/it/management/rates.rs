//! How often who may ask. What is asked comes in one piece, far more than may come in the time that it
//! takes; where the machine stood still in between, it is asked again.

use super::managed::{Managed, SECRET, fault, form, json, request};
use crate::door::client::Answer;

const LIST: &str = "GET /api/v2/client-grants";

/// So many requests at once, of which some are too many.
const MANY: usize = 20;

/// How often that is tried: each time the machine would have to stand still for seconds.
const TRIES: usize = 5;

/// The answers to all of it, one after the other on one connection.
fn answers(gate: &Managed, requests: &str, count: usize) -> Vec<Answer> {
    let mut client = gate.client();
    client.send(requests);
    (0..count).map(|_| client.answer()).collect()
}

/// What `line` with `more` is answered when it was asked too often.
fn too_many(gate: &Managed, line: &str, more: &str, body: &str) -> Answer {
    let requests = request(line, more, body).repeat(MANY);
    let all = (0..TRIES).flat_map(|_| answers(gate, &requests, MANY));
    all.into_iter().find(|answer| answer.status == 429).expect("none was too many")
}

fn asked_token(secret: &str) -> String {
    let kind = "content-type: application/x-www-form-urlencoded\r\n";
    request("POST /oauth/token", kind, &form("tool", secret))
}

#[test]
fn one_client_that_asks_too_much_is_told_when_to_come_again_and_others_are_answered() {
    let gate = Managed::with("rate_limit: 2");
    let (tool, reader) = (gate.tool(), gate.reader());
    let refused = too_many(&gate, LIST, &tool, "");
    assert_eq!(fault(&refused).1, "too_many_requests");
    assert_eq!(refused.one("retry-after"), Some("1"));
    assert_eq!(refused.one("x-ratelimit-limit"), Some("2"));
    assert_eq!(refused.one("x-ratelimit-remaining"), Some("0"));
    assert_eq!(gate.ask(LIST, &reader, "").status, 200);
}

#[test]
fn who_guesses_a_secret_is_not_listened_to_there_and_tokens_stay_good() {
    let gate = Managed::with("rate_limit: 2");
    let tool = gate.tool();
    let wrong = asked_token(&format!("{SECRET}?")).repeat(MANY);
    let guessed = format!("{wrong}{}", asked_token(SECRET));
    let mut tries = (0..TRIES).map(|_| answers(&gate, &guessed, MANY + 1));
    let first = tries.next().unwrap();
    assert_eq!(first[0].status, 401, "the first one is listened to");
    let mut rights = std::iter::once(first).chain(tries).filter_map(|mut all| all.pop());
    let right = rights.find(|right| right.status == 429).expect("all are listened to");
    assert_eq!(right.one("retry-after"), Some("1"));
    let listed = gate.ask(LIST, &tool, "");
    assert_eq!(listed.status, 200);
    assert_eq!(json(&listed)[0]["client_id"], "batch");
}

#[test]
fn strangers_keep_nobody_at_their_address_from_a_token() {
    for (line, more) in [
        (LIST, ""),
        (LIST, "authorization: Bearer x.y.z\r\n"),
        ("GET /nothing", ""),
        ("GET /openapi.json", ""),
    ] {
        let gate = Managed::with("rate_limit: 1");
        let requests = request(line, more, "").repeat(MANY);
        let asked = format!("{requests}{}", asked_token(SECRET));
        let mut tries = (0..TRIES).map(|_| {
            let mut all = answers(&gate, &asked, MANY + 1);
            let right = all.pop().unwrap();
            (all, right)
        });
        let is_refused = |all: &[Answer]| all[MANY - 1].status == 429;
        let (_, right) = tries.find(|(all, _)| is_refused(all)).expect("none was too many");
        assert_eq!(right.status, 200, "{line}: {}", right.text());
    }
}
