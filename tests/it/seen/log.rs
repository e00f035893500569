//! The program's own log.

use serde_json::Value;

use crate::door::gateway::request;

use super::served::{DOORS, Served};

#[test]
fn the_log_is_text_or_json_and_changes_while_it_runs() {
    let top = format!("{DOORS}log: {{format: json}}\n");
    let program = Served::start(&top);
    program.signal("HUP");
    let line = program.says(&["configuration unchanged"]);
    let fields: Value = serde_json::from_str(&line).unwrap();
    assert_eq!((&fields["level"], &fields["by"]), (&"INFO".into(), &"signal".into()));
    assert_eq!(fields["message"], "configuration unchanged");

    program.edit(|text| text.replace("format: json", "format: text"));
    program.says(&["configuration applied"]);
    program.signal("HUP");
    let line = program.says(&["configuration unchanged"]);
    assert!(
        serde_json::from_str::<Value>(&line).is_err() && line.contains("by=\"signal\""),
        "{line}"
    );

    program.edit(|text| text.replace("format: text", "format: json"));
    program.says(&["configuration applied"]);
    program.edit(|text| text.replace("format: json", "format: jsno"));
    let line = program.says(&["configuration refused"]);
    assert!(serde_json::from_str::<Value>(&line).is_ok(), "{line}");
}

#[test]
fn a_log_that_nobody_reads_holds_nothing_up() {
    let mut program = Served::start(DOORS);
    // The report of so many errors is more than a pipe takes.
    let errors: Vec<_> = (0..900).map(|number| format!("wrong-{number}: here\n")).collect();
    let errors = errors.concat();
    program.edit(|text| text.to_owned() + &errors);
    program.wait_for("grantgate_config_reloads_total{outcome=\"kept\"}", |kept| kept >= 1.0);
    assert_eq!(program.client().ask(request("GET /orders/1", "")).status, 200);
    program.edit(|text| text.replace(&errors, "").replace("orders-team", "orders-crew"));
    program.wait_for("grantgate_config_generation", |generation| generation >= 2.0);
    program.says(&["configuration applied"]);
    assert_eq!(program.status()["config"]["refused"], Value::Null);
    program.end();
}

#[test]
fn warnings_that_are_known_are_not_said_again() {
    let program = Served::start(DOORS);
    program.edit(|text| format!("{text}\n# seen to\n"));
    program.says(&["configuration applied"]);
    program.signal("HUP");
    let next = program.says(&[""]);
    assert!(next.contains("configuration unchanged"), "{next}");
}
