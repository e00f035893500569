//! Doors for those who run the gateway.
//!
//! [`Health`] answers whether it lives, whether it is ready, and its metrics: on a listener of its own,
//! so that no request to an API is ever taken for a probe. [`Admin`] tells how it stands in detail, and why it
//! decides as it does, to this machine alone unless somebody says otherwise.

mod answer;
mod body;
mod browsers;
mod condition;
mod door;
mod health;
mod listener;
mod policy;
mod question;
mod reasons;
mod status;

pub use condition::{Condition, Conditions};
pub use door::Admin;
pub use health::{Health, Vitals};
pub use question::Question;
pub use reasons::{Grounds, Reasoned};
pub use status::State;
