//! A configuration that must be right, for verbs that ask something of it.

use std::path::Path;

use crate::clock::now;
use crate::config::{Loaded, Report, Source, load};
use crate::reload::{Store, Surroundings};

/// A configuration, and the texts that it was read from.
pub struct Configuration {
    pub sources: Vec<Source>,
    pub loaded: Loaded,
}

/// Reads the configuration at `path`.
///
/// # Errors
/// With the report of all that is wrong.
pub fn read(path: &Path) -> Result<Configuration, Report> {
    let sources = texts(path)?;
    let loaded = load(&sources, &Surroundings::default(), now())?;
    Ok(Configuration { sources, loaded })
}

fn texts(path: &Path) -> Result<Vec<Source>, Report> {
    Store::new(path).read().map_err(|unreadable| unreadable.report())
}
