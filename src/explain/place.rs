//! What rules 1 and 2 saw: which API, and which of its operations.

use crate::config::snapshot::{Operation, Unlisted};
use crate::gate::{Code, Rule};
use crate::policy::Ask;
use crate::route::{Found, HostPattern};

use super::case::Case;
use super::facts;
use super::words::{list, shortened};
use crate::screen::screened;

impl Case<'_> {
    pub(super) fn saw_api(&self) -> Vec<String> {
        let host = screened(&self.supposed.host);
        let Some(served) = self.outcome.api else {
            let mut saw: Vec<_> =
                self.refusal.iter().filter_map(|refusal| refusal.detail.clone()).collect();
            if self.refusal.is_some_and(|refusal| refusal.code == Code::RouteUnknown) {
                // Records do not keep it.
                let host = match host.as_str() {
                    "" => "the request's host".to_owned(),
                    host => format!("host `{host}`"),
                };
                saw.push(format!("nothing is served at {host} and this path"));
                saw.extend(self.sites());
            }
            return saw;
        };
        let host = match matched(&served.hosts, &self.supposed.host) {
            Some(HostPattern::Exact(name)) => format!("host `{name}`"),
            Some(pattern) => format!("host `{host}` by `{pattern}`"),
            None => format!("host `{host}`, as any is served"),
        };
        vec![format!("`{}`: {host}, path prefix `{}`", served.api.identifier, served.path_prefix)]
    }

    /// Where each API is served, for who asked elsewhere.
    fn sites(&self) -> Vec<String> {
        let served = self.snapshot.apis.iter().filter(|served| served.upstream.is_some());
        let sites = served.map(|served| {
            let hosts = list(&served.hosts, "any");
            let prefix = &served.path_prefix;
            format!("`{}` is at host {hosts}, path prefix `{prefix}`", served.api.identifier)
        });
        shortened(sites.collect())
    }

    pub(super) fn target(&self) -> Target<'_> {
        let Some((served, path)) = self.outcome.api.zip(self.supposed.canonical_path().ok()) else {
            return Target::Unknown;
        };
        let open = |operations: &[&Operation]| {
            operations.iter().any(|operation| matches!(operation.ask, Ask::Public))
        };
        match served.operations.find(&self.supposed.method, &path) {
            Found::Operation(operation) => Target::Operation(operation),
            Found::Near { values } => Target::Refused(Miss {
                words: "it differs from a listed path only by case or a slash at the end",
                open: open(&values),
                listed: values,
            }),
            Found::OtherMethods { values, .. } => Target::Refused(Miss {
                words: "the path is listed, but not for this method",
                open: open(&values),
                listed: values,
            }),
            Found::Unlisted if served.unlisted == Unlisted::AnyToken => Target::AnyToken,
            Found::Unlisted => Target::Refused(Miss {
                words: "no operation of the API has this path",
                open: false,
                listed: served.operations.iter().collect(),
            }),
        }
    }

    pub(super) fn saw_operation(&self) -> Vec<String> {
        let shown = |operation: &Operation| {
            let line = self.snapshot.line_of(operation.origin);
            let at = line.map(|at| format!(" ({at})")).unwrap_or_default();
            format!("`{}`{at}", operation.on)
        };
        match self.target() {
            Target::Unknown => Vec::new(),
            Target::AnyToken => {
                vec!["it is not listed, and `unlisted: any_token` asks for any token".to_owned()]
            }
            Target::Operation(operation) => {
                let Some(served) = self.outcome.api else { return Vec::new() };
                let needs = facts::need(&operation.ask, &served.api.scopes, &served.api.details);
                vec![format!("{} needs {}", shown(operation), needs.words)]
            }
            Target::Refused(miss) => {
                let later = self.refused_by == Some(Rule::Token);
                let mut saw = vec![miss.words.to_owned()];
                saw.extend(later.then(|| {
                    "this is said to nobody whose token is refused: rule 3 speaks first".to_owned()
                }));
                saw.extend(self.described());
                let listed = miss.listed.into_iter();
                saw.extend(shortened(
                    listed.map(|one| format!("listed: {}", shown(one))).collect(),
                ));
                saw
            }
        }
    }
}

impl Case<'_> {
    /// What the API's OpenAPI document says of the request, and why that is not listed.
    fn described(&self) -> Option<String> {
        let path = self.supposed.canonical_path().ok()?;
        let left = self.outcome.api?.left_out(&self.supposed.method, &path)?;
        let (pattern, reason) = (left.pattern.as_str(), screened(&left.reason));
        let line = self.snapshot.line_of(left.origin).unwrap_or_else(|| "its document".to_owned());
        Some(format!("{line} describes `{pattern}`, which is left out: {reason}"))
    }
}

/// What a method and a path mean among the operations of the API.
pub(super) enum Target<'a> {
    /// It is not listed, which any token may call.
    AnyToken,
    /// This operation.
    Operation(&'a Operation),
    /// None that may be called.
    Refused(Miss<'a>),
    /// There is no API, or no path.
    Unknown,
}

/// Why no operation is meant.
pub(super) struct Miss<'a> {
    words: &'static str,
    /// Whether strangers may know.
    pub(super) open: bool,
    /// What is listed instead.
    listed: Vec<&'a Operation>,
}

/// The pattern that a host is known by, as [`crate::route::Sites`] prefers them.
fn matched<'a>(patterns: &'a [HostPattern], host: &str) -> Option<&'a HostPattern> {
    let fits = |pattern: &&HostPattern| match pattern {
        HostPattern::Exact(name) => name == host,
        HostPattern::Suffix(suffix) => {
            host.strip_suffix(suffix.as_str()).is_some_and(|labels| labels.ends_with('.'))
        }
    };
    patterns.iter().filter(fits).max_by_key(|pattern| match pattern {
        HostPattern::Exact(_) => usize::MAX,
        HostPattern::Suffix(suffix) => suffix.len(),
    })
}
