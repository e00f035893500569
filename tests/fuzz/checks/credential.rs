//! Which credential a request carries: [`credential`] against the rules of RFC 6750 and RFC 9110, read one
//! after another.
//!
//! Input: a line each for every `Authorization` value; a first line that begins with `?` is the query.

use grantgate::token::{Credential, Parsed, TokenError, credential};

const LONGEST: usize = 8 * 1024;

pub fn check(input: &[u8]) {
    let mut lines: Vec<&[u8]> = input.split(|&byte| byte == b'\n').collect();
    let query = match lines.first().and_then(|first| first.strip_prefix(b"?")) {
        Some(query) => {
            let Ok(query) = str::from_utf8(query) else { return };
            lines.remove(0);
            Some(query)
        }
        None => None,
    };
    let found = credential(lines.iter().copied(), query).map(|found| found.map(Credential::token));
    let kind = found.map_err(|error| match error {
        TokenError::Ambiguous => Refused::Ambiguous,
        TokenError::Malformed(_) => Refused::Malformed,
        TokenError::TooLarge => Refused::TooLarge,
        other => panic!("no credential is refused with {other:?}"),
    });
    assert_eq!(kind, reference(&lines, query));

    if let Ok(Some(token)) = found {
        let _ = Parsed::parse(token);
    }
}

#[derive(Debug, PartialEq)]
enum Refused {
    Ambiguous,
    Malformed,
    TooLarge,
}

fn reference<'a>(values: &[&'a [u8]], query: Option<&str>) -> Result<Option<&'a str>, Refused> {
    let value = match values {
        [] => return Ok(None),
        [one] => *one,
        _ => return Err(Refused::Ambiguous),
    };
    let listed: Vec<&[u8]> = value.split(|&byte| byte == b',').collect();
    let bearers = listed.iter().filter(|one| behind_bearer(one).is_some()).count();
    let Some(token) = behind_bearer(listed[0]) else {
        // Another scheme, perhaps with parameters: it is nobody's token, unless one hides in its list.
        return if bearers == 0 { Ok(None) } else { Err(Refused::Ambiguous) };
    };
    if listed.len() > 1
        || query.is_some_and(|query| parameters(query).any(|it| it == b"access_token"))
    {
        return Err(Refused::Ambiguous);
    }
    if token.len() > LONGEST {
        return Err(Refused::TooLarge);
    }
    let padded = token.iter().position(|&byte| byte == b'=').unwrap_or(token.len());
    let (body, padding) = token.split_at(padded);
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(byte);
    if body.is_empty() || !body.iter().all(allowed) || !padding.iter().all(|&byte| byte == b'=') {
        return Err(Refused::Malformed);
    }
    Ok(Some(str::from_utf8(token).expect("ASCII alone was let through")))
}

/// What stands behind the scheme, its spaces aside.
fn behind_bearer(value: &[u8]) -> Option<&[u8]> {
    let value = value.trim_ascii();
    if value.len() < 6 || value[..6].to_ascii_lowercase() != *b"bearer" {
        return None;
    }
    let mut rest = &value[6..];
    if !rest.is_empty() && !rest[0].is_ascii_whitespace() {
        return None;
    }
    while let [b' ', tail @ ..] = rest {
        rest = tail;
    }
    Some(rest)
}

/// The names of the query's parameters, decoded.
fn parameters(query: &str) -> impl Iterator<Item = Vec<u8>> {
    query.split(['&', ';']).map(|parameter| {
        let name = parameter.split('=').next().unwrap_or_default().as_bytes();
        let mut decoded = Vec::new();
        let mut at = 0;
        while at < name.len() {
            let digits = name.get(at + 1..at + 3).filter(|_| name[at] == b'%');
            let octet = digits
                .filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))
                .and_then(|digits| u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok());
            decoded.push(octet.unwrap_or(name[at]));
            at += if octet.is_some() { 3 } else { 1 };
        }
        decoded
    })
}
