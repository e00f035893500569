//! However files are written, it ends right: what was written is live, or what ran before stays with a
//! report. By events alone, as the poll is an hour away; and by polls alone.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use grantgate::config::snapshot::Snapshot;
use grantgate::reload::{ReloadOutcome, Reloader, Status, Store, Trigger, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::disk::{rename_over, replace_link};
use crate::door::client::PATIENCE;

use super::gate::{World, clients};
use super::site::{Layout, Site};
use super::writers::{Ends, WRITERS};

/// Longer than the pauses that writers make.
const QUIET: &str = "quiet: 25ms";

struct Watched {
    reloader: Arc<Reloader>,
    attempts: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Watched {
    async fn start(site: &Site) -> Self {
        let attempts = Arc::new(AtomicUsize::new(0));
        let reloader =
            Reloader::start(site.config()).await.unwrap_or_else(|report| panic!("{report}"));
        let reloader = Arc::new(reloader.observed_by({
            let attempts = attempts.clone();
            move |_| {
                attempts.fetch_add(1, Ordering::Relaxed);
            }
        }));
        let task = tokio::spawn({
            let reloader = reloader.clone();
            async move { watch(&reloader).await }
        });
        let watched = Self { reloader, attempts, task };
        // The first look of the eyes, after they have opened.
        watched.until("opened", |status| matches!(status.last, ReloadOutcome::Unchanged)).await;
        watched
    }

    fn attempts(&self) -> usize {
        self.attempts.load(Ordering::Relaxed)
    }

    async fn until(&self, what: &str, reached: impl FnMut(&Status) -> bool) {
        let mut status = self.reloader.status();
        // Far more than it takes; it ends what would otherwise never end.
        let waited = timeout(PATIENCE, status.wait_for(reached)).await;
        waited.unwrap_or_else(|_| panic!("nothing was seen: {what}")).unwrap();
    }

    fn runs(&self) -> Vec<String> {
        clients(&self.reloader.snapshot().load())
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_tell_of_every_writer() {
    let world = World::new();
    for writer in WRITERS {
        let (name, site) = (writer.name, Site::new(writer.layout, &world.text(&["one"], QUIET)));
        let watched = Watched::start(&site).await;
        let before = (watched.runs(), watched.attempts());
        (writer.write)(&site, &world.text(&["one", "two"], QUIET));
        match writer.ends {
            Ends::New => {
                let live = watched.reloader.snapshot();
                watched.until(name, |_| clients(&live.load()) == ["last", "one", "two"]).await;
            }
            Ends::Same => {
                let is_seen = |status: &Status| {
                    watched.attempts() > before.1 && matches!(status.last, ReloadOutcome::Unchanged)
                };
                watched.until(name, is_seen).await;
            }
            Ends::Kept => {
                watched.until(name, |status| matches!(status.last, ReloadOutcome::Kept(_))).await;
            }
        }
        if writer.ends != Ends::New {
            assert_eq!(watched.runs(), before.0, "{name}");
            assert_eq!(watched.reloader.status().borrow().generation, 1, "{name}");
        }
        // Whatever it was, what comes next is seen as well.
        site.restore(&world.text(&["three"], QUIET));
        let live = watched.reloader.snapshot();
        watched.until(name, |_| clients(&live.load()) == ["last", "three"]).await;
    }
}

#[tokio::test]
async fn polls_find_what_every_writer_left() {
    let world = World::new();
    for writer in WRITERS {
        let (name, site) = (writer.name, Site::new(writer.layout, &world.text(&["one"], QUIET)));
        let reloader = Reloader::start(site.config()).await.unwrap();
        (writer.write)(&site, &world.text(&["one", "two"], QUIET));
        let outcome = reloader.attempt(Trigger::Poll).await;
        let runs = clients(&reloader.snapshot().load());
        match (writer.ends, outcome) {
            (Ends::New, ReloadOutcome::Applied(_)) => {
                assert_eq!(runs, ["last", "one", "two"], "{name}");
            }
            (Ends::Same, ReloadOutcome::Unchanged) => assert_eq!(runs, ["last", "one"], "{name}"),
            (Ends::Kept, ReloadOutcome::Kept(report)) => {
                assert_eq!(runs, ["last", "one"], "{name}");
                assert!(report.has_errors(), "{name}");
            }
            (ends, outcome) => panic!("{name}: {ends:?}, but {outcome:?}"),
        }
    }
}

/// What a `subPath` mount does: the file stays what it was when it was mounted, whatever comes in its
/// place outside. It is not seen because it is not there to be seen.
#[tokio::test]
async fn a_file_that_is_replaced_outside_of_its_mount_stays() {
    let world = World::new();
    let site = Site::new(Layout::Mounted, &world.text(&["one"], QUIET));
    let reloader = Reloader::start(site.config()).await.unwrap();
    rename_over(&site.at("host/gateway.yaml"), world.text(&["two"], QUIET));
    let outcome = reloader.attempt(Trigger::Poll).await;
    assert!(matches!(outcome, ReloadOutcome::Unchanged), "{outcome:?}");
}

/// Three files, each of which tells its generation.
fn parts(world: &World, generation: usize) -> [(&'static str, String); 3] {
    let whole = world.text(&[&format!("c{generation}")], "quiet: 0ms");
    let (server, rest) = whole.split_once("resource_servers:").unwrap();
    let (apis, grants) = rest.split_once("client_grants:").unwrap();
    let gate = format!("gate:\n      public_url: https://{generation}.example");
    [
        ("a.yaml", format!("{server}limits: {{connections: {}}}\n", 1 + generation)),
        ("b.yaml", format!("resource_servers:{}", apis.replace("gate:", &gate))),
        ("c.yaml", format!("client_grants:{grants}")),
    ]
}

fn turn(site: &Site, files: &[(&'static str, String)]) {
    let files: Vec<_> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
    site.turn_data(&files);
}

/// Whether every part of a configuration is of one generation.
fn is_of_one(snapshot: &Snapshot) -> bool {
    let generation = (snapshot.limits.connections - 1).to_string();
    let url = format!("https://{generation}.example");
    clients(snapshot).contains(&format!("c{generation}"))
        && snapshot.apis[0].public_url.starts_with(&url)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_several_files_no_two_generations_mix() {
    let world = World::new();
    let site = Site::new(Layout::Volume, "");
    fs::remove_file(site.file()).unwrap();
    turn(&site, &parts(&world, 0));
    let mixed = Arc::new(AtomicUsize::new(0));
    let reloader = Reloader::start(site.at("conf")).await;
    let reloader = reloader.unwrap_or_else(|report| panic!("{report}"));
    assert!(is_of_one(&reloader.snapshot().load()));
    let reloader = Arc::new(reloader.followed_by({
        let mixed = mixed.clone();
        move |snapshot| {
            mixed.fetch_add(usize::from(!is_of_one(snapshot)), Ordering::Relaxed);
        }
    }));
    let looking = tokio::spawn({
        let reloader = reloader.clone();
        async move {
            loop {
                reloader.attempt(Trigger::Files).await;
            }
        }
    });
    let live = reloader.snapshot();
    let mut status = reloader.status();
    // Each burst's last generation is waited for, so that at least as many are seen as there are bursts.
    for burst in 0..3 {
        let last = (burst + 1) * 100;
        tokio::task::block_in_place(|| {
            for generation in burst * 100 + 1..=last {
                turn(&site, &parts(&world, generation));
            }
        });
        let last = format!("c{last}");
        let reached = status.wait_for(|_| clients(&live.load()).contains(&last));
        timeout(PATIENCE, reached).await.unwrap().unwrap();
    }
    looking.abort();
    assert_eq!(mixed.load(Ordering::Relaxed), 0);
    assert!(status.borrow().generation > 3);
}

/// Turned back as often as forth, so that before and after reading all may look the same.
#[test]
fn texts_of_two_versions_do_not_mix_however_often_a_link_is_turned() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for version in ["v1", "v2"] {
        fs::create_dir(at(version)).unwrap();
        for name in ["a.yaml", "b.yaml", "c.yaml"] {
            fs::write(at(version).join(name), version).unwrap();
        }
    }
    symlink("v1", at("current")).unwrap();
    let store = Store::new(at("current"));
    let (done, mut whole) = (AtomicBool::new(false), 0);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                replace_link(Path::new("v2"), &at("current"));
                replace_link(Path::new("v1"), &at("current"));
            }
        });
        for _ in 0..3000 {
            let Ok(read) = store.read() else { continue };
            let texts: BTreeSet<_> = read.iter().map(|source| source.text.as_str()).collect();
            if texts.len() != 1 {
                done.store(true, Ordering::Relaxed);
                panic!("{texts:?}");
            }
            whole += 1;
        }
        done.store(true, Ordering::Relaxed);
    });
    assert!(whole > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_is_looked_at_a_few_times_and_the_last_counts() {
    let world = World::new();
    let quiet = "quiet: 250ms";
    let site = Site::new(Layout::File, &world.text(&["one"], quiet));
    let watched = Watched::start(&site).await;
    let before = watched.attempts();
    for round in 0..1000 {
        rename_over(&site.file(), format!("# {round}\n{}", world.text(&["one"], quiet)));
    }
    rename_over(&site.file(), world.text(&["two"], quiet));
    let live = watched.reloader.snapshot();
    watched.until("the last", |_| clients(&live.load()) == ["last", "two"]).await;
    let attempts = watched.attempts() - before;
    assert!(attempts <= 20, "{attempts} attempts");
}
