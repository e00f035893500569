//! Headers that only the gateway may write.

use super::case::{Case, bare, hold, hold_with, passes};

const LINE: &str = "GET /orders/1 HTTP/1.1";

/// What is said of the caller, and of nobody else.
const OURS: &[(&str, Option<&str>)] = &[
    ("grantgate-client-id", Some("batch")),
    ("grantgate-subject", Some("batch@clients")),
    ("grantgate-subject-type", Some("client")),
    ("grantgate-scopes", Some("read:orders")),
    ("grantgate-organization", Some("")),
    ("grantgate-issuer", Some("https://issuer.example/")),
    ("grantgate-decision", None),
];

/// What is said where nobody has to say who calls.
const NOBODY: &[(&str, Option<&str>)] = &[
    ("grantgate-client-id", Some("")),
    ("grantgate-subject", Some("")),
    ("grantgate-scopes", Some("")),
    ("authorization", None),
];

#[rustfmt::skip]
pub const CASES: &[Case] = &[
    passes("as we write it", "GET /orders/1 HTTP/1.1\nH\nA\ngrantgate-client-id: evil\ngrantgate-subject: evil\ngrantgate-scopes: evil\ngrantgate-decision-id: evil\n\n", LINE).with(OURS),
    passes("twice", "GET /orders/1 HTTP/1.1\nH\nA\ngrantgate-client-id: evil\ngrantgate-client-id: evil\n\n", LINE).with(OURS),
    passes("in capitals", "GET /orders/1 HTTP/1.1\nH\nA\nGRANTGATE-CLIENT-ID: evil\nGrantGate-Subject: evil\n\n", LINE).with(OURS),
    passes("with underscores", "GET /orders/1 HTTP/1.1\nH\nA\ngrantgate_client_id: evil\nGrantgate_Subject: evil\nGRANTGATE_SCOPES: evil\n\n", LINE).with(OURS),
    passes("with both", "GET /orders/1 HTTP/1.1\nH\nA\ngrantgate-client_id: evil\ngrantgate_client-id: evil\n\n", LINE).with(OURS),
    passes("with dots", "GET /orders/1 HTTP/1.1\nH\nA\ngrantgate.client.id: evil\ngrantgate.subject: evil\n\n", LINE).with(OURS),
    passes("with what else a name may hold", "GET /orders/1 HTTP/1.1\nH\nA\ngrantgate!client!id: evil\ngrantgate~subject: evil\ngrantgate'scopes: evil\ngrantgate|x: evil\ngrantgate^x: evil\ngrantgate`x: evil\ngrantgate*x: evil\ngrantgate+x: evil\ngrantgate#x: evil\ngrantgate$x: evil\ngrantgate%x: evil\ngrantgate&x: evil\n\n", LINE).with(OURS),
    passes("names that we never write", "GET /orders/1 HTTP/1.1\nH\nA\ngrantgate-: evil\ngrantgate-admin: evil\ngrantgate--client-id: evil\ngrantgate-decision: evil\n\n", LINE).with(OURS),
    passes("names that are not ours", "GET /orders/1 HTTP/1.1\nH\nA\ngrantgates: 1\nx-grantgate-subject: 2\n\n", LINE)
        .with(&[("grantgates", Some("1")), ("x-grantgate-subject", Some("2"))]),
    bare("with a blank before the colon", "GET /orders/1 HTTP/1.1\nH\nA\ngrantgate-client-id : evil\n\n"),
    bare("with a blank within", "GET /orders/1 HTTP/1.1\nH\nA\ngrantgate client-id: evil\n\n"),
    bare("with NUL within", "GET /orders/1 HTTP/1.1\nH\nA\ngrantgate-client-id␀: evil\n\n"),
    bare("on a folded line", "GET /orders/1 HTTP/1.1\nH\nA\nx: 1\n grantgate-client-id: evil\n\n"),
    bare("behind a bare CR", "GET /orders/1 HTTP/1.1\nH\nA\nx: 1␍grantgate-client-id: evil\n\n"),
    bare("with a byte-order mark", "GET /orders/1 HTTP/1.1\nH\nA\n\u{feff}grantgate-client-id: evil\n\n"),
    passes("on what is public", "GET /open/x HTTP/1.1\nH\ngrantgate-client-id: evil\ngrantgate_subject: evil\nGRANTGATE.SCOPES: evil\n\n", "GET /open/x HTTP/1.1").with(NOBODY),
    passes("on what is public, with a token", "GET /open/x HTTP/1.1\nH\nA\ngrantgate-client-id: evil\n\n", "GET /open/x HTTP/1.1").with(NOBODY),
    passes("on what is public, with a bad token", "GET /open/x HTTP/1.1\nH\nauthorization: Bearer evil\ngrantgate-client-id: evil\n\n", "GET /open/x HTTP/1.1").with(NOBODY),

    passes("certificates of clients",
        "GET /orders/1 HTTP/1.1\nH\nA\nclient-cert: evil\nclient-cert-chain: evil\nx-client-cert: evil\nx-client-certificate: evil\n\
         x-forwarded-client-cert: evil\nX_Forwarded_Client_Cert: evil\nx-forwarded-tls-client-cert: evil\nx-forwarded-tls-client-cert-info: evil\n\
         ssl-client-cert: evil\nSSL_CLIENT_CERT: evil\nssl-client-verify: SUCCESS; evil\nssl_client_s_dn: evil\nx-ssl-client-cert: evil\nx-ssl-client-dn: evil\n\
         x-arr-clientcert: evil\nX_ARR_ClientCert: evil\nx-amzn-mtls-clientcert: evil\nx-amzn-mtls-clientcert-leaf: evil\nclient_cert: evil\n\n", LINE).with(OURS),
];

/// With a report, what would be refused is let through as nobody.
#[rustfmt::skip]
pub const REPORTED: &[Case] = &[
    passes("where refusals are only reported", "DELETE /orders/1 HTTP/1.1\nH\nA\ngrantgate-client-id: evil\nGrantgate_Decision: evil\ngrantgate-decision: evil\n\n", "DELETE /orders/1 HTTP/1.1")
        .with(&[("grantgate-decision", Some("would-refuse")), ("grantgate-client-id", None), ("grantgate-subject", None)]),
];

#[test]
fn identity_headers_from_outside_are_removed_in_every_spelling_on_every_route() {
    hold(CASES);
}

#[test]
fn identity_headers_from_outside_are_removed_where_refusals_are_only_reported() {
    hold_with("enforcement: report", "", REPORTED);
}
