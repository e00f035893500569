//! How often who may ask: so many requests a second on average, and so many at once (the generic cell rate
//! algorithm).
//!
//! An application is known by its verified token; whoever shows none, by the network that it comes from,
//! and there whoever fails to get a token apart from all others: many applications may come from one
//! address, a balancer's, and what strangers ask there keeps none of them from a token.
//! What is remembered is bounded: where too many ask at a time, those that come last share one allowance.

use std::cell::RefCell;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU32;
use std::time::{Duration, Instant};

/// Of so many it is remembered how much they have asked.
const MOST: usize = 10_000;

/// How much there is of an allowance: what is used up is back after this.
const SPAN: Duration = Duration::from_secs(1);

/// Whose allowance.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Who {
    /// An application of an issuer.
    Client {
        /// The issuer.
        issuer: Box<str>,
        /// Its id there.
        client: Box<str>,
    },
    /// Whoever comes from an address, or from the smallest network that one customer is given (RFC 6177).
    Stranger(Option<IpAddr>),
    /// Whoever fails to get a token, by the same.
    Applicant(Option<IpAddr>),
    /// All those of whom nothing can be remembered.
    Rest,
}

impl Who {
    /// An application of an issuer.
    pub(super) fn client(issuer: &str, client: &str) -> Self {
        Self::Client { issuer: issuer.into(), client: client.into() }
    }

    /// Whoever comes from an address.
    pub(super) fn stranger(address: Option<SocketAddr>) -> Self {
        Self::Stranger(address.map(network))
    }

    /// Whoever asks for a token there.
    pub(super) fn applicant(address: Option<SocketAddr>) -> Self {
        Self::Applicant(address.map(network))
    }
}

/// The smallest network that one customer is given.
pub(super) fn network(address: SocketAddr) -> IpAddr {
    match address.ip() {
        IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() >> 64 << 64).into(),
        ip @ IpAddr::V4(_) => ip,
    }
}

/// What is left of an allowance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Allowance {
    /// How much it is.
    pub(super) limit: NonZeroU32,
    /// How many requests may follow at once.
    pub(super) remaining: u32,
    /// How long to wait for the next one, where this one was too many.
    pub(super) exceeded: Option<Duration>,
}

/// Who has asked how much.
#[derive(Default)]
pub(super) struct Rates {
    /// When each will have asked nothing again.
    used_until: RefCell<HashMap<Who, Instant>>,
}

impl Rates {
    /// Counts a request that comes `now`, where `limit` may come in a second.
    pub(super) fn take(&self, who: Who, limit: NonZeroU32, now: Instant) -> Allowance {
        let mut used_until = self.used_until.borrow_mut();
        if !used_until.contains_key(&who) && used_until.len() >= MOST {
            used_until.retain(|_, until| *until > now);
        }
        let is_remembered = used_until.len() < MOST || used_until.contains_key(&who);
        let slot = used_until.entry(if is_remembered { who } else { Who::Rest }).or_insert(now);
        let (next, allowance) = count((*slot).max(now), limit, now);
        *slot = next;
        allowance
    }

    /// What [`Self::take`] would tell; nothing is counted.
    pub(super) fn look(&self, who: &Who, limit: NonZeroU32, now: Instant) -> Allowance {
        let used_until = self.used_until.borrow();
        let until = used_until.get(who).copied().unwrap_or(now).max(now);
        count(until, limit, now).1
    }
}

