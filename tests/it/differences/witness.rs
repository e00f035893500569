//! For an access that a difference tells of, a request that gets it and does not get it.
//!
//! Requests are looked for near what is told: of the caller, of the operation or of any, with the least tokens
//! and a little more.

use std::sync::Arc;

use grantgate::config::snapshot::Snapshot;
use grantgate::config::{Caller, What, Which};
use grantgate::policy::SubjectType;

use crate::disk::NOW;

use super::site::{API, Asked, DETAILS, OTHER_AUDIENCE, SCOPES, Token};

const FRESH: &str = "zq9";

/// A request that `with` decides otherwise than `without`.
pub fn of(caller: &Caller, what: &What, with: &Snapshot, without: &Snapshot) -> Option<Asked> {
    // Of anonymous users no token of this issuer tells.
    if let Caller::Application { subject_type: SubjectType::AnonymousUser, .. } = caller {
        return Some(Asked { method: String::new(), path: String::new(), token: None });
    }
    let mut requests = candidates(caller, what, with, without);
    let ends = matches!(what, What::Time { .. });
    requests.find(|asked| {
        asked.decide(with, NOW) != asked.decide(without, NOW)
            || ends && asked.of(with) != asked.of(without)
    })
}

fn candidates<'a>(
    caller: &'a Caller,
    what: &'a What,
    with: &'a Snapshot,
    without: &'a Snapshot,
) -> Box<dyn Iterator<Item = Asked> + 'a> {
    let targets = match what {
        What::Operation(on) | What::OperationWith { on, .. } | What::ReportedOperation(on) => {
            targets(on)
        }
        _ => {
            let listed = [with, without].into_iter().flat_map(|snapshot| &snapshot.apis);
            let listed = listed.flat_map(|served| served.operations.iter());
            let mut targets: Vec<_> = listed.flat_map(|operation| targets(&operation.on)).collect();
            targets.push(("GET".to_owned(), format!("/{FRESH}/{FRESH}/{FRESH}")));
            targets.push(("GET".to_owned(), format!("/{FRESH}")));
            targets.push(("GET".to_owned(), "/x/new/1/2".to_owned()));
            targets
        }
    };
    let tokens = tokens(caller, what);
    Box::new(targets.into_iter().flat_map(move |(method, path)| {
        tokens.clone().into_iter().map(move |token| Asked {
            method: method.clone(),
            path: path.clone(),
            token,
        })
    }))
}

/// Requests that an operation stands for.
fn targets(on: &str) -> Vec<(String, String)> {
    let (methods, path) = on.split_once(' ').unwrap();
    let segments = path
        .split('/')
        .map(|segment| if segment.starts_with('{') || segment == "*" { FRESH } else { segment });
    let path = segments.collect::<Vec<_>>().join("/");
    let deeper = on.ends_with('*').then(|| format!("{path}/{FRESH}"));
    let methods = methods.split(',').flat_map(|method| match method {
        "*" => vec!["PURGE", "GET", "POST"],
        method => vec![method],
    });
    let paths = [Some(path), deeper];
    let all = methods.flat_map(|method| {
        paths.iter().flatten().map(move |path| (method.to_owned(), path.clone()))
    });
    all.collect()
}

fn tokens(caller: &Caller, what: &What) -> Vec<Option<Token>> {
    let (client, is_user) = match caller {
        Caller::Anyone => return anyones(what),
        Caller::Application { which, subject_type, .. } => {
            let client = match which {
                Which::Client(client) => client.to_string(),
                Which::FirstParty => "stranger".to_owned(),
                Which::ThirdParty => "tpc_stranger".to_owned(),
            };
            (client, *subject_type == SubjectType::User)
        }
    };
    let organizations = match (is_user, what) {
        (true, _) | (_, What::OrganizationNone) => vec![None],
        (_, What::OrganizationAny) => vec![Some("org_z")],
        (_, What::Organization(id)) => {
            vec![["org_a", "org_b"].into_iter().find(|it| *it == id.as_str())]
        }
        _ => vec![None, Some("org_a"), Some("org_b"), Some("org_z")],
    };
    let names = |list: &[Arc<str>]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
    let mut held = match what {
        What::OperationWith { scopes, details, .. } => vec![(names(scopes), names(details))],
        _ => held(),
    };
    // Those that hold what is told come first, and of them those that hold little.
    let told = match what {
        What::Scope(name) | What::Beside(name) | What::DetailsType(name) => name.to_string(),
        What::Above => "zzz".to_owned(),
        _ => String::new(),
    };
    held.sort_by_key(|(scopes, details)| {
        let lacks = !told.is_empty() && !scopes.contains(&told) && !details.contains(&told);
        (lacks, scopes.len() + details.len())
    });
    all(API, &client, is_user, &held, &organizations)
}

/// Every set of scopes with every set of types.
fn held() -> Vec<(Vec<String>, Vec<String>)> {
    let names = |names: &[&str], bits: usize| -> Vec<String> {
        let chosen = names.iter().enumerate().filter(|(at, _)| bits & (1 << at) != 0);
        chosen.map(|(_, name)| (*name).to_owned()).collect()
    };
    let scopes = [SCOPES.as_slice(), &["zzz"]].concat();
    (0..32)
        .flat_map(|s| (0..4).map(move |d| (s, d)))
        .map(|(s, d)| (names(&scopes, s), names(&DETAILS, d)))
        .collect()
}

fn all(
    audience: &'static str,
    client: &str,
    is_user: bool,
    held: &[(Vec<String>, Vec<String>)],
    organizations: &[Option<&'static str>],
) -> Vec<Option<Token>> {
    let of = |(scopes, details): &(Vec<String>, Vec<String>)| {
        let (scopes, details) = (scopes.clone(), details.clone());
        organizations.iter().map(move |&organization| {
            Some(Token {
                audience,
                client: client.to_owned(),
                is_user,
                scopes: scopes.clone(),
                further: None,
                details: details.clone(),
                organization,
            })
        })
    };
    held.iter().flat_map(of).collect()
}

fn anyones(what: &What) -> Vec<Option<Token>> {
    let none = vec![None];
    match what {
        What::Audience(_) => {
            let clients = ["web", "batch", "theirs", "tpc_stranger", "stranger"];
            let held = held();
            let tokens = clients.iter().flat_map(|client| {
                [true, false].map(|is_user| {
                    all(OTHER_AUDIENCE, client, is_user, &held, &[None, Some("org_a")])
                })
            });
            tokens.flatten().collect()
        }
        What::Reported | What::ReportedOperation(_) => {
            all(API, "stranger", false, &[(Vec::new(), Vec::new())], &[None])
        }
        _ => none,
    }
}
