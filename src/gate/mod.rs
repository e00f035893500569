//! The whole question, pure: may this call pass?
//!
//! In come a snapshot, the keys and verified tokens at hand, the time, and a [`Call`] (a picture of the
//! request without HTTP). Out comes a [`Step`]: the [`Outcome`], or the wish for an issuer's keys. Every
//! door asks this one function, so that a request is decided alike wherever it is asked about.

mod call;
mod challenge;
mod check;
mod head;
mod outcome;
mod preflight;
mod refusal;
mod rule;
mod supposed;

pub use call::{Call, KeptCall, Listener};
pub use check::{Env, Keys, Step, check};
pub use head::{Host, check_framing, malformed};
pub use outcome::{Caller, Outcome, Verdict};
pub use preflight::{Preflight, origin};
pub use refusal::{Challenge, Code, Refusal};
pub use rule::Rule;
pub use supposed::{Shown, Supposed, SupposedError};
