use super::*;

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
