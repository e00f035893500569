//! Who is at the other end of a client's connection.

use std::net::SocketAddr;
use std::rc::Rc;

/// Who is at the other end of a client's connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its address; nothing where it came through a unix socket. An IPv4 address is never an IPv6 one.
    pub address: Option<SocketAddr>,
    /// Whether it speaks TLS.
    pub secure: bool,
    /// The host that it was let in for, where it was asked for a certificate and named one (SNI): in
    /// lower case, without a trailing dot.
    pub admitted_for: Option<Rc<str>>,
}
