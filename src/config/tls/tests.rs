//! Texts that give TLS, texts that do not, and which of them are the same.

use rcgen::{BasicConstraints, CertificateParams, CertifiedKey as Signed, IsCa, KeyPair};
use rustls::NamedGroup;

use std::hash::BuildHasher;

use super::*;

/// A certificate for `name` that signed itself, and its key.
fn signed(name: &str) -> (String, String) {
    let Signed { cert, signing_key } =
        rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
    (cert.pem(), signing_key.serialize_pem())
}

fn authority() -> String {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.self_signed(&KeyPair::generate().unwrap()).unwrap().pem()
}

fn identities(pairs: &[&(String, String)]) -> Identities {
    let mut identities = Identities::default();
    for (certificate, key) in pairs {
        identities.add(certificate, key).unwrap();
    }
    identities
}

fn client(authorities: &str, pairs: &[&(String, String)]) -> ClientTls {
    ClientTls::new(Authorities::read(authorities).unwrap(), identities(pairs)).unwrap()
}

#[test]
fn a_certificate_and_its_key_are_taken_together_or_not_at_all() {
    let (one, other) = (signed("one.internal"), signed("other.internal"));
    let error = |certificate: &str, key: &str| {
        Identities::default().add(certificate, key).expect_err("it was taken")
    };
    let cut = one.0.replace("-----END", "");
    let garbled = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    assert_eq!(error("", &one.1), TlsError::CertificateMissing);
    assert_eq!(error(&one.1, &one.1), TlsError::CertificateMissing);
    assert!(matches!(error(&cut, &one.1), TlsError::CertificateUnusable(1, _)));
    assert!(matches!(error(garbled, &one.1), TlsError::CertificateUnusable(1, _)));
    assert!(matches!(error(&one.0, ""), TlsError::KeyMissing(_)));
    assert!(matches!(error(&one.0, &one.0), TlsError::KeyMissing(_)));
    assert_eq!(error(&one.0, &other.1), TlsError::KeyMismatch);
    for key in ["", other.1.as_str()] {
        assert!(error(&one.0, key).is_of_key() && !error("", key).is_of_key());
    }
    assert_eq!(identities(&[&one, &other]).keys.len(), 2);
    let whole = (format!("{}{}", one.0, authority()), one.1);
    let chain = identities(&[&whole]).keys.pop().unwrap();
    assert_eq!(chain.cert.len(), 2, "those that lead to the authority are shown too");
}

#[test]
fn authorities_are_taken_all_or_none() {
    let (one, two) = (authority(), authority());
    assert_eq!(Authorities::read(&format!("{one}# comment\n{two}")).unwrap().roots.len(), 2);
    let garbled = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let error = |text: &str| Authorities::read(text).err().expect("they were taken");
    assert!(matches!(error(&(one + garbled)), TlsError::CertificateUnusable(2, _)));
    assert_eq!(error("nothing"), TlsError::CertificateMissing);
}

#[test]
fn tls_is_the_same_when_it_is_made_of_the_same_texts() {
    let (trusted, other) = (authority(), authority());
    let (first, second) = (signed("first"), signed("second"));
    let all = [
        client(&trusted, &[]),
        client(&other, &[]),
        client(&format!("{trusted}{other}"), &[]),
        client(&trusted, &[&first]),
        client(&trusted, &[&second]),
        ClientTls::trusting_nobody(),
    ];
    for (index, one) in all.iter().enumerate() {
        let same: Vec<_> = all.iter().filter(|other| *other == one).collect();
        assert_eq!(same.len(), 1, "{index}");
    }
    let again = client(&trusted, &[&first]);
    let hash = |tls: &ClientTls| foldhash::fast::FixedState::default().hash_one(tls);
    assert!(again == all[3] && hash(&again) == hash(&all[3]));
    assert!(!Arc::ptr_eq(&again.config, &all[3].config), "its sessions are its own");
}

#[test]
fn a_handshake_begins_with_what_a_quantum_computer_cannot_undo() {
    let tls = client(&authority(), &[]);
    let groups = &tls.config.crypto_provider().kx_groups;
    assert_eq!(groups[0].name(), NamedGroup::X25519MLKEM768);
    assert!(tls.config.alpn_protocols.is_empty() && !tls.config.enable_early_data);
}

#[test]
fn what_is_asked_for_is_told_within_the_handshake_and_sessions_are_shared() {
    let tls = client(&authority(), &[]);
    let asked = |protocol| {
        let names = tls.asking_for(protocol).alpn_protocols.iter();
        names.map(|name| str::from_utf8(name).unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(asked(UpstreamProtocol::Auto), ["h2", "http/1.1"]);
    assert_eq!(asked(UpstreamProtocol::Http1), ["http/1.1"]);
    assert_eq!(asked(UpstreamProtocol::Http2), ["h2"]);
    let again = tls.clone();
    let [one, two] = [&tls, &again].map(|tls| tls.asking_for(UpstreamProtocol::Auto));
    assert!(Arc::ptr_eq(one, two), "made once");
}

#[test]
fn nothing_of_a_key_is_printed() {
    let pair = signed("one.internal");
    let printed = format!("{:?}", client(&authority(), &[&pair]));
    assert!(printed.starts_with("ClientTls(") && printed.len() < 80, "{printed}");
}
