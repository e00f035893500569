//! What the engine reads: a world as YAML, a request's token as signed text and header fields.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::request::{Carrier, Request, Shape, Token};
use super::sign;
use super::world::{
    Api, Browsers, Client, Cors, Grant, Issuer, Operation, Policy, Profile, SignTest, Subject,
    Usage, World,
};

/// Writes a world as YAML: one entry per line, values as JSON, which YAML reads too.
pub(super) fn yaml(world: &World) -> String {
    let mut yaml = String::new();
    section(&mut yaml, "issuers", world.issuers.iter().map(issuer));
    section(
        &mut yaml,
        "resource_servers",
        world.apis.iter().map(|api| resource_server(world, api)),
    );
    section(&mut yaml, "clients", world.clients.iter().map(client));
    section(&mut yaml, "client_grants", world.grants.iter().map(grant));
    yaml
}

fn section(yaml: &mut String, name: &str, entries: impl Iterator<Item = Fields>) {
    let entries: Vec<_> = entries.collect();
    let empty = if entries.is_empty() { " []" } else { "" };
    writeln!(yaml, "{name}:{empty}").expect("a String takes all");
    for entry in entries {
        let mut dash = '-';
        for (key, value) in entry {
            writeln!(yaml, "  {dash} {key}: {value}").expect("a String takes all");
            dash = ' ';
        }
    }
}

