//! One write after the other: what it leaves on disk, and what becomes of it when it cannot be.

use std::fs::{self, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::sync::{Arc, Mutex};

use grantgate::config::{Code, Edit, Place};
use grantgate::reload::{Change, ReloadOutcome, Reloader, Trigger, WriteError};
use serde_json::json;

use crate::disk::rename_over;

use super::site::{GRANTS, Planned, Site, add, adding, addition, has, last_by, removing};

#[tokio::test]
async fn a_write_is_on_disk_and_decides_and_is_told_as_such() {
    let site = Site::new();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let observed = seen.clone();
    let reloader = site.start().await.observed_by(move |status| {
        observed.lock().unwrap().push((status.generation, status.last_by, status.last.as_str()));
    });
    let written = add(&reloader, "one").await.unwrap();
    assert!(has(&written.snapshot, "one") && has(&reloader.snapshot().load(), "one"));
    assert_eq!(written.files, [site.at(GRANTS).display().to_string()]);
    assert_eq!((written.applied.gained, written.applied.lost), (written.diff.gains(), 0));
    assert!(written.diff.gains() > 0);
    assert_eq!(
        site.text(GRANTS),
        "{\"client_grants\": [\n{\"client_id\":\"one\",\"scope\":[\"read:x\"]}\n]}\n"
    );
    let running = reloader.snapshot().load();
    assert_eq!(site.loaded().digest, running.digest);
    // What the watcher sees of it is what runs.
    assert!(matches!(reloader.attempt(Trigger::Files).await, ReloadOutcome::Unchanged));
    assert!(Arc::ptr_eq(&running, &reloader.snapshot().load()));
    let written = reloader.write(removing("one")).await.unwrap();
    assert_eq!((written.diff.gains(), written.diff.losses() == 0), (0, false));
    assert_eq!(
        *seen.lock().unwrap(),
        [
            (2, Trigger::Management, "applied"),
            (2, Trigger::Files, "unchanged"),
            (3, Trigger::Management, "applied")
        ]
    );
    site.is_left_with(&reloader, &["gateway.yaml", GRANTS]).await;
}

#[tokio::test]
async fn a_change_of_nothing_writes_nothing() {
    let site = Site::new();
    let reloader = site.start().await;
    let written = reloader.write(removing("nobody")).await.unwrap();
    assert!(written.files.is_empty() && written.diff.gains() == 0);
    assert!(Arc::ptr_eq(&written.snapshot, &reloader.snapshot().load()));
    assert_eq!((site.names().len(), last_by(&reloader)), (1, Trigger::Start));
}

#[tokio::test]
async fn writers_at_once_take_their_turns() {
    let site = Site::new();
    let reloader = Arc::new(site.start().await);
    let writers: Vec<_> = (0..16)
        .map(|n| {
            let reloader = reloader.clone();
            tokio::spawn(async move { add(&reloader, &format!("w{n}")).await.unwrap() })
        })
        .collect();
    let mut generations = Vec::new();
    for writer in writers {
        generations.push(writer.await.unwrap().snapshot.generation);
    }
    generations.sort_unstable();
    assert_eq!(generations, (2..18).collect::<Vec<_>>());
    let snapshot = site.loaded();
    assert!((0..16).all(|n| has(&snapshot, &format!("w{n}"))));
    site.is_left_with(&reloader, &["gateway.yaml", GRANTS]).await;
}

#[tokio::test]
async fn a_hand_edit_is_part_of_what_a_write_is_planned_upon() {
    let site = Site::new();
    let reloader = site.start().await;
    let edited = site.text("gateway.yaml").replace("first", "by-hand");
    rename_over(&site.at("gateway.yaml"), &edited);
    let written = add(&reloader, "one").await.unwrap();
    assert!(has(&written.snapshot, "by-hand") && has(&written.snapshot, "one"));
    // Access that came by the hand edit is told of the hand edit.
    assert!(written.diff.losses() == 0);
    assert_eq!(site.text("gateway.yaml"), edited);
}

#[tokio::test]
async fn a_hand_edit_between_the_plan_and_the_write_has_it_planned_anew() {
    let site = Site::new();
    let reloader = site.start().await;
    add(&reloader, "one").await.unwrap();
    let file = site.at(GRANTS);
    let mut planned = 0;
    let (asked, asks) = std::sync::mpsc::channel();
    let written = reloader.write(move |_, sources| -> Planned {
        planned += 1;
        asked.send(planned).unwrap();
        if planned == 1 {
            let text = fs::read_to_string(&file).unwrap().replace("one", "by-hand");
            rename_over(&file, text);
        }
        Ok(addition(GRANTS, "two", sources))
    });
    let written = written.await.unwrap();
    assert_eq!(asks.iter().collect::<Vec<_>>(), [1, 2]);
    let snapshot = site.loaded();
    assert_eq!(written.snapshot.digest, snapshot.digest);
    assert!(has(&snapshot, "by-hand") && has(&snapshot, "two") && !has(&snapshot, "one"));
    site.is_left_with(&reloader, &["gateway.yaml", GRANTS]).await;
}

#[tokio::test]
async fn who_edits_all_the_time_is_given_way_to() {
    let site = Site::new();
    let reloader = site.start().await;
    add(&reloader, "one").await.unwrap();
    let file = site.at(GRANTS);
    let mut edits = 0;
    let written = reloader.write(move |_, sources| -> Planned {
        edits += 1;
        let old = fs::read_to_string(&file).unwrap();
        let new = old.replacen("{\"client_id\"", &format!("{}{{\"client_id\"", hand(edits)), 1);
        rename_over(&file, new);
        Ok(addition(GRANTS, "two", sources))
    });
    assert!(matches!(written.await, Err(WriteError::Restless)));
    let snapshot = site.loaded();
    assert!(has(&snapshot, "h1") && has(&snapshot, "one") && !has(&snapshot, "two"));
}

fn hand(n: usize) -> String {
    format!("{{\"client_id\":\"h{n}\",\"scope\":[]}},\n")
}

#[tokio::test]
async fn a_broken_disk_is_not_added_to() {
    let site = Site::new();
    let reloader = site.start().await;
    let running = reloader.snapshot().load();
    fs::write(site.at("gateway.yaml"), "issuers: [").unwrap();
    let Err(WriteError::Broken(report)) = add(&reloader, "one").await else { panic!("written") };
    assert!(report.iter().any(|found| found.code == Code::YamlSyntax));
    assert_eq!(site.names(), ["gateway.yaml"]);
    assert!(Arc::ptr_eq(&running, &reloader.snapshot().load()));
    assert!(reloader.status().borrow().refused.is_some());
}

#[tokio::test]
async fn what_would_be_refused_is_not_written() {
    let site = Site::new();
    let reloader = site.start().await;
    let Err(WriteError::Invalid(report)) = add(&reloader, "first").await else { panic!("written") };
    assert!(report.iter().any(|found| found.code == Code::GrantDuplicate), "{report}");
    assert_eq!(site.names(), ["gateway.yaml"]);
    assert_eq!(last_by(&reloader), Trigger::Start);
    assert!(matches!(
        reloader.write(|_, _| Err::<Change, _>("no")).await,
        Err(WriteError::Refused("no"))
    ));
    let edits = vec![Edit::Remove { place: Place::root(7) }];
    let elsewhere = Change { edits, new_file: None };
    let written = reloader.write(move |_, _| -> Planned { Ok(elsewhere.clone()) }).await;
    assert!(matches!(written, Err(WriteError::Edit(_))));
}

#[tokio::test]
async fn every_file_between_two_of_a_change_leaves_a_configuration_that_starts() {
    let site = Site::new();
    let reloader = site.start().await;
    add(&reloader, "one").await.unwrap();
    // What the second file would repair is not written in the first.
    let moves = |first: &'static str, second: &'static str| {
        move |_: &_, sources: &[grantgate::config::Source]| -> Planned {
            let mut change = addition(GRANTS, first, sources);
            let grants = Place::root(sources.len()).key("client_grants");
            let items = vec![json!({"client_id": second, "scope": []})];
            change.edits.push(Edit::Append { list: grants, items });
            change.new_file = Some("more.json".to_owned());
            Ok(change)
        }
    };
    let written = reloader.write(moves("first", "two")).await;
    assert!(matches!(written, Err(WriteError::Invalid(_))));
    let written = reloader.write(moves("two", "three")).await.unwrap();
    assert!(has(&written.snapshot, "two") && has(&written.snapshot, "three"));
    assert_eq!(written.files.len(), 2);
    assert_eq!(site.loaded().digest, written.snapshot.digest);
}

#[tokio::test]
async fn behind_a_link_the_file_itself_changes_and_keeps_its_permissions() {
    let site = Site::new();
    fs::create_dir(site.at("elsewhere")).unwrap();
    let real = site.at("elsewhere").join("real");
    fs::write(&real, "{\"client_grants\": [\n]}\n").unwrap();
    fs::set_permissions(&real, Permissions::from_mode(0o640)).unwrap();
    symlink("elsewhere/real", site.at(GRANTS)).unwrap();
    let reloader = site.start().await;
    add(&reloader, "one").await.unwrap();
    assert!(site.at(GRANTS).is_symlink());
    assert!(fs::read_to_string(&real).unwrap().contains("one"));
    assert_eq!(fs::metadata(&real).unwrap().mode() & 0o7777, 0o640);
}

#[tokio::test]
async fn a_new_file_needs_a_directory_and_a_name_that_is_read() {
    let site = Site::new();
    let reason = |written| match written {
        Err(WriteError::Unwritable { reason, read_only: true, .. }) => reason,
        other => panic!("{other:?}"),
    };
    let reloader = site.start().await;
    for name in ["grants.txt", ".grants.json", "../grants.json", "a/grants.json"] {
        let told = reason(reloader.write(adding(name, "one")).await);
        assert!(told.contains("is named `*.yaml`"), "{name}: {told}");
    }
    let alone = Reloader::start(site.at("gateway.yaml")).await.unwrap();
    assert!(reason(add(&alone, "one").await).contains("the configuration is one file"));
    assert_eq!(site.names(), ["gateway.yaml"]);
}

#[tokio::test]
async fn a_file_that_somebody_makes_before_the_write_does_is_added_to() {
    let site = Site::new();
    let reloader = site.start().await;
    let file = site.at("new.yaml");
    let by_hand = "client_grants: # by hand\n  - {client_id: by-hand, scope: []}\n";
    let (tell, told) = std::sync::mpsc::channel();
    let written = reloader.write(move |_, sources| -> Planned {
        let change = addition("new.yaml", "one", sources);
        tell.send(change.new_file.is_some()).unwrap();
        if change.new_file.is_some() {
            rename_over(&file, by_hand);
        }
        Ok(change)
    });
    let written = written.await.unwrap();
    assert_eq!(told.iter().collect::<Vec<_>>(), [true, false]);
    assert!(has(&written.snapshot, "by-hand") && has(&written.snapshot, "one"));
    assert_eq!(site.loaded().digest, written.snapshot.digest);
    assert!(site.text("new.yaml").starts_with(by_hand), "{}", site.text("new.yaml"));
    site.is_left_with(&reloader, &["gateway.yaml", "new.yaml"]).await;
}

#[tokio::test]
async fn a_file_that_comes_to_be_ends_as_every_file_has_to() {
    let site = Site::new();
    let marked = site.text("gateway.yaml").replace("{poll:", "{end_marker: required, poll:");
    fs::write(site.at("gateway.yaml"), format!("{marked}...\n")).unwrap();
    let reloader = site.start().await;
    for (client, file) in [("one", "more.yaml"), ("two", "more.yaml"), ("three", GRANTS)] {
        let written = reloader.write(adding(file, client)).await.unwrap();
        assert!(has(&written.snapshot, client));
    }
    let text = site.text("more.yaml");
    assert!(text.contains("two") && text.ends_with("\n...\n"), "{text}");
    assert_eq!(text.matches("...").count(), 1, "{text}");
    assert!(site.text(GRANTS).starts_with('{') && site.text(GRANTS).ends_with("}\n"));
    assert!(has(&site.loaded(), "one") && has(&site.loaded(), "three"));
}

#[tokio::test]
async fn a_file_that_somebody_has_made_read_only_stays_as_it_is() {
    let site = Site::new();
    let text = site.text("gateway.yaml");
    fs::set_permissions(site.at("gateway.yaml"), Permissions::from_mode(0o444)).unwrap();
    let reloader = site.start().await;
    match reloader.write(adding("gateway.yaml", "one")).await {
        Err(WriteError::Unwritable { path, reason, read_only: true }) => {
            assert_eq!(path, site.at("gateway.yaml"));
            assert!(reason.contains("its permissions"), "{reason}");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!((site.text("gateway.yaml"), site.names().len()), (text, 1));
    assert!(!has(&reloader.snapshot().load(), "one"));
}

/// What `config/examples/management` promises: its first grant makes the file.
#[tokio::test]
async fn the_example_gets_its_first_grant() {
    let site = Site::new();
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/config/examples/management/grantgate.yaml");
    let text = fs::read_to_string(example).unwrap();
    let key = rcgen::KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    fs::create_dir(site.at("tls")).unwrap();
    fs::write(site.at("tls/tls.crt"), params.self_signed(&key).unwrap().pem()).unwrap();
    fs::write(site.at("tls/tls.key"), key.serialize_pem()).unwrap();
    fs::write(site.at("secret"), "s".repeat(64)).unwrap();
    let text = text.replace("${env:DEPLOY_TOOL_SECRET}", "${file:secret}");
    fs::write(site.at("gateway.yaml"), text).unwrap();
    let reloader = site.start().await;
    let grant = json!({
        "client_id": "first", "audience": "https://orders.example.com", "scope": ["read:orders"],
    });
    let written = reloader.write(move |_, sources| -> Planned {
        let list = Place::root(sources.len()).key("client_grants");
        let edits = vec![Edit::Append { list, items: vec![grant.clone()] }];
        Ok(Change { edits, new_file: Some("grants.yaml".to_owned()) })
    });
    let written = written.await.unwrap_or_else(|error| panic!("{error:?}"));
    assert_eq!(written.files, [site.at("grants.yaml").display().to_string()]);
    assert!(site.text("grants.yaml").ends_with("\n...\n"), "{}", site.text("grants.yaml"));
    assert_eq!(site.loaded().digest, written.snapshot.digest);
}

#[tokio::test]
async fn what_a_person_writes_into_a_file_that_was_replaced_is_kept_and_told() {
    let site = Site::new();
    let reloader = site.start().await;
    let open = || OpenOptions::new().append(true).open(site.at("gateway.yaml")).unwrap();
    let (mut early, text) = (open(), site.text("gateway.yaml"));
    reloader.write(adding("gateway.yaml", "one")).await.unwrap();
    let mut late = open();
    early.write_all(b"# early\n").unwrap();
    assert!(reloader.conflicts().is_empty());
    // The next write looks, and so does who leaves.
    reloader.write(adding("gateway.yaml", "two")).await.unwrap();
    let kept = |n: usize| site.at(&format!(".gateway.yaml.conflict-{n}"));
    assert_eq!(reloader.conflicts(), [kept(1)]);
    assert_eq!(fs::read_to_string(kept(1)).unwrap(), format!("{text}# early\n"));
    late.write_all(b"# late\n").unwrap();
    reloader.leave().await;
    assert_eq!(reloader.conflicts(), [kept(1), kept(2)]);
    assert!(fs::read_to_string(kept(2)).unwrap().ends_with("# late\n"));
    assert_eq!(site.names().len(), 3);
    // Until they are gone, and whoever comes next tells of them too.
    fs::remove_file(kept(1)).unwrap();
    reloader.attempt(Trigger::Files).await;
    assert_eq!(reloader.conflicts(), [kept(2)]);
    let next = site.start().await;
    next.write(adding("gateway.yaml", "three")).await.unwrap();
    assert_eq!(next.conflicts(), [kept(2)]);
    assert!(has(&site.loaded(), "one") && has(&site.loaded(), "three"));
}

#[tokio::test]
async fn only_so_many_replaced_files_are_held() {
    let site = Site::new();
    let reloader = site.start().await;
    for n in 0..70 {
        add(&reloader, &format!("c{n}")).await.unwrap();
    }
    assert_eq!(site.names().len(), 2 + 64);
    site.is_left_with(&reloader, &["gateway.yaml", GRANTS]).await;
}
