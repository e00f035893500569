//! Which URLs may be fetched.
//!
//! In comes a text from the configuration or from a stranger's document; out comes a URL that may be
//! asked for, or why not. Names are not looked up.

use std::net::IpAddr;

use http::Uri;
use http::uri::{Authority, Scheme};

use super::{FetchFailure, PlainHttp};

/// Takes a URL apart, if it may be fetched.
pub(super) fn parse(url: &str, plain: PlainHttp) -> Result<(Uri, Authority), FetchFailure> {
    let uri: Uri = url.parse().map_err(|_| FetchFailure::Url("is not a URL"))?;
    let authority = uri.authority().ok_or(FetchFailure::Url("is not a URL with a host"))?.clone();
    if authority.as_str().contains('@') {
        return Err(FetchFailure::Url("a URL with a user or a password is not fetched"));
    }
    if authority.host().is_empty() {
        return Err(FetchFailure::Url("is not a URL with a host"));
    }
    match uri.scheme() {
        Some(scheme) if *scheme == Scheme::HTTPS => {}
        Some(scheme) if *scheme == Scheme::HTTP => {
            let allowed = match plain {
                PlainHttp::Anywhere => true,
                PlainHttp::Loopback => is_loopback(authority.host()),
                PlainHttp::Nowhere => false,
            };
            if !allowed {
                return Err(FetchFailure::Plain);
            }
        }
        _ => return Err(FetchFailure::Url("only https and http are fetched")),
    }
    Ok((uri, authority))
}

/// Whether a URL's host is this machine itself. Other names are not looked up: what they mean is
/// for whoever answers for them to say.
fn is_loopback(host: &str) -> bool {
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    host.eq_ignore_ascii_case("localhost")
        || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// What to call a URL in an error, without what may be a password.
pub(super) fn host_of(url: &str) -> &str {
    let host = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = host.split(['/', '?', '#']).next().unwrap_or_default();
    host.rsplit_once('@').map_or(host, |(_, host)| host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_loopback() {
        for url in
            ["http://127.0.0.1/", "http://127.9.9.9:81/x", "http://[::1]:8/", "http://LocalHost"]
        {
            assert!(parse(url, PlainHttp::Loopback).is_ok(), "{url}");
            assert!(matches!(parse(url, PlainHttp::Nowhere), Err(FetchFailure::Plain)), "{url}");
        }
        for url in
            ["http://example.com/", "http://10.0.0.1/", "http://localhost.example/", "http://[::]/"]
        {
            let refused = parse(url, PlainHttp::Loopback);
            assert!(matches!(refused, Err(FetchFailure::Plain)), "{url}: {refused:?}");
            assert!(parse(url, PlainHttp::Anywhere).is_ok(), "{url}");
        }
    }
}
