//! What browsers are told: whether pages of another origin may read an answer, and whether they may ask
//! at all (Fetch, section "CORS protocol").
//!
//! In come an answer, of the upstream's or of ours, the API that was called and the `Origin` of the
//! request. The answer goes out with the `Access-Control-*` fields that the API's configuration gives, and
//! with no others. Who calls is not known here and changes nothing.

use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, VARY,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};

use crate::config::snapshot::{Browsers, Cors, Origins, ServedApi};
use crate::net::Body;

use super::headers::lists;

/// What pages may read beside what the upstream lets them: how to ask better, or when.
const EXPOSED: HeaderValue = HeaderValue::from_static("WWW-Authenticate, Retry-After");

/// What an answer to a preflight depends on.
const PREFLIGHT_VARIES: HeaderValue = HeaderValue::from_static(
    "Origin, Access-Control-Request-Method, Access-Control-Request-Headers",
);

/// The answer to a preflight. Pages of other origins are told nothing. Those of listed ones are told what
/// is allowed, also where what they ask is not: browsers compare, and say what is missing.
pub(super) fn preflight(
    served: Option<&ServedApi>,
    origin: Option<&HeaderValue>,
    allowed: bool,
) -> Response<Body> {
    let mut response = Response::new(Body::own(""));
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    headers.insert(VARY, PREFLIGHT_VARIES);
    let listed = |cors: &&Cors| origin.is_some_and(|it| cors.origins.admit(it.as_bytes()));
    if let (Some(cors), Some(origin)) = (rules(served).filter(listed), origin) {
        allow(headers, cors, origin);
        let methods = cors.methods.iter().map(Method::as_str);
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, list(methods));
        let names = cors.headers.iter().map(HeaderName::as_str);
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, list(names));
        if allowed {
            headers.insert(ACCESS_CONTROL_MAX_AGE, cors.max_age.as_secs().into());
        }
    }
    response
}

/// Lets pages of `origin` read an answer, refusals too, where the API that was called says so. Where it
/// says nothing about origins, the upstream's word stands.
pub(super) fn share(
    headers: &mut HeaderMap,
    served: Option<&ServedApi>,
    origin: Option<&HeaderValue>,
) {
    let Some(cors) = rules(served) else { return };
    let exposed: Vec<_> = headers.get_all(ACCESS_CONTROL_EXPOSE_HEADERS).iter().cloned().collect();
    let is_ruled = |name: &&HeaderName| name.as_str().starts_with("access-control-");
    let doomed: Vec<_> = headers.keys().filter(is_ruled).cloned().collect();
    for name in doomed {
        headers.remove(name);
    }
    let varies = headers.get_all(VARY).iter().any(|vary| lists(vary, "origin") || lists(vary, "*"));
    if !varies {
        headers.append(VARY, HeaderValue::from_static("Origin"));
    }
    if let Some(origin) = origin.filter(|origin| cors.origins.admit(origin.as_bytes())) {
        allow(headers, cors, origin);
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
        for names in exposed {
            headers.append(ACCESS_CONTROL_EXPOSE_HEADERS, names);
        }
    }
}

fn rules(served: Option<&ServedApi>) -> Option<&Cors> {
    match &served?.browsers {
        Browsers::Cors(cors) => Some(cors),
        Browsers::None | Browsers::Preflights => None,
    }
}

fn allow(headers: &mut HeaderMap, cors: &Cors, origin: &HeaderValue) {
    let allowed = match cors.origins {
        Origins::Any => HeaderValue::from_static("*"),
        Origins::Listed(_) => origin.clone(),
    };
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
    if cors.credentials {
        headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    }
}

/// Methods or names of fields, which are all visible.
fn list<'a>(words: impl Iterator<Item = &'a str>) -> HeaderValue {
    let words: Vec<_> = words.collect();
    HeaderValue::try_from(words.join(", ")).unwrap_or(HeaderValue::from_static(""))
}
