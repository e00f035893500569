//! Where connections come in: sockets that are bound, and listeners that accept.
//!
//! On an address each worker has a socket of its own, and the system spreads connections over them. A
//! unix socket is one file and one queue, which all workers take connections from.

use std::io;
use std::net::SocketAddr;
use std::os::unix::net as std_unix;
use std::sync::Arc;

use tokio::net::{TcpListener, TcpSocket, UnixListener};

use crate::config::snapshot::Listen;

use super::stream::Stream;
use super::unix::{self, SocketFile};

/// Why nothing listens.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on `{listen}`: {source}")]
pub struct ListenError {
    /// Where something should.
    pub listen: Listen,
    /// What hinders it.
    pub source: io::Error,
}

/// Connections that wait in the system until they are accepted.
pub(super) const BACKLOG: u32 = 1024;

/// Who may connect to a unix socket: its owner and group.
const OWNER_AND_GROUP: u32 = 0o660;

/// A worker's socket, which becomes its [`Listener`] in its runtime.
pub(super) enum Bound {
    Tcp(TcpSocket),
    Unix(Arc<SocketFile>, std_unix::UnixListener),
}

/// Sockets for `count` workers, and where they are: the port is the one that the system chose, if it was
/// let.
pub(super) fn bind(listen: &Listen, count: usize) -> io::Result<(Listen, Vec<Bound>)> {
    match listen {
        Listen::Tcp(address) => {
            let sockets = bind_tcp(*address, count)?;
            let address = sockets.first().map_or(Ok(*address), TcpSocket::local_addr)?;
            Ok((Listen::Tcp(address), sockets.into_iter().map(Bound::Tcp).collect()))
        }
        Listen::Unix(path) => {
            let (listener, file) = unix::listen_on(path, OWNER_AND_GROUP)?;
            let file = Arc::new(file);
            let copy = |_| Ok(Bound::Unix(file.clone(), listener.try_clone()?));
            Ok((listen.clone(), (0..count).map(copy).collect::<io::Result<_>>()?))
        }
    }
}

/// A first socket that shares with nobody makes sure that the address is free: sharing alone would
/// quietly split the traffic with another gateway.
fn bind_tcp(address: SocketAddr, count: usize) -> io::Result<Vec<TcpSocket>> {
    let socket = |shared: bool, address: SocketAddr| {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        socket.set_reuseaddr(true)?;
        socket.set_reuseport(shared)?;
        socket.bind(address)?;
        Ok(socket)
    };
    if address.port() != 0 {
        drop(socket(false, address)?);
    }
    let first = socket(true, address)?;
    let address = first.local_addr()?;
    let others = (1..count).map(|_| socket(true, address));
    std::iter::once(Ok(first)).chain(others).collect()
}

/// What a worker accepts connections from.
pub(super) enum Listener {
    Tcp(TcpListener),
    Unix {
        /// Dropped before the listener, so that no other gateway takes the file for stale and replaces it
        /// before it is removed.
        _file: Arc<SocketFile>,
        listener: UnixListener,
    },
}

impl Bound {
    /// Lets connections come in; needs a runtime.
    pub(super) fn listen(self) -> io::Result<Listener> {
        Ok(match self {
            Self::Tcp(socket) => Listener::Tcp(socket.listen(BACKLOG)?),
            Self::Unix(file, listener) => {
                Listener::Unix { _file: file, listener: UnixListener::from_std(listener)? }
            }
        })
    }
}

impl Listener {
    /// The next connection, and its client's address where it has one.
    pub(super) async fn accept(&self) -> io::Result<(Stream, Option<SocketAddr>)> {
        match self {
            Self::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
                Ok((Stream::Tcp(stream), Some(peer)))
            }
            Self::Unix { listener, .. } => {
                let (stream, _) = listener.accept().await?;
                Ok((Stream::Unix(stream), None))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[tokio::test]
    async fn all_workers_take_from_one_unix_socket_which_goes_with_the_last() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gate.sock");
        let (_, bound) = bind(&Listen::Unix(path.clone()), 2).unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, OWNER_AND_GROUP);
        let listeners: Vec<_> = bound.into_iter().map(|one| one.listen().unwrap()).collect();
        for listener in &listeners {
            let _client = std_unix::UnixStream::connect(&path).unwrap();
            assert!(matches!(listener.accept().await.unwrap(), (Stream::Unix(_), None)));
        }
        let mut listeners = listeners.into_iter();
        drop(listeners.next());
        assert!(path.exists(), "another worker still listens");
        drop(listeners);
        assert!(!path.exists());
    }
}
