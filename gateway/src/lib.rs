//! The data plane of condagate: a request's way from the socket to the storage and back.
//!
//! # The life of a request
//!
//! 1. `listener`: a socket per thread, TLS, HTTP/1.1 or HTTP/2. A head that two parsers could
//!    read differently goes no further (`listener/framing.rs`).
//! 2. [`target`]: the path becomes a token's text, a channel and a file, or is refused.
//! 3. `credential`: the one token of the request, from path or header fields.
//! 4. `table`: the token's digest becomes a grant, and [`access::decide()`] makes of it the leave
//!    to open storage, [`access::Allowed`]; `limits` holds the token to its rate and volume.
//! 5. `storage`: a directory or a web server opens the file; it sees no trace of the credential.
//! 6. `body`: the bytes, piece by piece as the client takes them; where the kernel can send a file
//!    itself, which part of it.
//! 7. `answer` holds every refusal's text; `record` writes the line of the access log. `usage` has
//!    counted what was sent, and reports it beside the requests.
//!
//! `driver` is these steps in one short function. `gateway` starts and stops the threads.
//!
//! *Architecture invariant:* this crate knows neither SQL nor pages; it asks a
//! [`access::GrantSource`] and reports to an
//! [`access::UsageSink`].
//!
//! *Architecture invariant:* every request, refused or served, ends in one `record::Record`.

mod answer;
mod answer_fields;
mod body;
mod bucket;
mod cache_control;
mod credential;
mod driver;
mod each_second;
mod follow;
mod gateway;
mod limits;
mod listener;
mod metrics;
mod record;
mod rules;
#[cfg(feature = "simulation")]
pub mod simulation;
mod storage;
mod table;
pub mod target;
mod usage;
mod watched;
mod worker;

pub use gateway::{Gateway, StartError};
pub use listener::BindError;
pub use record::LogError;
pub use storage::{ProbeError, StorageProbe, StorageSettings, StorageSettingsError};
