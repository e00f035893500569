//! A path for every way in which patterns can match one.
//!
//! In come patterns; out come paths, such that any two paths that match differently among the patterns are
//! like two of them: whoever compares what is done about all paths asks about these. A path may match
//! several patterns at once, which is a way of its own; a last segment that nothing lists, a slash at the
//! end and a letter in the other case are, too, because of what [`Operations`](super::Operations) makes of
//! them. Of very many ways, the first ones come out, and for each pattern one that is its own.

use std::collections::{BTreeMap, BTreeSet};

use super::literal::Literal;
use super::pattern::{Pattern, Segment};

/// A path, and how it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// The path.
    pub path: String,
    /// As a pattern would be written that stands for this way alone: `/orders/{id}`.
    pub shown: String,
    /// Whether it is spelled otherwise than what is listed: by the case of a letter or a slash at the end.
    pub is_lookalike: bool,
}

/// The ways that were gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ways {
    /// Those; each pattern has one that it alone decides.
    pub list: Vec<Way>,
    /// Whether there are no others.
    pub is_whole: bool,
}

/// More ways than this are not gone.
const MOST: usize = 20_000;

/// A segment that is nobody's.
const NOBODY: &str = "-grantgate-sample-";

/// A path for every way in which `patterns` can match one.
pub fn ways<'p>(patterns: impl IntoIterator<Item = &'p Pattern>) -> Ways {
    let open: Vec<_> = patterns.into_iter().map(Pattern::segments).collect();
    let mut walk = Walk::default();
    walk.go(&State { open: open.clone(), ..State::default() });
    let Walk { mut ways, lookalikes, is_cut, .. } = walk;
    if is_cut {
        let known: BTreeSet<String> = ways.iter().map(|way| way.path.clone()).collect();
        let deepest = open.iter().map(|segments| segments.len()).max().unwrap_or_default();
        let own = open.iter().map(|segments| own_way(segments, deepest));
        ways.extend(own.filter(|way| !known.contains(&way.path)));
    }
    let known: BTreeSet<&str> = ways.iter().map(|way| way.path.as_str()).collect();
    let mut seen = BTreeSet::new();
    let others: Vec<_> = lookalikes
        .into_iter()
        .filter(|way| !known.contains(way.path.as_str()) && seen.insert(way.path.clone()))
        .collect();
    ways.extend(others);
    Ways { list: ways, is_whole: !is_cut }
}

/// A path that no pattern matches better than this one, unless it matches the same: no literal is met that it
/// does not name, and what stands for any rest is longer than all.
fn own_way(segments: &[Segment], deepest: usize) -> Way {
    let (mut path, mut shown) = (String::new(), String::new());
    for segment in segments {
        let (one, called) = match segment {
            Segment::Literal(literal) => (literal.to_string(), literal.to_string()),
            Segment::Name(name) => (NOBODY.to_owned(), format!("{{{name}}}")),
            Segment::Rest => {
                let more = deepest.saturating_sub(segments.len()) + 1;
                (vec![NOBODY; more + 1].join("/"), "*".to_owned())
            }
        };
        path.extend(["/", &one]);
        shown.extend(["/", &called]);
    }
    Way { path, shown, is_lookalike: false }
}

/// What the patterns say of the path so far.
#[derive(Default)]
struct State<'p> {
    /// What is left of those that may still match.
    open: Vec<&'p [Segment]>,
    /// Whether one ends here.
    has_ended: bool,
    /// Whether one matches whatever follows.
    has_rest: bool,
}

/// The next segment of a path.
#[derive(Clone, Copy)]
enum Next<'p> {
    Empty,
    Fresh,
    Literal(&'p Literal),
}

impl<'p> State<'p> {
    fn step(&self, next: Next<'p>) -> Self {
        let mut state = Self { has_rest: self.has_rest, ..Self::default() };
        for segments in &self.open {
            let Some((first, tail)) = segments.split_first() else { continue };
            let matches = match (first, next) {
                (Segment::Literal(literal), Next::Literal(segment)) => literal == segment,
                (Segment::Literal(literal), Next::Empty) => literal.is(""),
                (Segment::Literal(_), Next::Fresh) => false,
                (Segment::Name(_) | Segment::Rest, next) => !matches!(next, Next::Empty),
            };
            match (first, tail) {
                _ if !matches => {}
                (Segment::Rest, _) => state.has_rest = true,
                (_, []) => state.has_ended = true,
                (_, tail) => state.open.push(tail),
            }
        }
        state
    }

