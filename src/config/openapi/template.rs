//! A path template → the pattern that an operation is listed under, or why there is none.

use std::collections::BTreeSet;

use percent_encoding::{CONTROLS, utf8_percent_encode};

use crate::route::Pattern;

/// A path template, read.
pub(super) struct Template {
    /// The pattern that stands for just its paths.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) pattern: Result<Pattern, String>,
    /// A path of its requests, or a pattern of them all; none where no request has such a path.
    pub(super) like: Option<Pattern>,
    /// What somebody should know of it.
    pub(super) note: Option<String>,
}

/// A segment that no template names.
const SOME: &str = "-grantgate-sample-";

/// Reads the template `written`, whose paths begin with `base`.
pub(super) fn read(base: &str, written: &str) -> Template {
    let mut why = None;
    let mut note = None;
    let path = written.strip_prefix('/').unwrap_or_else(|| {
        why = Some("its path does not begin with `/`".to_owned());
        written
    });
    let path = path.find(['?', '#']).map_or(path, |end| {
        why =
            Some("its path has a query or a fragment, which operations are not told by".to_owned());
        path.get(..end).unwrap_or_default()
    });
    let mut names = BTreeSet::new();
    let mut pattern = base.to_owned();
    for segment in path.split('/') {
        pattern.push('/');
        let within = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
        match within {
            Some(name) if !name.contains(['{', '}']) => {
                if name.ends_with(['+', '*']) {
                    note = Some(format!("`{{{name}}}` stands for one segment here"));
                }
                pattern.extend(["{", &unique(name, &mut names), "}"]);
            }
            None if !segment.contains(['{', '}']) => {
                let literal = segment.replace('*', "%2A");
                pattern.extend(utf8_percent_encode(&literal, CONTROLS));
            }
            _ => {
                why = Some(format!(
                    "the segment `{segment}` of its path is more than one `{{name}}`"
                ));
                pattern.push_str(SOME);
            }
        }
    }
    match Pattern::parse(&pattern) {
        Ok(like) => {
            let pattern = why.map_or_else(|| Ok(like.clone()), Err);
            Template { pattern, like: Some(like), note }
        }
        Err(error) => Template { pattern: Err(error.to_string()), like: None, note },
    }
}

/// A name that a pattern can have, and has not yet.
fn unique(written: &str, names: &mut BTreeSet<String>) -> String {
    let letter = |c: char| if c.is_ascii_alphanumeric() || "-._".contains(c) { c } else { '_' };
    let name: String = written.chars().map(letter).collect();
    let name = if name.is_empty() { "parameter".to_owned() } else { name };
    let numbered = (2..).map(|number| format!("{name}_{number}"));
    let mut choices = std::iter::once(name.clone()).chain(numbered);
    choices.find(|choice| names.insert(choice.clone())).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_of_whole_segments_is_a_pattern() {
        for (base, path, pattern) in [
            ("", "/", "/"),
            ("/v1", "/", "/v1/"),
            ("/v1", "/orders/{id}", "/v1/orders/{id}"),
            ("", "/orders/", "/orders/"),
            ("", "/a/{order id}/{}", "/a/{order_id}/{parameter}"),
            ("", "/{id}/{id}", "/{id}/{id_2}"),
            ("", "/a:b/straße/*", "/a:b/stra%C3%9Fe/%2A"),
            ("", "/{proxy+}", "/{proxy_}"),
        ] {
            assert_eq!(read(base, path).pattern.unwrap().as_str(), pattern, "{path}");
        }
        assert!(read("", "/{proxy+}").note.is_some());
    }

    #[test]
    fn what_is_no_pattern_says_why_and_which_requests_it_is_about() {
        for (path, like) in [
            ("/files/{name}.json", Some("/files/-grantgate-sample-")),
            ("/files/{a}-{b}/x", Some("/files/-grantgate-sample-/x")),
            ("/a{", Some("/-grantgate-sample-")),
            ("/{a/b}", Some("/-grantgate-sample-/-grantgate-sample-")),
            ("/?action=list", Some("/")),
            ("/a#list", Some("/a")),
            ("orders", Some("/orders")),
            ("/a//b", None),
            ("/a/../b", None),
            ("/a;v=1", None),
            ("", Some("/")),
        ] {
            let template = read("", path);
            assert!(template.pattern.is_err(), "{path}");
            assert_eq!(template.like.as_ref().map(Pattern::as_str), like, "{path}");
        }
    }
}
