//! Where new grants and APIs go: into the file that is said to take them, else into the only one that has
//! such a list.

use std::path::Path;

use http::StatusCode;

use super::Fault;
use crate::config::inventory::File;
use crate::config::snapshot::Management;
use crate::config::{self, Place};

/// A list that something new is added to.
pub(super) struct Destination {
    /// The list.
    pub(super) list: Place,
    /// Whether it is a tenant export's list, where an issuer that is left out is the tenant.
    pub(super) is_export: bool,
    /// The name of its file, where that is yet to come to be.
    pub(super) new_file: Option<String>,
}

impl Destination {
    /// Of a new grant.
    ///
    /// # Errors
    /// 409, where several files could be meant.
    pub(super) fn of_grant(management: &Management) -> Result<Self, Fault> {
        let files = &management.inventory.files;
        if let Some(name) = &management.file {
            return Ok(Self::named(files, name, "client_grants", config::Destination::of_grants));
        }
        let with_grants = with_places(files, |file| file.grants.is_some());
        match with_grants.as_slice() {
            [one] => Ok(config::Destination::of_grants(one.0, one.1).into()),
            several => Err(unknown(
                several.is_empty(),
                "client grants",
                "say in `management.file` which file new ones are added to, such as `management: \
                {file: grants.yaml}`",
            )),
        }
    }

    /// Of a new API. The gateway's own file holds grants, and nothing that a person looks after.
    ///
    /// # Errors
    /// 409, where several files could be meant.
    pub(super) fn of_api(management: &Management) -> Result<Self, Fault> {
        let files = &management.inventory.files;
        let said = management.file.as_deref();
        let is_own = |name: &str| Path::new(name).extension().is_some_and(|kind| kind == "json");
        if let Some(name) = said.filter(|name| !is_own(name)) {
            return Ok(Self::named(files, name, "resource_servers", config::Destination::of_apis));
        }
        let by_hand = |file: &File| Some(&*file.name) != said;
        let with_apis = with_places(files, |file| by_hand(file) && file.apis.is_some());
        let with_grants = with_places(files, |file| by_hand(file) && file.grants.is_some());
        let of_choice = if with_apis.is_empty() { with_grants } else { with_apis };
        match (of_choice.as_slice(), said) {
            ([one], _) => Ok(config::Destination::of_apis(one.0, one.1).into()),
            (several, Some(_)) => Err(unknown(
                several.is_empty(),
                "APIs",
                "the file that `management.file` names takes grants alone: write the API into a \
                file by hand",
            )),
            (several, None) => Err(unknown(
                several.is_empty(),
                "APIs",
                "say in `management.file` which file new ones are added to",
            )),
        }
    }

    fn named(
        files: &[File],
        name: &str,
        key: &'static str,
        of: fn(usize, &File) -> config::Destination,
    ) -> Self {
        let found = files.iter().enumerate().find(|(_, file)| file.name == name);
        let new = || Self {
            list: Place::root(files.len()).key(key),
            is_export: false,
            new_file: Some(name.to_owned()),
        };
        found.map_or_else(new, |(source, file)| of(source, file).into())
    }
}

/// In a file that is there.
impl From<config::Destination> for Destination {
    fn from(to: config::Destination) -> Self {
        Self { list: to.list, is_export: to.is_export, new_file: None }
    }
}

fn with_places(files: &[File], holds: impl Fn(&File) -> bool) -> Vec<(usize, &File)> {
    files.iter().enumerate().filter(|(_, file)| holds(file)).collect()
}

fn unknown(is_none: bool, what: &str, help: &str) -> Fault {
    let which = if is_none { "No file has" } else { "More than one file has" };
    let message = format!("{which} {what}, so it is not known which one new ones go to: {help}");
    Fault::new(StatusCode::CONFLICT, "file_unknown", message)
}
