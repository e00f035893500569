use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::super::{Source, read, schema_of};
use super::*;

/// A configuration with everything that raw types are made of.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(in super::super) struct Sample {
    /// The APIs.
    pub apis: Option<Vec<Api>>,
    pub labels: Option<BTreeMap<String, String>>,
    pub limits: Option<Limits>,
    pub kept: Option<Value>,
    pub always: Vec<String>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
pub(in super::super) struct Api {
    pub identifier: String,
    pub policy: Option<Policy>,
    pub scopes: Option<Vec<String>>,
    pub strict: Option<bool>,
    pub expires_at: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(rename_all = "snake_case")]
pub(in super::super) enum Policy {
    /// All.
    AllowAll,
    /// None.
    DenyAll,
    #[serde(rename = "1.2")]
    Number,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub(in super::super) struct Limits {
    pub port: Option<u16>,
    pub bytes: Option<u32>,
    pub ratio: Option<f64>,
    pub open_files: u64,
}

/// What becomes of a text: what serde makes of it, and each problem as `code place: message; help`.
fn read_all(text: &str) -> (Sample, Vec<String>) {
    let mut report = Report::new([Source::new("x.yaml", text)]);
    let sample = read(0, text, &schema_of::<Sample>(), &mut report);
    let problems = report.sorted().into_iter().map(|found| {
        let help = found.help.as_ref().map(|help| format!("; {help}")).unwrap_or_default();
        format!("{} {}: {}{help}", found.code.as_str(), found.place, found.message)
    });
    (sample.unwrap_or_else(|| panic!("{report}")), problems.collect())
}

#[track_caller]
fn finds(text: &str, problems: &[&str]) -> Sample {
    let (sample, found) = read_all(text);
    assert_eq!(found, problems, "{text}");
    sample
}

fn api(lines: &str) -> String {
    format!("apis:\n  - identifier: a\n    {lines}\n")
}

#[test]
fn what_is_right_arrives_as_written() {
    let text = "
apis:
  - identifier: https://a.example
    policy: deny_all
    scopes: [read, \"5\"]
    strict: True
    expires_at: \"2030-01-01\"
  - {\"identifier\": \"b\", \"policy\": null}
labels: {any: thing, 5: five}
limits: {port: 0x50, bytes: 4294967295, ratio: 1.5, openFiles: 7}
kept: {a: [1, no, 2030-01-01], b: }
";
    let sample = finds(text, &[]);
    let apis = sample.apis.unwrap();
    assert_eq!(apis[0].identifier, "https://a.example");
    assert_eq!(apis[0].policy, Some(Policy::DenyAll));
    assert_eq!(apis[0].scopes.as_deref(), Some(["read".to_owned(), "5".to_owned()].as_slice()));
    assert_eq!((apis[0].strict, apis[0].expires_at.as_deref()), (Some(true), Some("2030-01-01")));
    assert_eq!((apis[1].identifier.as_str(), apis[1].policy), ("b", None));
    assert_eq!(sample.labels.unwrap()["5"], "five");
    let limits = sample.limits.unwrap();
    assert_eq!((limits.port, limits.bytes), (Some(80), Some(u32::MAX)));
    assert_eq!((limits.ratio, limits.open_files), (Some(1.5), 7));
    assert_eq!(sample.kept.unwrap().to_string(), r#"{"a":[1,"no","2030-01-01"],"b":null}"#);
    assert!(sample.always.is_empty());
}

#[test]
fn unknown_keys_suggest_what_was_meant_or_list_what_there_is() {
    finds(
        &api("polcy: deny_all"),
        &["key-unknown apis[0].polcy: unknown key `polcy`; did you mean `policy`?"],
    );
    finds(
        &api("expiresAt: x"),
        &["key-unknown apis[0].expiresAt: unknown key `expiresAt`; did you mean `expires_at`?"],
    );
    finds(
        "limits: {upstream: 1}\n",
        &[
            "key-unknown limits.upstream: unknown key `upstream`; the keys here are `bytes`, `openFiles`, `port` or `ratio`",
        ],
    );
}

#[test]
fn a_missing_key_is_said_unless_it_was_misspelt() {
    let missing = finds(
        "apis:\n  - strict: true\n",
        &["key-missing apis[0].identifier: the key `identifier` is missing"],
    );
    assert_eq!(missing.apis.unwrap()[0].identifier, "");
    finds(
        "apis:\n  - identifer: a\n",
        &["key-unknown apis[0].identifer: unknown key `identifer`; did you mean `identifier`?"],
    );
    finds(
        "apis:\n  - identifier: [a]\n",
        &["kind-wrong apis[0].identifier: `identifier` must be text, but this is a list"],
    );
    // Beside the key that was meant, the misspelt one hides nothing.
    finds(
        "apis:\n  - {identifer: a, identifier: 5}\n",
        &[
            "key-unknown apis[0].identifer: unknown key `identifer`; did you mean `identifier`?",
            "string-unquoted apis[0].identifier: `identifier` must be text, but unquoted this is a number; quote it: `\"5\"`",
        ],
    );
}

#[test]
fn wrong_kinds_say_what_is_meant_and_what_is_there() {
    let cases = [
        (
            "scopes: read",
            "scopes",
            "`scopes` must be a list, but this is text; write a list: `[\"read\"]`",
        ),
        (
            "scopes: {a: b}",
            "scopes",
            "`scopes` must be a list, but this is a mapping; put it into brackets: `[{…}]`",
        ),
        ("strict: no", "strict", "`strict` must be true or false, but this is text; write `false`"),
        ("strict: yes", "strict", "`strict` must be true or false, but this is text; write `true`"),
        (
            "strict: \"true\"",
            "strict",
            "`strict` must be true or false, but this is text; write it without quotes: `true`",
        ),
        (
            "strict: 1",
            "strict",
            "`strict` must be true or false, but this is a number; write `true`",
        ),
        (
            "strict: maybe",
            "strict",
            "`strict` must be true or false, but this is text; write `true` or `false`",
        ),
    ];
    for (line, key, problem) in cases {
        let sample = finds(&api(line), &[&format!("kind-wrong apis[0].{key}: {problem}")]);
        assert_eq!(
            (sample.apis.as_ref().unwrap()[0].strict, &sample.apis.unwrap()[0].scopes),
            (None, &None)
        );
    }
    finds(
        "[a]",
        &[
            "kind-wrong .: the file must be a mapping, but this is a list; write its keys without `- ` and `[`",
        ],
    );
    finds(
        "apis: [5]\n",
        &[
            "kind-wrong apis[0]: an element of `apis` must be a mapping, but this is a number; write a mapping: the keys here are `expires_at`, `identifier`, `policy`, `scopes` or `strict`",
        ],
    );
}

#[test]
fn numbers_stay_in_their_range_and_shape() {
    let cases = [
        ("port: 65536", "port", "`port` must be from 0 to 65535, but this is `65536`"),
        ("port: -1", "port", "`port` must be from 0 to 65535, but this is `-1`"),
        (
            "bytes: 4294967296",
            "bytes",
            "`bytes` must be from 0 to 4294967295, but this is `4294967296`",
        ),
        (
            "bytes: 1.5",
            "bytes",
            "`bytes` must be a whole number, but this is a number with a fraction",
        ),
        ("bytes: 1_000", "bytes", "`bytes` must be a whole number, but this is text; write `1000`"),
        ("bytes: 012", "bytes", "`bytes` must be a whole number, but this is text; write `12`"),
        (
            "bytes: \"5\"",
            "bytes",
            "`bytes` must be a whole number, but this is text; write it without quotes: `5`",
        ),
        ("ratio: .inf", "ratio", "`ratio` must be a number, but this is not a finite number"),
        ("openFiles: null", "openFiles", "`openFiles` must be a whole number, but this is nothing"),
    ];
    for (line, key, problem) in cases {
        let sample = finds(
            &format!("limits: {{{line}}}\n"),
            &[&format!("kind-wrong limits.{key}: {problem}")],
        );
        let limits = sample.limits.unwrap();
        assert_eq!(
            (limits.port, limits.bytes, limits.ratio, limits.open_files),
            (None, None, None, 0)
        );
    }
}

#[test]
fn text_that_looks_like_something_else_is_quoted() {
    let cases = [
        ("12345", "a number"),
        ("1.10", "a number"),
        ("true", "true or false"),
        ("2030-01-01", "a number or a date to many readers"),
        ("2030-01-01T00:00:00Z", "a number or a date to many readers"),
        ("012", "a number or a date to many readers"),
        ("1_000", "a number or a date to many readers"),
    ];
    for (text, what) in cases {
        finds(
            &api(&format!("expires_at: {text}")),
            &[&format!(
                "string-unquoted apis[0].expires_at: `expires_at` must be text, but unquoted this is {what}; quote it: `\"{text}\"`"
            )],
        );
        finds(&api(&format!("expires_at: '{text}'")), &[]);
    }
    for text in ["no", "10s", "32KiB", "a b", "https://a.example/?x=1"] {
        finds(&api(&format!("expires_at: {text}")), &[]);
    }
}

#[test]
fn unknown_values_suggest_what_was_meant() {
    finds(
        &api("policy: alow_all"),
        &["value-unknown apis[0].policy: `policy` cannot be `alow_all`; did you mean `allow_all`?"],
    );
    finds(
        &api("policy: \"everything\""),
        &[
            "value-unknown apis[0].policy: `policy` cannot be `everything`; write `1.2`, `allow_all` or `deny_all`",
        ],
    );
    finds(
        &api("policy: 7"),
        &[
            "value-unknown apis[0].policy: `policy` cannot be `7`; write `1.2`, `allow_all` or `deny_all`",
        ],
    );
    finds(
        &api("policy: [allow_all]"),
        &["kind-wrong apis[0].policy: `policy` must be text, but this is a list"],
    );
    // A name that looks like a number can be nothing else where names are listed.
    assert_eq!(finds(&api("policy: 1.2"), &[]).apis.unwrap()[0].policy, Some(Policy::Number));
}

#[test]
fn nothing_written_is_not_nothing_said() {
    finds(
        "apis:\n",
        &[
            "kind-wrong apis: `apis` must be a list, but nothing is written; write `[]` for an empty list",
        ],
    );
    finds(
        "limits:\n",
        &[
            "kind-wrong limits: `limits` must be a mapping, but nothing is written; write `{}` for an empty mapping",
        ],
    );
    finds(
        &api("expires_at:"),
        &[
            "kind-wrong apis[0].expires_at: `expires_at` must be text, but nothing is written; write a value, or leave out the key",
        ],
    );
    finds(
        "apis:\n  - identifier:\n",
        &[
            "kind-wrong apis[0].identifier: `identifier` must be text, but nothing is written; write a value",
        ],
    );
    assert!(finds("apis: null\nlimits: ~\n", &[]).apis.is_none());
    finds(
        "always: null\n",
        &[
            "kind-wrong always: `always` must be a list, but this is nothing; write `[]` for an empty list",
        ],
    );
}

#[test]
fn indexes_keep_their_meaning_behind_what_was_refused() {
    let sample = finds(
        &api("scopes: [5, [], *x, d]"),
        &[
            "string-unquoted apis[0].scopes[0]: an element of `scopes` must be text, but unquoted this is a number; quote it: `\"5\"`",
            "kind-wrong apis[0].scopes[1]: an element of `scopes` must be text, but this is a list",
            "yaml-alias apis[0].scopes[2]: the alias `*x` is not supported; write out what it stands for; text that begins with `*` is quoted: `\"* /admin/*\"`",
        ],
    );
    assert_eq!(sample.apis.unwrap()[0].scopes.as_ref().unwrap()[3], "d");
}

#[test]
fn nothing_more_is_said_about_what_was_refused() {
    let text = api("scopes: read\n    strict: true");
    let mut report = Report::new([Source::new("x.yaml", text.as_str())]);
    let _: Option<Sample> = read(0, &text, &schema_of::<Sample>(), &mut report);
    let api = Place::root(0).key("apis").index(0);
    report.push(Code::KeyMissing, &api.key("scopes"), "no scopes");
    report.push(Code::KindWrong, &api.key("strict"), "too strict");
    let said: Vec<_> = report.iter().map(|found| found.place.to_string()).collect();
    assert_eq!(said, ["apis[0].scopes", "apis[0].strict"]);
}