    /// The literals that may come next, each with what may match behind it.
    fn by_literal(&self) -> BTreeMap<&'p Literal, Self> {
        let (mut named, mut others) = (BTreeMap::<_, Vec<_>>::new(), Vec::new());
        for (index, segments) in self.open.iter().copied().enumerate() {
            match segments.first() {
                Some(Segment::Literal(literal)) if literal.is("") => {}
                Some(Segment::Literal(literal)) => {
                    named.entry(literal).or_default().push((index, segments));
                }
                Some(Segment::Name(_) | Segment::Rest) => others.push((index, segments)),
                None => {}
            }
        }
        let states = named.into_iter().map(|(literal, mut open)| {
            open.extend(&others);
            // As they were written.
            open.sort_unstable_by_key(|(index, _)| *index);
            let open = open.into_iter().map(|(_, segments)| segments).collect();
            (literal, Self { open, has_rest: self.has_rest, has_ended: self.has_ended })
        });
        states.collect()
    }

    /// What a segment is called that no literal is.
    fn called(&self) -> String {
        let mut heads = self.open.iter().filter_map(|segments| segments.first());
        let name = heads.find_map(|segment| match segment {
            Segment::Name(name) => Some(format!("{{{name}}}")),
            _ => None,
        });
        name.unwrap_or_else(|| "*".to_owned())
    }

    fn is_dead(&self) -> bool {
        self.open.is_empty() && !self.has_ended && !self.has_rest
    }
}

#[derive(Default)]
struct Walk {
    ways: Vec<Way>,
    lookalikes: Vec<Way>,
    /// The segments so far: as they are, and as they are shown.
    segments: Vec<(String, String)>,
    /// Whether there are more ways than were gone.
    is_cut: bool,
}

impl Walk {
    fn go(&mut self, state: &State<'_>) {
        if self.segments.is_empty() {
            self.turn(state, Next::Empty, String::new(), String::new());
        }
        for (literal, state) in state.by_literal() {
            let text = literal.to_string();
            self.turn(&state, Next::Literal(literal), text.clone(), text);
        }
        self.turn(state, Next::Fresh, NOBODY.to_owned(), state.called());
    }

    /// Takes one step, and goes on from there.
    fn turn<'p>(&mut self, from: &State<'p>, next: Next<'p>, segment: String, shown: String) {
        if self.ways.len() >= MOST {
            self.is_cut = true;
            return;
        }
        let state = from.step(next);
        self.segments.push((segment, shown));
        self.note(&state);
        // Beyond what is listed everything is alike.
        let may_differ = !state.open.is_empty() || state.has_ended && state.has_rest;
        if may_differ && !matches!(next, Next::Empty) {
            self.go(&state);
        }
        self.segments.pop();
    }

    /// Notes the path so far, with what resembles it.
    fn note(&mut self, state: &State<'_>) {
        let way = self.way(None);
        let slashed = state.step(Next::Empty);
        if !way.path.ends_with('/') {
            let with_slash = Way {
                path: format!("{}/", way.path),
                shown: format!("{}/", way.shown),
                is_lookalike: slashed.is_dead() || slashed.open.is_empty() && !slashed.has_ended,
            };
            let list = if with_slash.is_lookalike { &mut self.lookalikes } else { &mut self.ways };
            list.push(with_slash);
        }
        for index in 0..self.segments.len() {
            let other = self.way(Some(index));
            if other.path != way.path {
                self.lookalikes.push(other);
            }
        }
        self.ways.push(way);
    }

    /// The path so far, with one of its literals in the other case.
    fn way(&self, other_case: Option<usize>) -> Way {
        let (mut path, mut shown) = (String::new(), String::new());
        for (index, (segment, called)) in self.segments.iter().enumerate() {
            path.push('/');
            shown.push('/');
            if other_case == Some(index) && segment != NOBODY {
                let segment = in_other_case(segment);
                path.push_str(&segment);
                shown.push_str(&segment);
            } else {
                path.push_str(segment);
                shown.push_str(called);
            }
        }
        Way { path, shown, is_lookalike: other_case.is_some() }
    }
}

