//! The main door: HTTP requests in, forwarded or refused.
//!
//! | step | file |
//! |---|---|
//! | the head is read in one way or refused | `intake.rs` |
//! | the guard decides | [`crate::guard`] |
//! | a refusal becomes an answer | `refuse.rs` |
//! | an allowed request goes on, with clean header fields | `forward.rs`, `headers.rs`, `names.rs`, `via.rs` |
//! | browsers learn which pages may read the answer | `cors.rs` |
//! | what may become a WebSocket is one in all its parts | `upgrade.rs` |
//! | one whose permission ends while it is under way is cut | `streams.rs` |
//! | the decision is recorded and counted | [`crate::account`] |
//!
//! [`Door`] (`serve.rs`) walks a request through them.

mod cors;
mod forward;
mod headers;
mod intake;
mod names;
mod refuse;
mod serve;
mod streams;
mod upgrade;
mod via;

pub use serve::Door;
pub use via::Via;
