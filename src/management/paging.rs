//! Pages of a list: query parameters in, out comes one of the three shapes that Auth0's clients read.
//!
//! | asked with | body | where it ends |
//! |---|---|---|
//! | `from` or `take`, whatever else there is | `{<list>, next?}` | without `next` |
//! | `include_totals=true` | `{start, limit, total, <list>}` | at `total` |
//! | anything else | an array | at the `Link` header's `last` (RFC 8288) |
//!
//! A page behind the last one is empty: iterators ask for it.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};

use super::{Answer, Asked, Fault, Query};

/// Which part of a list is asked for, and in which shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Page {
    /// What follows an item, by its key.
    Checkpoint {
        /// The key of the last item that the asker has.
        behind: Option<String>,
        /// At most so many.
        take: usize,
    },
    /// A page of those that are as long, from 0.
    Numbered {
        /// Which page.
        page: usize,
        /// How long it is.
        per_page: usize,
        /// Whether it is told how many items there are.
        totals: bool,
    },
}

const DEFAULT: usize = 50;
const MOST: usize = 100;

impl Page {
    /// What a query asks for; by `checkpoint` only where the list can be asked so.
    ///
    /// # Errors
    /// 400, with the parameter that is wrong.
    pub(super) fn of(query: &Query, checkpoint: bool) -> Result<Self, Fault> {
        let (from, take) = if checkpoint {
            (query.one("from")?, whole(query, "take", 1, MOST)?)
        } else {
            (None, None)
        };
        if from.is_some() || take.is_some() {
            let behind = from.map(read_checkpoint).transpose()?;
            return Ok(Self::Checkpoint { behind, take: take.unwrap_or(DEFAULT) });
        }
        Ok(Self::Numbered {
            page: whole(query, "page", 0, usize::MAX)?.unwrap_or(0),
            per_page: whole(query, "per_page", 1, MOST)?.unwrap_or(DEFAULT),
            totals: query.flag("include_totals")?.unwrap_or(false),
        })
    }

    /// The key behind which the page begins, where that is known: the items before need not be gone
    /// through.
    pub(super) fn behind(&self) -> Option<&str> {
        match self {
            Self::Checkpoint { behind, .. } => behind.as_deref(),
            Self::Numbered { .. } => None,
        }
    }

    /// The page of `items`, each with its key; they come in the order of their keys where checkpoints
    /// are asked for. What is not on the page is not shown to `show`.
    pub(super) fn answer<'i, T>(
        &self,
        asked: &Asked,
        list: &'static str,
        items: impl Iterator<Item = (&'i str, T)>,
        mut show: impl FnMut(T) -> Value,
    ) -> Answer {
        match *self {
            Self::Checkpoint { ref behind, take } => {
                let had = |key: &str| behind.as_deref().is_some_and(|behind| key <= behind);
                let mut items = items.skip_while(|(key, _)| had(key)).peekable();
                let (mut shown, mut end) = (Vec::new(), None);
                for (key, item) in items.by_ref().take(take) {
                    shown.push(show(item));
                    end = Some(key);
                }
                let mut body = Map::from_iter([(list.to_owned(), shown.into())]);
                if let (Some(end), Some(_)) = (end, items.peek()) {
                    body.insert("next".to_owned(), BASE64_URL_SAFE_NO_PAD.encode(end).into());
                }
                Answer::list(body.into(), None)
            }
            Self::Numbered { page, per_page, totals } => {
                let start = page.saturating_mul(per_page);
                let (mut shown, mut total) = (Vec::new(), 0_usize);
                for (_, item) in items {
                    if total >= start && shown.len() < per_page {
                        shown.push(show(item));
                    }
                    total += 1;
                }
                if totals {
                    let mut body = Map::new();
                    body.insert("start".to_owned(), json!(start));
                    body.insert("limit".to_owned(), json!(per_page));
                    body.insert("total".to_owned(), json!(total));
                    body.insert(list.to_owned(), shown.into());
                    return Answer::list(body.into(), None);
                }
                Answer::list(shown.into(), Some(links(asked, page, per_page, total)))
            }
        }
    }
}

/// What `next` was.
fn read_checkpoint(from: &str) -> Result<String, Fault> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(from).ok();
    bytes
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(|| Query::refused("from", "Expected the `next` of an answer"))
}

/// A whole number between two others, both included.
fn whole(
    query: &Query,
    name: &'static str,
    least: usize,
    most: usize,
) -> Result<Option<usize>, Fault> {
    let Some(text) = query.one(name)? else { return Ok(None) };
    let number: i64 = text
        .parse()
        .map_err(|_| Query::refused(name, "Expected type integer but found type string"))?;
    match usize::try_from(number) {
        Ok(number) if number > most => {
            Err(Query::refused(name, format!("Value {number} is greater than maximum {most}")))
        }
        Ok(number) if number >= least => Ok(Some(number)),
        _ => Err(Query::refused(name, format!("Value {number} is less than minimum {least}"))),
    }
}

/// What stands in a path or query as it is (RFC 3986 section 2.3).
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The other pages, as references relative to the one that was asked for.
fn links(asked: &Asked, page: usize, per_page: usize, total: usize) -> String {
    let last = total.saturating_sub(1) / per_page;
    let next = page.checked_add(1).filter(|next| *next <= last);
    let pages = [("first", Some(0)), ("next", next), ("last", Some(last))];
    let pages = pages.into_iter().filter_map(|(rel, page)| Some((rel, page?)));
    let links = pages.map(|(rel, page)| {
        let mut link = format!("<{}?", path(asked));
        for (name, value) in &asked.query.0 {
            if name != "page" && name != "per_page" {
                let [name, value] = [name, value].map(|text| utf8_percent_encode(text, ESCAPED));
                // Writing to a text does not fail.
                let _ = write!(link, "{name}={value}&");
            }
        }
        let _ = write!(link, "page={page}&per_page={per_page}>; rel=\"{rel}\"");
        link
    });
    links.collect::<Vec<_>>().join(", ")
}

