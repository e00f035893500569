use super::*;

#[expect(dead_code, reason = "it is read, and that is all")]
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Example {
    audience: Text<1, 5>,
    #[serde(default)]
    scope: Member<List<Text<1, 3>, 2>>,
    number: Option<Whole<1, 9>>,
    inner: Option<Vec<Inner>>,
    anything: Option<Value>,
}

#[expect(dead_code, reason = "it is read, and that is all")]
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Inner {
    #[serde(rename = "type")]
    name: String,
    of: Option<Of>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Of {
    /// One of them.
    Some,
    /// None of them.
    None,
}

fn message(body: &str) -> String {
    let fault = read::<Example>(body.as_bytes()).expect_err(body);
    assert_eq!((fault.status, fault.code), (StatusCode::BAD_REQUEST, Some("invalid_body")));
    let message = fault.message.strip_prefix("Payload validation error: ");
    message.expect("begins as Auth0's").to_owned()
}

#[test]
fn what_is_wrong_is_named_with_its_path() {
    for (body, wrong) in [
        ("", "a JSON object is missing."),
        ("[]", "the body must be a JSON object."),
        ("{", "not JSON: EOF while parsing an object at line 1 column 1."),
        ("audience: a", "not JSON: expected value at line 1 column 1."),
        (r#"{"audience":"a","audience":"b"}"#, "`audience` comes twice at line 1 column 31."),
        ("{}", "'Missing required property: audience'."),
        (
            r#"{"audience":"a","scop":[]}"#,
            "'Additional properties not allowed: scop' (did you mean `scope`?).",
        ),
        (
            r#"{"audience":"a","inner":[{"type":"x"},{"type":"x","zzz":1}]}"#,
            "'Additional properties not allowed: inner[1].zzz'.",
        ),
        (r#"{"audience":""}"#, "'String is too short (0 chars), minimum 1' on property audience."),
        (
            r#"{"audience":"éééééé"}"#,
            "'String is too long (6 chars), maximum 5' on property audience.",
        ),
        (
            r#"{"audience":"a","scope":["a","long"]}"#,
            "'String is too long (4 chars), maximum 3' on property scope[1].",
        ),
        (
            r#"{"audience":"a","scope":["a","b","c"]}"#,
            "'Array is too long (3), maximum 2' on property scope.",
        ),
        (r#"{"audience":"a","number":0}"#, "'Value 0 is less than minimum 1' on property number."),
        (
            r#"{"audience":"a","number":-1}"#,
            "'Value -1 is less than minimum 1' on property number.",
        ),
        (
            r#"{"audience":"a","number":10}"#,
            "'Value 10 is greater than maximum 9' on property number.",
        ),
        (
            r#"{"audience":"a","number":1.5}"#,
            "'Expected type integer but found type number' on property number.",
        ),
        (
            r#"{"audience":"a","scope":"x"}"#,
            "'Expected type array but found type string' on property scope.",
        ),
        (
            r#"{"audience":"a","inner":[{}]}"#,
            "'Missing required property: type' on property inner[0].",
        ),
        (
            r#"{"audience":"a","inner":[{"type":"x","of":"all"}]}"#,
            "'No enum match for: all, expected one of: some, none' on property inner[0].of.",
        ),
        (
            r#"{"audience":"a","inner":[{"type":"x","of":7}]}"#,
            "'Expected type string but found type integer' on property inner[0].of.",
        ),
        (
            r#"{"audience":7}"#,
            "'Expected type string but found type integer' on property audience.",
        ),
    ] {
        assert_eq!(message(body), wrong, "{body}");
    }
}

#[test]
fn a_strangers_words_are_said_again_briefly_and_do_no_harm() {
    let long = "x".repeat(65);
    let short = format!("{}…", "x".repeat(64));
    let unknown = message(&format!(r#"{{"{long}":1}}"#));
    assert_eq!(unknown, format!("'Additional properties not allowed: {short}'."));
    let unknown = message(r#"{"inner":[{"a\u202eb\nc":1}]}"#);
    assert_eq!(unknown, "'Additional properties not allowed: inner[0].abc'.");
    let of = message(&format!(r#"{{"inner":[{{"type":"x","of":"{long}\u001b"}}]}}"#));
    assert!(of.starts_with(&format!("'No enum match for: {short}, ")), "{of}");
    let many = "y".repeat(500);
    let twice = message(&format!(r#"{{"{many}":1,"{many}":1}}"#));
    assert!(twice.len() < 150, "{twice}");
}

#[test]
fn absent_null_and_a_value_are_three() {
    let scope = |body: &str| read::<Example>(body.as_bytes()).unwrap().scope;
    assert_eq!(scope(r#"{"audience":"a"}"#), Member::Absent);
    assert_eq!(scope(r#"{"audience":"a","scope":null}"#), Member::Null);
    let one = Member::Value(List(vec![Text("x".to_owned())]));
    assert_eq!(scope(r#"{"audience":"a","scope":["x"]}"#), one);
}

#[test]
fn what_no_type_describes_is_kept_as_it_was_written() {
    let body = r#"{"number":1,"audience":"éé","anything":{"b":1,"a":[null]}}"#;
    let read = read::<Example>(body.as_bytes()).unwrap();
    assert_eq!(read.anything.unwrap().to_string(), r#"{"b":1,"a":[null]}"#);
    assert_eq!(&*read.audience, "éé");
}

#[test]
fn the_schema_says_the_bounds() {
    let schema = schema_of::<Example>();
    assert_eq!(schema["required"], serde_json::json!(["audience"]));
    assert_eq!(schema["additionalProperties"], false);
    assert_eq!(schema["properties"]["audience"]["maxLength"], 5);
    assert_eq!(schema["properties"]["scope"]["maxItems"], 2);
    assert_eq!(schema["properties"]["scope"]["type"], serde_json::json!(["array", "null"]));
    assert_eq!(schema["properties"]["number"]["maximum"], 9);
}

#[test]
fn a_schema_is_made_once_for_each_type() {
    assert!(Arc::ptr_eq(&schema::<Example>(), &schema::<Example>()));
    assert_eq!(*schema::<Inner>(), schema_of::<Inner>());
    assert_ne!(schema::<Example>(), schema::<Inner>());
}
