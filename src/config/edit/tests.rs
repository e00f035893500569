use serde_json::json;

use super::*;

/// `a.0.b`: numbers are indexes.
fn at(path: &str) -> Place {
    path.split('.').fold(Place::root(0), |place, step| match step.parse() {
        Ok(index) => place.index(index),
        Err(_) => place.key(step.to_owned()),
    })
}

fn append(list: &str, items: &Value) -> Edit {
    Edit::Append { list: at(list), items: items.as_array().unwrap().clone() }
}

fn set(place: &str, value: Value) -> Edit {
    Edit::Set { place: at(place), value }
}

fn remove(place: &str) -> Edit {
    Edit::Remove { place: at(place) }
}

#[track_caller]
fn becomes(before: &str, edits: &[Edit], after: &str) {
    let edited = edit(&Source::new("x.yaml", before), edits).unwrap();
    assert!(edited == after, "\n{before}\n-- became\n{edited}\n-- and not\n{after}");
}

fn refused(text: &str, edits: &[Edit]) -> EditError {
    edit(&Source::new("x.yaml", text), edits).unwrap_err()
}

#[test]
fn a_block_list_gets_items_behind_its_last_one() {
    for (before, after) in [
        ("a:\n  - x\n", "a:\n  - x\n  - k\n"),
        ("a:\n- x\nb: 1\n", "a:\n- x\n- k\nb: 1\n"),
        (
            "a:\n  - x   # c\n  # of the list's end\n\n# b\nb: 1\n",
            "a:\n  - x   # c\n  - k\n  # of the list's end\n\n# b\nb: 1\n",
        ),
        ("a:\n  - x\n    # of x\n...\n", "a:\n  - x\n    # of x\n  - k\n...\n"),
        ("a:\n  - x", "a:\n  - x\n  - k"),
        ("a:\r\n  - x\r\n...\r\n", "a:\r\n  - x\r\n  - k\r\n...\r\n"),
        ("a:\n  - w\n\n  # two\n  - x\n\nb: 1\n", "a:\n  - w\n\n  # two\n  - x\n\n  - k\n\nb: 1\n"),
        ("a:\n  - |\n    x\n\nb: 1\n", "a:\n  - |\n    x\n  - k\n\nb: 1\n"),
        ("a:\n    -   x\n", "a:\n    -   x\n    -   k\n"),
        ("a:\n  - 'x'\n", "a:\n  - 'x'\n  - 'k'\n"),
        ("\u{feff}a:\n  - \"x\"\n", "\u{feff}a:\n  - \"x\"\n  - \"k\"\n"),
        ("a:\n  - - u\n    - v\n  - x\n", "a:\n  - - u\n    - v\n  - x\n  - k\n"),
        ("a:\n  -\n    x\n", "a:\n  -\n    x\n  - k\n"),
        ("a:\n  - x\n  -\nb: 1\n", "a:\n  - x\n  -\n  - k\nb: 1\n"),
    ] {
        becomes(before, &[append("a", &json!(["k"]))], after);
    }
}

#[test]
fn a_new_item_is_written_as_its_neighbours_are() {
    let item = json!([{"client_id": "no", "subject_type": "user", "scope": ["c:d"]}]);
    for (before, after) in [
        (
            "g:\n  - client_id: x   # c\n    subject_type: user\n    scope: [\"a:b\"]\n",
            "  - client_id: \"no\"\n    subject_type: user\n    scope: [\"c:d\"]\n",
        ),
        (
            "g:\n- subject_type: user\n  client_id: x\n  scope:\n  - a:b\n",
            "- client_id: \"no\"\n  subject_type: user\n  scope:\n  - c:d\n",
        ),
        (
            "g:\n  - { client_id: x, scope: [ a:b ] }\n",
            "  - { client_id: \"no\", subject_type: user, scope: [ c:d ] }\n",
        ),
        ("g:\n  - x\n", "  - client_id: \"no\"\n    subject_type: user\n    scope: [\"c:d\"]\n"),
        (
            "g:\n  - {\"client_id\":\"x\"}\n",
            "  - {\"client_id\": \"no\", \"subject_type\": \"user\", \"scope\": [\"c:d\"]}\n",
        ),
    ] {
        becomes(before, &[append("g", &item)], &format!("{before}{after}"));
    }
}

