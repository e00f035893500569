//! The rules once more, over a list of texts and without a tree: both find the same.

use std::cell::Cell;
use std::cmp::Ordering;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use super::*;

/// Operations in the order written
struct List(Vec<(Methods, Vec<String>)>);

impl List {
    fn of(ons: &[On]) -> Self {
        let split = |on: &On| (on.methods.clone(), parts(on.pattern.as_str()));
        Self(ons.iter().map(split).collect())
    }

    fn clashes(&self) -> Vec<Clash> {
        let nameless = |parts: &[String]| -> Vec<String> {
            parts
                .iter()
                .map(|p| if p.starts_with('{') { "{}".into() } else { decoded(p) })
                .collect()
        };
        let common = |one: &Methods, two: &Methods| {
            METHODS.iter().any(|name| one.covers(&method(name)) && two.covers(&method(name)))
        };
        let mut clashes = Vec::new();
        for (second, (methods, pattern)) in self.0.iter().enumerate() {
            for (first, (others, other)) in self.0.iter().enumerate().take(second) {
                if nameless(pattern) == nameless(other) && common(methods, others) {
                    clashes.push(Clash { first, second });
                }
            }
        }
        clashes
    }

    fn find(&self, asked: &Method, path: &str) -> Found<'static, usize> {
        let on_path = self.matching(path, false);
        let candidates = on_path.iter().filter(|i| self.0[**i].0.covers(asked));
        let toggled = match path.strip_suffix('/') {
            Some("") => path.to_owned(),
            Some(without) => without.to_owned(),
            None => format!("{path}/"),
        };
        let mut near = self.matching(path, true);
        near.extend(self.matching(&toggled, true));
        near.sort_unstable();
        near.dedup();
        if let Some(&best) = candidates.min_by(|one, two| self.specificity(**one, **two)) {
            let is_nearer =
                |i: usize| self.0[i].0.covers(asked) && self.specificity(i, best).is_lt();
            near.retain(|&i| i == best || is_nearer(i));
            return match near.as_slice() {
                [_] => Found::Operation(leak(best)),
                several => Found::Near { values: several.iter().copied().map(leak).collect() },
            };
        }
        if !on_path.is_empty() {
            let allow = METHODS.iter().map(|name| method(name));
            let allow = allow.filter(|m| on_path.iter().any(|i| self.0[*i].0.covers(m))).collect();
            return Found::OtherMethods { allow, values: on_path.into_iter().map(leak).collect() };
        }
        if near.is_empty() {
            return Found::Unlisted;
        }
        Found::Near { values: near.into_iter().map(leak).collect() }
    }

    fn matching(&self, path: &str, any_case: bool) -> Vec<usize> {
        let path = parts(path);
        let same = |one: &str, two: &str| {
            let (one, two) = (decoded(one), decoded(two));
            one == two || any_case && one.eq_ignore_ascii_case(&two)
        };
        let matches = |pattern: &[String]| {
            let starred = pattern.last().is_some_and(|last| last == "*");
            let fixed = pattern.len() - usize::from(starred);
            let long_enough = if starred { path.len() > fixed } else { path.len() == fixed };
            long_enough
                && (!starred || !path[fixed].is_empty())
                && pattern[..fixed].iter().zip(&path).all(|(part, given)| {
                    if part.starts_with('{') { !given.is_empty() } else { same(part, given) }
                })
        };
        (0..self.0.len()).filter(|i| matches(&self.0[*i].1)).collect()
    }

    fn specificity(&self, one: usize, two: usize) -> Ordering {
        let rank = |part: &String| match part.as_str() {
            "*" => 2,
            name if name.starts_with('{') => 1,
            _ => 0,
        };
        let ranks = |of: usize| self.0[of].1.iter().filter(|part| !part.is_empty()).map(rank);
        ranks(one).cmp(ranks(two))
    }
}

fn parts(path: &str) -> Vec<String> {
    path.split('/').skip(1).map(str::to_owned).collect()
}

fn decoded(part: &str) -> String {
    part.replace("%40", "@")
}

/// Small numbers with a lifetime, so that the list answers in the tree's own type
fn leak(index: usize) -> &'static usize {
    const NUMBERS: [usize; 16] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
    &NUMBERS[index]
}

/// Sorted, as in `Allow`
const METHODS: [&str; 4] = ["GET", "HEAD", "POST", "PURGE"];

