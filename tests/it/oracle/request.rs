//! Requests: a method, a host, a path and a token, drawn for a world.
//!
//! A request is made right first (an operation of some API, and a token that some grant of that API
//! covers) and then bent in up to two places by [`mutate`](super::mutate). Most therefore pass all
//! rules but one, and each rule gets its share.

use serde_json::{Map, Value, json};

use super::browsers::Asked;
use super::dialect::{claim_names, identify, written};
use super::draw::Draw;
use super::mutate;
use super::sign;
use super::world::{
    Api, CLIENTS, Grant, Issuer, NOW, ORGANIZATIONS, Operation, Profile, SUBJECTS, Subject, Usage,
    World,
};

#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) host: String,
    pub(super) path: String,
    pub(super) carrier: Carrier,
    pub(super) token: Token,
    /// What a browser asks about another request, rightly or nearly.
    pub(super) asked: Option<Asked>,
}

/// How the token is carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Carrier {
    /// `Authorization` with this spelling of the scheme.
    Header(&'static str),
    Nothing,
    OtherScheme,
    /// In the query alone, where it is no credential.
    Query,
    TwoHeaders,
    List,
    HeaderAndQuery,
    /// As a WebSocket's subprotocol, from a page of this origin or of none.
    Subprotocol(Option<&'static str>),
    TwoSubprotocols,
    SubprotocolAndHeader,
    SubprotocolAndQuery,
}

/// A token as it is before it is signed.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) header: Map<String, Value>,
    pub(super) claims: Map<String, Value>,
    /// The place in the ring of the key that signs it, whatever the header says.
    pub(super) key: usize,
    /// Whether a bit of the signature is turned afterwards.
    pub(super) tampered: bool,
    pub(super) shape: Shape,
}

/// What is wrong with the token's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Right,
    TwoParts,
    FourParts,
    Padded,
    DuplicateClaim,
    /// Longer than 8 KiB, and right otherwise.
    Oversized,
}

impl Request {
    pub(super) fn draw(draw: &mut Draw<'_>, world: &World) -> Self {
        let api = draw.one_of(&world.apis);
        let operation = draw.one_of(&api.operations);
        let token = token(draw, world, api, operation);
        let mut request = Self {
            method: match operation.methods.as_slice() {
                [any] if any == "*" => "PATCH".to_owned(),
                methods => draw.pick(methods),
            },
            host: host(api),
            path: path(draw, operation),
            carrier: Carrier::Header(draw.pick(&["Bearer", "bearer", "BEARER"])),
            token,
            asked: None,
        };
        for _ in 0..draw.pick(&[0, 0, 0, 0, 1, 1, 1, 1, 2, 2]) {
            mutate::bend(draw, world, api, &mut request);
        }
        request
    }
}

fn host(api: &Api) -> String {
    let host = api.hosts.first().map_or("any.test", String::as_str);
    host.replace('*', "shop")
}

/// A path that the operation's pattern matches; another operation's may match it better.
fn path(draw: &mut Draw<'_>, operation: &Operation) -> String {
    let segments = operation.path.split('/').map(|segment| {
        if segment.starts_with('{') {
            draw.pick(&["17", "x-9", "recent"])
        } else if segment == "*" {
            draw.pick(&["17", "17/items", "a/b/c", "far/"])
        } else {
            segment
        }
    });
    segments.collect::<Vec<_>>().join("/")
}

/// A token that a grant of the API covers, or that a policy without need of one does.
fn token(draw: &mut Draw<'_>, world: &World, api: &Api, operation: &Operation) -> Token {
    let grants: Vec<_> =
        world.grants.iter().filter(|grant| grant.audience == api.identifier).collect();
    let grant = if grants.is_empty() || draw.chance(12) { None } else { Some(draw.pick(&grants)) };
    let issuer = grant.map_or_else(|| draw.one_of(&api.issuers), |grant| &grant.issuer);
    let issuer =
        world.issuers.iter().find(|known| known.name == *issuer).expect("grants name issuers");
    let subject = grant.map_or_else(
        || draw.pick(&[Subject::User, Subject::User, Subject::Client]),
        |grant| grant.subject,
    );
    let client = match grant {
        Some(Grant { client: Some(client), .. }) => client,
        Some(_) => draw.pick(&["tpc_2", "tpc_1", "partner"]),
        None => draw.pick(&["web-app", "unheard-of", "legacy", "partner", "tpc_2"]),
    };

    let (kid, key) = draw.pick(&issuer.keys);
    let mut token =
        Token { header: Map::new(), claims: Map::new(), key, tampered: false, shape: Shape::Right };
    token.header.insert("alg".into(), sign::default_algorithm(key).into());
    token.header.insert("kid".into(), kid.into());
    if draw.chance(20) {
        let other = sign::other_algorithm(key);
        token.header.insert("alg".into(), other.into());
    }
    let audience = match draw.below(8) {
        0..4 => json!(api.identifier),
        4 | 5 => json!([api.identifier, "https://one.eu.auth0.com/userinfo"]),
        _ => json!(api.audiences.last().unwrap_or(&api.identifier)),
    };
    for (name, value) in [
        ("iss", json!(issuer.name)),
        ("aud", audience),
        ("iat", json!(NOW - 60)),
        ("exp", draw.pick(&[json!(NOW + 3600), json!(NOW + 1), json!(f64::from(NOW) + 0.5)])),
    ] {
        token.claims.insert(name.into(), value);
    }
    identify(draw, issuer, client, subject, &mut token);
    hold(draw, issuer, api, operation, grant, subject, &mut token);
    if matches!(issuer.profile, Profile::Cognito) && !draw.chance(25) {
        token.claims.remove("aud");
    }
    token
}

