//! Cases by name, and the table against a list that is searched site by site.

use std::cell::Cell;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use super::*;

fn site(hosts: &[&str], prefix: &str, target: usize) -> Site {
    let hosts = hosts.iter().map(|host| HostPattern::parse(host).unwrap()).collect();
    Site { hosts, path_prefix: Prefix::parse(prefix).unwrap(), target }
}

fn find(sites: &Sites, host: &str, path: &str) -> Option<usize> {
    ask(sites, host, path).unwrap()
}

fn ask(sites: &Sites, host: &str, path: &str) -> Result<Option<usize>, NearPrefix> {
    sites.find(host, &CanonPath::parse(path).unwrap())
}

#[test]
fn the_more_specific_host_comes_first() {
    let sites = Sites::build([
        site(&[], "/", 0),
        site(&["*.example.com"], "/", 1),
        site(&["*.eu.example.com"], "/", 2),
        site(&["orders.eu.example.com", "[::1]"], "/", 3),
    ])
    .unwrap();
    for (host, target) in [
        ("orders.eu.example.com", 3),
        ("[::1]", 3),
        ("carts.eu.example.com", 2),
        ("a.b.eu.example.com", 2),
        ("eu.example.com", 1),
        ("example.com", 0),
        ("notexample.com", 0),
        ("other", 0),
    ] {
        assert_eq!(find(&sites, host, "/x"), Some(target), "{host}");
    }
}

#[test]
fn the_longest_prefix_comes_first_on_whole_segments() {
    let sites =
        Sites::build([site(&[], "/api", 0), site(&[], "/api/v1/x", 1), site(&[], "/api/v1", 2)])
            .unwrap();
    for (path, target) in [
        ("/api", Some(0)),
        ("/api/v2", Some(0)),
        ("/api/v10", Some(0)),
        ("/api/v1", Some(2)),
        ("/api/v1/", Some(2)),
        ("/api/v1/x/y", Some(1)),
        ("/apis", None),
        ("/", None),
    ] {
        assert_eq!(find(&sites, "h", path), target, "{path}");
    }
}

#[test]
fn a_host_without_a_prefix_that_fits_gives_way() {
    let sites = Sites::build([
        site(&["a.example.com"], "/a", 0),
        site(&["*.example.com"], "/b", 1),
        site(&["*.com"], "/c", 2),
        site(&[], "/", 3),
    ])
    .unwrap();
    for (path, target) in [("/a", 0), ("/b/x", 1), ("/c", 2), ("/d", 3)] {
        assert_eq!(find(&sites, "a.example.com", path), Some(target), "{path}");
    }
}

#[test]
fn case_does_not_lead_past_the_longer_prefix() {
    let sites = Sites::build([
        site(&[], "/", 0),
        site(&[], "/admin", 1),
        site(&["a.example.com"], "/v1/keys", 2),
        site(&["b.example.com"], "/x", 3),
        site(&["b.example.com"], "/X", 4),
    ])
    .unwrap();
    for (host, path, found) in [
        ("h", "/admin/x", Ok(Some(1))),
        ("h", "/ADMIN/x", Err(NearPrefix)),
        ("h", "/%41dmin", Err(NearPrefix)),
        ("h", "/admins", Ok(Some(0))),
        ("h", "/V1/keys", Ok(Some(0))),
        ("a.example.com", "/v1/Keys/7", Err(NearPrefix)),
        ("a.example.com", "/v1", Ok(Some(0))),
        ("b.example.com", "/x/y", Ok(Some(3))),
        ("b.example.com", "/X/y", Ok(Some(4))),
    ] {
        assert_eq!(ask(&sites, host, path), found, "{host} {path}");
    }
    assert_eq!(ask(&Sites::build([site(&[], "/a", 0)]).unwrap(), "h", "/A"), Ok(None));
}

#[test]
fn a_host_and_prefix_stand_once() {
    let clashes = Sites::build([
        site(&["a.example", "b.example"], "/x", 0),
        site(&["B.example.", "*.b.example"], "/x/", 1),
        site(&["b.example"], "/y", 2),
        site(&[], "/", 3),
        site(&[], "/", 4),
        site(&["c.example", "C.EXAMPLE"], "/%78", 5),
        site(&["b.example"], "/%78", 6),
    ])
    .unwrap_err();
    let clash = |first, second, host: Option<&str>| SiteClash {
        first,
        second,
        host: host.map(|host| HostPattern::parse(host).unwrap()),
    };
    assert_eq!(
        clashes,
        [
            clash(0, 1, Some("b.example")),
            clash(3, 4, None),
            clash(5, 5, Some("c.example")),
            clash(0, 6, Some("b.example")),
        ]
    );
}

#[test]
fn no_sites_answer_nothing() {
    assert_eq!(find(&Sites::default(), "h", "/"), None);
}

