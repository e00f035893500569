//! Header fields on their way through, in both directions.
//!
//! A request loses what concerns its connection, what only the gate may say and what would steer around
//! it; then it is told where it comes from and who calls. A response loses what concerns its connection.

use std::fmt::Write;

use http::header::{
    AUTHORIZATION, CONNECTION, CONTENT_LENGTH, COOKIE, FORWARDED, HOST, TE, TRANSFER_ENCODING,
};
use http::{HeaderMap, HeaderName, HeaderValue, Version};
use http_body::SizeHint;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use crate::gate::Caller;
use crate::net::Peer;
use crate::policy::{Api, Basis, Organization, Permit};

use super::Via;
use super::names::{Fate, fate, is_spelled_with_dashes, may_trail};

const CLIENT_ID: HeaderName = HeaderName::from_static("grantgate-client-id");
const DECISION: HeaderName = HeaderName::from_static("grantgate-decision");
pub(super) const DECISION_ID: HeaderName = HeaderName::from_static("grantgate-decision-id");
const GRANT_ID: HeaderName = HeaderName::from_static("grantgate-grant-id");
const ISSUER: HeaderName = HeaderName::from_static("grantgate-issuer");
const ORGANIZATION: HeaderName = HeaderName::from_static("grantgate-organization");
const SCOPES: HeaderName = HeaderName::from_static("grantgate-scopes");
const SUBJECT: HeaderName = HeaderName::from_static("grantgate-subject");
const SUBJECT_TYPE: HeaderName = HeaderName::from_static("grantgate-subject-type");

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Where a request comes from.
pub(super) struct Origin<'a> {
    /// Who connected.
    pub(super) peer: &'a Peer,
    /// Whether its word about others counts.
    pub(super) trusted: bool,
    /// The host it asked for.
    pub(super) host: &'a HeaderValue,
    /// The HTTP version it spoke.
    pub(super) version: Version,
    /// Our name among proxies.
    pub(super) via: &'a Via,
}

/// Makes a client's header fields those of the forwarded request, all but what is said of the caller.
pub(super) fn request(headers: &mut HeaderMap, origin: &Origin<'_>, body: &SizeHint) {
    let trailers = headers.get_all(TE).iter().any(|value| lists(value, "trailers"));
    let framed = headers.contains_key(CONTENT_LENGTH);
    let mut doomed = named_by_connection(headers);
    doomed.extend(
        headers
            .keys()
            .filter(|name| match fate(name.as_str()) {
                // What a trusted proxy passes on in another spelling than it writes is not its word.
                Fate::Forwarded => !origin.trusted || !is_spelled_with_dashes(name.as_str()),
                Fate::Hop | Fate::Ours | Fate::Spoof => true,
                Fate::Pass => false,
            })
            .cloned(),
    );
    for name in doomed {
        headers.remove(name);
    }
    frame(headers, framed, body);
    if trailers {
        headers.insert(TE, HeaderValue::from_static("trailers"));
        headers.insert(CONNECTION, HeaderValue::from_static("te"));
    }
    if origin.version == Version::HTTP_2 {
        join_cookies(headers);
    }
    headers.insert(HOST, origin.host.clone());
    forwarded(headers, origin);
    origin.via.add(headers, origin.version);
}

/// Tells the upstream who calls, as far as `permit` says it was found out.
pub(super) fn identity(
    headers: &mut HeaderMap,
    permit: &Permit,
    api: &Api,
    caller: Option<&Caller<'_>>,
    decision_id: &str,
) {
    headers.insert(DECISION_ID, encoded(decision_id));
    let grant = match permit.basis() {
        Basis::Public => {
            headers.remove(AUTHORIZATION);
            None
        }
        Basis::Preflight => {
            headers.remove(AUTHORIZATION);
            headers.remove(COOKIE);
            None
        }
        Basis::Reported => {
            headers.insert(DECISION, HeaderValue::from_static("would-refuse"));
            return;
        }
        Basis::Open => None,
        Basis::Grant(grant) => Some(grant),
    };
    let identity = caller.and_then(|caller| caller.identity.as_ref());
    let organization = match identity.map(|identity| identity.organization) {
        Some(Organization::Id(id)) => id,
        Some(Organization::Absent | Organization::Unreadable) | None => "",
    };
    let mut scopes = String::new();
    for scope in api.scopes.of(permit.scopes()) {
        let gap = if scopes.is_empty() { "" } else { " " };
        // A text takes every other text.
        let _ = write!(scopes, "{gap}{}", utf8_percent_encode(scope, ENCODED));
    }
    headers.insert(CLIENT_ID, encoded(identity.map_or("", |identity| identity.client)));
    headers.insert(SUBJECT, encoded(identity.and_then(|it| it.subject).unwrap_or_default()));
    headers.insert(SUBJECT_TYPE, encoded(identity.map_or("", |it| it.subject_type.as_str())));
    headers.insert(SCOPES, plain(scopes));
    headers.insert(ORGANIZATION, encoded(organization));
    headers.insert(ISSUER, encoded(caller.map_or("", |caller| caller.issuer.as_str())));
    headers.insert(GRANT_ID, encoded(grant.map_or("", |grant| grant.id.as_str())));
}

