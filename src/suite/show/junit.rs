//! For continuous integration: `JUnit` XML, which every such system reads.
//!
//! A suite is a `testsuite`, a case a `testcase` with its file and line. How long a case took says nothing,
//! and is not there. What XML 1.0 cannot hold (section 2.2) is written as U+FFFD.

use std::fmt::{self, Write};

use super::counts;
use crate::suite::{Finding, Run};

/// The runs as `JUnit` XML.
pub fn junit(runs: &[Run<'_>]) -> String {
    let mut xml = String::new();
    // Writing into a string does not fail.
    let _ = write(&mut xml, runs);
    xml
}

fn write(to: &mut String, runs: &[Run<'_>]) -> fmt::Result {
    let (all, failed) = counts(runs);
    writeln!(to, r#"<?xml version="1.0" encoding="UTF-8"?>"#)?;
    writeln!(
        to,
        r#"<testsuites name="grantgate" tests="{all}" failures="{failed}" errors="0" skipped="0">"#
    )?;
    for run in runs {
        let (name, all) = (Escaped(&run.suite.name), run.findings.len());
        let failed = run.failed().count();
        writeln!(
            to,
            r#"  <testsuite name="{name}" tests="{all}" failures="{failed}" errors="0" skipped="0">"#
        )?;
        for finding in &run.findings {
            write_case(to, run, finding)?;
        }
        writeln!(to, "  </testsuite>")?;
    }
    writeln!(to, "</testsuites>")
}

fn write_case(to: &mut String, run: &Run<'_>, finding: &Finding<'_>) -> fmt::Result {
    let (file, case) = (Escaped(&run.suite.name), finding.case);
    let (name, line) = (Escaped(&case.name), case.line);
    write!(to, r#"    <testcase classname="{file}" name="{name}" file="{file}" line="{line}""#)?;
    if finding.passed() {
        return writeln!(to, "/>");
    }
    let (expected, seen) = (finding.expected_words(), finding.seen_words());
    let (expected, seen) = (Escaped(&expected), Escaped(&seen));
    let kind = finding.seen.decision;
    writeln!(to, ">")?;
    writeln!(to, r#"      <failure type="{kind}" message="expected {expected}, seen {seen}">"#)?;
    writeln!(to, "{file}:{line}")?;
    writeln!(to, "{}", Escaped(&case.request))?;
    writeln!(to, "- expected: {expected}")?;
    writeln!(to, "+ seen: {seen}")?;
    writeln!(to, "      </failure>\n    </testcase>")
}

/// Text as it stands between tags and in attributes alike.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for char in self.0.chars() {
            match char {
                '&' => f.write_str("&amp;"),
                '<' => f.write_str("&lt;"),
                '>' => f.write_str("&gt;"),
                '"' => f.write_str("&quot;"),
                // Else an attribute's would be read as spaces (section 3.3.3).
                '\t' | '\n' | '\r' => write!(f, "&#{};", u32::from(char)),
                '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => f.write_char('\u{fffd}'),
                char => f.write_char(char),
            }?;
        }
        Ok(())
    }
}
