//! Attempts against directories on disk.

use std::fs;
use std::path::Path;
use std::sync::Mutex as StdMutex;
use std::time::UNIX_EPOCH;

use super::*;

/// A configuration with one API, and one grant for each of `clients`.
pub(super) fn configuration(clients: &[&str]) -> String {
    let grants: Vec<_> =
        clients.iter().map(|id| format!("{{client_id: {id}, scope: [\"read:x\"]}}")).collect();
    format!("{API}client_grants: [{}]\n", grants.join(", "))
}

const API: &str = r#"
issuers: [{issuer: "https://issuer.example/", profile: rfc9068}]
resource_servers:
  - identifier: https://api.example
    scopes: [{value: "read:x"}]
    subject_type_authorization: {user: {policy: deny_all}, client: {policy: require_client_grant}}
    gate:
      upstream: http://127.0.0.1:3000
      operations: [{on: "GET /x", scopes: ["read:x"]}]
reload: {poll: 1h, quiet: 1ms}
"#;

struct Disk(tempfile::TempDir);

impl Disk {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path().join(name), text).unwrap();
    }

    fn delete(&self, name: &str) {
        fs::remove_file(self.path().join(name)).unwrap();
    }
}

async fn poll(reloader: &Reloader) -> ReloadOutcome {
    reloader.attempt(Trigger::Poll).await
}

fn applied(outcome: ReloadOutcome) -> Applied {
    match outcome {
        ReloadOutcome::Applied(applied) => applied,
        other => panic!("{other:?}"),
    }
}

fn kept(outcome: ReloadOutcome) -> Arc<Report> {
    match outcome {
        ReloadOutcome::Kept(report) => report,
        other => panic!("{other:?}"),
    }
}

fn is_unchanged(outcome: &ReloadOutcome) -> bool {
    matches!(outcome, ReloadOutcome::Unchanged)
}

#[tokio::test]
async fn a_change_is_applied_once_and_told() {
    let disk = Disk::new();
    disk.write("a.yaml", &configuration(&["one"]));
    let told = Arc::new(StdMutex::new(Vec::new()));
    let reloader = Reloader::start(disk.path()).await.unwrap().followed_by({
        let told = told.clone();
        move |snapshot| told.lock().unwrap().push(snapshot.digest)
    });
    let live = reloader.snapshot();
    let first = live.load();
    assert!(is_unchanged(&poll(&reloader).await));
    assert!(Arc::ptr_eq(&first, &live.load()));

    disk.write("a.yaml", &configuration(&["one", "two"]));
    let gain = applied(poll(&reloader).await);
    assert!(gain.gained > 0 && gain.lost == 0, "{gain:?}");
    assert!(is_unchanged(&poll(&reloader).await));
    disk.write("a.yaml", &configuration(&["one"]));
    let loss = applied(reloader.attempt(Trigger::Signal).await);
    assert_eq!((loss.gained, loss.lost), (0, gain.gained));

    let status = reloader.status().borrow().clone();
    assert_eq!((status.generation, status.digest), (3, first.digest));
    assert_eq!(live.load().digest, first.digest);
    let told = told.lock().unwrap();
    assert_eq!(told.len(), 2);
    assert_eq!(told.last(), Some(&first.digest));
}

