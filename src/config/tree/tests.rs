use serde_json::{Value, json};

use super::super::{Source, walk};
use super::*;

/// What a text says when anything may be said, and the codes of what is wrong with it.
fn read(text: &str) -> (Option<Value>, Vec<&'static str>) {
    let (value, report) = read_with_report(text);
    (value, report.iter().map(|found| found.code.as_str()).collect())
}

fn read_with_report(text: &str) -> (Option<Value>, Report) {
    let mut report = Report::new([Source::new("x.yaml", text)]);
    let value = parse(0, text, &mut report)
        .map(|tree| walk(&tree, &Value::Bool(true), &Place::root(0), &mut report));
    (value, report)
}

fn codes(text: &str) -> Vec<&'static str> {
    read(text).1
}

#[track_caller]
fn says(text: &str, value: &Value) {
    assert_eq!(read(text), (Some(value.clone()), vec![]), "{text:?}");
}

#[track_caller]
fn refuses(text: &str, code: &str, marked: &str) {
    let (_, report) = read_with_report(text);
    let found: Vec<_> = report.iter().collect();
    assert_eq!(found.len(), 1, "{text:?}: {report}");
    assert_eq!(found[0].code.as_str(), code, "{text:?}");
    assert_eq!(&text[found[0].span.clone().unwrap()], marked, "{text:?}");
}

#[test]
fn reads_lists_mappings_and_scalars() {
    says(
        "a: [1, x, \"2\", ~]\nb:\n  - c: true\n    d: 1.5\n  -\n    - 'no'\n",
        &json!({"a": [1, "x", "2", null], "b": [{"c": true, "d": 1.5}, ["no"]]}),
    );
    says(
        "a: |\n  two\n  lines\nb: >-\n  one\n  line\n",
        &json!({"a": "two\nlines\n", "b": "one line"}),
    );
    says("# a comment\n---\na: b # another\n...\n# the end\n", &json!({"a": "b"}));
    says("a: b\r\nc:\r\n- d\r\n", &json!({"a": "b", "c": ["d"]}));
}

#[test]
fn plain_scalars_are_the_core_schemas_and_nothing_older() {
    says("[no, yes, on, off, y, n]", &json!(["no", "yes", "on", "off", "y", "n"]));
    says("[012, 1_000, 0x1F, 0o17, 1:30]", &json!(["012", "1_000", 31, 15, "1:30"]));
    says("[2030-01-01, 10s, 1.2.3]", &json!(["2030-01-01", "10s", "1.2.3"]));
    says("[\"true\", 'null', \"5\"]", &json!(["true", "null", "5"]));
}

#[test]
fn a_key_stands_once() {
    refuses("a: 1\nb: 2\na: 3\n", "key-duplicate", "a");
    refuses("{a: 1, 'a': 2}", "key-duplicate", "'a'");
    refuses("{\"a\": 1, \"\\u0061\": 2}", "key-duplicate", "\"\\u0061\"");
    refuses("5: 1\n\"5\": 2\n", "key-duplicate", "\"5\"");
    let (value, report) = read_with_report("a: 1\nb: 2\na: 3\n");
    assert_eq!(value, Some(json!({"a": 1, "b": 2})));
    let found = report.iter().next().unwrap();
    assert_eq!(found.span, Some(10..11));
    assert_eq!(found.related[0].span, Some(0..1));
}

#[test]
fn a_key_is_text() {
    refuses("[a]: 1\n", "key-not-text", "[a]");
    refuses("? {a: b}\n: 1\n", "key-not-text", "{a: b}");
    refuses("~: 1\n", "key-not-text", "~");
    refuses("null: 1\n", "key-not-text", "null");
    refuses(": 1\n", "key-not-text", "");
    says("\"null\": 1\n5: 2\ntrue: 3\n", &json!({"null": 1, "5": 2, "true": 3}));
}

