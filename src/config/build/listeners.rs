//! The listeners that ask nobody who they are, health and admin; and whether all can have their addresses.

use core::net::{IpAddr, SocketAddr};

use super::context::{At, Context};
use super::merge::Merged;
use crate::config::snapshot::{Admin, Listen, Readiness};
use crate::config::{Code, Place, raw};

/// Where health is answered, and what makes the gateway ready.
pub(super) fn health(
    ctx: &mut Context<'_, '_>,
    section: Option<&At<&raw::Health>>,
) -> (Option<SocketAddr>, Readiness) {
    let default = Some(SocketAddr::from(([0, 0, 0, 0], 9180)));
    let Some(At { place, raw }) = section else { return (default, Readiness::default()) };
    let listen = match raw.listen.as_deref() {
        None => default,
        Some("none") => None,
        Some(text) => ctx.address(&place.key("listen"), text),
    };
    let readiness = match raw.readiness {
        None | Some(raw::Readiness::Lenient) => Readiness::Lenient,
        Some(raw::Readiness::Strict) => Readiness::Strict,
    };
    (listen, readiness)
}

/// Where the gateway's state is told. It is for those on this machine, unless somebody says otherwise:
/// it names issuers, applications' APIs and files.
pub(super) fn admin(ctx: &mut Context<'_, '_>, section: Option<&At<&raw::Admin>>) -> Option<Admin> {
    let Some((place, text)) = section.and_then(|at| Some((&at.place, at.raw.listen.as_deref()?)))
    else {
        let listen = Listen::Tcp(SocketAddr::from(([127, 0, 0, 1], 9181)));
        return Some(Admin { listen, required: false });
    };
    if text == "none" {
        return None;
    }
    let place = place.key("listen");
    let listen = ctx.listen(&place, text)?;
    let allowed = section.is_some_and(|at| at.raw.allow_remote == Some(true));
    if let Listen::Tcp(address) = listen
        && !address.ip().to_canonical().is_loopback()
        && !allowed
    {
        ctx.report
            .push(Code::AdminRemote, &place, format!("`{text}` can be reached from other machines"))
            .help(
                "write `127.0.0.1:9181` or `unix:/run/grantgate-admin.sock`, or beside it \
                `allow_remote: true`: it asks nobody who they are",
            );
        return None;
    }
    Some(Admin { listen, required: true })
}

/// A listener, for the question whether another has its address.
struct Listener {
    what: &'static str,
    key: &'static str,
    listen: Listen,
    /// Where its section is, and whether its address is written there.
    place: Option<(Place, bool)>,
}

/// Two listeners on one port: the second could not be bound, and that would be found at the start
/// alone. An unspecified address overlaps with every other of its family, and `[::]` with all.
pub(super) fn listen_twice(
    ctx: &mut Context<'_, '_>,
    merged: &Merged<'_>,
    traffic: &Listen,
    health: Option<SocketAddr>,
    admin: Option<&Admin>,
    management: Option<SocketAddr>,
) {
    let (server, of_health) = (merged.server.as_ref(), merged.health.as_ref());
    let traffic = Some(Listener {
        what: "traffic",
        key: "server.listen",
        listen: traffic.clone(),
        place: server.map(|at| (at.place.key("listen"), at.raw.listen.is_some())),
    });
    let health = health.map(|address| Listener {
        what: "health",
        key: "health.listen",
        listen: Listen::Tcp(address),
        place: of_health.map(|at| (at.place.key("listen"), at.raw.listen.is_some())),
    });
    // One that nobody asked for steps aside.
    let admin = admin.filter(|admin| admin.required).map(|admin| Listener {
        what: "admin",
        key: "admin.listen",
        listen: admin.listen.clone(),
        place: merged.admin.as_ref().map(|at| (at.place.key("listen"), true)),
    });
    let management = management.map(|address| Listener {
        what: "management",
        key: "management.listen",
        listen: Listen::Tcp(address),
        place: merged.management.as_ref().map(|at| (at.place.key("listen"), true)),
    });
    let listeners: Vec<_> = [traffic, health, admin, management].into_iter().flatten().collect();
    let mut earlier = listeners.as_slice();
    while let Some((last, others)) = earlier.split_last() {
        for other in others {
            clash(ctx, other, last);
        }
        earlier = others;
    }
}

fn clash(ctx: &mut Context<'_, '_>, one: &Listener, other: &Listener) {
    let clashes = match (&one.listen, &other.listen) {
        (Listen::Tcp(one), Listen::Tcp(other)) => overlap(*one, *other),
        (Listen::Unix(one), Listen::Unix(other)) => one == other,
        _ => false,
    };
    // For an address that could not be read its default stands in, which nobody meant.
    let doubtful = |(place, _): &(Place, bool)| {
        ctx.report.is_refused(place) || ctx.report.has_error_within(place)
    };
    if !clashes || [one, other].iter().filter_map(|it| it.place.as_ref()).any(doubtful) {
        return;
    }
    let message = format!(
        "{} on `{}` and {} on `{}` cannot both listen",
        one.what, one.listen, other.what, other.listen
    );
    let written = |it: &Listener| {
        it.place.as_ref().filter(|(_, written)| *written).map(|(place, _)| place.clone())
    };
    let differ = match one.listen {
        Listen::Tcp(_) => "make the ports differ",
        Listen::Unix(_) => "make the paths differ",
    };
    let default = |it: &Listener| {
        format!("{differ}; `{}` is not written, and is `{}` by default", it.key, it.listen)
    };
    match (written(one), written(other)) {
        (Some(first), Some(second)) => {
            let taken = match one.listen {
                Listen::Tcp(_) => "this port is taken here",
                Listen::Unix(_) => "this path is taken here",
            };
            ctx.report.push(Code::ListenTwice, &second, message).also(&first, taken).help(differ);
        }
        (Some(place), None) => {
            ctx.report.push(Code::ListenTwice, &place, message).help(default(other));
        }
        (None, Some(place)) => {
            ctx.report.push(Code::ListenTwice, &place, message).help(default(one));
        }
        (None, None) => {}
    }
}

fn overlap(one: SocketAddr, other: SocketAddr) -> bool {
    let (first, second) = (one.ip(), other.ip());
    let covers =
        |wide: IpAddr, ip: IpAddr| wide.is_unspecified() && (wide.is_ipv6() || ip.is_ipv4());
    one.port() != 0
        && one.port() == other.port()
        && (first == second || covers(first, second) || covers(second, first))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_overlap_by_port_and_by_all_of_a_family() {
        let overlap =
            |one: &str, other: &str| overlap(one.parse().unwrap(), other.parse().unwrap());
        for (one, other) in [
            ("127.0.0.1:80", "127.0.0.1:80"),
            ("0.0.0.0:80", "127.0.0.1:80"),
            ("[::]:80", "127.0.0.1:80"),
            ("[::]:80", "0.0.0.0:80"),
            ("[::]:80", "[::1]:80"),
        ] {
            assert!(overlap(one, other) && overlap(other, one), "{one} {other}");
        }
        for (one, other) in [
            ("127.0.0.1:80", "127.0.0.1:81"),
            ("127.0.0.1:80", "127.0.0.2:80"),
            ("0.0.0.0:80", "[::1]:80"),
            ("127.0.0.1:0", "127.0.0.1:0"),
        ] {
            assert!(!overlap(one, other) && !overlap(other, one), "{one} {other}");
        }
    }
}
