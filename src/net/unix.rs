//! Unix sockets to listen on, whose files come and go with them.
//!
//! A socket that a process left behind is replaced. One that is listened on is not, and neither is
//! anything that is no socket.

use std::fs::{self, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use tokio::net::UnixSocket;
use tokio::runtime;

use super::listen::BACKLOG;

/// Listens on `path`, for those whom `mode` lets write, whatever the umask. Nobody can connect before the
/// mode is what it should be: until then the socket does not listen. Must be dropped before the listener:
/// else another gateway could take the file for stale and replace it before it is removed.
///
/// # Errors
/// When something is there that is not ours to replace, or the system refuses.
pub fn listen_on(path: &Path, mode: u32) -> io::Result<(UnixListener, SocketFile)> {
    let socket = UnixSocket::new_stream()?;
    match socket.bind(path) {
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            remove_stale(path)?;
            socket.bind(path)?;
        }
        bound => bound?,
    }
    fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
    // A listener begins its life in a runtime, and we are in none, or in another one than it will live in.
    let runtime = runtime::Builder::new_current_thread().enable_io().build()?;
    let listener = {
        let _within = runtime.enter();
        socket.listen(BACKLOG).and_then(tokio::net::UnixListener::into_std)
    };
    runtime.shutdown_background();
    Ok((listener?, SocketFile::at(path)?))
}

/// Removes what a gateway left that could not clean up; nothing else, and never one that is listened on.
fn remove_stale(path: &Path) -> io::Result<()> {
    if !fs::symlink_metadata(path)?.file_type().is_socket() {
        return Err(io::Error::new(ErrorKind::AlreadyExists, "something else is there"));
    }
    match UnixStream::connect(path) {
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => fs::remove_file(path),
        Ok(_) | Err(_) => Err(ErrorKind::AddrInUse.into()),
    }
}

/// A unix socket's file, removed with this.
pub struct SocketFile {
    path: PathBuf,
    is: (u64, u64),
}

impl SocketFile {
    fn at(path: &Path) -> io::Result<Self> {
        Ok(Self { path: path.to_owned(), is: identity(&fs::symlink_metadata(path)?) })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // Somebody may have put another in its place.
        if fs::symlink_metadata(&self.path).is_ok_and(|data| identity(&data) == self.is) {
            // What stays is stale, and the next gateway removes it.
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn identity(data: &Metadata) -> (u64, u64) {
    (data.dev(), data.ino())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn only_a_socket_that_nobody_listens_on_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gate.sock");
        let kind = || listen_on(&path, 0o600).err().map(|error| error.kind());

        let live = UnixListener::bind(&path).unwrap();
        assert_eq!(kind(), Some(ErrorKind::AddrInUse));
        drop(live);
        assert_eq!(kind(), None, "what is left of it is stale");

        fs::write(&path, "precious").unwrap();
        assert_eq!(kind(), Some(ErrorKind::AlreadyExists));
        assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
        let link = folder.path().join("link.sock");
        symlink(folder.path().join("nothing"), &link).unwrap();
        assert!(listen_on(&link, 0o600).is_err());
        assert!(link.is_symlink());
    }

    #[test]
    fn a_file_that_took_the_sockets_place_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gate.sock");
        let listening = listen_on(&path, 0o600).unwrap();
        fs::rename(&path, folder.path().join("moved")).unwrap();
        fs::write(&path, "another's").unwrap();
        drop(listening);
        assert!(path.exists());
    }
}
