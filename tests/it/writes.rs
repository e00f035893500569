//! Changes of the configuration that the gateway writes itself: they are whole, and on disk for good, and
//! nothing that anybody else writes meanwhile is lost.

mod editors;
mod kills;
mod many;
mod protocol;
mod read_only;
mod site;
