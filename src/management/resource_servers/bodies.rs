//! What may be said of an API: Auth0's fields, with Auth0's bounds, in Auth0's order.
//!
//! Those that decide nothing here are stored and shown again as they came: an object that was read from a
//! tenant can be written to the gateway, and comes back the same. The secret alone is taken and forgotten.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::management::body::{List, Member, Text, Whole, present};

/// Declares what makes an API and what changes one, which differ in the identifier alone:
/// `field: kind, "what it is";`.
macro_rules! fields {
    ($($(#[$attribute:meta])* $field:ident: $kind:ty, $about:literal;)+) => {
        /// Makes an API. A member that is null is one that is absent.
        #[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        #[schemars(extend("examples" = [{
            "identifier": "https://orders.example.com",
            "name": "Orders",
            "scopes": [{"value": "read:orders", "description": "Read orders"}],
        }]))]
        pub(in crate::management) struct CreateApi {
            /// What the `aud` of its tokens names, byte for byte.
            pub(super) identifier: Text<1, 600>,
            $(
                #[doc = $about]
                $(#[$attribute])*
                #[serde(skip_serializing_if = "Option::is_none")]
                pub(super) $field: Option<$kind>,
            )+
        }

        /// Changes an API: what is absent stays, what is null is taken away.
        #[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        #[schemars(extend("examples" = [{
            "subject_type_authorization": {"client": {"policy": "deny_all"}},
        }]))]
        pub(in crate::management) struct UpdateApi {
            $(
                #[doc = $about]
                $(#[$attribute])*
                #[serde(default, skip_serializing_if = "Member::is_absent")]
                pub(super) $field: Member<$kind>,
            )+
        }

        /// The fields that are written, in the order in which they are shown.
        pub(super) const FIELDS: &[&str] = &["identifier", $(stringify!($field)),+];
    };
}

fields! {
    name: Name, "Its name for people; decides nothing.";
    scopes: List<Scope, 1000>, "The scopes that it declares. Those that are given replace those that are there.";
    authorization_details: List<DetailsType, 100>, "The authorization details types registered on it (RFC 9396).";
    subject_type_authorization: SubjectTypes, "Its policy per subject type. A subject type that is left out stays as it is; where the API comes to be, `user` is then `allow_all` and `client` is `require_client_grant`.";
    token_dialect: TokenDialect, "Stored and shown.";
    token_lifetime: Whole<0, 2_592_000>, "In seconds. Stored and shown.";
    token_lifetime_for_web: Whole<0, 2_592_000>, "In seconds. Stored and shown.";
    token_lifetime_for_anonymous_access_tokens: Whole<0, 2_592_000>, "In seconds. Stored and shown.";
    token_encryption: Map<String, Value>, "Encrypted access tokens cannot be read by the gate: refused, unless null or what stands in the file.";
    signing_alg: SigningAlg, "Stored and shown: the gate verifies with the keys of the API's issuers.";
    #[expect(dead_code, reason = "taken, and forgotten")]
    #[serde(skip_serializing)]
    #[schemars(extend("writeOnly" = true))]
    signing_secret: Forgotten, "Taken, and neither stored nor shown.";
    allow_offline_access: bool, "Stored and shown.";
    allow_online_access: bool, "Stored and shown.";
    allow_online_access_with_ephemeral_sessions: bool, "Stored and shown.";
    skip_consent_for_verifiable_first_party_clients: bool, "Stored and shown.";
    require_consent_non_repudiation: bool, "Stored and shown.";
    enforce_policies: bool, "Stored and shown: the gate respects the `permissions` of a token whatever is said here, and answers `true` with the warning `protection-unenforced`.";
    consent_policy: Text<1, 255>, "Stored and shown.";
    authorization_policy: Map<String, Value>, "Stored and shown.";
    access_token: Map<String, Value>, "Stored and shown.";
    proof_of_possession: ProofOfPossession, "Sender-constrained tokens. The gate does not enforce them: `required: true` is refused, unless it stands in the file.";
}

/// A name for people, which cannot be taken for markup.
#[derive(Clone, Debug, Serialize)]
pub(in crate::management) struct Name(String);

/// What a name does not hold.
const MARKUP: [char; 2] = ['<', '>'];

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Text(name) = Text::<1, 200>::deserialize(deserializer)?;
        if name.contains(MARKUP) {
            return Err(D::Error::custom("a name holds no `<` and no `>`"));
        }
        Ok(Self(name))
    }
}

impl JsonSchema for Name {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Name".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = Text::<1, 200>::json_schema(generator);
        schema.insert("pattern".to_owned(), "^[^<>]+$".into());
        schema
    }
}

/// A secret that was taken, of which nothing is left.
#[derive(Clone, Debug)]
pub(in crate::management) struct Forgotten;

type Secret = Text<16, { usize::MAX }>;

impl<'de> Deserialize<'de> for Forgotten {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Secret::deserialize(deserializer).map(|_| Self)
    }
}

impl JsonSchema for Forgotten {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Secret".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Secret::json_schema(generator)
    }
}

/// A scope that an API declares.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::management) struct Scope {
    /// The scope, as tokens and grants name it.
    pub(super) value: Text<1, 280>,
    /// What it allows, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<Text<0, 500>>,
}

/// An authorization details type registered on an API.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::management) struct DetailsType {
    /// The type, as tokens and grants name it.
    #[serde(rename = "type")]
    name: Text<1, 255>,
}

/// An API's policy per subject type.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::management) struct SubjectTypes {
    /// For applications that call for a signed-in user.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "PolicyOf<UserPolicy>")]
    pub(super) user: Option<PolicyOf<UserPolicy>>,
    /// For applications that call for themselves.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "PolicyOf<Policy>")]
    pub(super) client: Option<PolicyOf<Policy>>,
    /// For applications that call for someone who did not sign in.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "PolicyOf<Policy>")]
    pub(super) anonymous_user: Option<PolicyOf<Policy>>,
}

/// The policy for one subject type.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "{P}Of")]
pub(in crate::management) struct PolicyOf<P> {
    /// The policy.
    pub(super) policy: P,
}

/// What an API asks of applications that call for users.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::management) enum UserPolicy {
    AllowAll,
    DenyAll,
    RequireClientGrant,
}

/// What an API asks of other applications.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::management) enum Policy {
    DenyAll,
    RequireClientGrant,
}

/// How an API's tokens are signed.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
pub(in crate::management) enum SigningAlg {
    HS256,
    PS256,
    RS256,
    RS512,
}

/// What shape an API's tokens have.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::management) enum TokenDialect {
    AccessToken,
    AccessTokenAuthz,
    Rfc9068Profile,
    Rfc9068ProfileAuthz,
}

/// Sender-constrained tokens.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::management) struct ProofOfPossession {
    /// How tokens are constrained.
    mechanism: Mechanism,
    /// Whether they must be.
    pub(super) required: bool,
    /// For which applications.
    #[serde(skip_serializing_if = "Option::is_none")]
    required_for: Option<Text<1, 255>>,
}

/// How tokens are constrained to their sender.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::management) enum Mechanism {
    Dpop,
    Mtls,
}
