//! Attacks at the wire: every subject is a table of requests as attackers write them, sent over real
//! sockets with a further request behind them, before an upstream that reads strictly and keeps all.

mod case;
mod credentials;
mod faults;
mod flood;
mod framing;
mod hops;
mod hosts;
mod http2;
mod identity;
mod paths;
mod proxies;
mod recorder;
mod scopes;
mod strict;
mod targets;
mod tokens;
mod upgrades;
