//! Security schemes → which of them a bearer token answers, and the scopes that their flows declare.

use std::collections::{BTreeSet, HashMap};

use super::super::place::Place;
use super::super::tree::Node;
use super::paths::pointed;
use super::{DescribedScope, Description, Note};

/// What a document has under `components.securitySchemes`.
pub(super) struct Schemes<'t> {
    by_name: HashMap<&'t str, Kind>,
    declared: Vec<(Place, DescribedScope)>,
    place: Place,
}

/// What answers a scheme.
pub(super) enum Kind {
    /// A token, with the scopes that a requirement names.
    Token,
    /// Nothing that the gate knows of; this is what is asked.
    Other(String),
}

/// The flows of OAuth 2.0, those of the versions to come among them.
const FLOWS: [&str; 5] =
    ["implicit", "password", "clientCredentials", "authorizationCode", "deviceAuthorization"];

pub(super) fn read<'t>(tree: &'t Node, root: &Place) -> Schemes<'t> {
    let place = root.key("components").key("securitySchemes");
    let written = tree.value("components").and_then(|all| all.value("securitySchemes"));
    let mut schemes = Schemes { by_name: HashMap::new(), declared: Vec::new(), place };
    for entry in written.map_or(&[][..], Node::entries) {
        let Ok(scheme) = pointed(tree, &entry.value) else {
            let elsewhere = "what is described elsewhere".to_owned();
            schemes.by_name.insert(&entry.key, Kind::Other(elsewhere));
            continue;
        };
        schemes.by_name.insert(&entry.key, kind(scheme));
        if is(scheme, "oauth2") {
            schemes.declare(&entry.key, scheme);
        }
    }
    schemes
}

fn is(scheme: &Node, kind: &str) -> bool {
    scheme.value("type").and_then(Node::text) == Some(kind)
}

fn kind(scheme: &Node) -> Kind {
    let text = |key| scheme.value(key).and_then(Node::text);
    match text("type") {
        Some("oauth2" | "openIdConnect") => Kind::Token,
        Some("http") => match text("scheme") {
            Some(scheme) if scheme.eq_ignore_ascii_case("bearer") => Kind::Token,
            Some(scheme) => Kind::Other(format!("HTTP authentication `{scheme}`")),
            None => Kind::Other("HTTP authentication".to_owned()),
        },
        Some("apiKey") => Kind::Other(match (text("in"), text("name")) {
            (Some(place), Some(name)) => format!("an API key in the {place} `{name}`"),
            _ => "an API key".to_owned(),
        }),
        Some("mutualTLS") => Kind::Other("a client certificate".to_owned()),
        Some(other) => Kind::Other(format!("`{other}`")),
        None => Kind::Other("something that is not said".to_owned()),
    }
}

impl<'t> Schemes<'t> {
    pub(super) fn find(&self, name: &str) -> Option<&Kind> {
        self.by_name.get(name)
    }

    /// The scopes of all flows, as they stand there.
    pub(super) fn declared(&self) -> impl Iterator<Item = (&Place, &DescribedScope)> {
        self.declared.iter().map(|(place, scope)| (place, scope))
    }

    fn declare(&mut self, name: &str, scheme: &Node) {
        let at_flows = self.place.key(name.to_owned()).key("flows");
        for flow in FLOWS {
            let scopes = scheme.value("flows").and_then(|flows| flows.value(flow)?.value("scopes"));
            let at_scopes = at_flows.key(flow).key("scopes");
            for scope in scopes.map_or(&[][..], Node::entries) {
                let description = scope.value.text().map(str::trim).filter(|text| !text.is_empty());
                let (value, description) = (scope.key.clone(), description.map(str::to_owned));
                self.declared
                    .push((at_scopes.key(value.clone()), DescribedScope { value, description }));
            }
        }
    }

    /// Whom tokens are from is not told by schemes here.
    pub(super) fn notes(&self, description: &mut Description) {
        let mut tokens: BTreeSet<&'t str> = BTreeSet::new();
        for (name, kind) in &self.by_name {
            if matches!(kind, Kind::Token) {
                tokens.insert(name);
            }
        }
        if tokens.len() > 1 {
            let names: Vec<_> = tokens.iter().map(|name| format!("`{name}`")).collect();
            let text = format!(
                "tokens of {} are not told apart: those of every issuer that the API trusts count",
                names.join(" and ")
            );
            description.notes.push(Note { place: self.place.clone(), text });
        }
    }
}
