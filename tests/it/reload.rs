//! A configuration that is changed while the gateway runs: by every writer there is, under load, and for
//! as long as anybody likes.

mod gate;
mod growth;
mod load;
mod outside;
mod prefixes;
mod revoked;
mod seen;
mod site;
mod suites;
mod writers;
