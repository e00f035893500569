//! An issuer with keys of three kinds, and tokens in its name that it never gave.

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair,
    RsaKeyPair,
};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::door::gateway::claims_with;
use crate::signing::Key;
use crate::tokens::folder;

/// What a token says wherever it is not to be told.
pub const CANARY: &str = "evil";

/// A token in the issuer's name, and the code it is refused with.
pub struct Token {
    pub name: String,
    pub text: String,
    pub code: &'static str,
}

pub struct Issuer {
    key: Key,
    stranger: Key,
    curve: EcdsaKeyPair,
    rsa: RsaKeyPair,
}

const MALFORMED: &str = "token-malformed";
const ALGORITHM: &str = "token-algorithm-refused";
const SIGNATURE: &str = "token-signature-invalid";
const UNKNOWN: &str = "token-key-unknown";
const TYPE: &str = "token-type-refused";

impl Issuer {
    pub fn new() -> Self {
        let pem = std::fs::read_to_string(folder().join("key.pem")).unwrap();
        let der: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
        Self {
            key: Key::new(),
            stranger: Key::new(),
            curve: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap(),
            rsa: RsaKeyPair::from_pkcs8(&STANDARD.decode(der).unwrap()).unwrap(),
        }
    }

    /// What it publishes.
    pub fn key_set(&self) -> Value {
        let path = folder().join("keys.jwks");
        let rsa: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        json!({"keys": [self.key.jwk("ed"), self.curve_jwk(), rsa["keys"][0]]})
    }

    fn curve_jwk(&self) -> Value {
        let point = self.curve.public_key().as_ref();
        let encode = |part: &[u8]| URL_SAFE_NO_PAD.encode(part);
        json!({
            "kty": "EC", "crv": "P-256", "kid": "p256", "use": "sig",
            "x": encode(&point[1..33]), "y": encode(&point[33..]),
        })
    }

    pub fn good(&self) -> String {
        self.with(&json!({}))
    }

    /// Claims put over the good ones, and signed.
    fn with(&self, claims: &Value) -> String {
        self.key.sign(&head(&json!({})), &claims_with(claims))
    }

    /// A head put over the good one, and signed.
    fn under(&self, changes: &Value) -> String {
        self.key.sign(&head(changes), &claims_with(&json!({})))
    }

