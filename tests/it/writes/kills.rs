//! Who writes is killed, at any moment: what stands on disk then is whole, and has in it whatever was
//! acknowledged.
//!
//! This program runs itself again as the writer. It says on its standard output what it tries, and what
//! was done; the killer reads along. `GRANTGATE_KILLS` says how often, about ten writes each.

use std::collections::BTreeMap;
use std::env;
use std::hash::{BuildHasher, RandomState};
use std::io::{BufRead, BufReader, Write, stdout};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use grantgate::reload::Reloader;

use super::site::{GRANTS, Site, add, adding, configuration, has, loaded, removing};

const FOLDER: &str = "GRANTGATE_TEST_WRITES_IN";
const FROM: &str = "GRANTGATE_TEST_WRITES_FROM";

/// The writer. Run as a test of its own it has nothing to do.
#[tokio::test]
async fn a_writer_writes_until_it_is_killed() {
    let (Ok(folder), Ok(from)) = (env::var(FOLDER), env::var(FROM)) else { return };
    let say = |word: &str, what: &str| writeln!(stdout(), "{word} {what}").unwrap();
    let reloader = Reloader::start(Path::new(&folder)).await.unwrap();
    for n in from.parse::<usize>().unwrap().. {
        let (name, before): (String, String) = (format!("c{n}"), format!("c{}", n - 1));
        say("try", &format!("+{name}"));
        // Into what a person writes, and files that come to be with the first write.
        let file = if n % 3 == 0 { ["gateway.yaml", "more.yaml"][n / 3 % 2] } else { GRANTS };
        reloader.write(adding(file, name.as_str())).await.unwrap();
        say("did", &format!("+{name}"));
        if n % 3 == 2 {
            say("try", &format!("-{before}"));
            reloader.write(removing(before.as_str())).await.unwrap();
            say("did", &format!("-{before}"));
        }
    }
}

#[tokio::test]
async fn whoever_is_killed_leaves_all_that_was_acknowledged() {
    let kills = env::var("GRANTGATE_KILLS").map_or(20, |kills| kills.parse().unwrap());
    let site = Site::new();
    let mut acknowledged: BTreeMap<String, bool> = BTreeMap::new();
    let mut from = 1;
    for kill in 0..kills {
        let random = RandomState::new().hash_one(kill);
        let tried = kill_after(site.path(), from, random, &mut acknowledged);
        let snapshot = site.loaded();
        for (client, is_there) in &acknowledged {
            assert_eq!(has(&snapshot, client), *is_there, "{client} of {acknowledged:?}");
        }
        assert!(has(&snapshot, "first"));
        from = tried + 1;
    }
    assert!(acknowledged.len() > kills, "too little was written: {acknowledged:?}");
    // What was left behind is cleaned up by whoever writes next.
    let reloader = site.start().await;
    add(&reloader, "last").await.unwrap();
    reloader.write(adding("more.yaml", "very-last")).await.unwrap();
    site.is_left_with(&reloader, &["gateway.yaml", GRANTS, "more.yaml"]).await;
    assert!(site.text("gateway.yaml").starts_with(configuration()));
    assert!(has(&loaded(site.path()), "very-last"));
}

/// Has a writer begin with the `from`th client, and kills it at a random moment. Notes what it did, and
/// gives the last client that it spoke of.
fn kill_after(
    folder: &Path,
    from: usize,
    random: u64,
    acknowledged: &mut BTreeMap<String, bool>,
) -> usize {
    let mut writer = Command::new(env::current_exe().unwrap())
        .args(["--exact", "writes::kills::a_writer_writes_until_it_is_killed", "--nocapture"])
        .env(FOLDER, folder)
        .env(FROM, from.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(writer.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut last = from;
    let mut note = |line: String| {
        let Some((word @ ("try" | "did"), what)) = line.split_once(' ') else { return false };
        let (sign, client) = what.split_at(1);
        last = last.max(client[1..].parse().unwrap());
        if word == "did" {
            acknowledged.insert(client.to_owned(), sign == "+");
        } else {
            // Until it is acknowledged it may have been done or not.
            acknowledged.remove(client);
        }
        word == "did"
    };
    let mut left = random % 16 + 2;
    while left > 0 {
        let line = lines.next().expect("the writer ended by itself");
        left -= u64::from(note(line));
    }
    // Into the midst of the next write, or of the one behind it.
    thread::sleep(Duration::from_micros(random >> 32 & 0x1fff));
    writer.kill().unwrap();
    writer.wait().unwrap();
    lines.for_each(|line| {
        note(line);
    });
    last
}