fn ons() -> impl Strategy<Value = Vec<On>> {
    let methods =
        proptest::sample::select(vec!["GET", "POST", "HEAD", "GET,POST", "PURGE,HEAD", "*"]);
    let segment = proptest::sample::select(vec!["a", "A", "b", "@", "%40", "{x}", "{x}"]);
    let segments = proptest::collection::vec(segment, 0..4);
    let end = proptest::sample::select(vec!["", "", "", "*", "/"]);
    let on = (methods, segments, end).prop_map(|(methods, segments, end)| {
        let named = segments.iter().enumerate().map(|(n, s)| s.replace('x', &format!("x{n}")));
        let path = format!("/{}", named.collect::<Vec<_>>().join("/"));
        let path = match end {
            "" => path,
            end => format!("{}/{}", path.trim_end_matches('/'), end.trim_start_matches('/')),
        };
        On::parse(&format!("{methods} {path}")).unwrap()
    });
    proptest::collection::vec(on, 0..12)
}

fn paths() -> impl Strategy<Value = String> {
    let segment = proptest::sample::select(vec!["a", "A", "b", "B", "@", "%40", "c"]);
    (proptest::collection::vec(segment, 0..5), any::<bool>()).prop_map(|(segments, slash)| {
        let path = format!("/{}", segments.join("/"));
        if slash && path != "/" { path + "/" } else { path }
    })
}

#[test]
fn the_tree_agrees_with_the_list() {
    let reached = [const { Cell::new(0) }; 6];
    let count = |n: usize| reached[n].set(reached[n].get() + 1);
    let cases =
        (ons(), proptest::collection::vec((proptest::sample::select(&METHODS[..]), paths()), 8));
    let config =
        ProptestConfig { cases: 4_000, source_file: Some(file!()), ..ProptestConfig::default() };
    TestRunner::new(config)
        .run(&cases, |(mut ons, requests)| {
            let numbered = |ons: &[On]| {
                Operations::build(
                    ons.iter().cloned().enumerate().map(|(i, on)| (on.methods, on.pattern, i)),
                )
            };
            let clashes = List::of(&ons).clashes();
            prop_assert_eq!(&numbered(&ons).err().unwrap_or_default(), &clashes);
            if !clashes.is_empty() {
                count(0);
            }
            let mut index = 0..;
            ons.retain(|_| {
                let index = index.next();
                clashes.iter().all(|clash| Some(clash.second) != index)
            });
            let (tree, list) = (numbered(&ons).unwrap(), List::of(&ons));
            for (name, raw) in requests {
                let path = CanonPath::parse(&raw).unwrap();
                let found = tree.find(&method(name), &path);
                prop_assert_eq!(
                    &found,
                    &list.find(&method(name), &raw),
                    "{} {} {:?}",
                    name,
                    raw,
                    ons
                );
                let matching = ons.iter().filter(|on| on.pattern.matches(&path)).count();
                prop_assert_eq!(matching, list.matching(&raw, false).len());
                count(match found {
                    Found::Near { .. } => 1,
                    Found::Operation(_) if matching > 1 => 2,
                    Found::Operation(_) => 3,
                    Found::OtherMethods { .. } => 4,
                    Found::Unlisted => 5,
                });
            }
            Ok(())
        })
        .unwrap();
    for (n, times) in reached.iter().map(Cell::get).enumerate() {
        assert!(times > 200, "answer {n} was reached {times} times only");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn every_spelling_of_a_path_finds_the_same(
        ons in ons(),
        raw in paths(),
        name in proptest::sample::select(&METHODS[..]),
        coins in proptest::collection::vec(any::<bool>(), 16),
    ) {
        let clashes = List::of(&ons).clashes();
        let stands = |i: usize| clashes.iter().all(|clash| clash.second != i);
        let ons = ons.into_iter().enumerate().filter(|(i, _)| stands(*i));
        let tree = Operations::build(ons.map(|(i, on)| (on.methods, on.pattern, i))).unwrap();
        let coins = coins.into_iter().cycle();
        let other: String = raw.replace("%40", "@").chars().zip(coins).map(|(letter, coin)| match letter {
            '/' => "/".to_owned(),
            _ if coin => format!("%{:02x}", u32::from(letter)),
            _ => letter.to_string(),
        }).collect();
        let (one, two) = (CanonPath::parse(&raw).unwrap(), CanonPath::parse(&other).unwrap());
        prop_assert_eq!(tree.find(&method(name), &one), tree.find(&method(name), &two), "{} {}", raw, other);
    }
}
