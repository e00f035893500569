//! Doors for those who run the gateway.
//!
//! [`Health`] answers whether it lives, whether it is ready, and its metrics: on a listener of its own,
//! so that no request to an API is ever taken for a probe.

mod health;

pub use health::Health;
