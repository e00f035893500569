//! `check`: reads a configuration and reports every problem in it.

use std::io::{self, IsTerminal};
use std::path::PathBuf;

use crate::clock::now;
use crate::config::{Style, load};
use crate::reload::{Store, Surroundings};

use super::{Exit, show, talk};

/// What `check` takes.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The file or folder to read.
    #[arg(long, env = "GRANTGATE_CONFIG", default_value = "/etc/grantgate", value_name = "PATH")]
    config: PathBuf,
}

/// Checks the configuration: yes when the gate would take it.
pub fn execute(options: &Options) -> Exit {
    let store = Store::new(&options.config);
    let sources = match store.read() {
        Ok(sources) => sources,
        Err(unreadable) => {
            talk(format_args!("{}", unreadable.report()));
            return Exit::Failed;
        }
    };
    let (report, exit) = match load(&sources, &Surroundings::default(), now()) {
        Ok(loaded) => (loaded.warnings, Exit::Yes),
        Err(report) => (report, Exit::No),
    };
    if report.iter().next().is_none() {
        talk(format_args!("no problems in `{}`", options.config.display()));
        return exit;
    }
    let style = if io::stdout().is_terminal() { Style::Colour } else { Style::Plain };
    show(format_args!("{}", report.render(style).trim_end()));
    exit
}
