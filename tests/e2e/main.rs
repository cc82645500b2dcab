//! End-to-end tests: the real binary over real sockets, with real databases, storages and clients.
//!
//! [`site`] sets a gateway up as an operator does; every other file is about one promise. A test
//! that waits asks until it is so, and for no longer than a bound (`site/patience.rs`).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]
#![allow(clippy::print_stdout, reason = "what was measured is shown")]

mod browser;
mod certificates;
mod check;
mod clients;
mod cold_disk;
mod command_line;
mod control_away;
mod demo;
mod description;
mod directory;
mod failover;
mod gateway_role;
mod guide;
mod killed;
mod lease;
mod limits;
mod live_cuts;
mod load;
mod memory;
mod object_cache;
mod operator;
mod oracle;
mod proxied;
mod replaced;
mod revocation;
mod scale;
mod secrets;
mod sending;
mod site;
mod start;
mod stop;
mod upstream_faults;
mod usage;
mod watching;
mod web;
