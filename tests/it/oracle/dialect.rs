//! How each kind of issuer writes who calls for whom: the dialects of the drawn tokens.

use serde_json::{Map, Value, json};

use super::draw::Draw;
use super::request::Token;
use super::world::{Api, Custom, Issuer, NOW, Profile, SignTest, Subject};

type Claims = Map<String, Value>;
/// The type that a token's head says, where it says one.
type Typ = Option<&'static str>;

/// Adds the claims that say who calls for whom, in one of the dialects of the issuer's profile.
pub(super) fn identify(
    draw: &mut Draw<'_>,
    issuer: &Issuer,
    client: &str,
    subject: Subject,
    token: &mut Token,
) {
    for claim in CLIENT_CLAIMS.iter().chain(&SIGNS) {
        token.claims.remove(*claim);
    }
    let claims = &mut token.claims;
    let typ = match &issuer.profile {
        Profile::Auth0 => auth0(draw, client, subject, claims),
        Profile::Cognito => cognito(draw, client, subject, claims),
        Profile::Custom(custom) => custom_one(draw, custom, client, subject, claims),
        Profile::Entra => entra(draw, client, subject, claims),
        Profile::Hydra => hydra(draw, client, subject, claims),
        Profile::Keycloak => keycloak(draw, client, subject, claims),
        Profile::Okta => okta(draw, client, subject, claims),
        Profile::Rfc9068 => rfc9068(draw, client, subject, claims),
    };
    token.header.remove("typ");
    if let Some(typ) = typ {
        token.header.insert("typ".into(), typ.into());
    }
}

fn auth0(draw: &mut Draw<'_>, client: &str, subject: Subject, claims: &mut Claims) -> Typ {
    let mut say = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    let rfc9068 = draw.chance(30);
    say(if rfc9068 { "client_id" } else { "azp" }, json!(client));
    match (subject, draw.below(4)) {
        (Subject::Client, 0) => {
            say("sub", json!(format!("{client}@clients")));
            say("gty", json!("client-credentials"));
        }
        (Subject::Client, 1) => drop(say("sub", json!(format!("{client}@clients")))),
        (Subject::Client, 2) => {
            say("sub", json!(client));
            say("gty", json!(["client-credentials"]));
        }
        (Subject::Client, _) => {
            say("sub", json!("agt_7"));
            say("sub_profile", json!("ai_agent"));
        }
        (Subject::User, 0 | 1) => drop(say("sub", json!("auth0|5f7c8ec7c33c6c004bbafe82"))),
        (Subject::User, 2) => {
            say("sub", json!("google-oauth2|108"));
            say("sub_profile", json!("user"));
        }
        (Subject::User, _) => {
            say("sub", json!("custom-db-5"));
            say("sub_profile", json!("user"));
        }
        (Subject::AnonymousUser, _) => drop(say("sub", json!("anon@9d1e"))),
    }
    if rfc9068 { Some("at+jwt") } else { draw.pick(&[Some("JWT"), None]) }
}

fn cognito(draw: &mut Draw<'_>, client: &str, subject: Subject, claims: &mut Claims) -> Typ {
    let mut say = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    say("token_use", json!("access"));
    say("client_id", json!(client));
    if subject == Subject::Client {
        say("sub", json!(client));
    } else {
        say("sub", json!("b2f1c7de-77a1"));
        say("username", json!("ada"));
    }
    draw.pick(&[None, None, Some("JWT")])
}

fn custom_one(
    draw: &mut Draw<'_>,
    custom: &Custom,
    client: &str,
    subject: Subject,
    claims: &mut Claims,
) -> Typ {
    let mut say = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    say(&draw.pick(&custom.client_id), json!(client));
    say("sub", json!("neutral"));
    let signs = if subject == Subject::Client { &custom.machine } else { &custom.user };
    let sign = draw.one_of(signs);
    say(
        &sign.claim,
        match &sign.test {
            SignTest::Equals(text) => json!(text),
            SignTest::Contains(text) => json!(format!("a{text}b")),
        },
    );
    let named = custom.types.first().map_or("at+jwt", |_| "jwt");
    if custom.types.iter().any(|kind| kind == "none") { None } else { Some(named) }
}

fn entra(draw: &mut Draw<'_>, client: &str, subject: Subject, claims: &mut Claims) -> Typ {
    let mut say = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    say(draw.pick(&["azp", "appid"]), json!(client));
    say("oid", json!("5e1d0c8a"));
    let itself = subject == Subject::Client && draw.chance(70);
    say("sub", json!(if itself { "5e1d0c8a" } else { "AAAApairwise" }));
    if !itself || draw.chance(50) {
        say("idtyp", json!(if subject == Subject::Client { "app" } else { "user" }));
    }
    if subject == Subject::User && draw.chance(40) {
        claims.remove("idtyp");
    }
    draw.pick(&[Some("JWT"), Some("JWT"), None])
}

fn hydra(draw: &mut Draw<'_>, client: &str, subject: Subject, claims: &mut Claims) -> Typ {
    let mut say = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    say("client_id", json!(client));
    say("sub", json!(if subject == Subject::Client { client } else { "ada" }));
    say("ext", json!({}));
    draw.pick(&[Some("JWT"), Some("at+jwt"), None])
}

