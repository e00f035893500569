//! The floor as a whole: signed tokens in, answers out.

mod attacks;
mod cache;
mod claims;
mod compose;
mod differential;
mod identity;
mod keys;
mod profiles;
mod properties;
mod vectors;

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    Algorithm, Algorithms, HsSecret, KeyId, KeySet, Parsed, Profile, Terms, TokenError, Trust,
    Unproven, Verified, mint, verify,
};
use crate::policy::{Audience, Issuer, UnixTime};

const NOW: i64 = 1_800_000_000;
const ISSUER: &str = "https://issuer.example/";
const AUDIENCE: &str = "https://api.example";

/// An issuer that is trusted by an API.
struct World {
    trust: Trust,
    keys: Option<KeySet>,
    secret: Option<HsSecret>,
    audiences: Vec<Audience>,
}

impl World {
    fn of(profile: Profile) -> Self {
        let (keys, skipped) = KeySet::from_jwks(&mint::jwks()).unwrap();
        assert_eq!(skipped, []);
        Self {
            trust: Trust {
                issuer: Issuer::new(ISSUER).unwrap(),
                algorithms: Algorithms::default(),
                profile,
                leeway_seconds: 30,
                unproven: Unproven::Refuse,
            },
            keys: Some(keys),
            secret: None,
            audiences: vec![Audience::new(AUDIENCE).unwrap()],
        }
    }

    fn auth0() -> Self {
        Self::of(Profile::Auth0)
    }

    fn terms(&self) -> Terms<'_, '_> {
        Terms {
            trust: &self.trust,
            keys: self.keys.as_ref(),
            secret: self.secret.as_ref(),
            audiences: &self.audiences,
        }
    }

    fn verify<'a>(
        &'a self,
        parsed: &'a Arc<Parsed>,
        verified_by: Option<KeyId>,
    ) -> Result<Verified<'a>, TokenError> {
        verify(parsed, verified_by, &self.terms(), UnixTime::from_seconds(NOW))
    }

    /// What becomes of a token, from its text to its verification.
    fn admits(&self, token: &str) -> Result<KeyId, TokenError> {
        let parsed = Arc::new(Parsed::parse(token)?);
        parsed.issuer()?;
        self.verify(&parsed, None).map(|verified| verified.key().expect("it is signed"))
    }

    /// What becomes of a token with these claims, well signed.
    fn admits_claims(&self, claims: &Value) -> Result<KeyId, TokenError> {
        self.admits(&mint::token(Algorithm::Ed25519, claims))
    }
}

/// The claims of a good token of a user, as Auth0 writes them.
fn good() -> Value {
    json!({
        "iss": ISSUER,
        "sub": "auth0|1",
        "aud": [AUDIENCE, "https://issuer.example/userinfo"],
        "iat": NOW - 60,
        "exp": NOW + 3600,
        "azp": "web-app",
        "scope": "openid read:orders",
    })
}

/// Those claims with some changed; `null` takes one away.
fn good_but(changes: &Value) -> Value {
    let mut claims = good();
    let object = claims.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            object.remove(name);
        } else {
            object.insert(name.clone(), value.clone());
        }
    }
    claims
}

fn is_malformed<T: std::fmt::Debug>(outcome: &Result<T, TokenError>) -> bool {
    matches!(outcome, Err(TokenError::Malformed(_)))
}
