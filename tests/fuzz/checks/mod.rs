//! What holds of everything that Grantgate reads from strangers, one module for each reader.
//!
//! Each `check` takes any bytes and panics where a property fails. Fuzzers (`../targets`) look for such
//! bytes; `cargo test` (`../../it/fuzz.rs`) runs every input that is kept in `../corpus`. References are
//! written for being right at a glance, and share nothing with what they are compared with.

pub mod claims;
pub mod config;
pub mod credential;
pub mod edit;
pub mod jose;
pub mod jwks;
pub mod meant;
pub mod path;
pub mod proxy_header;
pub mod scopes;
mod token;
