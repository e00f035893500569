//! What a request aims at, and by which method.

use super::case::{Case, bare, hold, malformed, passes, refused};
use super::strict::Framing;

const LINE: &str = "GET /orders/1 HTTP/1.1";

#[rustfmt::skip]
pub const CASES: &[Case] = &[
    malformed("authority-form", "GET a:80 HTTP/1.1\nhost: a:80\nA\n\n"),
    malformed("asterisk-form", "GET * HTTP/1.1\nH\nA\n\n"),
    malformed("OPTIONS for the server as a whole", "OPTIONS * HTTP/1.1\nH\nA\n\n"),
    malformed("CONNECT to elsewhere", "CONNECT evil:443 HTTP/1.1\nhost: evil:443\nA\n\n"),
    malformed("CONNECT to here", "CONNECT a:80 HTTP/1.1\nhost: a:80\nA\n\n"),
    malformed("CONNECT with a path", "CONNECT /orders/1 HTTP/1.1\nH\nA\n\n"),
    malformed("CONNECT to what is public", "CONNECT /open/x HTTP/1.1\nH\n\n"),
    malformed("TRACE", "TRACE /orders/1 HTTP/1.1\nH\nA\n\n"),
    malformed("TRACE of what is public", "TRACE /open/x HTTP/1.1\nH\n\n"),
    bare("no slash", "GET orders/1 HTTP/1.1\nH\nA\n\n"),
    bare("an empty target", "GET  HTTP/1.1\nH\nA\n\n"),
    bare("a blank in the target", "GET /orders/1 evil HTTP/1.1\nH\nA\n\n"),
    bare("two blanks before the target", "GET  /orders/1 HTTP/1.1\nH\nA\n\n"),
    bare("NUL in the target", "GET /orders/1␀ HTTP/1.1\nH\nA\n\n"),
    bare("an octet in the target that is no text", "GET /orders/ÿ HTTP/1.1\nH\nA\n\n"),
    bare("a control character in the target", "GET /orders/\u{7f} HTTP/1.1\nH\nA\n\n"),
    bare("a scheme without authority", "GET http:/orders/1 HTTP/1.1\nH\nA\n\n"),
    bare("a URL without a host", "GET http:///orders/1 HTTP/1.1\nH\nA\n\n"),
    bare("a scheme that ends early", "GET http:orders/1 HTTP/1.1\nH\nA\n\n"),
    bare("only a query", "GET ?x HTTP/1.1\nH\nA\n\n"),
    malformed("raw UTF-8 in the query", "GET /orders/1?ü HTTP/1.1\nH\nA\n\n"),
    malformed("raw UTF-8 in the query of what is public", "GET /open/x?ü HTTP/1.1\nH\n\n"),
    bare("an octet in the query that is no text", "GET /orders/1?ÿ HTTP/1.1\nH\nA\n\n"),

    refused(400, "path-ambiguous", "a path that looks like an authority", "GET //evil/orders/1 HTTP/1.1\nH\nA\n\n"),
    refused(400, "path-ambiguous", "raw UTF-8", "GET /orders/ü HTTP/1.1\nH\nA\n\n"),
    refused(400, "path-ambiguous", "a backslash", "GET /orders\\1 HTTP/1.1\nH\nA\n\n"),
    refused(400, "path-ambiguous", "a URL within the path", "GET /http://evil/ HTTP/1.1\nH\nA\n\n"),

    // A fragment is hyper's: it and what follows it is cut off, before anything is matched.
    passes("a fragment", "GET /orders/1#/../../open/x HTTP/1.1\nH\nA\n\n", LINE),
    passes("a fragment with a query", "GET /orders/1#evil?evil HTTP/1.1\nH\nA\n\n", LINE),
    passes("a query with a fragment", "GET /orders/1?q#evil HTTP/1.1\nH\nA\n\n", "GET /orders/1?q HTTP/1.1"),
    refused(401, "token-missing", "a fragment that is public", "GET /orders/1#/open/x HTTP/1.1\nH\n\n"),
    passes("a public path with a protected fragment", "GET /open/x#/orders/evil HTTP/1.1\nH\n\n", "GET /open/x HTTP/1.1"),
    passes("an empty query", "GET /orders/1? HTTP/1.1\nH\nA\n\n", "GET /orders/1? HTTP/1.1"),
    passes("a query that looks like paths", "GET /orders/1?/../open/%2e%2e;a=%zz&? HTTP/1.1\nH\nA\n\n", "GET /orders/1?/../open/%2e%2e;a=%zz&? HTTP/1.1"),
    passes("a URL of a path that is escaped", "GET http://a/%6frders/1 HTTP/1.1\nH\nA\n\n", LINE),
    passes("a colon in the path", "GET /orders/a:80 HTTP/1.1\nH\nA\n\n", "GET /orders/a:80 HTTP/1.1"),

    refused(405, "method-refused", "a method in lower case", "get /orders/1 HTTP/1.1\nH\nA\n\n"),
    refused(405, "method-refused", "a method in mixed case", "Post /orders/1 HTTP/1.1\nH\nA\n\n"),
    refused(405, "method-refused", "a method that begins as one that is listed", "GETS /orders/1 HTTP/1.1\nH\nA\n\n"),
    refused(405, "method-refused", "a cache's method", "PURGE /orders/1 HTTP/1.1\nH\nA\n\n"),
    refused(405, "method-refused", "a method of WebDAV with a body", "PROPFIND /orders/1 HTTP/1.1\nH\nA\ncontent-length: 4\n\nevil"),
    refused(401, "token-missing", "another method, to a stranger", "PURGE /orders/1 HTTP/1.1\nH\n\n"),
    refused(405, "method-refused", "DELETE of what is public to GET", "DELETE /open/x HTTP/1.1\nH\n\n"),

    refused(403, "scope-insufficient", "an override by header", "DELETE /orders/1 HTTP/1.1\nH\nA\nx-http-method-override: GET\nx-http-method: GET\nx-method-override: GET\nX_HTTP_Method_Override: GET\n\n"),
    refused(403, "scope-insufficient", "an override by query", "DELETE /orders/1?_method=GET&method=GET&X-HTTP-Method-Override=GET HTTP/1.1\nH\nA\n\n"),
    passes("an override of a method that is allowed", "GET /orders/1?_method=q HTTP/1.1\nH\nA\nx-http-method-override: evil\nX_Method.Override: evil\n\n", "GET /orders/1?_method=q HTTP/1.1"),
    passes("a body that overrides", "POST /orders/1 HTTP/1.1\nH\nA\ncontent-type: application/x-www-form-urlencoded\ncontent-length: 14\n\n_method=DELETE", "POST /orders/1 HTTP/1.1")
        .body(Framing::Length, "_method=DELETE"),
    refused(401, "token-missing", "another path by header", "GET /orders/1 HTTP/1.1\nH\nx-original-url: /open/x\nx-rewrite-url: /open/x\nx-original-uri: /open/x\nx-forwarded-uri: /open/x\nx-forwarded-path: /open/x\nx-forwarded-prefix: /open\nx-envoy-original-path: /open/x\n\n"),
    passes("a protected path by header on what is public", "GET /open/x HTTP/1.1\nH\nx-original-url: /evil\nX_Original_URL: /evil\nx-rewrite-url: /evil\nx-forwarded-uri: /evil\nx-forwarded-prefix: /evil\nx-forwarded-method: evil\n\n", "GET /open/x HTTP/1.1"),
];

