//! The main door over real sockets: what clients send, byte for byte, and what the upstream receives.

mod bodies;
mod client;
mod gateway;
mod identity;
mod lifecycle;
mod refusals;
mod syntax;
mod upstream;
mod upstreams;
