//! A configuration where nothing can be written, as a mounted `ConfigMap` is.

use std::env;
use std::path::Path;
use std::process::Command;

use grantgate::reload::{Reloader, WriteError};

use super::site::{Site, add, has};

const FOLDER: &str = "GRANTGATE_TEST_READ_ONLY_IN";

/// Run as a test of its own it has nothing to do.
#[tokio::test]
async fn a_writer_where_nothing_can_be_written() {
    let Ok(folder) = env::var(FOLDER) else { return };
    let reloader = Reloader::start(Path::new(&folder)).await.unwrap();
    match add(&reloader, "one").await {
        Err(WriteError::Unwritable { path, reason, read_only: true }) => {
            assert_eq!(path, Path::new(&folder).join(super::site::GRANTS));
            assert!(reason.contains("Read-only file system"), "{reason}");
        }
        other => panic!("{other:?}"),
    }
    assert!(!has(&reloader.snapshot().load(), "one"));
}

#[test]
fn where_nothing_can_be_written_that_is_told() {
    let site = Site::new();
    // Permissions do not hold root back; a mount that is read-only does.
    let mount =
        "mount --bind \"$0\" \"$0\" && mount -o remount,bind,ro \"$0\" || exit 77; exec \"$@\"";
    let tried = Command::new("unshare")
        .args(["--map-root-user", "--mount", "sh", "-c", mount])
        .arg(site.path())
        .arg(env::current_exe().unwrap())
        .args(["--exact", "writes::read_only::a_writer_where_nothing_can_be_written"])
        .env(FOLDER, site.path())
        .output();
    match tried {
        Ok(output) if String::from_utf8_lossy(&output.stdout).contains("running 1 test") => {
            let told = String::from_utf8_lossy(&output.stdout);
            assert!(output.status.success(), "{told}");
        }
        // Where everything is checked, this is.
        tried if env::var("CI").is_ok_and(|ci| ci == "true") => {
            panic!("nothing can be mounted here: {tried:?}")
        }
        tried => eprintln!("skipped: nothing can be mounted here ({tried:?})"),
    }
    assert_eq!(site.names(), ["gateway.yaml"]);
}
