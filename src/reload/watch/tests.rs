//! Files changed as real writers change them. The poll is an hour away: what is seen, events told.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;

use tokio::task::JoinHandle;

use super::super::tests::configuration;
use super::super::{ReloadOutcome, Status};
use super::*;

struct Watched {
    reloader: Arc<Reloader>,
    status: tokio::sync::watch::Receiver<Status>,
    task: JoinHandle<()>,
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Watched {
    /// The configuration at `path`, taken over and watched.
    async fn start(path: &Path) -> Self {
        let reloader = Arc::new(Reloader::start(path).await.unwrap());
        let mut status = reloader.status();
        status.mark_unchanged();
        let task = tokio::spawn({
            let reloader = reloader.clone();
            async move { watch(&reloader).await }
        });
        // The attempt that follows the turning of the eyes.
        status.changed().await.unwrap();
        Self { reloader, status, task }
    }

    /// Waits until a configuration with this many grants was taken over.
    async fn until_grants(&mut self, count: usize) {
        let live = self.reloader.snapshot();
        self.until(|_| live.load().apis[0].api.grants.iter().count() == count).await;
    }

    async fn until_kept(&mut self) {
        self.until(|status| matches!(status.last, ReloadOutcome::Kept(_))).await;
    }

    async fn until(&mut self, reached: impl FnMut(&Status) -> bool) {
        // Far more than it takes; it ends what would otherwise never end.
        let waited = timeout(Duration::from_mins(1), self.status.wait_for(reached)).await;
        waited.expect("no event came").unwrap();
    }
}

/// As many grants as asked for.
fn grants(count: usize) -> String {
    configuration(&["a", "b", "c", "d", "e"][..count])
}

fn rename_over(path: &Path, text: &str) {
    let beside = path.with_extension("tmp");
    fs::write(&beside, text).unwrap();
    fs::rename(beside, path).unwrap();
}

#[tokio::test]
async fn a_file_is_seen_however_it_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("grantgate.yaml");
    fs::write(&path, grants(1)).unwrap();
    let mut watched = Watched::start(&path).await;

    fs::write(&path, grants(2)).unwrap();
    watched.until_grants(2).await;
    rename_over(&path, &grants(3));
    watched.until_grants(3).await;
    rename_over(&path, &grants(4));
    watched.until_grants(4).await;
    fs::remove_file(&path).unwrap();
    watched.until_kept().await;
    fs::write(&path, grants(5)).unwrap();
    watched.until_grants(5).await;
    // As vim does: the old one is moved away, the new one is created and written.
    fs::rename(&path, path.with_extension("yaml~")).unwrap();
    fs::write(&path, grants(1)).unwrap();
    watched.until_grants(1).await;
    fs::write(&path, "").unwrap();
    watched.until_kept().await;
    fs::write(&path, grants(2)).unwrap();
    watched.until_grants(2).await;
}

#[tokio::test]
async fn files_of_a_directory_come_and_go() {
    let folder = tempfile::tempdir().unwrap();
    let more = "client_grants: [{client_id: z, scope: [\"read:x\"]}]\n";
    fs::write(folder.path().join("a.yaml"), grants(1)).unwrap();
    let mut watched = Watched::start(folder.path()).await;
    fs::write(folder.path().join("b.yaml"), more).unwrap();
    watched.until_grants(2).await;
    fs::remove_file(folder.path().join("b.yaml")).unwrap();
    watched.until_grants(1).await;
    fs::rename(folder.path().join("a.yaml"), folder.path().join("a.off")).unwrap();
    watched.until_kept().await;
}

/// Puts a text in place as a kubelet does: a new folder, and one rename that turns `..data` to it.
fn mount(folder: &Path, generation: usize, text: &str) {
    let name = format!("..{generation}");
    fs::create_dir(folder.join(&name)).unwrap();
    fs::write(folder.join(&name).join("grantgate.yaml"), text).unwrap();
    symlink(&name, folder.join("..data_tmp")).unwrap();
    fs::rename(folder.join("..data_tmp"), folder.join("..data")).unwrap();
    if generation == 0 {
        symlink("..data/grantgate.yaml", folder.join("grantgate.yaml")).unwrap();
    } else {
        fs::remove_dir_all(folder.join(format!("..{}", generation - 1))).unwrap();
    }
}

