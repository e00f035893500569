//! What every part of the building uses: the report, the outside, and the readings that
//! many keys share.
//!
//! A reading gives what it read, or says in the report why not. Where a key has a default, the
//! default stands in for what could not be read: the error is in the report, and nothing else needs
//! to know.

use core::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::units;
use crate::config::outside::Reading;
use crate::config::snapshot::Listen;
use crate::config::suggest::nearest;
use crate::config::{Code, Place, Report, closest, raw};
use crate::policy::NameError;

/// A part of the raw configuration, and the place where it was written.
#[derive(Clone, Debug)]
pub(super) struct At<T> {
    pub(super) place: Place,
    pub(super) raw: T,
}

/// What building needs beside the raw configuration.
pub(super) struct Context<'a, 'o> {
    pub(super) report: &'a mut Report,
    pub(super) outside: &'a mut Reading<'o>,
    /// Whether every text must say itself that it is whole.
    pub(super) end_marker: raw::EndMarker,
}

impl Context<'_, '_> {
    /// The value of a key that must be written.
    pub(super) fn required<'v, T>(
        &mut self,
        place: &Place,
        value: Option<&'v T>,
        help: &str,
    ) -> Option<&'v T> {
        if value.is_none() {
            self.missing(place, help);
        }
        value
    }

    /// Says that the key at `place` must be written.
    pub(super) fn missing(&mut self, place: &Place, help: &str) {
        let key = place.last_key();
        let message = format!("the key `{key}` is missing");
        self.report.push(Code::KeyMissing, place, message).help(help);
    }

    /// A list that stands for everything when it is left out: written without anything in it, it
    /// would be taken for the one thing and mean the other.
    pub(super) fn some<'v>(
        &mut self,
        place: &Place,
        list: Option<&'v Vec<String>>,
        all: &str,
    ) -> &'v [String] {
        if list.is_some_and(Vec::is_empty) {
            let message = format!("`{}` is empty, which allows nothing", place.last_key());
            let help = format!("name at least one, or leave out the key for {all}");
            self.report.push(Code::ListEmpty, place, message).help(help);
        }
        list.map_or(&[], Vec::as_slice)
    }

    /// A checked name.
    pub(super) fn name<T>(
        &mut self,
        place: &Place,
        text: &str,
        new: impl FnOnce(&str) -> Result<T, NameError>,
    ) -> Option<T> {
        new(text)
            .map_err(|error| {
                let key = place.last_key();
                self.report.push(Code::NameInvalid, place, format!("`{key}` {error}"));
            })
            .ok()
    }

    /// A duration up to `most`.
    pub(super) fn duration(
        &mut self,
        place: &Place,
        text: Option<&String>,
        default: Duration,
        most: Duration,
    ) -> Duration {
        let Some(text) = text else { return default };
        match units::duration(text) {
            Some(duration) if duration <= most => duration,
            Some(_) => {
                let most = units::written(most);
                let message = format!("`{text}` is longer than `{most}`, the longest allowed");
                self.report
                    .push(Code::DurationInvalid, place, message)
                    .help(format!("write `{most}` or less"));
                default
            }
            None => {
                self.report
                    .push(Code::DurationInvalid, place, format!("`{text}` is not a duration"))
                    .help("write a whole number and a unit: `250ms`, `10s`, `5m`, `24h`");
                default
            }
        }
    }

    /// A duration that may not be zero.
    pub(super) fn some_time(
        &mut self,
        place: &Place,
        text: Option<&String>,
        default: Duration,
    ) -> Duration {
        let duration = self.duration(place, text, default, LONGEST);
        if duration.is_zero() {
            self.report
                .push(
                    Code::DurationInvalid,
                    place,
                    format!("`{}` must be longer than zero", place.last_key()),
                )
                .help(format!(
                    "write a longer one, or leave out the key for the default, `{}`",
                    units::written(default)
                ));
            return default;
        }
        duration
    }

    /// A size in bytes, from `least` on.
    pub(super) fn size(
        &mut self,
        place: &Place,
        text: Option<&String>,
        default: u64,
        least: u64,
    ) -> u64 {
        let Some(text) = text else { return default };
        match units::size(text) {
            Some(size) if size >= least => size,
            Some(_) => {
                self.report
                    .push(Code::SizeInvalid, place, format!("`{text}` is too small"))
                    .help(format!("write at least `{least}B`"));
                default
            }
            None => {
                self.report
                    .push(Code::SizeInvalid, place, format!("`{text}` is not a size"))
                    .help("write a whole number and a unit: `512B`, `32KiB`, `1MiB`");
                default
            }
        }
    }

    /// An address and a port to listen on.
    pub(super) fn address(&mut self, place: &Place, text: &str) -> Option<SocketAddr> {
        text.parse()
            .map_err(|_| {
                let message = format!("`{text}` is not an address to listen on");
                self.report.push(Code::AddressInvalid, place, message).help(
                    "write an IP address and a port: `0.0.0.0:8080`, `127.0.0.1:8080`, `[::]:8080`",
                );
            })
            .ok()
    }

    /// An address and a port, or a unix socket, to listen on.
    pub(super) fn listen(&mut self, place: &Place, text: &str) -> Option<Listen> {
        match text.strip_prefix("unix:") {
            Some(path) => self.socket(place, path, "unix:/run/grantgate.sock").map(Listen::Unix),
            None => self.address(place, text).map(Listen::Tcp),
        }
    }

    /// A unix socket's path, such as `example`. The folder that the gateway is started in does not
    /// matter to it, nor that of the file.
    pub(super) fn socket(&mut self, place: &Place, path: &str, example: &str) -> Option<PathBuf> {
        let message = if !path.starts_with('/') || path.ends_with('/') {
            format!("`unix:{path}` does not name a socket by its whole path")
        } else if path.len() > LONGEST_SOCKET || path.contains('\0') {
            format!("`unix:{path}` is longer than the system takes ({LONGEST_SOCKET} bytes)")
        } else {
            return Some(PathBuf::from(path));
        };
        self.report
            .push(Code::AddressInvalid, place, message)
            .help(format!("write a path from the root on: `{example}`"));
        None
    }

    /// The text of a file that the configuration names at `place`; says so when it cannot be read.
    pub(super) fn file(&mut self, place: &Place, path: &str) -> Option<String> {
        let read = self.outside.file(place.source, path);
        read.map_err(|why| {
            self.report
                .push(
                    Code::FileUnreadable,
                    place,
                    format!("the file `{path}` cannot be read: {why}"),
                )
                .help("a relative path starts at the folder of the file that names it");
        })
        .ok()
    }
}

