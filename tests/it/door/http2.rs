//! HTTP/2 from clients: what good ones do, in `traffic`, and what no good one does, frame by frame.

pub mod client;
pub mod frames;
mod limits;
mod traffic;
