//! Addresses that do not answer, and sockets that are full.

use std::net::Ipv4Addr;

use tokio::net::{TcpListener, TcpSocket, UnixSocket};
use tokio::time::timeout;

use super::*;

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(5)
}

/// A listener that takes no connection any more, with those that fill it.
async fn full() -> (TcpListener, Vec<TcpStream>) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let listener = socket.listen(1).unwrap();
    let (address, mut inside) = (listener.local_addr().unwrap(), Vec::new());
    while let Ok(stream) = timeout(Duration::from_secs(1), TcpStream::connect(address)).await {
        inside.push(stream.unwrap());
    }
    (listener, inside)
}

#[tokio::test(start_paused = true)]
async fn an_address_that_never_answers_leaves_time_for_the_next() {
    let (silent, _inside) = full().await;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let (dead, good) = (silent.local_addr().unwrap(), listener.local_addr().unwrap());
    let stream = first_of(&[dead, good], soon()).await.unwrap();
    assert_eq!(stream.peer_addr().unwrap(), good);
    let error = first_of(&[dead, dead], soon()).await.unwrap_err();
    assert!(matches!(error, ConnectError::Timeout));
}

#[tokio::test]
async fn an_address_where_nobody_listens_is_passed_over() {
    let closed = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap().local_addr().unwrap();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let good = listener.local_addr().unwrap();
    let stream = first_of(&[closed, good], soon()).await.unwrap();
    assert_eq!(stream.peer_addr().unwrap(), good);
    assert!(matches!(first_of(&[closed], soon()).await, Err(ConnectError::Io(_))));
    let nowhere = first_of(&[], soon()).await.unwrap_err();
    assert_eq!(nowhere.to_string(), "its name has no address");
}

#[tokio::test]
async fn a_name_is_looked_up_and_an_address_is_not() {
    let none = Arc::new(Semaphore::new(0));
    for (host, address) in [("127.0.0.1", "127.0.0.1:80"), ("::1", "[::1]:80")] {
        let found = addresses(host, 80, &none).await.unwrap();
        assert_eq!(found, [address.parse::<SocketAddr>().unwrap()]);
    }
    let one = Arc::new(Semaphore::new(1));
    let found = addresses("localhost", 80, &one).await.unwrap();
    assert!(!found.is_empty() && found.iter().all(|address| address.ip().is_loopback()));
    assert_eq!(one.available_permits(), 1, "a lookup that has ended leaves its place");
}

#[tokio::test(start_paused = true)]
async fn a_socket_whose_queue_is_full_is_waited_for_until_the_time_is_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("full.sock");
    let socket = UnixSocket::new_stream().unwrap();
    socket.bind(&path).unwrap();
    let listener = socket.listen(1).unwrap();
    let mut inside = Vec::new();
    while let Ok(stream) = UnixStream::connect(&path).await {
        inside.push(stream);
    }
    assert!(matches!(knock(&path, soon()).await, Err(ConnectError::Timeout)));
    let (knocked, accepted) = tokio::join!(knock(&path, soon()), listener.accept());
    assert!(knocked.is_ok() && accepted.is_ok());
    let gone = knock(&folder.path().join("nobody.sock"), soon()).await;
    assert!(matches!(gone, Err(ConnectError::Io(_))));
}
