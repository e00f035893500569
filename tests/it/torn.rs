//! A file that is cut short, by an editor or an interrupted copy, is refused or allows no more than
//! the whole. Two cuts are known to widen what the last grant gives, and `end_marker: required`
//! closes them.

use std::sync::Arc;

use grantgate::config::{AccessDiff, Loaded, Source, load};

use grantgate::policy::UnixTime;

use crate::disk::{Fake, NOW, root, sources};
use crate::examples::shipped;

/// When every grant of the shipped configurations that expires has expired.
const LATER: UnixTime = UnixTime::from_seconds(3_000_000_000);

fn cut(sources: &[Source], index: usize, lines: usize) -> Vec<Source> {
    let mut cut = sources.to_vec();
    let text: String = cut[index].text.split_inclusive('\n').take(lines).collect();
    cut[index].text = text.into();
    cut
}

/// Whether the cut falls inside a grant and loses a rule that narrows it.
fn loses_a_rule(source: &Source, lines: usize) -> bool {
    let rest = source.text.lines().skip(lines);
    let of_the_same_grant =
        rest.take_while(|line| !line.trim_start().starts_with(['-', '#']) && *line != "...");
    of_the_same_grant
        .map(str::trim_start)
        .any(|line| line.starts_with("organization_usage:") || line.starts_with("expires_at:"))
}

/// The configuration with `end_marker` as given, wherever it stands.
fn with_end_marker(mut sources: Vec<Source>, marker: &str) -> Vec<Source> {
    for source in &mut sources {
        for written in ["end_marker: optional", "end_marker: required"] {
            source.text = source.text.replace(written, &format!("end_marker: {marker}")).into();
        }
        if marker == "required" && !source.has_end_marker() {
            Arc::make_mut(&mut source.text).push_str("...\n");
        }
    }
    if sources.iter().all(|source| !source.text.contains("\nreload:")) {
        sources
            .push(Source::new("reload.yaml", format!("reload: {{end_marker: {marker}}}\n...\n")));
    }
    sources
}

/// Every cut of every file of every shipped configuration, after each of its lines.
fn cuts(marker: &str, mut each: impl FnMut(&Source, usize, Option<&Loaded>, &Loaded)) {
    for path in shipped() {
        let sources = with_end_marker(sources(&path, root()), marker);
        cuts_of(&sources, &Fake { folder: &path }, &mut each);
    }
}

fn cuts_of(
    sources: &[Source],
    outside: &Fake<'_>,
    mut each: impl FnMut(&Source, usize, Option<&Loaded>, &Loaded),
) {
    let whole = load(sources, outside, NOW).unwrap_or_else(|report| panic!("{report}"));
    for (index, source) in sources.iter().enumerate() {
        for lines in 0..source.text.lines().count() {
            let torn = load(&cut(sources, index, lines), outside, NOW);
            each(source, lines, torn.as_ref().ok(), &whole);
        }
    }
}

/// The text's sections, each from its key at the line's beginning to the next.
fn sections(text: &str) -> Vec<String> {
    let mut sections: Vec<String> = Vec::new();
    for line in text.split_inclusive('\n') {
        match sections.last_mut() {
            Some(section) if line.starts_with(' ') => section.push_str(line),
            _ => sections.push(line.to_owned()),
        }
    }
    sections
}

/// All orders of so many things.
fn orders(count: usize) -> Vec<Vec<usize>> {
    if count == 0 {
        return vec![Vec::new()];
    }
    let shorter = orders(count - 1);
    let longer = shorter.iter().flat_map(|order| {
        (0..count).map(move |at| {
            let mut order = order.clone();
            order.insert(at, count - 1);
            order
        })
    });
    longer.collect()
}

/// Where every application may act for its users, losing who is a third party would open the API to
/// them. No tool promises an order of the sections.
#[test]
fn a_torn_export_allows_no_more_than_the_whole_in_any_order() {
    let folder = root().join("config/examples/tenant-export");
    let mut sources = sources(&folder, &folder);
    // Grants in one's own file, so that an export without them is not refused for that.
    sources[0].text = sources[0].text.replace("...\n", "client_grants: []\n...\n").into();
    let export = sources[1].text.replace(
        "      user:\n        policy: require_client_grant",
        "      user:\n        policy: allow_all",
    );
    let named = ["clientGrants:", "resourceServers:", "clients:", "roles:"];
    let sections = sections(&export);
    let of = |name| sections.iter().find(|section| section.starts_with(name)).unwrap();
    let (mut taken, mut refused) = (0, 0);
    for order in orders(named.len()) {
        sources[1].text =
            order.iter().map(|index| of(named[*index]).as_str()).collect::<String>().into();
        let last = named[*order.last().unwrap()];
        if ["clientGrants:", "clients:"].contains(&last) {
            Arc::make_mut(&mut sources[1].text).push_str("...\n");
        }
        cuts_of(&sources, &Fake { folder: &folder }, |source, lines, torn, whole| {
            let Some(torn) = torn else {
                refused += 1;
                return;
            };
            taken += 1;
            let diff = AccessDiff::between(&whole.snapshot, &torn.snapshot, NOW);
            let gained: Vec<_> = diff.gained().collect();
            assert!(gained.is_empty(), "{} cut after {lines}: {gained:#?}", source.text);
        });
    }
    assert!(taken > 24 && refused > 500, "{taken}, {refused}");
}

#[test]
fn a_torn_file_allows_no_more_than_the_whole() {
    let (mut taken, mut refused, mut widened) = (0, 0, 0);
    cuts("optional", |source, lines, torn, whole| {
        let Some(torn) = torn else {
            refused += 1;
            return;
        };
        taken += 1;
        for now in [NOW, LATER] {
            let diff = AccessDiff::between(&whole.snapshot, &torn.snapshot, now);
            let gained: Vec<_> = diff.gained().collect();
            widened += usize::from(!gained.is_empty());
            let name = &source.name;
            assert!(
                gained.is_empty() || loses_a_rule(source, lines),
                "{name} cut after {lines} gains {gained:#?}"
            );
        }
    });
    assert!(taken > 50 && refused > 100 && widened > 0, "{taken}, {refused}, {widened}");
}

#[test]
fn a_required_end_marker_refuses_every_torn_file() {
    cuts("required", |source, lines, torn, _| {
        assert!(torn.is_none(), "{} cut after line {lines}", source.name);
    });
}
