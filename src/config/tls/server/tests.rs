use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    date_time_ymd,
};
use rustls::pki_types::pem::PemObject;
use rustls::{
    ClientConfig, ClientConnection, NamedGroup, ProtocolVersion, ServerConnection, version,
};

use super::super::{ClientTls, FROM_TLS13};
use super::*;

/// An authority, and what it vouches for.
struct Authority(CertifiedIssuer<'static, KeyPair>);

struct Pair {
    certificate: String,
    key: String,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn vouch(&self, names: &[&str], purpose: ExtendedKeyUsagePurpose) -> Pair {
        let names: Vec<_> = names.iter().map(|&name| name.to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.extended_key_usages = vec![purpose];
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap().pem();
        Pair { certificate, key: key.serialize_pem() }
    }

    /// A server's certificate that has expired with the beginning of `year`.
    fn vouch_until(&self, names: &[&str], year: i32) -> Pair {
        let names: Vec<_> = names.iter().map(|&name| name.to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.not_before = date_time_ymd(2000, 1, 1);
        params.not_after = date_time_ymd(year, 1, 1);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap().pem();
        Pair { certificate, key: key.serialize_pem() }
    }

    fn server(&self, names: &[&str]) -> Pair {
        self.vouch(names, ExtendedKeyUsagePurpose::ServerAuth)
    }

    fn client(&self) -> Pair {
        self.vouch(&["client"], ExtendedKeyUsagePurpose::ClientAuth)
    }

    fn read(&self) -> Authorities {
        Authorities::read(&self.0.pem()).unwrap()
    }
}

fn identities(pairs: &[&Pair]) -> Identities {
    let mut identities = Identities::default();
    for pair in pairs {
        identities.add(&pair.certificate, &pair.key).unwrap();
    }
    identities
}

fn server(pairs: &[&Pair], oldest: OldestTls) -> ServerTls {
    ServerTls::new(identities(pairs), None, ClientAuth::None, from(oldest)).unwrap()
}

fn from(oldest: OldestTls) -> Spoken {
    Spoken { oldest, http2: true }
}

/// What a handshake within memory comes to.
fn shake(
    server: &ServerTls,
    client: impl Into<Arc<ClientConfig>>,
    name: &str,
) -> Result<(ClientConnection, ServerConnection), rustls::Error> {
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let mut client = ClientConnection::new(client.into(), name)?;
    let mut server = ServerConnection::new(server.config.clone())?;
    for _ in 0..4 {
        let mut bytes = Vec::new();
        client.write_tls(&mut bytes).unwrap();
        server.read_tls(&mut bytes.as_slice()).unwrap();
        server.process_new_packets()?;
        let mut bytes = Vec::new();
        server.write_tls(&mut bytes).unwrap();
        client.read_tls(&mut bytes.as_slice()).unwrap();
        client.process_new_packets()?;
    }
    assert!(!client.is_handshaking() && !server.is_handshaking());
    Ok((client, server))
}

fn shown(client: &ClientConnection) -> &CertificateDer<'static> {
    &client.peer_certificates().unwrap()[0]
}

#[test]
fn the_certificate_that_fits_the_name_is_shown_else_the_first() {
    let authority = Authority::new();
    let first = authority.server(&["a.example"]);
    let second = authority.server(&["b.example", "*.wild.example"]);
    let tls = server(&[&first, &second], OldestTls::default());
    let trusting = ClientTls::new(authority.read(), Identities::default()).unwrap();
    for (name, fits) in [
        ("a.example", &first),
        ("b.example", &second),
        ("B.Example", &second),
        ("x.wild.example", &second),
    ] {
        let (client, _) = shake(&tls, trusting.config.clone(), name).unwrap();
        let expected = CertificateDer::from_pem_slice(fits.certificate.as_bytes()).unwrap();
        assert_eq!(*shown(&client), expected, "{name}");
    }
    let error = shake(&tls, trusting.config, "other.example").unwrap_err();
    assert!(error.to_string().contains("not valid for name"), "{error}");
}

#[test]
fn a_key_of_another_certificate_or_none_is_told() {
    let authority = Authority::new();
    let (one, other) = (authority.server(&["a.example"]), authority.server(&["a.example"]));
    let add = |certificate: &str, key: &str| Identities::default().add(certificate, key);
    let error = add(&one.certificate, &other.key).unwrap_err();
    assert_eq!(error, TlsError::KeyMismatch);
    assert!(error.is_of_key());
    assert_eq!(add("", &one.key).unwrap_err(), TlsError::CertificateMissing);
    assert!(matches!(add(&one.certificate, "").unwrap_err(), TlsError::KeyMissing(_)));
    let cut = &one.certificate[..one.certificate.len() / 2];
    assert!(add(cut, &one.key).is_err());
    let garbled = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let error = add(garbled, &one.key).unwrap_err();
    assert!(matches!(error, TlsError::CertificateUnusable(1, _)) && !error.is_of_key(), "{error}");
}

#[test]
fn nothing_of_a_key_is_told_when_it_cannot_be_read() {
    let pair = Authority::new().server(&["a.example"]);
    let body = pair.key.lines().nth(1).unwrap();
    // What becomes of line ends on their way through variables and templates.
    for damaged in [
        pair.key.replace('\n', " "),
        pair.key.replace('\n', "\\n"),
        pair.key.replace('\n', ""),
        pair.key.replace("KEY-----\n", "KEY----- "),
        pair.key.replace("-----END", ""),
        pair.key.replacen(body, "%%%%", 1),
        pair.key.replacen("-----\n", "", 1),
    ] {
        for (certificate, key) in [(&pair.certificate, &damaged), (&damaged, &pair.key)] {
            let told = Identities::default().add(certificate, key).unwrap_err().to_string();
            let as_bytes = body.as_bytes()[..4].iter().map(u8::to_string).collect::<Vec<_>>();
            assert!(!told.contains(&body[..8]), "{told}");
            assert!(!told.contains(&as_bytes.join(", ")), "{told}");
        }
    }
}

#[test]
fn a_listener_that_runs_takes_over_what_may_change_while_it_runs() {
    let (old, new) = (Authority::new(), Authority::new());
    let (first, second) = (old.server(&["a.example"]), old.server(&["a.example"]));
    let expired = old.vouch_until(&["a.example"], 2001);
    let tls = |pair: &Pair, auth, authority: Option<&Authority>| {
        let authorities = authority.map(Authority::read);
        ServerTls::new(identities(&[pair]), authorities, auth, from(OldestTls::Tls12)).unwrap()
    };
    let now = crate::clock::now();
    let required = tls(&first, ClientAuth::Required, Some(&old));
    for (next, expected) in [
        (tls(&first, ClientAuth::Required, Some(&old)), required.clone()),
        (tls(&second, ClientAuth::None, None), tls(&second, ClientAuth::Required, Some(&old))),
        (
            tls(&second, ClientAuth::Optional, Some(&new)),
            tls(&second, ClientAuth::Required, Some(&new)),
        ),
        // An authority that is not trusted any more does not wait for a certificate.
        (
            tls(&expired, ClientAuth::Required, Some(&new)),
            tls(&first, ClientAuth::Required, Some(&new)),
        ),
    ] {
        assert_eq!(required.renewed(&next, now).unwrap(), expected);
    }
    let unasked = tls(&first, ClientAuth::None, None);
    let next = tls(&second, ClientAuth::Required, Some(&new));
    assert_eq!(unasked.renewed(&next, now).unwrap(), tls(&second, ClientAuth::None, None));
}

#[test]
fn client_certificates_are_asked_for_as_is_written() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let pair = authority.server(&["a.example"]);
    let shows = |pair: Option<Pair>| {
        let pairs = pair.iter().collect::<Vec<_>>();
        ClientTls::new(authority.read(), identities(&pairs)).unwrap().config
    };
    let outcome = |auth, client: Arc<ClientConfig>| {
        let trusted = (auth != ClientAuth::None).then(|| authority.read());
        let tls = ServerTls::new(identities(&[&pair]), trusted, auth, from(OldestTls::default()));
        let shaken = shake(&tls.unwrap(), client, "a.example");
        shaken.ok().map(|(_, server)| server.peer_certificates().is_some())
    };
    let (known, unknown) = (|| authority.client(), || stranger.client());
    // Whether there is a connection, and whether it knows a certificate of the client.
    for (auth, none, good, bad) in [
        (ClientAuth::None, Some(false), Some(false), Some(false)),
        (ClientAuth::Optional, Some(false), Some(true), None),
        (ClientAuth::Required, None, Some(true), None),
    ] {
        assert_eq!(outcome(auth, shows(None)), none, "{auth:?}, none");
        assert_eq!(outcome(auth, shows(Some(known()))), good, "{auth:?}, good");
        assert_eq!(outcome(auth, shows(Some(unknown()))), bad, "{auth:?}, bad");
    }
    let for_servers = shows(Some(authority.server(&["client"])));
    assert_eq!(outcome(ClientAuth::Required, for_servers), None, "of a server");
}

#[test]
fn no_version_is_older_than_is_written() {
    let authority = Authority::new();
    let pair = authority.server(&["a.example"]);
    let client = |versions| {
        let builder = ClientConfig::builder_with_provider(provider());
        let builder = builder.with_protocol_versions(versions).unwrap();
        builder.with_root_certificates(authority.read().roots).with_no_client_auth()
    };
    let spoken = |oldest, versions| {
        let shaken = shake(&server(&[&pair], oldest), client(versions), "a.example");
        shaken.ok().and_then(|(client, _)| client.protocol_version())
    };
    let (old, new): (&[_], &[_]) = (&[&version::TLS12], FROM_TLS13);
    assert_eq!(spoken(OldestTls::Tls12, old), Some(ProtocolVersion::TLSv1_2));
    assert_eq!(spoken(OldestTls::Tls12, new), Some(ProtocolVersion::TLSv1_3));
    assert_eq!(spoken(OldestTls::Tls13, old), None);
    assert_eq!(spoken(OldestTls::Tls13, new), Some(ProtocolVersion::TLSv1_3));
}

#[test]
fn http2_is_agreed_on_where_both_speak_it_and_as_is_written_last() {
    let authority = Authority::new();
    let pair = authority.server(&["a.example"]);
    let tls = |http2| {
        let spoken = Spoken { oldest: OldestTls::Tls12, http2 };
        ServerTls::new(identities(&[&pair]), None, ClientAuth::None, spoken).unwrap()
    };
    let agreed = |server: &ServerTls, offered: &[&[u8]]| {
        let trusting = ClientTls::new(authority.read(), Identities::default()).unwrap();
        let mut client = (*trusting.config).clone();
        client.alpn_protocols = offered.iter().map(|name| name.to_vec()).collect();
        let shaken = shake(server, client, "a.example");
        shaken.map(|(_, server)| server.alpn_protocol().map(<[u8]>::to_vec)).ok()
    };
    let (h1, h2) = (Some(Some(ALPN_HTTP1.to_vec())), Some(Some(ALPN_HTTP2.to_vec())));
    let (with, without) = (tls(true), tls(false));
    assert_eq!(agreed(&with, &[ALPN_HTTP1, ALPN_HTTP2]), h2, "we choose");
    assert_eq!(agreed(&with, &[ALPN_HTTP1]), h1);
    assert_eq!(agreed(&with, &[]), Some(None));
    assert_eq!(agreed(&with, &[b"h3"]), None);
    assert_eq!(agreed(&without, &[ALPN_HTTP2, ALPN_HTTP1]), h1);
    assert_eq!(agreed(&without, &[ALPN_HTTP2]), None);
    assert_ne!(with, without);
    let now = crate::clock::now();
    assert_eq!(with.renewed(&without, now).unwrap(), without);
    assert_eq!(without.renewed(&with, now).unwrap(), with);
}

#[test]
fn keys_are_agreed_on_in_a_way_that_outlives_quantum_computers() {
    let authority = Authority::new();
    let pair = authority.server(&["a.example"]);
    let trusting = ClientTls::new(authority.read(), Identities::default()).unwrap();
    let tls = server(&[&pair], OldestTls::default());
    let (client, _) = shake(&tls, trusting.config, "a.example").unwrap();
    let group = client.negotiated_key_exchange_group().unwrap().name();
    assert_eq!(group, NamedGroup::X25519MLKEM768);
    assert_eq!(client.alpn_protocol(), None, "none was asked for");
}

#[test]
fn settings_are_equal_when_they_are_made_of_the_same() {
    let authority = Authority::new();
    let (one, other) = (authority.server(&["a.example"]), authority.server(&["a.example"]));
    let tls = |pair: &Pair, auth, oldest| {
        ServerTls::new(identities(&[pair]), Some(authority.read()), auth, from(oldest)).unwrap()
    };
    let usual = || tls(&one, ClientAuth::Required, OldestTls::Tls12);
    assert_eq!(usual(), usual());
    assert_ne!(usual(), tls(&other, ClientAuth::Required, OldestTls::Tls12));
    assert_ne!(usual(), tls(&one, ClientAuth::Optional, OldestTls::Tls12));
    assert_ne!(usual(), tls(&one, ClientAuth::Required, OldestTls::Tls13));
    let shown = format!("{:?}", usual());
    assert!(!shown.contains("PRIVATE") && !shown.contains("example"), "{shown}");
}
