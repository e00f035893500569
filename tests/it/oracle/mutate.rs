//! The bends: each changes one thing about a request that was right before.

use serde_json::{Value, json};

use super::browsers;
use super::dialect::{CLIENT_CLAIMS, MARKS, SIGNALS, SIGNS, claim_names, identify, written};
use super::draw::Draw;
use super::request::{Carrier, Request, Shape, anyone};
use super::world::{Api, Issuer, NOW, Profile, World};

/// Bends `request`, which was drawn for `api`, in one place.
pub(super) fn bend(draw: &mut Draw<'_>, world: &World, api: &Api, request: &mut Request) {
    match draw.below(14) {
        12 => browsers::ask(draw, request),
        13 => browsers::offer(draw, request),
        0 | 1 => bend_target(draw, request),
        2 => bend_credential(draw, request),
        3 => bend_shape(draw, world, request),
        4 => bend_registered_claims(draw, world, api, request),
        5 => bend_time(draw, request),
        6 => bend_caller(draw, world, request),
        7 | 8 => bend_organization(draw, world, request),
        9 | 10 => bend_scopes(draw, world, api, request),
        _ => bend_details(draw, world, api, request),
    }
}

fn bend_target(draw: &mut Draw<'_>, request: &mut Request) {
    match draw.below(9) {
        0 | 1 => {
            request.method = String::from(draw.pick(&["GET", "HEAD", "DELETE", "PATCH", "get"]));
        }
        2 => request.host = String::from(draw.pick(&["other.test", "example.com"])),
        3 => request.host = String::from(draw.pick(&["orders.example.com", "a.eu.example.com"])),
        4 => request.path = request.path.to_uppercase(),
        5 => match request.path.strip_suffix('/') {
            Some(path) if !path.is_empty() => request.path = path.to_owned(),
            _ => request.path.push('/'),
        },
        6 => request.path.push_str("/unlisted/below"),
        7 => {
            request.path =
                String::from(draw.pick(&["/", "/v2", "/v2/", "/v2/eu/orders", "/v2x/orders"]));
        }
        _ => {
            request.path =
                String::from(draw.pick(&["/orders/1/2/3/4", "/nowhere", "/nowhere/at/all"]));
        }
    }
    request.path = request.path.replace("//", "/");
}

fn bend_credential(draw: &mut Draw<'_>, request: &mut Request) {
    request.carrier = draw.pick(&[
        Carrier::Nothing,
        Carrier::Nothing,
        Carrier::OtherScheme,
        Carrier::Query,
        Carrier::TwoHeaders,
        Carrier::List,
        Carrier::HeaderAndQuery,
    ]);
}

/// What is told before the claims: text, header, type, algorithm, key, signature.
fn bend_shape(draw: &mut Draw<'_>, world: &World, request: &mut Request) {
    let token = &mut request.token;
    let mut say = |name: &str, value: Value| token.header.insert(name.to_owned(), value);
    match draw.below(12) {
        0 => {
            token.shape = draw.pick(&[
                Shape::TwoParts,
                Shape::FourParts,
                Shape::Padded,
                Shape::DuplicateClaim,
                Shape::Oversized,
            ]);
        }
        1 => {
            let (name, value) = draw.pick(&[
                ("crit", json!(["exp"])),
                ("b64", json!(true)),
                ("zip", json!("DEF")),
                ("jwk", json!({"kty": "oct"})),
                ("jku", json!("https://evil.test/jwks")),
                ("x5u", json!("https://evil.test/x5u")),
                ("x5c", json!([])),
            ]);
            say(name, value);
        }
        2 => drop(say("typ", json!("JWT"))),
        3 => drop(say("typ", draw.pick(&[json!("at+jwt"), json!("Application/AT+jwt")]))),
        4 => drop(say("typ", draw.pick(&[json!("dpop+jwt"), json!("none")]))),
        5 => drop(token.header.remove("typ")),
        6 => {
            let (name, value) = draw.pick(&MARKS);
            token.claims.insert(name.to_owned(), json!(value));
            if draw.chance(10) {
                token.claims.remove("typ");
                token.claims.remove("token_use");
            }
        }
        7 => drop(say("alg", draw.pick(&[json!("none"), json!("HS256"), json!("ES384")]))),
        8 => drop(say("kid", draw.pick(&[json!("k9"), json!("K1"), json!("../k1")]))),
        9 => token.tampered = true,
        10 => {
            // The key of the same id at the other issuer.
            let kid = token.header["kid"].as_str().expect("still a string").to_owned();
            let keys = world.issuers.iter().flat_map(|issuer| &issuer.keys);
            let own = token.key;
            let other =
                keys.filter(|(id, key)| *id == kid && *key != own).map(|(_, key)| *key).next();
            token.key = other.unwrap_or(own);
        }
        _ => {
            // The third key of the first issuer, right or wrong: RSA.
            token.key = 2;
            say("kid", json!("k3"));
            say("alg", draw.pick(&[json!("RS256"), json!("PS256")]));
        }
    }
}

