//! Parse, do, say how it ended.

use clap::Parser;
use grantgate::cli::{Cli, Exit};

fn main() -> Exit {
    Cli::parse().execute()
}
