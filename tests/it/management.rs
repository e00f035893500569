//! The Management API over real sockets: who is let in, how it is answered, and what is told of it.

mod audit;
mod conditions;
mod door;
pub mod managed;
mod rates;
mod reloads;
mod tokens;
