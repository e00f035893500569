//! Comments that accept a warning, each with its reason.
//!
//! ```yaml
//! # grantgate: allow-file grant-elsewhere: one tenant file for all sidecars
//! enforcement: report   # grantgate: allow enforcement-report: until the first week is read
//! ```
//!
//! `allow` is about the line that it ends, or the line below where it has a line of its own; `allow-file` is
//! about its whole file; and `allow-everywhere` about all files, of which those that programs write hold no
//! comments, or lose them. In comes a text; out goes what its comments accept, and in the report stands which
//! of them cannot be understood. What is accepted is decided here and nowhere else; nothing here makes an
//! error of less weight.

use super::diagnostic::{Code, Severity};
use super::edit::page::Page;
use super::place::Place;
use super::report::Report;
use super::suggest::{closest, excerpt};
use super::tree::{Span, comments};

/// What a comment begins with that speaks to us.
pub const ADDRESS: &str = "grantgate:";
const LINE: &str = "allow";
const FILE: &str = "allow-file";
const EVERYWHERE: &str = "allow-everywhere";

/// What comments accept.
#[derive(Clone, Debug, Default)]
pub(super) struct Allows(Vec<Allow>);

/// What one comment accepts.
#[derive(Clone, Debug)]
struct Allow {
    code: Code,
    source: usize,
    reach: Reach,
    /// The comment.
    span: Span,
    is_used: bool,
}

#[derive(Clone, Debug)]
enum Reach {
    Everywhere,
    File,
    /// The line that it is about, without its end.
    Line(Span),
    /// A blank line, or nothing, stands below: it is about nothing.
    Nothing,
}

/// A comment that accepts what is not there.
pub(super) struct Unused {
    pub(super) source: usize,
    pub(super) span: Span,
    pub(super) message: String,
}

impl Allows {
    /// Whether a comment accepts the code wherever it stands in its source. What stands in no file is
    /// accepted by a file's comment in any.
    pub(super) fn accept_anywhere(&mut self, code: Code, source: usize) -> bool {
        let is_nowhere = source == Place::nowhere().source;
        let mut is_accepted = false;
        for allow in self.0.iter_mut().filter(|allow| allow.code == code) {
            let reaches = match allow.reach {
                Reach::Everywhere => true,
                Reach::File => allow.source == source || is_nowhere,
                Reach::Line(_) | Reach::Nothing => false,
            };
            if reaches {
                (allow.is_used, is_accepted) = (true, true);
            }
        }
        is_accepted
    }

    /// Whether some comment accepts the code on one line of the source.
    pub(super) fn name_lines(&self, code: Code, source: usize) -> bool {
        let mut of_code = self.0.iter().filter(|allow| allow.code == code);
        of_code.any(|allow| allow.source == source && matches!(allow.reach, Reach::Line(_)))
    }

    /// Whether a comment accepts the code on the line of this byte.
    pub(super) fn accept_line(&mut self, code: Code, source: usize, at: usize) -> bool {
        let mut is_accepted = false;
        for allow in self.0.iter_mut().filter(|allow| allow.code == code && allow.source == source)
        {
            if matches!(&allow.reach, Reach::Line(line) if line.start <= at && at <= line.end) {
                (allow.is_used, is_accepted) = (true, true);
            }
        }
        is_accepted
    }

    pub(super) fn join(&mut self, others: Self) {
        self.0.extend(others.0);
    }

    /// Takes all away, and gives those that accepted nothing, though what they accept could be there.
    pub(super) fn take_unused(&mut self) -> Vec<Unused> {
        let allows = std::mem::take(&mut self.0);
        let unused =
            allows.into_iter().filter(|allow| !allow.is_used && !comes_and_goes(allow.code));
        let told = unused.map(|Allow { code, source, reach, span, .. }| Unused {
            source,
            span,
            message: match reach {
                Reach::Everywhere => format!("there is no `{}` anywhere to allow", code.as_str()),
                Reach::File => format!("there is no `{}` in this file to allow", code.as_str()),
                Reach::Line(_) => format!("there is no `{}` on this line to allow", code.as_str()),
                Reach::Nothing => "nothing stands below that this could be about".to_owned(),
            },
        });
        told.collect()
    }
}

/// Whether the same files have the problem or not as time goes by, or beside other files.
fn comes_and_goes(code: Code) -> bool {
    matches!(code, Code::CertificateExpired | Code::GrantElsewhere | Code::GrantExpiresSoon)
}

