//! A difference as JSON: one object, written caller by caller.

use std::fmt::{self, Write};
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::parts::Parts;
use super::{AccessDiff, Caller, Difference, What};
use crate::policy::UnixTime;
use crate::screen::screened;

impl AccessDiff {
    /// Writes `{at, summary: {callers_gaining, callers_losing, changed}, callers: [{api, caller, gained, lost}],
    /// changed: [{api, what, old, new, may_admit}]}`, with a line for each caller.
    ///
    /// # Errors
    /// When `out` does.
    pub fn write_json(&self, out: &mut dyn Write, at: UnixTime) -> fmt::Result {
        let (gaining, losing) = self.callers_gaining_and_losing();
        let summary = json!({
            "callers_gaining": gaining,
            "callers_losing": losing,
            "changed": self.changed.len(),
        });
        let at = Value::String(at.to_string());
        write!(out, "{{\"at\": {at},\n\"summary\": {},\n\"callers\": [", shown(&summary))?;
        for (index, of) in self.callers.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(out, "{comma}\n{}", shown(&difference(of)))?;
        }
        let changed = self.changed.iter().map(|of| {
            json!({"api": of.api.as_str(), "what": of.what, "old": of.old, "new": of.new,
                "may_admit": of.may_admit})
        });
        let changed: Value = changed.collect();
        writeln!(out, "],\n\"changed\": {}}}", shown(&changed))
    }
}

fn shown(value: &Value) -> String {
    screened(&value.to_string())
}

fn difference(of: &Difference) -> Value {
    json!({
        "api": of.api.as_str(),
        "caller": caller(&of.caller, of.name.as_deref()),
        "gained": whats(&of.gained),
        "lost": whats(&of.lost),
    })
}

/// `kind` is `anyone`, `application`, `first_party` or `third_party`: an application by its id, or all others.
pub(in crate::config) fn caller(of: &Caller, name: Option<&str>) -> Value {
    let (kind, client) = of.kind();
    let Caller::Application { issuer, subject_type, .. } = of else {
        return json!({"kind": kind});
    };
    json!({
        "kind": kind,
        "client_id": client,
        "name": name,
        "issuer": issuer.as_str(),
        "subject_type": subject_type.as_str(),
    })
}

fn whats(whats: &[What]) -> Value {
    let parts = Parts::of(whats);
    let mut object = Map::new();
    let mut add = |key: &str, value: Value| {
        if value.as_array().is_none_or(|list| !list.is_empty()) {
            object.insert(key.to_owned(), value);
        }
    };
    let ids = whats.iter().filter_map(|what| match what {
        What::Organization(id) => Some(id.as_str()),
        _ => None,
    });
    add("scopes", json!(parts.scopes));
    add("operations", json!(parts.operations));
    add("operations_with", parts.with.iter().map(|(on, scopes, details)| {
        json!({"operation": on, "scopes": names(scopes), "authorization_details": names(details)})
    }).collect());
    add("authorization_details", json!(parts.details));
    add("organizations", ids.collect());
    for what in whats {
        match what {
            What::OrganizationAny => add("any_organization", json!(true)),
            What::OrganizationNone => add("no_organization", json!(true)),
            What::Above => add("above_ceiling", json!(true)),
            What::Reported => add("report_only", json!(true)),
            What::ReportedTokens => add("report_only_tokens", json!(true)),
            What::Unlisted => add("unlisted", json!(true)),
            What::Time { from, until } => {
                let until = until.map(|until| until.to_string());
                add("time", json!({"from": from.to_string(), "until": until}));
            }
            What::Audience(_)
            | What::Beside(_)
            | What::DetailsType(_)
            | What::Operation(_)
            | What::OperationWith { .. }
            | What::Organization(_)
            | What::ReportedOperation(_)
            | What::Scope(_) => {}
        }
    }
    let audiences = whats.iter().filter_map(|what| match what {
        What::Audience(audience) => Some(audience.as_str()),
        _ => None,
    });
    add("audiences", audiences.collect());
    let reported = whats.iter().filter_map(|what| match what {
        What::ReportedOperation(on) => Some(&**on),
        _ => None,
    });
    add("report_only_operations", reported.collect());
    let beside = whats.iter().filter_map(|what| match what {
        What::Beside(scope) => Some(&**scope),
        _ => None,
    });
    add("beside", beside.collect());
    Value::Object(object)
}

fn names(list: &[Arc<str>]) -> Value {
    list.iter().map(|name| &**name).collect()
}
