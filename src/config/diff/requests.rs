//! What both sides ask of each request that can be told apart from others: of each way in which a path can
//! match the operations of either, with each method that one of them names, and with one that none does.

use std::sync::Arc;

use foldhash::HashMap;
use http::Method;

use super::What;
use super::alike::Side;
use crate::config::snapshot::{Operation, ServedApi, Unlisted};
use crate::policy::{Ask, NameSet, Need};
use crate::route::{CanonPath, Found, Methods, On, Pattern, Way, Ways, ways};

/// What is asked of requests.
pub(super) struct Requests {
    /// Of those that are spelled as they are listed.
    pub(super) exact: Vec<Step>,
    /// Of those that are not: they count where the others tell nothing.
    pub(super) lookalike: Vec<Step>,
    /// Whether these are all that can be told apart, as far as the two tables differ.
    pub(super) is_whole: bool,
}

/// What the two sides ask of some requests.
pub(super) struct Step {
    /// By the old side, and by the new one.
    pub(super) asked: [Asked; 2],
    /// What each of these requests is called.
    pub(super) called: Vec<What>,
}

/// What one side asks of a request. Names are those of both sides together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Asked {
    /// It refuses it in any case, also where it only reports.
    Refused,
    /// It refuses it because no operation lists it.
    Unlisted,
    Public,
    Token {
        scopes: NameSet,
        any: NameSet,
        details: NameSet,
    },
}

/// Translates a side's sets: of scopes, and of details.
pub(super) type Translate<'t> = dyn Fn(usize, &NameSet, &NameSet) -> (NameSet, NameSet) + 't;

impl Requests {
    pub(super) fn of(sides: [Option<Side<'_>>; 2], translate: &Translate<'_>) -> Self {
        let mut patterns = Vec::new();
        let mut methods = Vec::new();
        for served in sides.iter().flatten().map(|side| side.served) {
            for operation in served.operations.iter() {
                let Ok(On { methods: own, pattern }) = On::parse(&operation.on) else { continue };
                patterns.push(pattern);
                if let Methods::Listed(own) = own {
                    methods.extend(own);
                }
            }
        }
        // Whatever is below the prefix may be asked for; last, since others say how segments are called.
        for served in sides.iter().flatten().map(|side| side.served) {
            let below = format!("{}/{{any}}", served.path_prefix.to_string().trim_end_matches('/'));
            patterns.extend(Pattern::parse(&below));
        }
        let methods = Told::apart(methods);
        let is_one_table = match sides {
            [Some(old), Some(new)] => old.asks_alike(new),
            _ => true,
        };
        let mut exact = Steps::default();
        let mut lookalike = Steps::default();
        let Ways { list, is_whole } = ways(&patterns);
        for way in list {
            // Where no table differs, what is asked otherwise of an odd spelling is so of a plain one.
            let steps = match way.is_lookalike {
                true if is_one_table => continue,
                true => &mut lookalike,
                false => &mut exact,
            };
            steps.add(&way, &methods, sides, translate);
        }
        Self {
            exact: exact.whole(),
            lookalike: lookalike.apart(),
            is_whole: is_whole || is_one_table,
        }
    }
}

/// The methods that may be told apart.
struct Told {
    listed: Vec<Method>,
    /// Stands for all others.
    other: Method,
}

impl Told {
    fn apart(mut listed: Vec<Method>) -> Self {
        if listed.contains(&Method::GET) {
            listed.push(Method::HEAD);
        }
        let mut told: Vec<Method> = Vec::new();
        for method in listed {
            if !told.contains(&method) {
                told.push(method);
            }
        }
        let own = || {
            (0_u32..).find_map(|n| {
                let method = Method::from_bytes(format!("OTHER{n}").as_bytes()).ok()?;
                (!told.contains(&method)).then_some(method)
            })
        };
        // `OPTIONS` first: what is listed for any method is asked with a method that exists.
        let known = [Method::OPTIONS, Method::PATCH, Method::DELETE, Method::PUT];
        let other = known.into_iter().find(|method| !told.contains(method));
        Self { other: other.or_else(own).unwrap_or_default(), listed: told }
    }

    fn all(&self) -> impl Iterator<Item = &Method> {
        self.listed.iter().chain([&self.other])
    }

