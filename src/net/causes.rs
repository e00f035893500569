//! Why something did not come about, as people read it on one line.
//!
//! In comes an error; out come it and its causes, each said once. TLS' own reasons are told in our
//! words, and as what to look at.

use std::error::Error;
use std::io;

/// An error and its causes. Where TLS is the cause, it alone is told.
pub(super) fn causes(error: &(dyn Error + 'static)) -> String {
    let mut told: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(tls) = error.downcast_ref() {
            return of_tls(tls);
        }
        let text = error.to_string();
        if told.last().is_none_or(|last| !last.contains(&text)) {
            told.push(text);
        }
        // An `io::Error` hides what it is made of from `source`.
        let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = inner.map(|inner| inner as _).or_else(|| error.source());
    }
    told.join(": ")
}

fn of_tls(error: &rustls::Error) -> String {
    use rustls::AlertDescription;
    use rustls::CertificateError as Of;
    use rustls::Error::{AlertReceived, InvalidCertificate, NoApplicationProtocol};
    match error {
        // The second is an authority's of the same name.
        InvalidCertificate(Of::UnknownIssuer | Of::BadSignature) => {
            "its certificate is of an authority that is not trusted here".to_owned()
        }
        InvalidCertificate(Of::NotValidForName) => "its certificate is for another name".to_owned(),
        InvalidCertificate(Of::NotValidForNameContext { expected, presented }) => {
            let expected = expected.to_str();
            if presented.is_empty() {
                return format!("its certificate is for no name, and not for `{expected}`");
            }
            format!("its certificate is not for `{expected}`, but for {}", presented.join(", "))
        }
        InvalidCertificate(Of::Expired | Of::ExpiredContext { .. }) => {
            "its certificate has expired".to_owned()
        }
        InvalidCertificate(Of::NotValidYet | Of::NotValidYetContext { .. }) => {
            "its certificate is not valid yet".to_owned()
        }
        NoApplicationProtocol => "it does not agree on what to speak (ALPN)".to_owned(),
        AlertReceived(AlertDescription::NoApplicationProtocol) => {
            "it speaks nothing of what it is asked for (ALPN)".to_owned()
        }
        AlertReceived(alert) => format!("it refuses our side of TLS: {alert:?}"),
        other => format!("TLS: {other}"),
    }
}

#[cfg(test)]
mod tests {
    use rustls::{AlertDescription, CertificateError};

    use super::*;

    #[test]
    fn what_hinders_tls_is_told_as_what_to_look_at() {
        let told = |error: rustls::Error| causes(&io::Error::other(io::Error::other(error)));
        let certificate = |error| told(rustls::Error::InvalidCertificate(error));
        for (told, expected) in [
            (
                certificate(CertificateError::UnknownIssuer),
                "its certificate is of an authority that is not trusted here",
            ),
            (
                certificate(CertificateError::NotValidForNameContext {
                    expected: "a.internal".try_into().unwrap(),
                    presented: vec!["DnsName(\"b.internal\")".to_owned()],
                }),
                "its certificate is not for `a.internal`, but for DnsName(\"b.internal\")",
            ),
            (certificate(CertificateError::Expired), "its certificate has expired"),
            (certificate(CertificateError::NotValidYet), "its certificate is not valid yet"),
            (
                told(rustls::Error::AlertReceived(AlertDescription::CertificateRequired)),
                "it refuses our side of TLS: CertificateRequired",
            ),
            (
                told(rustls::Error::AlertReceived(AlertDescription::NoApplicationProtocol)),
                "it speaks nothing of what it is asked for (ALPN)",
            ),
            (
                told(rustls::Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType)),
                "TLS: received corrupt message of type InvalidContentType",
            ),
        ] {
            assert_eq!(told, expected);
        }
    }

    #[test]
    fn what_hinders_anything_else_is_told_with_its_causes_once() {
        #[derive(Debug, thiserror::Error)]
        #[error("outside")]
        struct Outside(#[source] io::Error);
        assert_eq!(causes(&Outside(io::Error::other("inside"))), "outside: inside");
        assert_eq!(causes(&io::Error::other("alone")), "alone");
    }
}
