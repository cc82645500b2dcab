//! The control plane against both databases, in one process, so that one PostgreSQL serves all.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failing test panics")]

mod api;
mod audit;
mod channels;
mod client;
mod description;
mod events;
mod feed;
mod gateway_roles;
mod gateways;
mod grants;
mod groups;
mod membership;
mod pages;
mod pruning;
mod races;
mod reach;
mod refusals;
mod repeats;
mod replaced;
mod service_accounts;
mod sessions;
mod store;
mod token_api;
mod token_edits;
mod token_expiry;
mod token_imports;
mod token_reissues;
mod token_revokes;
mod tokens;
mod usage;
mod users;
mod world;
