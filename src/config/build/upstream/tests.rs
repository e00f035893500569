//! Upstreams as they are written, and what they mean.

use std::collections::BTreeMap;
use std::path::Path;

use crate::config::snapshot::Upstream;
use crate::config::{Outside, Report, Source, load};
use crate::policy::UnixTime;

/// Files by their paths.
struct Files(BTreeMap<&'static str, String>);

impl Outside for Files {
    fn env(&self, _: &str) -> Option<String> {
        None
    }

    fn file(&self, _: &str, path: &str) -> Result<String, String> {
        self.0.get(path).cloned().ok_or_else(|| "no such file".to_owned())
    }
}

impl Files {
    /// An authority's certificate and its key, and the same of another, under names that differ.
    fn new() -> Self {
        let pem = |name: &str| {
            let pair = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
            (pair.cert.pem(), pair.signing_key.serialize_pem())
        };
        let ((one, one_key), (two, two_key)) = (pem("one"), pem("two"));
        Self(BTreeMap::from([
            ("one.crt", one.clone()),
            ("copy-of-one.crt", one),
            ("one.key", one_key),
            ("two.crt", two),
            ("two.key", two_key),
            ("empty", String::new()),
        ]))
    }

    fn load(&self, upstream: &str, tls: &str) -> Result<Upstream, Report> {
        let text = format!(
            "
issuers: [{{issuer: 'https://a.example/', profile: auth0}}]
resource_servers:
  - identifier: https://api.example
    scopes: [{{value: read}}]
    subject_type_authorization: {{user: {{policy: deny_all}}, client: {{policy: deny_all}}}}
    gate: {{upstream: '{upstream}', {tls} operations: [{{on: GET /x, scopes: [read]}}]}}
client_grants: []
"
        );
        let now = UnixTime::from_seconds(1_795_305_600);
        let mut snapshot = load(&[Source::new("gateway.yaml", text)], self, now)?.snapshot;
        Ok(snapshot.apis.remove(0).upstream.unwrap())
    }

    fn upstream(&self, upstream: &str, tls: &str) -> Upstream {
        self.load(upstream, tls).unwrap_or_else(|report| panic!("{report}"))
    }

    fn codes(&self, upstream: &str, tls: &str) -> Vec<&'static str> {
        let report = self.load(upstream, tls).expect_err("it was taken");
        report.iter().map(|diagnostic| diagnostic.code.as_str()).collect()
    }
}

#[test]
fn a_secure_upstream_is_for_its_host_unless_another_name_is_written() {
    let files = Files::new();
    for (url, name, host, port, expected) in [
        ("https://orders.internal", "", "orders.internal", 443, "orders.internal"),
        ("https://orders.internal:8443", "", "orders.internal", 8443, "orders.internal"),
        ("https://127.0.0.1:1", "server_name: orders.internal", "127.0.0.1", 1, "orders.internal"),
        ("https://127.0.0.1", "", "127.0.0.1", 443, "127.0.0.1"),
        ("https://[::1]:1", "", "::1", 1, "::1"),
        ("https://orders.internal", "server_name: 10.0.0.7", "orders.internal", 443, "10.0.0.7"),
    ] {
        let upstream = files.upstream(url, &format!("upstream_tls: {{{name}}},"));
        let Upstream::Tcp { host: its_host, port: its_port, tls: Some(tls) } = upstream else {
            panic!("{upstream:?}");
        };
        assert_eq!((its_host.as_str(), its_port), (host, port), "{url}");
        assert_eq!(tls.server_name.to_str(), expected, "{url}");
    }
    for name in ["''", "'a b'", "'*.internal'", "'[::1]'", "'a:443'"] {
        let tls = format!("upstream_tls: {{server_name: {name}}},");
        assert_eq!(files.codes("https://orders.internal", &tls), ["host-invalid"], "{name}");
    }
}

#[test]
fn an_upstream_is_another_when_its_files_say_something_else() {
    let mut files = Files::new();
    let url = "https://orders.internal";
    let trusting = |files: &Files, ca: &str| {
        files.upstream(url, &format!("upstream_tls: {{ca: {ca}, cert: two.crt, key: two.key}},"))
    };
    let before = trusting(&files, "one.crt");
    assert_eq!(trusting(&files, "one.crt"), before);
    assert_eq!(trusting(&files, "copy-of-one.crt"), before, "the text counts, not where it is");
    assert_ne!(trusting(&files, "two.crt"), before);
    assert_ne!(files.upstream(url, "upstream_tls: {ca: one.crt},"), before);
    assert_ne!(files.upstream(url, ""), before);
    let renewed = Files::new();
    files.0.extend(renewed.0.into_iter().filter(|(path, _)| path.starts_with("two")));
    assert_ne!(trusting(&files, "one.crt"), before, "a certificate was renewed");
}

#[test]
fn tls_that_cannot_be_spoken_is_refused_where_it_is_written() {
    let files = Files::new();
    let url = "https://orders.internal";
    for (tls, expected) in [
        ("ca: gone.crt", "file-unreadable"),
        ("ca: empty", "authorities-invalid"),
        ("ca: one.key", "authorities-invalid"),
        ("cert: one.crt", "key-missing"),
        ("key: one.key", "key-missing"),
        ("cert: one.crt, key: two.key", "certificate-invalid"),
        ("cert: empty, key: one.key", "certificate-invalid"),
        ("cert: one.crt, key: empty", "certificate-invalid"),
    ] {
        assert_eq!(files.codes(url, &format!("upstream_tls: {{{tls}}},")), [expected], "{tls}");
    }
    for plain in ["http://orders.internal", "unix:/run/orders.sock"] {
        assert_eq!(files.codes(plain, "upstream_tls: {ca: one.crt},"), ["upstream-tls-unused"]);
    }
}

#[test]
fn a_socket_is_named_by_its_whole_path() {
    let files = Files::new();
    let upstream = files.upstream("unix:/run/orders.sock", "");
    assert!(matches!(&upstream, Upstream::Unix(path) if path == Path::new("/run/orders.sock")));
    assert_eq!(upstream.to_string(), "unix:/run/orders.sock");
    let long = format!("unix:/{}", "x".repeat(107));
    for bad in ["unix:", "unix:orders.sock", "unix:/run/", "unix://", &long] {
        assert_eq!(files.codes(bad, ""), ["address-invalid"], "{bad}");
    }
}

#[test]
fn a_password_in_a_url_is_not_shown() {
    let files = Files::new();
    for url in ["http://ann:hunter2@orders", "https://hunter2@orders/x", "http://a:hun@ter2@orders"]
    {
        let gate = files.load(url, "").unwrap_err();
        let public = files.load("http://orders", &format!("public_url: '{url}',")).unwrap_err();
        for report in [gate, public] {
            let (text, json) = (report.to_string(), report.to_json().to_string());
            assert!(text.contains("://…@orders"), "{text}");
            assert!(!text.contains("ter2") && !json.contains("ter2"), "{text}{json}");
        }
    }
    let text =
        "issuers: [{issuer: 'https://a.example/', jwks_uri: 'https://ann:hunter2@a.example'}]";
    let now = UnixTime::from_seconds(0);
    let report = load(&[Source::new("gateway.yaml", text)], &files, now).unwrap_err().to_string();
    assert!(report.contains("…@a.example") && !report.contains("hunter2"), "{report}");
}
