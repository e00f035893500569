//! `--help` teaches by example, and its examples are true: each one is a command line that the program
//! takes, and those that need nothing but files are run.
//!
//! `tests/golden/help/` holds what each verb says; `UPDATE_GOLDEN=1` writes that anew. Examples are the lines of a long help that begin with two blanks and the program's name, or have its
//! name behind a pipe or a variable. Every verb's are picked up from its own definition.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use clap::{Command, CommandFactory, Parser};
use grantgate::cli::Cli;
use tempfile::TempDir;

use crate::disk::root;
use crate::expected::differs;
use crate::program::{grantgate, outcome};

/// An example: whose help it stands in, and the words behind the program's name.
struct Example {
    of: String,
    line: String,
    words: Vec<String>,
}

fn program() -> Command {
    let mut program = Cli::command().disable_help_subcommand(true);
    program.build();
    program
}

/// Every command that does something, with its whole name.
fn commands<'c>(command: &'c Command, name: &str, all: &mut Vec<(String, &'c Command)>) {
    all.push((name.to_owned(), command));
    for below in command.get_subcommands() {
        commands(below, &format!("{name} {}", below.get_name()), all);
    }
}

fn examples() -> Vec<Example> {
    let program = program();
    let mut all = Vec::new();
    commands(&program, "grantgate", &mut all);
    let mut examples = Vec::new();
    for (of, command) in all {
        // A command may go on in the next line, as a shell has it.
        let help = command.clone().render_long_help().to_string().replace(" \\\n   ", "");
        for line in help.lines().filter_map(|line| line.strip_prefix("  ")) {
            let of_program = line.split(" | ").find_map(|command| {
                let words = words(command);
                let start = words.iter().position(|word| !word.contains('='))?;
                (words[start] == "grantgate").then(|| words[start + 1..].to_vec())
            });
            if let Some(words) = of_program.filter(|_| !line.starts_with([' ', '#'])) {
                examples.push(Example { of: of.clone(), line: line.to_owned(), words });
            }
        }
    }
    examples
}

/// The words of a command, as a shell has them, up to a redirection.
fn words(command: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for char in command.trim().chars() {
        match (quote, char) {
            (Some(open), _) if char == open => quote = None,
            (None, '\'' | '"') => {
                quote = Some(char);
                word.get_or_insert_default();
            }
            (None, '<' | '>' | '&') => break,
            (None, ' ') => words.extend(word.take()),
            _ => word.get_or_insert_default().push(char),
        }
    }
    words.extend(word);
    words
}

#[test]
fn what_each_verb_says_reads_as_it_should() {
    let program = program();
    let mut all = Vec::new();
    commands(&program, "grantgate", &mut all);
    let golden = root().join("tests/golden/help");
    let (mut wrong, mut kept) = (Vec::new(), BTreeSet::new());
    for (name, verb) in all {
        let below = verb.get_after_long_help().map(ToString::to_string).unwrap_or_default();
        let broken = below.lines().find(|line| line.chars().count() > COLUMNS);
        assert_eq!(broken, None, "{name}: a terminal would break it");
        let words: Vec<_> = name.split(' ').skip(1).chain(["--help"]).collect();
        let mut command = grantgate(&words);
        command.env_remove("COLUMNS");
        let (code, help, talk) = outcome(&mut command);
        assert_eq!((code, talk.as_str()), (Some(0), ""), "{name}");
        let file = format!("{}.txt", name.replace(' ', "-"));
        wrong.extend(differs(&golden.join(&file), &help));
        kept.insert(file);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    let files = fs::read_dir(golden).unwrap().map(|entry| entry.unwrap().file_name());
    let files: BTreeSet<_> = files.map(|name| name.into_string().unwrap()).collect();
    assert_eq!(files, kept, "a file is left of a verb that was");
}

#[test]
fn every_example_is_a_command_line_that_is_taken() {
    for Example { of, line, words } in examples() {
        let taken = Cli::try_parse_from(std::iter::once("grantgate".to_owned()).chain(words));
        assert!(taken.is_ok(), "`{of} --help` shows `{line}`:\n{}", taken.unwrap_err());
    }
}

#[test]
fn every_verb_that_takes_something_shows_how() {
    let program = program();
    let shown: BTreeSet<_> =
        examples().into_iter().filter_map(|example| example.words.first().cloned()).collect();
    let lacking: Vec<_> = program
        .get_subcommands()
        // One that takes nothing can be used in one way only.
        .filter(|verb| verb.get_arguments().any(|argument| argument.get_id() != "help"))
        .map(Command::get_name)
        .filter(|verb| !shown.contains(*verb))
        .collect();
    assert!(lacking.is_empty(), "no `--help` shows {lacking:?}");
}

/// How wide help is at the most.
const COLUMNS: usize = 100;

/// What examples name: a configuration, a token and claims.
fn fixture() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, from: &Path| fs::copy(from, folder.path().join(name)).unwrap();
    put("gateway.yaml", &root().join("config/examples/sidecar/grantgate.yaml"));
    put("token.jwt", &root().join("tests/vectors/tokens/auth0/user.jwt"));
    let claims = r#"{"sub": "app@clients", "azp": "app", "scope": "read:orders"}"#;
    fs::write(folder.path().join("claims.json"), claims).unwrap();
    folder
}

/// Verbs whose examples need nothing but the files of the fixture.
const ALONE: [&str; 5] = ["check", "completions", "inspect-token", "man", "schema"];

#[test]
fn examples_that_need_files_alone_are_answered() {
    let folder = fixture();
    let (mut ran, token) = (0, fs::read_to_string(folder.path().join("token.jwt")).unwrap());
    for Example { of, line, words } in examples() {
        // Keys are fetched nowhere, and what is installed here is not ours to read.
        let is_alone = ALONE.contains(&words[0].as_str()) && !line.contains("--verify");
        if !is_alone || line.contains("/etc/") {
            continue;
        }
        let arguments: Vec<_> = words.iter().map(|word| word.replace("~/", "home/")).collect();
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        let mut command = grantgate(&arguments);
        command.current_dir(folder.path()).env("GRANTGATE_TOKEN", token.trim());
        let (code, data, talk) = outcome(&mut command);
        let is_answered = code == Some(0) && !(data.is_empty() && talk.is_empty());
        assert!(is_answered, "`{of} --help` shows `{line}`, which ends with {code:?}: {talk}");
        ran += 1;
    }
    assert!(ran >= 10, "{ran}");
}

/// In the narrowest of usual terminals: what is wrapped by hand is not wrapped again.
#[test]
fn no_line_of_a_long_help_is_wrapped_twice() {
    const WIDTH: usize = 80;
    let program = program();
    let mut all = Vec::new();
    commands(&program, "grantgate", &mut all);
    let mut wide = Vec::new();
    for (of, command) in all {
        let by_hand = command.get_after_long_help().map(ToString::to_string).unwrap_or_default();
        let shown = command.clone().term_width(WIDTH).render_long_help().to_string();
        if !shown.trim_end().ends_with(by_hand.trim_end()) {
            wide.push(format!("{of}: what stands behind its options is wrapped again"));
        }
        let (by_hand, shown) = (by_hand.lines(), shown.lines());
        let too_wide = by_hand.filter(|line| line.chars().count() > WIDTH - 2);
        let too_wide = too_wide.chain(shown.filter(|line| line.chars().count() > WIDTH));
        wide.extend(too_wide.map(|line| format!("{of}: {line}")));
    }
    assert!(wide.is_empty(), "{}", wide.join("\n"));
}
