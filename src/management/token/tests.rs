use http::header::CONTENT_TYPE;

use super::*;

fn read(
    kind: &'static str,
    authorization: Option<&str>,
    body: &str,
) -> Result<TokenRequest, Denied> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    if let Some(value) = authorization {
        headers.insert(AUTHORIZATION, HeaderValue::try_from(value).unwrap());
    }
    TokenRequest::read(&headers, body.as_bytes())
}

fn form(body: &str) -> Result<TokenRequest, Denied> {
    read("application/x-www-form-urlencoded", None, body)
}

fn with_basic(credentials: &str, body: &str) -> Result<TokenRequest, Denied> {
    let authorization = format!("Basic {}", STANDARD.encode(credentials));
    read("application/x-www-form-urlencoded", Some(&authorization), body)
}

fn error(read: Result<TokenRequest, Denied>) -> Option<&'static str> {
    read.err().map(|denied| denied.error)
}

#[test]
fn a_request_is_a_form_or_json_with_its_credentials_in_one_place() {
    let credentials = |read: Result<TokenRequest, Denied>| {
        let request = read.unwrap();
        (request.client_id.unwrap(), request.client_secret.unwrap(), request.basic)
    };
    let in_body = ("a b".to_owned(), "c+d".to_owned(), false);
    assert_eq!(credentials(form("client_id=a+b&client_secret=c%2Bd&nobody=knows")), in_body);
    let json = r#"{"client_id": "a b", "client_secret": "c+d", "nobody": ["knows"]}"#;
    assert_eq!(credentials(read("application/json", None, json)), in_body);
    let basic = ("a b".to_owned(), "c+d:e".to_owned(), true);
    assert_eq!(credentials(with_basic("a+b:c%2Bd:e", "grant_type=client_credentials")), basic);
    assert_eq!(credentials(with_basic("a+b:c%2Bd:e", "client_id=a%20b")), basic);

    assert_eq!(error(with_basic("a:b", "client_secret=b")), Some("invalid_request"));
    assert_eq!(error(with_basic("a:b", "client_id=c")), Some("invalid_request"));
}

#[test]
fn what_can_be_read_in_two_ways_or_not_at_all_is_refused() {
    for bad in ["client_id=a&client_id=a", "scope=%ff"] {
        assert_eq!(error(form(bad)), Some("invalid_request"), "{bad}");
    }
    for bad in ["", "[]", "{\"client_id\": 1}", "{\"scope\": \"a\", \"scope\": \"b\"}"] {
        assert_eq!(error(read("application/json", None, bad)), Some("invalid_request"), "{bad}");
    }
    for bad in ["no colon", "a%ff:b"] {
        assert_eq!(error(with_basic(bad, "")), Some("invalid_request"), "{bad}");
    }
    let kind = "application/x-www-form-urlencoded";
    assert_eq!(error(read(kind, Some("Basic ?"), "")), Some("invalid_request"));
    // Another scheme's credentials are none of a client's.
    assert!(read(kind, Some("Bearer x"), "").unwrap().client_id.is_none());
    let denied = read("text/plain", None, "").err().unwrap();
    assert_eq!(denied.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
}

#[test]
fn there_is_one_grant_type() {
    assert_eq!(check_grant_type(Some("client_credentials")), Ok(()));
    let error = |text| check_grant_type(text).unwrap_err().error;
    assert_eq!(error(None), "invalid_request");
    assert_eq!(error(Some("password")), "unsupported_grant_type");
}

#[test]
fn names_of_tokens_differ() {
    let (one, other) = (unique().unwrap(), unique().unwrap());
    assert_eq!(one.len(), 32);
    assert_ne!(one, other);
}
