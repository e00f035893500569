//! A unix socket to listen on: its file comes with it and goes with it.
//!
//! In comes a path, out goes a listener that its own user alone can connect to. A socket that a process
//! left behind is replaced; one that is listened on is not, and neither is anything that is no socket.

use std::fs::{self, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use tokio::net::UnixListener;

/// Read and write, for the owner alone: to connect is to write.
const OWNER_ALONE: u32 = 0o600;

/// Listens on `path`; needs a runtime. The file is removed when what comes with the listener is dropped.
///
/// # Errors
/// When something is there that is not ours to replace, or the system refuses.
pub fn listen_on(path: &Path) -> io::Result<(UnixListener, SocketFile)> {
    make_room(path)?;
    // Who connects between this line and the next finds what others may find: nothing is accepted yet that
    // asks who it is, and the usual umask lets nobody write.
    let listener = UnixListener::bind(path)?;
    let file = SocketFile::of(path)?;
    fs::set_permissions(path, Permissions::from_mode(OWNER_ALONE))?;
    Ok((listener, file))
}

/// Removes a socket that nobody listens on.
fn make_room(path: &Path) -> io::Result<()> {
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if !found.file_type().is_socket() {
        return Err(io::Error::new(ErrorKind::AlreadyExists, "there is a file that is no socket"));
    }
    match UnixStream::connect(path) {
        Ok(_) => Err(ErrorKind::AddrInUse.into()),
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => fs::remove_file(path),
        Err(error) => Err(error),
    }
}

/// The file of a socket that is listened on; removed with it.
#[derive(Debug)]
pub struct SocketFile {
    path: PathBuf,
    /// Device and number, by which it is known again.
    identity: (u64, u64),
}

impl SocketFile {
    fn of(path: &Path) -> io::Result<Self> {
        let found = fs::symlink_metadata(path)?;
        Ok(Self { path: path.to_owned(), identity: (found.dev(), found.ino()) })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // Another may have come in its place since somebody removed it.
        let is_ours = fs::symlink_metadata(&self.path)
            .is_ok_and(|found| (found.dev(), found.ino()) == self.identity);
        if is_ours {
            // What cannot be removed is replaced at the next start.
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_socket_is_for_its_owner_and_goes_with_its_listener() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let (listener, file) = listen_on(&path).unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, OWNER_ALONE);
        let taken = listen_on(&path).err().unwrap();
        assert_eq!(taken.kind(), ErrorKind::AddrInUse);
        drop((listener, file));
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn a_socket_left_behind_is_replaced_and_a_foreign_file_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let stale = folder.path().join("stale");
        drop(UnixListener::bind(&stale).unwrap());
        assert!(stale.exists());
        let (_listener, file) = listen_on(&stale).unwrap();
        fs::remove_file(&stale).unwrap();
        let other = UnixListener::bind(&stale).unwrap();
        drop(file);
        assert!(stale.exists(), "another's socket stays");
        drop(other);

        let foreign = folder.path().join("foreign");
        fs::write(&foreign, "kept").unwrap();
        assert_eq!(listen_on(&foreign).err().unwrap().kind(), ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&foreign).unwrap(), b"kept");
    }
}
