//! Rule 3: the token, and what section 4 of the specification says of it.

use serde_json::Value;

use super::super::request::{Carrier, Request, Shape, Token};
use super::super::sign::{self, Kind};
use super::super::world::{Api, Issuer, NOW, Operation, Profile, World};
use super::browsers::subprotocol;
use super::{Claims, Set};

/// "3. Token, inner order: missing → ambiguous → too large → shape → issuer known and trusted by this
/// API → type → algorithm → key → signature → claims present and of the right JSON type → time →
/// audience → sender constraint".
pub(super) fn rule_3_token<'a>(
    world: &'a World,
    api: &Api,
    operation: Option<&Operation>,
    request: &'a Request,
) -> Result<(&'a Issuer, &'a Token), &'static str> {
    let token = &request.token;
    match request.carrier {
        Carrier::Subprotocol(origin) => subprotocol(api, operation, origin, token.shape)?,
        carrier => credential(carrier)?,
    }
    shape(token)?;
    let issuer = trusted_issuer(world, api, &token.claims)?;
    token_type(issuer, token)?;
    let algorithm = algorithm(issuer, token)?;
    let key = key(issuer, algorithm, token)?;
    if token.key != key || token.tampered {
        return Err("token-signature-invalid");
    }
    claims(issuer, &token.claims)?;
    time(issuer, &token.claims)?;
    audience(api, &token.claims)?;
    sender_constraint(&token.claims)?;
    Ok((issuer, token))
}

/// "`Authorization: Bearer`, any case. Two `Authorization` headers, a comma list, or `access_token` in
/// the query beside the header → 400 `credential-ambiguous`. Never read from query, body or cookie."
fn credential(carrier: Carrier) -> Result<(), &'static str> {
    match carrier {
        Carrier::Header(_) | Carrier::Subprotocol(_) => Ok(()),
        Carrier::Nothing | Carrier::OtherScheme | Carrier::Query => Err("token-missing"),
        Carrier::TwoHeaders
        | Carrier::List
        | Carrier::HeaderAndQuery
        | Carrier::TwoSubprotocols
        | Carrier::SubprotocolAndHeader
        | Carrier::SubprotocolAndQuery => Err("credential-ambiguous"),
    }
}

/// "Over 8 KiB → `token-too-large` before any parsing. Three parts of canonical base64url; objects
/// without duplicate members; `crit`, `b64`, `zip`, JWE, `jwk`, `jku`, `x5u`, `x5c` refused".
fn shape(token: &Token) -> Result<(), &'static str> {
    if token.shape == Shape::Oversized {
        return Err("token-too-large");
    }
    let refused = ["crit", "b64", "zip", "jwk", "jku", "x5u", "x5c"];
    if token.shape != Shape::Right || refused.iter().any(|name| token.header.contains_key(*name)) {
        return Err("token-malformed");
    }
    Ok(())
}

/// "The issuer by exact `iss` among those the API trusts"; "`iss` one string".
fn trusted_issuer<'a>(
    world: &'a World,
    api: &Api,
    claims: &Claims,
) -> Result<&'a Issuer, &'static str> {
    let name = match claims.get("iss") {
        None => return Err("token-claim-missing"),
        Some(Value::String(name)) => name,
        Some(_) => return Err("token-malformed"),
    };
    if !api.issuers.contains(name) {
        return Err("token-issuer-unknown");
    }
    world.issuers.iter().find(|issuer| issuer.name == *name).ok_or("token-issuer-unknown")
}

/// "`typ` in any case: `at+jwt` and `application/at+jwt` always, `JWT` or absent as the profile says
/// (auth0, keycloak, okta, entra, cognito, hydra: yes; rfc9068: no; custom: when listed). ID tokens are
/// refused by a table per profile; `at_hash`, `c_hash`, `s_hash` in any token → `token-type-refused`."
fn token_type(issuer: &Issuer, token: &Token) -> Result<(), &'static str> {
    if ["at_hash", "c_hash", "s_hash"].iter().any(|name| token.claims.contains_key(*name)) {
        return Err("token-type-refused");
    }
    let typ = token.header.get("typ").and_then(Value::as_str).map(str::to_lowercase);
    let always = matches!(typ.as_deref(), Some("at+jwt" | "application/at+jwt"));
    let accepted = match &issuer.profile {
        Profile::Rfc9068 => false,
        // The reference: "`none` stands for a token without one".
        Profile::Custom(custom) => custom.types.iter().any(|listed| match &typ {
            None => listed == "none",
            Some(typ) => listed != "none" && listed.to_lowercase() == *typ,
        }),
        _ => matches!(typ.as_deref(), Some("jwt") | None),
    };
    let is_access_token = !is_id_token(issuer, &token.claims);
    if (always || accepted) && is_access_token { Ok(()) } else { Err("token-type-refused") }
}