#[test]
fn nested_values_stand_on_lines_of_their_own() {
    becomes(
        "a:\n    b:\n        c: 1\n",
        &[set("a.d", json!({"e": {"f": [{"g": 1, "h": [[1], []]}]}, "i": {}}))],
        "a:\n    b:\n        c: 1\n    d:\n        e:\n            f:\n              - g: 1\n                h:\n                  - [1]\n                  - []\n        i: {}\n",
    );
}

#[test]
fn brackets_get_items_within() {
    for (before, after) in [
        ("a: [x, \"w\"]   # c\n", "a: [x, \"w\", k]   # c\n"),
        ("a: []   # c\n", "a: [k]   # c\n"),
        ("a: [ # c\n]\n", "a: [ # c\n  k\n]\n"),
        ("a: [\n  # none yet\n]\n", "a: [\n  # none yet\n  k\n]\n"),
        ("a: [x, w # c\n]\n", "a: [x, w, # c\n  k\n]\n"),
        ("a: [x, w, # c\n]\n", "a: [x, w, # c\n  k,\n]\n"),
        ("a: [x, ]\n", "a: [x, k, ]\n"),
        ("a: [ x ]\n", "a: [ x, k ]\n"),
        ("a: [x,w]\n", "a: [x,w,k]\n"),
        ("a: [\n  x, # c\n  w # d\n]\n", "a: [\n  x, # c\n  w, # d\n  k\n]\n"),
        ("a: [\n  x, # c\n  # e\n]\n", "a: [\n  x, # c\n  k,\n  # e\n]\n"),
        ("a: [x, # c\n  w]\n", "a: [x, # c\n  w,\n  k]\n"),
        ("a: [\n  x\n]", "a: [\n  x,\n  k\n]"),
    ] {
        becomes(before, &[append("a", &json!(["k"]))], after);
    }
}

#[test]
fn a_list_comes_to_be() {
    let grants = [append("g", &json!([{"client_id": "x", "scope": ["a:b"]}]))];
    let written = "  - client_id: x\n    scope: [\"a:b\"]\n";
    becomes("g: []\n", &grants, &format!("g:\n{written}"));
    becomes("g: []  # none\n\nb: 1\n", &grants, &format!("g:  # none\n{written}\nb: 1\n"));
    becomes("g:\nb: 1\n", &grants, &format!("g:\n{written}b: 1\n"));
    becomes(
        "g:   # c\n  # as this\nb: 1\n",
        &grants,
        &format!("g:   # c\n  # as this\n{written}b: 1\n"),
    );
    becomes("b: 1\n", &grants, &format!("b: 1\ng:\n{written}"));
    becomes("a: 1\n\nb: 1\n...\n", &grants, &format!("a: 1\n\nb: 1\n\ng:\n{written}...\n"));
    becomes("b: 1 # c\n\n# end\n", &grants, &format!("b: 1 # c\ng:\n{written}\n# end\n"));
    becomes("b:\n- 1\n", &grants, "b:\n- 1\ng:\n- client_id: x\n  scope: [\"a:b\"]\n");
    becomes("", &grants, &format!("g:\n{written}"));
    becomes("# c\n...\n", &grants, &format!("# c\ng:\n{written}...\n"));
    becomes("# c", &grants, &format!("# c\ng:\n{written}"));
    becomes("a: {}\n", &[append("a.l", &json!(["x"]))], "a: {l: [x]}\n");
    becomes("a:\n", &[append("a", &json!(["x"]))], "a: [x]\n");
    becomes("a: ~ # c\n", &[append("a", &json!(["x"]))], "a: [x] # c\n");
}

