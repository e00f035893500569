use std::collections::BTreeMap;

use proptest::prelude::*;
use serde::Deserialize;

use super::super::{Severity, Source, Style};
use super::*;

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
struct Sample {
    client_grants: Option<Vec<Grant>>,
    labels: Option<BTreeMap<String, u16>>,
    kept: Option<Value>,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Grant {
    client_id: String,
    usage: Option<Usage>,
    scope: Option<Vec<String>>,
    short: Option<Short>,
    #[schemars(extend("writeOnly" = true))]
    secret: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Usage {
    Deny,
    Require,
}

/// Refuses what its schema cannot say.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
struct Short;

impl TryFrom<String> for Short {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text.len() < 3 { Ok(Self) } else { Err("it is too long") }
    }
}

fn read_all(texts: &[&str]) -> (Vec<Option<Sample>>, Report) {
    let schema = schema_of::<Sample>();
    let mut report = Report::new(texts.iter().map(|text| Source::new("x.yaml", *text)));
    let samples =
        texts.iter().enumerate().map(|(source, text)| read(source, text, &schema, &mut report));
    (samples.collect(), report)
}

#[test]
fn all_problems_of_all_sources_come_in_one_report() {
    let (samples, report) = read_all(&[
        "client_grants: [{client_id: a, usage: dney}]\n",
        "client_grants: [\n",
        "client_grants: []\nlabels: {a: 70000, b: 1}\n",
    ]);
    assert_eq!(samples[0].as_ref().unwrap().client_grants.as_ref().unwrap()[0].client_id, "a");
    assert!(samples[1].is_none());
    assert_eq!(samples[2].as_ref().unwrap().labels.as_ref().unwrap()["b"], 1);
    let found: Vec<_> = report.sorted().iter().map(|d| (d.place.source, d.code.as_str())).collect();
    // First what could not be read: others may follow from it.
    assert_eq!(found, [(1, "yaml-syntax"), (0, "value-unknown"), (2, "kind-wrong")]);
}

#[test]
fn what_only_serde_can_tell_is_told() {
    let (samples, report) = read_all(&["client_grants: [{client_id: a, short: long}]\n"]);
    assert!(samples[0].is_none());
    let found: Vec<_> = report.iter().map(|d| (d.code.as_str(), d.message.as_str())).collect();
    assert_eq!(found, [("config-unreadable", "it is too long")]);
}

#[test]
fn a_secret_is_in_no_excerpt_and_a_reference_to_one_is() {
    let random = ["*hunter2", "&hunter2", "&hunter2 x", "!hunter2", "!!hunter2 x", "!<hunter2> x"];
    let usual = ["hunter2", "12345678", "\"hunter2\"", "[hunter2]"];
    for secret in usual.into_iter().chain(random) {
        let text = format!("client_grants: [{{client_id: 1, secret: {secret}, oops: 1}}]\n");
        let (_, report) = read_all(&[&text]);
        let rendered = report.to_string();
        assert!(report.count(Severity::Error) >= 2);
        assert!(!rendered.contains("hunter2") && !rendered.contains("12345678"), "{rendered}");
        assert!(rendered.contains("*, oops: 1"), "{rendered}");
    }
    let (_, report) = read_all(&["client_grants: [{client_id: 1, secret: \"${env:KEY}\"}]\n"]);
    assert!(report.to_string().contains("${env:KEY}"));
}

#[test]
fn what_yaml_takes_for_a_comment_behind_a_secret_is_shown_no_more_than_the_secret() {
    for secret in ["#hunter2", "a #hunter2", "[a] #hunter2", "*a #hunter2", "\"a\"  # hunter2"] {
        // An unknown key has its line shown.
        for key in ["secret", "secrt"] {
            let text = format!("client_grants:\n  - client_id: 1\n    {key}: {secret}\n");
            let (_, report) = read_all(&[&text]);
            let rendered = report.to_string();
            assert!(report.has_errors() && !rendered.contains("hunter2"), "{secret}: {rendered}");
        }
    }
}

/// Right, and with a bit of everything in it.
const YAML: &str = r#"# a comment
client_grants:
  - client_id: "wéb"
    usage: deny # why
    scope: [read, 'write:x', "\u00e9"]
    short: ab
  - {client_id: b, scope: [], secret: "${env:S}"}
labels:
  a: 1
  'b c': 0x1F
kept:
  x: [1.5, ~, no, 2030-01-01]
  y: |
    two
    lines
...
"#;

const JSON: &str = "{\n\t\"client_grants\": [{\"client_id\": \"\\u00e9\\/\\ud83d\\ude00\"}],\n\t\"labels\": \
                    {\"a\": 1}, \"kept\": [null, true, -1.5e3, {\"a\":\"b\"}]\n}\n";

/// Whatever a text is: it is read or refused, and what is said of it is said about it.
fn holds(text: &str) -> Result<(), TestCaseError> {
    let (samples, report) = read_all(&[text]);
    prop_assert!(samples[0].is_some() || report.has_errors());
    for found in report.iter() {
        let places = std::iter::once((&found.place, &found.span))
            .chain(found.related.iter().map(|related| (&related.place, &related.span)));
        for (place, span) in places {
            let span = report.locate(place, span.as_ref(), found.on_key);
            prop_assert!(span.is_none_or(|span| text.get(span).is_some()), "{found:?}");
        }
    }
    let rendered = report.render(Style::Plain);
    prop_assert!(!rendered.contains(|c: char| c.is_control() && c != '\n'));
    prop_assert_eq!(rendered.is_empty(), report.iter().next().is_none());
    prop_assert!(report.render(Style::Colour).len() >= rendered.len());
    Ok(())
}

fn any_text() -> impl Strategy<Value = String> {
    prop::collection::vec(any::<char>(), 0..40).prop_map(String::from_iter)
}

/// A text with some of its characters replaced, removed or added to.
fn mutated(text: &'static str) -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just(String::new()),
        "[\\[\\]{}:,&*!|>'\"%@`#?~<-]{1,3} ?",
        "[ \t\r\n]{1,4}",
        Just("\n---\n".to_owned()),
        Just("<<: ".to_owned()),
        Just("\u{feff}".to_owned()),
        any::<char>().prop_map(String::from),
    ];
    let edits = prop::collection::vec((any::<prop::sample::Index>(), 0..6_usize, piece), 1..6);
    edits.prop_map(move |edits| {
        edits.into_iter().fold(text.to_owned(), |text, (at, removed, piece)| {
            let chars: Vec<char> = text.chars().collect();
            let at = at.index(chars.len() + 1);
            let rest = chars.len().min(at + removed);
            chars[..at]
                .iter()
                .chain(&piece.chars().collect::<Vec<_>>())
                .chain(&chars[rest..])
                .collect()
        })
    })
}

