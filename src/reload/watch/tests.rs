//! Files changed as real writers change them. The poll is an hour away: what is seen, events told.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

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

impl Watched {
    /// The configuration at `path`, looked on with these eyes.
    async fn with(
        path: &Path,
        open: impl FnMut() -> notify::Result<Watching> + Send + 'static,
    ) -> Self {
        let reloader = Arc::new(Reloader::start(path).await.unwrap());
        let (_hint, hints) = mpsc::channel(1);
        let task = tokio::spawn({
            let reloader = reloader.clone();
            async move { look_on(&reloader, Eyes::closed(open), hints).await }
        });
        Self { status: reloader.status(), reloader, task }
    }
}

/// What the system answers where all of a user's inotify instances are taken.
fn exhausted() -> notify::Result<Watching> {
    Err(std::io::Error::from_raw_os_error(libc::EMFILE).into())
}

fn often(text: &str) -> String {
    text.replace("poll: 1h", "poll: 1ms")
}

#[tokio::test]
async fn the_poll_finds_what_no_event_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("grantgate.yaml");
    fs::write(&path, often(&grants(1))).unwrap();
    let mut watched = Watched::with(&path, exhausted).await;
    fs::write(&path, often(&grants(2))).unwrap();
    watched.until_grants(2).await;
    fs::write(&path, "").unwrap();
    watched.until_kept().await;
}

#[tokio::test]
async fn where_nothing_can_be_watched_it_is_tried_again_with_each_poll() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("grantgate.yaml");
    fs::write(&path, often(&grants(1))).unwrap();
    let (hint, hints) = mpsc::channel(1);
    let mut failures = 3;
    let (opened, mut is_open) = mpsc::channel(1);
    let eyes = Eyes::closed(move || {
        if failures > 0 {
            failures -= 1;
            return exhausted();
        }
        let watching = open(&hint);
        let _ = opened.try_send(());
        watching
    });
    let reloader = Arc::new(Reloader::start(&path).await.unwrap());
    let task = tokio::spawn({
        let reloader = reloader.clone();
        async move { look_on(&reloader, eyes, hints).await }
    });
    let mut watched = Watched { status: reloader.status(), reloader, task };
    is_open.recv().await.unwrap();
    // Seen by a poll or by an event; from then on by events alone.
    fs::write(&path, grants(2)).unwrap();
    watched.until_grants(2).await;
    fs::write(&path, grants(3)).unwrap();
    watched.until_grants(3).await;
}

#[test]
fn a_place_that_cannot_be_watched_is_tried_again() {
    /// Has room for one place, and later for all.
    struct Narrow {
        room: Arc<AtomicUsize>,
        on: Arc<Mutex<Vec<PathBuf>>>,
    }

    impl Watcher for Narrow {
        fn new<F: notify::EventHandler>(_: F, _: notify::Config) -> notify::Result<Self> {
            unreachable!()
        }

        fn watch(&mut self, path: &Path, _: RecursiveMode) -> notify::Result<()> {
            let mut on = self.on.lock().unwrap();
            if on.contains(&path.to_owned()) {
                return Ok(());
            }
            if on.len() == self.room.load(Ordering::Relaxed) {
                return Err(notify::Error::new(notify::ErrorKind::MaxFilesWatch));
            }
            on.push(path.to_owned());
            Ok(())
        }

        fn unwatch(&mut self, path: &Path) -> notify::Result<()> {
            self.on.lock().unwrap().retain(|on| on != path);
            Ok(())
        }

        fn kind() -> notify::WatcherKind {
            notify::WatcherKind::NullWatcher
        }
    }

    let room = Arc::new(AtomicUsize::new(1));
    let on = Arc::new(Mutex::new(Vec::new()));
    let mut eyes = Eyes::closed({
        let (room, on) = (room.clone(), on.clone());
        move || Ok(Box::new(Narrow { room: room.clone(), on: on.clone() }) as Watching)
    });
    let places: Places = ["/a", "/b"].map(|path| (path.into(), (1, 1))).into();
    eyes.turn(places.clone());
    assert_eq!(*on.lock().unwrap(), [Path::new("/a")]);
    room.store(2, Ordering::Relaxed);
    eyes.turn(places);
    assert_eq!(*on.lock().unwrap(), [Path::new("/a"), Path::new("/b")]);
    eyes.turn(Places::new());
    assert!(on.lock().unwrap().is_empty());
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
    for change in [written, EventKind::Any] {
        assert!(!is_reading(change), "{change:?}");
    }
    assert!(!is_reading(EventKind::Modify(ModifyKind::Any)));
    assert!(!is_reading(EventKind::Create(CreateKind::Any)));
}

#[test]
fn lost_events_are_a_hint() {
    let overflow = Event::new(EventKind::Other).set_flag(notify::event::Flag::Rescan);
    assert!(is_hint(&Ok(overflow)));
    assert!(is_hint(&Err(notify::Error::generic("lost"))));
    let read = Event::new(EventKind::Access(AccessKind::Open(AccessMode::Any)));
    assert!(!is_hint(&Ok(read)));
}