/// Whether a problem can be accepted at all.
fn is_acceptable(code: Code) -> bool {
    code.severity() == Severity::Warning && !matches!(code, Code::AllowInvalid | Code::AllowUnused)
}

/// Finds what the comments of a text accept.
pub(super) fn gather(source: usize, text: &str, report: &mut Report) {
    // Of most files no comment need be looked for.
    if !text.contains(ADDRESS) {
        return;
    }
    let page = Page::new(text);
    let mut allows = Vec::new();
    for span in comments(text) {
        let comment = text.get(span.clone()).unwrap_or_default().trim_start_matches('#').trim();
        match read(comment) {
            None => {}
            Some(Ok((code, verb))) => {
                let reach = match verb {
                    Verb::Everywhere => Reach::Everywhere,
                    Verb::File => Reach::File,
                    Verb::Line => reach(&page, span.start),
                };
                allows.push(Allow { code, source, reach, span, is_used: false });
            }
            Some(Err(Slip { message, help })) => {
                report.push(Code::AllowInvalid, &Place::root(source), message).at(span).help(help);
            }
        }
    }
    report.allow(Allows(allows));
}

/// The line that a comment is about which begins at `at`.
fn reach(page: &Page<'_>, at: usize) -> Reach {
    let mut line = at;
    if page.is_first_on_line(at) {
        loop {
            match page.next_line(line) {
                Some(next) if page.is_comment(next) => line = next,
                Some(next) if !page.is_blank(next) => {
                    line = next;
                    break;
                }
                _ => return Reach::Nothing,
            }
        }
    }
    Reach::Line(page.line_start(line)..page.line_end(line))
}

/// How far a comment says that it reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verb {
    Line,
    File,
    Everywhere,
}

/// Why a comment accepts nothing, and what to write.
struct Slip {
    message: String,
    help: String,
}

/// What a comment accepts, and how far it reaches; none where it does not speak to us.
fn read(comment: &str) -> Option<Result<(Code, Verb), Slip>> {
    let words = comment.strip_prefix(ADDRESS)?.trim_start();
    let (word, rest) = words.split_once(char::is_whitespace).unwrap_or((words, ""));
    let bare = word.trim_end_matches(':');
    let verb = match bare {
        LINE => Verb::Line,
        FILE => Verb::File,
        EVERYWHERE => Verb::Everywhere,
        // Others may begin with our name, and mean to tell something.
        other => {
            let meant = closest(other, [LINE, FILE, EVERYWHERE])?;
            return Some(Err(Slip {
                message: format!("`{}` is nothing that a comment can say", excerpt(other)),
                help: format!("did you mean `{meant}`?"),
            }));
        }
    };
    if bare != word {
        return Some(Err(Slip {
            message: format!("`{word}` does not say which warning is meant"),
            help: format!("write `# {ADDRESS} {bare} CODE: reason`"),
        }));
    }
    Some(accepted(rest).map(|code| (code, verb)))
}

/// The code of `CODE: reason`.
fn accepted(text: &str) -> Result<Code, Slip> {
    let text = text.trim();
    let end = text.find(|char: char| char == ':' || char.is_whitespace()).unwrap_or(text.len());
    let (name, reason) = text.split_at(end);
    let reason = reason.trim_start();
    let Some(code) = Code::ALL.iter().copied().find(|code| code.as_str() == name) else {
        let known = Code::ALL.iter().copied().filter(|code| is_acceptable(*code)).map(Code::as_str);
        let help = closest(name, known).map_or_else(
            || "write the code of the warning, as `grantgate check` shows it".to_owned(),
            |meant| format!("did you mean `{meant}`?"),
        );
        let message = if name.is_empty() {
            "the comment does not say which warning is meant".to_owned()
        } else {
            format!("`{}` is not the code of a warning", excerpt(name))
        };
        return Err(Slip { message, help });
    };
    if code.severity() == Severity::Error {
        let message = format!("`{name}` is an error, and errors are never allowed");
        return Err(Slip { message, help: "remove the comment, and what is wrong".to_owned() });
    }
    if !is_acceptable(code) {
        let message = format!("`{name}` is about comments, and no comment allows it");
        return Err(Slip { message, help: "remove the comment".to_owned() });
    }
    match reason.strip_prefix(':').map(str::trim) {
        Some(reason) if !reason.is_empty() => Ok(code),
        _ => Err(Slip {
            message: format!("the comment does not say why `{name}` is allowed"),
            help: format!("write the reason behind a colon: `{name}: given out next quarter`"),
        }),
    }
}

#[cfg(test)]
mod tests;
