//! Keys and certificates: loading them with errors that say what to do, reloading them without
//! dropping a connection, and making one for development.
//!
//! - [`KeyPair`] is a certificate and its key, checked: there is no unchecked one.
//! - [`ServerTls`] is what a listener needs, [`ClientTls`] what an upstream pool needs. Both keep
//!   the last good pair when the files turn bad, and change it for new connections only.
//! - [`development_certificate`] is for trying out.
//!
//! *Architecture invariant:* nothing here waits or starts a task; the caller's runtime asks
//! [`ServerTls::changed`] as often as it likes and then calls [`ServerTls::reload`].

mod client;
mod development;
mod error;
mod pair;
mod pem;
mod reload;
mod server;

pub use client::ClientTls;
pub use development::{DevelopmentCertificate, development_certificate};
pub use error::{CertError, Fault};
pub use pair::{KeyPair, key_is_exposed};
pub use server::{HTTP_1, HTTP_1_AND_2, ServerTls};
