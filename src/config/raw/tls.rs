//! TLS: of the traffic listener, and towards upstreams.

use schemars::JsonSchema;
use serde::Deserialize;

/// TLS of the traffic listener. The files are read anew when they change; whether there is TLS at
/// all, and what is asked of clients, waits for a restart.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("examples" = [{"cert": "tls.crt", "key": "tls.key"}]))]
pub struct Tls {
    /// Required. A file with the certificate and those that lead to its authority, as PEM, relative to
    /// this file. It is shown to clients that name no host, or one that no other certificate is for.
    #[schemars(extend("examples" = ["tls.crt"]))]
    pub cert: Option<String>,
    /// A file with the certificate's private key, as PEM, relative to this file.
    #[schemars(extend("examples" = ["tls.key"]))]
    pub key: Option<String>,
    /// Further certificates. The first that is for the host that a client names (SNI) is shown.
    #[schemars(extend("examples" = [[{"cert": "orders.crt", "key": "orders.key"}]]))]
    pub certificates: Vec<Certificate>,
    /// A file with the authorities of client certificates, as PEM, relative to this file. When they
    /// change, connections end as soon as nothing is in flight on them.
    #[schemars(extend("examples" = ["clients-ca.crt"]))]
    pub client_ca: Option<String>,
    /// Whether clients must show a certificate of those authorities: `required` where `client_ca` is
    /// written, and `none` where not. Where one is asked for, requests for another host than the one that
    /// the client named in its handshake (SNI) are refused with `host-misdirected`.
    pub client_auth: Option<ClientAuth>,
    /// The oldest version that is spoken: `tls1.2`.
    #[schemars(extend("default" = "tls1.2"))]
    pub min_version: Option<TlsVersion>,
}

/// A certificate and its private key.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("examples" = [{"cert": "orders.crt", "key": "orders.key"}]))]
pub struct Certificate {
    /// A file with the certificate and those that lead to its authority, as PEM, relative to this file.
    #[schemars(extend("examples" = ["orders.crt"]))]
    pub cert: Option<String>,
    /// A file with its private key, as PEM, relative to this file.
    #[schemars(extend("examples" = ["orders.key"]))]
    pub key: Option<String>,
}

/// What is asked of clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuth {
    /// No certificate.
    None,
    /// A certificate; one that is shown must be good.
    Optional,
    /// A good certificate.
    Required,
}

/// A version of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum TlsVersion {
    /// TLS 1.2 (RFC 5246).
    #[serde(rename = "tls1.2")]
    Tls12,
    /// TLS 1.3 (RFC 8446).
    #[serde(rename = "tls1.3")]
    Tls13,
}

/// TLS towards an `https://` upstream. The files are read anew when they change, and count from the next
/// connection on; connections that stood before get no further request.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("examples" = [{"ca": "upstream-ca.crt"}]))]
pub struct UpstreamTls {
    /// A file with the authorities that its certificate may come from, as PEM, relative to this
    /// file; those of this machine when left out.
    #[schemars(extend("examples" = ["upstream-ca.crt"]))]
    pub ca: Option<String>,
    /// A file with the certificate that the gate shows, and those that lead to its authority, as PEM,
    /// relative to this file; none when left out.
    #[schemars(extend("examples" = ["gate.crt"]))]
    pub cert: Option<String>,
    /// A file with that certificate's private key, as PEM, relative to this file.
    #[schemars(extend("examples" = ["gate.key"]))]
    pub key: Option<String>,
    /// The name that the upstream's certificate must be for: its host when left out.
    #[schemars(extend("examples" = ["orders.internal"]))]
    pub server_name: Option<String>,
}
