//! A key of an issuer, and the tokens that it signs.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};

pub struct Key(Ed25519KeyPair);

impl Key {
    pub fn new() -> Self {
        Self(Ed25519KeyPair::generate().unwrap())
    }

    pub fn public(&self) -> &[u8] {
        self.0.public_key().as_ref()
    }

    pub fn jwk(&self, kid: &str) -> Value {
        let x = BASE64_URL_SAFE_NO_PAD.encode(self.public());
        json!({"kty": "OKP", "crv": "Ed25519", "use": "sig", "kid": kid, "x": x})
    }

    pub fn sign(&self, head: &Value, claims: &Value) -> String {
        self.sign_text(head.to_string(), claims.to_string())
    }

    /// Signs what may be no JSON.
    pub fn sign_text(&self, head: impl AsRef<[u8]>, claims: impl AsRef<[u8]>) -> String {
        let encode = |text: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(text);
        let message = format!("{}.{}", encode(head.as_ref()), encode(claims.as_ref()));
        let signature = BASE64_URL_SAFE_NO_PAD.encode(self.0.sign(message.as_bytes()));
        format!("{message}.{signature}")
    }
}
