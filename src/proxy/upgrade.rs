//! The handshake of a WebSocket (RFC 6455 section 4): what the client asks, what goes on to the
//! upstream, and whether the upstream's answer is one to it.
//!
//! A request that asks for an upgrade is read as a [`Handshake`] or not at all; what is forwarded is
//! written anew from what was read. Nothing else can be upgraded to. Tokens that come as subprotocols
//! are for the gate alone: [`withhold_tokens`] takes them out of every request.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::header::{
    AUTHORIZATION, CONNECTION, CONTENT_LENGTH, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, TE, TRANSFER_ENCODING, UPGRADE,
};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Version};

use crate::gate;
use crate::token::{self, Credential, TokenError};

use super::headers::lists;

/// A request to become a WebSocket, as it must be (RFC 6455 section 4.2.1).
pub(super) struct Handshake {
    key: HeaderValue,
    /// The subprotocols that the upstream can choose from.
    protocols: Vec<String>,
    /// Those that carry tokens.
    bearers: Vec<String>,
    /// The page that it comes from.
    origin: Option<HeaderValue>,
}

const KEY_BYTES: usize = 16;

/// What the key is joined with, so that no other protocol answers as expected (RFC 6455 section 1.3).
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

impl Handshake {
    /// Reads what `parts` asks for; nothing where it asks for no upgrade. An error says what keeps it
    /// from being a handshake.
    pub(super) fn read(parts: &Parts, has_body: bool) -> Option<Result<Self, &'static str>> {
        parts.headers.contains_key(UPGRADE).then(|| Self::parse(parts, has_body))
    }

    fn parse(parts: &Parts, has_body: bool) -> Result<Self, &'static str> {
        let headers = &parts.headers;
        if !only(headers, &UPGRADE).is_some_and(is_websocket) {
            return Err("`Upgrade` is not `websocket`, the only upgrade there is");
        }
        if parts.method != Method::GET {
            return Err("a WebSocket begins with `GET`");
        }
        // In HTTP/2 there is no such field but where one was made of its own way to ask (RFC 8441).
        if ![Version::HTTP_11, Version::HTTP_2].contains(&parts.version) {
            return Err("a WebSocket begins with HTTP/1.1");
        }
        if has_body || headers.contains_key(TRANSFER_ENCODING) {
            return Err("a WebSocket's handshake has no body");
        }
        if !connection_upgrades(headers) {
            return Err("`Connection` does not say `upgrade`");
        }
        if only(headers, &SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
            return Err("`Sec-WebSocket-Version` is not 13, the only version there is");
        }
        let key = only(headers, &SEC_WEBSOCKET_KEY).filter(|key| is_key(key));
        let key = key.ok_or("`Sec-WebSocket-Key` is not one key of 16 bytes in base64")?.clone();
        let (mut protocols, mut bearers) = (Vec::new(), Vec::new());
        for value in headers.get_all(SEC_WEBSOCKET_PROTOCOL) {
            let value = value.to_str().map_err(|_| UNREADABLE)?;
            for protocol in value.split(',').map(str::trim).filter(|it| !it.is_empty()) {
                if token::offered(protocol).is_some() {
                    bearers.push(protocol.to_owned());
                } else if protocol.bytes().all(is_token_byte) {
                    protocols.push(protocol.to_owned());
                } else {
                    return Err(UNREADABLE);
                }
            }
        }
        let origin = gate::origin(headers).cloned();
        Ok(Self { key, protocols, bearers, origin })
    }

    /// The credential of the handshake, which its subprotocols may carry.
    pub(super) fn credential<'a>(
        &'a self,
        headers: &'a HeaderMap,
        query: Option<&str>,
    ) -> Result<Option<Credential<'a>>, TokenError> {
        let authorization = headers.get_all(AUTHORIZATION).iter().map(HeaderValue::as_bytes);
        let offered = self.bearers.iter().filter_map(|protocol| token::offered(protocol));
        let origin = self.origin.as_ref().map(HeaderValue::as_bytes);
        token::credential_of_handshake(offered, origin, authorization, query)
    }

    /// Makes a request that is ready to be forwarded ask the upstream.
    pub(super) fn ask(&self, headers: &mut HeaderMap) {
        // There is no body, and no trailers either.
        headers.remove(CONTENT_LENGTH);
        headers.remove(TE);
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        headers.insert(SEC_WEBSOCKET_KEY, self.key.clone());
        headers.remove(SEC_WEBSOCKET_PROTOCOL);
        if !self.protocols.is_empty()
            && let Ok(protocols) = HeaderValue::try_from(self.protocols.join(", "))
        {
            headers.insert(SEC_WEBSOCKET_PROTOCOL, protocols);
        }
    }

    /// Whether an answer with the status 101 is one to this handshake (RFC 6455 section 4.1): who
    /// answers by something else has not understood it, and would read what follows as requests.
    pub(super) fn is_answered_by(&self, headers: &HeaderMap) -> bool {
        let protocol = match only(headers, &SEC_WEBSOCKET_PROTOCOL) {
            Some(chosen) => self.protocols.iter().any(|offered| chosen == offered.as_str()),
            None => !headers.contains_key(SEC_WEBSOCKET_PROTOCOL),
        };
        protocol
            && connection_upgrades(headers)
            && only(headers, &UPGRADE).is_some_and(is_websocket)
            && only(headers, &SEC_WEBSOCKET_ACCEPT).is_some_and(|it| *it == self.accept().as_str())
    }

    /// Makes an upstream's answer, whose fields of its own connection are gone, ours to the client.
    pub(super) fn accept_as(&self, headers: &mut HeaderMap) {
        headers.remove(CONTENT_LENGTH);
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        // A browser ends a WebSocket of whose subprotocols none was chosen. Where the only one was for
        // the gate, the upstream was offered none and it is the gate that chooses.
        if let (true, [bearer]) = (self.protocols.is_empty(), self.bearers.as_slice())
            && let Ok(mut bearer) = HeaderValue::try_from(bearer)
        {
            bearer.set_sensitive(true);
            headers.insert(SEC_WEBSOCKET_PROTOCOL, bearer);
        }
    }

    fn accept(&self) -> String {
        let answer = digest(&SHA1_FOR_LEGACY_USE_ONLY, &[self.key.as_bytes(), GUID].concat());
        BASE64_STANDARD.encode(answer)
    }
}

