//! The OpenAPI document that a gate names: its operations beside those that are written by hand.
//!
//! What has no counterpart is left out and said. So is what does not say what it asks: needs are stated
//! here, never implied, and a document that is cut short must not allow more than the whole.

use std::borrow::Cow;

use super::context::{At, Context};
use super::described::Server;
use super::operations::lies_within;
use crate::config::openapi::{Asked, Described, Description, LeftOut};
use crate::config::{Code, Place, Source, documents, raw};
use crate::route::{On, Prefix};

/// Reads the document that a server's gate names.
pub(super) fn read(ctx: &mut Context<'_, '_>, server: &Server<'_>) -> Option<Description> {
    let path = server.raw.gate.as_ref()?.openapi.as_deref()?;
    let place = server.place.key("gate").key("openapi");
    let text = ctx.file(&place, path)?;
    let of = ctx.outside.sources().get(place.source).map_or("", |source| &source.name);
    let source = Source::new(documents::beside(of, path).to_string_lossy(), text);
    let number = ctx.report.open(source.clone());
    let mut described = Description::read(number, &source.text, ctx.report)?;
    whole(ctx, number, &source);
    described.leave_out_unstated();
    Some(described)
}

/// The sections that a document may not lose the end of: what an operation asks stands behind its path.
const NEVER_LAST: [&str; 3] = ["paths", "security", "servers"];

/// Says whether a document may have lost its end. Its keys stand in an order that is not ours, so that one cut
/// short could allow more than the whole.
fn whole(ctx: &mut Context<'_, '_>, number: usize, source: &Source) {
    if source.has_end_marker() {
        return;
    }
    let last = documents::last_key(ctx.report, number);
    let message = match last {
        Some(last)
            if NEVER_LAST.contains(&last) || last == "components" && has_items(ctx, number) =>
        {
            format!("the document may have been cut short: `{last}` is its last section")
        }
        _ if !documents::has(ctx.report, number, &["servers"]) => {
            "the document may have been cut short: it has no `servers`, which tell where its paths begin"
                .to_owned()
        }
        // Among the files of the configuration it is asked for its end with them.
        _ if ctx.end_marker == raw::EndMarker::Required
            && !documents::is_among(ctx.outside.sources(), &source.name) =>
        {
            "the document does not end with `...`".to_owned()
        }
        _ => return,
    };
    let end = source.text.trim_end().len();
    ctx.report
        .push(Code::EndMarkerMissing, &Place::root(number), message)
        .at(end..end)
        .help("where it is whole, end it with a line `...`");
}

/// Whether operations stand among a document's components.
fn has_items(ctx: &Context<'_, '_>, number: usize) -> bool {
    documents::has(ctx.report, number, &["components", "pathItems"])
}

/// The operations of a document that are listed beside those `written` by hand.
pub(super) fn beside<'r>(
    ctx: &mut Context<'_, '_>,
    gate: &At<&raw::Gate>,
    mut described: Description,
    written: &[At<Cow<'r, raw::Operation>>],
    prefix: Option<&Prefix>,
) -> Vec<At<Cow<'r, raw::Operation>>> {
    let by_hand: Vec<(On, &At<Cow<'_, raw::Operation>>)> = written
        .iter()
        .filter_map(|at| Some((On::parse(at.raw.on.as_deref()?).ok()?, at)))
        .collect();
    let hands: Vec<On> = by_hand.iter().map(|(on, _)| on.clone()).collect();
    for replaced in described.beside(&hands) {
        asks_less(ctx, &replaced, &by_hand);
    }
    left_out(ctx, gate, &described);
    let lies_outside =
        |one: &&Described| prefix.is_some_and(|prefix| !lies_within(one.pattern.as_str(), prefix));
    let outside: Vec<_> = described.operations.iter().filter(lies_outside).collect();
    if let Some(first) = outside.first() {
        let more = match outside.len() - 1 {
            0 => " lies".to_owned(),
            more => format!(" and {more} more of the document lie"),
        };
        let base = if described.base.is_empty() { "/" } else { &described.base };
        let message = format!(
            "`{}`{more} outside the `path_prefix` of this API, so it is never reached",
            first.on()
        );
        ctx.report.push(Code::OperationOutside, &gate.place.key("openapi"), message).help(format!(
            "the document's `servers` say that its paths begin with `{base}`: write so in `path_prefix`, \
             or change them"
        ));
    }
    let inside = described.operations.iter().filter(|one| !lies_outside(one));
    inside.map(|one| At { place: one.place.clone(), raw: Cow::Owned(listed(one)) }).collect()
}

