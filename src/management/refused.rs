//! A refusal of the gate as a fault: in Auth0's words where Auth0 has some, and always with what to do.

use std::fmt::Write;

use http::header::{ALLOW, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{Method, StatusCode};

use super::reply::Reply;
use super::{Endpoint, Fault};
use crate::account::Findings;
use crate::config::snapshot::ServedApi;
use crate::gate::{Caller, Code, Refusal};

/// The answer to a refused request, which was for `endpoint`, where it was for one.
pub(super) fn refuse(
    refusal: &Refusal,
    endpoint: Option<Endpoint>,
    findings: Findings<'_>,
) -> Reply {
    let mut reply = Reply::from(fault(refusal, endpoint, findings));
    let realm = findings.served.map(|served| &*served.public_url);
    if let Some(challenge) = refusal.challenge(realm) {
        reply = reply.with(WWW_AUTHENTICATE, challenge);
    }
    if refusal.code == Code::MethodRefused {
        let methods: Vec<_> = refusal.allow.iter().map(Method::as_str).collect();
        reply = reply.with(ALLOW, methods.join(", "));
    }
    if let Some(seconds) = refusal.retry_after {
        reply = reply.with(RETRY_AFTER, seconds);
    }
    reply
}

/// What is said of it.
pub(super) fn fault(
    refusal: &Refusal,
    endpoint: Option<Endpoint>,
    findings: Findings<'_>,
) -> Fault {
    let code = refusal.code;
    let coded = |code: &'static str, message| Fault::new(refusal.code.status(), code, message);
    match code {
        Code::TokenMissing => Fault {
            status: StatusCode::UNAUTHORIZED,
            message: "Missing authentication".into(),
            code: None,
        },
        Code::RouteUnknown => Fault::not_found("Not Found"),
        Code::PathAmbiguous => {
            coded("invalid_uri", format!("Path validation error: {}", detail(refusal)))
        }
        Code::ScopeInsufficient | Code::ScopeNotGranted => {
            coded("insufficient_scope", lacking(refusal, endpoint, findings))
        }
        Code::GrantMissing => coded(code.as_str(), to_be_granted(refusal, endpoint, findings)),
        _ if code.status() == StatusCode::UNAUTHORIZED => {
            coded("invalid_token", format!("Invalid token: {}; {}", detail(refusal), code.hint()))
        }
        _ => coded(code.as_str(), explained(refusal)),
    }
}

/// What happened, as exactly as it is known.
fn detail(refusal: &Refusal) -> &str {
    refusal.detail.as_deref().unwrap_or(refusal.code.title())
}

/// What happened, to whom, and what to do.
fn explained(refusal: &Refusal) -> String {
    let mut text = format!("{}; {}", refusal.code.title(), refusal.explain());
    if !refusal.excess_scopes.is_empty() {
        // A text takes every other text.
        let _ = write!(text, ": {}", refusal.excess_scopes.join(", "));
    }
    text
}

/// Auth0's sentence about scopes, and where the grant is what lacks one, that.
fn lacking(refusal: &Refusal, endpoint: Option<Endpoint>, findings: Findings<'_>) -> String {
    let asked = endpoint.and_then(Endpoint::scope).unwrap_or_default();
    let text = format!("Insufficient scope, expected any of: {asked}");
    let (Some(caller), Some(served)) = (findings.caller, findings.served) else { return text };
    let place = served.api.scopes.find(asked);
    match (&refusal.grant, place) {
        (Some(grant), Some(place)) if !grant.ceiling.contains(place) => format!(
            "{text}. The client grant of `{}` for `{}` does not hold it: add it to the grant's \
             `scope`, in the gateway's files",
            caller.client.unwrap_or_default(),
            served.api.identifier
        ),
        _ => text,
    }
}

/// The grant that is missing, as it would be written.
fn to_be_granted(refusal: &Refusal, endpoint: Option<Endpoint>, findings: Findings<'_>) -> String {
    let (Some(caller), Some(served)) = (findings.caller, findings.served) else {
        return explained(refusal);
    };
    let entry = grant(caller, served, endpoint.and_then(Endpoint::scope));
    format!("{}; add it to `client_grants`, in the gateway's files: {entry}", refusal.code.title())
}

fn grant(caller: &Caller<'_>, served: &ServedApi, scope: Option<&str>) -> String {
    let audience = served.api.identifier.as_str();
    let client = caller.client.unwrap_or_default();
    let mut entry = format!("{{client_id: \"{client}\", audience: \"{audience}\"");
    // A text takes every other text.
    if caller.issuer.as_str() != audience {
        let _ = write!(entry, ", issuer: \"{}\"", caller.issuer);
    }
    if let Some(identity) = &caller.identity {
        let _ = write!(entry, ", subject_type: {}", identity.subject_type.as_str());
    }
    let _ = write!(entry, ", scope: [\"{}\"]}}", scope.unwrap_or_default());
    entry
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::TokenError;

    fn said(refusal: &Refusal) -> (u16, Option<&'static str>, String) {
        let reply = refuse(refusal, Some(Endpoint::ListGrants), Findings::default());
        let message = reply.body.unwrap()["message"].as_str().unwrap().to_owned();
        (reply.status.as_u16(), reply.code, message)
    }

    #[test]
    fn every_refusal_keeps_its_status_and_says_something() {
        for &code in Code::ALL {
            let (status, _, message) = said(&code.into());
            assert_eq!(status, code.status().as_u16(), "{code}");
            assert!(!message.is_empty(), "{code}");
        }
    }

    #[test]
    fn what_auth0_has_words_for_is_said_in_them() {
        let of = |code: Code| said(&code.into());
        assert_eq!(of(Code::TokenMissing), (401, None, "Missing authentication".to_owned()));
        let words = "Insufficient scope, expected any of: read:client_grants";
        let expected = (403, Some("insufficient_scope"), words.to_owned());
        assert_eq!(of(Code::ScopeInsufficient), expected);
        let (status, code, message) = of(Code::TokenExpired);
        assert_eq!((status, code), (401, Some("invalid_token")));
        assert_eq!(message, "Invalid token: the access token has expired; get a new one");
        let (.., message) = said(&TokenError::Expired.into());
        assert_eq!(message, "Invalid token: the token has expired; get a new one", "once");
        let spelling = Refusal::new(Code::PathAmbiguous, "a dot segment");
        let words = "Path validation error: a dot segment";
        assert_eq!(said(&spelling), (400, Some("invalid_uri"), words.to_owned()));
    }

    #[test]
    fn who_may_try_again_is_told_when_and_whoever_uses_another_method_which() {
        let field = |refusal: &Refusal, name: http::HeaderName| {
            let reply = refuse(refusal, None, Findings::default());
            reply.headers.get(name).map(|value| value.to_str().unwrap().to_owned())
        };
        let keys = Refusal { retry_after: Some(7), ..Code::KeysUnavailable.into() };
        assert_eq!(field(&keys, RETRY_AFTER).as_deref(), Some("7"));
        let allow = vec![Method::GET, Method::HEAD];
        let method = Refusal { allow, ..Code::MethodRefused.into() };
        assert_eq!(field(&method, ALLOW).as_deref(), Some("GET, HEAD"));
        let expired = Code::TokenExpired.into();
        assert_eq!(
            field(&expired, WWW_AUTHENTICATE).as_deref(),
            Some("Bearer error=\"invalid_token\"")
        );
    }
}
