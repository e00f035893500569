use http::Request;

use super::*;

/// The key and the answer of RFC 6455 section 1.3.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

const PROPER: &[(&str, &str)] = &[
    ("upgrade", "WebSocket"),
    ("connection", "keep-alive, Upgrade"),
    ("sec-websocket-version", "13"),
    ("sec-websocket-key", KEY),
];

fn parts(fields: &[(&str, &str)]) -> Parts {
    let mut request = Request::get("/");
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap().into_parts().0
}

fn read(fields: &[(&str, &str)]) -> Option<Result<Handshake, &'static str>> {
    Handshake::read(&parts(fields), false)
}

fn offering(protocols: &str) -> Handshake {
    let offer = [("sec-websocket-protocol", protocols)];
    read(&[PROPER, &offer[..]].concat()).unwrap().unwrap()
}

fn headers(fields: &[(&str, &str)]) -> HeaderMap {
    parts(fields).headers
}

#[test]
fn a_handshake_is_one_in_all_its_parts_or_none() {
    assert!(read(PROPER).unwrap().is_ok());
    assert!(read(&PROPER[1..]).is_none(), "nothing is asked for without `Upgrade`");
    for (changed, values) in [
        ("upgrade", &["h2c", "websocket, h2c", "websocket/13", ""][..]),
        ("connection", &["close", "upgraded", "keep-alive"]),
        ("sec-websocket-version", &["8", "13, 8", " 13", "130", ""]),
        ("sec-websocket-key", &["", "x", "AQIDBAUGBwgJCgsMDQ4P", "dGhlIHNhbXBsZSBub25jZR=="]),
    ] {
        let others: Vec<_> = PROPER.iter().filter(|(name, _)| *name != changed).copied().collect();
        for value in values {
            let fields = [others.as_slice(), &[(changed, *value)]].concat();
            assert!(
                matches!(Handshake::read(&parts(&fields), false), None | Some(Err(_))),
                "{changed}: {value}"
            );
        }
        let twice =
            [PROPER, &[(changed, PROPER.iter().find(|(name, _)| *name == changed).unwrap().1)]];
        let is_list = changed == "connection";
        assert_eq!(read(&twice.concat()).unwrap().is_ok(), is_list, "{changed} twice");
        assert!(read(&others).is_none_or(|read| read.is_err()), "{changed} absent");
    }
    for (name, value) in [("transfer-encoding", "chunked"), ("sec-websocket-protocol", "a b")] {
        assert!(read(&[PROPER, &[(name, value)]].concat()).unwrap().is_err(), "{name}");
    }
    assert!(Handshake::read(&parts(PROPER), true).unwrap().is_err(), "it has a body");
    let mut head = parts(PROPER);
    head.method = Method::HEAD;
    assert!(Handshake::read(&head, false).unwrap().is_err());
    let mut old = parts(PROPER);
    old.version = Version::HTTP_10;
    assert!(Handshake::read(&old, false).unwrap().is_err());
}

#[test]
fn the_upstream_is_asked_in_our_words() {
    let mut asked = headers(&[
        ("te", "trailers"),
        ("connection", "te"),
        ("content-length", "0"),
        ("sec-websocket-protocol", "whatever"),
        ("sec-websocket-extensions", "permessage-deflate"),
    ]);
    offering("chat,  Grantgate.Bearer.a.b.c, v2").ask(&mut asked);
    let expected = headers(&[
        ("connection", "upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", KEY),
        ("sec-websocket-protocol", "chat, v2"),
        ("sec-websocket-extensions", "permessage-deflate"),
    ]);
    assert_eq!(asked, expected);
}

#[test]
fn an_answer_is_one_to_the_handshake_or_none() {
    let proper =
        [("upgrade", "websocket"), ("connection", "Upgrade"), ("sec-websocket-accept", ACCEPT)];
    let handshake = offering("chat, grantgate.bearer.a.b.c, v2");
    assert!(handshake.is_answered_by(&headers(&proper)));
    for (more, is_answer) in [
        (("sec-websocket-protocol", "v2"), true),
        (("sec-websocket-protocol", "V2"), false),
        (("sec-websocket-protocol", "v3"), false),
        (("sec-websocket-protocol", "chat, v2"), false),
        (("sec-websocket-protocol", ""), false),
        (("sec-websocket-protocol", "grantgate.bearer.a.b.c"), false),
        (("sec-websocket-accept", ACCEPT), false),
        (("upgrade", "websocket"), false),
        (("upgrade", "h2c"), false),
    ] {
        let answer = headers(&[&proper[..], &[more]].concat());
        assert_eq!(handshake.is_answered_by(&answer), is_answer, "{more:?}");
    }
    for missing in 0..proper.len() {
        let mut answer = proper.to_vec();
        answer.remove(missing);
        assert!(!handshake.is_answered_by(&headers(&answer)), "{:?}", proper[missing]);
    }
    let other = ("sec-websocket-accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOp=");
    assert!(!handshake.is_answered_by(&headers(&[proper[0], proper[1], other])));
}

#[test]
fn the_gate_chooses_the_subprotocol_that_was_for_it_where_there_is_no_other() {
    for (offered, chosen) in [
        ("grantgate.bearer.a.b.c", Some("grantgate.bearer.a.b.c")),
        ("grantgate.bearer.a.b.c, chat", None),
        ("chat", None),
    ] {
        let mut answer = headers(&[("content-length", "3")]);
        offering(offered).accept_as(&mut answer);
        let told = answer.get(SEC_WEBSOCKET_PROTOCOL).map(|value| value.to_str().unwrap());
        assert_eq!(told, chosen, "{offered}");
        assert!(connection_upgrades(&answer) && !answer.contains_key(CONTENT_LENGTH));
    }
}

#[test]
fn tokens_among_subprotocols_are_withheld_in_every_spelling() {
    for (offered, others) in [
        (&["chat", "v2"][..], &["chat", "v2"][..]),
        (&["grantgate.bearer.a.b.c"], &[]),
        (&["GrantGate.BEARER.a.b.c"], &[]),
        (&["chat, grantgate.bearer.a,v2"], &["chat, v2"]),
        (&["chat", "\"grantgate.bearer.a\"", "v2"], &["chat, v2"]),
        (&["x grantgate.bearer.a"], &[]),
        (&["grantgate.bearer."], &[]),
    ] {
        let fields: Vec<_> =
            offered.iter().map(|value| ("sec-websocket-protocol", *value)).collect();
        let mut headers = headers(&fields);
        withhold_tokens(&mut headers);
        let left: Vec<_> = headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter().collect();
        assert_eq!(left, others, "{offered:?}");
    }
}