/// `iss`, `aud`, `exp`, `nbf`, `iat` and `cnf`: absent, of a wrong type, or of another meaning.
fn bend_registered_claims(draw: &mut Draw<'_>, world: &World, api: &Api, request: &mut Request) {
    let claims = &mut request.token.claims;
    let mut say = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    match draw.below(11) {
        0 | 1 => drop(claims.remove(draw.pick(&["iss", "aud", "exp"]))),
        2 => {
            let wrong = [
                json!("1800003600"),
                json!(null),
                json!(true),
                json!(-1),
                json!(253_402_300_800_i64),
            ];
            say(draw.pick(&["exp", "nbf", "iat"]), draw.pick(&wrong));
        }
        3 => drop(say("iss", draw.pick(&[json!(["https://one.eu.auth0.com/"]), json!(7)]))),
        4 => {
            let wrong = [json!(7), json!({}), json!(null), json!([api.identifier, 7])];
            say("aud", draw.pick(&wrong));
        }
        5 => {
            let other = [
                "https://three.example.com",
                "https://one.eu.auth0.com",
                "https://TWO.example.com",
            ];
            say("iss", json!(draw.pick(&other)));
        }
        6 => drop(say("iss", json!(draw.one_of(&world.issuers).name))),
        7 | 8 => {
            let elsewhere =
                world.apis.iter().map(|api| &api.identifier).rfind(|id| **id != api.identifier);
            let elsewhere = elsewhere.map_or("https://elsewhere.example.com", String::as_str);
            let upper = api.identifier.to_uppercase();
            let others = [
                json!(elsewhere),
                json!([elsewhere, upper]),
                json!([]),
                json!([elsewhere, api.identifier]),
            ];
            say("aud", draw.pick(&others));
        }
        9 => {
            let bound = [
                json!({"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}),
                json!({"x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dgA"}),
            ];
            say("cnf", draw.pick(&bound));
        }
        _ => {
            let junk = [
                json!({}),
                json!("jkt"),
                json!(null),
                json!({"jkt": 7}),
                json!({"jkt": "short"}),
                json!({"unheard": "of"}),
            ];
            say("cnf", draw.pick(&junk));
        }
    }
}

/// Times on both sides of every edge, for the leeways 0, 30 and 60.
fn bend_time(draw: &mut Draw<'_>, request: &mut Request) {
    let leeway = draw.pick(&[30, 0, 60]);
    let beside = draw.pick(&[0, 1, -1, 3600]);
    let claims = &mut request.token.claims;
    match draw.below(4) {
        0 | 1 => drop(claims.insert("exp".into(), json!(NOW - leeway - beside))),
        2 => drop(claims.insert("nbf".into(), json!(NOW + leeway + beside))),
        _ => drop(claims.insert("iat".into(), json!(f64::from(NOW + leeway + beside) + 0.25))),
    }
}

/// The issuer whose name the token bears, or else the world's first.
fn issuer_of<'a>(world: &'a World, request: &Request) -> &'a Issuer {
    let name = request.token.claims.get("iss");
    let named = world.issuers.iter().find(|issuer| name == Some(&json!(issuer.name)));
    named.unwrap_or(&world.issuers[0])
}

fn bend_caller(draw: &mut Draw<'_>, world: &World, request: &mut Request) {
    let issuer = issuer_of(world, request);
    let token = &mut request.token;
    match draw.below(9) {
        0 | 1 => {
            let (client, subject) = anyone(draw);
            identify(draw, issuer, client, subject, token);
        }
        2 => {
            let (_, subject) = anyone(draw);
            let client = draw.pick(&["unheard-of", "tpc_unheard-of"]);
            identify(draw, issuer, client, subject, token);
        }
        3 => {
            for claim in CLIENT_CLAIMS {
                token.claims.remove(claim);
            }
        }
        4 => {
            let custom =
                matches!(&issuer.profile, Profile::Custom(custom) if custom.client_id.len() < 2);
            if !custom {
                token.claims.insert("azp".into(), json!(draw.pick(&["web-app", "batch"])));
                token.claims.insert("client_id".into(), json!("web-app"));
            }
        }
        5 => drop(token.claims.insert("sub".into(), json!("nobody-in-particular"))),
        6 => drop(token.claims.insert("sub".into(), json!("auth0|contradiction"))),
        7 => {
            let (claim, value) = draw.pick(&SIGNALS);
            token.claims.insert(claim.to_owned(), json!(value));
        }
        _ => {
            for claim in SIGNS {
                token.claims.remove(claim);
            }
        }
    }
}

