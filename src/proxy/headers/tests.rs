use http::header::{CONTENT_TYPE, VIA};

use super::*;

fn fields(text: &str) -> HeaderMap {
    let fields = text.lines().map(|line| line.trim().split_once(": ").unwrap());
    fields
        .map(|(name, value)| {
            (HeaderName::try_from(name).unwrap(), HeaderValue::try_from(value).unwrap())
        })
        .collect()
}

fn forward(text: &str, trusted: bool, body: &SizeHint) -> HeaderMap {
    forward_of(Version::HTTP_11, text, trusted, body)
}

fn forward_of(version: Version, text: &str, trusted: bool, body: &SizeHint) -> HeaderMap {
    let mut headers = fields(text);
    let host = HeaderValue::from_static("api.example.com");
    let via = Via::new();
    let address = Some(([192, 0, 2, 7], 4711).into());
    let peer = &Peer { address, secure: false, admitted_for: None };
    let origin = Origin { peer, trusted, host: &host, version, via: &via };
    request(&mut headers, &origin, body);
    headers
}

fn value<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    assert!(headers.get_all(name).iter().count() < 2, "{name}: {headers:?}");
    headers.get(name).map(|value| value.to_str().unwrap())
}

#[test]
fn cookies_that_http2_takes_apart_go_on_as_one_field() {
    let apart = "Cookie: a=1\nCookie: b=2; c=3\nCookie: d";
    let none = &SizeHint::with_exact(0);
    let headers = forward_of(Version::HTTP_2, apart, false, none);
    assert_eq!(value(&headers, "cookie"), Some("a=1; b=2; c=3; d"));
    assert!(value(&headers, "via").unwrap().starts_with("2.0 grantgate-"));
    let headers = forward_of(Version::HTTP_11, apart, false, none);
    assert_eq!(headers.get_all("cookie").iter().count(), 3, "not ours to mend");
}

#[test]
fn nothing_of_another_connection_or_of_ours_goes_on() {
    let headers = forward(
        "Host: other
         Accept: */*
         Connection: close, X-Mine
         X-Mine: 1
         Keep-Alive: timeout=5
         Proxy-Authorization: Basic x
         Upgrade: websocket
         Expect: 100-continue
         TE: gzip
         Grantgate-Subject: boss
         GRANTGATE_SCOPES: all
         X-Original-URL: /admin
         X_HTTP_Method_Override: DELETE
         X-SSL-Client-Verify: SUCCESS
         Client-Cert: :x:
         Cookie: a=b",
        false,
        &SizeHint::with_exact(0),
    );
    let mut names: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
    names.sort_unstable();
    let forwarded = ["x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"];
    let expected: Vec<_> =
        ["accept", "cookie", "host", "via"].into_iter().chain(forwarded).collect();
    assert_eq!(names, expected);
    assert_eq!(value(&headers, "host"), Some("api.example.com"));
}

#[test]
fn only_a_trusted_proxy_may_say_who_came_before() {
    let text = "X-Forwarded-For: 10.0.0.1
                X-Forwarded-Proto: https
                X-Forwarded-Prefix: /v1
                X_Forwarded_Host: evil
                Forwarded: for=10.0.0.1";
    let size = SizeHint::with_exact(0);
    let stranger = forward(text, false, &size);
    assert_eq!(value(&stranger, "x-forwarded-for"), Some("192.0.2.7"));
    assert_eq!(value(&stranger, "x-forwarded-proto"), Some("http"));
    for name in ["x-forwarded-prefix", "x_forwarded_host", "forwarded"] {
        assert_eq!(value(&stranger, name), None, "{name}");
    }
    let trusted = forward(text, true, &size);
    assert_eq!(value(&trusted, "x-forwarded-for"), Some("10.0.0.1, 192.0.2.7"));
    assert_eq!(value(&trusted, "x-forwarded-proto"), Some("https"));
    assert_eq!(value(&trusted, "x-forwarded-host"), Some("api.example.com"));
    assert_eq!(value(&trusted, "x_forwarded_host"), None, "it did not write that itself");
    let hops: Vec<_> = trusted.get_all(FORWARDED).iter().collect();
    assert_eq!(hops, ["for=10.0.0.1", "for=192.0.2.7"]);
}

#[test]
fn a_request_has_one_framing() {
    let framing = |text: &str, size: &SizeHint| {
        let headers = forward(text, false, size);
        let value = |name| value(&headers, name).map(str::to_owned);
        (value("content-length"), value("transfer-encoding"))
    };
    let (length, chunked) = (|text: &str| Some(text.to_owned()), Some("chunked".to_owned()));
    let (none, three) = (SizeHint::with_exact(0), SizeHint::with_exact(3));
    assert_eq!(framing("A: b", &none), (None, None));
    assert_eq!(framing("Content-Length: 0", &none), (length("0"), None));
    assert_eq!(framing("Content-Length: 3", &three), (length("3"), None));
    assert_eq!(
        framing("Transfer-Encoding: chunked", &SizeHint::default()),
        (None, chunked.clone())
    );
    assert_eq!(
        framing("Content_Length: 9\nTransfer-Encoding: chunked", &SizeHint::default()),
        (None, chunked)
    );
}

#[test]
fn trailers_are_asked_for_only_by_who_takes_them() {
    let size = SizeHint::with_exact(0);
    let headers = forward("TE: gzip, trailers;q=0.5", false, &size);
    assert_eq!(
        (value(&headers, "te"), value(&headers, "connection")),
        (Some("trailers"), Some("te"))
    );
    assert_eq!(value(&forward("A: b", false, &size), "te"), None);
}

#[test]
fn a_response_loses_what_concerns_its_connection() {
    let mut headers = fields(
        "Connection: X-Hop
         X-Hop: 1
         Keep-Alive: timeout=5
         Transfer-Encoding: chunked
         Content-Type: text/plain
         Grantgate-Anything: of the application
         Content-Length: 9",
    );
    response(&mut headers, Version::HTTP_11, &Via::new());
    let mut names: Vec<_> = headers.keys().cloned().collect();
    names.sort_unstable_by(|a, b| a.as_str().cmp(b.as_str()));
    assert_eq!(names, [CONTENT_TYPE, HeaderName::from_static("grantgate-anything"), VIA]);
}
