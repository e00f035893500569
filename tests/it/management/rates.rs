//! How often who may ask.

use super::managed::{Managed, SECRET, fault, form, json, request};

const LIST: &str = "GET /api/v2/client-grants";

#[test]
fn one_client_that_asks_too_much_is_told_when_to_come_again_and_others_are_answered() {
    let gate = Managed::with("rate_limit: 2");
    let (tool, reader) = (gate.tool(), gate.reader());
    let mut client = gate.client();
    let answers: Vec<_> = (0..6).map(|_| client.ask(request(LIST, &tool, ""))).collect();
    assert!(answers.iter().any(|answer| answer.status == 200));
    let refused = answers.iter().find(|answer| answer.status == 429).expect("none was too many");
    assert_eq!(fault(refused).1, "too_many_requests");
    assert_eq!(refused.one("retry-after"), Some("1"));
    assert_eq!(refused.one("x-ratelimit-limit"), Some("2"));
    assert_eq!(refused.one("x-ratelimit-remaining"), Some("0"));
    assert_eq!(client.ask(request(LIST, &reader, "")).status, 200);
}

#[test]
fn strangers_are_counted_by_where_they_come_from_and_clients_are_not() {
    let gate = Managed::with("rate_limit: 5");
    let tool = gate.tool();
    let mut client = gate.client();
    let guesses: Vec<_> = (0..20)
        .map(|_| {
            let kind = "content-type: application/x-www-form-urlencoded\r\n";
            let wrong = form("tool", &format!("{SECRET}?"));
            client.ask(request("POST /oauth/token", kind, &wrong)).status
        })
        .collect();
    assert!(guesses.contains(&429) && guesses.contains(&401), "{guesses:?}");
    // Nobody is listened to there, whatever is guessed.
    let right = gate.asked_token(&form("tool", SECRET));
    assert_eq!((right.status, right.one("retry-after")), (429, Some("1")), "{}", right.text());
    assert_eq!(client.ask(request(LIST, "", "")).status, 429);
    let listed = client.ask(request(LIST, &tool, ""));
    assert_eq!(listed.status, 200);
    assert_eq!(json(&listed)[0]["client_id"], "batch");
}