#[tokio::test]
async fn a_snapshot_is_not_taken_apart_by_whoever_lets_go_of_it() {
    let disk = Disk::new();
    disk.write("a.yaml", &configuration(&["one"]));
    let reloader = Reloader::start(disk.path()).await.unwrap();
    // As a worker that has nothing to do meanwhile.
    let mut worker = reloader.snapshot().reader();
    let old = Arc::downgrade(worker.load());
    disk.write("a.yaml", &configuration(&["two"]));
    applied(poll(&reloader).await);
    assert_eq!(old.strong_count(), 2);
    worker.load();
    assert_eq!(old.strong_count(), 1, "its next request took it apart");
    while old.strong_count() > 0 {
        sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn the_last_good_one_stays_over_all_that_is_wrong() {
    let disk = Disk::new();
    let good = configuration(&["one"]);
    disk.write("a.yaml", &good);
    let reloader = Reloader::start(disk.path()).await.unwrap();
    let running = reloader.snapshot().load();
    let half = &good[..good.len() / 2];
    for bad in ["", "\n", half, "a: [", "unknown: 1\n", "\u{0}"] {
        disk.write("a.yaml", bad);
        let report = kept(poll(&reloader).await);
        assert!(report.has_errors(), "{bad:?}");
        // Told again, it is the same report: nothing was loaded anew.
        assert!(Arc::ptr_eq(&report, &kept(poll(&reloader).await)), "{bad:?}");
        assert!(Arc::ptr_eq(&running, &reloader.snapshot().load()), "{bad:?}");
    }
    disk.delete("a.yaml");
    let report = kept(poll(&reloader).await);
    assert_eq!(report.iter().next().unwrap().code, Code::ConfigUnreadable);
    fs::create_dir(disk.path().join("a.yaml")).unwrap();
    kept(poll(&reloader).await);
    fs::remove_dir(disk.path().join("a.yaml")).unwrap();

    let status = reloader.status().borrow().clone();
    assert_eq!(status.generation, 1);
    assert!(matches!(status.last, ReloadOutcome::Kept(_)));
    disk.write("a.yaml", &good);
    assert!(is_unchanged(&poll(&reloader).await));
}

#[tokio::test]
async fn a_file_that_is_deleted_takes_its_content_with_it_but_for_the_last() {
    let disk = Disk::new();
    let (api, grants) = (configuration(&["one"]), "client_grants: [{client_id: two}]\n");
    disk.write("a.yaml", &api);
    disk.write("b.yaml", &grants.replace("}]", ", scope: [\"read:x\"]}]"));
    let reloader = Reloader::start(disk.path()).await.unwrap();
    disk.delete("b.yaml");
    let loss = applied(poll(&reloader).await);
    assert!(loss.lost > 0 && loss.gained == 0, "{loss:?}");
    disk.delete("a.yaml");
    kept(poll(&reloader).await);
    assert_eq!(reloader.snapshot().load().apis.len(), 1);
}

#[tokio::test]
async fn a_file_that_is_referred_to_belongs_to_the_configuration() {
    const KEY: &str = r#"{"kty": "OKP", "crv": "Ed25519", "kid": "k",
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    let disk = Disk::new();
    let profile = "profile: rfc9068";
    let text = configuration(&["one"]).replace(profile, "profile: rfc9068, jwks_file: keys.jwks");
    disk.write("a.yaml", &text);
    let report = Reloader::start(disk.path()).await.err().unwrap();
    assert!(report.has_errors());

    disk.write("keys.jwks", &format!("{{\"keys\": [{KEY}]}}"));
    let reloader = Reloader::start(disk.path()).await.unwrap();
    assert!(is_unchanged(&poll(&reloader).await));
    disk.write("keys.jwks", &format!("{{\"keys\": [{}]}}", KEY.replace("\"k\"", "\"other\"")));
    applied(poll(&reloader).await);
    disk.delete("keys.jwks");
    kept(poll(&reloader).await);
    disk.write("keys.jwks", &format!("{{\"keys\": [{KEY}]}}"));
    applied(poll(&reloader).await);
    assert!(is_unchanged(&poll(&reloader).await));
}

#[tokio::test]
async fn what_waits_for_a_restart_is_named_until_it_is_as_it_was() {
    let disk = Disk::new();
    let text = configuration(&["one"]);
    disk.write("a.yaml", &text);
    let reloader = Reloader::start(disk.path()).await.unwrap();
    let moved = format!(
        "{text}server: {{listen: \"127.0.0.1:81\", workers: 7, drain_delay: 1s}}\n\
         health: {{listen: \"127.0.0.1:82\"}}\n\
         limits: {{token_cache_bytes: 1MiB, connections: 7, uri_bytes: 1KiB}}\n\
         log: {{level: warn, records: false}}\n"
    );
    disk.write("a.yaml", &moved);
    let waiting = ["server.listen", "server.workers", "health.listen", "limits.token_cache_bytes"];
    assert_eq!(applied(poll(&reloader).await).restart_needed, waiting);
    disk.write("a.yaml", &moved.replace("one", "two"));
    assert_eq!(applied(poll(&reloader).await).restart_needed, waiting);
    disk.write("a.yaml", &text);
    assert!(applied(poll(&reloader).await).restart_needed.is_empty());
}

#[tokio::test]
async fn attempts_at_once_take_a_change_over_once() {
    let disk = Disk::new();
    disk.write("a.yaml", &configuration(&["one"]));
    let reloader = Arc::new(Reloader::start(disk.path()).await.unwrap());
    disk.write("a.yaml", &configuration(&["two"]));
    let mut attempts = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let reloader = reloader.clone();
        attempts.spawn(async move { poll(&reloader).await.as_str() });
    }
    let outcomes = attempts.join_all().await;
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == "applied").count(), 1);
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == "unchanged").count(), 15);
    assert_eq!(reloader.status().borrow().generation, 2);
}

/// The longest there is: no machine is so busy that it passes between two lines of a test.
const QUIET: Duration = Duration::from_secs(2);