/// The longest path of a unix socket (`sun_path`), without the zero at its end.
const LONGEST_SOCKET: usize = 107;

/// The longest duration that is taken where no other bound is said.
pub(super) const LONGEST: Duration = Duration::from_hours(24);

/// "did you mean": the closest of `known`, else all of them when they are few.
pub(super) fn meant<'a>(
    word: &str,
    known: impl IntoIterator<Item = &'a str>,
    what: &str,
) -> Option<String> {
    let known: Vec<_> = known.into_iter().collect();
    let close = closest(word, known.iter().copied());
    close.map(|close| format!("did you mean `{close}`?")).or_else(|| listed(&known, what))
}

/// "did you mean" for URLs, which have most of their letters in common: one is meant when a slip
/// of the pen or a slash tells them apart.
pub(super) fn nearly<'a>(
    word: &str,
    known: impl IntoIterator<Item = &'a str>,
    what: &str,
) -> Option<String> {
    let known: Vec<_> = known.into_iter().collect();
    let near = nearest(word, known.iter().copied(), SLIPS);
    near.map(|name| format!("did you mean `{name}`?")).or_else(|| listed(&known, what))
}

/// As many letters may differ between a URL and the one that was meant.
const SLIPS: usize = 2;

/// How to say which of several is meant: `` write `key: a` or `key: b` ``; of very many, the first.
pub(super) fn choice<'a>(key: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let mut known = known.into_iter();
    let shown: Vec<_> =
        known.by_ref().take(MOST_LISTED).map(|name| format!("`{key}: {name}`")).collect();
    let more = match known.count() {
        0 => String::new(),
        more => format!(", or one of {more} more"),
    };
    format!("write {}{more}", shown.join(" or "))
}

fn listed(known: &[&str], what: &str) -> Option<String> {
    let few = !known.is_empty() && known.len() <= MOST_LISTED;
    few.then(|| {
        let names: Vec<_> = known.iter().map(|name| format!("`{name}`")).collect();
        format!("{what} {}", names.join(", "))
    })
}

/// More names than this drown a help.
const MOST_LISTED: usize = 8;
