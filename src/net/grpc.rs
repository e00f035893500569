//! What gRPC asks of a proxy that does not look into its messages: how its requests and answers are known,
//! and how its calls end.

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

const MEDIA_TYPE: &[u8] = b"application/grpc";

const STATUS: HeaderName = HeaderName::from_static("grpc-status");
const MESSAGE: HeaderName = HeaderName::from_static("grpc-message");

/// Whether a message with these fields is one of gRPC. What browsers send instead (`grpc-web`) is not: it
/// has no trailers.
pub fn is_grpc(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(CONTENT_TYPE) else { return false };
    let Some((kind, rest)) = value.as_bytes().split_at_checked(MEDIA_TYPE.len()) else {
        return false;
    };
    kind.eq_ignore_ascii_case(MEDIA_TYPE)
        && matches!(rest.trim_ascii_start().first(), None | Some(b'+' | b';'))
}

/// Says how a call ended: its trailers, or fields of an answer that is nothing else.
pub fn end(headers: &mut HeaderMap, status: u8, message: &str) {
    headers.insert(STATUS, u16::from(status).into());
    let message = utf8_percent_encode(message, ENCODED).to_string();
    if let Ok(message) = HeaderValue::try_from(message) {
        headers.insert(MESSAGE, message);
    }
}

/// What is percent-encoded in a message, with everything outside ASCII.
const ENCODED: &AsciiSet = &CONTROLS.add(b'%');

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grpc_is_known_by_its_media_type() {
        for (text, is) in [
            ("application/grpc", true),
            ("Application/GRPC", true),
            ("application/grpc+proto", true),
            ("application/grpc;charset=utf-8", true),
            ("application/grpc ; charset=utf-8", true),
            ("application/grpc-web", false),
            ("application/grpc-web+proto", false),
            ("application/grpcx", false),
            ("application/grp", false),
            ("text/plain, application/grpc", false),
        ] {
            let fields = [(CONTENT_TYPE, HeaderValue::from_static(text))];
            assert_eq!(is_grpc(&HeaderMap::from_iter(fields)), is, "{text}");
        }
        assert!(!is_grpc(&HeaderMap::new()));
    }

    #[test]
    fn a_message_holds_visible_ascii_and_spaces_alone() {
        let mut trailers = HeaderMap::new();
        end(&mut trailers, 16, "50 % \u{e9}\n");
        assert_eq!(trailers["grpc-status"], "16");
        assert_eq!(trailers["grpc-message"], "50 %25 %C3%A9%0A");
    }
}
