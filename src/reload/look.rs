//! A look at what is on disk: whether it is what runs, or was refused already, and else what it
//! means.
//!
//! Reading and loading take their time, on threads that may wait. What was seen before is told by
//! digests, so that the poll of a large configuration costs no more than to read it. What is new is
//! handed out with the [`View`] that it was seen in: all its files, those that it refers to among them,
//! stood side by side at one moment.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::clock::now;
use crate::config::raw::EndMarker;
use crate::config::{Digest, Loaded, Report, Source, digest, load_in_place};
use crate::suite::{self, Demand};

use super::chain::{Places, follow};
use super::stamp::Stamp;
use super::store::{Listing, Store, TRIES, Unreadable};
use super::surroundings::{Answers, Surroundings};

/// What is asked of a configuration that it need not ask of itself.
#[derive(Clone, Copy, Default)]
pub(super) struct Asked {
    /// What the running configuration wants of its files.
    pub(super) end_marker: EndMarker,
    /// Whether its policy suites must pass.
    pub(super) suites: Demand,
}

/// What was found on disk: enough to tell whether it is still there.
#[derive(PartialEq, Eq)]
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
    /// What nobody has judged before.
    New(Judged),
    /// The one that was refused last.
    Refused(Arc<Report>),
    /// The one that runs, by its texts.
    Running(Vec<Source>),
}

/// What is on disk, and what it means: a configuration that can be taken over, or one that cannot.
pub(super) struct Judged {
    pub(super) loaded: Result<Box<Loaded>, Report>,
    pub(super) sight: Sight,
}

impl Judged {
    /// What is said of files that are still being written.
    pub(super) fn unfinished(store: &Store) -> Self {
        Self::of(Err(store.changes()), Asked::default()).0
    }

    /// Judges texts that are not on disk yet.
    pub(super) fn candidate(sources: &[Source], asked: Asked) -> Self {
        Self::of_texts(sources, asked).0
    }

    fn of(read: Read, asked: Asked) -> (Self, BTreeMap<PathBuf, Stamp>) {
        match read {
            Ok(sources) => Self::of_texts(&sources, asked),
            // What the others mean cannot be told: what they lack may stand in the one that is not
            // read.
            Err(unreadable) => {
                let loaded = Err(unreadable.report());
                (Self { loaded, sight: Sight::Unreadable(unreadable) }, BTreeMap::new())
            }
        }
    }

    fn of_texts(sources: &[Source], asked: Asked) -> (Self, BTreeMap<PathBuf, Stamp>) {
        let outside = Surroundings::default();
        let now = now();
        let loaded = load_in_place(sources, &outside, now, asked.end_marker)
            .and_then(|loaded| suite::hold(loaded, &outside, now, asked.suites))
            .map(Box::new);
        let (outside, stamps) = outside.into_answers();
        let sight = Sight::Read { sources: digest(sources), outside };
        (Self { loaded, sight }, stamps)
    }
}

/// Looks for the first time.
pub(super) fn first(store: &Store, asked: Asked) -> Judged {
    let (judged, _) = judge(store, asked, Err::<Infallible, _>);
    judged.unwrap_or_else(|known| match known {})
}

/// Looks again, and tells in which view it was found.
pub(super) fn again(store: &Store, known: &Known, asked: Asked) -> (Found, View) {
    let recognise = |read: Read| {
        if known.running.is(&read) {
            return read.map(Found::Running).map_err(Err);
        }
        match known.refused.as_ref().filter(|refused| refused.sight.is(&read)) {
            Some(refused) => Ok(Found::Refused(refused.report.clone())),
            None => Err(read),
        }
    };
    let (judged, view) = judge(store, asked, recognise);
    (judged.map_or_else(|known| known, Found::New), view)
}

type Read = Result<Vec<Source>, Unreadable>;

/// Reads and judges what is on disk, unless it is recognised; else the read is given back.
fn judge<K>(
    store: &Store,
    asked: Asked,
    recognise: impl Fn(Read) -> Result<K, Read>,
) -> (Result<Judged, K>, View) {
    let mut view = View::of(store);
    for _ in 0..TRIES {
        let read = match recognise(view.listing.read()) {
            Ok(known) => return (Err(known), view),
            Err(read) => read,
        };
        let (judged, outside) = Judged::of(read, asked);
        view.outside = outside;
        let now = View::of(store);
        if view.stands(&now) {
            return (Ok(judged), view);
        }
        view = now;
    }
    (Ok(Judged::unfinished(store)), view)
}

/// All that is on disk at one moment: which files, and in which state.
pub(super) struct View {
    listing: Listing,
    outside: BTreeMap<PathBuf, Stamp>,
}

impl View {
    fn of(store: &Store) -> Self {
        Self { listing: store.list(), outside: BTreeMap::new() }
    }

    /// Whether all of it stood as it does `now`. Each file did not change from when it was read until
    /// now: at the moment between, all stood side by side.
    fn stands(&self, now: &Self) -> bool {
        self.listing == now.listing
            && self.outside.iter().all(|(path, stamp)| Stamp::of(path) == *stamp)
    }

    /// Whether nothing of it was changed for as long as `quiet`, by the file system's clock.
    pub(super) fn has_rested(&self, quiet: Duration) -> bool {
        let times = self.outside.values().map(Stamp::changed).chain([self.listing.changed()]);
        let latest = times.reduce(|latest, time| Some(latest?.max(time?))).flatten();
        latest.is_some_and(|latest| {
            let age = now().milliseconds().checked_sub(latest);
            age.and_then(|age| u128::try_from(age).ok()).is_some_and(|age| age >= quiet.as_millis())
        })
    }

    /// Whether nothing of it has changed since `earlier`.
    pub(super) fn is_as(&self, earlier: &Self) -> bool {
        self.listing == earlier.listing && self.outside == earlier.outside
    }

    /// Whether a file of it is the one of `earlier`, and is being written to. One that was put in its
    /// place is none of those: it came whole.
    pub(super) fn is_rewritten_since(&self, earlier: &Self) -> bool {
        let before: BTreeMap<_, _> = earlier.files().collect();
        self.files().any(|(path, stamp)| {
            before.get(path).is_some_and(|before| stamp.is_rewritten_since(before))
        })
    }

    fn files(&self) -> impl Iterator<Item = (&Path, &Stamp)> {
        let outside = self.outside.iter().map(|(path, stamp)| (path.as_path(), stamp));
        self.listing.files().chain(outside)
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
    for (file, _) in store.list().files() {
        follow(file, &mut places);
    }
    for file in known.running.outside().chain(refused) {
        follow(file, &mut places);
    }
    places
}