/// What the issuers' other tokens look like: the table of marks.
fn is_id_token(issuer: &Issuer, claims: &Claims) -> bool {
    let has = |name: &str| claims.contains_key(name);
    let text = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default();
    match &issuer.profile {
        Profile::Auth0 | Profile::Rfc9068 => has("nonce"),
        Profile::Cognito => text("token_use") != "access",
        Profile::Custom(_) => false,
        Profile::Entra => has("nonce") || !(has("azp") || has("appid")),
        Profile::Hydra => has("nonce") || has("rat"),
        Profile::Keycloak => !["bearer", "dpop"].contains(&text("typ").to_lowercase().as_str()),
        Profile::Okta => has("nonce") || text("jti").starts_with("ID."),
    }
}

/// "`alg` from the issuer's list": by default the asymmetric ones; `EdDSA` is "also named
/// `Ed25519`".
fn algorithm<'a>(issuer: &Issuer, token: &'a Token) -> Result<&'a str, &'static str> {
    const ASYMMETRIC: [&str; 11] = [
        "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
        "Ed25519",
    ];
    let algorithm = token.header["alg"].as_str().expect("only strings are drawn");
    let name = if algorithm == "Ed25519" { "EdDSA" } else { algorithm };
    let listed = issuer.algorithms.iter().any(|listed| listed == name);
    let default = issuer.algorithms.is_empty() && ASYMMETRIC.contains(&algorithm);
    if listed || default { Ok(algorithm) } else { Err("token-algorithm-refused") }
}

/// "then its key by `kid`; never a key of another issuer", "`alg` … fitting the key".
fn key(issuer: &Issuer, algorithm: &str, token: &Token) -> Result<usize, &'static str> {
    let kid = token.header["kid"].as_str().expect("only strings are drawn");
    let Some((_, key)) = issuer.keys.iter().find(|(id, _)| id == kid) else {
        return Err("token-key-unknown");
    };
    let fits = match sign::kind(*key) {
        Kind::Ed25519 => algorithm == "EdDSA" || algorithm == "Ed25519",
        Kind::P256 => algorithm == "ES256",
        Kind::Rsa => algorithm == "RS256" || algorithm == "PS256",
    };
    if fits { Ok(*key) } else { Err("token-algorithm-refused") }
}

/// "`exp`, `iss`, `aud` present and of their type (`aud` string or array of strings; `exp` a number,
/// fractions legal; `exp`, `nbf`, `iat` between 0 and 253402300799), else `token-claim-missing` or
/// `token-malformed`. `authorization_details` is an array of objects with a string `type`. Scopes split
/// on U+0020 alone; other characters refuse."
fn claims(issuer: &Issuer, claims: &Claims) -> Result<(), &'static str> {
    // Where one is missing and another is of a wrong type, the text leaves open which is named; the
    // gate goes claim by claim.
    match claims.get("aud") {
        Some(audience) if !audience.is_string() && string_array(audience).is_none() => {
            return Err("token-malformed");
        }
        Some(_) => {}
        // "Cognito carries no `aud`: the scope prefix `identifier/` stands for it".
        None if matches!(issuer.profile, Profile::Cognito) => match claims.get("scope") {
            Some(scope) if scopes_in(scope, Kinds::Text).is_none() => {
                return Err("token-malformed");
            }
            Some(_) => {}
            None => return Err("token-claim-missing"),
        },
        None => return Err("token-claim-missing"),
    }
    if !claims.contains_key("exp") {
        return Err("token-claim-missing");
    }
    for name in ["exp", "nbf", "iat"] {
        let in_range =
            |value: &Value| value.as_f64().is_some_and(|n| (0.0..=253_402_300_799.0).contains(&n));
        if !claims.get(name).is_none_or(in_range) {
            return Err("token-malformed");
        }
    }
    for (name, kinds) in scope_claims(issuer, claims) {
        if claims.get(name).is_some_and(|value| scopes_in(value, kinds).is_none()) {
            return Err("token-malformed");
        }
    }
    details_of(issuer, claims).map(|_| ())
}

pub(super) fn string_array(value: &Value) -> Option<Vec<String>> {
    value.as_array()?.iter().map(|item| item.as_str().map(ToOwned::to_owned)).collect()
}

/// The JSON types that a claim with scopes may have.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kinds {
    /// A string split on U+0020: `scope` in RFC 9068 and at Auth0.
    Text,
    /// An array of strings: `permissions`.
    List,
    /// Either: `scp`, and what a custom profile names.
    Either,
}

