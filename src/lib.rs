//! Grantgate: a reverse proxy that reads the access token, works out which application calls and on whose
//! behalf, and forwards only what that application's client grant allows.
//!
//! # Floors
//!
//! A module imports from lower floors only, and modules of one floor never import each other. Above floor
//! 4 there are sockets, clocks, files and logs; below it there are none. `tests/it/floors.rs` holds this.
//!
//! | floor | module | what it is |
//! |---|---|---|
//! | 12 | `main` | parse, do, exit code |
//! | 11 | [`cli`] | one file per verb |
//! | 10 | [`app`] | bind everything, run, drain |
//! | 9 | [`proxy`], [`management`], [`admin`] | the doors: traffic; the Management API; health, metrics, status and questions |
//! | 8 | [`guard`], [`account`] | the one async question: may this call pass?; what is told of it afterwards |
//! | 7 | [`keyring`], [`reload`] | keys that live; snapshots that live |
//! | 6 | [`net`] | sockets, TLS, HTTP/1 and HTTP/2, tunnels, workers, connections to upstreams, fetches |
//! | 5 | [`telemetry`], [`live`], [`clock`], [`chance`] | records and metrics; a value that is replaced whole; the time; lots |
//! | | | *the wall* |
//! | 4 | [`explain`], [`suite`] | why a call is decided so, and what would change it; cases that must be decided so |
//! | 3 | [`gate`], [`import`] | the whole question, pure, with the table of refusals; other formats as configuration |
//! | 2 | [`config`] | text in, snapshot or report out |
//! | 1 | [`token`], [`route`] | text to verified claims; path to operation |
//! | 0 | [`policy`], [`screen`], [`mod@hex`] | the model, and the decision; characters that do harm where they are shown; bytes as digits |
//!
//! # The way of a request
//!
//! 1. `net` accepts the connection on one of the workers and reads the head.
//! 2. `proxy` makes a [`gate::Call`] of it: one canonical path, one host, one credential.
//! 3. [`guard`] holds one snapshot and one time for it, from start to end.
//! 4. [`route`] finds its API and operation,
//! 5. [`token`] verifies who calls,
//! 6. [`policy`] decides: all three inside [`gate::check`], which is one pure function.
//! 7. [`account`] has `telemetry` record what became of it.
//! 8. `proxy` forwards, which takes a [`policy::Permit`] by value, or refuses.
//! 9. What is still under way when its token ends, or the configuration or the keys are others, is asked
//!    about again, from 3 on, and cut where it would not be let in any more.

pub mod hex;
pub mod policy;
pub mod screen;

pub mod route;
pub mod token;

pub mod config;

pub mod gate;
pub mod import;

pub mod explain;
pub mod suite;

pub mod chance;
pub mod clock;
pub mod live;
pub mod telemetry;

pub mod net;

pub mod keyring;
pub mod reload;

pub mod account;
pub mod guard;

pub mod admin;
pub mod management;
pub mod proxy;

pub mod app;

pub mod cli;