/// As [`configuration`], with a quiet that is waited for.
fn quiet(clients: &[&str]) -> String {
    configuration(clients).replace("quiet: 1ms", "quiet: 2s")
}

fn clients(reloader: &Reloader) -> usize {
    reloader.snapshot().load().apis[0].api.grants.iter().count()
}

#[tokio::test(start_paused = true)]
async fn nobody_takes_over_what_is_still_being_written() {
    for trigger in [Trigger::Files, Trigger::Poll, Trigger::Signal] {
        let disk = Disk::new();
        disk.write("a.yaml", &quiet(&["one"]));
        let reloader = Reloader::start(disk.path()).await.unwrap();
        let whole = quiet(&["one", "two", "three"]);
        // Half of it means something too.
        disk.write("a.yaml", &quiet(&["one", "two"]));
        let write = async {
            sleep(QUIET / 2).await;
            disk.write("a.yaml", &whole);
        };
        let (outcome, ()) = tokio::join!(reloader.attempt(trigger), write);
        applied(outcome);
        assert_eq!((clients(&reloader), reloader.status().borrow().generation), (3, 2));
    }
}

#[tokio::test(start_paused = true)]
async fn a_file_that_a_mounted_map_brings_late_is_waited_for() {
    let disk = Disk::new();
    disk.write("a.yaml", &quiet(&["one"]));
    let reloader = Reloader::start(disk.path()).await.unwrap();
    disk.write("a.yaml", &quiet(&["one", "two"]));
    let write = async {
        sleep(QUIET / 2).await;
        disk.write("b.yaml", "client_grants: [{client_id: three, scope: [\"read:x\"]}]\n");
    };
    let (outcome, ()) = tokio::join!(poll(&reloader), write);
    applied(outcome);
    assert_eq!((clients(&reloader), reloader.status().borrow().generation), (3, 2));
}

/// Whether each of the texts that come without end is whole decides.
#[tokio::test(start_paused = true)]
async fn what_never_rests_is_taken_where_it_comes_whole_and_refused_where_it_grows() {
    for whole in [true, false] {
        let disk = Disk::new();
        let path = disk.path().join("a.yaml");
        disk.write("a.yaml", &configuration(&["one"]).replace("quiet: 1ms", "quiet: 250ms"));
        let reloader = Reloader::start(disk.path()).await.unwrap();
        let mut text = configuration(&["one", "two"]);
        let mut write = || {
            text.push_str("# and\n");
            if whole {
                disk.write("next", &text);
                // Its number is not given to the next file, as long as it is there.
                fs::rename(&path, disk.path().join(format!("old{}", text.len()))).unwrap();
                fs::rename(disk.path().join("next"), &path).unwrap();
            } else {
                fs::write(&path, &text).unwrap();
            }
        };
        write();
        let restless = async {
            loop {
                sleep(Duration::from_millis(125)).await;
                write();
            }
        };
        let begin = Instant::now();
        let outcome = tokio::select! {
            outcome = poll(&reloader) => outcome,
            () = restless => unreachable!(),
        };
        assert_eq!(begin.elapsed(), LONGEST);
        if whole {
            applied(outcome);
            assert_eq!(clients(&reloader), 2);
        } else {
            assert!(kept(outcome).to_string().contains("it changes while it is read"));
            assert_eq!(clients(&reloader), 1);
        }
        // When it rests at last, it is taken.
        sleep(QUIET).await;
        let last = poll(&reloader).await;
        assert!(matches!((whole, last.as_str()), (_, "applied") | (true, "unchanged")), "{last:?}");
        assert_eq!(clients(&reloader), 2);
    }
}

/// A revocation does not wait for whoever keeps changing a file's dates, or its owner.
#[tokio::test(start_paused = true)]
async fn files_that_are_touched_for_ever_and_not_written_are_taken() {
    let disk = Disk::new();
    let at_once = |clients: &[&str]| configuration(clients).replace("quiet: 1ms", "quiet: 250ms");
    disk.write("a.yaml", &at_once(&["one", "two"]));
    let reloader = Reloader::start(disk.path()).await.unwrap();
    disk.write("a.yaml", &at_once(&["one"]));
    let file = fs::File::options().append(true).open(disk.path().join("a.yaml")).unwrap();
    let mut time = UNIX_EPOCH;
    let restless = async {
        loop {
            sleep(Duration::from_millis(125)).await;
            time += Duration::from_secs(1);
            file.set_modified(time).unwrap();
        }
    };
    let begin = Instant::now();
    let outcome = tokio::select! {
        outcome = poll(&reloader) => outcome,
        () = restless => unreachable!(),
    };
    applied(outcome);
    assert_eq!((begin.elapsed(), clients(&reloader)), (LONGEST, 1));
}

