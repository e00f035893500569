//! Known answers of the RFCs, through our own keys and signatures. Their payloads are no claims.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::*;

#[test]
fn the_signatures_of_the_rfcs_verify_and_their_neighbours_do_not() {
    let vectors: Value =
        serde_json::from_str(include_str!("../../../tests/vectors/jose.json")).unwrap();
    for vector in vectors.as_array().unwrap() {
        let algorithm = Algorithm::find(vector["algorithm"].as_str().unwrap()).unwrap();
        let (message, signature) = vector["jws"].as_str().unwrap().rsplit_once('.').unwrap();
        let mut signature = URL_SAFE_NO_PAD.decode(signature).unwrap();

        let name = &vector["name"];
        assert!(verifies(vector, algorithm, message, &signature), "{name}");
        assert!(!verifies(vector, algorithm, &format!("{message}A"), &signature), "{name}");
        signature[7] ^= 1;
        assert!(!verifies(vector, algorithm, message, &signature), "{name}");
    }
}

fn verifies(vector: &Value, algorithm: Algorithm, message: &str, signature: &[u8]) -> bool {
    if let Some(secret) = vector["secret"].as_str() {
        let secret = HsSecret::new(URL_SAFE_NO_PAD.decode(secret).unwrap()).unwrap();
        return secret.verifies(algorithm, message.as_bytes(), signature);
    }
    let set = json!({"keys": [vector["jwk"]]}).to_string();
    let (keys, skipped) = KeySet::from_jwks(&set).unwrap();
    assert_eq!(skipped, []);
    let mut candidates = keys.find(vector["jwk"]["kid"].as_str(), algorithm).unwrap();
    candidates.any(|key| key.verifies(message.as_bytes(), signature))
}
