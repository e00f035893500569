//! Client grants, and the organizations that are associated with them.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::markers::has_marker;
use super::{Entry, Import, Value, is_true, text, texts};
use crate::import::emit::{Margin, item, list, value};
use crate::policy::is_name;

/// A grant with the id of its application.
struct Grant<'e> {
    entry: &'e Entry,
    /// None where it is the default for third parties.
    client: Option<String>,
    audience: String,
    subject_type: String,
}

impl Import<'_> {
    /// Writes the grants; tells how many.
    pub(super) fn grants(&mut self) -> usize {
        let mut seen = BTreeSet::new();
        let mut grants = Vec::new();
        let mut out: Vec<(&Entry, String)> = Vec::new();
        for entry in &self.export.client_grants {
            match self.grant(entry) {
                Ok(grant) => {
                    let key =
                        (grant.client.clone(), grant.audience.clone(), grant.subject_type.clone());
                    if seen.insert(key) {
                        grants.push(grant);
                    } else {
                        out.push((
                            entry,
                            "another one has its application, API and subject type".to_owned(),
                        ));
                    }
                }
                Err(why) => out.push((entry, why)),
            }
        }
        // A grant of its own would take the place of the default one, which may give more.
        let has_default = grants.iter().any(|grant| grant.client.is_none());
        let missed: HashSet<(String, String)> = out
            .iter()
            .filter(|(entry, _)| has_default && self.may_be_third_party(entry))
            .map(|(entry, _)| {
                (text(entry, "audience").unwrap_or_default().into_owned(), subject_type(entry))
            })
            .collect();
        grants.retain(|grant| {
            let key = (grant.audience.clone(), grant.subject_type.clone());
            let is_safe = grant.client.is_some() || !missed.contains(&key);
            if !is_safe {
                let why = "it would count for an application whose own grant is not imported";
                out.push((grant.entry, why.to_owned()));
            }
            is_safe
        });
        let organizations = self.organizations(&grants);
        self.page.line(Margin::at(0), "client_grants:");
        for (index, grant) in grants.iter().enumerate() {
            let associated = organizations.get(&index).map_or(&[][..], Vec::as_slice);
            self.write(grant, associated);
        }
        for (entry, why) in out {
            let (holder, audience) = (holder(entry), text(entry, "audience").unwrap_or_default());
            let subject_type = subject_type(entry);
            self.leave_out(
                2,
                &format!("the grant of `{holder}` for `{audience}` ({subject_type}): {why}"),
            );
        }
        if grants.is_empty() {
            // Behind the comments: what is put in its place stands where they do.
            self.page.line(Margin::at(2), "[]");
        }
        grants.len()
    }

    /// Whether the application that a grant names is a third party's, or may be.
    fn may_be_third_party(&self, entry: &Entry) -> bool {
        let Some(named) = text(entry, "client_id") else { return false };
        let mut of_name = self.export.clients.iter().filter(|client| {
            text(client, "name").as_ref() == Some(&named)
                || text(client, "client_id").as_ref() == Some(&named)
        });
        let is_first = |client: &Entry| client.get("is_first_party") == Some(&Value::Bool(true));
        match of_name.next() {
            None => true,
            Some(first) => !is_first(first) || !of_name.all(is_first),
        }
    }

    fn grant<'e>(&self, entry: &'e Entry) -> Result<Grant<'e>, String> {
        let audience = text(entry, "audience").filter(|text| !text.is_empty());
        let audience = audience.ok_or("it names no API")?.into_owned();
        if has_marker(&audience) {
            return Err(format!("what `{audience}` stands for is not in the export"));
        }
        if self.system.contains(&audience) || audience.ends_with(".auth0.com/api/v2/") {
            return Err("its API is Auth0's own".to_owned());
        }
        let subject_type = subject_type(entry);
        if !["anonymous_user", "client", "user"].contains(&subject_type.as_str()) {
            return Err("its subject type is not known".to_owned());
        }
        let client = match (text(entry, "client_id"), text(entry, "default_for")) {
            (Some(client), None) => Some(self.clients.find(&client)?),
            (None, Some(default)) if default == "third_party_clients" => None,
            // So the tool exports a default, whose application it looks up in vain.
            (Some(client), Some(default))
                if default == "third_party_clients" && client.starts_with("undefined") =>
            {
                None
            }
            _ => return Err("it does not name one application, or third parties'".to_owned()),
        };
        Ok(Grant { entry, client, audience, subject_type })
    }

    fn write(&mut self, grant: &Grant<'_>, organizations: &[String]) {
        let at = Margin::at;
        let Grant { entry, client, audience, subject_type } = grant;
        let mut lines = Vec::new();
        match client {
            Some(id) => lines.push(format!("client_id: {}", value(id))),
            None => lines.push("default_for: third_party_clients".to_owned()),
        }
        if let Some(id) = text(entry, "id").filter(|id| is_name(id) && !has_marker(id)) {
            lines.push(format!("id: {}", value(&id)));
        }
        lines.push(format!("audience: {}", value(audience)));
        lines.push(format!("subject_type: {subject_type}"));
        let mut said = Vec::new();
        let has_scopes = entry
            .get("scope")
            .is_some_and(|scopes| *scopes != Value::Null && *scopes != Value::Array(Vec::new()));
        if is_true(entry, "allow_all_scopes") && !has_scopes {
            lines.push("allow_all_scopes: true".to_owned());
        } else {
            if is_true(entry, "allow_all_scopes") {
                said.push(
                    "allow_all_scopes: it names scopes beside it, and gives these alone".to_owned(),
                );
            }
            let all = texts(entry, "scope");
            let (scopes, strange): (Vec<_>, Vec<_>) =
                all.into_iter().partition(|scope| is_name(scope) && !has_marker(scope));
            said.extend(
                strange.iter().map(|scope| format!("the scope `{scope}`: it cannot be one")),
            );
            if !entry.get("scope").is_some_and(Value::is_array) {
                said.push("its scopes: none are in the export, so it gives nothing".to_owned());
            }
            let scopes: BTreeSet<_> = scopes.iter().map(String::as_str).collect();
            lines.push(format!("scope: {}", list(scopes)));
        }
        let details = texts(entry, "authorization_details_types");
        if subject_type == "user" && !details.is_empty() {
            lines.push(format!(
                "authorization_details_types: {}",
                list(details.iter().map(String::as_str))
            ));
        } else if !details.is_empty() {
            said.push("authorization_details_types: grants for users alone have them".to_owned());
        }
        self.organization_lines(grant, organizations, &mut lines, &mut said);
        let known =
            text(entry, "client_id").filter(|name| Some(name.as_ref()) != client.as_deref());
        for (at_line, line) in lines.iter().enumerate() {
            let name = known.as_ref().filter(|_| at_line == 0 && client.is_some());
            let name = name.map(|name| format!("  {}", crate::import::emit::comment(name)));
            let (margin, dash) = if at_line == 0 { (at(2), "- ") } else { (at(4), "") };
            self.page.line(margin, &format!("{dash}{line}{}", name.unwrap_or_default()));
        }
        for what in said {
            self.leave_out(
                4,
                &format!("of the grant of `{}` for `{audience}`: {what}", holder(entry)),
            );
        }
    }

    /// Which organizations it admits, which holds for applications themselves alone.
    fn organization_lines(
        &mut self,
        grant: &Grant<'_>,
        organizations: &[String],
        lines: &mut Vec<String>,
        said: &mut Vec<String>,
    ) {
        let entry = grant.entry;
        let usage = text(entry, "organization_usage");
        let usage = usage.as_deref().unwrap_or("deny");
        if grant.subject_type != "client" {
            if usage != "deny" || is_true(entry, "allow_any_organization") {
                said.push("its rules of organizations: grants for applications themselves alone have them".to_owned());
            }
            return;
        }
        // `required` stands in one table of Auth0's own documentation.
        let usage = match usage {
            "required" => "require",
            known @ ("allow" | "deny" | "require") => known,
            _ => {
                said.push(
                    "its `organization_usage`: it is not known, and none is admitted".to_owned(),
                );
                "deny"
            }
        };
        if entry.contains_key("organization_usage") {
            lines.push(format!("organization_usage: {usage}"));
        }
        let is_third = grant.client.is_none()
            || grant.client.as_ref().is_some_and(|id| self.clients.is_third_party(id));
        if is_true(entry, "allow_any_organization") {
            if is_third {
                said.push(
                    "allow_any_organization: a third party's grant cannot have it".to_owned(),
                );
            } else {
                lines.push("allow_any_organization: true".to_owned());
            }
        }
        if usage != "deny" && !is_true(entry, "allow_any_organization") {
            let ids: BTreeSet<&str> = organizations.iter().map(String::as_str).collect();
            if ids.is_empty() {
                said.push(
                    "the organizations that are associated with it: the export does not tell which"
                        .to_owned(),
                );
            }
            lines.push(format!("organizations: {}", list(ids)));
        }
    }

    /// The ids of organizations by grant. An export names the application alone: with several grants of
    /// one, none can be told.
    fn organizations(&mut self, grants: &[Grant<'_>]) -> BTreeMap<usize, Vec<String>> {
        let mut associated: BTreeMap<usize, Vec<String>> = BTreeMap::new();
        let mut of_client: HashMap<&str, Vec<usize>> = HashMap::new();
        for (index, grant) in grants.iter().enumerate() {
            if let Some(client) = grant.client.as_ref().filter(|_| grant.subject_type == "client") {
                of_client.entry(client).or_default().push(index);
            }
        }
        let mut out = Vec::new();
        for organization in &self.export.organizations {
            let name = text(organization, "name").unwrap_or_default();
            let id = text(organization, "id").filter(|id| is_name(id) && !has_marker(id));
            let listed = organization.get("client_grants").and_then(Value::as_array);
            for client in
                listed.into_iter().flatten().filter_map(|of| of.get("client_id")?.as_str())
            {
                let Some(id) = &id else {
                    out.push(format!(
                        "the organization `{name}` of `{client}`: its id is not in the export"
                    ));
                    continue;
                };
                let holder = self.clients.find(client).ok();
                let fitting = holder.and_then(|holder| of_client.get(holder.as_str()));
                if let Some([only]) = fitting.map(Vec::as_slice) {
                    associated.entry(*only).or_default().push(id.to_string());
                } else {
                    out.push(format!(
                        "the organization `{}` of `{client}`: which of its grants it is associated with is not told",
                        item(&name)
                    ));
                }
            }
        }
        for what in out {
            self.leave_out(0, &what);
        }
        associated
    }
}

fn subject_type(entry: &Entry) -> String {
    text(entry, "subject_type").unwrap_or("client".into()).into_owned()
}

/// Whose grant it is, as the export has it.
fn holder(entry: &Entry) -> String {
    text(entry, "client_id").or_else(|| text(entry, "default_for")).unwrap_or_default().into_owned()
}