const UNREADABLE: &str = "`Sec-WebSocket-Protocol` cannot be read";

/// Takes tokens out of what is forwarded, whoever sent them and whether they count or not. What cannot be
/// read as a list and may hold one goes as a whole.
pub(super) fn withhold_tokens(headers: &mut HeaderMap) {
    let holds = |text: &[u8]| {
        let named = text.to_ascii_lowercase();
        named.windows(token::OFFERED.len()).any(|part| part == token::OFFERED.as_bytes())
    };
    let offers = headers.get_all(SEC_WEBSOCKET_PROTOCOL);
    if !offers.iter().any(|offer| holds(offer.as_bytes())) {
        return;
    }
    let listed = offers.iter().flat_map(|offer| offer.as_bytes().split(|&byte| byte == b','));
    let others: Vec<&[u8]> =
        listed.map(<[u8]>::trim_ascii).filter(|it| !it.is_empty() && !holds(it)).collect();
    let others = HeaderValue::from_bytes(&others.join(&b", "[..]));
    headers.remove(SEC_WEBSOCKET_PROTOCOL);
    if let Ok(others) = others
        && !others.is_empty()
    {
        headers.insert(SEC_WEBSOCKET_PROTOCOL, others);
    }
}

/// The value of a field that came once.
fn only<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h HeaderValue> {
    let mut values = headers.get_all(name).iter();
    values.next().filter(|_| values.next().is_none())
}

fn is_websocket(value: &HeaderValue) -> bool {
    value.as_bytes().eq_ignore_ascii_case(b"websocket")
}

fn connection_upgrades(headers: &HeaderMap) -> bool {
    headers.get_all(CONNECTION).iter().any(|value| lists(value, "upgrade"))
}

fn is_key(value: &HeaderValue) -> bool {
    BASE64_STANDARD.decode(value.as_bytes()).is_ok_and(|key| key.len() == KEY_BYTES)
}

/// RFC 9110 section 5.6.2, `tchar`.
fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests;
