//! From a world in which the two disagree to a small one in which they still do.
//!
//! Grants, clients, operations and the token's claims are left out one by one, as long as the same
//! two answers differ. That ends in something that can be read, where shrinking the numbers that the
//! world was drawn from would take thousands of steps to end in less.

use super::request::Request;
use super::world::World;

/// The smallest that leaving out single things leads to; `differs` says whether it still shows.
pub(super) fn simplify(
    mut world: World,
    mut request: Request,
    differs: impl Fn(&World, &Request) -> bool,
) -> (World, Request) {
    loop {
        let Some(simpler) =
            simpler(&world, &request).find(|(world, request)| differs(world, request))
        else {
            return (world, request);
        };
        (world, request) = simpler;
    }
}

fn simpler(world: &World, request: &Request) -> impl Iterator<Item = (World, Request)> {
    let with = |change: &dyn Fn(&mut World)| {
        let mut world = world.clone();
        change(&mut world);
        (world, request.clone())
    };
    let mut simpler = Vec::new();
    for n in 0..world.grants.len() {
        simpler.push(with(&|world| drop(world.grants.remove(n))));
    }
    for n in 0..world.clients.len() {
        simpler.push(with(&|world| drop(world.clients.remove(n))));
    }
    for (api, operations) in world.apis.iter().map(|api| api.operations.len()).enumerate() {
        // An API without operations is not worth a gate.
        for n in (0..operations).filter(|_| operations > 1) {
            simpler.push(with(&|world| drop(world.apis[api].operations.remove(n))));
        }
    }
    for name in request.token.claims.keys() {
        let mut request = request.clone();
        request.token.claims.remove(name);
        simpler.push((world.clone(), request));
    }
    simpler.into_iter()
}
