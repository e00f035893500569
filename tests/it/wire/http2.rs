//! Requests of HTTP/2 as no good client writes them, each with a further request behind it on its
//! connection.

mod floods;

use crate::door::gateway::{Gateway, configuration, token};
use crate::door::http2::frames::{
    DATA, END_HEADERS, END_STREAM, Frames, HEADERS, RST_STREAM, Told, block, frame,
};

use super::recorder::Recorder;
use super::strict::Framing;

/// What is done to the fields of a good request. The letters that stand for bytes are those of the other
/// tables.
#[derive(Clone, Copy, Debug)]
enum Edit {
    Append(&'static str, &'static str),
    Prepend(&'static str, &'static str),
    Remove(&'static str),
    Set(&'static str, &'static str),
}
use Edit::{Append, Prepend, Remove, Set};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    /// Our refusal.
    Refused(u16, &'static str),
    /// The stream is reset, and the others go on.
    Reset,
    /// The connection ends.
    Gone,
    /// The upstream gets this request line.
    Passes(&'static str),
}
use Then::{Gone, Passes, Refused, Reset};

const MALFORMED: Then = Refused(400, "request-malformed");
const PATH: Then = Refused(400, "path-ambiguous");
const MISSING: Then = Refused(401, "token-missing");
const TWO: Then = Refused(400, "credential-ambiguous");
const LINE: &str = "GET /orders/1 HTTP/1.1";

#[rustfmt::skip]
const CASES: &[(&str, &[Edit], Then)] = &[
    ("nothing", &[], Passes(LINE)),

    ("CRLF in a value", &[Append("x", "1␍␊grantgate-subject: evil")], Gone),
    ("LF in a value", &[Append("x", "1␊evil")], Gone),
    ("CR in a value", &[Append("x", "1␍evil")], Gone),
    ("NUL in a value", &[Append("x", "1␀evil")], Gone),
    ("a control character in a value", &[Append("x", "\u{1}")], Gone),
    ("CRLF in the path", &[Set(":path", "/orders/1 HTTP/1.1␍␊x: evil")], Reset),
    ("CRLF in the authority", &[Set(":authority", "a␍␊x: evil")], Reset),
    ("CRLF in the method", &[Set(":method", "GET /orders/evil HTTP/1.1␍␊x:")], Gone),
    ("CRLF in the scheme", &[Set(":scheme", "http␍␊x: evil")], Reset),
    ("CRLF in a name", &[Append("x: 1␍␊evil", "1")], Gone),
    ("NUL in a name", &[Append("x␀", "evil")], Gone),
    ("a blank in a name", &[Append("x y", "evil")], Gone),
    ("a colon in a name", &[Append("x:y", "evil")], Gone),
    ("an empty name", &[Append("", "evil")], Gone),
    ("capitals in a name", &[Append("X-Mine", "evil")], Gone),
    ("capitals in the name of a length", &[Append("Content-Length", "4")], Gone),
    ("a name outside ASCII", &[Append("ü", "evil")], Gone),
    ("blanks around a value", &[Append("x", " 1 ")], Passes(LINE)),

    ("two methods", &[Append(":method", "DELETE")], Reset),
    ("two paths", &[Prepend(":path", "/open/x")], Reset),
    ("two authorities", &[Prepend(":authority", "evil")], Reset),
    ("two schemes", &[Prepend(":scheme", "http")], Reset),
    ("a pseudo-header behind fields", &[Remove(":path"), Append(":path", "/orders/1")], Reset),
    ("an unknown pseudo-header", &[Prepend(":evil", "1")], Gone),
    ("a response's pseudo-header", &[Prepend(":status", "200")], Reset),
    ("a protocol without CONNECT", &[Prepend(":protocol", "websocket")], Reset),
    ("no method", &[Remove(":method")], Reset),
    ("an empty method", &[Set(":method", "")], Gone),
    ("a method that is none", &[Set(":method", "G ET")], Gone),
    ("no scheme", &[Remove(":scheme")], Reset),
    ("a scheme that is none", &[Set(":scheme", "http://evil/?")], Reset),
    ("no path", &[Remove(":path")], Reset),
    ("an empty path", &[Set(":path", "")], Reset),
    ("a path with a blank", &[Set(":path", "/orders/1 evil")], Reset),
    ("a path that is a request line", &[Set(":path", "/orders/1 HTTP/1.1")], Reset),
    ("a URL as path", &[Set(":path", "http://evil/orders/1")], Reset),
    ("an asterisk", &[Set(":path", "*")], MALFORMED),
    ("an asterisk for OPTIONS", &[Set(":method", "OPTIONS"), Set(":path", "*")], MALFORMED),
    ("no slash", &[Set(":path", "orders/1")], Reset),
    ("an authority as path", &[Set(":path", "//evil/orders/1")], PATH),
    ("a fragment", &[Set(":path", "/orders/1#/../evil?x")], Passes(LINE)),
    ("dot segments", &[Set(":path", "/open/../orders/1"), Remove("authorization")], PATH),
    ("escaped dot segments", &[Set(":path", "/open/%2e%2e/orders/1"), Remove("authorization")], PATH),
    ("raw UTF-8 in the path", &[Set(":path", "/orders/ü")], PATH),
    ("raw UTF-8 in the query", &[Set(":path", "/orders/1?ü")], MALFORMED),
    ("octets in the path that are no text", &[Set(":path", "/orders/ÿ")], Gone),
    ("escaped spelling", &[Set(":path", "/%6frders/%31?a")], Passes("GET /orders/1?a HTTP/1.1")),

    ("an authority with user information", &[Set(":authority", "evil@a")], MALFORMED),
    ("an authority that is a list", &[Set(":authority", "a,evil")], MALFORMED),
    ("an authority with a path", &[Set(":authority", "a/evil")], Reset),
    ("an authority with a bad port", &[Set(":authority", "a:evil")], MALFORMED),
    ("an empty authority", &[Set(":authority", "")], Reset),
    ("no authority and no host", &[Remove(":authority")], MALFORMED),
    ("an authority and another host", &[Append("host", "evil")], MALFORMED),
    ("an authority and two hosts", &[Append("host", "a"), Append("host", "a")], MALFORMED),
    ("an authority and an empty host", &[Append("host", "")], MALFORMED),
    ("an authority and the same host", &[Append("host", "A.")], Passes(LINE)),
    ("only a host", &[Remove(":authority"), Append("host", "a")], Passes(LINE)),

    ("CONNECT", &[Set(":method", "CONNECT"), Remove(":path"), Remove(":scheme"), Set(":authority", "evil:443")], MALFORMED),
    ("CONNECT with a path", &[Set(":method", "CONNECT")], Reset),
    ("an extended CONNECT where nothing is upgraded", &[Set(":method", "CONNECT"), Prepend(":protocol", "websocket")], MALFORMED),
    ("an extended CONNECT for another protocol", &[Set(":method", "CONNECT"), Prepend(":protocol", "connect-udp")], MALFORMED),
    ("a protocol without CONNECT", &[Prepend(":protocol", "websocket")], Reset),
    ("TRACE", &[Set(":method", "TRACE")], MALFORMED),
    ("a method in lower case", &[Set(":method", "get")], Refused(405, "method-refused")),

    ("Connection", &[Append("connection", "evil")], Reset),
    ("Connection that closes", &[Append("connection", "close")], Reset),
    ("Keep-Alive", &[Append("keep-alive", "evil")], Reset),
    ("Proxy-Connection", &[Append("proxy-connection", "evil")], Reset),
    ("Transfer-Encoding", &[Append("transfer-encoding", "chunked")], Reset),
    ("Upgrade", &[Append("upgrade", "websocket")], Reset),
    ("TE", &[Append("te", "evil")], Reset),
    ("TE and another", &[Append("te", "trailers, evil")], Reset),
    ("trailers that are taken", &[Append("te", "trailers")], Passes(LINE)),
    ("HTTP2-Settings", &[Append("http2-settings", "evil")], Passes(LINE)),
    ("the fields of a connection with underscores", &[Append("keep_alive", "evil"), Append("transfer_encoding", "chunked"), Append("proxy_connection", "evil")], Passes(LINE)),

    ("a length of a body that never comes", &[Append("content-length", "4")], Reset),
    ("a length that is none", &[Append("content-length", "evil")], Reset),
    ("a signed length", &[Append("content-length", "+0")], Reset),
    ("two lengths", &[Append("content-length", "0"), Append("content-length", "4")], Reset),
    ("a length of nothing", &[Append("content-length", "0")], Passes(LINE)),

    ("two Authorizations", &[Append("authorization", "Bearer a.b.c")], TWO),
    ("two Authorizations, the good one last", &[Prepend("authorization", "Bearer a.b.c")], Reset),
    ("two Authorizations that are the same", &[Append("authorization", "Bearer $T")], TWO),
    ("a list of Authorizations", &[Set("authorization", "Bearer $T, Bearer a")], TWO),
    ("a token in the query too", &[Set(":path", "/orders/1?access_token=a")], TWO),
    ("a token in a cookie", &[Remove("authorization"), Append("cookie", "access_token=$T")], MISSING),
    ("a token in the query alone", &[Remove("authorization"), Set(":path", "/orders/1?access_token=$T")], MISSING),
    ("a proxy's token", &[Remove("authorization"), Append("proxy-authorization", "Bearer $T")], MISSING),

    ("identity", &[Append("grantgate-client-id", "evil"), Append("grantgate_subject", "evil"), Append("grantgate.scopes", "evil")], Passes(LINE)),
    ("identity on what is public", &[Set(":path", "/open/x"), Append("grantgate-client-id", "evil"), Append("grantgate_subject", "evil")], Passes("GET /open/x HTTP/1.1")),
    ("who came before", &[Append("x-forwarded-for", "evil"), Append("x_forwarded_for", "evil"), Append("forwarded", "for=evil"), Append("x-real-ip", "evil")], Passes(LINE)),
    ("overrides", &[Append("x-http-method-override", "evil"), Append("x-original-url", "/evil"), Append("x_rewrite_url", "/evil")], Passes(LINE)),
    ("overrides that would spare the token", &[Remove("authorization"), Append("x-original-url", "/open/x")], MISSING),
    ("certificates", &[Append("x-forwarded-client-cert", "evil"), Append("client-cert", "evil"), Append("ssl_client_verify", "evil")], Passes(LINE)),
    ("expectations", &[Append("expect", "100-continue")], Passes(LINE)),
];

const PRIOR: &str = "server: {listen: \"127.0.0.1:0\", http2: prior_knowledge}";

#[test]
fn header_blocks_that_no_good_client_writes_are_refused_or_forwarded_clean() {
    let upstream = Recorder::start();
    let gateway = Gateway::start(&configuration(upstream.address, "", PRIOR));
    let wrong: Vec<_> = CASES
        .iter()
        .filter_map(|(name, edits, then)| {
            let why = try_on(&gateway, &upstream, edits, *then).err()?;
            Some(format!("== {name}\n{edits:?}, {then:?}\n{why}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), CASES.len(), wrong.join("\n\n"));
}

/// A body of `abc`: whether its length is said, what follows the head, and whether it passes.
type Bodies = [(&'static str, bool, &'static [(u8, u8, &'static [u8])], bool)];

const LAST: u8 = END_HEADERS | END_STREAM;

#[rustfmt::skip]
const BODIES: &Bodies = &[
    ("as long as it says", true, &[(DATA, END_STREAM, b"abc")], true),
    ("in pieces", true, &[(DATA, 0, b"a"), (DATA, 0, b""), (DATA, END_STREAM, b"bc")], true),
    ("of no said length", false, &[(DATA, END_STREAM, b"abc")], true),
    ("with an application's trailer", true, &[(DATA, 0, b"abc"), (HEADERS, LAST, b"\x00\x05x-sum\x011")], true),
    ("with a trailer of identity", false, &[(DATA, 0, b"abc"), (HEADERS, LAST, b"\x00\x11grantgate_subject\x04evil")], true),
    ("with a trailer that frames", false, &[(DATA, 0, b"abc"), (HEADERS, LAST, b"\x00\x0econtent-length\x04evil")], true),
    ("with a trailer that authorizes", false, &[(DATA, 0, b"abc"), (HEADERS, LAST, b"\x00\x0dauthorization\x04evil")], true),
    ("longer than it says", true, &[(DATA, END_STREAM, b"abcd")], false),
    ("longer than it says, in pieces", true, &[(DATA, 0, b"ab"), (DATA, END_STREAM, b"cd")], false),
    ("shorter than it says", true, &[(DATA, END_STREAM, b"ab")], false),
    ("shorter than it says, with trailers", true, &[(DATA, 0, b"ab"), (HEADERS, LAST, b"\x00\x05x-sum\x011")], false),
    // The h2 crate leaves aside what belongs to heads.
    ("with a trailer that is a path", false, &[(DATA, 0, b"abc"), (HEADERS, LAST, b"\x00\x05:path\x05/evil")], true),
    ("with a trailer in capitals", false, &[(DATA, 0, b"abc"), (HEADERS, LAST, b"\x00\x01X\x04evil")], false),
    ("with a trailer of two lines", false, &[(DATA, 0, b"abc"), (HEADERS, LAST, b"\x00\x01x\x07a\r\nevil")], false),
    ("with trailers that end nothing", false, &[(DATA, 0, b"abc"), (HEADERS, END_HEADERS, b"\x00\x01x\x04evil")], false),
    ("taken back", false, &[(DATA, 0, b"abc"), (RST_STREAM, 0, b"\x00\x00\x00\x08")], false),
];

#[test]
fn a_body_that_is_not_as_it_says_never_looks_whole() {
    let upstream = Recorder::start();
    let gateway = Gateway::start(&configuration(upstream.address, "", PRIOR));
    for (name, is_said, frames, passes) in BODIES {
        let mut client = Frames::connect(gateway.address);
        let said = [Set(":method", "POST"), Append("content-length", "3")];
        let head = edited(if *is_said { &said } else { &said[..1] });
        let mut bytes = frame(HEADERS, END_HEADERS, 1, &block(&head));
        for (kind, flags, payload) in *frames {
            bytes.extend(frame(*kind, *flags, 1, payload));
        }
        client.try_write(&bytes);
        // What its client took back is answered to nobody.
        let is_taken_back = frames.iter().any(|(kind, ..)| *kind == RST_STREAM);
        let told = if is_taken_back { Told::default() } else { client.told(1) };
        client.try_write(&frame(HEADERS, LAST, 3, &block(&edited(&[]))));
        let further = client.told(3);
        let (seen, wrong) = upstream.since();
        assert!(wrong.is_empty(), "{name}: {wrong:?}");
        assert!((told.status == Some(200)) == *passes, "{name}: {told:?} {further:?}");
        let posts: Vec<_> = seen.iter().filter(|request| request.line != LINE).collect();
        let framing = if *is_said { Framing::Length } else { Framing::Chunked };
        let whole = posts.iter().all(|post| post.framing == framing && post.body == b"abc");
        assert!(posts.len() == usize::from(*passes) && whole, "{name}: {posts:?}");
        assert!(posts.iter().all(|post| post.trailers.is_empty()), "{name}: {posts:?}");
    }
}

fn try_on(
    gateway: &Gateway,
    upstream: &Recorder,
    edits: &[Edit],
    then: Then,
) -> Result<(), String> {
    let mut client = Frames::connect(gateway.address);
    client.send(HEADERS, LAST, 1, &block(&edited(edits)));
    let told = client.told(1);
    let further = if told.goaway.is_none() {
        client.try_write(&frame(HEADERS, LAST, 3, &block(&edited(&[]))));
        client.told(3).status
    } else {
        None
    };
    let (seen, wrong) = upstream.since();
    let check = |holds: bool, what: &str| {
        let body = String::from_utf8_lossy(&told.body);
        if holds {
            Ok(())
        } else {
            Err(format!("{what}\n{told:?} {body}\nthen {further:?}\nupstream: {seen:?}"))
        }
    };
    check(wrong.is_empty(), &wrong.join("\n"))?;
    let is_told = match then {
        Refused(status, code) => told.status == Some(status) && told.code() == code,
        Reset => told.status.is_none() && told.reset.is_some(),
        Gone => told.status.is_none() && told.reset.is_none(),
        Passes(_) => told.status == Some(200) && told.whole,
    };
    check(is_told, "the answer")?;
    check((further == Some(200)) == (then != Gone), "whether the connection goes on")?;
    let mut expected = Vec::new();
    if let Passes(line) = then {
        expected.push(line);
    }
    expected.extend((then != Gone).then_some(LINE));
    let lines: Vec<_> = seen.iter().map(|request| request.line.as_str()).collect();
    let bodiless = seen.iter().all(|request| request.framing != Framing::Chunked);
    check(lines == expected && bodiless, "what goes upstream")
}

/// A good request's fields, edited.
fn edited(edits: &[Edit]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let good = [
        (":method", "GET"),
        (":scheme", "http"),
        (":path", "/orders/1"),
        (":authority", "a"),
        ("authorization", "Bearer $T"),
    ];
    let mut fields = good.to_vec();
    for edit in edits {
        match *edit {
            Append(name, value) => fields.push((name, value)),
            Prepend(name, value) => fields.insert(0, (name, value)),
            Remove(name) => fields.retain(|(field, _)| *field != name),
            Set(name, value) => {
                let field = fields.iter_mut().find(|(field, _)| *field == name);
                field.unwrap().1 = value;
            }
        }
    }
    let token = token();
    let bytes = |text: &str| super::case::bytes(&text.replace("$T", &token));
    fields.into_iter().map(|(name, value)| (bytes(name), bytes(value))).collect()
}
