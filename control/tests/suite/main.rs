//! The control plane against both databases, in one process, so that one PostgreSQL serves all.

mod channels;
mod feed;
mod grants;
mod races;
mod service_accounts;
mod sessions;
mod store;
mod tokens;
mod world;
