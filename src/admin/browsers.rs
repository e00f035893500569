//! Who may ask the admin listener: whoever can reach it, but no page that a browser shows.
//!
//! A page from elsewhere can have a browser on this machine ask loopback, and by rebinding its own name to
//! loopback it can read the answers (DNS rebinding). Such a request bears the page's name in `Host`, so
//! that only an IP address or `localhost` is believed; and browsers say in `Origin` and `Sec-Fetch-Site`
//! for whom they ask. What is missing or comes twice is refused: deny is the answer to doubt.

use std::net::IpAddr;

use http::header::{HOST, HeaderMap, ORIGIN};
use http::uri::Authority;
use http::{Request, StatusCode};
use serde_json::json;

use super::answer::Answer;

/// Why somebody is not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turned {
    /// It asks for a host that this is not.
    Host,
    /// A browser asks for a page from elsewhere.
    Origin,
}

/// Whether a request is answered.
pub(super) fn admit<B>(request: &Request<B>) -> Result<(), Turned> {
    let mut hosts = request.headers().get_all(HOST).iter();
    let host = match (hosts.next(), hosts.next()) {
        (Some(host), None) => host.to_str().ok().and_then(|host| host.parse().ok()),
        _ => None,
    };
    let named = request.uri().authority();
    if !host.as_ref().is_some_and(is_here) || !named.is_none_or(is_here) {
        return Err(Turned::Host);
    }
    if comes_from_elsewhere(request.headers()) { Err(Turned::Origin) } else { Ok(()) }
}

/// Whether a host is an IP address or `localhost`, with a port or without.
fn is_here(host: &Authority) -> bool {
    let name = host.host();
    let address = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    let is_whole = host.as_str().len() == name.len() || host.port_u16().is_some();
    let is_plain = !host.as_str().contains('@');
    let is_ours = name.eq_ignore_ascii_case("localhost") || address.parse::<IpAddr>().is_ok();
    is_whole && is_plain && is_ours
}

/// Whether a browser says so. One that shows an answer because somebody typed its address says `none`.
fn comes_from_elsewhere(headers: &HeaderMap) -> bool {
    let mut sites = headers.get_all("sec-fetch-site").iter();
    headers.contains_key(ORIGIN) || sites.any(|site| site != "none" && site != "same-origin")
}

impl Turned {
    /// What is said to whoever is not answered.
    pub(super) fn answer(self) -> Answer {
        let (code, title, detail) = match self {
            Self::Host => (
                "admin-host-refused",
                "this host is not answered here",
                "ask by an IP address or `localhost`",
            ),
            Self::Origin => (
                "admin-origin-refused",
                "pages of other sites are not answered",
                "ask from a command line, or type the address",
            ),
        };
        let status = StatusCode::FORBIDDEN;
        let problem = json!({
            "type": format!("urn:grantgate:problem:{code}"),
            "title": title, "status": status.as_u16(), "detail": detail, "code": code,
        });
        Answer::new(status, "application/problem+json", format!("{problem}\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admitted(fields: &[(&str, &str)]) -> Result<(), Turned> {
        let request = Request::get("/status");
        let with = |request: http::request::Builder, (name, value): &(&str, &str)| {
            request.header(*name, *value)
        };
        admit(&fields.iter().fold(request, with).body(()).unwrap())
    }

    #[test]
    fn a_host_is_an_address_or_localhost() {
        for host in [
            "127.0.0.1:9181",
            "127.0.0.1",
            "localhost:9181",
            "LOCALHOST",
            "[::1]:9181",
            "[::1]",
            "10.0.0.7:80",
        ] {
            assert_eq!(admitted(&[("host", host)]), Ok(()), "{host}");
        }
        for host in [
            "evil.example:9181",
            "localhost.evil.example",
            "127.0.0.1.nip.io",
            "localhost.",
            "",
            "localhost:",
            "localhost:x",
            "user@localhost",
            "::1",
            "0x7f000001",
            "2130706433",
            "a b",
            "127.1",
            "[::1",
            "[localhost]",
            "localhost:99999",
        ] {
            assert_eq!(admitted(&[("host", host)]), Err(Turned::Host), "{host}");
        }
        assert_eq!(admitted(&[]), Err(Turned::Host));
        assert_eq!(admitted(&[("host", "localhost"), ("host", "localhost")]), Err(Turned::Host));
        let absolute = Request::get("http://evil.example/status").header("host", "localhost");
        assert_eq!(admit(&absolute.body(()).unwrap()), Err(Turned::Host));
    }

    #[test]
    fn no_page_from_elsewhere_is_answered() {
        let host = ("host", "localhost:9181");
        for field in [
            ("origin", "https://evil.example"),
            ("origin", "null"),
            ("origin", "http://localhost:9181"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            ("sec-fetch-site", "whatever"),
        ] {
            assert_eq!(admitted(&[host, field]), Err(Turned::Origin), "{field:?}");
        }
        for site in ["none", "same-origin"] {
            assert_eq!(admitted(&[host, ("sec-fetch-site", site)]), Ok(()));
        }
        let both = [host, ("sec-fetch-site", "none"), ("sec-fetch-site", "cross-site")];
        assert_eq!(admitted(&both), Err(Turned::Origin));
    }
}
