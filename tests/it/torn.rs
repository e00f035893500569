//! A file that is cut short, by an editor or an interrupted copy, is refused or allows no more than
//! the whole. Two cuts are known to widen what the last grant gives, and `end_marker: required`
//! closes them.

use grantgate::config::{AccessDiff, Loaded, Source, load};

use grantgate::policy::UnixTime;

use crate::disk::{Fake, NOW, root, sources};
use crate::examples::shipped;

/// When every grant of the shipped configurations that expires has expired.
const LATER: UnixTime = UnixTime::from_seconds(3_000_000_000);

fn cut(sources: &[Source], index: usize, lines: usize) -> Vec<Source> {
    let mut cut = sources.to_vec();
    let text = cut[index].text.split_inclusive('\n').take(lines).collect();
    cut[index].text = text;
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
            source.text = source.text.replace(written, &format!("end_marker: {marker}"));
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
        let outside = Fake { folder: &path };
        let whole = load(&sources, &outside, NOW).unwrap_or_else(|report| panic!("{report}"));
        for (index, source) in sources.iter().enumerate() {
            for lines in 0..source.text.lines().count() {
                let torn = load(&cut(&sources, index, lines), &outside, NOW);
                each(source, lines, torn.as_ref().ok(), &whole);
            }
        }
    }
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
            let gained = AccessDiff::between(&whole.snapshot, &torn.snapshot, now).gained;
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
