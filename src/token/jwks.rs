//! From a JWK set's text to its keys (RFC 7517, RFC 7518 section 6, RFC 8037 section 2), each with
//! its own outcome.

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::signature::{self, ParsedPublicKey, RsaPublicKeyComponents, VerificationAlgorithm};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::Algorithm;
use super::keys::{Key, KeyError};

/// The keys of the set, in their order.
pub(super) fn read(text: &str) -> Result<Vec<Result<Key, KeyError>>, KeyError> {
    let set: Value = serde_json::from_str(text)
        .map_err(|error| KeyError::Json { line: error.line(), column: error.column() })?;
    let keys = set
        .get("keys")
        .and_then(Value::as_array)
        .ok_or(KeyError::Format("the key set has no list of `keys`"))?;
    Ok(keys.iter().map(|jwk| key(&Jwk(jwk))).collect())
}

fn key(jwk: &Jwk<'_>) -> Result<Key, KeyError> {
    let family = jwk.text("kty")?.ok_or(KeyError::Member("kty"))?;
    if family == "oct" {
        return Err(KeyError::Symmetric);
    }
    if ["d", "p", "q", "dp", "dq", "qi", "oth", "k"].iter().any(|part| jwk.has(part)) {
        return Err(KeyError::Private);
    }
    match jwk.text("use")? {
        Some("enc") => return Err(KeyError::Encryption),
        Some("sig") | None if jwk.may_verify()? => {}
        _ => return Err(KeyError::Use),
    }
    let only = match jwk.text("alg")? {
        Some(name) => Some(Algorithm::find(name).ok_or(KeyError::Algorithm)?),
        None => None,
    };
    let kid = jwk.text("kid")?.map(Box::from);
    let der = match family {
        "RSA" => rsa(jwk)?,
        "EC" => elliptic(jwk)?,
        "OKP" => edwards(jwk)?,
        _ => return Err(KeyError::Kind),
    };
    Key::new(kid, &der, only)
}

fn rsa(jwk: &Jwk<'_>) -> Result<Vec<u8>, KeyError> {
    let (n, e) = (jwk.bytes("n")?, jwk.bytes("e")?);
    // Some issuers write a leading zero octet, against RFC 7518 section 2.
    let (n, e) = (significant(&n), significant(&e));
    RsaPublicKeyComponents { n, e }
        .to_parsed_public_key(&signature::RSA_PKCS1_2048_8192_SHA256)
        .map_err(|_| KeyError::Kind)
        .and_then(|key| der(&key))
}

fn significant(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|&&byte| byte == 0).count();
    number.get(zeros..).unwrap_or_default()
}

fn elliptic(jwk: &Jwk<'_>) -> Result<Vec<u8>, KeyError> {
    let (size, algorithm): (usize, &'static dyn VerificationAlgorithm) = match jwk.text("crv")? {
        Some("P-256") => (32, &signature::ECDSA_P256_SHA256_FIXED),
        Some("P-384") => (48, &signature::ECDSA_P384_SHA384_FIXED),
        Some("P-521") => (66, &signature::ECDSA_P521_SHA512_FIXED),
        _ => return Err(KeyError::Kind),
    };
    let (x, y) = (jwk.bytes("x")?, jwk.bytes("y")?);
    if x.len() != size || y.len() != size {
        return Err(KeyError::Kind);
    }
    // SEC 1 section 2.3.3: an uncompressed point.
    let point = [&[4], x.as_slice(), y.as_slice()].concat();
    ParsedPublicKey::new(algorithm, point).map_err(|_| KeyError::Kind).and_then(|key| der(&key))
}

fn edwards(jwk: &Jwk<'_>) -> Result<Vec<u8>, KeyError> {
    let x = jwk.bytes("x")?;
    if jwk.text("crv")? != Some("Ed25519") || x.len() != 32 {
        return Err(KeyError::Kind);
    }
    ParsedPublicKey::new(&signature::ED25519, x)
        .map_err(|_| KeyError::Kind)
        .and_then(|key| der(&key))
}

fn der(key: &ParsedPublicKey) -> Result<Vec<u8>, KeyError> {
    key.as_der().map(|der| der.as_ref().to_vec()).map_err(|_| KeyError::Kind)
}

struct Jwk<'a>(&'a Value);

impl<'a> Jwk<'a> {
    fn has(&self, name: &str) -> bool {
        self.0.get(name).is_some()
    }

    fn text(&self, name: &'static str) -> Result<Option<&'a str>, KeyError> {
        self.0.get(name).map(|value| value.as_str().ok_or(KeyError::Member(name))).transpose()
    }

    fn bytes(&self, name: &'static str) -> Result<Vec<u8>, KeyError> {
        let text = self.text(name)?.ok_or(KeyError::Member(name))?;
        URL_SAFE_NO_PAD.decode(text).map_err(|_| KeyError::Member(name))
    }

    /// Whether `key_ops`, where it stands, lists `verify` (RFC 7517 section 4.3).
    fn may_verify(&self) -> Result<bool, KeyError> {
        match self.0.get("key_ops") {
            None => Ok(true),
            Some(Value::Array(operations)) => Ok(operations.iter().any(|one| one == "verify")),
            Some(_) => Err(KeyError::Member("key_ops")),
        }
    }
}
