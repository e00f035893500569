//! The operations of a gate: methods and path, and what each asks.

use std::borrow::Cow;

use http::Method;

use super::context::{At, Context, meant};
use super::gate::Declared;
use super::openapi;
use crate::config::openapi::Description;
use crate::config::scalar::TYPOGRAPHIC_QUOTES;
use crate::config::snapshot::Operation;
use crate::config::{Code, Place, lint, raw};
use crate::policy::{Ask, NameSet, Names, Need};
use crate::route::{CanonPath, Methods, On, OnError, Operations, PatternError, Prefix};

/// An operation that was read, and where.
pub(in crate::config) struct Read {
    pub(in crate::config) place: Place,
    pub(in crate::config) on: On,
    pub(in crate::config) operation: Operation,
}

/// Builds the table of operations; none when any of them is wrong.
pub(super) fn build(
    ctx: &mut Context<'_, '_>,
    gate: &At<&raw::Gate>,
    declared: &Declared<'_>,
    prefix: Option<&Prefix>,
    described: Option<Description>,
) -> Option<Operations<Operation>> {
    let list = gate.place.key("operations");
    let written = gate.raw.operations.iter().enumerate();
    let written: Vec<_> = written
        .map(|(index, raw)| At { place: list.index(index), raw: Cow::Borrowed(raw) })
        .collect();
    let described =
        described.map(|described| openapi::beside(ctx, gate, described, &written, prefix));
    let all = written.into_iter().chain(described.into_iter().flatten());
    let read: Vec<_> = all
        .map(|At { place, raw }| operation(ctx, &At { place, raw: &*raw }, declared, prefix))
        .collect();
    let complete = read.iter().all(Option::is_some);
    let read: Vec<_> = read.into_iter().flatten().collect();
    lint::asks_less(ctx.report, &read);
    let places: Vec<_> = read.iter().map(|read| read.place.key("on")).collect();
    let table = Operations::build(
        read.into_iter().map(|read| (read.on.methods, read.on.pattern, read.operation)),
    );
    let clashes = match table {
        Ok(table) => return complete.then_some(table),
        Err(clashes) => clashes,
    };
    for clash in clashes {
        let (Some(first), Some(second)) = (places.get(clash.first), places.get(clash.second))
        else {
            continue;
        };
        ctx.report
            .push(
                Code::OperationDuplicate,
                second,
                "another operation has this path and one of these methods",
            )
            .also(first, "first listed here")
            .help("keep one of them, or make their methods differ");
    }
    None
}

fn operation(
    ctx: &mut Context<'_, '_>,
    written: &At<&raw::Operation>,
    declared: &Declared<'_>,
    prefix: Option<&Prefix>,
) -> Option<Read> {
    let At { place, raw } = written;
    let at_on = place.key("on");
    let text =
        ctx.required(&at_on, raw.on.as_ref(), "write methods and path: `on: \"GET /orders/{id}\"`");
    let on = text.and_then(|text| {
        On::parse(text)
            .map_err(|error| {
                let message = match &error {
                    OnError::Pattern(PatternError::Star { segment }) if segment == "*" => {
                        "`*` must be the last segment of the path".to_owned()
                    }
                    error => error.to_string(),
                };
                let help = if text.contains(TYPOGRAPHIC_QUOTES) {
                    "these quotes are typographic ones, and part of the text: write `\"`"
                } else {
                    "write methods and a path: `GET /orders/{id}`, `POST,PUT /orders/*`, \
                        `* /admin/*`"
                };
                ctx.report.push(Code::OperationInvalid, &at_on, message).help(help);
            })
            .ok()
    });
    if let (Some(on), Some(prefix)) = (&on, prefix)
        && !lies_within(on.pattern.as_str(), prefix)
    {
        let message = format!(
            "`{}` lies outside the `path_prefix` of this API, so it is never reached",
            on.pattern.as_str()
        );
        ctx.report
            .push(Code::OperationOutside, &at_on, message)
            .help("write the whole path, with the prefix; it stays whole under `strip_prefix` too");
    }
    let ask = ask(ctx, written, declared);
    if raw.public == Some(true) && on.as_ref().is_some_and(|on| on.methods == Methods::Any) {
        ctx.report
            .push(Code::OperationPublicMethods, &at_on, "a public operation must name its methods")
            .help("write those that anybody may use, such as `GET`");
    }
    let websocket = raw.upgrade.contains(&raw::Upgrade::Websocket);
    if websocket && on.as_ref().is_some_and(|on| !on.methods.covers(&Method::GET)) {
        ctx.report
            .push(
                Code::OperationUpgradeMethods,
                &place.key("upgrade"),
                "a WebSocket begins with `GET`, which this operation is not offered with",
            )
            .help("write the path with `GET` in an operation of its own, and `upgrade` there");
    }
    let origin = ctx.report.origin(place);
    let operation = Operation { on: text?.clone(), ask: ask?, websocket, origin };
    Some(Read { place: place.clone(), on: on?, operation })
}

