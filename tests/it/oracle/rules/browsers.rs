//! What browsers send: preflights, before rule 2, and tokens as subprotocols, in rule 3.

use super::super::browsers::Asked;
use super::super::request::{Carrier, Request, Shape};
use super::super::world::{Api, Browsers, Cors, Operation};
use super::Answer;
use super::target::{Listing, rule_2_operation};

/// "A true preflight is answered before rule 2": "by the gate", or, with `preflight: pass`, "for true
/// preflights of listed operations only" by the upstream. One that would bring a token along in its query
/// is no such question.
pub(super) fn preflight(api: &Api, request: &Request) -> Option<Answer> {
    let asked = request.asked.as_ref().filter(|asked| is_true(request, asked))?;
    match &api.browsers {
        Browsers::Nothing => None,
        Browsers::Cors(cors) => {
            Some(Answer { preflight: Some(is_allowed(cors, asked)), ..Answer::default() })
        }
        Browsers::Pass => {
            let about = Request { method: asked.methods[0].to_owned(), ..request.clone() };
            let listed = matches!(rule_2_operation(api, &about), Listing::Listed(_));
            let brings_token =
                [Carrier::Query, Carrier::HeaderAndQuery, Carrier::SubprotocolAndQuery]
                    .contains(&request.carrier);
            (listed && !brings_token)
                .then(|| Answer { basis: Some("preflight"), ..Answer::default() })
        }
    }
}

/// Fetch, "CORS-preflight request": `OPTIONS` with an origin and a method, and nothing to act on.
fn is_true(request: &Request, asked: &Asked) -> bool {
    request.method == "OPTIONS"
        && !asked.body
        && asked.origins.len() == 1
        && asked.methods.len() == 1
        && !["CONNECT", "TRACE"].contains(&asked.methods[0])
}

fn is_allowed(cors: &Cors, asked: &Asked) -> bool {
    let origin = cors.origins == ["*"] || cors.origins.iter().any(|page| page == asked.origins[0]);
    let method = match asked.methods[0] {
        "HEAD" => ["HEAD", "GET"].iter().any(|own| cors.methods.iter().any(|method| method == own)),
        method => cors.methods.iter().any(|own| own == method),
    };
    let names = asked.headers.iter().flat_map(|listed| listed.split(", "));
    let headers = names.map(str::to_ascii_lowercase).all(|name| cors.headers.contains(&name));
    origin && method && headers
}

/// "The token as `Sec-WebSocket-Protocol: grantgate.bearer.<token>`, Origin checked": opt-in, where a
/// WebSocket is offered. What does not count is no credential; that it is too large is said even so.
pub(super) fn subprotocol(
    api: &Api,
    operation: Option<&Operation>,
    origin: Option<&str>,
    shape: Shape,
) -> Result<(), &'static str> {
    let is_listed = |origin: &str| match &api.browsers {
        Browsers::Cors(cors) => cors.origins.iter().any(|page| page == origin),
        Browsers::Nothing | Browsers::Pass => false,
    };
    let offers = operation.is_some_and(|operation| operation.upgrade);
    if shape == Shape::Oversized {
        Err("token-too-large")
    } else if api.websocket_tokens && offers && origin.is_some_and(is_listed) {
        Ok(())
    } else {
        Err("token-missing")
    }
}
