//! Operations and sites, as they are found by a path and as a reference looks through all of them.

use std::collections::BTreeSet;

use grantgate::route::{CanonPath, Found, On, Operations, Prefix, Site, Sites};
use http::Method;

use super::{decoded, letters, reference};

/// Comparing takes every one of them with every spelling of a path.
const MOST: usize = 12;

/// What is listed, as it is found by and as a reference looks through it.
pub struct Table {
    operations: Operations<usize>,
    listed: Vec<(On, Vec<Part>)>,
    sites: Sites,
    prefixes: Vec<(Prefix, Vec<String>)>,
}

/// A segment of a pattern; the more specific is less.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Literal,
    Name,
    Rest,
}

type Part = (Kind, String);

impl Table {
    pub fn of(listed: &str) -> Self {
        let mut table = Self {
            operations: Operations::build([]).expect("nothing clashes"),
            listed: Vec::new(),
            sites: Sites::default(),
            prefixes: Vec::new(),
        };
        for line in listed.lines().take(MOST) {
            if line.starts_with('/') {
                table.list_prefix(line);
            } else if let Ok(on) = On::parse(line) {
                table.list_operation(on);
            }
        }
        table
    }

    /// Adds what does not clash with what is there.
    fn list_operation(&mut self, on: On) {
        let parts = parts(on.pattern.as_str());
        self.listed.push((on, parts));
        let all = self.listed.iter().enumerate();
        let all = all.map(|(at, (on, _))| (on.methods.clone(), on.pattern.clone(), at));
        match Operations::build(all) {
            Ok(operations) => self.operations = operations,
            Err(_) => drop(self.listed.pop()),
        }
    }

    fn list_prefix(&mut self, line: &str) {
        let Ok(prefix) = Prefix::parse(line) else { return };
        let segments = decoded(&reference(line).expect("a prefix is a canonical path"));
        let segments = without_slash(segments);
        if self.prefixes.iter().any(|(_, known)| *known == segments) {
            return;
        }
        self.prefixes.push((prefix, segments));
        let sites = self.prefixes.iter().enumerate().map(|(target, (prefix, _))| Site {
            hosts: Vec::new(),
            path_prefix: prefix.clone(),
            target,
        });
        self.sites = Sites::build(sites).expect("no two are equal");
    }

    pub fn check(&self, path: &CanonPath<'_>, segments: &[String]) {
        for method in [Method::GET, Method::HEAD, Method::POST, Method::DELETE, Method::PATCH] {
            let found = self.operations.find(&method, path);
            assert_eq!(found, self.operation(&method, segments), "{method} {path:?}");
        }
        let target = self.sites.find("api.example", path).map_err(|_| ());
        assert_eq!(target, self.site(segments), "{path:?}");
    }

    fn operation(&self, method: &Method, path: &[String]) -> Meant {
        let listed = || self.listed.iter().enumerate();
        let fitting: Vec<_> = listed()
            .filter(|(_, (_, parts))| fits(parts, path, |one, other| one == other))
            .collect();
        let meant = fitting
            .iter()
            .filter(|(_, (on, _))| on.methods.covers(method))
            .min_by_key(|(_, (_, parts))| kinds(parts));

        let path = without_slash(path.to_vec());
        let near = listed().filter(|(_, (_, parts))| {
            fits(&without_slash_part(parts), &path, str::eq_ignore_ascii_case)
        });
        match meant {
            Some((at, (_, parts))) => {
                let nearer = near.filter(|(_, (on, other))| {
                    on.methods.covers(method)
                        && kinds(&without_slash_part(other)) < kinds(&without_slash_part(parts))
                });
                let nearer: BTreeSet<usize> = nearer.map(|(at, _)| at).collect();
                if nearer.is_empty() {
                    Meant::Operation(*at)
                } else {
                    Meant::Near(nearer.into_iter().chain([*at]).collect())
                }
            }
            None if !fitting.is_empty() => {
                Meant::OtherMethods(fitting.iter().map(|(at, _)| *at).collect())
            }
            None => {
                let near: BTreeSet<usize> = near.map(|(at, _)| at).collect();
                if near.is_empty() { Meant::Unlisted } else { Meant::Near(near) }
            }
        }
    }

