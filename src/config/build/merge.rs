//! All files as one: lists join, and a section that is no list stands in one file alone.

use super::context::At;
use super::export::{self, Exports};
use crate::config::outside::Reading;
use crate::config::{Code, Place, Report, raw};

/// What was written in all files, each part with its place.
pub(super) struct Merged<'r> {
    pub(super) server: Option<At<&'r raw::Server>>,
    pub(super) health: Option<At<&'r raw::Health>>,
    pub(super) admin: Option<At<&'r raw::Admin>>,
    pub(super) management: Option<At<&'r raw::Management>>,
    pub(super) limits: Option<At<&'r raw::Limits>>,
    pub(super) timeouts: Option<At<&'r raw::Timeouts>>,
    pub(super) log: Option<At<&'r raw::Log>>,
    pub(super) reload: Option<At<&'r raw::Reload>>,
    pub(super) tests: Option<At<&'r raw::Tests>>,
    pub(super) issuers: List<'r, raw::Issuer>,
    pub(super) resource_servers: List<'r, raw::ResourceServer>,
    pub(super) clients: List<'r, raw::Client>,
    pub(super) client_grants: List<'r, raw::ClientGrant>,
    /// Which files are tenant exports.
    pub(super) exports: Exports,
    /// Whether every file must say itself that it is whole: as written, else as told.
    pub(super) end_marker: raw::EndMarker,
}

/// The items of a list, of all files.
pub(super) struct List<'r, T> {
    pub(super) items: Vec<At<&'r T>>,
    /// Some of it could not be read: what is not found may be in there.
    pub(super) doubtful: bool,
}

/// Puts the files together, and says what they lack as a whole.
pub(super) fn merge<'r>(
    written: &'r [(usize, raw::Configuration)],
    reading: &Reading<'_>,
    end_marker: raw::EndMarker,
    report: &mut Report,
) -> Merged<'r> {
    let reload = section(written, "reload", |file| file.reload.as_ref(), report);
    let merged = Merged {
        server: section(written, "server", |file| file.server.as_ref(), report),
        health: section(written, "health", |file| file.health.as_ref(), report),
        admin: section(written, "admin", |file| file.admin.as_ref(), report),
        management: section(written, "management", |file| file.management.as_ref(), report),
        limits: section(written, "limits", |file| file.limits.as_ref(), report),
        timeouts: section(written, "timeouts", |file| file.timeouts.as_ref(), report),
        log: section(written, "log", |file| file.log.as_ref(), report),
        tests: section(written, "tests", |file| file.tests.as_ref(), report),
        issuers: list(written, [("issuers", |file| &file.issuers)], reading, report),
        resource_servers: list(
            written,
            [
                ("resource_servers", |file| file.resource_servers.as_deref().unwrap_or_default()),
                ("resourceServers", |file| {
                    file.exported_resource_servers.as_deref().unwrap_or_default()
                }),
            ],
            reading,
            report,
        ),
        clients: list(written, [("clients", |file| &file.clients)], reading, report),
        client_grants: list(
            written,
            [
                ("client_grants", |file| file.client_grants.as_deref().unwrap_or_default()),
                (export::GRANTS, |file| file.exported_client_grants.as_deref().unwrap_or_default()),
            ],
            reading,
            report,
        ),
        exports: Exports::find(reading.sources().len(), report),
        end_marker: reload.as_ref().and_then(|at| at.raw.end_marker).unwrap_or(end_marker),
        reload,
    };
    spelled_twice(written, report);
    export::whole(&merged, reading, report);
    whole(written, &merged, reading, report);
    merged
}

fn section<'r, T>(
    written: &'r [(usize, raw::Configuration)],
    key: &'static str,
    of: impl Fn(&'r raw::Configuration) -> Option<&'r T>,
    report: &mut Report,
) -> Option<At<&'r T>> {
    let mut found = written.iter().filter_map(|(source, file)| {
        Some(At { place: Place::root(*source).key(key), raw: of(file)? })
    });
    let first = found.next()?;
    for again in found {
        report
            .push(Code::SectionTwice, &again.place, format!("`{key}` is written in two files"))
            .on_key()
            .also(&first.place, "first written here")
            .help("keep it in one of them: lists of several files join, other sections do not");
    }
    Some(first)
}

