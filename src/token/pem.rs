//! From PEM text to public keys: `PUBLIC KEY`, and the key inside a `CERTIFICATE`, which is how Auth0
//! serves it (`/pem`).

use rustls::pki_types::pem::{PemObject, SectionKind};

use super::keys::{Key, KeyError};

/// The keys, in their order; at least one.
pub(super) fn read(text: &str) -> Result<Vec<Key>, KeyError> {
    let mut keys = Vec::new();
    for section in <(SectionKind, Vec<u8>)>::pem_slice_iter(text.as_bytes()) {
        let (kind, der) = section.map_err(|_| KeyError::Format("the PEM text is damaged"))?;
        let key = match kind {
            SectionKind::PublicKey => &der,
            SectionKind::Certificate => {
                subject_public_key_info(&der).ok_or(KeyError::Format("a certificate is damaged"))?
            }
            SectionKind::PrivateKey | SectionKind::RsaPrivateKey | SectionKind::EcPrivateKey => {
                return Err(KeyError::Private);
            }
            _ => {
                return Err(KeyError::Format("the PEM text holds something that is no public key"));
            }
        };
        keys.push(Key::new(None, key, None)?);
    }
    if keys.is_empty() {
        return Err(KeyError::Format("the PEM text holds no `PUBLIC KEY` or `CERTIFICATE`"));
    }
    Ok(keys)
}

/// The `SubjectPublicKeyInfo` of a certificate (RFC 5280 section 4.1), found by its place.
fn subject_public_key_info(certificate: &[u8]) -> Option<&[u8]> {
    const SEQUENCE: u8 = 0x30;
    const VERSION: u8 = 0xa0;
    let (_, certificate, _) = element(certificate)?;
    let (_, mut fields, _) = element(certificate)?;
    if fields.first() == Some(&VERSION) {
        (_, _, fields) = element(fields)?;
    }
    // serialNumber, signature, issuer, validity, subject
    for _ in 0..5 {
        (_, _, fields) = element(fields)?;
    }
    let (whole, _, _) = element(fields)?;
    (whole.first() == Some(&SEQUENCE)).then_some(whole)
}

/// The first DER element (X.690 section 8.1): all of it, its content, and what follows it.
fn element(der: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let length = usize::from(*der.get(1)?);
    let (head, length) = if length < 0x80 {
        (2, length)
    } else {
        let octets = der.get(2..2 + (length & 0x7f))?;
        if octets.len() > 4 {
            return None;
        }
        let length = octets.iter().fold(0, |length, &octet| length << 8 | usize::from(octet));
        (2 + octets.len(), length)
    };
    let (whole, rest) = der.split_at_checked(head.checked_add(length)?)?;
    Some((whole, whole.get(head..)?, rest))
}