    /// The longest prefix that fits; none may be told where a longer one would, if letters had no case.
    fn site(&self, path: &[String]) -> Result<Option<usize>, ()> {
        let begins = |prefix: &[String], same: fn(&str, &str) -> bool| {
            let path = without_slash(path.to_vec());
            prefix.len() <= path.len()
                && prefix.iter().zip(&path).all(|(one, other)| same(one, other))
        };
        let prefixes = || self.prefixes.iter().map(|(_, segments)| segments).enumerate();
        let found = prefixes()
            .filter(|(_, prefix)| begins(prefix, |one, other| one == other))
            .max_by_key(|(_, prefix)| prefix.len());
        let longest = prefixes()
            .filter(|(_, prefix)| begins(prefix, str::eq_ignore_ascii_case))
            .map(|(_, prefix)| prefix.len())
            .max();
        match found {
            Some((_, prefix)) if longest > Some(prefix.len()) => Err(()),
            Some((at, _)) => Ok(Some(at)),
            None => Ok(None),
        }
    }
}

/// What a method and a path mean, by the places in the list.
#[derive(Debug, PartialEq)]
enum Meant {
    Near(BTreeSet<usize>),
    Operation(usize),
    OtherMethods(BTreeSet<usize>),
    Unlisted,
}

impl PartialEq<Meant> for Found<'_, usize> {
    fn eq(&self, meant: &Meant) -> bool {
        let of = |values: &[&usize]| values.iter().map(|at| **at).collect::<BTreeSet<_>>();
        match (self, meant) {
            (Found::Near { values }, Meant::Near(near)) => of(values) == *near,
            (Found::Operation(at), Meant::Operation(meant)) => *at == meant,
            (Found::OtherMethods { values, .. }, Meant::OtherMethods(listed)) => {
                of(values) == *listed
            }
            (Found::Unlisted, Meant::Unlisted) => true,
            _ => false,
        }
    }
}

/// The segments of a pattern that was read, its literals decoded.
fn parts(pattern: &str) -> Vec<Part> {
    let part = |segment: &str| match segment {
        "*" => (Kind::Rest, String::new()),
        name if name.starts_with('{') => (Kind::Name, String::new()),
        literal => {
            let letters = letters(literal).expect("a literal is as in a canonical path");
            (Kind::Literal, letters.iter().map(|(letter, _)| letter).collect())
        }
    };
    pattern.split('/').skip(1).map(part).collect()
}

fn kinds(parts: &[Part]) -> Vec<Kind> {
    parts.iter().map(|(kind, _)| *kind).collect()
}

fn fits(parts: &[Part], path: &[String], same: fn(&str, &str) -> bool) -> bool {
    match (parts.split_first(), path.split_first()) {
        (None, None) => true,
        (Some(((Kind::Rest, _), _)), Some((first, _))) => !first.is_empty(),
        (Some(((Kind::Name, _), parts)), Some((first, path))) => {
            !first.is_empty() && fits(parts, path, same)
        }
        (Some(((Kind::Literal, literal), parts)), Some((first, path))) => {
            same(literal, first) && fits(parts, path, same)
        }
        (None, Some(_)) | (Some(_), None) => false,
    }
}

fn without_slash(mut path: Vec<String>) -> Vec<String> {
    if path.last().is_some_and(String::is_empty) {
        path.pop();
    }
    path
}

fn without_slash_part(parts: &[Part]) -> Vec<Part> {
    let mut parts = parts.to_vec();
    if parts.last().is_some_and(|(kind, literal)| *kind == Kind::Literal && literal.is_empty()) {
        parts.pop();
    }
    parts
}
