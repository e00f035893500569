//! Which API, and which of its operations, a request means.
//!
//! In come a host, a method and a path as they stood in the request. [`normal_host`] and
//! [`CanonPath::parse`] give each its one spelling or refuse it, [`Sites`] picks the API,
//! [`Operations`] the operation. What configuration writes is parsed here too: [`HostPattern`],
//! [`Prefix`] and [`On`] (`GET /orders/{id}`).
//!
//! Nothing here knows tokens, grants or HTTP messages, reads a clock or a file, or allocates for a
//! request that is spelled canonically and finds its operation.
//!
//! **One meaning per path.** Names in configuration are compared with a path by the octets that
//! both spell: RFC 3986 section 2.2 tells `/users/@me` from `/users/%40me`, but every framework
//! behind the gate decodes them to one name. Told apart, the second would slip past the operation
//! listed for the first and be judged by a less specific one.

mod hosts;
mod literal;
mod lookalike;
mod methods;
mod on;
mod operations;
mod path;
mod pattern;
mod prefix;
mod sites;
mod ways;

pub use hosts::{HostError, HostPattern, normal_host};
pub use methods::{Methods, MethodsError};
pub use on::{On, OnError};
pub use operations::{Clash, Found, Operations};
pub use path::{CanonPath, PathError};
pub use pattern::{Pattern, PatternError};
pub use prefix::{Prefix, PrefixError};
pub use sites::{NearPrefix, Site, SiteClash, Sites};
pub use ways::{Way, Ways, ways};