#[test]
fn a_value_takes_another_s_place() {
    for (before, value, after) in [
        ("a: 1   # c\n", json!("no"), "a: \"no\"   # c\n"),
        ("a: 'x' # c\n", json!("it's"), "a: 'it''s' # c\n"),
        ("a: \"x\"\n", json!(true), "a: true\n"),
        ("a: # c\n", json!(null), "a: null # c\n"),
        ("a: x\n  k # c\nb: 1\n", json!("z"), "a: z # c\nb: 1\n"),
        ("a:\n  # c\n  x # d\nb: 1\n", json!("z"), "a:\n  # c\n  z # d\nb: 1\n"),
        ("a: | # c\n  x\n\n  k\n\nb: 1\n", json!("z"), "a: z # c\n\nb: 1\n"),
        ("a: >-\n", json!("z"), "a: z\n"),
        ("a: [1, # c\n  2] # d\nb: 1\n", json!("z"), "a: z # d\nb: 1\n"),
        ("a: 1 # c\nb: 1\n", json!({"x": {"k": 2}}), "a: # c\n  x:\n    k: 2\nb: 1\n"),
        ("a: 1 # c\nb: 1\n", json!(["x"]), "a: [x] # c\nb: 1\n"),
        (
            "a:\n  # all\n  - x # c\n  - k\n\n# b\nb: 1\n",
            json!([]),
            "a: []\n  # all\n\n# b\nb: 1\n",
        ),
        ("a: # c\n  - x\n  - k\nb: 1\n", json!(["z"]), "a: # c\n  - z\nb: 1\n"),
        ("a:\n  x: 1\n  k: 2 # c\nb: 1\n", json!({"x": 2}), "a:\n  x: 2\nb: 1\n"),
        ("a: {x: 1} # c\n", json!({"x": "k, z"}), "a: {x: \"k, z\"} # c\n"),
        ("a: |\n  x\nb: 1\n", json!({"x": 2}), "a:\n  x: 2\nb: 1\n"),
    ] {
        becomes(before, &[set("a", value)], after);
    }
    becomes(
        "a:\n  - b: 1\n    c: 2 # d\n  - x\n",
        &[set("a.0", json!({"b": 2}))],
        "a:\n  - b: 2\n  - x\n",
    );
    becomes("a:\n  - b: 1\n    c: 2 # d\n", &[set("a.0", json!("z"))], "a:\n  - z\n");
    becomes("a:\n  - x # c\n", &[set("a.0", json!("z"))], "a:\n  - z # c\n");
}

#[test]
fn a_key_is_added() {
    for (before, after) in [
        (
            "a:\n  - b: x # c\n    # of c\n  - d: 1\n",
            "a:\n  - b: x # c\n    k: v\n    # of c\n  - d: 1\n",
        ),
        ("a:\n- b: x\n\n# e\ne: 1\n", "a:\n- b: x\n  k: v\n\n# e\ne: 1\n"),
        ("a: [{b: x}] # c\n", "a: [{b: x, k: v}] # c\n"),
        ("a: [{ b: x }]\n", "a: [{ b: x, k: v }]\n"),
        ("a: [{}]\n", "a: [{k: v}]\n"),
        ("a: [{\"b\": \"x\"}]\n", "a: [{\"b\": \"x\", \"k\": \"v\"}]\n"),
        ("a:\n  - {b: ,}\n", "a:\n  - {b: , k: v,}\n"),
        ("a:\n  - {}\n", "a:\n  - {k: v}\n"),
        ("a:\n  - {\n      b: x # c\n    }\n", "a:\n  - {\n      b: x, # c\n      k: v\n    }\n"),
    ] {
        becomes(before, &[set("a.0.k", json!("v"))], after);
    }
}

