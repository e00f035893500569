//! Behaviour as a user of the library or the program sees it: one binary, a module per subject.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a test that cannot go on must fail where it stands"
)]

/// A warm allow allocates nothing.
mod allocation;
/// Authorities and certificates, for TLS under test.
mod certificates;
/// The program's verbs, exit codes and signals.
mod cli;
/// A difference is empty exactly when every decision is the same; what `diff` and `access` print.
mod differences;
/// Files, secrets and the time, for configurations under test.
mod disk;
/// The main door, over real sockets.
mod door;
/// Every kind of edit, as a difference of texts.
mod edits;
/// Every shipped configuration loads.
mod examples;
/// Texts that are kept, to be compared.
mod expected;
/// Why requests are decided so, and what changes that.
mod explain;
/// The floors and the wall.
mod floors;
/// What fuzzers look for, in every input that is kept.
mod fuzz;
/// Every diagnostic, as people read it.
mod golden;
/// `--help` teaches by example.
mod help;
/// What is made of OpenAPI documents and exports of tenants.
mod import;
/// What `inspect-token` shows, and how it ends.
mod inspect;
/// The Management API, over real sockets.
mod management;
/// The gate compared with an independent transcription of the rules.
mod oracle;
/// The program as it runs: its log, its ports, its end.
mod program;
/// What the README shows is what the program does.
mod readme;
/// The reference and the schema are written from the code.
mod reference;
/// A configuration that is changed while the gateway runs.
mod reload;
/// TLS of the program that runs, under load.
mod running;
/// What the running program tells of itself, and to whom.
mod seen;
/// Completions and manual pages.
mod shells;
/// A key of an issuer, and the tokens that it signs.
mod signing;
/// Policy suites, as the program runs them.
mod suites;
/// Tokens as each kind of issuer gives them.
mod tokens;
/// A file that is cut short allows no more than the whole.
mod torn;
/// Attacks at the wire.
mod wire;
/// Changes that the gateway writes to its files itself.
mod writes;