/// Makes an upstream's header fields those of our response.
pub(super) fn response(headers: &mut HeaderMap, version: Version, via: &Via) {
    let mut doomed = named_by_connection(headers);
    let chunked = headers.contains_key(TRANSFER_ENCODING);
    doomed.extend(
        headers
            .keys()
            .filter(|name| match fate(name.as_str()) {
                // The length says what a HEAD would have got, too.
                Fate::Hop => chunked || **name != CONTENT_LENGTH,
                Fate::Forwarded | Fate::Ours | Fate::Pass | Fate::Spoof => false,
            })
            .cloned(),
    );
    for name in doomed {
        headers.remove(name);
    }
    via.add(headers, version);
}

/// Removes from trailers, of both directions, what may not come behind a body.
pub(super) fn trailers(trailers: &mut HeaderMap) {
    let doomed: Vec<_> =
        trailers.keys().filter(|name| !may_trail(name.as_str())).cloned().collect();
    for name in doomed {
        trailers.remove(name);
    }
}

/// The fields that `Connection` names beside those that concern a connection anyway.
fn named_by_connection(headers: &HeaderMap) -> Vec<HeaderName> {
    let values = headers.get_all(CONNECTION).iter().filter_map(|value| value.to_str().ok());
    let names = values.flat_map(|value| value.split(',').map(str::trim));
    let is_own = |name: &&str| !["close", "keep-alive"].contains(name);
    names.filter(is_own).filter_map(|name| HeaderName::try_from(name).ok()).collect()
}

/// Frames the forwarded body, once. One of unknown length goes in chunks, also where the method rarely has
/// a body.
fn frame(headers: &mut HeaderMap, framed: bool, body: &SizeHint) {
    match body.exact() {
        Some(0) if !framed => {}
        Some(length) => {
            headers.insert(CONTENT_LENGTH, length.into());
        }
        None => {
            headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
        }
    }
}

/// HTTP/2 may take cookies apart, so that what changes and what does not are sent apart; before they go
/// on they are one field again (RFC 9113 section 8.2.3).
fn join_cookies(headers: &mut HeaderMap) {
    let mut crumbs = headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes);
    if let (Some(first), Some(second)) = (crumbs.next(), crumbs.next()) {
        let mut joined = first.to_vec();
        for crumb in std::iter::once(second).chain(crumbs) {
            joined.extend(b"; ");
            joined.extend(crumb);
        }
        // What values are made of is one.
        if let Ok(joined) = HeaderValue::from_bytes(&joined) {
            headers.insert(COOKIE, joined);
        }
    }
}

/// Says who connected, behind what a trusted proxy said before. Who came through a unix socket has no
/// address, is no trusted proxy, and nothing is said of it.
fn forwarded(headers: &mut HeaderMap, origin: &Origin<'_>) {
    if let Some(peer) = origin.peer.address.map(|address| address.ip()) {
        let mut hops = String::new();
        let before = headers.get_all(&X_FORWARDED_FOR).iter();
        for before in before.filter_map(|hops| hops.to_str().ok()) {
            hops.push_str(before);
            hops.push_str(", ");
        }
        hops.push_str(&peer.to_string());
        headers.insert(X_FORWARDED_FOR, plain(hops));
        if headers.contains_key(FORWARDED) {
            let node =
                if peer.is_ipv6() { format!("for=\"[{peer}]\"") } else { format!("for={peer}") };
            headers.append(FORWARDED, plain(node));
        }
    }
    if !headers.contains_key(&X_FORWARDED_HOST) {
        headers.insert(X_FORWARDED_HOST, origin.host.clone());
    }
    if !headers.contains_key(&X_FORWARDED_PROTO) {
        let scheme = if origin.peer.secure { "https" } else { "http" };
        headers.insert(X_FORWARDED_PROTO, HeaderValue::from_static(scheme));
    }
}

/// What is percent-encoded in our values, with everything outside ASCII: `%` and what is not visible.
const ENCODED: &AsciiSet = &CONTROLS.add(b' ').add(b'%');

fn encoded(text: &str) -> HeaderValue {
    plain(utf8_percent_encode(text, ENCODED).to_string())
}

/// A value whose characters are known to be visible; an empty one where they are not after all.
fn plain(text: String) -> HeaderValue {
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""))
}

/// Whether one of the words of a list is this one, whatever its parameters are.
pub(super) fn lists(value: &HeaderValue, word: &str) -> bool {
    value.as_bytes().split(|&byte| byte == b',').any(|item| {
        let item = item.split(|&byte| byte == b';').next().unwrap_or_default();
        item.trim_ascii().eq_ignore_ascii_case(word.as_bytes())
    })
}

#[cfg(test)]
mod tests;
