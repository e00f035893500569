//! Bytes: listeners and their workers, the way to upstreams, and how all of it ends.
//!
//! Nothing here knows tokens, grants or what a request may do. A worker is one thread that shares nothing
//! on the way of a request with the others but counters: its own listener on the common port, its own
//! connections to upstreams.
//!
//! A client's connection, from outside inwards: `listen` and `reception` (accepted, counted),
//! `proxy_header` (whom a balancer passes on), `connection` (its life), `wire` over TLS over `linger` over
//! `ahead` over `stream` (its bytes), `pace` (its time), `received`, `answer` and `body` (what it sends
//! and gets), `tunnel` and `frames` (what it can become), `cord` (what each exchange hangs by).

mod ahead;
mod answer;
pub mod authorities;
mod body;
mod causes;
mod client;
mod connection;
mod cord;
mod drain;
pub mod fetch;
mod frames;
pub mod grpc;
mod linger;
mod listen;
pub mod local;
mod pace;
mod patience;
mod peer;
pub mod proxy_header;
mod received;
mod reception;
mod room;
mod stream;
mod tls;
mod tunnel;
pub mod unix;
mod wire;
mod worker;

pub use body::{Body, Clean};
pub use client::{Client, SendError, Terms};
pub use cord::{Cord, CordEnd, Parting};
pub use drain::{Drain, Phase};
pub use listen::ListenError;
pub use pace::Times;
pub use peer::Peer;
pub use received::{BodyError, Received, discard};
pub use reception::{Bounds, Service};
pub use room::room;
pub use tls::Tls;
pub use worker::Workers;