#[tokio::test(start_paused = true)]
async fn since_when_it_is_refused_is_remembered_until_it_is_not() {
    let disk = Disk::new();
    disk.write("a.yaml", &configuration(&["one"]));
    let reloader = Reloader::start(disk.path()).await.unwrap();
    let most = Duration::from_mins(15);
    let late = || reloader.status().borrow().refused_for_too_long(Some(most));
    for bad in ["", "also: wrong"] {
        disk.write("a.yaml", bad);
        kept(poll(&reloader).await);
        assert!(!late());
        tokio::time::advance(most / 2).await;
    }
    kept(poll(&reloader).await);
    assert!(late());
    assert!(!reloader.status().borrow().refused_for_too_long(None));
    disk.write("a.yaml", &configuration(&["one"]));
    assert!(is_unchanged(&poll(&reloader).await));
    assert!(!late());
    disk.write("a.yaml", "");
    kept(poll(&reloader).await);
    assert!(!late());
}

#[tokio::test]
async fn what_is_to_come_is_told_before_it_decides_and_again_when_it_does() {
    let disk = Disk::new();
    disk.write("a.yaml", &configuration(&["one"]));
    let reloader = Reloader::start(disk.path()).await.unwrap();
    let (live, told) = (reloader.snapshot(), Arc::new(StdMutex::new(Vec::new())));
    let reloader = reloader
        .prepared_by({
            let (live, told) = (live.clone(), told.clone());
            move |running, next| {
                assert_eq!(live.load().digest, running.digest);
                told.lock().unwrap().push(("prepare", next.digest));
            }
        })
        .followed_by({
            let told = told.clone();
            move |snapshot| {
                assert_eq!(live.load().digest, snapshot.digest);
                told.lock().unwrap().push(("follow", snapshot.digest));
            }
        });
    disk.write("a.yaml", &configuration(&["two"]));
    applied(poll(&reloader).await);
    let digest = reloader.snapshot().load().digest;
    assert_eq!(*told.lock().unwrap(), [("prepare", digest), ("follow", digest)]);
}

#[tokio::test]
async fn whether_tls_is_spoken_waits_for_a_restart_and_its_certificate_does_not() {
    let disk = Disk::new();
    let certificate = || {
        let pair = rcgen::generate_simple_self_signed(["a.example".to_owned()]).unwrap();
        disk.write("tls.key", &pair.signing_key.serialize_pem());
        disk.write("tls.crt", &pair.cert.pem());
    };
    certificate();
    let (plain, secure) =
        (configuration(&["one"]), "server: {tls: {cert: tls.crt, key: tls.key}}\n");
    disk.write("a.yaml", &format!("{plain}{secure}"));
    let reloader = Reloader::start(disk.path()).await.unwrap();
    let before = reloader.snapshot().load().server.tls.clone();
    certificate();
    assert!(applied(poll(&reloader).await).restart_needed.is_empty());
    assert_ne!(reloader.snapshot().load().server.tls, before);
    disk.write("a.yaml", &plain);
    assert_eq!(applied(poll(&reloader).await).restart_needed, ["server.tls"]);
    let asking = secure.replace("tls.key}", "tls.key, client_ca: tls.crt}");
    disk.write("a.yaml", &format!("{plain}{asking}"));
    assert_eq!(applied(poll(&reloader).await).restart_needed, ["server.tls"]);
}

#[tokio::test]
async fn where_the_management_api_listens_waits_for_a_restart() {
    let disk = Disk::new();
    let pair = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    disk.write("tls.key", &pair.signing_key.serialize_pem());
    disk.write("tls.crt", &pair.cert.pem());
    disk.write("secret", "a secret of a client, which is long enough");
    let plain = configuration(&["one"]);
    let managed = "management:\n  listen: 127.0.0.1:9443\n  tls: {cert: tls.crt, key: tls.key}\n  \
        clients: [{client_id: tool, client_secret: '${file:secret}'}]\n";
    disk.write("a.yaml", &format!("{plain}{managed}"));
    let reloader = Reloader::start(disk.path()).await.unwrap();
    let then = async |changed: &str| {
        disk.write("a.yaml", &format!("{plain}{changed}"));
        applied(poll(&reloader).await).restart_needed
    };
    let secret = managed.replace("tool", "another");
    assert_eq!(then(&secret).await, [] as [&str; 0]);
    assert_eq!(then(&managed.replace("9443", "9444")).await, ["management.listen"]);
    assert_eq!(then("").await, ["management.listen"]);
    let asking = managed.replace("tls.key}", "tls.key, client_ca: tls.crt}");
    assert_eq!(then(&asking).await, ["management.tls"]);
}
