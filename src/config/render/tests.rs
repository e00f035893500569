use super::super::{Code, Place, Source, parse};
use super::*;

fn report(texts: &[(&str, &str)]) -> Report {
    let mut report = Report::new(texts.iter().map(|(name, text)| Source::new(*name, *text)));
    for (source, (_, text)) in texts.iter().enumerate() {
        if let Some(tree) = parse(source, text, &mut report) {
            report.attach(source, tree);
        }
    }
    report
}

#[test]
fn shows_line_caret_related_places_and_help() {
    let mut report = report(&[
        ("a.yaml", "apis:\n  - name: one\n  - name: two\n    gate:\n      on: GET /x\n"),
        ("b.yaml", "apis:\n\t\n  - name: one\n"),
    ]);
    let apis = Place::root(0).key("apis");
    report
        .push(Code::KeyUnknown, &apis.index(1).key("gate").key("on"), "`GET /x` stands alone")
        .help("write `GET /y`")
        .also(&apis.index(0).key("name"), "first given here")
        .also(&Place::root(1).key("apis").index(0).key("name"), "and here");
    report.push(Code::KeyMissing, &apis.index(1).key("policy"), "the key `policy` is missing");
    report.push(Code::ConfigEmpty, &Place::nowhere(), "no file was given");
    assert_eq!(
        report.to_string(),
        "\
error[key-missing]: the key `policy` is missing
 --> a.yaml:3:5
  |
3 |   - name: two
  |     ^^^^^^^^^

error[key-unknown]: `GET /x` stands alone
 --> a.yaml:5:11
  |
2 |   - name: one
  |           --- first given here
...
5 |       on: GET /x
  |           ^^^^^^
  |
 ::: b.yaml:3:11
  |
3 |   - name: one
  |           --- and here
  |
  = help: write `GET /y`

error[config-empty]: no file was given

3 errors
"
    );
}

#[test]
fn is_silent_without_problems_and_counts_what_there_is() {
    assert_eq!(report(&[("a", "a: 1\n")]).to_string(), "");
    let one = report(&[("a", "")]);
    assert_eq!(
        one.to_string(),
        "error[config-empty]: the file is empty\n --> a:1:1\n  |\n1 |  \n  | ^\n  |\n  = help: remove it, or write at least `client_grants: []`, which says that there are none\n\n1 error\n"
    );
}

#[test]
fn a_document_without_a_tree_is_named() {
    let mut report = report(&[("a", "")]);
    report.push(Code::ConfigUnreadable, &Place::root(0), "it is not UTF-8");
    assert!(report.to_string().contains("it is not UTF-8\n--> a\n"), "{report}");
}

#[test]
fn colour_is_asked_for() {
    let report = report(&[("a", "")]);
    assert!(!report.render(Style::Plain).contains('\u{1b}'));
    assert!(report.render(Style::Colour).contains("\u{1b}["));
}

#[test]
fn nothing_of_a_text_reaches_the_terminal_as_it_is() {
    let mut report = report(&[("\u{1b}]0;a\u{7}", "a: \u{202e}x\u{200f}\u{1b}[2J\n")]);
    report
        .push(Code::KeyUnknown, &Place::root(0), "unknown `\u{9b}31m`\n")
        .help("\u{2066}\r")
        .also(&Place::root(0), "\u{1b}c");
    let rendered = report.to_string();
    let harmful = |c: char| c != '\n' && (c.is_control() || ('\u{200e}'..='\u{206f}').contains(&c));
    assert!(!rendered.contains(harmful), "{rendered:?}");
}

#[test]
fn a_long_line_is_cut_and_its_position_is_not() {
    let text = format!("{{\"a\": [{}*x]}}", "1, ".repeat(100_000));
    let rendered = report(&[("a.json", &text)]).to_string();
    assert!(rendered.contains(" --> a.json:1:300008\n"), "{rendered}");
    assert!(!rendered.contains(":::"), "{rendered}");
    assert!(!report(&[("a.json", &text)]).render(Style::Colour).contains(":::"));
    assert!(rendered.len() < 1000);
}

fn problems() -> Report {
    let mut report = report(&[("dir/a,b:c%.yaml", "apis:\n  - näme: one\n"), ("b.yaml", "é: 1\n")]);
    let name = Place::root(0).key("apis").index(0).key("näme");
    report
        .push(Code::KindWrong, &name, "50% wrong:\r\n::error::x, \u{202e}y")
        .also(&Place::root(1).key("é"), "see")
        .help("write `two`");
    report.push(Code::GrantElsewhere, &name, "elsewhere").on_key();
    report.push(Code::SourcesMissing, &Place::nowhere(), "no file");
    report
}

#[test]
fn programs_read_every_place_and_nothing_is_left_out() {
    let json = problems().to_json();
    assert_eq!(
        json["summary"],
        serde_json::json!({"errors": 2, "warnings": 1, "allowed": 0, "files": 2})
    );
    let found = json["diagnostics"].as_array().unwrap();
    assert_eq!(
        found[1],
        serde_json::json!({
            "code": "kind-wrong", "severity": "error", "file": "dir/a,b:c%.yaml",
            "path": "apis[0][\"näme\"]", "line": 2, "column": 11, "end": {"line": 2, "column": 14},
            "message": "50% wrong:\r\n::error::x, \u{202e}y", "help": "write `two`",
            "related": [{
                "file": "b.yaml", "path": "[\"é\"]", "line": 1, "column": 4,
                "end": {"line": 1, "column": 5}, "message": "see",
            }],
        })
    );
    assert_eq!(
        found[2],
        serde_json::json!({
            "code": "sources-missing", "severity": "error", "file": null, "path": null, "line": null,
            "column": null, "end": null, "message": "no file", "help": null, "related": [],
        })
    );
}

#[test]
fn github_reads_one_command_for_each_problem_and_no_other() {
    assert_eq!(
        problems().to_github(),
        "\
::warning file=dir/a%2Cb%3Ac%25.yaml,line=2,endLine=2,col=5,endColumn=8,title=grant-elsewhere::elsewhere
::error file=dir/a%2Cb%3Ac%25.yaml,line=2,endLine=2,col=11,endColumn=13,title=kind-wrong::50%25 wrong:␍␊::error::x, \u{fffd}y%0Ahelp: write `two`
::error title=sources-missing::no file
"
    );
}

#[test]
fn a_file_s_name_harms_no_log_that_github_s_commands_are_read_in() {
    let mut report = report(&[("a\u{1b}[2J\u{202e}\n::error::x,y.yaml", "a: 1\n")]);
    report.push(Code::KeyUnknown, &Place::root(0).key("a"), "unknown");
    assert_eq!(
        report.to_github(),
        "::error file=a␛[2J\u{fffd}␊%3A%3Aerror%3A%3Ax%2Cy.yaml,line=1,endLine=1,col=4,endColumn=4,\
         title=key-unknown::unknown\n"
    );
}
