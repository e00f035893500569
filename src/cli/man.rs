//! `man`: writes the manual pages, one for the program and one for each verb.
//!
//! They are made from the definitions that read the command line: what `--help` tells, each page tells. The
//! same program writes the same pages, whatever the environment holds.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::{Command, CommandFactory, ValueHint};
use clap_mangen::Man;

use super::{Cli, Exit, show, talk};

/// What `man` takes.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Options {
    /// The folder to write all pages into, `grantgate.1`, `grantgate-check.1` and so on. It is made where it
    /// is not there. Without it the program's own page is printed.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    output: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  # read the page of the program
  grantgate man | man -l -

  # install all pages for this user: then `man grantgate-check`
  grantgate man --output ~/.local/share/man/man1";

/// Writes the pages.
pub fn execute(options: &Options) -> Exit {
    let mut program = Cli::command().disable_help_subcommand(true);
    program.build();
    let written = match &options.output {
        None => page(program).map(|(_, page)| {
            // A reader that went away is no failure of ours.
            let _ = io::stdout().lock().write_all(&page);
        }),
        Some(folder) => write_all(&program, folder),
    };
    match written {
        Ok(()) => Exit::Yes,
        Err(error) => {
            talk(format_args!("grantgate: the pages cannot be written: {error}"));
            Exit::Failed
        }
    }
}

/// Writes the page of a command and of those below it, and says which.
fn write_all(command: &Command, folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let (name, page) = page(command.clone())?;
    let path = folder.join(name);
    fs::write(&path, page)?;
    show(format_args!("{}", path.display()));
    let below = command.get_subcommands().filter(|below| !below.is_hide_set());
    below.into_iter().try_for_each(|below| write_all(below, folder))
}

/// A command's page, with its file's name.
fn page(command: Command) -> io::Result<(String, Vec<u8>)> {
    let more = command.get_after_long_help().or(command.get_after_help());
    let more = more.map(|more| sections(&more.to_string())).unwrap_or_default();
    // What stands below the options is set here: the renderer would join its lines.
    let command = command.after_help(None::<&str>).after_long_help(None::<&str>);
    let source = format!("grantgate {}", env!("CARGO_PKG_VERSION"));
    let man = Man::new(command).source(source).manual("Grantgate");
    let mut page = Vec::new();
    man.render(&mut page)?;
    page.extend_from_slice(more.as_bytes());
    Ok((man.get_filename(), page))
}

/// Text below the options as sections: a line at the margin that ends in a colon heads one where it is the
/// first, or stands below a blank line. All other lines stay as they are.
fn sections(text: &str) -> String {
    let mut out = String::new();
    let mut is_below_blank = true;
    for line in text.lines() {
        let may_head = is_below_blank && !line.starts_with(' ');
        if let Some(head) = line.strip_suffix(':').filter(|_| may_head) {
            begin(&mut out, head);
        } else {
            if out.is_empty() {
                begin(&mut out, "More");
            }
            out.push_str(&escaped(line));
            out.push('\n');
        }
        is_below_blank = line.is_empty();
    }
    if !out.is_empty() {
        out.push_str(END);
    }
    out
}

const END: &str = ".fi\n";

/// Begins a section, behind the end of the one before.
fn begin(out: &mut String, head: &str) {
    let end = if out.is_empty() { "" } else { END };
    // Writing into a string does not fail.
    let _ = write!(out, "{end}.SH {}\n.nf\n", escaped(&head.to_uppercase()));
}

/// A line that no formatter takes for a request.
fn escaped(line: &str) -> String {
    let text = line.replace('\\', "\\e").replace('-', "\\-").replace('\'', "\\(aq");
    if text.starts_with('.') { format!("\\&{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_stay_lines_and_none_is_a_request() {
        let text = "Examples:\n  a --b 'c'\n.so /etc/passwd\nso:\n\nExit codes:\n  0  \\";
        assert_eq!(
            sections(text),
            ".SH EXAMPLES\n.nf\n  a \\-\\-b \\(aqc\\(aq\n\\&.so /etc/passwd\nso:\n\n.fi\n\
             .SH EXIT CODES\n.nf\n  0  \\e\n.fi\n"
        );
    }
}