/// The claims that hold scopes: "Which claim holds the scopes is the profile's word", "`scope` and
/// `scp`", and Auth0's `permissions`.
pub(super) fn scope_claims<'a>(issuer: &'a Issuer, claims: &Claims) -> Vec<(&'a str, Kinds)> {
    match &issuer.profile {
        Profile::Auth0 => {
            vec![("scope", Kinds::Text), ("scp", Kinds::Either), ("permissions", Kinds::List)]
        }
        Profile::Entra => {
            vec![("scope", Kinds::Text), ("scp", Kinds::Either), ("roles", Kinds::List)]
        }
        // `scp` alone is not the claim that this profile names.
        Profile::Custom(custom) if custom.scopes == "scope" && claims.contains_key("scope") => {
            vec![("scope", Kinds::Either), ("scp", Kinds::Either)]
        }
        Profile::Custom(custom) => vec![(&custom.scopes, Kinds::Either)],
        _ => vec![("scope", Kinds::Text), ("scp", Kinds::Either)],
    }
}

/// The scopes of a claim, when it has the right type and holds no other characters than RFC 6749's.
pub(super) fn scopes_in(value: &Value, kinds: Kinds) -> Option<Set> {
    let scopes: Vec<String> = match value {
        Value::String(text) if kinds != Kinds::List => {
            text.split(' ').filter(|scope| !scope.is_empty()).map(ToOwned::to_owned).collect()
        }
        Value::Array(_) if kinds != Kinds::Text => string_array(value)?,
        _ => return None,
    };
    // %x21 %x23-5B %x5D-7E
    let legal = |c: char| matches!(c, '\x21' | '\x23'..='\x5B' | '\x5D'..='\x7E');
    scopes.iter().all(|scope| scope.chars().all(legal)).then(|| scopes.into_iter().collect())
}

/// With half a minute of leeway where the issuer says nothing else; RFC 7519: on or after `exp` a
/// token is refused, before `nbf` it is.
fn time(issuer: &Issuer, claims: &Claims) -> Result<(), &'static str> {
    let leeway = f64::from(issuer.leeway.unwrap_or(30));
    let at = |name: &str| claims.get(name).and_then(Value::as_f64);
    let now = f64::from(NOW);
    if at("exp").is_some_and(|exp| now >= exp + leeway) {
        return Err("token-expired");
    }
    if [at("nbf"), at("iat")].into_iter().flatten().any(|start| start > now + leeway) {
        return Err("token-not-yet-valid");
    }
    Ok(())
}

/// The API is "known by its `identifier`, which is the token's audience", or by one of "further
/// audiences that mean this API".
fn audience(api: &Api, claims: &Claims) -> Result<(), &'static str> {
    let named = match claims.get("aud") {
        Some(Value::String(one)) => vec![one.clone()],
        Some(many) => string_array(many).unwrap_or_default(),
        // Only Cognito's tokens come so far without one.
        None => {
            let scopes = scopes_in(&claims["scope"], Kinds::Text).unwrap_or_default();
            scopes.iter().filter_map(|scope| Some(owner_and_name(scope)?.0.to_owned())).collect()
        }
    };
    let own = |name: &String| is_own(api, name);
    if named.iter().any(own) { Ok(()) } else { Err("token-audience-mismatch") }
}

pub(super) fn is_own(api: &Api, audience: &str) -> bool {
    audience == api.identifier || api.audiences.iter().any(|further| further == audience)
}

/// The two parts of `identifier/scope`; Cognito's scopes hold no slash of their own.
pub(super) fn owner_and_name(scope: &str) -> Option<(&str, &str)> {
    let slash = scope.rfind('/')?;
    let (owner, name) = (&scope[..slash], &scope[slash + 1..]);
    (!name.is_empty()).then_some((owner, name))
}

/// "A token with `cnf` that comes as plain Bearer, or with a `cnf` we cannot read →
/// `sender-constraint-missing` / `-invalid`."
fn sender_constraint(claims: &Claims) -> Result<(), &'static str> {
    let Some(cnf) = claims.get("cnf") else { return Ok(()) };
    // A SHA-256 thumbprint in base64url: 43 characters.
    let thumbprint = |name: &&str| cnf.get(name).and_then(Value::as_str).map(str::len) == Some(43);
    let readable = ["jkt", "x5t#S256"].iter().any(thumbprint);
    Err(if readable { "sender-constraint-missing" } else { "sender-constraint-invalid" })
}

/// The types of the token's authorization details.
pub(super) fn details_of(issuer: &Issuer, claims: &Claims) -> Result<Set, &'static str> {
    let claim = match &issuer.profile {
        Profile::Custom(custom) => &custom.details,
        _ => "authorization_details",
    };
    let Some(value) = claims.get(claim) else { return Ok(Set::new()) };
    let list = value.as_array().ok_or("token-malformed")?;
    let types =
        list.iter().map(|item| item.get("type").and_then(Value::as_str).map(ToOwned::to_owned));
    types.collect::<Option<Set>>().ok_or("token-malformed")
}
