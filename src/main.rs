//! Parse, do, say how it ended.

fn main() {}
