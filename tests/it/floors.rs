//! The floors and the wall: a module imports from lower floors only, and below the wall nothing names
//! sockets, files, clocks, the environment, logs or metrics.

use std::fs;
use std::path::{Path, PathBuf};

/// Modules by floor, lowest first. Modules of one floor never import each other.
const FLOORS: &[&[&str]] = &[
    &["hex", "policy", "screen"],
    &["token", "route"],
    &["config"],
    &["gate", "import"],
    &["explain", "suite"],
    &["chance", "clock", "live", "telemetry"],
    &["net"],
    &["keyring", "reload"],
    &["account", "guard"],
    &["proxy", "management", "admin"],
    &["app"],
    &["cli"],
];

/// The lowest floor above the wall.
const WALL: usize = 5;

/// What nothing below the wall names.
const FORBIDDEN: &[&str] = &[
    "tokio",
    "hyper",
    "std::fs",
    "std::net",
    "std::env",
    "SystemTime",
    "Instant",
    "tracing",
    "metrics",
];

#[test]
fn modules_import_downwards_only_and_the_wall_holds() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &mut files);
    assert!(files.len() > 20, "the walk over src/ found only {} files", files.len());
    let complaints: Vec<String> = files
        .iter()
        .flat_map(|file| {
            let within = file.strip_prefix(&root).unwrap();
            complaints(within, &fs::read_to_string(file).unwrap())
        })
        .collect();
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

/// What stands for a token without a signature is made where people ask, and nowhere else.
#[test]
fn only_questions_suppose_tokens() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &mut files);
    let supposing = files.iter().filter(|file| {
        let text = fs::read_to_string(file).unwrap();
        text.contains("Parsed::supposed(") || text.contains("Credential::supposed(")
    });
    let supposing: Vec<_> = supposing.map(|file| file.strip_prefix(&root).unwrap()).collect();
    assert_eq!(supposing, [Path::new("gate/supposed.rs")]);
}

#[test]
fn the_check_can_fail() {
    let complain = |file: &str, text: &str| !complaints(Path::new(file), text).is_empty();
    assert!(complain("policy/a.rs", "use crate::token::X;"));
    assert!(complain("route/a.rs", "use crate::token::X;"));
    assert!(complain("token/a.rs", "use crate::{policy::A, gate::{B, C}};"));
    assert!(complain("token/profile/a.rs", "use super::super::super::gate::B;"));
    assert!(complain("gate/a.rs", "let now = SystemTime::now();"));
    assert!(complain("config/a.rs", "use std::{fs, io};"));
    assert!(complain("config/a.rs", "use std::{io, sync::Arc, net::IpAddr};"));
    assert!(complain("gate/a.rs", "use hyper_util::rt::TokioIo;"));
    assert!(complain("gate/a.rs", "use tokio_util::sync::CancellationToken;"));
    assert!(complain("token/a.rs", "#[cfg(test)]\nmod tests;\nuse crate::net::X;"));
    assert!(complain("token/a.rs", "#[cfg(test)]\nuse a::B;\nuse crate::net::X;"));
    assert!(complain("token/a.rs", "const A: &str = \"https://a\"; use crate::net::X;"));
    assert!(complain("token/a.rs", "/* use a */ use crate::net::X;"));
    assert!(complain("nowhere/a.rs", ""));
    assert!(!complain("gate/a.rs", "use crate::{policy::A, token::B}; // crate::net"));
    assert!(!complain("gate/a.rs", "#[cfg(test)]\nmod tests {\n    use crate::net::X;\n}\n"));
    assert!(!complain("gate/a.rs", "//! Never names `tokio`.\nfn instant() {}"));
    assert!(!complain("net/a.rs", "use std::fs; use crate::telemetry::X;"));
}