#[rustfmt::skip]
pub const PROBES: &[Case] = &[
    refused(401, "token-missing", "a health check's user agent", "GET /orders/1 HTTP/1.1\nH\nuser-agent: kube-probe/1.30\n\n"),
    refused(401, "token-missing", "a cloud's health check", "GET /orders/1 HTTP/1.1\nH\nuser-agent: GoogleHC/1.0\nx-health-check: 1\n\n"),
    refused(401, "token-missing", "a load balancer's health check", "GET /orders/1 HTTP/1.1\nH\nuser-agent: ELB-HealthChecker/2.0\n\n"),
    refused(401, "token-missing", "the gateway's own probe", "GET /healthz HTTP/1.1\nH\nuser-agent: grantgate\n\n"),
    refused(401, "token-missing", "readiness on the main door", "GET /readyz HTTP/1.1\nH\n\n"),
    refused(401, "token-missing", "metrics on the main door", "GET /metrics HTTP/1.1\nH\n\n"),
    refused(401, "token-missing", "status on the main door", "GET /status HTTP/1.1\nH\n\n"),
    refused(403, "operation-unlisted", "the probes are nothing special to those with a token", "GET /readyz HTTP/1.1\nH\nA\nuser-agent: kube-probe/1.30\n\n"),
];

#[test]
fn no_user_agent_and_no_probes_path_spares_the_token() {
    hold(PROBES);
}

#[test]
fn a_target_is_a_path_or_the_url_of_it_and_nothing_steers_around_it() {
    hold(CASES);
}
