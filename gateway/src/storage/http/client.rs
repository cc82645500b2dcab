//! HTTP/1.1 to a web server (RFC 9112), as far as files are read over it: one request without content
//! at a time on a connection, and its answer. Why it is here and no library's:
//! docs/decisions/http1.md.

mod chunks;
mod connection;
mod fields;
mod head;
mod incoming;
mod pipe;
mod pool;
mod wire;

pub(super) use self::connection::AskError;
pub(super) use self::fields::{UpstreamField, UpstreamFields};
pub(super) use self::head::decimal;
pub(super) use self::incoming::{Incoming, Piece};
pub(crate) use self::pipe::{PipeBudget, PipedPart, Pipes};
pub(super) use self::pool::{Answered, Pool, Pooled};
pub(super) use self::wire::UpstreamWire;

#[cfg(test)]
mod tests;
