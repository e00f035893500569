//! URLs as a configuration writes them: where they lead, and whether anybody could read what comes.

use http::Uri;
use http::uri::Scheme;

use super::context::Context;
use crate::config::{Code, Place};

/// Scheme, host and port of a URL that has nothing behind them. The host of an IPv6 address is without
/// brackets.
pub(super) fn origin(text: &str) -> Option<(Scheme, String, Option<u16>)> {
    let uri = parse(text)?;
    let bare = matches!(uri.path(), "" | "/") && uri.query().is_none() && !text.ends_with('/');
    let host = uri.host().filter(|host| bare && !host.is_empty())?;
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    Some((uri.scheme()?.clone(), host.to_owned(), port(&uri)?))
}

/// Whether `text` is an `http` or `https` URL with a host; says so when not.
pub(super) fn web(ctx: &mut Context<'_, '_>, place: &Place, text: &str) -> bool {
    let fits = is_web(text);
    if !fits {
        let shown = shown(ctx, place, text);
        ctx.report
            .push(Code::UrlInvalid, place, format!("`{shown}` is not a URL"))
            .help("write a whole one: `https://orders.example.com`");
    }
    fits
}

/// What a report may say of a URL that was refused. Where it names a user, a password may stand beside:
/// it is left out, and masked where it was written.
pub(super) fn shown(ctx: &mut Context<'_, '_>, place: &Place, text: &str) -> String {
    let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
    // In a password may be anything that should have been escaped there: the last one counts.
    let Some((_, host)) = rest.rsplit_once('@') else { return text.to_owned() };
    if let Some(span) = ctx.report.locate(place, None, false) {
        ctx.report.mask(place.source, &span);
    }
    if scheme.is_empty() { format!("…@{host}") } else { format!("{scheme}://…@{host}") }
}

/// Whether `text` is an `http` or `https` URL with a host, and no user or fragment.
pub(super) fn is_web(text: &str) -> bool {
    let known = |uri: &Uri| uri.scheme().is_some_and(|s| *s == Scheme::HTTP || *s == Scheme::HTTPS);
    parse(text).is_some_and(|uri| known(&uri) && uri.host().is_some_and(|host| !host.is_empty()))
}

/// Whether a URL is fetched in a way that others may read or change, and is not this machine's own.
pub(super) fn is_open(text: &str) -> bool {
    let Some(uri) = parse(text).filter(|uri| uri.scheme() == Some(&Scheme::HTTP)) else {
        return false;
    };
    let host = uri.host().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<core::net::IpAddr>();
    host != "localhost" && !address.is_ok_and(|address| address.is_loopback())
}

fn parse(text: &str) -> Option<Uri> {
    // `Uri` drops a fragment silently.
    let uri = (!text.contains('#')).then(|| text.parse::<Uri>().ok())??;
    let authority = uri.authority()?.as_str();
    (!authority.contains('@') && port(&uri).is_some()).then_some(uri)
}

/// The port, where one is written; the outer `None` is one that is no port. `Uri` takes any text for
/// a port and then has none, which would silently mean the scheme's.
#[expect(clippy::option_option, reason = "not written and not readable differ")]
fn port(uri: &Uri) -> Option<Option<u16>> {
    let authority = uri.authority()?;
    let rest = authority.as_str().strip_prefix(authority.host())?;
    if rest.is_empty() {
        return Some(None);
    }
    let digits = rest.strip_prefix(':').filter(|port| port.bytes().all(|b| b.is_ascii_digit()))?;
    // Port 0 is nobody's.
    digits.parse().ok().filter(|port| *port != 0).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_of_the_web_have_a_host_and_no_user() {
        for text in ["https://a.example/", "http://127.0.0.1:1/x?y", "https://a"] {
            assert!(is_web(text), "{text}");
        }
        for text in [
            "",
            "a",
            "/a",
            "urn:a:b",
            "ftp://a/",
            "https://",
            "https://u@a/",
            "https://a/#b",
            "https://a:x/",
            "https://a:/",
            "https://a:0",
        ] {
            assert!(!is_web(text), "{text}");
        }
    }

    #[test]
    fn plain_http_is_open_beyond_loopback() {
        assert!(is_open("http://a.example/") && is_open("http://10.0.0.1/"));
        for text in
            ["https://a.example/", "http://localhost:1/", "http://127.0.0.2/", "http://[::1]:9/"]
        {
            assert!(!is_open(text), "{text}");
        }
    }
}