#[test]
fn an_item_is_taken_out_with_what_speaks_of_it() {
    for (before, index, after) in [
        (
            "a:\n  - x\n  # of k\n  - k # c\n    # more of k\n  # of z\n  - z\n",
            1,
            "a:\n  - x\n  # of z\n  - z\n",
        ),
        ("a:\n  # of all\n  - x\n  - k\n", 0, "a:\n  # of all\n  - k\n"),
        ("a:\n  # of x\n  - x\n  # of k\n  - k\n", 0, "a:\n  # of k\n  - k\n"),
        ("a:\n  # of all\n\n  # of x\n  - x\n\n  - k\n", 0, "a:\n  # of all\n\n  - k\n"),
        ("a:\n  - x\n\n  # part two\n\n  - k\nb: 1\n", 1, "a:\n  - x\n\n  # part two\nb: 1\n"),
        ("a:\n  - x\n\n  - k\n\n  - z\n", 1, "a:\n  - x\n\n  - z\n"),
        ("a:\n  - x\n\n  - k\n\nb: 1\n", 0, "a:\n  - k\n\nb: 1\n"),
        ("a:\n  - x\n\n  - k\n\nb: 1\n", 1, "a:\n  - x\n\nb: 1\n"),
        ("a:\n- x # c\n\n# b\nb: 1\n", 0, "a: []\n\n# b\nb: 1\n"),
        ("a: # c\n  # of all\n  - x # d\n", 0, "a: [] # c\n  # of all\n"),
        ("a:\n  - |\n    x\n\n  - k\n", 0, "a:\n  - k\n"),
        ("a:\n  - x\n  - k", 1, "a:\n  - x"),
        ("a:\r\n  - x\r\n  - k\r\n", 0, "a:\r\n  - k\r\n"),
        ("a:\n  - x: 1\n    # of k\n    k: 2\n  - z\n", 0, "a:\n  - z\n"),
        ("a: [x, k, z] # c\n", 0, "a: [k, z] # c\n"),
        ("a: [x, k, z] # c\n", 1, "a: [x, z] # c\n"),
        ("a: [x, k, z] # c\n", 2, "a: [x, k] # c\n"),
        ("a: [x, k,]\n", 1, "a: [x,]\n"),
        ("a: [ x ] # c\n", 0, "a: [] # c\n"),
        ("a: [\n  x, # c\n  # of k\n  k, # d\n  z # e\n]\n", 1, "a: [\n  x, # c\n  z # e\n]\n"),
        ("a: [\n  x, # c\n  k, # d\n  z # e\n]\n", 2, "a: [\n  x, # c\n  k # d\n]\n"),
        ("a: [\n  # all\n  x, # c\n  k\n]\n", 0, "a: [\n  # all\n  k\n]\n"),
        ("a: [x, # c\n  k]\n", 1, "a: [x # c\n  ]\n"),
        ("a: [x, k, # c\n  z]\n", 1, "a: [x, # c\n  z]\n"),
    ] {
        becomes(before, &[remove(&format!("a.{index}"))], after);
    }
}

#[test]
fn a_comment_in_brackets_stays_with_what_it_speaks_of() {
    for (before, index, after) in [
        ("a: [{b: 1}, # b\n  {c: 1}]\n", 0, "a: [{c: 1}]\n"),
        ("a: [{b: 1}, # b\n  # of c\n  {c: 1} # c\n]\n", 0, "a: [\n  # of c\n  {c: 1} # c\n]\n"),
        ("a: [ # all\n  x, # x\n  k # k\n]\n", 0, "a: [ # all\n  k # k\n]\n"),
        ("a: [\n  x, # x\n     # more of x\n  k # k\n]\n", 0, "a: [\n  k # k\n]\n"),
        (
            "a: [\n  x, # x\n     # more of x\n  k # k\n]\n",
            1,
            "a: [\n  x # x\n     # more of x\n]\n",
        ),
        ("a: [\n  x,\n  # of k\n  k]\n", 1, "a: [\n  x]\n"),
        ("a: [\n  x, # x\n  # of k\n  k]\n", 1, "a: [\n  x # x\n  ]\n"),
        ("a: [\n  x,\n  # {b: old},\n  # of k\n  k\n]\n", 1, "a: [\n  x\n  # {b: old},\n]\n"),
        ("a: [\n  x,\n\n  # part two\n\n  k\n]\n", 1, "a: [\n  x\n\n  # part two\n]\n"),
        // What stands above all stays when nothing else does.
        ("a: [\n  # all\n\n  x # x\n]\n", 0, "a: [\n  # all\n]\n"),
        ("a: [\n  # all\n  x,\n]\n", 0, "a: [\n  # all\n]\n"),
        ("a: [ # all\n  x\n]\n", 0, "a: [ # all\n]\n"),
        ("a: [x, # x\n]\n", 0, "a: []\n"),
    ] {
        becomes(before, &[remove(&format!("a.{index}"))], after);
    }
    let swap = [remove("a.0"), remove("a.1"), append("a", &json!(["k"]))];
    for (before, after) in [
        ("a: [\n  # all\n  x, # x\n  y # y\n]\n", "a: [\n  # all\n  k\n]\n"),
        ("a: [x, # x\n  y, # y\n  ]\n", "a: [k,\n  ]\n"),
        ("a: [ x # x\n  , y # y\n]\n", "a: [ k\n]\n"),
    ] {
        becomes(before, &swap, after);
    }
    becomes(
        "a:\n  - {b: x,\n     # scopes of it\n     scope: [c]}\n",
        &[remove("a.0.scope"), set("a.0.all", json!(true))],
        "a:\n  - {b: x,\n     all: true}\n",
    );
    becomes(
        "a:\n  - {b: x,\n     # scopes of it\n     scope: [c]}\n",
        &[set("a.0.all", json!(true))],
        "a:\n  - {b: x,\n     # scopes of it\n     scope: [c],\n     all: true}\n",
    );
}