/// A segment with its letters in the other case; escapes stay what they are.
fn in_other_case(segment: &str) -> String {
    let mut escaped = 0;
    let other = segment.chars().map(|char| match char {
        '%' => {
            escaped = 2;
            char
        }
        _ if escaped > 0 => {
            escaped -= 1;
            char
        }
        _ if char.is_ascii_lowercase() => char.to_ascii_uppercase(),
        _ => char.to_ascii_lowercase(),
    });
    other.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route::CanonPath;

    fn of(texts: &[&str]) -> Vec<Way> {
        let patterns: Vec<_> = texts.iter().map(|text| Pattern::parse(text).unwrap()).collect();
        ways(&patterns).list
    }

    fn shown(texts: &[&str]) -> BTreeSet<String> {
        let exact = of(texts).into_iter().filter(|way| !way.is_lookalike);
        exact.map(|way| way.shown).collect()
    }

    #[test]
    fn each_pattern_is_a_way_and_so_is_each_meeting_of_several() {
        let ways = shown(&["/orders/{id}", "/orders/new", "/orders/new/*", "/{any}/b"]);
        for expected in
            ["/orders/{id}", "/orders/new", "/orders/new/*", "/{any}/b", "/orders/b", "/{any}", "/"]
        {
            assert!(ways.contains(expected), "{expected}: {ways:?}");
        }
    }

    #[test]
    fn a_path_that_several_match_is_told_from_one_that_only_the_last_does() {
        let ways = shown(&["/files/*", "/files/{x}"]);
        assert!(ways.contains("/files/{x}") && ways.contains("/files/{x}/*"), "{ways:?}");
    }

    #[test]
    fn other_spellings_are_ways_of_their_own() {
        let ways = of(&["/Orders/%2B", "/list/"]);
        let alike: BTreeSet<_> =
            ways.iter().filter(|way| way.is_lookalike).map(|way| way.path.as_str()).collect();
        for expected in ["/oRDERS/%2B", "/Orders/%2B/", "/LIST"] {
            assert!(alike.contains(expected), "{expected}: {alike:?}");
        }
        assert!(ways.iter().any(|way| way.path == "/list/" && !way.is_lookalike));
    }

    #[test]
    fn every_way_is_a_path_that_some_request_has_and_comes_once() {
        let ways = of(&["/a/{b}/c", "/a/x/*", "/%7B/%C3%A9", "/{z}"]);
        let paths: BTreeSet<_> = ways.iter().map(|way| &way.path).collect();
        assert_eq!(paths.len(), ways.len());
        for path in paths {
            assert_eq!(CanonPath::parse(path).unwrap().as_str(), path);
        }
    }

    #[test]
    fn very_many_ways_are_not_gone() {
        let texts: Vec<_> = (0..14)
            .flat_map(|at| {
                let segment = |i: usize, text: &str| {
                    if i == at { text.to_owned() } else { format!("{{s{i}}}") }
                };
                ["a", "b"].map(|text| {
                    let all: Vec<_> = (0..14).map(|i| segment(i, text)).collect();
                    format!("/{}", all.join("/"))
                })
            })
            .collect();
        let patterns: Vec<_> = texts.iter().map(|text| Pattern::parse(text).unwrap()).collect();
        let Ways { list, is_whole } = ways(&patterns);
        let exact = list.iter().filter(|way| !way.is_lookalike).count();
        assert!(exact <= 2 * MOST && !is_whole, "{exact}");
    }
    #[test]
    fn of_very_many_ways_each_pattern_keeps_its_own() {
        let mut texts: Vec<_> = (0..=MOST).map(|n| format!("/p{n:05}")).collect();
        texts.extend(["/q/{id}", "/q/*", "/q/{id}/x", "/{any}/r/"].map(str::to_owned));
        let patterns: Vec<_> = texts.iter().map(|text| Pattern::parse(text).unwrap()).collect();
        let Ways { list, is_whole } = ways(&patterns);
        let shown: BTreeSet<_> = list.iter().map(|way| way.shown.as_str()).collect();
        assert!(!is_whole && texts.iter().all(|text| shown.contains(text.as_str())));
    }
}
