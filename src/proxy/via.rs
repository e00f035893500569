//! Our name in `Via` (RFC 9110 section 7.6.3), by which a request that comes back is known.

use http::header::VIA;
use http::{HeaderMap, HeaderValue, Version};

use crate::chance::random;

/// The name of this process among proxies. It is drawn by lot, so that a gateway before a sidecar is no
/// loop, and the same for all workers.
#[derive(Clone, Debug)]
pub struct Via {
    pseudonym: String,
    http10: HeaderValue,
    http11: HeaderValue,
    http2: HeaderValue,
}

impl Via {
    /// A name that no other process has.
    pub fn new() -> Self {
        let pseudonym = format!("grantgate-{:08x}", random() >> 32);
        let value = |version| {
            // Letters, digits, a dash, a dot and a space are a value.
            HeaderValue::try_from(format!("{version} {pseudonym}"))
                .unwrap_or(HeaderValue::from_static("1.1 grantgate"))
        };
        Self { http10: value("1.0"), http11: value("1.1"), http2: value("2.0"), pseudonym }
    }

    /// Adds that a message of this version came through here.
    pub(super) fn add(&self, headers: &mut HeaderMap, version: Version) {
        let value = match version {
            Version::HTTP_10 => &self.http10,
            Version::HTTP_2 => &self.http2,
            _ => &self.http11,
        };
        headers.append(VIA, value.clone());
    }

    /// Whether a message came through here before.
    pub(super) fn is_in(&self, headers: &HeaderMap) -> bool {
        headers.get_all(VIA).iter().any(|value| {
            let entries = value.as_bytes().split(|&byte| byte == b',');
            entries.into_iter().any(|entry| {
                let mut words =
                    entry.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
                words.nth(1) == Some(self.pseudonym.as_bytes())
            })
        })
    }
}

impl Default for Via {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_known_by_our_name_and_no_other_gateways() {
        let (ours, others) = (Via::new(), Via::new());
        let mut headers = HeaderMap::new();
        headers.insert(VIA, HeaderValue::from_static("1.0 fred, 1.1 p.example.net (grantgate)"));
        others.add(&mut headers, Version::HTTP_11);
        assert!(!ours.is_in(&headers));
        ours.add(&mut headers, Version::HTTP_10);
        assert!(ours.is_in(&headers));
    }
}