#[test]
fn anchors_aliases_tags_and_merge_keys_are_refused() {
    refuses("a: &x 1\n", "yaml-anchor", "&x");
    refuses("a: &x [1]\n", "yaml-anchor", "&x");
    refuses("a: *x\n", "yaml-alias", "*x");
    refuses("*x : a\n", "yaml-alias", "*x");
    refuses("<<: {a: 1}\n", "yaml-merge-key", "<<");
    refuses("<<: *x\n", "yaml-merge-key", "<<");
    refuses("a: !secret abc\n", "yaml-tag", "!secret");
    refuses("a: !!binary aGk=\n", "yaml-tag", "!!binary");
    refuses("a: !!str 5\n", "yaml-tag", "!!str");
    refuses("a: !x [1]\n", "yaml-tag", "!x");
    refuses("!x {a: 1}\n", "yaml-tag", "!x");
    says("\"<<\": 1\n", &json!({"<<": 1}));
}

#[test]
fn reading_goes_on_behind_what_is_refused() {
    let (value, report) = read_with_report("a: &x 1\nb: [*x, !t 2, 3]\nc: {<<: *x, d: 4}\na: 5\n");
    assert_eq!(value, Some(json!({"a": 1, "b": [null, null, 3], "c": {"d": 4}})));
    let places: Vec<_> =
        report.iter().map(|d| format!("{} {}", d.code.as_str(), d.place)).collect();
    assert_eq!(
        places,
        [
            "yaml-anchor a",
            "yaml-alias b[0]",
            "yaml-tag b[1]",
            "yaml-merge-key c",
            "key-duplicate a"
        ]
    );
}

#[test]
fn one_document_and_no_directives() {
    refuses("a: 1\n---\nb: 2\n", "documents-several", "---");
    refuses("a: 1\n...\n---\nb: 2\n", "documents-several", "---");
    refuses("a: 1\n...\nb: 2\n", "documents-several", "");
    assert_eq!(codes("%YAML 1.1\n---\na: 1\n"), ["yaml-syntax"]);
    assert_eq!(codes("%TAG ! tag:x,2000:\n---\na: 1\n"), ["yaml-syntax"]);
}

#[test]
fn an_empty_document_is_refused() {
    for text in ["", "\n", "# nothing\n", "---\n", "---\n...\n", "~", "null\n", "\u{feff}", "..."] {
        assert_eq!(read(text), (None, vec!["config-empty"]), "{text:?}");
    }
}

#[test]
fn characters_that_no_text_has_are_refused() {
    refuses("a: b\0c\n", "yaml-syntax", "\0");
    refuses("a: \"\u{1b}[31m\"\n", "yaml-syntax", "\u{1b}");
    refuses("a: b\u{feff}c\n", "yaml-syntax", "\u{feff}");
    refuses("a: b\n\u{feff}c: d\n", "yaml-syntax", "\u{feff}");
    refuses("a: \u{ffff}\n", "yaml-syntax", "\u{ffff}");
}

#[test]
fn a_leading_byte_order_mark_is_skipped_and_positions_hold() {
    says("\u{feff}a: 1\n", &json!({"a": 1}));
    says("\u{feff}{\"a\": 1}\n", &json!({"a": 1}));
    refuses("\u{feff}é: 1\né: 2\n", "key-duplicate", "é");
}

#[test]
fn syntax_errors_say_where() {
    for (text, marked) in [
        ("a: [1, 2\nb: 3\n", 10),
        ("a: [1, 2\n", 3),
        ("{\"a\": 1", 0),
        ("a: \"open\n", 3),
        ("a: b: c\n", 4),
        ("a: 1\n\tb: 2\n", 5),
        ("a:\n  b: 1\t# x\n\n  # y\n  \tc: 2\n", 24),
        ("a: 1\n b: 2\n", 7),
        ("[1] ]\n", 4),
        ("a: @x\n", 3),
        ("{\"a\": \"\\ud800\"}", 6),
        ("{\"a\": \"\\x\"}", 6),
    ] {
        let (value, report) = read_with_report(text);
        let found: Vec<_> =
            report.iter().map(|d| (d.code.as_str(), d.span.clone().unwrap().start)).collect();
        assert_eq!(
            (value, found.as_slice()),
            (None, [("yaml-syntax", marked)].as_slice()),
            "{text:?}"
        );
    }
}

