//! Bytes: listeners and their workers, the way to upstreams, and how all of it ends.
//!
//! Nothing here knows tokens, grants or what a request may do. A worker is one thread that shares nothing
//! on the way of a request with the others: its own listener on the common port, its own connections
//! to upstreams.

pub mod authorities;
mod body;
mod client;
mod drain;
pub mod fetch;
mod linger;
mod listen;
mod socket;
mod worker;

pub use body::{Body, Clean, discard};
pub use client::{Client, SendError, Terms};
pub use drain::{Drain, Phase};
pub use listen::{Bounds, ListenError, Service};
pub use socket::{SocketFile, listen_on};
pub use worker::Workers;
