use super::*;
use crate::config::Place;
use crate::reload::tests::configuration;

#[test]
fn why_a_file_cannot_be_written_is_told() {
    let told =
        |code| match unwritable::<()>(PathBuf::from("a"), &io::Error::from_raw_os_error(code)) {
            WriteError::Unwritable { reason, read_only, .. } => (read_only, reason),
            other => panic!("{other:?}"),
        };
    // Trying again helps nobody; what does is told.
    for (code, advice) in [
        (libc::EROFS, "may write to"),
        (libc::EACCES, "may write to"),
        (libc::EPERM, "may write to"),
        (libc::EBUSY, "mount the directory"),
        (libc::EXDEV, "mount the directory"),
        (libc::ENOTDIR, "which are files"),
        (libc::EISDIR, "which are files"),
        (libc::ENAMETOOLONG, "a shorter name"),
        (libc::EOPNOTSUPP, "can rename files"),
    ] {
        let (read_only, reason) = told(code);
        assert!(read_only && reason.contains(advice), "{code}: {reason}");
    }
    for code in [libc::ENOSPC, libc::EDQUOT, libc::EIO] {
        assert_eq!(told(code), (false, io::Error::from_raw_os_error(code).to_string()));
    }
}

/// What is written must pass what the configuration requires of itself, and nothing is on disk otherwise.
#[tokio::test]
async fn a_change_that_fails_the_suites_is_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let (file, suite) = (folder.path().join("gateway.yaml"), folder.path().join("suite"));
    let tests = format!("tests: {{required: true, suites: [{:?}]}}\n", suite.display().to_string());
    let text = configuration(&["one"]) + &tests;
    std::fs::write(&file, &text).unwrap();
    std::fs::write(
        &suite,
        "cases: [{name: one reads, caller: {client_id: one, scopes: ['read:x']}, request: GET /x, \
         expect: allow}]",
    )
    .unwrap();
    let reloader = Reloader::start(&file).await.unwrap();
    let revoke = |_: &Snapshot, _: &[Source]| {
        let place = Place::root(0).key("client_grants").index(0);
        Ok::<_, ()>(Change { edits: vec![Edit::Remove { place }], new_file: None })
    };
    let report = match reloader.write(revoke).await {
        Err(WriteError::Invalid(report)) => report.to_string(),
        other => panic!("{other:?}"),
    };
    assert!(report.contains("error[policy-test-failed]"), "{report}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
    std::fs::write(
        &suite,
        "cases: [{name: a, no_token: true, request: GET /x, expect: token-missing}]",
    )
    .unwrap();
    assert!(reloader.write(revoke).await.is_ok());
}
