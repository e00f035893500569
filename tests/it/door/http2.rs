//! HTTP/2 from clients: what good ones do and get, and what becomes of those that are none.

pub mod client;
pub mod frames;
mod leaving;
mod limits;
mod secure;
mod traffic;

use super::gateway::configuration;
use super::upstream::Upstream;

pub const PRIOR_KNOWLEDGE: &str = "server: {listen: \"127.0.0.1:0\", http2: prior_knowledge}";

/// The configuration of a gateway that speaks HTTP/2 without TLS; `top` is further sections.
pub fn prior_knowledge(upstream: &Upstream, top: &str) -> String {
    configuration(upstream.address, "", &format!("{PRIOR_KNOWLEDGE}\n{top}"))
}
