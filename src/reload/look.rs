//! A look at what is on disk: whether it is what runs, or was refused already, and else what it
//! means.
//!
//! Reading and loading take their time, on threads that may wait. What was seen before is told by
//! digests, so that the poll of a large configuration costs no more than to read it.

use std::path::Path;
use std::sync::Arc;

use crate::clock::now;
use crate::config::{Digest, Loaded, Report, Source, digest, load};

use super::chain::{Places, follow};
use super::store::{Answers, Store, Surroundings, Unreadable};

/// What was found on disk: enough to tell whether it is still there.
pub(super) enum Sight {
    Read { sources: Digest, outside: Answers },
    Unreadable(Unreadable),
}

/// What is known from looks before.
#[derive(Clone)]
pub(super) struct Known {
    /// What the running snapshot was made of.
    pub(super) running: Arc<Sight>,
    /// What was refused since.
    pub(super) refused: Option<Refused>,
}

/// What was refused, and why.
#[derive(Clone)]
pub(super) struct Refused {
    pub(super) sight: Arc<Sight>,
    pub(super) report: Arc<Report>,
}

/// What a look found.
pub(super) enum Found {
    /// Another configuration than before, which can be taken over.
    Good(Box<Loaded>, Sight),
    /// One that cannot.
    Bad(Report, Sight),
    /// The one that was refused last.
    Refused(Arc<Report>),
    /// The one that runs.
    Running,
}

/// Looks for the first time.
pub(super) fn first(store: &Store) -> Result<(Box<Loaded>, Sight), Report> {
    match judge(store.read()) {
        (Ok(loaded), sight) => Ok((loaded, sight)),
        (Err(report), _) => Err(report),
    }
}

/// Looks again.
pub(super) fn again(store: &Store, known: &Known) -> Found {
    let read = store.read();
    if known.running.is(&read) {
        return Found::Running;
    }
    if let Some(refused) = known.refused.as_ref().filter(|refused| refused.sight.is(&read)) {
        return Found::Refused(refused.report.clone());
    }
    match judge(read) {
        (Ok(loaded), sight) => Found::Good(loaded, sight),
        (Err(report), sight) => Found::Bad(report, sight),
    }
}

type Read = Result<Vec<Source>, Unreadable>;

fn judge(read: Read) -> (Result<Box<Loaded>, Report>, Sight) {
    match read {
        Ok(sources) => {
            let outside = Surroundings::default();
            let loaded = load(&sources, &outside, now()).map(Box::new);
            let (sources, outside) = (digest(&sources), outside.into_answers());
            (loaded, Sight::Read { sources, outside })
        }
        // What the others mean cannot be told: what they lack may stand in the one that is not
        // read.
        Err(unreadable) => (Err(unreadable.report()), Sight::Unreadable(unreadable)),
    }
}

impl Sight {
    /// Whether `read` is this, and so are the files that it refers to.
    fn is(&self, read: &Read) -> bool {
        match (self, read) {
            (Self::Read { sources, outside }, Ok(read)) => {
                digest(read) == *sources && Surroundings::are_still(outside)
            }
            (Self::Unreadable(unreadable), Err(read)) => unreadable == read,
            _ => false,
        }
    }

    fn outside(&self) -> impl Iterator<Item = &Path> {
        let answers = match self {
            Self::Read { outside, .. } => Some(outside),
            Self::Unreadable(_) => None,
        };
        answers.into_iter().flatten().map(|(path, _)| path.as_path())
    }
}

/// What to watch: the configuration, and what the running one and the refused one refer to.
pub(super) fn places(store: &Store, known: &Known) -> Places {
    let refused = known.refused.iter().flat_map(|refused| refused.sight.outside());
    let mut places = Places::new();
    follow(store.path(), &mut places);
    for file in store.files() {
        follow(&file, &mut places);
    }
    for file in known.running.outside().chain(refused) {
        follow(file, &mut places);
    }
    places
}