#[tokio::test]
async fn a_mounted_map_is_seen_each_time_it_turns() {
    for file in ["", "grantgate.yaml"] {
        let folder = tempfile::tempdir().unwrap();
        mount(folder.path(), 0, &grants(5));
        let mut watched = Watched::start(&folder.path().join(file)).await;
        for generation in 1..=4 {
            mount(folder.path(), generation, &grants(generation));
            watched.until_grants(generation).await;
        }
    }
}

#[tokio::test]
async fn a_link_that_is_turned_is_followed() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for (version, count) in [("v1", 1), ("v2", 2)] {
        fs::create_dir(at(version)).unwrap();
        fs::write(at(version).join("grantgate.yaml"), grants(count)).unwrap();
    }
    symlink("v1", at("current")).unwrap();
    let mut watched = Watched::start(&at("current")).await;
    symlink("v2", at("next")).unwrap();
    fs::rename(at("next"), at("current")).unwrap();
    watched.until_grants(2).await;
    // Behind the link too, where nothing was watched before.
    fs::write(at("v2").join("grantgate.yaml"), grants(3)).unwrap();
    watched.until_grants(3).await;
}

#[tokio::test]
async fn a_storm_of_changes_ends_with_the_last() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("grantgate.yaml");
    fs::write(&path, grants(1)).unwrap();
    let mut watched = Watched::start(&path).await;
    for round in 0..200 {
        rename_over(&path, &grants(1 + round % 3));
    }
    rename_over(&path, &grants(5));
    watched.until_grants(5).await;
}

#[tokio::test]
async fn the_poll_finds_what_no_event_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("grantgate.yaml");
    let often = |text: String| text.replace("poll: 1h", "poll: 1ms");
    fs::write(&path, often(grants(1))).unwrap();
    let reloader = Arc::new(Reloader::start(&path).await.unwrap());
    let mut eyes = Eyes { watcher: None, on: Places::new() };
    assert!(!eyes.turn_to(reloader.places.borrow().clone()));
    let (_hint, hints) = mpsc::channel(1);
    let task = tokio::spawn({
        let reloader = reloader.clone();
        async move { look_on(&reloader, eyes, hints).await }
    });
    let mut watched = Watched { status: reloader.status(), reloader, task };
    fs::write(&path, often(grants(2))).unwrap();
    watched.until_grants(2).await;
}

#[tokio::test(start_paused = true)]
async fn quiet_is_waited_for_but_not_for_ever() {
    let quiet = Duration::from_millis(250);
    let (hint, mut hints) = mpsc::channel(1);
    let begin = Instant::now();
    settle(&mut hints, quiet).await;
    assert_eq!(begin.elapsed(), quiet);

    let restless = tokio::spawn(async move {
        while hint.send(()).await.is_ok() {
            sleep(quiet / 2).await;
        }
    });
    let begin = Instant::now();
    settle(&mut hints, quiet).await;
    assert_eq!(begin.elapsed(), LONGEST);
    restless.abort();
}

#[test]
fn reading_is_no_change() {
    use notify::event::{CreateKind, ModifyKind};
    let open = EventKind::Access(AccessKind::Open(AccessMode::Any));
    let closed = EventKind::Access(AccessKind::Close(AccessMode::Read));
    assert!(is_reading(open) && is_reading(closed));
    let written = EventKind::Access(AccessKind::Close(AccessMode::Write));
    for change in [written, EventKind::Any, EventKind::Other] {
        assert!(!is_reading(change), "{change:?}");
    }
    assert!(!is_reading(EventKind::Modify(ModifyKind::Any)));
    assert!(!is_reading(EventKind::Create(CreateKind::Any)));
}
