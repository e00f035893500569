//! Who is at the other end of a client's connection.

use std::net::SocketAddr;

/// Who is at the other end of a client's connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its address; nothing where it came through a unix socket. An IPv4 address is never an IPv6 one.
    pub address: Option<SocketAddr>,
    /// Whether it speaks TLS.
    pub secure: bool,
}
