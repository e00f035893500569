use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::edit::{Row, says};
use super::*;
use crate::config::raw::Configuration;
use crate::config::tree::Node;
use crate::config::{Edit, EditError, Loaded, Nowhere, Source, load, schema_of};
use crate::policy::{SubjectType, UnixTime};

fn file(rows: &[&str]) -> String {
    let rows = rows.join(",\n");
    format!("{HEAD}{rows}{}{TAIL}\n", if rows.is_empty() { "" } else { "\n" })
}

const ROWS: [&str; 3] = [
    r#"{"client_id":"a","audience":"https://a.example","scope":["read:x","write:x"]}"#,
    r#"{"id":"cgr_1","client_id":"b","scope":[],"subject_type":"user","is_system":false}"#,
    r#"{"default_for":"third_party_clients","allow_all_scopes":true,"organizations":["o"]}"#,
];

fn edited(text: &str, edits: &[Edit]) -> Result<String, EditError> {
    edit(&Source::new("grants.json", text), edits).unwrap()
}

fn grants() -> Place {
    Place::root(0).key(KEY)
}

/// What the way of every other file makes of a text.
fn as_any_file(text: &str) -> Option<(Option<Vec<ClientGrant>>, Node)> {
    let mut report = Report::new([Source::new("x", text)]);
    let schema = schema_of::<Configuration>();
    let read: Option<Configuration> = crate::config::read(0, text, &schema, &mut report);
    let tree = parse(0, text, &mut Report::default());
    (!report.has_errors()).then(|| (read.unwrap().client_grants, tree.unwrap()))
}

/// Whatever is taken without a tree is taken with one, means the same, and stands where it stands.
fn agrees(text: &str) -> Result<bool, TestCaseError> {
    let Some(Ok(Grants { grants, rows })) = read(text) else { return Ok(false) };
    let as_any = as_any_file(text);
    prop_assert!(as_any.is_some(), "{text}");
    let (other, tree) = as_any.unwrap();
    let count = grants.len();
    prop_assert_eq!(format!("{:?}", Some(grants)), format!("{other:?}"));
    let keys = ["client_id", "scope", "audience", "nothing"];
    let list = self::grants();
    let mut places = vec![Place::root(0), list.clone(), list.index(count)];
    for index in 0..count {
        let grant = list.index(index);
        places.extend(keys.map(|key| grant.key(key)));
        places.extend([grant.key("scope").index(1), grant]);
    }
    for place in places {
        for on_key in [false, true] {
            let (one, other) = (rows.span(text, &place, on_key), place.span(&tree, on_key));
            prop_assert_eq!(text.get(one), text.get(other), "{} {}", place, on_key);
        }
    }
    Ok(true)
}

#[test]
fn grants_are_read_by_their_lines() {
    for rows in [&ROWS[..], &ROWS[..1], &[]] {
        let text = file(rows);
        assert_eq!(read(&text).unwrap().ok().unwrap().grants.len(), rows.len());
        assert!(agrees(&text).unwrap());
        assert!(agrees(text.trim_end()).unwrap());
    }
}

#[test]
fn what_is_in_another_layout_is_left_to_the_other_way() {
    let text = file(&ROWS);
    for other in [
        text.replace('\n', "\r\n"),
        text.replacen(' ', "", 1),
        text.replace("]}", "],\"clients\": []}"),
        format!("# {text}"),
        format!("{text}\n"),
        "client_grants: []\n".to_owned(),
    ] {
        assert!(read(&other).is_none_or(|read| read.is_err()), "{other}");
        assert!(edit(&Source::new("grants.json", other.as_str()), &[]).is_none_or(|it| it.is_ok()));
    }
}