type Fields = Vec<(&'static str, Value)>;

/// The fields that are written: those that are not null.
fn written<const N: usize>(fields: [(&'static str, Value); N]) -> Fields {
    fields.into_iter().filter(|(_, value)| !value.is_null()).collect()
}

/// The object of the fields that are written.
fn object<const N: usize>(fields: [(&'static str, Value); N]) -> Value {
    written(fields).into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

/// `value` where it says something; a default is left out.
fn unless<T: Into<Value>>(default: bool, value: T) -> Value {
    if default { Value::Null } else { value.into() }
}

fn issuer(issuer: &Issuer) -> Fields {
    let keys: Vec<_> = issuer.keys.iter().map(|(kid, key)| sign::jwk(kid, *key)).collect();
    let custom = match &issuer.profile {
        Profile::Custom(custom) => Some(custom),
        _ => None,
    };
    let signs = |signs: &[super::world::Sign]| -> Vec<Value> {
        let written = |sign: &super::world::Sign| match &sign.test {
            SignTest::Equals(text) => json!({"claim": sign.claim, "equals": text}),
            SignTest::Contains(text) => json!({"claim": sign.claim, "contains": text}),
        };
        signs.iter().map(written).collect()
    };
    written([
        ("issuer", json!(issuer.name)),
        ("profile", json!(issuer.profile.name())),
        ("algorithms", unless(issuer.algorithms.is_empty(), issuer.algorithms.clone())),
        ("jwks", json!({"keys": keys})),
        ("unproven", unless(!issuer.unproven_user, "user")),
        ("leeway", json!(issuer.leeway.map(|leeway| format!("{leeway}s")))),
        (
            "claims",
            json!(custom.map(|custom| json!({
                "client_id": custom.client_id,
                "scopes": custom.scopes,
                "organization": custom.organization,
                "authorization_details": custom.details,
            }))),
        ),
        ("types", json!(custom.map(|custom| &custom.types).filter(|types| !types.is_empty()))),
        ("machine", json!(custom.map(|custom| signs(&custom.machine)))),
        ("user", json!(custom.map(|custom| signs(&custom.user)))),
    ])
}

fn resource_server(world: &World, api: &Api) -> Fields {
    let named = |name: &str, values: &[String]| -> Value {
        values.iter().map(|value| json!({name: value})).collect()
    };
    let policies = object([
        ("user", json!({"policy": policy(api.user)})),
        ("client", json!({"policy": policy(api.client)})),
        ("anonymous_user", json!(api.anonymous_user.map(|of| json!({"policy": policy(of)})))),
    ]);
    let trusts_all = api.issuers.len() == world.issuers.len() && world.issuers.len() == 1;
    let gate = object([
        ("hosts", unless(api.hosts.is_empty(), api.hosts.clone())),
        ("path_prefix", json!(api.prefix)),
        ("public_url", json!("https://orders.example.com")),
        ("upstream", json!("http://127.0.0.1:3000")),
        ("issuers", unless(trusts_all, api.issuers.clone())),
        ("audiences", unless(api.audiences.is_empty(), api.audiences.clone())),
        ("enforcement", unless(!api.report, "report")),
        ("report_tokens", unless(!api.report_tokens, true)),
        ("over_ceiling", unless(!api.trim, "trim")),
        ("authorization", unless(!api.remove_authorization, "remove")),
        ("unlisted", unless(!api.unlisted_any_token, "any_token")),
        ("operations", api.operations.iter().map(operation).collect()),
        (
            "cors",
            match &api.browsers {
                Browsers::Cors(Cors { origins, methods, headers }) => {
                    json!({"origins": origins, "methods": methods, "headers": headers})
                }
                Browsers::Nothing | Browsers::Pass => Value::Null,
            },
        ),
        ("preflight", unless(!matches!(api.browsers, Browsers::Pass), "pass")),
        ("websocket_tokens", unless(!api.websocket_tokens, true)),
    ]);
    written([
        ("identifier", json!(api.identifier)),
        ("scopes", named("value", &api.scopes)),
        ("authorization_details", named("type", &api.details)),
        ("subject_type_authorization", policies),
        ("gate", gate),
    ])
}

fn policy(policy: Policy) -> &'static str {
    match policy {
        Policy::RequireClientGrant => "require_client_grant",
        Policy::AllowAll => "allow_all",
        Policy::DenyAll => "deny_all",
    }
}

fn operation(operation: &Operation) -> Value {
    let need = &operation.need;
    object([
        ("on", json!(format!("{} {}", operation.methods.join(","), operation.path))),
        ("scopes", unless(need.scopes.is_empty(), need.scopes.clone())),
        ("any_scopes", unless(need.any_scopes.is_empty(), need.any_scopes.clone())),
        ("authorization_details", unless(need.details.is_empty(), need.details.clone())),
        ("any_token", unless(!need.any_token, true)),
        ("public", unless(!need.public, true)),
        ("upgrade", unless(!operation.upgrade, vec!["websocket"])),
    ])
}

fn client(client: &Client) -> Fields {
    written([
        ("client_id", json!(client.id)),
        ("issuer", json!(client.issuer)),
        ("is_first_party", json!(client.first_party)),
        (
            "third_party_security_mode",
            json!(
                client
                    .permissive
                    .map(|permissive| { if permissive { "permissive" } else { "strict" } })
            ),
        ),
    ])
}

fn grant(grant: &Grant) -> Fields {
    let default = grant.client.is_none();
    written([
        ("id", json!(grant.id)),
        ("client_id", json!(grant.client)),
        ("default_for", unless(!default, "third_party_clients")),
        ("audience", json!(grant.audience)),
        ("issuer", json!(grant.issuer)),
        (
            "subject_type",
            json!(match grant.subject {
                // Auth0's default.
                Subject::Client => None,
                Subject::User => Some("user"),
                Subject::AnonymousUser => Some("anonymous_user"),
            }),
        ),
        ("scope", json!(grant.scopes)),
        ("allow_all_scopes", unless(grant.scopes.is_some(), true)),
        ("authorization_details_types", unless(grant.details.is_empty(), grant.details.clone())),
        (
            "organization_usage",
            json!(grant.usage.map(|usage| match usage {
                Usage::Deny => "deny",
                Usage::Allow => "allow",
                Usage::Require => "require",
            })),
        ),
        ("allow_any_organization", unless(!grant.allow_any_organization, true)),
        ("organizations", unless(grant.organizations.is_empty(), grant.organizations.clone())),
        ("expires_at", json!(grant.expires.map(|(text, _)| text))),
        ("owner", json!(grant.owner)),
    ])
}

/// The values of the `Authorization` fields, and the query.
pub(super) fn credential(request: &Request) -> (Vec<String>, Option<String>) {
    let token = token(&request.token);
    let bearer = format!("Bearer {token}");
    let query = format!("page=2&access_token={token}");
    match request.carrier {
        Carrier::Header(scheme) => (vec![format!("{scheme} {token}")], Some("page=2".to_owned())),
        Carrier::Nothing | Carrier::Subprotocol(_) | Carrier::TwoSubprotocols => (Vec::new(), None),
        Carrier::OtherScheme => (vec!["Basic d2ViLWFwcDpzZWNyZXQ=".to_owned()], None),
        Carrier::Query | Carrier::SubprotocolAndQuery => (Vec::new(), Some(query)),
        Carrier::TwoHeaders => (vec![bearer.clone(), bearer], None),
        Carrier::List => (vec![format!("{bearer}, {bearer}")], None),
        Carrier::HeaderAndQuery => (vec![bearer], Some(query)),
        Carrier::SubprotocolAndHeader => (vec![bearer], None),
    }
}

/// The token as it stands in the header, signed.
pub(super) fn token(token: &Token) -> String {
    let mut claims = Value::Object(token.claims.clone());
    if token.shape == Shape::Oversized {
        claims["padding"] = "x".repeat(8 * 1024).into();
    }
    let mut claims = claims.to_string();
    if token.shape == Shape::DuplicateClaim {
        claims = claims.replacen('{', r#"{"jti":"1","jti":"2","#, 1);
    }
    let header = Value::Object(token.header.clone()).to_string();
    let message = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part)).join(".");
    let algorithm = token.header.get("alg").and_then(Value::as_str).unwrap_or_default();
    let mut signature = sign::sign(token.key, algorithm, message.as_bytes());
    if token.tampered {
        signature[0] ^= 1;
    }
    let signature = URL_SAFE_NO_PAD.encode(signature);
    match token.shape {
        Shape::Right | Shape::DuplicateClaim | Shape::Oversized => format!("{message}.{signature}"),
        Shape::TwoParts => message,
        Shape::FourParts => format!("{message}.{signature}.{signature}"),
        Shape::Padded => format!("{message}.{signature}="),
    }
}