/// Whether every path of a pattern lies below `prefix`: whether its literal beginning does.
pub(super) fn lies_within(pattern: &str, prefix: &Prefix) -> bool {
    let literal = pattern.split_inclusive('/').take_while(|segment| !segment.contains(['{', '*']));
    let literal: String = literal.collect();
    CanonPath::parse(&literal).is_ok_and(|path| prefix.strip(&path).is_some())
}

/// What an operation asks; exactly one kind of answer is written.
fn ask(
    ctx: &mut Context<'_, '_>,
    written: &At<&raw::Operation>,
    declared: &Declared<'_>,
) -> Option<Ask> {
    let At { place, raw } = written;
    let names = [
        ("scopes", &raw.scopes),
        ("any_scopes", &raw.any_scopes),
        ("authorization_details", &raw.authorization_details),
    ];
    let need = need(ctx, written, declared);
    let mut said: Vec<_> =
        names.into_iter().filter(|(_, names)| !names.is_empty()).map(|(key, _)| key).collect();
    let needs = !said.is_empty();
    let nothing = [("any_token", raw.any_token), ("public", raw.public)];
    said.extend(nothing.into_iter().filter(|(_, said)| *said == Some(true)).map(|(key, _)| key));
    match (needs, raw.any_token == Some(true), raw.public == Some(true)) {
        (true, false, false) => need.map(Ask::Token),
        (false, true, false) => Some(Ask::Token(Need::default())),
        (false, false, true) => Some(Ask::Public),
        (false, false, false) => {
            // A list that was refused is not one that was not written.
            let refused = names.iter().any(|(key, _)| ctx.report.is_refused(&place.key(*key)))
                || nothing.iter().any(|(key, _)| ctx.report.is_refused(&place.key(*key)));
            if !refused {
                ctx.report
                    .push(
                        Code::OperationNeedMissing,
                        place,
                        "the operation does not say what it needs",
                    )
                    .help(
                        "write `scopes: [...]`, `any_scopes: [...]` or \
                        `authorization_details: [...]`; `any_token: true` asks for any \
                        token, `public: true` for none",
                    );
            }
            None
        }
        _ => {
            let said = said.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(" and ");
            ctx.report
                .push(Code::OperationNeedConflict, place, format!("{said} contradict each other"))
                .help("`any_token` and `public` stand alone");
            None
        }
    }
}

fn need(
    ctx: &mut Context<'_, '_>,
    written: &At<&raw::Operation>,
    declared: &Declared<'_>,
) -> Option<Need> {
    let At { place, raw } = written;
    let mut places = |key, names, of, kind| {
        let list = place.key(key);
        if declared.doubtful { None } else { places(ctx, &list, names, of, kind) }
    };
    let scopes = places("scopes", &raw.scopes, declared.scopes, &SCOPE);
    let any_scopes = places("any_scopes", &raw.any_scopes, declared.scopes, &SCOPE);
    let details =
        places("authorization_details", &raw.authorization_details, declared.details, &DETAILS);
    Some(Need {
        scopes: scopes?.into_iter().collect(),
        any_scopes: any_scopes?,
        details: details?.into_iter().collect::<NameSet>(),
    })
}

/// What kind of name it is that an API declares.
struct Kind {
    code: Code,
    word: &'static str,
    declared: &'static str,
    key: &'static str,
}

const SCOPE: Kind =
    Kind { code: Code::ScopeUndeclared, word: "scope", declared: "declare", key: "scopes" };
const DETAILS: Kind = Kind {
    code: Code::DetailsTypeUnregistered,
    word: "authorization details type",
    declared: "register",
    key: "authorization_details",
};

/// The places of names among those that the API declares; none when one is not among them.
fn places(
    ctx: &mut Context<'_, '_>,
    list: &Place,
    names: &[String],
    declared: &Names,
    kind: &Kind,
) -> Option<Vec<usize>> {
    let mut places = Vec::with_capacity(names.len());
    for (index, name) in names.iter().enumerate() {
        if let Some(place) = declared.find(name) {
            places.push(place);
            continue;
        }
        let known = declared.iter().map(|name| &**name);
        let help = meant(name, known, "the API has")
            .unwrap_or_else(|| format!("add it to the API's `{}`", kind.key));
        let message = format!("the API does not {} the {} `{name}`", kind.declared, kind.word);
        ctx.report.push(kind.code, &list.index(index), message).help(help);
    }
    (places.len() == names.len()).then_some(places)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_lies_within_a_prefix_by_its_literal_beginning() {
        let within = |pattern, prefix| lies_within(pattern, &Prefix::parse(prefix).unwrap());
        for (pattern, prefix) in [
            ("/a", "/"),
            ("/{x}", "/"),
            ("/*", "/"),
            ("/api", "/api"),
            ("/api/*", "/api"),
            ("/api/{x}/y", "/api/"),
        ] {
            assert!(within(pattern, prefix), "{pattern} {prefix}");
        }
        for (pattern, prefix) in [
            ("/a", "/api"),
            ("/{x}/y", "/api"),
            ("/*", "/api"),
            ("/apis/x", "/api"),
            ("/api", "/api/v1"),
        ] {
            assert!(!within(pattern, prefix), "{pattern} {prefix}");
        }
    }
}
