//! Which policy suites the configuration names. They are read, and run, by whoever asks for that.

use super::context::{At, Context};
use crate::config::snapshot::{NamedSuite, Tests};
use crate::config::{Code, raw};

/// More is no longer run within a moment, as a reload has to be.
const MOST: usize = 100;

pub(super) fn build(ctx: &mut Context<'_, '_>, section: Option<&At<&raw::Tests>>) -> Tests {
    let Some(At { place, raw }) = section else { return Tests::default() };
    let list = place.key("suites");
    if raw.suites.is_empty() && !ctx.report.is_refused(&list) {
        ctx.missing(&list, "name the files: `suites: [policy-tests/orders.yaml]`");
    }
    if raw.suites.len() > MOST {
        let message =
            format!("{} suites are named, of which {MOST} are the most", raw.suites.len());
        ctx.report.push(Code::PolicyTestInvalid, &list, message).help("join some of them");
    }
    let sources = ctx.outside.sources();
    let named = raw.suites.iter().enumerate().map(|(index, path)| NamedSuite {
        by: sources.get(place.source).map_or("", |source| &source.name).into(),
        path: path.as_str().into(),
        place: list.index(index),
    });
    Tests { suites: named.collect(), required: raw.required.unwrap_or(false) }
}