/// Counts one more request: until when there is something used up then, and what is left.
fn count(until: Instant, limit: NonZeroU32, now: Instant) -> (Instant, Allowance) {
    let each = SPAN / limit.get();
    let used = until.duration_since(now) + each;
    // What a division lost is nobody's.
    let most = each * limit.get();
    if let Some(wait) = used.checked_sub(most).filter(|wait| !wait.is_zero()) {
        return (until, Allowance { limit, remaining: 0, exceeded: Some(wait) });
    }
    let left = most.saturating_sub(used).as_nanos() / each.as_nanos().max(1);
    let remaining = u32::try_from(left).unwrap_or(u32::MAX);
    (until + each, Allowance { limit, remaining, exceeded: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FOUR: NonZeroU32 = NonZeroU32::new(4).unwrap();

    #[test]
    fn so_many_may_come_at_once_and_then_so_many_a_second() {
        let (rates, start) = (Rates::default(), Instant::now());
        let take = |at: u64| {
            let who = Who::client("https://issuer.example/", "tool");
            rates.take(who, FOUR, start + Duration::from_millis(at))
        };
        for left in [3, 2, 1, 0] {
            assert_eq!(take(0), Allowance { limit: FOUR, remaining: left, exceeded: None });
        }
        assert_eq!(take(0).exceeded, Some(Duration::from_millis(250)));
        assert_eq!(take(100).exceeded, Some(Duration::from_millis(150)));
        assert_eq!(take(250).exceeded, None, "what was refused is not counted");
        assert_eq!(take(250).exceeded, Some(Duration::from_millis(250)));
        assert_eq!(take(5000).remaining, 3, "nobody saves more than there is");
    }

    #[test]
    fn each_has_its_own_and_looking_costs_nothing() {
        let (rates, now) = (Rates::default(), Instant::now());
        let one = NonZeroU32::MIN;
        let who = |client: &str| Who::client("https://issuer.example/", client);
        assert_eq!(rates.take(who("a"), one, now).exceeded, None);
        assert!(rates.look(&who("a"), one, now).exceeded.is_some());
        assert_eq!(rates.look(&who("b"), one, now).exceeded, None);
        assert_eq!(rates.take(who("b"), one, now).exceeded, None);
    }

    #[test]
    fn strangers_of_one_network_are_one() {
        let stranger = |address: &str| Who::stranger(Some(address.parse().unwrap()));
        assert_eq!(stranger("[2001:db8::1]:1"), stranger("[2001:db8::2:0:0:9]:2"));
        assert_ne!(stranger("[2001:db8::1]:1"), stranger("[2001:db8:0:1::1]:1"));
        assert_eq!(stranger("192.0.2.1:1"), stranger("192.0.2.1:2"));
        assert_ne!(stranger("192.0.2.1:1"), stranger("192.0.2.2:1"));
    }

    #[test]
    fn what_strangers_ask_keeps_nobody_from_a_token_and_the_other_way_round() {
        let (now, one) = (Instant::now(), NonZeroU32::MIN);
        let address = Some("192.0.2.1:1".parse().unwrap());
        let whos = || [Who::stranger(address), Who::applicant(address)];
        for (loud, quiet) in [(0, 1), (1, 0)] {
            let rates = Rates::default();
            rates.take(whos()[loud].clone(), one, now);
            assert!(rates.look(&whos()[loud], one, now).exceeded.is_some());
            assert_eq!(rates.look(&whos()[quiet], one, now).exceeded, None);
        }
    }

    #[test]
    fn what_is_remembered_is_bounded_and_those_beyond_share() {
        let (rates, now) = (Rates::default(), Instant::now());
        let of = |number: usize, now| {
            rates.take(Who::client("https://issuer.example/", &number.to_string()), FOUR, now)
        };
        for number in 0..MOST {
            assert_eq!(of(number, now).remaining, 3);
        }
        let beyond: Vec<_> = (0..4).map(|more| of(MOST + more, now).remaining).collect();
        assert_eq!(beyond, [3, 2, 1, 0]);
        assert!(of(MOST + 9, now).exceeded.is_some());
        assert_eq!(of(0, now).remaining, 2, "those who are known keep what is theirs");
        assert!(rates.used_until.borrow().len() <= MOST + 1);
        assert_eq!(of(MOST + 9, now + SPAN).remaining, 3);
        assert_eq!(rates.used_until.borrow().len(), 1, "who was quiet is forgotten");
    }
}
