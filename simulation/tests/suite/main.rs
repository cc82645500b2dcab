//! Random histories of gateways, writers and a database that fail, in which the promises of a
//! revoke are watched at every step (sync.md, "Tests this design must pass").
//!
//! What gateways do is the project's own code: each has a runtime of its own, with `gateway`'s
//! follower, table and bodies in flight. So is what the control plane makes of the rows that it
//! reads. The database is simulated (`database.rs`), as are the network and the clocks. Everything
//! that happens is drawn from one seed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failing test panics")]
#![allow(clippy::print_stdout, reason = "a history is told")]

mod control;
mod counts;
mod database;
mod dice;
mod facts;
mod faults;
mod histories;
mod network;
mod process;
mod promises;
mod rules;
mod schedules;
mod wire;
mod world;