#[test]
fn a_line_in_doubt_is_told() {
    for (row, message) in [
        (r#"{"client_id":"a","client_id":"b"}"#, "duplicate field `client_id`"),
        (r#"{"client_id":"a","is_system":{"a":1,"a":2}}"#, "`is_system` must be true or false"),
        (r#"{"client":"a"}"#, "unknown field `client`"),
        (r#"["a"]"#, "the line does not begin with a grant"),
        ("{\"client_id\":\"\u{85}\"}", "the line holds a character that is not taken here"),
        ("", "the line does not begin with a grant"),
    ] {
        let text = file(&[ROWS[0], row, ROWS[1]]);
        let slip = read(&text).unwrap().err().unwrap();
        assert!(slip.message.starts_with(message), "{}", slip.message);
        assert_eq!(text[slip.span].trim_end_matches(','), row);
    }
    let text = file(&ROWS).replacen("},", "}", 1);
    assert_eq!(read(&text).unwrap().err().unwrap().message, "a grant is not followed by a comma");
}

#[test]
fn a_slip_in_a_long_file_is_told_where_it_is() {
    let many = vec![ROWS[0]; (8 << 20) / ROWS[0].len() + 1];
    let sources = |row| [Source::new("grants.json", file(&[many.as_slice(), &[row]].concat()))];
    let report = crate::config::inspect(&sources(r#"{"client":"a"}"#));
    let found: Vec<_> = report.iter().collect();
    assert_eq!(found.len(), 1);
    assert!(found[0].message.starts_with("unknown field `client`"), "{}", found[0].message);
    assert_eq!(&report.documents()[0].text[report.span_of(found[0]).unwrap()], r#"{"client":"a"}"#);
    assert!(!crate::config::inspect(&sources(ROWS[1])).has_errors());
}

#[test]
fn very_many_grants_are_read_and_each_knows_its_line() {
    const MANY: usize = 60_000;
    let row = |number| {
        format!(
            r#"{{"client_id":"application-{number:06}","subject_type":"user","scope":["read"]}}"#
        )
    };
    let rows: Vec<_> = (0..MANY).map(row).collect();
    let rows: Vec<_> = rows.iter().map(String::as_str).collect();
    let gateway = "
issuers: [{issuer: 'https://a.example/', profile: auth0, jwks: {keys: []}}]
resource_servers:
  - identifier: https://api.example
    scopes: [{value: read}]
    subject_type_authorization: {user: {policy: require_client_grant}, client: {policy: deny_all}}
    gate: {upstream: 'http://127.0.0.1:3000', operations: [{on: GET /things, scopes: [read]}]}
";
    let sources = [Source::new("gateway.yaml", gateway), Source::new("grants.json", file(&rows))];
    let Loaded { snapshot, warnings, .. } =
        load(&sources, &Nowhere, UnixTime::from_seconds(0)).unwrap();
    assert_eq!(warnings.iter().count(), 0, "{warnings}");
    // The texts are there once.
    assert!(Arc::ptr_eq(&warnings.documents()[1].text, &sources[1].text));
    assert!(warnings.documents()[1].tree.is_none());
    let api = &snapshot.apis[0].api;
    let issuer = &snapshot.issuers[0].trust.issuer;
    for number in [0, 1, MANY - 1] {
        let client = format!("application-{number:06}");
        let grant = api.grants.own(issuer, &client, SubjectType::User).unwrap();
        let line = format!("grants.json:{}", number + 2);
        assert_eq!(snapshot.line_of(grant.origin), Some(line));
    }
}

#[test]
fn edits_touch_the_lines_that_they_are_about() {
    let text = file(&ROWS);
    let at = |index| grants().index(index);
    let append = |list, items: &[Value]| Edit::Append { list, items: items.to_vec() };
    let remove = |place| Edit::Remove { place };
    let new = json!({"scope": ["a"], "client_id": "new", "reason": "é"});
    let line = r#"{"client_id":"new","scope":["a"],"reason":"é"}"#;
    let [one, _, three] = ROWS;
    assert_eq!(edited("", &[append(grants(), std::slice::from_ref(&new))]).unwrap(), file(&[line]));
    assert_eq!(
        edited(&text, &[append(grants(), &[new]), remove(at(1))]).unwrap(),
        file(&[one, three, line])
    );
    assert_eq!(edited(&text, &[remove(at(0)), remove(at(2)), remove(at(1))]).unwrap(), file(&[]));
    let scope = at(0).key("scope");
    let changes = [
        remove(scope.index(0)),
        append(scope.clone(), &[json!("c")]),
        remove(scope.index(1)),
        Edit::Set { place: at(0).key("expires_at"), value: json!("x") },
        append(at(1).key("organizations"), &[json!("o")]),
        remove(at(2).key("organizations")),
    ];
    assert_eq!(
        edited(&text, &changes).unwrap(),
        file(&[
            r#"{"client_id":"a","audience":"https://a.example","scope":["c"],"expires_at":"x"}"#,
            r#"{"id":"cgr_1","client_id":"b","subject_type":"user","scope":[],"organizations":["o"],"is_system":false}"#,
            r#"{"default_for":"third_party_clients","allow_all_scopes":true}"#,
        ])
    );
    for missing in [
        remove(at(3)),
        remove(at(0).key("owner")),
        remove(scope.index(2)),
        Edit::Set { place: at(3).key("owner"), value: json!("x") },
        append(at(0).key("client_id"), &[]),
        append(Place::root(0).key("clients"), &[]),
    ] {
        assert!(matches!(edited(&text, &[missing]), Err(EditError::Missing(_))));
    }
}

#[test]
fn what_is_left_keeps_its_order_and_what_is_written_can_be_read() {
    let row = r#"{"client_id":"a","scope":[],"reason":"r","owner":"o","note":"n"}"#;
    let text = file(&[row]);
    let remove = Edit::Remove { place: grants().index(0).key("reason") };
    let left = file(&[&row.replace(r#""reason":"r","#, "")]);
    assert_eq!(edited(&text, std::slice::from_ref(&remove)).unwrap(), left);
    assert_eq!(edited(text.trim_end(), &[remove]).unwrap(), left.trim_end());
    let value = json!("\u{2028}\u{85}\u{feff}");
    let set = Edit::Set { place: grants().index(0).key("reason"), value: value.clone() };
    let text = edited(&text, &[set]).unwrap();
    assert!(text.contains(r#""reason":"\u2028\u0085\ufeff""#), "{text}");
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap()[KEY][0]["reason"], value);
}

#[test]
fn a_text_that_says_something_else_than_was_meant_is_found_out() {
    let text = file(&ROWS);
    let meant = |row: &str| Row::Meant(serde_json::from_str(row).unwrap());
    let all = || vec![Row::Kept(ROWS[0]), meant(ROWS[1]), Row::Kept(ROWS[2])];
    assert!(says(&text, &all()));
    let less = ROWS[1].replace("user", "client");
    let doubtful = ROWS[1].replace("user", "\u{2028}");
    for other in [
        file(&[ROWS[0], &less, ROWS[2]]),
        file(&[ROWS[0], ROWS[1], &less]),
        file(&ROWS[..2]),
        file(&[ROWS[0], ROWS[1], ROWS[2], ROWS[2]]),
        text.replace("]}", ""),
    ] {
        assert!(!says(&other, &all()), "{other}");
    }
    assert!(!says(&file(&[&doubtful]), &[meant(&doubtful)]));
}

#[test]
fn what_people_have_broken_into_lines_is_edited_as_they_would() {
    let text = file(&ROWS).replacen(",\"scope\"", ",\n  \"scope\"", 1);
    let remove = Edit::Remove { place: grants().index(1) };
    assert!(
        edit(&Source::new("grants.json", text.as_str()), std::slice::from_ref(&remove)).is_none()
    );
    let edited = crate::config::edit(&Source::new("grants.json", text.as_str()), &[remove]);
    assert_eq!(edited.unwrap(), text.replace(&format!("{},\n", ROWS[1]), ""));
}

#[test]
fn two_changes_of_one_thing_are_refused() {
    let scope = grants().index(0).key("scope");
    let all = [
        Edit::Set { place: scope.clone(), value: json!([]) },
        Edit::Append { list: scope, items: vec![json!("x")] },
    ];
    let edited = crate::config::edit(&Source::new("grants.json", file(&ROWS)), &all);
    assert!(matches!(edited, Err(EditError::Overlapping(_))));
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z:/é😀 \"\\\\\u{1}\u{7f}\u{2028}~#]{0,6}", any::<String>()]
}

fn grant_value() -> impl Strategy<Value = Value> {
    let value = prop_oneof![
        4 => text().prop_map(Value::from),
        2 => prop::collection::vec(text(), 0..3).prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(Value::Null),
        1 => Just(json!({"a": [1, 1.5]})),
        2 => prop::sample::select(vec!["user", "client", "deny", "third_party_clients"]).prop_map(Value::from),
    ];
    let keys = vec![
        "id",
        "client_id",
        "default_for",
        "audience",
        "subject_type",
        "scope",
        "allow_all_scopes",
        "organization_usage",
        "organizations",
        "reason",
        "is_system",
        "oops",
    ];
    let entry = (prop::sample::select(keys), value);
    prop::collection::vec(entry, 0..5).prop_map(|entries| {
        entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read_alike(items in prop::collection::vec(grant_value(), 0..4)) {
        let text = edited("", &[Edit::Append { list: grants(), items }]).unwrap();
        agrees(&text)?;
    }

    #[test]
    fn any_slip_is_read_alike(
        at in any::<prop::sample::Index>(), removed in 0..5_usize,
        piece in "[\\[\\]{}:,\"\\\\ \n\t#&*!|>'u0-9a-f\u{85}é]{0,4}",
    ) {
        let text = file(&ROWS);
        let chars: Vec<char> = text.chars().collect();
        let at = HEAD.len() + at.index(chars.len() - HEAD.len());
        let end = chars.len().min(at + removed);
        let text: String =
            chars[..at].iter().copied().chain(piece.chars()).chain(chars[end..].iter().copied()).collect();
        agrees(&text)?;
    }
}
