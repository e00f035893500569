//! A writer that pauses for longer than anybody waits, after every line. Where an end marker is required
//! nothing of it is live before the last line; where none is, whatever is live before allows no more than
//! the whole.

use std::fs;
use std::sync::{Arc, Mutex};

use grantgate::config::{AccessDiff, Code};
use grantgate::reload::{ReloadOutcome, Reloader, Trigger};

use crate::disk::NOW;

use super::gate::{World, clients};
use super::site::{Layout, Site};

const CLIENTS: [&str; 3] = ["one", "two", "three"];

/// Where the requirement stands first, and where it stands last: then most halves do not say it.
fn marked(world: &World, first: bool) -> String {
    let text = world.text(&CLIENTS, "quiet: 0ms, end_marker: required");
    if first {
        return text;
    }
    let (lines, reload): (Vec<_>, Vec<_>) =
        text.lines().filter(|line| *line != "...").partition(|line| !line.starts_with("reload:"));
    format!("{}\n{}\n...\n", lines.join("\n"), reload.join("\n"))
}

#[tokio::test]
async fn with_an_end_marker_no_half_is_ever_live() {
    let world = World::new();
    for first in [true, false] {
        let whole = marked(&world, first);
        let site = Site::new(Layout::File, &whole);
        let reloader = Reloader::start(site.config()).await.unwrap();
        let new = whole.replace("three", "four");
        let lines: Vec<_> = new.split_inclusive('\n').collect();
        for count in 0..lines.len() {
            fs::write(site.file(), lines[..count].concat()).unwrap();
            let outcome = reloader.attempt(Trigger::Poll).await;
            let ReloadOutcome::Kept(report) = outcome else { panic!("{count}: {outcome:?}") };
            assert!(report.has_errors());
        }
        fs::write(site.file(), &new).unwrap();
        let outcome = reloader.attempt(Trigger::Poll).await;
        assert!(matches!(outcome, ReloadOutcome::Applied(_)), "{outcome:?}");
    }
}

#[tokio::test]
async fn an_end_marker_is_given_up_by_a_whole_file_alone() {
    let world = World::new();
    let whole = marked(&world, true);
    let site = Site::new(Layout::File, &whole);
    let reloader = Reloader::start(site.config()).await.unwrap();
    let unsaid = whole.replace(", end_marker: required", "");
    fs::write(site.file(), unsaid.replace("...\n", "")).unwrap();
    let outcome = reloader.attempt(Trigger::Poll).await;
    let ReloadOutcome::Kept(report) = outcome else { panic!("{outcome:?}") };
    assert!(report.iter().any(|found| found.code == Code::EndMarkerMissing), "{report}");
    assert!(report.to_string().contains("end_marker: optional"), "{report}");

    let optional = whole.replace("required", "optional").replace("...\n", "");
    for text in [&unsaid, &unsaid.replace("...\n", ""), &whole, &optional] {
        fs::write(site.file(), text).unwrap();
        let outcome = reloader.attempt(Trigger::Poll).await;
        assert!(matches!(outcome, ReloadOutcome::Applied(_)), "{outcome:?}");
    }
}

#[tokio::test]
async fn without_an_end_marker_a_half_that_is_live_allows_no_more_than_the_whole() {
    let world = World::new();
    let site = Site::new(Layout::File, &world.text(&CLIENTS, "quiet: 0ms"));
    let live = Arc::new(Mutex::new(Vec::new()));
    let reloader = Reloader::start(site.config()).await.unwrap().followed_by({
        let live = live.clone();
        move |snapshot| live.lock().unwrap().push(clients(snapshot))
    });
    let whole = reloader.snapshot().load();
    let text = world.text(&CLIENTS, "quiet: 0ms");
    let lines: Vec<_> = text.split_inclusive('\n').collect();
    for count in 0..lines.len() {
        fs::write(site.file(), lines[..count].concat()).unwrap();
        if let ReloadOutcome::Applied(_) = reloader.attempt(Trigger::Poll).await {
            let half = reloader.snapshot().load();
            let diff = AccessDiff::between(&whole, &half, NOW);
            let gained: Vec<_> = diff.gained().collect();
            assert!(gained.is_empty(), "after {count} lines: {gained:?}");
        }
    }
    let live = live.lock().unwrap();
    assert!(live.iter().any(|clients| clients.len() < 4), "no half was live: {live:?}");
}
