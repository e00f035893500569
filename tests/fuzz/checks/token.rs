//! Tokens that any head and claims are signed into, with a secret that the API under test has, and what
//! they are judged by.

use std::collections::BTreeSet;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grantgate::policy::{
    Access, Api, Audience, Enforcement, Grants, Issuer, Names, OverCeiling, Policy, StrictPolicy,
    UnixTime,
};
use grantgate::token::{Algorithms, HsSecret, KeySet, Profile, Terms, Trust, Unproven};
use serde_json::{Map, Value};

pub const NOW: i64 = 1_800_000_000;
pub const LEEWAY: i64 = 30;
pub const ISSUER: &str = "https://issuer.example/";
pub const AUDIENCE: &str = "https://api.example";
const SECRET: [u8; 64] = *b"a secret of 64 bytes, for tests alone and for nothing else .....";

/// A token of a head and claims, whatever they are, signed by HMAC with SHA-256.
pub fn signed(head: &[u8], claims: &[u8]) -> String {
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(head), URL_SAFE_NO_PAD.encode(claims));
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &SECRET), message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(tag))
}

/// An API that trusts one issuer.
pub struct World {
    pub trust: Trust,
    pub audiences: [Audience; 1],
    secret: HsSecret,
}

impl World {
    pub fn of(profile: Profile) -> Self {
        Self {
            trust: Trust {
                issuer: Issuer::new(ISSUER).expect("a name"),
                algorithms: Algorithms::default(),
                profile,
                leeway_seconds: LEEWAY,
                unproven: Unproven::Refuse,
            },
            audiences: [Audience::new(AUDIENCE).expect("a name")],
            secret: HsSecret::new(SECRET).expect("it is long enough"),
        }
    }

    /// Where the API's secret signs.
    pub fn by_secret(&self) -> Terms<'_, '_> {
        Terms {
            trust: &self.trust,
            keys: None,
            secret: Some(&self.secret),
            audiences: &self.audiences,
        }
    }

    /// Where the issuer's keys alone sign.
    pub fn by_keys<'a>(&'a self, keys: &'a KeySet) -> Terms<'a, 'a> {
        Terms { trust: &self.trust, keys: Some(keys), secret: None, audiences: &self.audiences }
    }
}

/// An API that declares these scopes and grants nothing yet.
pub fn api(declared: &[&str]) -> Api {
    Api {
        identifier: Audience::new(AUDIENCE).expect("a name"),
        scopes: declared.iter().copied().collect(),
        details: Names::default(),
        access: Access {
            anonymous_user: StrictPolicy::DenyAll,
            client: StrictPolicy::RequireClientGrant,
            user: Policy::RequireClientGrant,
        },
        over_ceiling: OverCeiling::Reject,
        enforcement: Enforcement::Enforce,
        grants: Grants::default(),
    }
}

pub fn now() -> UnixTime {
    UnixTime::from_seconds(NOW)
}

/// The object that a text is, where no reader could take it for another one.
pub fn object(text: &[u8]) -> Option<Map<String, Value>> {
    let Value::Object(object) = serde_json::from_slice(text).ok()? else { return None };
    (!has_a_name_twice(text)).then_some(object)
}

/// Whether an object in a text, which is JSON, has two members of one name.
fn has_a_name_twice(text: &[u8]) -> bool {
    // The names of each object that is open; none for a list.
    let mut open: Vec<Option<BTreeSet<String>>> = Vec::new();
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        match byte {
            b'{' => open.push(Some(BTreeSet::new())),
            b'[' => open.push(None),
            b'}' | b']' => drop(open.pop()),
            b'"' => {
                let begin = at;
                at += 1;
                while text[at] != b'"' {
                    at += if text[at] == b'\\' { 2 } else { 1 };
                }
                let behind = text[at + 1..].iter().find(|byte| !byte.is_ascii_whitespace());
                if behind == Some(&b':') {
                    let name = serde_json::from_slice(&text[begin..=at]).expect("a string");
                    let names = open.last_mut().and_then(Option::as_mut).expect("in an object");
                    if !names.insert(name) {
                        return true;
                    }
                }
            }
            _ => {}
        }
        at += 1;
    }
    false
}

/// The bytes that a part of a token spells, in the one way that is canonical.
pub fn decoded(part: &str) -> Option<Vec<u8>> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut bits = Vec::with_capacity(part.len() * 6);
    for byte in part.bytes() {
        let value = ALPHABET.iter().position(|letter| *letter == byte)?;
        bits.extend((0..6).rev().map(|bit| value >> bit & 1 == 1));
    }
    let bytes: Vec<u8> = bits
        .chunks_exact(8)
        .map(|octet| octet.iter().fold(0, |byte, bit| byte << 1 | u8::from(*bit)))
        .collect();
    let rest = &bits[bytes.len() * 8..];
    (rest.len() < 6 && rest.iter().all(|bit| !bit)).then_some(bytes)
}
