use super::*;

#[test]
fn why_a_file_cannot_be_written_is_told() {
    let told =
        |code| match unwritable::<()>(PathBuf::from("a"), &io::Error::from_raw_os_error(code)) {
            WriteError::Unwritable { reason, read_only, .. } => (read_only, reason),
            other => panic!("{other:?}"),
        };
    for code in [libc::EROFS, libc::EACCES, libc::EPERM] {
        assert!(told(code).0, "{code}");
    }
    assert_eq!(told(libc::ENOSPC), (false, "No space left on device (os error 28)".to_owned()));
    assert!(told(libc::EBUSY).1.contains("mount the directory"));
}
