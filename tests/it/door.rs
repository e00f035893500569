//! The main door over real sockets: what clients send, byte for byte, and what the upstream receives.

mod bodies;
mod browsers;
pub mod client;
pub mod gateway;
mod grpc;
pub mod http2;
mod identity;
mod keys;
mod lifecycle;
mod proxy_protocol;
mod refusals;
mod secure_upstream;
pub mod secured;
mod sockets;
mod stages;
mod streams;
mod streams_upstream;
mod syntax;
pub mod tls;
pub mod upstream;
mod upstreams;
mod upstreams_h2;
mod websockets;
