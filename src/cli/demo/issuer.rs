//! The demo's issuer: a real key, the discovery document and key set that a gateway asks for, and tokens
//! of the shape that Auth0 gives.

use std::io;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use bytes::Bytes;
use http_body_util::Full;
use hyper::{Response, StatusCode};
use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use super::loopback;

const KEY_ID: &str = "demo-1";

/// An issuer that runs on loopback.
pub struct Issuer {
    /// Its `iss`.
    pub url: String,
    key: EncodingKey,
}

impl Issuer {
    /// Makes a key and starts to serve it.
    pub async fn start() -> io::Result<Self> {
        let pkcs8 =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
                .map_err(io::Error::other)?;
        let key = EncodingKey::from_ec_der(pkcs8.as_ref());
        let mut jwk = Jwk::from_encoding_key(&key, Algorithm::ES256).map_err(io::Error::other)?;
        jwk.common.key_id = Some(KEY_ID.to_owned());
        let keys = json!(JwkSet { keys: vec![jwk] });

        let (listener, address) = loopback::bind().await?;
        let url = format!("http://{address}/");
        let discovery = json!({"issuer": url, "jwks_uri": format!("{url}keys")});
        loopback::serve(listener, move |request| match request.uri().path() {
            "/.well-known/openid-configuration" => document(&discovery),
            "/keys" => document(&keys),
            _ => {
                let mut response = Response::new(Full::default());
                *response.status_mut() = StatusCode::NOT_FOUND;
                response
            }
        });
        Ok(Self { url, key })
    }

    /// A signed token with these claims and this issuer's `iss`.
    pub fn token(&self, mut claims: Value) -> io::Result<String> {
        if let Some(claims) = claims.as_object_mut() {
            claims.insert("iss".to_owned(), self.url.clone().into());
        }
        let mut head = Header::new(Algorithm::ES256);
        head.kid = Some(KEY_ID.to_owned());
        jsonwebtoken::encode(&head, &claims, &self.key).map_err(io::Error::other)
    }
}

fn document(value: &Value) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(value.to_string()));
    let json = http::HeaderValue::from_static("application/json");
    response.headers_mut().insert(http::header::CONTENT_TYPE, json);
    response
}
