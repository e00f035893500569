//! A configuration of any text: it loads, or the report says why and points into the text; and it does so
//! again, word for word.
//!
//! Input: a file; several, where a zero byte stands between them, which no file may hold.

use grantgate::config::{
    AccessDiff, Diagnostic, Outside, Report, Severity, Source, Style, inspect, load,
};
use grantgate::policy::UnixTime;

const NOW: UnixTime = UnixTime::from_seconds(1_800_000_000);
const SECRET: &str = "kept-out-of-every-report-and-of-whatever-else-is-printed-anywhere";

pub fn check(input: &[u8]) {
    let Ok(text) = str::from_utf8(input) else { return };
    let sources: Vec<Source> = text
        .split('\0')
        .enumerate()
        .map(|(index, text)| Source::new(format!("{index}.yaml"), text))
        .collect();
    match (load(&sources, &Known, NOW), load(&sources, &Known, NOW)) {
        (Ok(one), Ok(other)) => {
            assert!(!one.warnings.has_errors());
            assert_eq!(one.snapshot.digest, other.snapshot.digest);
            for (old, new) in [(&one, &other), (&other, &one)] {
                let diff = AccessDiff::between(&old.snapshot, &new.snapshot, NOW);
                assert!(diff.is_empty(), "{diff:?}");
            }
            assert!(!format!("{:?}", one.snapshot).contains(SECRET));
            check_report(&one.warnings, &other.warnings, &sources);
        }
        (Err(one), Err(other)) => {
            assert!(one.has_errors());
            check_report(&one, &other, &sources);
        }
        (one, other) => panic!("{one:?}, and then {other:?}"),
    }
    let alone = inspect(&sources);
    alone.iter().for_each(|found| check_place(&alone, found));
}

/// What configurations refer to.
struct Known;

impl Outside for Known {
    fn env(&self, name: &str) -> Option<String> {
        (name == "SECRET").then(|| SECRET.to_owned())
    }

    fn file(&self, _source: &str, path: &str) -> Result<String, String> {
        match path {
            "jwks.json" => Ok(include_str!("keys.jwks").to_owned()),
            "secret" => Ok(SECRET.to_owned()),
            "tls.crt" => {
                Ok(include_str!("../../golden/check/certificate-expired/tls.crt").to_owned())
            }
            "tls.key" => {
                Ok(include_str!("../../golden/check/certificate-expired/tls.key").to_owned())
            }
            _ => Err("no such file".to_owned()),
        }
    }
}

fn check_report(report: &Report, again: &Report, sources: &[Source]) {
    assert_eq!(report.documents().len(), sources.len());
    for (document, source) in report.documents().iter().zip(sources) {
        assert_eq!(document.text.len(), source.text.len(), "what is masked keeps its place");
    }
    for found in report.iter() {
        check_place(report, found);
        for text in [Some(&found.message), found.help.as_ref()].into_iter().flatten() {
            assert!(!text.is_empty() && !text.contains(SECRET), "{text}");
        }
    }
    let errors = report.iter().filter(|found| found.code.severity() == Severity::Error).count();
    assert!(errors <= report.count(Severity::Error));

    let plain = report.render(Style::Plain);
    // Controls, and what turns the order of the letters around.
    let turns = |letter| matches!(letter, '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let obeyed = |letter: char| turns(letter) || (letter.is_control() && letter != '\n');
    assert!(!plain.contains(obeyed), "{plain:?}");
    assert!(!plain.contains(SECRET), "{plain}");
    assert_eq!(plain.is_empty(), report.iter().next().is_none());
    assert_eq!(plain, again.to_string());
    assert_eq!(report.to_json(), again.to_json());
    let lines = report.to_github();
    assert_eq!(lines.lines().count(), report.iter().count(), "{lines}");
    assert!(!lines.replace('\n', "").contains(obeyed), "{lines:?}");
    let _ = report.render(Style::Colour);
}

/// Every place is in its text, between two characters.
fn check_place(report: &Report, found: &Diagnostic) {
    let Some(document) = report.documents().get(found.place.source) else {
        // About all texts together.
        assert!(found.place.path.is_empty() && report.span_of(found).is_none(), "{found:?}");
        return;
    };
    if let Some(span) = report.span_of(found) {
        assert!(document.text.get(span).is_some(), "{found:?} is not within its text");
    }
    for related in &found.related {
        let document = report.documents().get(related.place.source);
        let span = related.span.clone().unwrap_or_default();
        assert!(document.is_some_and(|of| of.text.get(span).is_some()), "{related:?}");
    }
}