fn complaints(file: &Path, text: &str) -> Vec<String> {
    let code = code(text);
    let module = module(file);
    let Some(module) = module.first() else { return Vec::new() };
    let Some(floor) = floor(module) else {
        return vec![format!("{}: `{module}` stands on no floor", file.display())];
    };
    let mut complaints = Vec::new();
    for imported in imports(file, &code) {
        if let Some(other) = self::floor(&imported)
            && imported != *module
            && other >= floor
        {
            complaints.push(format!(
                "{}: `{module}` (floor {floor}) imports `{imported}` (floor {other})",
                file.display()
            ));
        }
    }
    if floor < WALL {
        let code = flatten(&code);
        complaints.extend(
            FORBIDDEN
                .iter()
                .filter(|&&name| names(&code, name))
                .map(|name| format!("{}: below the wall, and names `{name}`", file.display())),
        );
    }
    complaints
}

/// The module path of a file: `["token", "profile", "auth0"]`; empty for the crate's roots.
fn module(file: &Path) -> Vec<String> {
    let mut path: Vec<String> =
        file.with_extension("").iter().map(|part| part.to_string_lossy().into_owned()).collect();
    path.retain(|part| !matches!(part.as_str(), "mod" | "lib" | "main"));
    path
}

fn floor(module: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&module))
}

/// The top modules that `code` reaches by `crate::…`, or by as many `super::` as lead to the root.
fn imports(file: &Path, code: &str) -> Vec<String> {
    let to_root = "super::".repeat(module(file).len());
    ["crate::", &to_root]
        .iter()
        .flat_map(|prefix| code.match_indices(*prefix).map(|(at, _)| &code[at + prefix.len()..]))
        .flat_map(|rest| match rest.strip_prefix('{') {
            None => vec![identifier(rest)],
            Some(group) => group_heads(group),
        })
        .collect()
}

/// The first identifiers of a brace group's members, at its own depth.
fn group_heads(group: &str) -> Vec<String> {
    let (mut depth, mut heads, mut start) = (0_usize, Vec::new(), 0);
    for (at, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => {
                heads.push(identifier(group[start..at].trim_start()));
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                heads.push(identifier(group[start..at].trim_start()));
                start = at + 1;
            }
            _ => {}
        }
    }
    heads
}

fn identifier(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// Whether `code` names it, or a crate of its family: `hyper_util` is `hyper`'s.
fn names(code: &str, name: &str) -> bool {
    let in_word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    code.match_indices(name).any(|(at, _)| {
        let behind = &code[at + name.len()..];
        let is_family = behind.starts_with('_') && identifier_ends_in_path(behind);
        !in_word(code[..at].chars().next_back()) && (!in_word(behind.chars().next()) || is_family)
    })
}

fn identifier_ends_in_path(rest: &str) -> bool {
    rest.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_').starts_with("::")
}

/// `std::{fs, io}` as `std::fs std::io`, so that a grouped import is found by its plain name.
fn flatten(code: &str) -> String {
    let groups =
        code.match_indices("std::{").flat_map(|(at, head)| group_heads(&code[at + head.len()..]));
    let flat: Vec<String> = groups.map(|name| format!("std::{name}")).collect();
    format!("{code}\n{}", flat.join(" "))
}

/// The text without comments and without the tests at its end, which stand above every floor. Tests
/// elsewhere than at the end, and comments behind code that holds `//` otherwise, count as code.
fn code(text: &str) -> String {
    let text = match text.rsplit_once("#[cfg(test)]\nmod tests {") {
        Some((code, tests)) if tests.trim_end().lines().skip(1).all(is_inside) => code,
        _ => text,
    };
    let lines = text.lines().map(|line| match line.split_once("//") {
        Some((code, _)) if !code.contains('"') => code,
        _ => line,
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Whether a line of a module at the end of a file is indented, or the bracket that ends it.
fn is_inside(line: &str) -> bool {
    line.is_empty() || line.starts_with(' ') || line == "}"
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|e| e == "rs") && !path.ends_with("tests.rs") {
            files.push(path);
        }
    }
}
