//! Completions and manual pages, as shells and readers take them.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use clap::CommandFactory;
use grantgate::cli::Cli;

use crate::program::{grantgate, outcome};

const SHELLS: [&str; 5] = ["bash", "elvish", "fish", "powershell", "zsh"];

fn script(shell: &str) -> String {
    let (code, script, talk) = outcome(&mut grantgate(&["completions", shell]));
    assert_eq!((code, talk.as_str()), (Some(0), ""), "{shell}");
    script
}

/// What a program says to a text; none where it is not installed.
fn told(program: &str, arguments: &[&str], text: &str) -> Option<Output> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().ok()?;
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    Some(child.wait_with_output().unwrap())
}

#[test]
fn every_shell_has_a_script_that_knows_every_verb() {
    for shell in SHELLS {
        let script = script(shell);
        for verb in Cli::command().get_subcommands() {
            assert!(script.contains(verb.get_name()), "{shell}: {}", verb.get_name());
        }
        // The same each time, whatever the environment holds.
        let mut again = grantgate(&["completions", shell]);
        again.env("GRANTGATE_CONFIG", "/secret").env("GRANTGATE_TOKEN", "secret");
        assert_eq!(outcome(&mut again).1, script, "{shell}");
        assert!(!script.contains("secret"), "{shell}");
    }
    assert_eq!(outcome(&mut grantgate(&["completions", "tcsh"])).0, Some(2));
}

#[test]
fn shells_that_are_here_take_their_scripts() {
    for shell in ["bash", "fish", "zsh"] {
        let Some(output) = told(shell, &["-n"], &script(shell)) else {
            eprintln!("not tested: there is no {shell} here");
            continue;
        };
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() && complaint.is_empty(), "{shell}: {complaint}");
    }
}

#[test]
fn bash_completes_verbs_options_and_their_values() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("claims.json"), "{}").unwrap();
    let folder = folder.path().display();
    let with_at = format!("grantgate explain --claims GET /orders/1 @{folder}/cl");
    let completed = format!("@{folder}/claims.json");
    for (line, expected) in [
        (with_at.as_str(), completed.as_str()),
        // Paths are left to bash, and commands are not hidden behind options.
        ("grantgate test ", ""),
        ("grantgate import ", "auth0\nopenapi\nhelp"),
        ("grantgate import auth0 ", ""),
        ("grantgate diff ", ""),
        ("grantgate exp", "explain"),
        ("grantgate inspect", "inspect-token"),
        ("grantgate check --form", "--format"),
        ("grantgate check --format g", "github"),
        ("grantgate inspect-token --profile ke", "keycloak"),
        ("grantgate completions z", "zsh"),
    ] {
        let words: Vec<_> = line.split(' ').map(|word| format!("'{word}'")).collect();
        let (last, before) = (words.last().unwrap(), &words[words.len() - 2]);
        let asked = format!(
            "{}\nCOMP_WORDS=({})\nCOMP_CWORD={}\n_grantgate_chosen grantgate {last} {before}\n\
             printf '%s\\n' \"${{COMPREPLY[@]}}\"\n",
            script("bash"),
            words.join(" "),
            words.len() - 1
        );
        let Some(output) = told("bash", &["--norc"], &asked) else {
            eprintln!("not tested: there is no bash here");
            return;
        };
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), expected, "{line}");
    }
}

/// The pages, by their names.
fn pages(folder: &Path) -> BTreeMap<String, String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let read = |path: &Path| fs::read_to_string(path).unwrap();
    entries
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), read(&path)))
        .collect()
}

fn written(folder: &Path) -> BTreeMap<String, String> {
    let output = folder.display().to_string();
    let mut command = grantgate(&["man", "--output", &output]);
    command.env("GRANTGATE_CONFIG", "/secret");
    let (code, _, talk) = outcome(&mut command);
    assert_eq!((code, talk.as_str()), (Some(0), ""));
    pages(folder)
}

/// A command's page and those below it, held against its definition.
fn compare(command: &clap::Command, pages: &mut BTreeMap<String, String>) {
    let name = command.get_display_name().unwrap_or(command.get_name()).to_owned();
    let page = pages.remove(&format!("{name}.1")).unwrap_or_else(|| panic!("{name} has no page"));
    for option in command.get_arguments().filter(|option| !option.is_hide_set()) {
        if let Some(long) = option.get_long() {
            assert!(
                page.contains(&format!("\\-\\-{}", long.replace('-', "\\-"))),
                "{name}: {long}"
            );
        }
    }
    let help = command.get_after_long_help().map(ToString::to_string).unwrap_or_default();
    assert_eq!(help.contains("Examples:"), page.contains(".SH EXAMPLES\n.nf\n"), "{name}");
    command.get_subcommands().for_each(|below| compare(below, pages));
}

#[test]
fn every_verb_has_a_page_that_names_its_options_and_shows_its_examples() {
    let folder = tempfile::tempdir().unwrap();
    let mut pages = written(&folder.path().join("not/there/yet"));
    let (code, main, talk) = outcome(&mut grantgate(&["man"]));
    assert_eq!((code, talk.as_str()), (Some(0), ""));
    assert_eq!(main, pages["grantgate.1"]);
    assert_eq!(pages, written(&folder.path().join("again")), "not the same each time");
    assert!(pages["grantgate-check.1"].contains("GRANTGATE_CONFIG"));
    assert!(pages.values().all(|page| !page.contains("/secret")));

    let mut program = Cli::command().disable_help_subcommand(true);
    program.build();
    compare(&program, &mut pages);
    assert!(pages.is_empty(), "pages of nothing: {pages:?}");
}

#[test]
fn formatters_that_are_here_take_every_page() {
    let folder = tempfile::tempdir().unwrap();
    for (name, page) in written(folder.path()) {
        let Some(output) = told("groff", &["-man", "-ww", "-z", "-Tutf8"], &page) else {
            eprintln!("not tested: there is no groff here");
            return;
        };
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() && complaint.is_empty(), "{name}: {complaint}");
    }
}

#[test]
fn pages_that_cannot_be_written_are_no_answer() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().join("below").display().to_string();
    let (code, data, talk) = outcome(&mut grantgate(&["man", "--output", &path]));
    assert_eq!((code, data.as_str()), (Some(2), ""));
    assert!(talk.contains("cannot be written"), "{talk}");
}
