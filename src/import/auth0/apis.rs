//! Resource servers → APIs, each with what of it has no counterpart.

use std::collections::BTreeSet;

use super::markers::has_marker;
use super::{Entry, Import, Value, is_true, text};
use crate::import::emit::{Margin, item, list, one_line, value};
use crate::policy::{Audience, is_name};

/// The API that manages the tenant itself.
const MANAGEMENT: &str = "Auth0 Management API";

/// What an API has here.
const MAPPED: [&str; 7] = [
    "authorization_details",
    "client_id",
    "id",
    "identifier",
    "name",
    "scopes",
    "subject_type_authorization",
];

/// What Auth0 does with further fields, and so the gate need not.
const AT_ISSUANCE: [(&str, &str); 15] = [
    ("access_token", "what is put into tokens"),
    ("allow_offline_access", "whether refresh tokens are issued"),
    ("allow_online_access", "whether refresh tokens are issued"),
    ("allow_online_access_with_ephemeral_sessions", "whether refresh tokens are issued"),
    ("authorization_policy", "what is asked before tokens are issued"),
    ("consent_policy", "whether users are asked before tokens are issued"),
    ("is_system", "whether the API is Auth0's own"),
    ("require_consent_non_repudiation", "whether users are asked before tokens are issued"),
    ("signing_alg", "how tokens are signed; the gate takes what the issuer's `algorithms` allow"),
    (
        "skip_consent_for_verifiable_first_party_clients",
        "whether users are asked before tokens are issued",
    ),
    ("token_dialect", "which form tokens have; the profile `auth0` reads all of them"),
    ("token_lifetime", "for how long tokens are issued"),
    ("token_lifetime_for_anonymous_access_tokens", "for how long tokens are issued"),
    ("token_lifetime_for_web", "for how long tokens are issued"),
    ("signing_secret", "the secret of tokens that are signed with HS256"),
];

