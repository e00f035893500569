//! Places for requests: of all that there are, whoever comes from one network may hold a part.
//!
//! Where few requests may be under way, one stranger who sends his as slowly as he may would otherwise
//! keep everybody else out. Nothing is remembered of who holds none.

use std::cell::RefCell;
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};

use super::rates::network;

/// So many requests of one network may be under way at a time.
pub(super) const MOST_OF_ONE: usize = 64;

/// Who holds how many places; whoever has no address of his own shares those of all such.
#[derive(Default)]
pub(super) struct Places {
    held: RefCell<HashMap<Option<IpAddr>, usize>>,
}

/// A place; free again when it is dropped.
pub(super) struct Taken<'a> {
    places: &'a Places,
    network: Option<IpAddr>,
}

impl Places {
    /// A place for whoever comes from there, if one is left for him.
    pub(super) fn take(&self, address: Option<SocketAddr>) -> Option<Taken<'_>> {
        let network = address.map(network);
        let mut places = self.held.borrow_mut();
        let held = places.entry(network).or_default();
        if *held >= MOST_OF_ONE {
            return None;
        }
        *held += 1;
        Some(Taken { places: self, network })
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        let mut places = self.places.held.borrow_mut();
        let Some(held) = places.get_mut(&self.network) else { return };
        *held -= 1;
        if *held == 0 {
            places.remove(&self.network);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_holds_all_his_places_keeps_nobody_else_out_and_gets_them_back() {
        let places = Places::default();
        let take = |address: &str| places.take(Some(address.parse().unwrap()));
        let mut taken: Vec<_> = (1..=64).map(|port| take(&format!("192.0.2.1:{port}"))).collect();
        assert!(taken.iter().all(Option::is_some));
        assert!(take("192.0.2.1:4711").is_none());
        assert!(take("192.0.2.2:4711").is_some() && places.take(None).is_some());
        taken.pop();
        assert!(take("192.0.2.1:4711").is_some());
        drop(taken);
        assert!(places.held.borrow().is_empty(), "nothing is remembered");

        let taken: Vec<_> = (1..=64).map(|host| take(&format!("[2001:db8::{host}]:1"))).collect();
        assert!(taken.iter().all(Option::is_some));
        assert!(take("[2001:db8::ffff:1]:1").is_none(), "one network");
        assert!(take("[2001:db8:0:1::1]:1").is_some());
    }
}