#[test]
fn lines_that_begin_with_commas_stay_so() {
    let text = "a: [ x    # contract 77\n   , y    # trial\n   , z ]   # all\n";
    for (edits, after) in [
        (vec![remove("a.0")], "a: [ y    # trial\n   , z ]   # all\n"),
        (vec![remove("a.1")], "a: [ x    # contract 77\n   , z ]   # all\n"),
        (vec![remove("a.2")], "a: [ x    # contract 77\n   , y    # trial\n   ]   # all\n"),
        (
            vec![append("a", &json!(["k", "v"]))],
            "a: [ x    # contract 77\n   , y    # trial\n   , z\n   , k\n   , v ]   # all\n",
        ),
        (
            vec![remove("a.1"), remove("a.2"), append("a", &json!(["k"]))],
            "a: [ x    # contract 77\n   , k ]   # all\n",
        ),
    ] {
        becomes(text, &edits, after);
    }
    let text = "a: [\n    x  # keep\n  # of y\n  , y  # trial\n  # end\n]\n";
    for (edits, after) in [
        (vec![remove("a.1")], "a: [\n    x  # keep\n  # end\n]\n"),
        (vec![remove("a.0")], "a: [\n  # of y\n    y  # trial\n  # end\n]\n"),
        (
            vec![append("a", &json!(["k"]))],
            "a: [\n    x  # keep\n  # of y\n  , y  # trial\n  , k\n  # end\n]\n",
        ),
    ] {
        becomes(text, &edits, after);
    }
    // Whose comment is it?
    for text in ["a: [\n  x\n  , # c\n  y\n]\n", "a: [\n  x # x\n  , y, # y\n  z]\n"] {
        assert_eq!(refused(text, &[remove("a.1")]), EditError::Unfaithful("a[1]".to_owned()));
    }
}

#[test]
fn yaml_in_braces_is_no_json() {
    becomes(
        "{g: [{client_id: web, scope: [a]}], r: [\n  {b: 1},\n]}\n",
        &[
            append("g", &json!([{"client_id": "k", "scope": ["b", "c"]}])),
            append("r", &json!([{"b": 2}])),
        ],
        "{g: [{client_id: web, scope: [a]}, {client_id: k, scope: [b, c]}], r: [\n  {b: 1},\n  {b: 2},\n]}\n",
    );
}

#[test]
fn an_item_that_is_commented_out_stays() {
    for (before, after) in [
        ("a:\n  - x\n  # - {b: old}\n  - k\n  - z\n", "a:\n  - x\n  # - {b: old}\n  - z\n"),
        (
            "a:\n  - x\n  # - b: old\n  #   c: 1\n  # of k\n  - k\n",
            "a:\n  - x\n  # - b: old\n  #   c: 1\n",
        ),
        ("a:\n  - x\n\n  #- b\n  - k\n\n  - z\n", "a:\n  - x\n\n  #- b\n\n  - z\n"),
        ("a:\n  - x\n  # k may:\n  #  - read\n  #  - write\n  - k\n", "a:\n  - x\n"),
    ] {
        becomes(before, &[remove("a.1")], after);
    }
    becomes("a:\n  # the batch\n  - k\n", &[remove("a.0")], "a: []\n  # the batch\n");
    becomes("a:\n\n  # - b\n  # of k\n  - k\n", &[remove("a.0")], "a: []\n\n  # - b\n");
}

