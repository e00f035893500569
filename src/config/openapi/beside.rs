//! What must not be listed beside what is left out.
//!
//! A request for an operation that is left out goes to another one whose pattern is wider: `/users/me`,
//! left out, to `/users/{id}`. Where that does not ask at least as much, it is left out too.

use std::collections::HashMap;

use super::{Described, Description, LeftOut};
use crate::route::{On, Pattern};

impl Description {
    /// Puts the operations beside others, which were written by hand. Those take the place of the ones that
    /// they are about, listed or left out: these are given back. What would answer for what is still left
    /// out is left out with it.
    pub fn beside(&mut self, by_hand: &[On]) -> Vec<Described> {
        let (replaced, kept) = std::mem::take(&mut self.operations).into_iter().partition(|one| {
            by_hand.iter().any(|hand| {
                is_same(&hand.pattern, &one.pattern) && one.methods.lie_in(&hand.methods)
            })
        });
        self.operations = kept;
        self.left_out.retain(|left| {
            left.requests.as_ref().is_none_or(|(methods, like)| {
                !by_hand
                    .iter()
                    .any(|hand| is_same(&hand.pattern, like) && methods.lie_in(&hand.methods))
            })
        });
        self.leave_out_wider();
        replaced
    }

    fn leave_out_wider(&mut self) {
        let mut next = 0;
        while let Some(left) = self.left_out.get(next).cloned() {
            let (wider, kept): (Vec<_>, Vec<_>) = std::mem::take(&mut self.operations)
                .into_iter()
                .partition(|one| left.falls_to(one));
            self.operations = kept;
            self.left_out.extend(wider.into_iter().map(|one| {
                one.left_out(format!("it would answer `{}` too, which is left out", left.what))
            }));
            next += 1;
        }
    }

    /// Leaves out the later of two operations that no request could tell apart.
    pub(super) fn leave_out_twins(&mut self) {
        let mut seen: HashMap<String, String> = HashMap::new();
        for one in std::mem::take(&mut self.operations) {
            let is_name = |segment: &&str| segment.starts_with('{');
            let path = one.pattern.as_str().split('/');
            let shape: Vec<_> =
                path.map(|segment| Some(segment).filter(|s| !is_name(s)).unwrap_or("{}")).collect();
            let key = super::on(&one.methods, &shape.join("/"));
            if let Some(first) = seen.get(&key) {
                let reason = format!("`{first}` stands for the same requests");
                self.left_out.push(one.left_out(reason));
            } else {
                seen.insert(key, one.on());
                self.operations.push(one);
            }
        }
    }
}

impl LeftOut {
    /// Whether some request that it is about would be answered by `other`, which asks less or other things.
    fn falls_to(&self, other: &Described) -> bool {
        let Some((methods, like)) = &self.requests else { return false };
        let is_narrower = || other.pattern.lies_in(like) && !like.lies_in(&other.pattern);
        other.methods.overlaps(methods)
            && other.pattern.meets(like)
            && !is_narrower()
            && !self.asked.as_ref().is_some_and(|asked| other.asked.implies(asked))
    }
}

fn is_same(one: &Pattern, two: &Pattern) -> bool {
    one.lies_in(two) && two.lies_in(one)
}