    /// What is legal, if rare.
    pub fn unusual(&self) -> Vec<(&'static str, String)> {
        vec![
            ("a fraction of a second", self.with(&json!({"exp": 4_000_000_000.5}))),
            ("a time written with an exponent", self.bent(r#""exp":4000000000"#, r#""exp":4e9"#)),
            (
                "a list of audiences",
                self.with(&json!({"aud": ["x", "https://orders.example.com"]})),
            ),
            ("a type in capitals", self.under(&json!({"typ": "AT+JWT"}))),
            ("a type in full", self.under(&json!({"typ": "application/at+jwt"}))),
            ("an algorithm by its other name", self.under(&json!({"alg": "Ed25519"}))),
            ("an unknown member of the head", self.under(&json!({"x": CANARY}))),
            ("blanks within the JSON", self.bent(":", " : ")),
        ]
    }

    /// `urls` is where nobody must go.
    pub fn forged(&self, url: &str) -> Vec<Token> {
        let mut all = Vec::new();
        let mut add = |name: &str, text: String, code| {
            all.push(Token { name: name.to_owned(), text, code });
        };
        for (name, text, code) in self.of_algorithms() {
            add(&name, text, code);
        }
        for changes in [
            json!({"jwk": self.stranger.jwk("ed")}),
            json!({"jku": url}),
            json!({"x5u": url}),
            json!({"jku": url, "kid": "new"}),
            json!({"x5c": [CANARY]}),
            json!({"x5t": CANARY, "x5c": []}),
            json!({"crit": []}),
            json!({"crit": ["exp"]}),
            json!({"crit": [CANARY], CANARY: 1}),
            json!({"crit": "exp"}),
            json!({"crit": ["b64"], "b64": false}),
            json!({"b64": false}),
            json!({"zip": "DEF"}),
            json!({"enc": "A256GCM"}),
            json!({"kid": 1}),
            json!({"kid": null}),
            json!({"kid": ["ed"]}),
            json!({"kid": "k".repeat(4096)}),
            json!({"alg": 1}),
            json!({"alg": ["EdDSA"]}),
            json!({"alg": null}),
            json!({"typ": 1}),
            json!({"typ": null}),
            json!({"typ": ["at+jwt"]}),
        ] {
            add(&format!("head {changes}"), self.under(&changes), MALFORMED);
        }
        for kid in [
            "",
            "ED",
            "ed ",
            "ed\0",
            "../../../../dev/null",
            "/proc/self/environ",
            "' OR '1'='1",
            "ed' --",
            "${env:LONG_SECRET}",
            "| cat /etc/passwd",
            "%65d",
            "ed,p256",
            "http://127.0.0.1/evil",
            "\u{202e}de",
            "é",
        ] {
            add(&format!("kid {kid:?}"), self.under(&json!({"kid": kid})), UNKNOWN);
        }
        for kind in [
            "dpop+jwt",
            "logout+jwt",
            "secevent+jwt",
            "id_token",
            "at+jwt ",
            "jose",
            "",
            "a/at+jwt",
            "JWS",
        ] {
            add(&format!("type {kind:?}"), self.under(&json!({"typ": kind})), TYPE);
        }
        for (name, text) in self.of_json().into_iter().chain(self.of_parts()) {
            add(&name, text, MALFORMED);
        }
        add("too long", self.with(&json!({"x": "x".repeat(8192)})), "token-too-large");
        add("a kid of 8 kB", self.under(&json!({"kid": "k".repeat(8192)})), "token-too-large");
        for (claims, code) in of_claims() {
            add(&format!("claims {claims}"), self.with(&claims), code);
        }
        all
    }

    /// Another algorithm, another key, another signature than it should be.
    fn of_algorithms(&self) -> Vec<(String, String, &'static str)> {
        let mut all = Vec::new();
        let good = self.good();
        let (message, signature) = good.rsplit_once('.').unwrap();
        for alg in
            ["none", "None", "NONE", "nOnE", "", "eddsa", "ES256K", "Ed448", "RS1", "HS1", "dir"]
        {
            let signed = self.under(&json!({"alg": alg}));
            let unsigned = format!("{}.", signed.rsplit_once('.').unwrap().0);
            all.push((format!("alg {alg:?}"), signed, ALGORITHM));
            all.push((format!("alg {alg:?} unsigned"), unsigned, ALGORITHM));
        }
        // Public keys as secrets.
        let der: PublicKeyX509Der<'_> = self.rsa.public_key().as_der().unwrap();
        let pem = STANDARD.encode(der.as_ref());
        let lines: Vec<_> =
            pem.as_bytes().chunks(64).map(|line| str::from_utf8(line).unwrap()).collect();
        let pem =
            format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"));
        let jwk = self.key_set()["keys"][2].to_string();
        let secrets: [(&str, &[u8]); 8] = [
            ("PEM", pem.as_bytes()),
            ("PEM without its last line end", pem.trim_end().as_bytes()),
            ("DER", der.as_ref()),
            ("PKCS#1", self.rsa.public_key().as_ref()),
            ("JWK", jwk.as_bytes()),
            ("Ed25519 key", self.key.public()),
            ("point", self.curve.public_key().as_ref()),
            ("nothing", b""),
        ];
        for (name, secret) in secrets {
            for kid in ["tests", "ed", "p256"] {
                let head = head(&json!({"alg": "HS256", "kid": kid}));
                let message = message_of(&head, &claims_with(&json!({})));
                let tag =
                    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message.as_bytes());
                let text = format!("{message}.{}", URL_SAFE_NO_PAD.encode(tag));
                all.push((format!("the {name} as secret, kid {kid}"), text, ALGORITHM));
            }
        }
        // Elliptic curves.
        let curve =
            message_of(&head(&json!({"alg": "ES256", "kid": "p256"})), &claims_with(&json!({})));
        let random = SystemRandom::new();
        let right = self.curve.sign(&random, curve.as_bytes()).unwrap();
        let pkcs8 = self.curve.to_pkcs8v1().unwrap();
        let asn1 =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8.as_ref()).unwrap();
        let der = asn1.sign(&random, curve.as_bytes()).unwrap();
        let mut signatures =
            vec![("zeros", vec![0; 64]), ("nothing", Vec::new()), ("DER", der.as_ref().to_vec())];
        for (name, range) in [("r = 0", 0..32), ("s = 0", 32..64)] {
            let mut bytes = right.as_ref().to_vec();
            bytes[range].fill(0);
            signatures.push((name, bytes));
        }
        signatures.push(("another octet", [right.as_ref(), &[0]].concat()));
        signatures.push(("an octet less", right.as_ref()[..63].to_vec()));
        signatures.push((
            "its halves exchanged",
            [&right.as_ref()[32..], &right.as_ref()[..32]].concat(),
        ));
        // The order of the curve, which is nothing too.
        let order = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
        let order: Vec<_> =
            (0..32).map(|at| u8::from_str_radix(&order[2 * at..2 * at + 2], 16).unwrap()).collect();
        signatures.push(("r = n", [&order[..], &right.as_ref()[32..]].concat()));
        for (name, bytes) in signatures {
            let text = format!("{curve}.{}", URL_SAFE_NO_PAD.encode(bytes));
            all.push((format!("ES256 {name}"), text, SIGNATURE));
        }
        // Signatures of others, and of other things.
        all.push((
            "a stranger's".into(),
            self.stranger.sign(&head(&json!({})), &claims_with(&json!({}))),
            SIGNATURE,
        ));
        let other = self.with(&json!({"scope": "write:orders"}));
        all.push((
            "other claims'".into(),
            format!("{}.{signature}", other.rsplit_once('.').unwrap().0),
            SIGNATURE,
        ));
        all.push(("none".into(), format!("{message}."), SIGNATURE));
        for (alg, kid) in [
            ("RS256", "ed"),
            ("ES256", "ed"),
            ("EdDSA", "tests"),
            ("EdDSA", "p256"),
            ("PS256", "tests"),
            ("ES384", "p256"),
        ] {
            all.push((
                format!("{alg} of {kid}"),
                self.under(&json!({"alg": alg, "kid": kid})),
                ALGORITHM,
            ));
        }
        all
    }

