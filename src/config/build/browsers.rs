//! What a gate does about browsers: whose pages may do what, and what becomes of preflights.

use std::time::Duration;

use http::{HeaderName, Method, header};

use super::context::{At, Context, LONGEST};
use super::urls;
use crate::config::snapshot::{Browsers, Cors, Origins};
use crate::config::{Code, Place, raw};
use crate::route::{Methods, On, normal_host};

/// For how long browsers may remember a preflight's answer. They have their own bounds, of hours.
const MAX_AGE: Duration = Duration::from_mins(10);

/// Builds what a gate does about browsers; nothing when any of it is wrong.
pub(super) fn build(ctx: &mut Context<'_, '_>, gate: &At<&raw::Gate>) -> Option<Browsers> {
    let At { place, raw } = gate;
    let preflights_pass = raw.preflight == Some(raw::Preflight::Pass);
    if preflights_pass && raw.cors.is_some() {
        ctx.report
            .push(
                Code::CorsConflict,
                &place.key("preflight"),
                "preflights cannot pass where `cors` has the gate answer them",
            )
            .help("keep `cors` where the gate knows the origins, or `preflight: pass` where the upstream does");
    }
    let cors = raw.cors.as_ref().map(|raw| cors(ctx, &At { place: place.key("cors"), raw }, gate));
    let is_listed = |cors: &Option<Cors>| {
        cors.as_ref().is_none_or(|cors| matches!(cors.origins, Origins::Listed(_)))
    };
    if raw.websocket_tokens == Some(true) && !cors.as_ref().is_some_and(is_listed) {
        ctx.report
            .push(
                Code::OriginsMissing,
                &place.key("websocket_tokens"),
                "tokens would count from pages of any origin",
            )
            .help("write whose pages send them: `cors: {origins: [\"https://app.example.com\"]}`");
    }
    Some(match cors {
        Some(cors) => Browsers::Cors(cors?),
        None if preflights_pass => Browsers::Preflights,
        None => Browsers::None,
    })
}

fn cors(
    ctx: &mut Context<'_, '_>,
    written: &At<&raw::Cors>,
    gate: &At<&raw::Gate>,
) -> Option<Cors> {
    let At { place, raw } = written;
    let origins = origins(ctx, &place.key("origins"), raw.origins.as_ref());
    let methods = match &raw.methods {
        Some(names) => methods(ctx, &place.key("methods"), names),
        None => Some(offered(gate.raw)),
    };
    let headers = match &raw.headers {
        Some(names) => headers(ctx, &place.key("headers"), names),
        None => Some(vec![header::CONTENT_TYPE]),
    };
    let credentials = raw.credentials == Some(true);
    if credentials && origins == Some(Origins::Any) {
        ctx.report
            .push(
                Code::CorsConflict,
                &place.key("credentials"),
                "pages of any origin cannot have credentials: browsers refuse that",
            )
            .help("list the origins, or leave out `credentials`: tokens need none");
    }
    let max_age = ctx.duration(&place.key("max_age"), raw.max_age.as_ref(), MAX_AGE, LONGEST);
    let mut headers = headers?;
    // Nothing is open to a page that cannot send its token.
    if !headers.contains(&header::AUTHORIZATION) {
        headers.insert(0, header::AUTHORIZATION);
    }
    Some(Cors { origins: origins?, methods: methods?, headers, credentials, max_age })
}

fn origins(
    ctx: &mut Context<'_, '_>,
    list: &Place,
    written: Option<&Vec<String>>,
) -> Option<Origins> {
    let help = "write whose pages may call: `origins: [\"https://app.example.com\"]`";
    let written = ctx.required(list, written, help)?;
    if written.len() == 1 && written.first().is_some_and(|origin| origin == "*") {
        return Some(Origins::Any);
    }
    let mut origins = Vec::with_capacity(written.len());
    for (index, text) in written.iter().enumerate() {
        match origin(text) {
            Some(origin) if origin == *text => origins.push(origin),
            meant => {
                let shown = urls::shown(ctx, &list.index(index), text);
                let message = format!("`{shown}` is not an origin as browsers write it");
                let help = match meant {
                    Some(meant) => format!("write `{meant}`"),
                    None if text == "*" => "`\"*\"` stands alone".to_owned(),
                    None if text.contains('*') => {
                        "list the origins one by one, whole: browsers know no patterns".to_owned()
                    }
                    None => "write scheme and host, and nothing behind them: \
                        `https://app.example.com`"
                        .to_owned(),
                };
                ctx.report.push(Code::OriginInvalid, &list.index(index), message).help(help);
            }
        }
    }
    (origins.len() == written.len()).then_some(Origins::Listed(origins))
}

/// The origin that is meant, as browsers write it: in lower case, without the port that the scheme has
/// anyway (RFC 6454 section 6.2).
fn origin(text: &str) -> Option<String> {
    let (scheme, host, port) = urls::origin(text.trim_end_matches('/'))?;
    let usual = match scheme.as_str() {
        "http" => 80,
        "https" => 443,
        _ => return None,
    };
    let host = if host.contains(':') { format!("[{host}]") } else { host };
    let host = normal_host(&host).ok()?;
    Some(match port.filter(|port| *port != usual) {
        Some(port) => format!("{scheme}://{host}:{port}"),
        None => format!("{scheme}://{host}"),
    })
}

fn methods(ctx: &mut Context<'_, '_>, list: &Place, written: &[String]) -> Option<Vec<Method>> {
    let read = written.iter().enumerate().map(|(index, text)| match Methods::parse(text) {
        Ok(Methods::Listed(methods)) => Some(methods),
        Ok(Methods::Any) => Some(common()),
        Err(error) => {
            let message = error.to_string();
            ctx.report
                .push(Code::OperationInvalid, &list.index(index), message)
                .help("write methods: `methods: [GET, POST]`");
            None
        }
    });
    // Collected in two steps: an `Option` would stop at the first that is wrong.
    let read: Vec<_> = read.collect();
    Some(read.into_iter().collect::<Option<Vec<_>>>()?.concat())
}

/// The methods that an API's operations name.
fn offered(gate: &raw::Gate) -> Vec<Method> {
    let mut offered = Vec::new();
    let operations = gate.operations.iter().filter_map(|operation| operation.on.as_deref());
    for on in operations.filter_map(|text| On::parse(text).ok()) {
        let methods = match on.methods {
            Methods::Any => common(),
            Methods::Listed(methods) => methods,
        };
        for method in methods {
            if !offered.contains(&method) {
                offered.push(method);
            }
        }
    }
    offered
}

/// The methods that pages use, where any may be used.
fn common() -> Vec<Method> {
    vec![Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE]
}

fn headers(ctx: &mut Context<'_, '_>, list: &Place, written: &[String]) -> Option<Vec<HeaderName>> {
    let mut names = Vec::with_capacity(written.len());
    for (index, text) in written.iter().enumerate() {
        match HeaderName::try_from(text) {
            Ok(name) if text != "*" => names.push(name),
            _ => {
                ctx.report
                    .push(
                        Code::NameInvalid,
                        &list.index(index),
                        format!("`{text}` is not the name of a header field"),
                    )
                    .help("write names, one each: `headers: [content-type, x-request-id]`");
            }
        }
    }
    (names.len() == written.len()).then_some(names)
}
