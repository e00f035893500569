//! How long an answer stays fresh, as its headers say (RFC 9111 section 4.2).
//!
//! In come headers and the time; out comes how long the answer may be used from now on, or nothing
//! where they do not say. What cannot be read counts as stale. It never says how long is sensible:
//! that is for who asks.

use std::time::{Duration, SystemTime};

use http::HeaderMap;
use http::header::{AGE, CACHE_CONTROL, DATE, EXPIRES, HeaderName};

/// How long an answer with these headers, which came at `now`, stays fresh.
pub(super) fn fresh_for(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let lifetime = by_cache_control(headers).or_else(|| by_expiry(headers, now))?;
    let age = text(headers, &AGE).map_or(Some(Duration::ZERO), seconds);
    Some(age.map_or(Duration::ZERO, |age| lifetime.saturating_sub(age)))
}

/// By the shortest of what `Cache-Control` says (RFC 9111 section 5.2.2).
fn by_cache_control(headers: &HeaderMap) -> Option<Duration> {
    let values = headers.get_all(CACHE_CONTROL).iter();
    let directives = values.filter_map(|value| value.to_str().ok()).flat_map(|all| all.split(','));
    let lifetimes = directives.filter_map(|directive| {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        let name = name.trim();
        if name.eq_ignore_ascii_case("max-age") {
            Some(seconds(value.trim().trim_matches('"')).unwrap_or_default())
        } else {
            let stale = ["no-cache", "no-store"].iter().any(|no| name.eq_ignore_ascii_case(no));
            stale.then_some(Duration::ZERO)
        }
    });
    lifetimes.min()
}

/// From `Date` to `Expires` (RFC 9111 section 5.3).
fn by_expiry(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let expires = httpdate::parse_http_date(text(headers, &EXPIRES)?);
    let begin = text(headers, &DATE).and_then(|date| httpdate::parse_http_date(date).ok());
    // `0` and other texts that are no date mean that it is over.
    let lifetime = expires.ok().and_then(|end| end.duration_since(begin.unwrap_or(now)).ok());
    Some(lifetime.unwrap_or_default())
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).map(|value| value.to_str().unwrap_or_default().trim())
}

/// A number of seconds; one beyond all bounds is the longest (RFC 9111 section 1.2.2).
fn seconds(text: &str) -> Option<Duration> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| Duration::from_secs(text.parse().unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The freshness, in seconds, of an answer that came on 2026-01-01T00:00:00Z.
    fn fresh(lines: &[(&'static str, &'static str)]) -> Option<u64> {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, value.parse().unwrap());
        }
        let now = SystemTime::UNIX_EPOCH + Duration::from_hours(490_896);
        fresh_for(&headers, now).map(|fresh| fresh.as_secs())
    }

    #[test]
    fn cache_control_says_how_long() {
        assert_eq!(fresh(&[]), None);
        assert_eq!(fresh(&[("cache-control", "public")]), None);
        assert_eq!(fresh(&[("cache-control", "public, Max-Age=300")]), Some(300));
        assert_eq!(fresh(&[("cache-control", "max-age=\"300\"")]), Some(300));
        assert_eq!(fresh(&[("cache-control", "max-age=300"), ("age", "100")]), Some(200));
        assert_eq!(fresh(&[("cache-control", "max-age=300"), ("age", "301")]), Some(0));
        assert_eq!(fresh(&[("cache-control", "max-age=99999999999999999999")]), Some(u64::MAX));
        // What only shared caches may do is not ours.
        assert_eq!(fresh(&[("cache-control", "s-maxage=5, max-age=300")]), Some(300));
    }

    #[test]
    fn what_must_not_be_stored_or_cannot_be_read_is_stale() {
        for value in ["no-store", "max-age=300, no-cache", "NO-CACHE", "max-age", "max-age=-1"] {
            assert_eq!(fresh(&[("cache-control", value)]), Some(0), "{value}");
        }
        assert_eq!(fresh(&[("cache-control", "max-age=300"), ("age", "old")]), Some(0));
        let twice = [("cache-control", "max-age=300"), ("cache-control", "max-age=30")];
        assert_eq!(fresh(&twice), Some(30));
    }

    #[test]
    fn an_expiry_counts_where_no_age_is_said() {
        let expires = ("expires", "Thu, 01 Jan 2026 01:00:00 GMT");
        assert_eq!(fresh(&[expires]), Some(3600));
        // The issuer's clock is measured with the issuer's clock.
        assert_eq!(fresh(&[expires, ("date", "Thu, 01 Jan 2026 00:30:00 GMT")]), Some(1800));
        assert_eq!(fresh(&[expires, ("age", "600")]), Some(3000));
        assert_eq!(fresh(&[expires, ("cache-control", "max-age=5")]), Some(5));
        assert_eq!(fresh(&[expires, ("date", "Thu, 01 Jan 2026 02:00:00 GMT")]), Some(0));
        assert_eq!(fresh(&[("expires", "0")]), Some(0));
    }
}