    /// JSON that some parser reads otherwise.
    fn of_json(&self) -> Vec<(String, String)> {
        let (head, claims) = (head(&json!({})).to_string(), claims_with(&json!({})).to_string());
        let body = claims.strip_suffix('}').unwrap();
        let mut texts: Vec<Vec<u8>> = [
            format!(r#"{body},"sub":"evil@clients"}}"#),
            format!(r#"{body},"s\u0075b":"evil@clients"}}"#),
            format!(r#"{body},"\u0061ud":"evil"}}"#),
            format!(r#"{body},"x":{{"evil":1,"\u0065vil":2}}}}"#),
            format!("\u{feff}{claims}"),
            format!("{claims}evil"),
            format!("{claims}{claims}"),
            format!("{claims}\0"),
            format!(r#"{body},"x":{}1{}}}"#, "[".repeat(2000), "]".repeat(2000)),
            format!(r#"{body},"x":"\ud800"}}"#),
            format!(r#"{body},"x":"\udc00\ud800"}}"#),
            format!(r#"{body},"x":1e400}}"#),
            format!(r#"{body},"x":-1e400}}"#),
            format!(r#"{body},"x":NaN}}"#),
            format!(r#"{body},"x":01}}"#),
            format!(r#"{body},"x":"{}"}}"#, '\u{1}'),
            format!("{body},}}"),
            format!("{body}/**/}}"),
            format!("[{claims}]"),
            "{}x".into(),
            "[]".into(),
            "null".into(),
            "\"evil\"".into(),
            "0".into(),
            String::new(),
        ]
        .map(String::into_bytes)
        .into();
        texts.push([body.as_bytes(), b",\"x\":\"\xff\"}"].concat());
        texts.push([body.as_bytes(), b",\"x\":\"\xc0\xae\"}"].concat());
        texts.push([body.as_bytes(), b",\"x\":\"\xed\xa0\x80\"}"].concat());
        texts.push([&[0xff, 0xfe], claims.as_bytes()].concat());
        let mut all: Vec<_> = texts
            .iter()
            .map(|text| {
                (
                    format!("claims {:?}", String::from_utf8_lossy(text)),
                    self.key.sign_text(&head, text),
                )
            })
            .collect();
        let rest = head.strip_prefix('{').unwrap();
        for text in [
            format!(r#"{{"alg":"none",{rest}"#),
            format!(r#"{{"\u0061lg":"none",{rest}"#),
            format!(r#"{{"kid":"evil",{rest}"#),
            format!("\u{feff}{head}"),
            format!("{head}evil"),
            format!("[{head}]"),
            format!(r#"{{"x":{}{},{rest}"#, "[".repeat(300), "]".repeat(300)),
            "null".into(),
            "{}".into(),
            String::new(),
        ] {
            all.push((format!("head {text:?}"), self.key.sign_text(&text, &claims)));
        }
        all
    }

    /// What is not three parts of canonical base64url.
    fn of_parts(&self) -> Vec<(String, String)> {
        let good = self.good();
        let [head, claims, signature] = good.split('.').collect::<Vec<_>>()[..] else {
            panic!("{good}")
        };
        // The last letter of 64 octets has four bits that say nothing.
        let (most, last) = signature.split_at(signature.len() - 1);
        let loose = match last {
            "A" => "B",
            "Q" => "R",
            "g" => "h",
            _ => "x",
        };
        [
            format!("{head}.{claims}"),
            head.to_owned(),
            format!("{good}."),
            format!("{good}.{signature}"),
            format!("{good}.{signature}.{signature}"),
            format!(".{claims}.{signature}"),
            format!("{head}..{signature}"),
            "..".into(),
            ".".into(),
            format!("{good}=="),
            format!("{head}.{claims}.{most}{loose}"),
            format!("{head}.{claims}.{most}+"),
            format!("{head}.{claims}.{most}/"),
            format!("{head}.{claims}.{most}~"),
            format!("{head}.{claims}.{most}"),
            format!("{head}A.{claims}.{signature}"),
        ]
        .map(|text| (format!("parts {}", text.len()), text))
        .into()
    }

    /// The good token with one text in its claims for another, signed.
    fn bent(&self, from: &str, to: &str) -> String {
        let claims = claims_with(&json!({})).to_string();
        let bent =
            if from == ":" { claims.replace("\":", "\" : ") } else { claims.replace(from, to) };
        assert_ne!(bent, claims);
        self.key.sign_text(head(&json!({})).to_string(), bent)
    }
}

/// The good head, with `changes` put over it.
fn head(changes: &Value) -> Value {
    let mut head = json!({"alg": "EdDSA", "kid": "ed", "typ": "at+jwt"});
    for (name, value) in changes.as_object().unwrap() {
        head[name] = value.clone();
    }
    head
}

fn message_of(head: &Value, claims: &Value) -> String {
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}", encode(head), encode(claims))
}

/// Claims put over good ones, and the code that they are refused with.
fn of_claims() -> Vec<(Value, &'static str)> {
    let mut all = of_times();
    all.extend(of_parties());
    all.extend(of_callers());
    all
}

/// When it is good.
fn of_times() -> Vec<(Value, &'static str)> {
    let mut all = Vec::new();
    let (missing, expired, early) = ("token-claim-missing", "token-expired", "token-not-yet-valid");
    for claim in ["exp", "iss", "aud"] {
        all.push((json!({claim: null}), missing));
    }
    for claim in ["exp", "nbf", "iat"] {
        for value in [
            json!("4000000000"),
            json!(true),
            json!([4_000_000_000_u64]),
            json!({}),
            json!(u64::MAX),
            json!(1_u64 << 63),
            json!(4_000_000_000_000_u64),
            json!(-1),
            json!(1e300),
            json!(253_402_300_800_u64),
        ] {
            all.push((json!({claim: value}), MALFORMED));
        }
    }
    all.push((json!({"exp": 0}), expired));
    all.push((json!({"exp": 1_700_000_000.9}), expired));
    all.push((json!({"nbf": 3_999_999_999_u64}), early));
    all
}

/// Who gave it, and for whom.
fn of_parties() -> Vec<(Value, &'static str)> {
    let mut all = Vec::new();
    let elsewhere = "token-audience-mismatch";
    for (aud, code) in [
        (json!([]), elsewhere),
        (json!(""), elsewhere),
        (json!([""]), elsewhere),
        (json!("https://orders.example.com/"), elsewhere),
        (json!("https://ORDERS.example.com"), elsewhere),
        (json!("https://orders.example.com "), elsewhere),
        (json!("https://orders.example.com\0"), elsewhere),
        (json!("https://orders.example.com,https://evil"), elsewhere),
        (json!("http://orders.example.com"), elsewhere),
        (json!("*"), elsewhere),
        (json!(["orders.example.com"]), elsewhere),
        (json!(5), MALFORMED),
        (json!(true), MALFORMED),
        (json!({"aud": "https://orders.example.com"}), MALFORMED),
        (json!(["https://orders.example.com", 5]), MALFORMED),
        (json!([["https://orders.example.com"]]), MALFORMED),
        (json!(["https://orders.example.com", null]), MALFORMED),
    ] {
        all.push((json!({"aud": aud}), code));
    }
    let unknown = "token-issuer-unknown";
    for (iss, code) in [
        (json!(""), unknown),
        (json!("https://issuer.example"), unknown),
        (json!("https://issuer.example//"), unknown),
        (json!("https://ISSUER.example/"), unknown),
        (json!("http://issuer.example/"), unknown),
        (json!("https://issuer.example/ "), unknown),
        (json!("https://issuer.example/\0"), unknown),
        (json!("https://issuer.example/evil/.."), unknown),
        (json!("https://evil@issuer.example/"), unknown),
        (json!(["https://issuer.example/"]), MALFORMED),
        (json!(5), MALFORMED),
        (json!({}), MALFORMED),
        (json!(true), MALFORMED),
    ] {
        all.push((json!({"iss": iss}), code));
    }
    all
}

/// Whom it was given to, and for what.
fn of_callers() -> Vec<(Value, &'static str)> {
    let mut all = Vec::new();
    for claim in ["at_hash", "c_hash", "s_hash", "nonce"] {
        all.push((json!({claim: "x"}), TYPE));
    }
    let unidentified = "client-unidentified";
    all.push((json!({"azp": null}), unidentified));
    all.push((json!({"client_id": "evil"}), unidentified));
    for id in [json!(["batch"]), json!(1), json!({}), json!(true)] {
        all.push((json!({"azp": id}), unidentified));
    }
    for id in ["", "bätch", "ba tch", "batch\n", "batch\0", "ｂatch", "ba\"tch", "ba\\tch"] {
        all.push((json!({"azp": id, "sub": format!("{id}@clients")}), unidentified));
    }
    for scope in [
        "read:orders\twrite:orders",
        "read:orders\nx",
        "read:orders\u{a0}x",
        "réad",
        "read:\"orders\"",
        "read\\orders",
        "a\0",
    ] {
        all.push((json!({"scope": scope}), MALFORMED));
    }
    for scope in [json!(5), json!({}), json!(["read:orders", 5]), json!(true)] {
        all.push((json!({"scope": scope}), MALFORMED));
    }
    let ambiguous = "subject-type-ambiguous";
    all.push((json!({"sub": "auth0|evil"}), ambiguous));
    all.push((json!({"gty": 1}), ambiguous));
    all.push((json!({"sub_profile": "user"}), ambiguous));
    all.push((json!({"sub": "anon@evil"}), ambiguous));
    all.push((
        json!({"cnf": {"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}}),
        "sender-constraint-missing",
    ));
    all.push((
        json!({"cnf": {"x5t#S256": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}}),
        "sender-constraint-missing",
    ));
    for cnf in [json!({}), json!(1), json!({"jkt": 1}), json!({"evil": "x"}), json!([])] {
        all.push((json!({"cnf": cnf}), "sender-constraint-invalid"));
    }
    for details in [
        json!("payment"),
        json!([1]),
        json!([{}]),
        json!([{"type": 1}]),
        json!({"type": "payment"}),
    ] {
        all.push((json!({"authorization_details": details}), MALFORMED));
    }
    for sub in [json!(1), json!(["batch@clients"]), json!({})] {
        all.push((json!({"sub": sub}), MALFORMED));
    }
    all
}