#[test]
fn the_texts_to_mutate_are_right() {
    let (samples, report) = read_all(&[YAML, JSON]);
    assert!(!report.has_errors(), "{report}");
    let grants = samples[0].as_ref().unwrap().client_grants.as_ref().unwrap();
    assert!(matches!(grants[0].usage, Some(Usage::Deny)));
    assert_eq!(grants[0].scope.as_deref().unwrap(), ["read", "write:x", "é"]);
    assert!(grants[0].short.is_some());
    assert_eq!(grants[1].secret.as_deref(), Some("${env:S}"));
    let grants = samples[1].as_ref().unwrap().client_grants.as_ref().unwrap();
    assert_eq!(grants[0].client_id, "é/😀");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_or_refused(text in any_text()) {
        holds(&text)?;
    }

    #[test]
    fn any_yaml_like_text_is_read_or_refused(text in "([a-c]: |- |[\\[{,}\\]'\"&*!#|>?é\t\r]|\n {0,4}|[0-9x_.]){0,60}") {
        holds(&text)?;
    }

    #[test]
    fn any_slip_in_yaml_is_read_or_refused(text in mutated(YAML)) {
        holds(&text)?;
    }

    #[test]
    fn any_slip_in_json_is_read_or_refused(text in mutated(JSON)) {
        holds(&text)?;
    }

    #[test]
    fn json_of_any_text_is_that_text(text in any_text()) {
        let json = serde_json::json!({ "client_grants": [], "kept": { text.as_str(): [text.as_str()] } });
        let written = serde_json::to_string(&json).unwrap();
        let (mut samples, report) = read_all(&[&written]);
        // JSON lets stand what YAML does not: controls from U+007F on, and byte order marks.
        let refused = |c: char| c.is_control() || ('\u{feff}'..='\u{ffff}').contains(&c);
        if report.has_errors() {
            prop_assert!(text.contains(refused));
        } else {
            prop_assert_eq!(samples.remove(0).unwrap().kept, json.get("kept").cloned());
        }
    }
}