    /// Some of them as `on` writes methods. `GET` covers `HEAD`.
    fn written(&self, methods: &[&Method]) -> String {
        if methods.contains(&&self.other) {
            return "*".to_owned();
        }
        let has_get = methods.contains(&&Method::GET);
        let shown = methods.iter().filter(|method| !(has_get && ***method == Method::HEAD));
        shown.map(|method| method.as_str()).collect::<Vec<_>>().join(",")
    }
}

/// How one side takes a request.
#[derive(Clone, PartialEq, Eq)]
struct Answer {
    asked: Asked,
    /// The operation that it means, as written.
    on: Option<Arc<str>>,
    /// Whether some operation has its path.
    is_listed: bool,
}

#[derive(Default)]
struct Steps {
    list: Vec<([Asked; 2], Vec<Called>)>,
    places: HashMap<[Asked; 2], usize>,
}

/// A way of matching a path, with some methods.
struct Called {
    what: What,
    /// The operation that it means, where it means the same on all sides that list it.
    on: Option<Arc<str>>,
}

impl Steps {
    fn add(
        &mut self,
        way: &Way,
        methods: &Told,
        sides: [Option<Side<'_>>; 2],
        translate: &Translate<'_>,
    ) {
        let Ok(path) = CanonPath::parse(&way.path) else { return };
        let mut groups: Vec<([Answer; 2], Vec<&Method>)> = Vec::new();
        for method in methods.all() {
            let of = |index: usize| {
                let served = sides.get(index).copied().flatten().map(|side| side.served);
                answer(served, method, &path, &|need| asked(need, index, translate))
            };
            let answers = [of(0), of(1)];
            match groups.iter_mut().find(|(known, _)| *known == answers) {
                Some((_, group)) => group.push(method),
                None => groups.push((answers, vec![method])),
            }
        }
        for ([old, new], group) in groups {
            if old.asked == new.asked && matches!(new.asked, Asked::Refused | Asked::Unlisted) {
                continue;
            }
            let what = if old.is_listed || new.is_listed {
                What::Operation(format!("{} {}", methods.written(&group), way.shown).into())
            } else {
                What::Unlisted
            };
            let asked = [old.asked, new.asked];
            let place = *self.places.entry(asked.clone()).or_insert_with(|| {
                self.list.push((asked, Vec::new()));
                self.list.len() - 1
            });
            if let Some((_, called)) = self.list.get_mut(place) {
                called.push(Called { what, on: new.on.or(old.on) });
            }
        }
    }

    /// The steps. An operation all of whose ways are in one of them is called as it is written.
    fn whole(self) -> Vec<Step> {
        let mut steps: HashMap<Arc<str>, Option<usize>> = HashMap::default();
        for (index, (_, called)) in self.list.iter().enumerate() {
            for on in called.iter().filter_map(|called| called.on.clone()) {
                let only = steps.entry(on).or_insert(Some(index));
                *only = only.filter(|only| *only == index);
            }
        }
        let is_whole = |on: &Arc<str>| steps.get(on).copied().flatten().is_some();
        let list = self.list.into_iter().map(|(asked, called)| {
            let called = called
                .into_iter()
                .map(|Called { what, on }| on.filter(is_whole).map_or(what, What::Operation));
            let mut called: Vec<_> = called.collect();
            called.sort();
            called.dedup();
            Step { asked, called }
        });
        list.collect()
    }

    /// The steps, with each way by its own name.
    fn apart(self) -> Vec<Step> {
        let list = self.list.into_iter().map(|(asked, called)| Step {
            asked,
            called: called.into_iter().map(|called| called.what).collect(),
        });
        list.collect()
    }
}

fn answer(
    served: Option<&ServedApi>,
    method: &Method,
    path: &CanonPath<'_>,
    read: &dyn Fn(&Need) -> Asked,
) -> Answer {
    let refused = |is_listed| Answer { asked: Asked::Refused, on: None, is_listed };
    let Some(served) = served.filter(|served| served.path_prefix.strip(path).is_some()) else {
        return refused(false);
    };
    match served.operations.find(method, path) {
        Found::Operation(Operation { ask, on, .. }) => {
            let asked = match ask {
                Ask::Public => Asked::Public,
                Ask::Token(need) => read(need),
            };
            Answer { asked, on: Some(on.as_str().into()), is_listed: true }
        }
        Found::Unlisted => {
            let asked = match served.unlisted {
                Unlisted::AnyToken => read(&Need::default()),
                Unlisted::Deny => Asked::Unlisted,
            };
            Answer { asked, on: None, is_listed: false }
        }
        Found::Near { .. } | Found::OtherMethods { .. } => refused(true),
    }
}

fn asked(need: &Need, side: usize, translate: &Translate<'_>) -> Asked {
    let (scopes, details) = translate(side, &need.scopes, &need.details);
    let (any, _) = translate(side, &need.any_scopes.iter().copied().collect(), &NameSet::EMPTY);
    Asked::Token { scopes, any, details }
}
