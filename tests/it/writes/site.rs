//! A configuration on disk that is written to, and what is asked of it.

use std::convert::Infallible;
use std::fs;
use std::path::{Path, PathBuf};

use grantgate::config::snapshot::Snapshot;
use grantgate::config::{Edit, Place, Source, load};
use grantgate::policy::{Issuer, SubjectType};
use grantgate::reload::{Change, Reloader, Store, Surroundings, Trigger, WriteError, Written};
use serde_json::json;
use tempfile::TempDir;

use crate::disk::NOW;

/// Where grants stand that programs write.
pub const GRANTS: &str = "grants.json";

/// A directory with a configuration of one API.
pub struct Site(TempDir);

impl Site {
    pub fn new() -> Self {
        let site = Self(tempfile::tempdir().unwrap());
        fs::write(site.at("gateway.yaml"), configuration()).unwrap();
        site
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn at(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    pub fn text(&self, name: &str) -> String {
        fs::read_to_string(self.at(name)).unwrap()
    }

    pub async fn start(&self) -> Reloader {
        Reloader::start(self.path()).await.unwrap_or_else(|report| panic!("{report}"))
    }

    /// What stands in the directory, in the order of the names.
    pub fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path()).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Lets `reloader` leave, and sees that nothing but these is left.
    pub async fn is_left_with(&self, reloader: &Reloader, names: &[&str]) {
        reloader.leave().await;
        assert_eq!(self.names(), names);
    }

    /// What a gateway that starts now would run.
    pub fn loaded(&self) -> Snapshot {
        loaded(self.path())
    }
}

pub fn loaded(path: &Path) -> Snapshot {
    let sources = Store::new(path).read().unwrap_or_else(|error| panic!("{}", error.report()));
    let loaded = load(&sources, &Surroundings::default(), NOW);
    loaded.unwrap_or_else(|report| panic!("{report}")).snapshot
}

/// One API, and a section that people edit.
pub fn configuration() -> &'static str {
    r#"# Written by hand.
issuers: [{issuer: "https://issuer.example/", profile: rfc9068}]
resource_servers:
  - identifier: https://api.example
    scopes: [{value: "read:x"}]
    subject_type_authorization: {user: {policy: deny_all}, client: {policy: require_client_grant}}
    gate:
      upstream: http://127.0.0.1:3000
      operations: [{on: "GET /x", scopes: ["read:x"]}]
reload: {poll: 1h, quiet: 5ms}
client_grants:
  - client_id: first # never changed
    scope: ["read:x"]
"#
}

/// Whether a client has a grant.
pub fn has(snapshot: &Snapshot, client: &str) -> bool {
    let issuer = Issuer::new("https://issuer.example/").unwrap();
    let grants = &snapshot.apis[0].api.grants;
    grants.own(&issuer, client, SubjectType::Client).is_some()
}

pub type Planned = Result<Change, Infallible>;

/// Gives a client a grant in a file, which comes to be where it is missing.
pub fn adding(
    file: &'static str,
    client: impl Into<String>,
) -> impl FnMut(&Snapshot, &[Source]) -> Planned + Send + 'static {
    let client = client.into();
    move |_, sources| Ok(addition(file, &client, sources))
}

pub fn addition(file: &str, client: &str, sources: &[Source]) -> Change {
    let found = place_of(file, sources);
    let list = Place::root(found.unwrap_or(sources.len())).key("client_grants");
    let items = vec![json!({"client_id": client, "scope": ["read:x"]})];
    let new_file = found.is_none().then(|| file.to_owned());
    Change { edits: vec![Edit::Append { list, items }], new_file }
}

/// Takes a client's grant out of the file of grants, if it is there.
pub fn removing(
    client: impl Into<String>,
) -> impl FnMut(&Snapshot, &[Source]) -> Planned + Send + 'static {
    let written = format!("\"client_id\":\"{}\"", client.into());
    move |_, sources| {
        let place = place_of(GRANTS, sources).and_then(|source| {
            let row = sources[source].text.lines().position(|line| line.contains(&written))?;
            Some(Place::root(source).key("client_grants").index(row - 1))
        });
        let edits = place.into_iter().map(|place| Edit::Remove { place }).collect();
        Ok(Change { edits, new_file: None })
    }
}

fn place_of(file: &str, sources: &[Source]) -> Option<usize> {
    sources.iter().position(|source| Path::new(&source.name).ends_with(file))
}

pub async fn add(reloader: &Reloader, client: &str) -> Result<Written, WriteError<Infallible>> {
    reloader.write(adding(GRANTS, client)).await
}

/// Who made the last attempt.
pub fn last_by(reloader: &Reloader) -> Trigger {
    reloader.status().borrow().last_by
}