#[test]
fn an_open_quote_is_shown_where_the_next_one_ends_it() {
    let opened = |text| {
        let (_, report) = read_with_report(text);
        let found = report.iter().next().unwrap();
        assert!(found.help.as_ref().unwrap().contains("quote may be open"), "{report}");
        found.related.first().and_then(|related| related.span.clone())
    };
    assert_eq!(opened("a: \"x\nb: 1\nc: \"y\"\n"), Some(3..4));
    assert_eq!(opened("a: 'x\nb: 'y'\n"), Some(3..4));
    assert_eq!(opened("a: \"x\" y\n"), None);
    assert_eq!(opened("a: \"x\n"), None);
}

#[test]
fn slips_in_the_syntax_have_a_help() {
    for (text, word) in [
        ("a: {on: GET /x/{id}, b: c}\n", "quote text"),
        ("a: {on: b: c}\n", "quote text"),
        ("a: 1\n b: 2\n", "indent all keys"),
        ("a:\n  b: 1\n c: 2\n", "align"),
        ("a:\n  - b: 1\n   c: 2\n", "align"),
        ("a: [1, 2\nb: 3\n", "bracket"),
        ("a:\n\t- 1\n", "spaces"),
    ] {
        let (_, report) = read_with_report(text);
        let help = report.iter().next().unwrap().help.clone().unwrap_or_default();
        assert!(help.contains(word), "{text:?}: {help}");
    }
}

#[test]
fn no_secret_is_shown_that_no_schema_could_tell() {
    for text in [
        "client_secret: hush\na: b: c\n",
        "a: [{client_secret: hush, b: c: d}]\n",
        "{\"client_secret\": \"hush\", \"a\": [}",
        "a:\n  hs_secret: one\n  hs_secret: hush\n",
        "a:\n  hs_secret: |\n    hush\n\n    hush\n  b: c: d\n",
        "a:\n  - hs_secret: >-\n      hush\n    b: c: d\n",
        "a:\n  hs_secret:\n    hush\n  b: c: d\n",
        "a:\n  hs_secret: one\n    hush\n  b: c: d\n",
        "a:\n  hs_secret: \"one\n  hush\"\n  b: c: d\n",
        "a:\n  {hs_secret: 'one\nhush'\n  , b: c: d}\n",
    ] {
        let (_, report) = read_with_report(text);
        assert!(report.has_errors() && !report.to_string().contains("hush"), "{text}\n{report}");
        assert!(
            text.contains("a:\n  hs_secret: one\n  hs")
                || !report.documents()[0].text.contains("hush")
        );
    }
    assert!(read_with_report("a_secret: \"${env:X}\" b\n").1.to_string().contains("env:X"));
}

#[test]
fn json_is_read_as_json() {
    for text in [
        "{\n\t\"a\": [\n\t\t1,\n\t\t\"x\"\n\t],\n\t\"b\": {\n\t\t\"c\": null\n\t}\n}\n",
        "\t{ \"a\" :[1,\"x\"],\"b\":{\"c\":null}}",
        "{\"a\"\n:\n[1,\"x\"]\n,\"b\":\n{\"c\"\t:\tnull}}",
        "{\"a\":[1,\"x\"],\"b\":{\"c\":null}}",
        "\r\n{\r\n\t\"a\":\r\n\t[1\r\n,\"x\"], \"b\": {\"c\": null}}\r\n\r\n",
    ] {
        assert_eq!(read(text).0, serde_json::from_str(text).ok(), "{text:?}");
        assert!(codes(text).is_empty(), "{text:?}");
    }
    let escapes = r#"{"a": "\/\u00e9\ud83d\ude00\"\\\b\f\n\r\t", "é 😀": -1.5e-3, "e": "", "n": [-0, 1E2, 0]}"#;
    let expected: Value = serde_json::from_str(escapes).unwrap();
    let (value, codes) = read(escapes);
    assert_eq!((value.as_ref().map(|v| &v["a"]), codes), (Some(&expected["a"]), vec![]));
    assert_eq!(value.as_ref().map(|v| &v["é 😀"]), Some(&expected["é 😀"]));
    assert_eq!(value.map(|v| v["n"].to_string()), Some("[0,100.0,0]".to_owned()));
}