impl Import<'_> {
    /// Writes the APIs; tells how many.
    pub(super) fn apis(&mut self) -> usize {
        let mut seen = BTreeSet::new();
        let mut count = 0;
        let mut sites = BTreeSet::new();
        for server in &self.export.resource_servers {
            let name = text(server, "name").unwrap_or_default();
            let identifier = text(server, "identifier").unwrap_or_default();
            if name == MANAGEMENT || is_true(server, "is_system") {
                self.system.insert(identifier.to_string());
                self.leave_out(0, &format!("the API `{name}`: it is Auth0's own"));
            } else if has_marker(&identifier) {
                let why = format!(
                    "the API `{name}`: what `{identifier}` stands for is not in the export"
                );
                self.leave_out(0, &why);
            } else if Audience::new(&identifier).is_err() {
                self.leave_out(
                    0,
                    &format!("the API `{name}`: it has no identifier that tokens could name"),
                );
            } else if seen.insert(identifier.to_string()) {
                if count == 0 {
                    self.page.line(Margin::at(0), "resource_servers:");
                }
                count += 1;
                self.api(server, &identifier, &mut sites);
            } else {
                self.leave_out(0, &format!("another API with the identifier `{identifier}`"));
            }
        }
        if count == 0 {
            self.page.line(Margin::at(0), "resource_servers: []");
        }
        count
    }

    fn api(&mut self, server: &Entry, identifier: &str, sites: &mut BTreeSet<String>) {
        let at = Margin::at;
        self.page.line(at(2), &format!("- identifier: {}", value(identifier)));
        for key in ["id", "name"] {
            if let Some(text) = text(server, key).filter(|text| !has_marker(text)) {
                self.page.line(at(4), &format!("{key}: {}", value(&text)));
            }
        }
        let scopes = self.scopes(server);
        self.details(server);
        self.policies(server);
        self.protections(server);
        for (field, written) in server.iter().filter(|(field, written)| {
            !written.is_null()
                && !MAPPED.contains(&field.as_str())
                && !PROTECTIONS.contains(&field.as_str())
        }) {
            let known = AT_ISSUANCE.iter().find(|(known, _)| known == field);
            let what = known.map_or("not known here", |(_, what)| what);
            let written =
                if field.ends_with("_secret") { String::new() } else { format!(" {written}") };
            self.page.comment(at(4), &one_line(&format!("{field}:{written} ({what})")));
        }
        self.gate(identifier, scopes.first().map(String::as_str), sites);
    }

    fn scopes(&mut self, server: &Entry) -> Vec<String> {
        let at = Margin::at;
        let written = match server.get("scopes") {
            None | Some(Value::Null) => &[][..],
            Some(Value::Array(scopes)) => scopes,
            Some(other) => {
                self.leave_out(
                    4,
                    &format!("scopes: what `{other}` stands for is not in the export"),
                );
                &[]
            }
        };
        let mut lines = Vec::new();
        let mut values: Vec<String> = Vec::new();
        for scope in written {
            let name = scope.get("value").and_then(Value::as_str).unwrap_or_default();
            if !is_name(name) || has_marker(name) {
                self.leave_out(
                    4,
                    &format!("the scope {}: it cannot be one", one_line(&scope.to_string())),
                );
                continue;
            }
            if values.iter().any(|known| known == name) {
                continue;
            }
            let description = scope.get("description").and_then(Value::as_str).map(one_line);
            let description = description.filter(|text| !text.is_empty());
            let description = description.map(|text| format!(", description: {}", item(&text)));
            lines.push(format!("- {{value: {}{}}}", item(name), description.unwrap_or_default()));
            values.push(name.to_owned());
        }
        let empty = if lines.is_empty() { " []" } else { "" };
        self.page.line(at(4), &format!("scopes:{empty}"));
        for line in &lines {
            self.page.line(at(6), line);
        }
        values
    }

    fn details(&mut self, server: &Entry) {
        let written = server.get("authorization_details").and_then(Value::as_array);
        let types: Vec<_> = written
            .into_iter()
            .flatten()
            .filter_map(|details| details.get("type")?.as_str())
            .filter(|name| !name.is_empty())
            .map(|name| format!("{{type: {}}}", item(name)))
            .collect();
        if !types.is_empty() {
            let line = format!("authorization_details: [{}]", types.join(", "));
            self.page.line(Margin::at(4), &line);
        }
    }

    /// The policies; what Auth0 has by default is written out.
    fn policies(&mut self, server: &Entry) {
        let at = Margin::at;
        let written =
            server.get("subject_type_authorization").filter(|policies| !policies.is_null());
        let of = |key: &str| match written {
            Some(Value::Object(policies)) => {
                policies.get(key).map(|one| one.get("policy").unwrap_or(&Value::Null))
            }
            // It stands for something, and what that is the export does not tell.
            strange => strange.map(|_| &Value::Null),
        };
        self.page.line(at(4), "subject_type_authorization:");
        for (key, default, known) in [
            (
                "user",
                Some(if written.is_some() { "require_client_grant" } else { "allow_all" }),
                &["allow_all", "deny_all", "require_client_grant"][..],
            ),
            ("client", Some("require_client_grant"), &["deny_all", "require_client_grant"]),
            ("anonymous_user", None, &["deny_all", "require_client_grant"]),
        ] {
            let (mut policy, comment) = match (of(key).and_then(Value::as_str), default) {
                (Some(policy), _) if known.contains(&policy) => (policy, None),
                (None, Some(default)) if of(key).is_none() => {
                    let why = match written {
                        None => "Auth0's default, which the export leaves out",
                        Some(_) => "the export leaves it out, and not the other one",
                    };
                    (default, Some(why))
                }
                (None, None) if of(key).is_none() => continue,
                _ => {
                    let name = text(server, "identifier").unwrap_or_default();
                    let what =
                        format!("the policy of `{name}` for `{key}`: what the export has is none");
                    self.leave_out(6, &what);
                    ("deny_all", None)
                }
            };
            let unknown = self.clients.unknown_third_parties.first().cloned();
            if let (true, Some(third)) = (policy == "allow_all", unknown) {
                policy = "require_client_grant";
                self.leave_out(
                    6,
                    &format!(
                        "the policy `allow_all`: the id of `{third}` is not known, which is a third party's \
                         and would count as one's own"
                    ),
                );
            } else if let Some(comment) = comment {
                self.page.comment(at(6), comment);
            }
            self.page.line(at(6), &format!("{key}: {{policy: {policy}}}"));
        }
    }

    /// What promises a protection: what the gate does about it is said.
    fn protections(&mut self, server: &Entry) {
        let name = text(server, "identifier").unwrap_or_default();
        let of = |key: &str| server.get(key).filter(|value| !value.is_null());
        if of("proof_of_possession")
            .is_some_and(|proof| proof.get("required") == Some(&Value::Bool(true)))
        {
            self.leave_out(
                4,
                &format!(
                    "`{name}`: proof_of_possession is required, and the gate cannot ask for it: it refuses \
                     constrained tokens, and takes others"
                ),
            );
        }
        if is_true(server, "enforce_policies") {
            self.note(
                4,
                &format!(
                    "`{name}`: enforce_policies works when tokens are issued; the gate respects `permissions` \
                     in tokens that have them"
                ),
            );
        }
        if of("token_encryption").is_some() {
            self.leave_out(
                4,
                &format!("`{name}`: token_encryption: the gate refuses encrypted tokens"),
            );
        }
        if text(server, "signing_alg").is_some_and(|alg| alg.starts_with("HS")) {
            self.note(
                4,
                &format!(
                    "`{name}`: its tokens are signed with a secret: name that in `gate.hs_secret`, from the \
                     environment or a file"
                ),
            );
        }
    }

    /// How it is served, which no export says.
    fn gate(&mut self, identifier: &str, scope: Option<&str>, sites: &mut BTreeSet<String>) {
        let host = identifier
            .split_once("://")
            .and_then(|(_, behind)| behind.split(['/', ':', '@', '?', '#']).next())
            .filter(|host| {
                !host.is_empty()
                    && host.bytes().all(|b| b.is_ascii_alphanumeric() || b".-".contains(&b))
            });
        let host = host.map(str::to_ascii_lowercase);
        let is_free = match &host {
            Some(host) => sites.insert(host.clone()),
            None => self.export.resource_servers.len() == 1,
        };
        let is_comment = self.wanted.upstream.is_none() || !is_free;
        let at = Margin { depth: 4, is_comment };
        let operation = match scope {
            Some(scope) => format!("- {{on: \"GET /example\", scopes: {}}}", list([scope])),
            None => "- {on: \"GET /example\", any_token: true}".to_owned(),
        };
        if is_comment {
            self.page.comment(
                Margin::at(4),
                "to serve it, say where it is and what each operation asks:",
            );
        }
        self.page.line(at, "gate:");
        if let Some(host) = host.filter(|_| self.export.resource_servers.len() > 1) {
            self.page.line(at.within(2), &format!("hosts: {}", list([host.as_str()])));
        }
        let upstream = self.wanted.upstream.as_deref().unwrap_or(crate::import::EXAMPLE_UPSTREAM);
        self.page.line(at.within(2), &format!("upstream: {}", value(upstream)));
        self.page.line(at.within(2), "operations:");
        if is_comment {
            self.page.line(at.within(4), &operation);
        } else {
            let listed = at.within(4);
            self.page.comment(
                listed,
                "nothing is let through until its operations are listed, in place of `[]`:",
            );
            self.page.line(listed, &format!("# {operation}"));
            self.page.line(listed, "[]");
        }
    }
}

const PROTECTIONS: [&str; 3] = ["enforce_policies", "proof_of_possession", "token_encryption"];