fn bend_organization(draw: &mut Draw<'_>, world: &World, request: &mut Request) {
    let issuer = issuer_of(world, request);
    let claims = &mut request.token.claims;
    let (_, organization, _) = claim_names(issuer, claims);
    let mut say = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    match draw.below(9) {
        7 => {
            let several = [
                json!([]),
                json!({}),
                json!(["org_acme", "org_zenith"]),
                json!({"org_acme": {}, "org_zenith": {}}),
                json!({"org_acme": {}}),
            ];
            say(organization, draw.pick(&several));
        }
        8 => {
            let within = [
                json!({"org_id": "org_acme"}),
                json!({"org_id": "org_foreign"}),
                json!({"org_name": "acme"}),
                json!({"org_id": 7}),
                json!("org_acme"),
                json!([{"org_id": "org_acme"}]),
                json!(null),
            ];
            say("ext", draw.pick(&within));
        }
        0 => drop(say(organization, json!("org_acme"))),
        1 => drop(say(organization, json!("org_zenith"))),
        2 => drop(say(organization, json!("org_foreign"))),
        3 | 4 => drop(claims.remove(organization)),
        5 => drop(say(
            organization,
            draw.pick(&[json!(7), json!(["org_acme"]), json!(""), json!(null)]),
        )),
        _ if organization == "org_id" => {
            claims.remove(organization);
            claims.insert("org_name".into(), json!("acme"));
        }
        _ => drop(say(organization, json!("ORG_ACME"))),
    }
}

fn bend_scopes(draw: &mut Draw<'_>, world: &World, api: &Api, request: &mut Request) {
    let issuer = issuer_of(world, request);
    let claims = &mut request.token.claims;
    let (claim, _, _) = claim_names(issuer, claims);
    let auth0 = matches!(issuer.profile, Profile::Auth0);
    let mut held: Vec<String> = match claims.get(claim) {
        Some(Value::String(text)) => {
            text.split(' ').filter(|s| !s.is_empty()).map(ToOwned::to_owned).collect()
        }
        Some(Value::Array(list)) => {
            list.iter().filter_map(Value::as_str).map(ToOwned::to_owned).collect()
        }
        _ => Vec::new(),
    };
    match draw.below(12) {
        0 | 1 => {
            let scope = draw.pick(&api.scopes);
            held.push(written(draw, issuer, api, &scope));
        }
        11 => {
            // Scopes that say whose they are, rightly or not; and Cognito's own.
            held.push(draw.pick(&[
                format!("{}/undeclared:orders", api.identifier),
                format!("{}/email", api.identifier),
                format!("{}/more/admin:orders", api.identifier),
                "https://elsewhere.example.com/admin:orders".to_owned(),
                format!("{}/", api.identifier),
                "admin:orders".to_owned(),
                "aws.cognito.signin.user.admin".to_owned(),
            ]));
        }
        2 => {
            held.push(String::from(draw.pick(&[
                "root:orders",
                "READ:orders",
                "undeclared:orders",
            ])));
        }
        3 => held.push(String::from(draw.pick(&["openid", "email", "offline_access", "address"]))),
        4 => drop(held.pop()),
        5 => held.clear(),
        6 => {
            claims.remove(claim);
            return;
        }
        7 if claim == "scope" => {
            let other = [draw.some_of(&held, 70), draw.some_of(&api.scopes, 10)].concat();
            let other = if draw.chance(50) { json!(other) } else { json!(other.join(" ")) };
            claims.insert("scp".into(), other);
            if draw.chance(20) {
                claims.remove("scope");
            }
            return;
        }
        8 if auth0 => {
            let permissions = [draw.some_of(&held, 60), draw.some_of(&api.scopes, 30)].concat();
            claims.insert("permissions".into(), json!(permissions));
            return;
        }
        9 => {
            let wrong = [
                json!(7),
                json!({"read:orders": true}),
                json!(["read:orders", 7]),
                json!("read:orders\twrite:orders"),
                json!(["read:orders"]),
            ];
            claims.insert(claim.to_owned(), draw.pick(&wrong));
            return;
        }
        _ => held.extend(api.scopes.iter().map(|scope| written(draw, issuer, api, scope))),
    }
    let value = if claim == "roles" { json!(held) } else { json!(held.join(" ")) };
    claims.insert(claim.to_owned(), value);
}

fn bend_details(draw: &mut Draw<'_>, world: &World, api: &Api, request: &mut Request) {
    let issuer = issuer_of(world, request);
    let claims = &mut request.token.claims;
    let (_, _, claim) = claim_names(issuer, claims);
    let value = match draw.below(6) {
        0 => json!(api.details.iter().map(|kind| json!({"type": kind})).collect::<Vec<_>>()),
        1 => json!([{"type": "account"}]),
        2 => json!([{"type": "unregistered"}, {"type": "payment"}]),
        3 => json!([]),
        4 => draw.pick(&[
            json!({"type": "payment"}),
            json!([{"kind": "payment"}]),
            json!([{"type": 7}]),
            json!("payment"),
        ]),
        _ => {
            claims.remove(claim);
            return;
        }
    };
    claims.insert(claim.to_owned(), value);
}