#[test]
fn blank_lines_that_a_block_scalar_keeps_stay_its_own() {
    let text = "a:\n  - b: |+\n      x\n\n\nc: 1\n";
    becomes(
        text,
        &[append("a", &json!([{"b": "k"}]))],
        "a:\n  - b: |+\n      x\n\n\n  - b: k\nc: 1\n",
    );
    becomes(text, &[set("a.0.k", json!(1))], "a:\n  - b: |+\n      x\n\n\n    k: 1\nc: 1\n");
    becomes("a:\n- |+\n  x\n\n", &[append("a", &json!(["k"]))], "a:\n- |+\n  x\n\n- k\n");
    becomes("a:\n- |+\n  x\n\n- k\n", &[remove("a.1")], "a:\n- |+\n  x\n\n");
    becomes("a:\n- |+\n  x\n\n- k\n", &[remove("a.0")], "a:\n- k\n");
    becomes("a:\n- |+\n  x", &[append("a", &json!(["k"]))], "a:\n- |+\n  x\n- k");
    let error = refused("a:\n- k\n- |+\n  x\n\n- z", &[remove("a.2")]);
    assert_eq!(error, EditError::Keeping("a[1]".to_owned()));
    assert!(error.to_string().starts_with("`a[1]` ends in a way that keeps blank lines; "));
}

#[test]
fn a_key_is_taken_out() {
    for (before, place, after) in [
        ("# head\na: 1\nb: 2\n", "a", "# head\nb: 2\n"),
        ("a: 1\nb: 2\n", "a", "b: 2\n"),
        ("a: 1\n\n# of b\nb:\n  - x\n\nc: 3\n", "b", "a: 1\n\nc: 3\n"),
        ("l:\n  - a: 1 # c\n    b: 2\n", "l.0.a", "l:\n  - b: 2\n"),
        ("l:\n  - a:\n      - 1\n\n    # of b\n    b: 2\n", "l.0.a", "l:\n  - # of b\n    b: 2\n"),
        ("l:\n  - a: 1\n    b: 2 # c\n    c: 3\n", "l.0.b", "l:\n  - a: 1\n    c: 3\n"),
        ("l:\n  - a: 1 # c\n  - b: 1\n", "l.0.a", "l:\n  - {}\n  - b: 1\n"),
        ("m:\n  a: 1\nn: 2\n", "m.a", "m: {}\nn: 2\n"),
        ("m: {a: 1, b: {c: 2}, d: } # e\n", "m.b", "m: {a: 1, d: } # e\n"),
        ("m: {a: 1, b: {c: 2}, d: } # e\n", "m.d", "m: {a: 1, b: {c: 2} } # e\n"),
        ("m: {a, b}\n", "m.a", "m: {b}\n"),
        ("m: {a: 1}\n", "m.a", "m: {}\n"),
    ] {
        becomes(before, &[remove(place)], after);
    }
}

#[test]
fn several_changes_are_made_at_once() {
    let scope = |index: usize| remove(&format!("g.0.scope.{index}"));
    for (before, after) in [
        ("g:\n  - scope: [a, b, c]\n", "g:\n  - scope: [b, d]\n"),
        ("g:\n  - scope: [a, b, c,]\n", "g:\n  - scope: [b, d,]\n"),
        (
            "g:\n  - scope:\n      - a\n      - b\n      - c\n",
            "g:\n  - scope:\n      - b\n      - d\n",
        ),
        (
            "g:\n  - scope: [\n      a,\n      b,\n      c # c\n    ]\n",
            "g:\n  - scope: [\n      b,\n      d\n    ]\n",
        ),
    ] {
        becomes(before, &[scope(0), scope(2), append("g.0.scope", &json!(["d"]))], after);
    }
    for (before, after) in [
        ("g:\n  - scope: [a, b, c] # c\n", "g:\n  - scope: [d] # c\n"),
        ("g:\n  - scope:\n      - a # c\n      - b\n      - c\n", "g:\n  - scope:\n      - d\n"),
        (
            "g:\n  - scope: [\n      a,\n      b,\n      c\n    ]\n",
            "g:\n  - scope: [\n      d\n    ]\n",
        ),
    ] {
        becomes(before, &[scope(0), scope(1), scope(2), append("g.0.scope", &json!(["d"]))], after);
    }
    becomes(
        "g:\n  - id: 1\n    scope:\n      - a\n\nb: 1\n",
        &[
            append("g", &json!([{"id": 2, "scope": ["x"]}])),
            append("g.0.scope", &json!(["b"])),
            set("g.0.z", json!(1)),
            set("g.0.k", json!(2)),
            remove("b"),
        ],
        "g:\n  - id: 1\n    scope:\n      - a\n      - b\n    z: 1\n    k: 2\n  - id: 2\n    scope:\n      - x\n",
    );
    becomes(
        "g:\n  - a: 1 # c\n    b: 2\n    c: 3\n",
        &[remove("g.0.a"), remove("g.0.b"), set("g.0.d", json!(4))],
        "g:\n  - c: 3\n    d: 4\n",
    );
    becomes("a: 1\n", &[], "a: 1\n");
}

