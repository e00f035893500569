//! Where a token comes from: never the command line, which other users and the shell's history see.

use std::env;
use std::fs::File;
use std::io::{self, Read};

/// The variable that is read where no source is named.
const VARIABLE: &str = "GRANTGATE_TOKEN";

/// Reads a token: from `@file`, from `-` (standard input), or where nothing is said from the variable
/// `GRANTGATE_TOKEN`, else from standard input. What stands before it in a header is taken off.
pub fn read(source: Option<&str>) -> Result<String, String> {
    let text = match source {
        None => match env::var(VARIABLE) {
            Ok(text) => text,
            Err(env::VarError::NotPresent) => from_input()?,
            Err(error) => return Err(format!("`{VARIABLE}`: {error}")),
        },
        Some("-") => from_input()?,
        Some(source) => match source.strip_prefix('@') {
            Some(path) => File::open(path)
                .and_then(bounded)
                .map_err(|error| format!("`{path}` cannot be read: {error}"))?,
            None => {
                return Err(format!(
                    "a token does not belong on a command line: write it into a file and name that \
                    as `@file`, pipe it in, or set `{VARIABLE}`"
                ));
            }
        },
    };
    let token = bare(&text);
    if token.is_empty() { Err("there is no token".to_owned()) } else { Ok(token.to_owned()) }
}

fn from_input() -> Result<String, String> {
    bounded(io::stdin().lock()).map_err(|error| format!("standard input cannot be read: {error}"))
}

/// Far more than any token is; a pipe that never ends is not waited for.
fn bounded(input: impl Read) -> io::Result<String> {
    const MOST: u64 = 256 << 10;
    let mut text = String::new();
    input.take(MOST).read_to_string(&mut text)?;
    Ok(text)
}

/// The token without the header around it.
fn bare(text: &str) -> &str {
    let mut text = text.trim();
    for before in ["authorization:", "bearer "] {
        match text.get(..before.len()) {
            Some(start) if start.eq_ignore_ascii_case(before) => {
                text = text.get(before.len()..).unwrap_or_default().trim_start();
            }
            _ => {}
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_header_adds_is_taken_off() {
        for text in ["a.b.c", " a.b.c\n", "Bearer a.b.c", "authorization: bearer  a.b.c\r\n"] {
            assert_eq!(bare(text), "a.b.c", "{text}");
        }
        for text in ["", "Bearer", "é"] {
            assert_eq!(bare(text), text);
        }
    }

    #[test]
    fn a_token_on_the_command_line_is_refused_and_not_repeated() {
        let refused = read(Some("eyJhbGciOiJub25lIn0.e30.")).unwrap_err();
        assert!(refused.contains("@file") && !refused.contains("eyJ"), "{refused}");
    }
}
