//! What may help where a token is not taken: an audience, an issuer, or what counts as a user's token. Never
//! anything that would take a token whose signature, time or shape is wrong.

use serde_json::{Map, Value};

use super::super::moves::Move;
use super::{Seen, said, said_audiences};
use crate::policy::Issuer;

/// One more audience that means the API. An ID token is meant for an application: its audience is none.
pub(super) fn audience(seen: &Seen<'_>) -> Option<Vec<Vec<Move>>> {
    let api = seen.served()?.api.identifier.clone();
    let claims = said(&seen.supposed.shown)?;
    let names_client = |audience: &str| {
        let client = ["azp", "client_id", "cid", "appid"].into_iter();
        client.filter_map(|claim| claims.get(claim)).any(|client| client == audience)
    };
    let audiences = said_audiences(&claims).into_iter().filter(|audience| !names_client(audience));
    let add =
        |audience: &str| vec![Move::Audience { api: api.clone(), audience: audience.to_owned() }];
    Some(audiences.take(2).map(add).collect())
}

/// The issuer is trusted; one that is configured in another spelling is corrected; another that is not
/// configured is added, with a profile that reads its tokens.
pub(super) fn issuer(seen: &Seen<'_>) -> Option<Vec<Vec<Move>>> {
    let api = seen.served()?.api.identifier.clone();
    let claims = said(&seen.supposed.shown)?;
    let issuer = Issuer::new(claims.get("iss")?.as_str()?).ok()?;
    if seen.files.inventory.issuers.iter().any(|(known, _)| *known == issuer) {
        return Some(vec![vec![Move::Trust { api, issuer }]]);
    }
    let plain = |issuer: &Issuer| issuer.as_str().trim_end_matches('/').to_ascii_lowercase();
    let mut configured = seen.files.inventory.issuers.iter().map(|(known, _)| known);
    if let Some(from) = configured.find(|known| plain(known) == plain(&issuer)) {
        return Some(vec![vec![Move::Respell { from: from.clone(), to: issuer }]]);
    }
    if !issuer.as_str().starts_with("https://") {
        return None;
    }
    let add = |profile| vec![Move::Issuer { api: api.clone(), issuer: issuer.clone(), profile }];
    Some(profiles(issuer.as_str(), &claims).into_iter().map(add).collect())
}

/// The profiles that such an issuer may have, by its name and what its tokens look like.
fn profiles(issuer: &str, claims: &Map<String, Value>) -> Vec<&'static str> {
    let host = issuer.split('/').nth(2).unwrap_or_default();
    let has = |claim: &str| claims.contains_key(claim);
    let looks = [
        ("auth0", host.ends_with(".auth0.com") || has("gty") || has("azp") && has("scope")),
        ("okta", has("cid")),
        ("keycloak", issuer.contains("/realms/")),
        ("entra", has("tid") && (has("azp") || has("appid"))),
        ("cognito", host.starts_with("cognito-idp.") || has("token_use")),
        ("hydra", has("ext")),
        ("rfc9068", has("client_id")),
    ];
    looks.into_iter().filter(|(_, looks)| *looks).map(|(profile, _)| profile).collect()
}

/// Tokens of the issuer that show neither user nor machine count as users'. Those that contradict themselves
/// are refused even so.
pub(super) fn unproven(seen: &Seen<'_>) -> Option<Vec<Vec<Move>>> {
    let issuer = seen.outcome.caller.as_ref()?.issuer.clone();
    Some(vec![vec![Move::Unproven { issuer }]])
}