/// The path that was asked for.
fn path(asked: &Asked) -> String {
    let mut names = asked.names.iter();
    let segments = asked.endpoint.path().split('/').map(|segment| {
        let name = if segment.starts_with('{') { names.next() } else { None };
        name.map_or_else(
            || segment.to_owned(),
            |name| utf8_percent_encode(name, ESCAPED).to_string(),
        )
    });
    segments.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::management::Endpoint;

    /// The page of five items that a query asks for: its body and its links.
    fn answer(query: &str) -> (Value, Option<String>) {
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let query = Query(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect());
        let page = Page::of(&query, true).unwrap();
        let asked = Asked {
            endpoint: Endpoint::ListOrganizationsOfGrant,
            names: vec!["cgr/1".to_owned()],
            query,
            body: Bytes::new(),
            if_match: None,
        };
        let items = ["a", "b", "c", "d", "e"].map(|key| (key, key));
        let answer = page.answer(&asked, "items", items.into_iter(), Value::from);
        (answer.body.unwrap(), answer.link)
    }

    fn fault(query: &[(&str, &str)]) -> Fault {
        let pairs = query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Page::of(&Query(pairs.collect()), true).unwrap_err()
    }

    #[test]
    fn checkpoints_lead_from_page_to_page_and_end() {
        let (first, _) = answer("take=2");
        assert_eq!(first["items"], json!(["a", "b"]));
        let next = first["next"].as_str().unwrap();
        let (second, _) = answer(&format!("from={next}&take=2"));
        assert_eq!(second["items"], json!(["c", "d"]));
        let next = second["next"].as_str().unwrap();
        assert_eq!(answer(&format!("from={next}")).0, json!({"items": ["e"]}));
    }

    #[test]
    fn a_page_that_ends_with_the_list_has_no_next() {
        assert_eq!(answer("take=5").0, json!({"items": ["a", "b", "c", "d", "e"]}));
    }

    #[test]
    fn a_checkpoint_that_is_gone_leads_on_all_the_same() {
        let gone = BASE64_URL_SAFE_NO_PAD.encode("bb");
        assert_eq!(answer(&format!("from={gone}")).0, json!({"items": ["c", "d", "e"]}));
    }

    #[test]
    fn checkpoints_win_over_totals() {
        let (body, link) = answer("include_totals=true&per_page=1&take=100");
        assert_eq!(body.as_object().unwrap().keys().collect::<Vec<_>>(), ["items"]);
        assert_eq!(link, None);
    }

    #[test]
    fn totals_are_told() {
        let (body, link) = answer("page=1&per_page=2&include_totals=true");
        assert_eq!(body, json!({"start": 2, "limit": 2, "total": 5, "items": ["c", "d"]}));
        assert_eq!(link, None);
        let (body, _) = answer("include_totals=true");
        assert_eq!((&body["limit"], &body["total"]), (&json!(50), &json!(5)));
    }

    #[test]
    fn pages_behind_the_last_are_empty() {
        for page in ["3", "4000000000", "9223372036854775807"] {
            let (body, _) = answer(&format!("page={page}&per_page=2"));
            assert_eq!(body, json!([]), "{page}");
            let (body, _) = answer(&format!("page={page}&per_page=2&include_totals=true"));
            assert_eq!((&body["total"], &body["items"]), (&json!(5), &json!([])), "{page}");
        }
    }

    #[test]
    fn an_array_comes_with_links() {
        let (body, link) = answer("audience=https://a&per_page=2");
        assert_eq!(body, json!(["a", "b"]));
        let to = |page, rel| {
            format!(
                "</api/v2/client-grants/cgr%2F1/organizations?audience=https%3A%2F%2Fa&page={page}\
                &per_page=2>; rel=\"{rel}\""
            )
        };
        assert_eq!(link.unwrap(), [to(0, "first"), to(1, "next"), to(2, "last")].join(", "));
        let (_, link) = answer("page=2&per_page=2");
        assert!(!link.unwrap().contains("next"));
    }

    #[test]
    fn what_is_no_page_is_refused_by_its_name() {
        for (query, wrong) in [
            (
                &[("page", "x")][..],
                "'Expected type integer but found type string' on property page",
            ),
            (&[("page", "-1")], "'Value -1 is less than minimum 0' on property page"),
            (&[("per_page", "0")], "'Value 0 is less than minimum 1' on property per_page"),
            (
                &[("per_page", "101")],
                "'Value 101 is greater than maximum 100' on property per_page",
            ),
            (&[("take", "0")], "'Value 0 is less than minimum 1' on property take"),
            (&[("take", "")], "'Expected type integer but found type string' on property take"),
            (&[("from", "!")], "'Expected the `next` of an answer' on property from"),
            (
                &[("include_totals", "1")],
                "'Expected type boolean but found type string' on property include_totals",
            ),
            (
                &[("page", "0"), ("page", "1")],
                "'Expected one value but found several' on property page",
            ),
        ] {
            let fault = fault(query);
            assert_eq!(fault.code, Some("invalid_query_string"));
            assert_eq!(fault.message, format!("Query validation error: {wrong}."));
        }
    }
}