/// The rules once more: of all sites that fit, the one with the most specific host, then prefix
fn listed(
    sites: &[(Option<&str>, &str)],
    host: &str,
    path: &str,
) -> Result<Option<usize>, NearPrefix> {
    let best = |any_case: bool| {
        let fold = |text: &str| if any_case { text.to_ascii_lowercase() } else { text.to_owned() };
        best_of(sites, host, &fold(path), fold)
    };
    let Some((weight, index)) = best(false) else { return Ok(None) };
    if best(true).is_some_and(|(other, _)| other > weight) {
        return Err(NearPrefix);
    }
    Ok(Some(index))
}

/// How specific a host is, and the length of a prefix
type Weight = ((usize, usize), usize);

/// The most specific host and prefix that fit, and their place
fn best_of(
    sites: &[(Option<&str>, &str)],
    host: &str,
    path: &str,
    fold: impl Fn(&str) -> String,
) -> Option<(Weight, usize)> {
    let under = |prefix: &str| {
        let prefix = fold(prefix.trim_end_matches('/'));
        path.strip_prefix(&prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let weight = |pattern: Option<&str>| match pattern {
        None => Some((0, 0)),
        Some(exact) if exact == host => Some((2, 0)),
        Some(pattern) => {
            let suffix = pattern.strip_prefix('*')?;
            (host.ends_with(suffix) && host.len() > suffix.len()).then_some((1, suffix.len()))
        }
    };
    let fitting = sites.iter().enumerate().filter(|(_, (_, prefix))| under(prefix));
    let weighed = fitting.filter_map(|(i, (pattern, prefix))| {
        Some(((weight(*pattern)?, prefix.trim_end_matches('/').len()), i))
    });
    weighed.max()
}

#[test]
fn the_table_agrees_with_the_list() {
    let pattern = proptest::sample::select(vec![
        None,
        Some("a"),
        Some("b.a"),
        Some("c.b.a"),
        Some("*.a"),
        Some("*.b.a"),
        Some("*.c.b.a"),
    ]);
    let prefix = proptest::sample::select(vec![
        "/", "/x", "/x/", "/X", "/x/y", "/x/Y", "/x/y/z", "/xy", "/y",
    ]);
    let sites = proptest::collection::vec((pattern, prefix), 0..10);
    let host = proptest::sample::select(vec!["a", "b.a", "c.b.a", "d.c.b.a", "b.b.a", "ba", "c"]);
    let path = proptest::sample::select(vec![
        "/", "/x", "/x/", "/X/y", "/x/y", "/x/y/z/", "/x/Y/z", "/xy", "/y/x",
    ]);
    let requests = proptest::collection::vec((host, path), 8);
    let reached = [const { Cell::new(0) }; 6];
    let count = |n: usize| reached[n].set(reached[n].get() + 1);
    let config =
        ProptestConfig { cases: 3_000, source_file: Some(file!()), ..ProptestConfig::default() };
    TestRunner::new(config)
        .run(&(sites, requests), |(sites, requests)| {
            let mut kept: Vec<(Option<&str>, &str)> = Vec::new();
            let mut clashes = Vec::new();
            let same =
                |one: &str, two: &str| one.trim_end_matches('/') == two.trim_end_matches('/');
            for (index, (host, prefix)) in sites.iter().enumerate() {
                let earlier = sites[..index].iter().position(|(h, p)| h == host && same(p, prefix));
                match earlier {
                    Some(first) => clashes.push((first, index)),
                    None => kept.push((*host, prefix)),
                }
            }
            let build = |sites: &[(Option<&str>, &str)]| {
                let site = |(i, (host, prefix)): (usize, &(Option<&str>, &str))| {
                    site(host.as_slice(), prefix, i)
                };
                Sites::build(sites.iter().enumerate().map(site))
            };
            let named: Vec<_> = build(&sites).err().unwrap_or_default();
            prop_assert_eq!(named.iter().map(|c| (c.first, c.second)).collect::<Vec<_>>(), clashes);
            let table = build(&kept).unwrap();
            for (host, path) in requests {
                let found = ask(&table, host, path);
                prop_assert_eq!(found, listed(&kept, host, path), "{} {} {:?}", host, path, kept);
                count(match found.map(|found| found.map(|i| kept[i].0)) {
                    Ok(None) => 0,
                    Ok(Some(None)) => 1,
                    Ok(Some(Some(suffix))) if suffix.starts_with("*.b") => 2,
                    Ok(Some(Some(suffix))) if suffix.starts_with('*') => 3,
                    Ok(Some(Some(_))) => 4,
                    Err(NearPrefix) => 5,
                });
            }
            Ok(())
        })
        .unwrap();
    for (n, times) in reached.iter().map(Cell::get).enumerate() {
        assert!(times > 200, "answer {n} was reached {times} times only");
    }
}
