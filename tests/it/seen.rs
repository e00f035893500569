//! The running program, seen from outside: its state, its health, its metrics, its records and its log.

mod labels;
mod live;
mod log;
mod questions;
mod readiness;
mod records;
pub mod served;
mod status;