/// An operation of a document as one would write it.
fn listed(described: &Described) -> raw::Operation {
    let operation = raw::Operation { on: Some(described.on()), ..raw::Operation::default() };
    match &described.asked {
        Asked::Public => raw::Operation { public: Some(true), ..operation },
        Asked::Token { scopes, any_scopes } => {
            let (scopes, any_scopes) = (scopes.clone(), any_scopes.clone());
            let any_token = (scopes.is_empty() && any_scopes.is_empty()).then_some(true);
            raw::Operation { scopes, any_scopes, any_token, ..operation }
        }
    }
}

/// Says where what is written by hand asks less than what it takes the place of.
fn asks_less(
    ctx: &mut Context<'_, '_>,
    replaced: &Described,
    by_hand: &[(On, &At<Cow<'_, raw::Operation>>)],
) {
    let taker = by_hand.iter().find(|(on, _)| {
        replaced.pattern.lies_in(&on.pattern)
            && on.pattern.lies_in(&replaced.pattern)
            && replaced.methods.lie_in(&on.methods)
    });
    let Some((_, At { place, raw })) = taker else { return };
    let asked = if raw.public == Some(true) {
        Asked::Public
    } else {
        Asked::Token { scopes: raw.scopes.clone(), any_scopes: raw.any_scopes.clone() }
    };
    if !asked.implies(&replaced.asked) {
        let message = format!("this asks less than `{}` of the document", replaced.on());
        ctx.report
            .push(Code::OperationAsksLess, place, message)
            .also(&replaced.place, "asks more")
            .help("let it ask at least as much, unless this is meant");
    }
}

/// Of the rest people are told how much it is.
const MOST_SAID: usize = 20;

/// Says what of a document has no counterpart.
fn left_out(ctx: &mut Context<'_, '_>, gate: &At<&raw::Gate>, described: &Description) {
    let of_operations = described.operations.iter().flat_map(|one| {
        one.notes.iter().map(|note| (&one.place, format!("`{}`: {note}", one.on()), None))
    });
    let left = described.left_out.iter().map(|LeftOut { place, what, reason, .. }| {
        let help = "it is refused as `operation-unlisted`; what it asks here can be written by hand, under \
            `operations`";
        (place, format!("`{what}` is left out: {reason}"), Some(help))
    });
    let notes = described.notes.iter().map(|note| (&note.place, note.text.clone(), None));
    let all: Vec<_> = left.chain(of_operations).chain(notes).collect();
    for (place, message, help) in all.iter().take(MOST_SAID) {
        ctx.report
            .push(Code::OpenapiUnmapped, place, message.clone())
            .help_if(help.map(str::to_owned));
    }
    if let Some(more) = all.len().checked_sub(MOST_SAID).filter(|more| *more > 0) {
        let message = format!("{more} more of the document's parts have no counterpart");
        ctx.report
            .push(Code::OpenapiUnmapped, &gate.place.key("openapi"), message)
            .help("`grantgate import openapi FILE` names them all");
    }
    let open = gate.raw.unlisted == Some(raw::Unlisted::AnyToken);
    if let Some(first) = described.left_out.iter().find(|left| open && left.is_reachable()) {
        let message =
            format!("`{}` is left out of the document, and so open to any token", first.what);
        ctx.report
            .push(Code::OpenapiUnlisted, &gate.place.key("unlisted"), message)
            .also(&first.place, "this has no counterpart")
            .help("write `unlisted: deny`, or what it asks by hand, under `operations`");
    }
}
