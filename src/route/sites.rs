//! Which API answers under a host and a path.
//!
//! [`Sites::build`] takes each API's hosts and prefix; [`Sites::find`] takes a host in its normal
//! spelling and a canonical path. An exact host comes before `*.suffix`, a longer suffix before a
//! shorter, any host last; under one host the longest prefix that fits. Where the more specific
//! host has none that fits, the next one is asked. A path that only its case keeps from a longer prefix,
//! or from a more specific host's, is refused: whoever serves both may take it for that one. Nothing is
//! allocated for a request.

use std::collections::BTreeMap;

use super::hosts::HostPattern;
use super::path::CanonPath;
use super::prefix::Prefix;

/// Where an API is served
#[derive(Clone, Debug)]
pub struct Site {
    /// Under these hosts; none means any
    pub hosts: Vec<HostPattern>,
    /// Below this path
    pub path_prefix: Prefix,
    /// The API, by a number of the caller's
    pub target: usize,
}

/// An immutable table of sites
#[derive(Clone, Debug, Default)]
pub struct Sites {
    exact: BTreeMap<String, Host>,
    suffix: BTreeMap<String, Host>,
    any: Host,
}

/// One host with one prefix twice, by the places of both in what was built from
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteClash {
    /// The first to have them
    pub first: usize,
    /// The later one; the same as `first` where one site lists a host twice
    pub second: usize,
    /// The host; `None` is any
    pub host: Option<HostPattern>,
}

impl Sites {
    /// Makes the table, or names every site that has host and prefix in common with an earlier one
    pub fn build(sites: impl IntoIterator<Item = Site>) -> Result<Self, Vec<SiteClash>> {
        let mut table = Self::default();
        let mut clashes = Vec::new();
        for (index, Site { hosts, path_prefix, target }) in sites.into_iter().enumerate() {
            let hosts =
                if hosts.is_empty() { vec![None] } else { hosts.into_iter().map(Some).collect() };
            for host in hosts {
                let area = Area { prefix: path_prefix.clone(), target, index };
                if let Some(first) = table.host(host.as_ref()).add(area) {
                    clashes.push(SiteClash { first, second: index, host });
                }
            }
        }
        if clashes.is_empty() { Ok(table) } else { Err(clashes) }
    }

    /// The target that answers; `host` is as [`normal_host`](super::normal_host) gives it
    ///
    /// # Errors
    /// When another one would answer if letters had no case.
    pub fn find(&self, host: &str, path: &CanonPath<'_>) -> Result<Option<usize>, NearPrefix> {
        let suffixes = suffixes(host).filter_map(|suffix| self.suffix.get(suffix));
        let hosts = self.exact.get(host).into_iter().chain(suffixes).chain([&self.any]);
        let mut near = false;
        for host in hosts {
            let found = host.areas.iter().find(|area| area.prefix.strip(path).is_some());
            let depth = found.map(|area| area.prefix.depth());
            let mut longer = host.areas.iter().take_while(|area| Some(area.prefix.depth()) > depth);
            near |= longer.any(|area| area.prefix.resembles(path));
            if let Some(found) = found {
                return if near { Err(NearPrefix) } else { Ok(Some(found.target)) };
            }
        }
        Ok(None)
    }

    fn host(&mut self, pattern: Option<&HostPattern>) -> &mut Host {
        match pattern {
            None => &mut self.any,
            Some(HostPattern::Exact(name)) => self.exact.entry(name.clone()).or_default(),
            Some(HostPattern::Suffix(name)) => self.suffix.entry(name.clone()).or_default(),
        }
    }
}

/// Only case keeps a path from a longer prefix than the one that fits
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it differs from a longer path prefix only by case")]
pub struct NearPrefix;

/// What stands behind each dot, the longest first
fn suffixes(host: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(host), |name| name.split_once('.').map(|(_, suffix)| suffix)).skip(1)
}

/// What is served under one host, the longest prefix first
#[derive(Clone, Debug, Default)]
struct Host {
    areas: Vec<Area>,
}

#[derive(Clone, Debug)]
struct Area {
    prefix: Prefix,
    target: usize,
    index: usize,
}

impl Host {
    /// Adds an area, or names the one that has its prefix already
    fn add(&mut self, area: Area) -> Option<usize> {
        if let Some(known) = self.areas.iter().find(|known| known.prefix == area.prefix) {
            return Some(known.index);
        }
        let at = self.areas.partition_point(|known| known.prefix.depth() >= area.prefix.depth());
        self.areas.insert(at, area);
        None
    }
}

#[cfg(test)]
mod tests;