#[test]
fn json_stays_json() {
    let edits = [
        append("g", &json!([{"client_id": "a\u{2028}", "scope": ["x", "k"]}])),
        set("r", json!({"k": []})),
    ];
    for (before, after) in [
        (
            "{\"g\":[{\"client_id\":\"b\",\"scope\":[]}]}\n",
            "{\"g\":[{\"client_id\":\"b\",\"scope\":[]},{\"client_id\":\"a\\u2028\",\"scope\":[\"x\",\"k\"]}],\"r\":{\"k\":[]}}\n",
        ),
        (
            "{\n  \"g\": []\n}\n",
            "{\n  \"g\": [\n    {\n      \"client_id\": \"a\\u2028\",\n      \"scope\": [\n        \"x\",\n        \"k\"\n      ]\n    }\n  ],\n  \"r\": {\n    \"k\": []\n  }\n}\n",
        ),
        (
            "{\n\t\"g\": [\n\t\t{ \"client_id\": \"b\", \"scope\": [\"z\"] }\n\t]\n}",
            "{\n\t\"g\": [\n\t\t{ \"client_id\": \"b\", \"scope\": [\"z\"] },\n\t\t{ \"client_id\": \"a\\u2028\", \"scope\": [\"x\", \"k\"] }\n\t],\n\t\"r\": {\n\t\t\"k\": []\n\t}\n}",
        ),
    ] {
        becomes(before, &edits, after);
        assert!(serde_json::from_str::<Value>(after).is_ok());
    }
    becomes("{}\n", &[set("r", json!(1))], "{\n  \"r\": 1\n}\n");
}

#[test]
fn what_is_not_there_or_meant_twice_is_refused() {
    let text = "a: [1]\nb: {c: 1}\n";
    for (edits, place) in [
        (vec![remove("x")], "x"),
        (vec![remove("a.1")], "a[1]"),
        (vec![set("x.k", json!(1))], "x"),
        (vec![set("a.x", json!(1))], "a.x"),
        (vec![append("b", &json!([1]))], "b"),
        (vec![append("b.c", &json!([1]))], "b.c"),
    ] {
        assert_eq!(refused(text, &edits), EditError::Missing(place.to_owned()));
    }
    for (edits, place) in [
        (vec![remove("a"), remove("a")], "a"),
        (vec![remove("a"), remove("a.0")], "a[0]"),
        (vec![set("b.c", json!(1)), remove("b")], "b"),
        (vec![set("b", json!(1)), set("b.d", json!(1))], "b.d"),
        (vec![append("a", &json!([1])), set("a", json!(1))], "a"),
    ] {
        assert_eq!(refused(text, &edits), EditError::Overlapping(place.to_owned()));
    }
    assert_eq!(refused("a: &x 1\n", &[set("a", json!(2))]), EditError::Unfaithful("a".to_owned()));
    assert_eq!(
        refused("a: [x: 1]\n", &[set("a.0.b", json!(2))]),
        EditError::Unfaithful("a[0].b".to_owned())
    );
    let long = " ".repeat(MAX_BYTES + 1);
    assert!(matches!(refused(&long, &[]), EditError::TooLarge { .. }));
}
