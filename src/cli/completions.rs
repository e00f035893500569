//! `completions`: prints a script that has a shell complete the program's commands and options.
//!
//! The script is made from the definitions that read the command line, and asks nothing of the program
//! when it runs.

use std::io::{self, Write};

use clap::CommandFactory;
use clap_complete::{Shell, generate};

use super::{Cli, Exit};

/// What `completions` takes.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Options {
    /// The shell.
    #[arg(value_enum, value_name = "SHELL")]
    shell: Shell,
}

const EXAMPLES: &str = "\
Examples:
  # bash, for this user
  mkdir -p ~/.local/share/bash-completion/completions
  grantgate completions bash > ~/.local/share/bash-completion/completions/grantgate

  # zsh, into a folder that is in `fpath`
  grantgate completions zsh > ~/.zfunc/_grantgate

  # fish
  grantgate completions fish > ~/.config/fish/completions/grantgate.fish";

/// Prints the script.
pub fn execute(options: &Options) -> Exit {
    let mut script = Vec::new();
    generate(options.shell, &mut Cli::command(), "grantgate", &mut script);
    // A reader that went away is no failure of ours.
    let _ = io::stdout().lock().write_all(&script);
    Exit::Yes
}