#[test]
fn json_on_one_long_line_is_read() {
    let items = vec!["{\"b\":\"c d e\",\"f\":[1,2]}"; 2_000].join(",");
    let text = format!("{{\"a\":[{items}]}}");
    says(&text, &serde_json::from_str(&text).unwrap());
}

#[test]
fn depth_is_bounded() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(codes(&nested(OWN.depth)).is_empty());
    assert_eq!(codes(&nested(OWN.depth + 1)), ["config-too-large"]);
    assert_eq!(codes(&"[".repeat(400_000)), ["config-too-large"]);
    assert_eq!(codes(&"{a: ".repeat(400_000)), ["config-too-large"]);
    assert_eq!(codes(&"- ".repeat(400_000)), ["config-too-large"]);
    assert_eq!(codes(&"? ".repeat(400_000)), ["config-too-large"]);
    let stairs: Vec<_> = (0..1000).map(|depth| " ".repeat(depth)).collect();
    assert_eq!(codes(&(stairs.join("a:\n") + "a:")), ["config-too-large"]);
}

#[test]
fn length_and_number_of_values_are_bounded() {
    assert_eq!(codes(&" ".repeat(MAX_BYTES + 1)), ["config-too-large"]);
    assert_eq!(codes(&format!("[{}]", "1,".repeat(OWN.nodes))), ["config-too-large"]);
}

#[test]
fn an_alias_bomb_does_not_grow() {
    let mut bomb = vec!["a0: &a0 [x, x, x, x, x, x, x, x, x]".to_owned()];
    for level in 1..9 {
        let aliases = vec![format!("*a{}", level - 1); 9].join(", ");
        bomb.push(format!("a{level}: &a{level} [{aliases}]"));
    }
    let bomb = bomb.join("\n");
    assert!(bomb.len() < 1000);
    let codes = codes(&bomb);
    assert_eq!(codes.iter().filter(|code| **code == "yaml-anchor").count(), 9);
    assert_eq!(codes.iter().filter(|code| **code == "yaml-alias").count(), 72);
}

#[test]
fn nodes_know_where_they_stand() {
    let text = "a:\n  - b: [1, 2] # c\n    d: |\n      é\n\ne: {f: g}\n";
    let mut report = Report::new([Source::new("x", text)]);
    let tree = parse(0, text, &mut report).unwrap();
    let root = Place::root(0);
    let at = |place: &Place| &text[place.span(&tree, false)];
    assert_eq!(at(&root.key("a").index(0).key("b")), "[1, 2]");
    assert_eq!(at(&root.key("e")), "{f: g}");
    assert_eq!(at(&root.key("e").key("f")), "g");
    assert!(at(&root.key("a")).starts_with("- b: [1"));
    assert!(at(&root.key("a").index(0).key("d")).starts_with('é'));
}

/// The code of why a text of others is not read.
fn foreign(text: &str) -> Option<String> {
    let mut report = Report::new([Source::new("a.yaml", text)]);
    let tree = parse_foreign(0, text, &mut report);
    assert_eq!(tree.is_none(), report.has_errors());
    report.iter().next().map(|first| first.code.as_str().to_owned())
}

#[test]
fn aliases_of_others_nest_no_deeper_than_a_text_may() {
    let level =
        |at: usize| format!("a{at}: &a{at} {}*a{}{}\n", "[".repeat(60), at - 1, "]".repeat(60));
    let one = format!("a0: &a0 []\n{}", level(1));
    assert_eq!(foreign(&one), None);
    let many = (2..100).map(level).collect::<Vec<_>>().concat();
    assert_eq!(foreign(&format!("{one}{many}")).as_deref(), Some("config-too-large"));
}

#[test]
fn anchors_of_others_within_each_other_do_not_grow() {
    let opened: Vec<_> = (0..90).map(|at| format!("&a{at} [")).collect();
    let opened = opened.concat();
    let text = format!("a: {opened}{}1{}", "1,".repeat(50_000), "]".repeat(90));
    assert_eq!(foreign(&text).as_deref(), Some("config-too-large"));
}
