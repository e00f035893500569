//! Two programs and a person write to the same files at once, for as long as `GRANTGATE_EDITORS_SECONDS`
//! says: nothing that any of them has written is lost, and no file is ever torn by the gateway.
//!
//! The person is careful, as a good editor is: what it puts a new text in the place of must be what it
//! has read, and it looks afterwards whether what it wrote is where it meant to write.

use std::env;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use grantgate::config::load;
use grantgate::reload::{
    Change, ReloadOutcome, Reloader, Store, Surroundings, Trigger, WriteError, watch,
};
use rustix::fs::{CWD, RenameFlags, renameat_with};

use crate::disk::{NOW, rename_over};

use super::site::{GRANTS, Planned, Site, add, addition, has};

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn nobody_loses_what_another_writes() {
    let seconds = env::var("GRANTGATE_EDITORS_SECONDS").map_or(3, |it| it.parse().unwrap());
    let site = Arc::new(Site::new());
    let reloader = Arc::new(site.start().await);
    add(&reloader, "before").await.unwrap();
    let watcher = tokio::spawn({
        let reloader = reloader.clone();
        async move { watch(&reloader).await }
    });
    let over = Arc::new(AtomicBool::new(false));
    let torn_by_hand = Arc::new(AtomicUsize::new(0));
    let writers =
        ["a", "b"].map(|name| tokio::spawn(program(reloader.clone(), name, over.clone())));
    let hand = thread::spawn({
        let (site, over, torn) = (site.clone(), over.clone(), torn_by_hand.clone());
        move || person(&site, &over, &torn)
    });
    let reader = thread::spawn({
        let (site, over) = (site.clone(), over.clone());
        move || read_on(site.path(), &over, &torn_by_hand)
    });
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    over.store(true, Ordering::Relaxed);

    let mut written = vec!["first".to_owned(), "before".to_owned()];
    for writer in writers {
        let of_one = writer.await.unwrap();
        assert!(!of_one.is_empty());
        written.extend(of_one);
    }
    let by_hand = hand.join().unwrap();
    assert!(by_hand.len() >= 5, "{by_hand:?}");
    written.extend(by_hand);
    assert!(reader.join().unwrap() > 0);
    watcher.abort();
    let outcome = reloader.attempt(Trigger::Poll).await;
    assert!(!matches!(outcome, ReloadOutcome::Kept(_)), "{outcome:?}");
    let (running, loaded) = (reloader.snapshot().load(), site.loaded());
    assert_eq!(running.digest, loaded.digest);
    let lost: Vec<_> = written.iter().filter(|client| !has(&loaded, client)).collect();
    assert!(lost.is_empty(), "{lost:?} of {}", written.len());
}

/// Writes one grant after the other; gives whose were acknowledged.
async fn program(
    reloader: Arc<Reloader>,
    name: &'static str,
    over: Arc<AtomicBool>,
) -> Vec<String> {
    let mut written = Vec::new();
    while !over.load(Ordering::Relaxed) {
        let client = format!("{name}{}", written.len());
        let planned = client.clone();
        let file = ["gateway.yaml", GRANTS][written.len() % 2];
        let done = reloader.write(move |snapshot, sources| -> Planned {
            // A person may have taken the text that was about to be written for granted.
            let is_there = has(snapshot, &planned);
            Ok(if is_there { Change::default() } else { addition(file, &planned, sources) })
        });
        match done.await {
            Ok(done) => {
                assert!(has(&done.snapshot, &client));
                written.push(client);
            }
            // What a person has half written rested for too long, or there was no end to it.
            Err(WriteError::Broken(_) | WriteError::Restless) => {}
            Err(other) => panic!("{other}"),
        }
    }
    written
}

/// Edits by hand, in every way there is; gives whom it gave grants.
fn person(site: &Site, over: &AtomicBool, torn: &AtomicUsize) -> Vec<String> {
    let mut written = Vec::new();
    while !over.load(Ordering::Relaxed) {
        let client = format!("h{}", written.len());
        let row = |text: &str| {
            let is_new = !text.contains(&format!("\"{client}\""));
            is_new.then(|| {
                let row = format!(" [\n{{ \"client_id\": \"{client}\", \"scope\": [] }},\n");
                text.replacen(" [\n", &row, 1)
            })
        };
        let item = |text: &str| {
            let is_new = !text.contains(&format!(" {client} "));
            is_new.then(|| {
                let item =
                    format!("client_grants:\n  - client_id: {client} # by hand\n    scope: []\n");
                text.replacen("client_grants:\n", &item, 1)
            })
        };
        match written.len() % 5 {
            0 => exchanged(&site.at(GRANTS), row),
            1 => exchanged(&site.at("gateway.yaml"), item),
            2 => in_place(&site.at(GRANTS), row, torn),
            3 => in_place(&site.at("gateway.yaml"), item, torn),
            // Nobody else writes there.
            _ => rename_over(
                &site.at(&format!("{client}.yaml")),
                format!("client_grants:\n  - {{client_id: {client}, scope: []}}\n"),
            ),
        }
        written.push(client);
        thread::sleep(Duration::from_millis(10));
    }
    written
}

/// `sed -i`, with a look at what it has replaced.
fn exchanged(path: &Path, edit: impl Fn(&str) -> Option<String>) {
    let beside = path.with_file_name("by-hand.tmp");
    loop {
        let text = fs::read_to_string(path).unwrap();
        let Some(new) = edit(&text) else { break };
        fs::write(&beside, new).unwrap();
        let exchange = || renameat_with(CWD, &beside, CWD, path, RenameFlags::EXCHANGE).unwrap();
        exchange();
        if fs::read_to_string(&beside).unwrap() == text {
            break;
        }
        exchange();
    }
    let _ = fs::remove_file(beside);
}

/// Truncates and writes, with a look whether the file is still where it was.
fn in_place(path: &Path, edit: impl Fn(&str) -> Option<String>, torn: &AtomicUsize) {
    let is_there =
        |file: &File| fs::metadata(path).unwrap().ino() == file.metadata().unwrap().ino();
    loop {
        let mut file = OpenOptions::new().read(true).write(true).open(path).unwrap();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        let Some(new) = edit(&text) else { return };
        if !is_there(&file) {
            continue;
        }
        torn.fetch_add(1, Ordering::SeqCst);
        file.set_len(0).unwrap();
        file.rewind().unwrap();
        file.write_all(new.as_bytes()).unwrap();
        torn.fetch_add(1, Ordering::SeqCst);
        if is_there(&file) {
            return;
        }
    }
}

/// Loads the files again and again: unless a person is about to write in place, they are whole.
fn read_on(path: &Path, over: &AtomicBool, torn: &AtomicUsize) -> usize {
    let mut read = 0;
    while !over.load(Ordering::Relaxed) {
        let before = torn.load(Ordering::SeqCst);
        let loaded = Store::new(path).read().map(|sources| {
            load(&sources, &Surroundings::default(), NOW).map_err(|report| report.to_string())
        });
        if before % 2 == 1 || torn.load(Ordering::SeqCst) != before {
            continue;
        }
        // That the files do not come to rest is told as such.
        if let Ok(loaded) = loaded {
            loaded.unwrap_or_else(|report| panic!("{report}"));
            read += 1;
        }
        let begun = Instant::now();
        thread::sleep(Duration::from_millis(2).saturating_sub(begun.elapsed()));
    }
    read
}
