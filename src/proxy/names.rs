//! Names of header fields, and what becomes of those that carry them.
//!
//! Servers behind the gate may turn a name's punctuation into `_` (CGI, RFC 3875 section 4.1.18), so that
//! `X_Forwarded_For` and `X-Forwarded-For` become one. Names are compared in that spelling here: what may
//! not pass in one spelling passes in none.

/// What becomes of a request's header field because of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It says who connected to whom; passes from trusted proxies alone.
    Forwarded,
    /// It concerns one connection, or frames one message: each side has its own.
    Hop,
    /// It could only be written by us.
    Ours,
    /// It is the application's.
    Pass,
    /// It would steer or vouch where nobody but the gate does.
    Spoof,
}

/// Names of whole fields, written with `_`.
const EXACT: &[(&str, Fate)] = &[
    ("connection", Fate::Hop),
    ("content_length", Fate::Hop),
    ("expect", Fate::Hop),
    ("forwarded", Fate::Forwarded),
    ("http2_settings", Fate::Hop),
    ("keep_alive", Fate::Hop),
    ("proxy_authenticate", Fate::Hop),
    ("proxy_authentication_info", Fate::Hop),
    ("proxy_authorization", Fate::Spoof),
    ("proxy_connection", Fate::Hop),
    ("te", Fate::Hop),
    ("transfer_encoding", Fate::Hop),
    ("upgrade", Fate::Hop),
    ("x_arr_clientcert", Fate::Spoof),
    ("x_forwarded_client_cert", Fate::Spoof),
    ("x_http_method", Fate::Spoof),
    ("x_http_method_override", Fate::Spoof),
    ("x_method_override", Fate::Spoof),
    ("x_original_url", Fate::Spoof),
    ("x_real_ip", Fate::Forwarded),
    ("x_rewrite_url", Fate::Spoof),
];

/// Beginnings of names. Of two that fit, the earlier counts.
const FAMILIES: &[(&str, Fate)] = &[
    ("client_cert", Fate::Spoof),
    ("grantgate_", Fate::Ours),
    ("ssl_client_", Fate::Spoof),
    ("x_amzn_mtls_", Fate::Spoof),
    ("x_client_cert", Fate::Spoof),
    ("x_forwarded_tls_client_", Fate::Spoof),
    ("x_forwarded_", Fate::Forwarded),
    ("x_ssl_client_", Fate::Spoof),
];

/// Further names that a trailer may not have: a message is routed, authenticated and read before its
/// trailers come (RFC 9110 section 6.5.1).
const NO_TRAILERS: &[&str] = &[
    "age",
    "authorization",
    "cache_control",
    "content_encoding",
    "content_range",
    "content_type",
    "cookie",
    "host",
    "location",
    "max_forwards",
    "set_cookie",
    "trailer",
    "via",
    "www_authenticate",
];

/// Further names that `Connection` may not have removed. By some of them a request was taken for a
/// preflight, or its page for one that may send a token: without them the upstream would take it for another.
const KEPT: &[&str] = &[
    "access_control_request_headers",
    "access_control_request_method",
    "authorization",
    "content_type",
    "cookie",
    "host",
    "origin",
    "trailer",
    "via",
    "www_authenticate",
];

/// What becomes of a request's field with this name, which is in lower case.
pub(super) fn fate(name: &str) -> Fate {
    let exact = EXACT.iter().find(|(exact, _)| name.len() == exact.len() && begins(name, exact));
    let family = || FAMILIES.iter().find(|(family, _)| begins(name, family));
    exact.or_else(family).map_or(Fate::Pass, |&(_, fate)| fate)
}

/// Whether a trailer with this name passes.
pub(super) fn may_trail(name: &str) -> bool {
    fate(name) == Fate::Pass && !is_any(name, NO_TRAILERS)
}

/// Whether a request whose `Connection` has this name is malformed: the field is ours to write, to read
/// or to frame by.
pub(super) fn must_stay(name: &str) -> bool {
    match fate(name) {
        Fate::Forwarded | Fate::Ours => true,
        Fate::Hop => is_any(name, &["content_length", "expect", "transfer_encoding"]),
        Fate::Pass | Fate::Spoof => is_any(name, KEPT),
    }
}

/// Whether a name is spelled as names are: no other punctuation that some server takes for a dash.
pub(super) fn is_spelled_with_dashes(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn is_any(name: &str, names: &[&str]) -> bool {
    names.iter().any(|other| name.len() == other.len() && begins(name, other))
}

/// Whether `name`, with `_` for all punctuation, begins with `plain`.
fn begins(name: &str, plain: &str) -> bool {
    let fold = |byte: u8| if byte.is_ascii_alphanumeric() { byte } else { b'_' };
    name.len() >= plain.len() && name.bytes().map(fold).zip(plain.bytes()).all(|(a, b)| a == b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_fate_in_every_spelling() {
        for (names, expected) in [
            ("grantgate-client-id grantgate_client_id grantgate.x grantgate-", Fate::Ours),
            (
                "x-forwarded-for x_forwarded_for x-forwarded_host forwarded x-real-ip",
                Fate::Forwarded,
            ),
            (
                "x-forwarded-client-cert x_forwarded_client_cert x-forwarded-tls-client-cert",
                Fate::Spoof,
            ),
            (
                "client-cert client-cert-chain x-client-cert x-ssl-client-dn ssl-client-s-dn",
                Fate::Spoof,
            ),
            ("x-original-url x_rewrite_url x-http-method_override x-method-override", Fate::Spoof),
            ("connection keep-alive te transfer_encoding content_length upgrade", Fate::Hop),
            (
                "accept x-request-id authorization host trailer grantgates x-forward cookie",
                Fate::Pass,
            ),
        ] {
            for name in names.split(' ') {
                assert_eq!(fate(name), expected, "{name}");
            }
        }
    }

    #[test]
    fn nothing_that_is_read_before_the_body_may_trail_it() {
        for name in ["authorization", "host", "content-length", "grantgate_subject", "x_real_ip"] {
            assert!(!may_trail(name), "{name}");
        }
        assert!(may_trail("x-checksum"));
    }
}
