//! Tokens that the gateway itself signed, held to what it signs.
//!
//! Their key follows from the clients' secrets: whoever knows all of them can sign, and a sole client does.
//! It gains no access by that, and here it gains neither another name in the records nor a token that
//! outlives `management.token_lifetime`. Tokens of other issuers are none of this.

use crate::config::inventory::SYSTEM_API;
use crate::config::snapshot::Management;
use crate::gate::{Code, Outcome, Refusal, Verdict};
use crate::token::Parsed;

/// Refuses what the gateway would not have signed.
pub(super) fn hold(outcome: &mut Outcome<'_>, parsed: Option<&Parsed>, management: &Management) {
    let Some(caller) = outcome.caller.as_mut() else { return };
    if caller.issuer.as_str() != SYSTEM_API {
        return;
    }
    let subject = caller.identity.as_ref().map(|identity| identity.subject);
    let lifetime = parsed.and_then(Parsed::lifetime);
    let wrong = if subject.is_some_and(|subject| subject != caller.client) {
        // Nothing is told of whom it names.
        caller.identity = None;
        "its `sub` is not its `client_id`"
    } else if lifetime.is_none_or(|lifetime| lifetime > management.token_lifetime) {
        "it is good for longer than `management.token_lifetime`"
    } else {
        return;
    };
    outcome.verdict = Verdict::Refuse(Refusal::new(Code::TokenMalformed, wrong));
}

#[cfg(test)]
mod tests {
    use std::cell::OnceCell;
    use std::sync::Arc;

    use http::Method;
    use serde_json::json;

    use super::*;
    use crate::clock::now;
    use crate::gate::{Call, Env, Listener, Step, check};
    use crate::keyring::FetchedKeys;
    use crate::management::fixture::{Managed, section};
    use crate::route::CanonPath;
    use crate::token::{VerifiedCache, credential};

    /// What becomes of the call of somebody who signs by himself: the detail of its refusal, and of whom
    /// it would be told.
    fn signed(
        subject: &str,
        issued: Option<i64>,
        expires: i64,
    ) -> (Option<String>, Option<String>) {
        let grants = "client_grants: [{client_id: tool, audience: 'urn:grantgate:management', \
            scope: ['read:client_grants']}]";
        let managed = Managed::of(&[&section("  token_lifetime: 5m\n"), grants]);
        let management = managed.snapshot.management.as_ref().unwrap();
        let now = now();
        let mut claims = json!({
            "iss": SYSTEM_API, "aud": SYSTEM_API, "sub": subject, "client_id": "tool", "jti": "1",
            "scope": "read:client_grants", "exp": now.seconds() + expires,
        });
        if let Some(issued) = issued {
            claims["iat"] = (now.seconds() + issued).into();
        }
        let header = format!("Bearer {}", management.signer.as_ref().unwrap().sign(&claims));
        let call = Call {
            listener: Listener::Management,
            method: &Method::GET,
            host: "grants.example.com".into(),
            path: CanonPath::parse("/api/v2/client-grants").unwrap(),
            preflight: None,
            credential: credential([header.as_bytes()].into_iter(), None),
        };
        let cache = VerifiedCache::with_capacity(0);
        let env = Env { keys: &FetchedKeys::default(), cache: &cache, now };
        let held: OnceCell<Arc<Parsed>> = OnceCell::new();
        let Step::Done(mut outcome) = check(&managed.snapshot, &env, &call, &held) else {
            panic!("its own keys are missing");
        };
        hold(&mut outcome, held.get().map(|parsed| &**parsed), management);
        let identity = outcome.caller.as_ref().and_then(|caller| caller.identity.as_ref());
        let told = identity.and_then(|identity| identity.subject).map(str::to_owned);
        match outcome.verdict {
            Verdict::Pass(_) => (None, told),
            Verdict::Refuse(refusal) => {
                assert_eq!(refusal.code, Code::TokenMalformed);
                (refusal.detail, told)
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn who_can_sign_has_no_other_name_and_no_longer_time() {
        let told = Some("tool".to_owned());
        let wrong = |text: &str| Some(text.to_owned());
        assert_eq!(signed("tool", Some(-10), 290), (None, told.clone()));
        assert_eq!(
            signed("admin", Some(-10), 290),
            (wrong("its `sub` is not its `client_id`"), None)
        );
        let long = wrong("it is good for longer than `management.token_lifetime`");
        assert_eq!(signed("tool", Some(-10), 291), (long.clone(), told.clone()));
        assert_eq!(signed("tool", None, 10), (long, told));
    }
}
