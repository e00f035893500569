//! A case: what an attacker sends on a connection, and what must come of it, with a further request
//! behind it in the same write.
//!
//! In the text of a case `\n` ends a line as CRLF does, a line `H` is a `Host` and a line `A` the good
//! token's `Authorization`; `$T` is that token. `␊` is a bare LF, `␍` a bare CR, `␀` NUL, `ÿ` the octet FF.

use std::net::Shutdown;

use crate::door::client::{Answer, Client};
use crate::door::gateway::{Gateway, configuration, request, token};

use super::recorder::Recorder;
use super::strict::{Framing, Request};

pub struct Case {
    name: &'static str,
    sent: &'static str,
    then: Then,
    after: After,
    fields: &'static [(&'static str, Option<&'static str>)],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    /// Our refusal: its status and code.
    Refused(u16, &'static str),
    /// What hyper answers by itself: a status and no word more.
    Bare(u16),
    /// The connection is closed without a word.
    Closed,
    /// The upstream gets this request line and this body.
    Passes(&'static str, Framing, &'static str),
    /// It breaks off on both sides, and nobody takes it for whole.
    BreaksOff,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum After {
    /// The further request on the connection is answered.
    GoesOn,
    /// The connection is closed.
    Ends,
    /// The client hangs up in the middle: there is no further request.
    HangsUp,
}

/// Malformed, so that nothing behind it on the connection is believed.
pub const fn malformed(name: &'static str, sent: &'static str) -> Case {
    case(name, sent, Then::Refused(400, "request-malformed"), After::Ends)
}

/// Refused, and the connection goes on.
pub const fn refused(
    status: u16,
    code: &'static str,
    name: &'static str,
    sent: &'static str,
) -> Case {
    case(name, sent, Then::Refused(status, code), After::GoesOn)
}

/// Refused by hyper, before anybody else sees it.
pub const fn bare(name: &'static str, sent: &'static str) -> Case {
    case(name, sent, Then::Bare(400), After::Ends)
}

/// Closed by hyper without an answer.
pub const fn closed(name: &'static str, sent: &'static str) -> Case {
    case(name, sent, Then::Closed, After::Ends)
}

/// Forwarded, clean, without a body.
pub const fn passes(name: &'static str, sent: &'static str, line: &'static str) -> Case {
    case(name, sent, Then::Passes(line, Framing::None, ""), After::GoesOn)
}

/// Begun, and broken off on both sides.
pub const fn breaks_off(name: &'static str, sent: &'static str) -> Case {
    case(name, sent, Then::BreaksOff, After::Ends)
}

const fn case(name: &'static str, sent: &'static str, then: Then, after: After) -> Case {
    Case { name, sent, then, after, fields: &[] }
}

impl Case {
    /// Hyper answers another status than 400.
    pub const fn status(mut self, status: u16) -> Self {
        self.then = Then::Bare(status);
        self
    }

    /// The connection is closed behind it.
    pub const fn ends(mut self) -> Self {
        self.after = After::Ends;
        self
    }

    /// The client says no more, and nothing follows.
    pub const fn hangs_up(mut self) -> Self {
        self.after = After::HangsUp;
        self
    }

    /// What passes has a body.
    pub const fn body(mut self, framing: Framing, body: &'static str) -> Self {
        if let Then::Passes(line, ..) = self.then {
            self.then = Then::Passes(line, framing, body);
        }
        self
    }

    /// What passes has these fields and values; without a value, no field of that name.
    pub const fn with(mut self, fields: &'static [(&'static str, Option<&'static str>)]) -> Self {
        self.fields = fields;
        self
    }

    /// What goes over the wire.
    pub fn bytes(&self) -> Vec<u8> {
        let token = token();
        let lines = self.sent.split('\n').map(|line| match line {
            "H" => "host: a".to_owned(),
            "A" => format!("authorization: Bearer {token}"),
            other => other.replace("$T", &token),
        });
        let text = lines.collect::<Vec<_>>().join("\r\n");
        self::bytes(&text)
    }

    fn try_on(&self, gateway: &Gateway, upstream: &Recorder) -> Result<(), String> {
        let mut client = gateway.client();
        let mut bytes = self.bytes();
        if self.after == After::HangsUp {
            client.try_send(&bytes);
            let _ = client.stream().shutdown(Shutdown::Write);
        } else {
            bytes.extend_from_slice(request("GET /orders/further", "").as_bytes());
            client.try_send(&bytes);
        }
        let method = if self.sent.starts_with("HEAD ") { "HEAD" } else { "GET" };
        let first = next(&mut client, method);
        let second = next(&mut client, "GET");
        let _ = client.stream().shutdown(Shutdown::Write);
        let more = if second.is_some() { next(&mut client, "GET") } else { None };
        let (seen, wrong) = upstream.since();
        let told = || {
            let answers = [&first, &second, &more].map(|answer| answer.as_ref().map(shown));
            format!("answers: {answers:?}\nupstream: {seen:?}")
        };
        let check = |holds: bool, what: &str| {
            if holds { Ok(()) } else { Err(format!("{what}\n{}", told())) }
        };
        check(wrong.is_empty(), &wrong.join("\n"))?;
        check(self.is_answer(first.as_ref()), "the answer")?;
        let goes_on = second.as_ref().is_some_and(|answer| answer.status == 200);
        check(more.is_none() && second.is_some() == goes_on, "an answer too many")?;
        check(goes_on == (self.after == After::GoesOn), "whether the connection goes on")?;
        let mut seen = seen.iter();
        if let Then::Passes(line, framing, body) = self.then {
            let request = seen.next();
            let is_it = request.is_some_and(|request| {
                request.line == line
                    && request.framing == framing
                    && request.body == body.as_bytes()
                    && self.fields.iter().all(|(name, value)| is_field(request, name, *value))
            });
            check(is_it, "what goes upstream")?;
        }
        let further = seen.next().map(|request| request.line.as_str());
        let expected = goes_on.then_some("GET /orders/further HTTP/1.1");
        check(further == expected && seen.next().is_none(), "what goes upstream behind it")
    }

    fn is_answer(&self, answer: Option<&Answer>) -> bool {
        match (self.then, answer) {
            (Then::Refused(status, code), Some(answer)) => {
                answer.status == status && (answer.body.is_empty() || answer.code() == code)
            }
            (Then::Bare(status), Some(answer)) => answer.status == status && answer.body.is_empty(),
            (Then::Passes(..), Some(answer)) => answer.status == 200 && answer.whole,
            // What began well may be over before anybody can be told.
            (Then::BreaksOff, answer) => answer.is_none_or(|answer| answer.status == 400),
            (Then::Closed, answer) => answer.is_none(),
            (Then::Refused(..) | Then::Bare(_) | Then::Passes(..), None) => false,
        }
    }
}

/// The bytes that a text stands for.
pub fn bytes(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for letter in text.chars() {
        match letter {
            '␊' => bytes.push(b'\n'),
            '␍' => bytes.push(b'\r'),
            '␀' => bytes.push(0),
            'ÿ' => bytes.push(0xff),
            other => bytes.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    bytes
}

/// Of an answer what a failing test needs.
fn shown(answer: &Answer) -> (&str, String) {
    (answer.head.lines().next().unwrap_or_default(), String::from_utf8_lossy(&answer.body).into())
}

fn is_field(request: &Request, name: &str, value: Option<&str>) -> bool {
    request.all(name) == value.into_iter().collect::<Vec<_>>()
}

/// The next answer that is final.
fn next(client: &mut Client, method: &str) -> Option<Answer> {
    let answer = client.maybe_answer(method)?;
    if answer.status < 200 { next(client, method) } else { Some(answer) }
}

/// Tries all cases, each on a connection of its own.
pub fn hold(cases: &[Case]) {
    hold_with("", "", cases);
}

/// Tries all cases, with `more` in the API's gate and `top` beside it.
pub fn hold_with(more: &str, top: &str, cases: &[Case]) {
    let upstream = Recorder::start();
    let gateway = Gateway::start(&configuration(upstream.address, more, top));
    let wrong: Vec<_> = cases
        .iter()
        .filter_map(|case| {
            let why = case.try_on(&gateway, &upstream).err()?;
            Some(format!("== {}\n{:?}\n{why}", case.name, case.sent))
        })
        .collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n\n"));
    let token = token();
    for record in gateway.finish() {
        let record = record.to_string();
        assert!(!record.contains(&token[token.len() - 20..]), "a token was recorded: {record}");
    }
}
