//! What browsers send that others do not: preflights, and tokens as a WebSocket's subprotocol.

use grantgate::token::{self, Credential, TokenError};
use http::header::{ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::draw::Draw;
use super::render;
use super::request::{Carrier, Request};

/// Whose pages may call, where an API lists them.
pub(super) const PAGES: [&str; 2] = ["https://app.example.com", "http://localhost:5173"];

/// Origins, of which some are nearly such a page's.
const ORIGINS: [&str; 7] = [
    PAGES[0],
    PAGES[1],
    "https://evil.example",
    "https://app.example.com.evil.example",
    "HTTPS://app.example.com",
    "https://app.example.com:443",
    "null",
];

/// The fields of a preflight: what it is, each comes once and there is no body.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) origins: Vec<&'static str>,
    pub(super) methods: Vec<&'static str>,
    pub(super) headers: Vec<&'static str>,
    pub(super) body: bool,
}

/// Has a request be a preflight for another, or nearly.
pub(super) fn ask(draw: &mut Draw<'_>, request: &mut Request) {
    const METHODS: [&str; 9] =
        ["GET", "PUT", "DELETE", "HEAD", "POST", "PATCH", "get", "CONNECT", "TRACE"];
    let several = |draw: &mut Draw<'_>, choices: &[&'static str]| match draw.below(12) {
        11 => Vec::new(),
        10 => vec![draw.pick(choices), draw.pick(choices)],
        _ => vec![draw.pick(choices)],
    };
    request.method = String::from(draw.pick(&["OPTIONS", "OPTIONS", "OPTIONS", "options", "GET"]));
    request.carrier = draw.pick(&[
        Carrier::Nothing,
        Carrier::Nothing,
        Carrier::Nothing,
        request.carrier,
        Carrier::Query,
    ]);
    let some_page = draw.chance(50);
    request.asked = Some(Asked {
        origins: several(draw, if some_page { &PAGES } else { &ORIGINS }),
        methods: several(draw, &METHODS),
        headers: draw
            .some_of(&["Authorization", "x-request-id, authorization", "x-other", "*"], 25),
        body: draw.chance(10),
    });
}

/// Has a request be a WebSocket's handshake that offers the token.
pub(super) fn offer(draw: &mut Draw<'_>, request: &mut Request) {
    request.method = String::from("GET");
    request.carrier = match draw.below(12) {
        0..5 => Carrier::Subprotocol(Some(draw.pick(&PAGES))),
        5..8 => Carrier::Subprotocol(Some(draw.pick(&ORIGINS))),
        8 => Carrier::Subprotocol(None),
        9 => Carrier::TwoSubprotocols,
        10 => Carrier::SubprotocolAndHeader,
        _ => Carrier::SubprotocolAndQuery,
    };
}

/// The header fields that the engine reads a preflight from.
pub(super) fn fields(request: &Request) -> HeaderMap {
    let mut fields = HeaderMap::new();
    let mut say = |name: &HeaderName, values: &[&'static str]| {
        for value in values {
            fields.append(name, HeaderValue::from_static(value));
        }
    };
    if let Some(asked) = &request.asked {
        say(&ORIGIN, &asked.origins);
        say(&ACCESS_CONTROL_REQUEST_METHOD, &asked.methods);
        say(&ACCESS_CONTROL_REQUEST_HEADERS, &asked.headers);
    }
    fields
}

/// Reads the credential as the engine does, of which `authorization`, `query` and `token` are the parts.
pub(super) fn credential<'a>(
    request: &Request,
    token: &'a str,
    authorization: &'a [String],
    query: Option<&str>,
) -> Result<Option<Credential<'a>>, TokenError> {
    let authorization = authorization.iter().map(String::as_bytes);
    let offers = match request.carrier {
        Carrier::Subprotocol(_) | Carrier::SubprotocolAndHeader | Carrier::SubprotocolAndQuery => 1,
        Carrier::TwoSubprotocols => 2,
        _ => return token::credential(authorization, query),
    };
    let origin = match request.carrier {
        Carrier::Subprotocol(origin) => origin,
        _ => Some(PAGES[0]),
    };
    let offers = std::iter::repeat_n(token, offers);
    token::credential_of_handshake(offers, origin.map(str::as_bytes), authorization, query)
}

/// The token as it is offered.
pub(super) fn offered(request: &Request) -> String {
    render::token(&request.token)
}
