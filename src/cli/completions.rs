//! `completions`: prints a script that has a shell complete the program's commands and options.
//!
//! The script is made from the definitions that read the command line, and asks nothing of the program
//! when it runs.

use std::io::{self, Write};

use clap::{Command, CommandFactory};
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
  grantgate completions bash \\
    > ~/.local/share/bash-completion/completions/grantgate

  # zsh, into a folder that is in `fpath`
  grantgate completions zsh > ~/.zfunc/_grantgate

  # fish
  grantgate completions fish > ~/.config/fish/completions/grantgate.fish";

/// Prints the script.
pub fn execute(options: &Options) -> Exit {
    let mut script = Vec::new();
    generate(options.shell, &mut Cli::command(), "grantgate", &mut script);
    if options.shell == Shell::Bash {
        script = for_bash(&String::from_utf8_lossy(&script)).into_bytes();
    }
    // A reader that went away is no failure of ours.
    let _ = io::stdout().lock().write_all(&script);
    Exit::Yes
}

/// The script with what is made for bash looked through before it is shown.
fn for_bash(script: &str) -> String {
    let mut paths = Vec::new();
    take_paths(&Cli::command(), "", &mut paths);
    let chosen = CHOSEN.replace("PATHS", &paths.join(" | "));
    let registered = script.replace("complete -F _grantgate ", "complete -F _grantgate_chosen ");
    format!("{chosen}\n{registered}")
}

/// What command lines hold, as a pattern, that may have a path or another word behind them.
fn take_paths(command: &Command, before: &str, into: &mut Vec<String>) {
    for verb in command.get_subcommands() {
        let name = format!("{before}{}", verb.get_name());
        if verb.get_positionals().any(|word| word.get_possible_values().is_empty()) {
            into.push(format!("*\" {name} \"*"));
        }
        take_paths(verb, &format!("{name} "), into);
    }
}

/// Commands come alone where there are some, and options when a dash is typed or there is nothing else.
/// Where a path may stand nothing is offered, and so bash completes it; it does so behind an `@`, too.
const CHOSEN: &str = r#"_grantgate_chosen() {
    local cur="$2" word words=()
    _grantgate "$@"
    case "$cur" in
        -*) return ;;
        @*)
            local IFS=$'\n'
            COMPREPLY=($(compgen -P @ -f -- "${cur#@}"))
            return
            ;;
    esac
    for word in "${COMPREPLY[@]}"; do
        [[ "$word" == -* ]] || words+=("$word")
    done
    if [[ ${#words[@]} -gt 0 ]]; then
        COMPREPLY=("${words[@]}")
        return
    fi
    case " ${COMP_WORDS[*]} " in
        PATHS) COMPREPLY=() ;;
    esac
}
"#;
