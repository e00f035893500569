//! The requests that the demo shows: who calls, what for, and what must come of it.

use http::Method;
use serde_json::{Value, json};

/// One request and its expected answer.
pub struct Case {
    /// Names the token's file.
    pub name: &'static str,
    /// What the row shows, for people.
    pub shows: &'static str,
    /// The method.
    pub method: Method,
    /// The path.
    pub path: &'static str,
    /// The token's claims; no token is sent when absent.
    pub claims: Option<Value>,
    /// The expected status.
    pub status: u16,
    /// The expected code of a refusal.
    pub code: Option<&'static str>,
}

const SOCIAL: &str = "https://social.example";
const ARCHIVE: &str = "https://archive.example";

/// How long the demo's tokens live, in seconds.
const LIFETIME: i64 = 12 * 3600;

/// Every request, with tokens that are fresh at `now` (seconds since the epoch).
#[expect(clippy::too_many_lines, reason = "a row per request")]
pub fn cases(now: i64) -> Vec<Case> {
    let user = |client: &str, audience: &str, scope: &str, expires: i64| {
        Some(json!({
            "sub": "auth0|alice", "aud": audience, "azp": client, "scope": scope,
            "iat": expires - LIFETIME, "exp": expires,
        }))
    };
    let machine = |client: &str, scope: &str| {
        Some(json!({
            "sub": format!("{client}@clients"), "aud": SOCIAL, "azp": client, "scope": scope,
            "gty": "client-credentials", "iat": now, "exp": now + LIFETIME,
        }))
    };
    let fresh = now + LIFETIME;
    vec![
        Case {
            name: "photo-app-for-alice",
            shows: "within the grant, for a user",
            method: Method::GET,
            path: "/posts",
            claims: user("photo-app", SOCIAL, "openid read:posts write:posts", fresh),
            status: 200,
            code: None,
        },
        Case {
            name: "stats-job",
            shows: "within the grant, for itself",
            method: Method::GET,
            path: "/posts",
            claims: machine("stats-job", "read:posts"),
            status: 200,
            code: None,
        },
        Case {
            name: "nobody",
            shows: "a public operation",
            method: Method::GET,
            path: "/healthz",
            claims: None,
            status: 200,
            code: None,
        },
        Case {
            name: "nobody",
            shows: "no token",
            method: Method::GET,
            path: "/posts",
            claims: None,
            status: 401,
            code: Some("token-missing"),
        },
        Case {
            name: "photo-app-expired",
            shows: "an expired token",
            method: Method::GET,
            path: "/posts",
            claims: user("photo-app", SOCIAL, "read:posts", now - 3600),
            status: 401,
            code: Some("token-expired"),
        },
        Case {
            name: "quiz-app-for-alice",
            shows: "an application without a grant",
            method: Method::GET,
            path: "/posts",
            claims: user("quiz-app", SOCIAL, "read:posts", fresh),
            status: 403,
            code: Some("grant-missing"),
        },
        Case {
            name: "photo-app-itself",
            shows: "granted for users, calls for itself",
            method: Method::GET,
            path: "/posts",
            claims: machine("photo-app", "read:posts"),
            status: 403,
            code: Some("grant-missing"),
        },
        Case {
            name: "photo-app-with-delete",
            shows: "a scope above the grant",
            method: Method::DELETE,
            path: "/posts/7",
            claims: user("photo-app", SOCIAL, "read:posts delete:posts", fresh),
            status: 403,
            code: Some("scope-exceeds-grant"),
        },
        Case {
            name: "photo-app-reading",
            shows: "a scope that the token lacks",
            method: Method::POST,
            path: "/posts",
            claims: user("photo-app", SOCIAL, "read:posts", fresh),
            status: 403,
            code: Some("scope-insufficient"),
        },
        Case {
            name: "photo-app-archive",
            shows: "an API that denies all",
            method: Method::GET,
            path: "/archive/2019",
            claims: user("photo-app", ARCHIVE, "", fresh),
            status: 403,
            code: Some("policy-denies-all"),
        },
        Case {
            name: "photo-app-for-alice",
            shows: "an operation that is not listed",
            method: Method::GET,
            path: "/admin",
            claims: user("photo-app", SOCIAL, "openid read:posts write:posts", fresh),
            status: 403,
            code: Some("operation-unlisted"),
        },
    ]
}
