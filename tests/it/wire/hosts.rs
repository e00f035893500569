//! Whom a request is for.

use super::case::{Case, bare, hold, hold_with, malformed, passes, refused};

const LINE: &str = "GET /orders/1 HTTP/1.1";

#[rustfmt::skip]
pub const CASES: &[Case] = &[
    malformed("no host", "GET /orders/1 HTTP/1.1\nA\n\n"),
    malformed("no host in HTTP/1.0", "GET /orders/1 HTTP/1.0\nA\n\n"),
    malformed("an empty host", "GET /orders/1 HTTP/1.1\nhost:\nA\n\n"),
    malformed("the same host twice", "GET /orders/1 HTTP/1.1\nH\nH\nA\n\n"),
    malformed("two hosts", "GET /orders/1 HTTP/1.1\nH\nhost: evil\nA\n\n"),
    malformed("two hosts, of which one is empty", "GET /orders/1 HTTP/1.1\nH\nhost:\nA\n\n"),
    malformed("two hosts in two spellings", "GET /orders/1 HTTP/1.1\nH\nHOST: evil\nA\n\n"),
    malformed("a list of hosts", "GET /orders/1 HTTP/1.1\nhost: a, evil\nA\n\n"),
    malformed("a list of hosts by blanks", "GET /orders/1 HTTP/1.1\nhost: a evil\nA\n\n"),
    malformed("user information", "GET /orders/1 HTTP/1.1\nhost: a@evil\nA\n\n"),
    malformed("user information with a password", "GET /orders/1 HTTP/1.1\nhost: a:b@evil\nA\n\n"),
    malformed("a path", "GET /orders/1 HTTP/1.1\nhost: a/evil\nA\n\n"),
    malformed("a query", "GET /orders/1 HTTP/1.1\nhost: a?evil\nA\n\n"),
    malformed("a fragment", "GET /orders/1 HTTP/1.1\nhost: a#evil\nA\n\n"),
    malformed("a scheme", "GET /orders/1 HTTP/1.1\nhost: http://a\nA\n\n"),
    malformed("a backslash", "GET /orders/1 HTTP/1.1\nhost: a\\evil\nA\n\n"),
    malformed("an escape", "GET /orders/1 HTTP/1.1\nhost: a%2eevil\nA\n\n"),
    malformed("a port that is empty", "GET /orders/1 HTTP/1.1\nhost: a:\nA\n\n"),
    malformed("a port that is a name", "GET /orders/1 HTTP/1.1\nhost: a:evil\nA\n\n"),
    malformed("a port that is signed", "GET /orders/1 HTTP/1.1\nhost: a:+80\nA\n\n"),
    malformed("a port that is too large", "GET /orders/1 HTTP/1.1\nhost: a:65536\nA\n\n"),
    malformed("two ports", "GET /orders/1 HTTP/1.1\nhost: a:80:81\nA\n\n"),
    malformed("an address without brackets", "GET /orders/1 HTTP/1.1\nhost: ::1\nA\n\n"),
    malformed("an open bracket", "GET /orders/1 HTTP/1.1\nhost: [::1\nA\n\n"),
    malformed("a name in brackets", "GET /orders/1 HTTP/1.1\nhost: [evil]\nA\n\n"),
    malformed("an address with a zone", "GET /orders/1 HTTP/1.1\nhost: [fe80::1%25eth0]\nA\n\n"),
    malformed("something behind the bracket", "GET /orders/1 HTTP/1.1\nhost: [::1]evil\nA\n\n"),
    malformed("an empty label", "GET /orders/1 HTTP/1.1\nhost: a..evil\nA\n\n"),
    malformed("a dot alone", "GET /orders/1 HTTP/1.1\nhost: .\nA\n\n"),
    malformed("two dots at the end", "GET /orders/1 HTTP/1.1\nhost: a..\nA\n\n"),
    malformed("a wildcard", "GET /orders/1 HTTP/1.1\nhost: *\nA\n\n"),
    malformed("a name outside ASCII", "GET /orders/1 HTTP/1.1\nhost: ä\nA\n\n"),
    malformed("octets that are no text", "GET /orders/1 HTTP/1.1\nhost: aÿ\nA\n\n"),
    malformed("an underscored second spelling is no host", "GET /orders/1 HTTP/1.1\nhos_t: a\nA\n\n"),
    bare("a host that is folded", "GET /orders/1 HTTP/1.1\nhost: a\n evil\nA\n\n"),
    bare("a host with a blank before the colon", "GET /orders/1 HTTP/1.1\nhost : a\nA\n\n"),

    passes("a host in capitals with a dot and a port", "GET /orders/1 HTTP/1.1\nhost: API.Example.COM.:8080\nA\n\n", LINE)
        .with(&[("host", Some("api.example.com:8080"))]),
    passes("a host between blanks and tabs", "GET /orders/1 HTTP/1.1\nhost:\t a \t\nA\n\n", LINE).with(&[("host", Some("a"))]),
    passes("a host with an underscore", "GET /orders/1 HTTP/1.1\nhost: a_b\nA\n\n", LINE).with(&[("host", Some("a_b"))]),
    passes("an address", "GET /orders/1 HTTP/1.1\nhost: [::1]:80\nA\n\n", LINE).with(&[("host", Some("[::1]:80"))]),
    passes("what others take for the host", "GET /orders/1 HTTP/1.1\nH\nA\nx-forwarded-host: evil\nx-forwarded-server: evil\nforwarded: host=evil\n\n", LINE)
        .with(&[("host", Some("a")), ("x-forwarded-host", Some("a")), ("x-forwarded-server", None), ("forwarded", None)]),

    passes("a URL with the same host", "GET http://A:80/orders/1?q HTTP/1.1\nhost: a:80\nA\n\n", "GET /orders/1?q HTTP/1.1"),
    passes("a secure URL on a plain connection", "GET https://a/orders/1 HTTP/1.1\nH\nA\n\n", LINE),
    malformed("a URL with another host", "GET http://evil/orders/1 HTTP/1.1\nH\nA\n\n"),
    malformed("a URL with another port", "GET http://a:81/orders/1 HTTP/1.1\nhost: a:80\nA\n\n"),
    malformed("a URL with the port that the host leaves out", "GET http://a:80/orders/1 HTTP/1.1\nH\nA\n\n"),
    malformed("a URL with user information", "GET http://evil@a/orders/1 HTTP/1.1\nH\nA\n\n"),
    malformed("a URL and no host", "GET http://a/orders/1 HTTP/1.1\nA\n\n"),
    malformed("a URL and two hosts", "GET http://a/orders/1 HTTP/1.1\nH\nhost: evil\nA\n\n"),
    malformed("a URL of another scheme", "GET ftp://a/orders/1 HTTP/1.1\nH\nA\n\n"),
];

/// Where an API is for some hosts, other spellings of another host never are it.
#[rustfmt::skip]
pub const ELSEWHERE: &[Case] = &[
    refused(404, "route-unknown", "another host", "GET /orders/1 HTTP/1.1\nhost: b\nA\n\n"),
    refused(404, "route-unknown", "a host below it", "GET /orders/1 HTTP/1.1\nhost: b.a\nA\n\n"),
    refused(404, "route-unknown", "a host that begins so", "GET /orders/1 HTTP/1.1\nhost: a.b\nA\n\n"),
    refused(404, "route-unknown", "a forwarded host", "GET /orders/1 HTTP/1.1\nhost: b\nx-forwarded-host: a\nx-original-host: a\nx-host: a\nforwarded: host=a\nA\n\n"),
    passes("its own host", "GET /orders/1 HTTP/1.1\nhost: A.:1\nA\n\n", LINE).with(&[("host", Some("a:1"))]),
];

#[test]
fn there_is_one_host_and_it_is_what_was_matched() {
    hold(CASES);
}

#[test]
fn no_spelling_of_another_host_is_served() {
    // The request behind each asks for another host too, unless it is let in as well.
    hold_with("hosts: [a, orders.example.com]", "", ELSEWHERE);
}