/// Where a file has the items of a list, in one spelling.
type Spelled<T> = (&'static str, fn(&raw::Configuration) -> &[T]);

fn list<'r, T, const N: usize>(
    written: &'r [(usize, raw::Configuration)],
    spellings: [Spelled<T>; N],
    reading: &Reading<'_>,
    report: &Report,
) -> List<'r, T> {
    let mut items = Vec::new();
    let mut doubtful = written.len() < reading.sources().len();
    for (source, file) in written {
        for (key, of) in spellings {
            let place = Place::root(*source).key(key);
            doubtful |= report.is_refused(&place);
            let of_file = of(file).iter().enumerate();
            items.extend(of_file.map(|(index, raw)| At { place: place.index(index), raw }));
        }
    }
    List { items, doubtful }
}

/// A file that has a section under both its names: a reader, and a tool that rewrites the file, would
/// look at one of them.
fn spelled_twice(written: &[(usize, raw::Configuration)], report: &mut Report) {
    for (source, file) in written {
        let root = Place::root(*source);
        let twice = [
            (
                file.resource_servers.is_some() && file.exported_resource_servers.is_some(),
                "resource_servers",
                "resourceServers",
            ),
            (
                file.client_grants.is_some() && file.exported_client_grants.is_some(),
                "client_grants",
                export::GRANTS,
            ),
        ];
        for (_, own, exported) in twice.into_iter().filter(|(twice, ..)| *twice) {
            report
                .push(
                    Code::SectionSpelledTwice,
                    &root.key(exported),
                    format!("`{own}` and `{exported}` are one section under two names"),
                )
                .on_key()
                .also(&root.key(own), "written here too")
                .help("keep the export in a file of its own, and what is yours in another");
        }
    }
}

/// What a file cut short, or lost, would lack.
fn whole(
    written: &[(usize, raw::Configuration)],
    merged: &Merged<'_>,
    reading: &Reading<'_>,
    report: &mut Report,
) {
    if reading.sources().is_empty() {
        report
            .push(Code::SourcesMissing, &Place::nowhere(), "there is no configuration file")
            .help("write one: `*.yaml`, `*.yml` or `*.json`");
        return;
    }
    let end = |source: usize| {
        let end = reading.sources().get(source).map_or(0, |source| source.text.trim_end().len());
        end..end
    };
    let of_grants = |source| Place::root(source).key("client_grants");
    // What could not be read at all may hold the key; and where its value was refused, it was there.
    let all_read = written.len() == reading.sources().len();
    let unsaid = |(source, file): &(usize, raw::Configuration)| {
        file.client_grants.is_none()
            && file.exported_client_grants.is_none()
            && !report.is_refused(&of_grants(*source))
            && !report.is_refused(&Place::root(*source).key(export::GRANTS))
    };
    if all_read && written.iter().all(unsaid) {
        let last = written.last().map_or(0, |(source, _)| *source);
        report
            .push(
                Code::ClientGrantsMissing,
                &of_grants(last),
                "no file has the key `client_grants`",
            )
            .at(end(last))
            .help("write `client_grants: []` if there are none");
    }
    if merged.end_marker == raw::EndMarker::Optional {
        return;
    }
    let said = merged.reload.as_ref().filter(|reload| reload.raw.end_marker.is_some());
    for (index, _) in
        reading.sources().iter().enumerate().filter(|(_, source)| !source.has_end_marker())
    {
        let found = report
            .push(Code::EndMarkerMissing, &Place::root(index), "the file does not end with `...`")
            .at(end(index));
        if let Some(reload) = said {
            found
                .also(&reload.place.key("end_marker"), "required here")
                .help("end it with a line `...`; if it had one, the file was cut short");
        } else {
            found.help(
                "the configuration that runs requires it: end it with a line `...`, or write \
                 `reload: {end_marker: optional}`; if it had one, the file was cut short",
            );
        }
    }
}