/// Adds what the token holds: what the operation asks, and more of what the grant gives.
fn hold(
    draw: &mut Draw<'_>,
    issuer: &Issuer,
    api: &Api,
    operation: &Operation,
    grant: Option<&Grant>,
    subject: Subject,
    token: &mut Token,
) {
    let (mut scope_claim, organization_claim, details_claim) = claim_names(issuer, &token.claims);
    if matches!(issuer.profile, Profile::Entra) && subject == Subject::Client {
        scope_claim = "roles";
    }
    let given = grant.and_then(|grant| grant.scopes.as_ref()).unwrap_or(&api.scopes);
    let inside: Vec<_> = given.iter().filter(|scope| api.scopes.contains(scope)).cloned().collect();
    let mut scopes = draw.some_of(&inside, 40);
    let mut details = draw.some_of(grant.map_or(&api.details, |grant| &grant.details), 40);
    // Mostly what is asked and given; sometimes what is asked, given or not.
    let beyond = draw.chance(12);
    let need = &operation.need;
    let asked =
        need.scopes.iter().chain(need.any_scopes.iter().take(if beyond { 1 } else { usize::MAX }));
    scopes.extend(asked.filter(|scope| beyond || inside.contains(scope)).cloned());
    let granted = |kind: &&String| beyond || grant.is_none_or(|grant| grant.details.contains(kind));
    details.extend(need.details.iter().filter(granted).cloned());
    scopes.dedup();
    if subject == Subject::User && draw.chance(30) {
        scopes.push("openid".to_owned());
    }

    let scopes: Vec<_> = scopes.iter().map(|scope| written(draw, issuer, api, scope)).collect();
    // `scope` is a string in RFC 9068 and at Auth0.
    let array = match issuer.profile {
        Profile::Custom(_) => draw.chance(40),
        Profile::Hydra | Profile::Okta => true,
        _ => scope_claim == "roles",
    };
    let value = if array { json!(scopes) } else { json!(scopes.join(" ")) };
    token.claims.insert(scope_claim.to_owned(), value);
    if matches!(issuer.profile, Profile::Hydra) && draw.chance(50) {
        // Both forms, or the other one.
        token.claims.insert("scope".to_owned(), json!(scopes.join(" ")));
        if draw.chance(50) {
            token.claims.remove("scp");
        }
    }
    if scope_claim == "scp" && matches!(issuer.profile, Profile::Entra) && draw.chance(30) {
        token.claims.insert("roles".to_owned(), json!(["Reader", "admin:orders"]));
    }
    if !details.is_empty() {
        let details: Vec<_> = details.iter().map(|kind| json!({"type": kind, "n": 1})).collect();
        token.claims.insert(details_claim.to_owned(), json!(details));
    }
    if matches!(issuer.profile, Profile::Auth0) && draw.chance(15) {
        token.claims.insert("permissions".to_owned(), json!(scopes));
    }
    let named = match grant.and_then(|grant| grant.usage) {
        Some(Usage::Require) => true,
        Some(Usage::Allow) => draw.chance(50),
        Some(Usage::Deny) | None => false,
    };
    if named {
        let associated = grant.and_then(|grant| grant.organizations.first());
        let organization = associated.map_or(ORGANIZATIONS[0], String::as_str);
        let value = match issuer.profile {
            Profile::Keycloak => draw.pick(&[
                json!([organization]),
                json!({organization: {"id": "4f"}}),
                json!(organization),
            ]),
            _ => json!(organization),
        };
        if matches!(issuer.profile, Profile::Hydra) && draw.chance(50) {
            token.claims.insert("ext".to_owned(), json!({"org_id": value}));
        } else {
            token.claims.insert(organization_claim.to_owned(), value);
        }
    }
}

/// Any client and subject type at all.
pub(super) fn anyone(draw: &mut Draw<'_>) -> (&'static str, Subject) {
    (draw.pick(&CLIENTS), draw.pick(&SUBJECTS))
}