fn keycloak(draw: &mut Draw<'_>, client: &str, subject: Subject, claims: &mut Claims) -> Typ {
    let mut say = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    say("typ", json!(draw.pick(&["Bearer", "Bearer", "bearer", "DPoP"])));
    say("azp", json!(client));
    say("sub", json!("9c2f4b1e-0d55"));
    match (subject, draw.below(4)) {
        (Subject::Client, 0) => {
            let account = format!("service-account-{}", client.to_lowercase());
            say("preferred_username", json!(account));
            say("clientHost", json!("10.0.0.1"));
            say("client_id", json!(client));
        }
        (Subject::Client, 1) => drop(say("clientAddress", json!("10.0.0.1"))),
        (Subject::Client, _) => {
            say("jti", json!("trrtcc:1"));
            say("auth_time", json!(0));
        }
        (_, 0) => drop(say("preferred_username", json!("ada"))),
        (_, 1) => drop(say("auth_time", json!(NOW - 600))),
        (_, _) => {
            say("jti", json!(draw.pick(&["onrtac:1", "onrtro:1", "onltdg:1", "onrtci:1"])));
            say("sid", json!("5a2c0d1e"));
        }
    }
    draw.pick(&[Some("JWT"), Some("at+jwt")])
}

fn okta(draw: &mut Draw<'_>, client: &str, subject: Subject, claims: &mut Claims) -> Typ {
    let mut say = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    say("cid", json!(client));
    if subject == Subject::Client {
        say("sub", json!(client));
    } else {
        say("sub", json!("ada@example.com"));
        say("uid", json!("00u1"));
    }
    draw.pick(&[None, None, Some("JWT")])
}

fn rfc9068(draw: &mut Draw<'_>, client: &str, subject: Subject, claims: &mut Claims) -> Typ {
    let mut say = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    say("client_id", json!(client));
    say("sub", json!(if subject == Subject::Client { client } else { "248289761001" }));
    draw.pick(&[Some("at+jwt"), Some("application/at+jwt"), Some("AT+JWT")])
}

/// The claims that name an application in one profile or another.
pub(super) const CLIENT_CLAIMS: [&str; 5] = ["azp", "client_id", "clientId", "appid", "cid"];

/// The claims that say for whom an application calls, in one profile or another.
pub(super) const SIGNS: [&str; 15] = [
    "sub",
    "gty",
    "sub_profile",
    "idtyp",
    "login",
    "uid",
    "username",
    "oid",
    "preferred_username",
    "jti",
    "clientHost",
    "clientAddress",
    "auth_time",
    "sid",
    "ext",
];

/// What some issuer's access tokens never hold, or other than so.
pub(super) const MARKS: [(&str, &str); 10] = [
    ("at_hash", "77QmUPtjPfzWtF2AnpK9RQ"),
    ("c_hash", "77QmUPtjPfzWtF2AnpK9RQ"),
    ("s_hash", "77QmUPtjPfzWtF2AnpK9RQ"),
    ("nonce", "n-0S6_WzA2Mj"),
    ("rat", "1799999900"),
    ("jti", "ID.gK2"),
    ("jti", "AT.gK2"),
    ("typ", "ID"),
    ("typ", "Refresh"),
    ("token_use", "id"),
];

/// What speaks for one subject type or another, or names another application.
pub(super) const SIGNALS: [(&str, &str); 18] = [
    ("gty", "client-credentials"),
    ("sub_profile", "user"),
    ("idtyp", "person"),
    ("idtyp", "app"),
    ("idtyp", "user"),
    ("oid", "AAAApairwise"),
    ("uid", "00u2"),
    ("uid", ""),
    ("username", "bob"),
    ("preferred_username", "bob"),
    ("preferred_username", "service-account-web-app"),
    ("jti", "trrtcc:2"),
    ("jti", "onrtac:2"),
    ("clientHost", "10.0.0.2"),
    ("auth_time", "1799999000"),
    ("cid", "web-app"),
    ("clientId", "batch"),
    ("appid", "batch"),
];

/// The names of the claims that hold scopes, the organization and authorization details.
pub(super) fn claim_names<'a>(
    issuer: &'a Issuer,
    claims: &Map<String, Value>,
) -> (&'a str, &'a str, &'a str) {
    let details = "authorization_details";
    match &issuer.profile {
        Profile::Custom(custom) => (&custom.scopes, &custom.organization, &custom.details),
        Profile::Entra if claims.contains_key("roles") => ("roles", "org_id", details),
        Profile::Entra | Profile::Hydra | Profile::Okta => ("scp", "org_id", details),
        Profile::Keycloak => ("scope", "organization", details),
        Profile::Auth0 | Profile::Cognito | Profile::Rfc9068 => ("scope", "org_id", details),
    }
}

/// A scope as the issuer writes it: Cognito says whose it is, mostly the API's.
pub(super) fn written(draw: &mut Draw<'_>, issuer: &Issuer, api: &Api, scope: &str) -> String {
    if !matches!(issuer.profile, Profile::Cognito) || scope.contains('/') || scope == "openid" {
        return scope.to_owned();
    }
    let further = api.audiences.last().unwrap_or(&api.identifier);
    format!("{}/{scope}", draw.pick(&[&api.identifier, &api.identifier, further]))
}
