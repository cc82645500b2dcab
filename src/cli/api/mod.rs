//! The commands of the API's client, declared: a table for each kind of thing, from which the
//! command line, its help, the requests and what is printed come.
//!
//! *Architecture invariant:* a command says in its table what it sends and shows. `command/api`
//! does what all of them have in common, and has a file only for what no table can say.

mod channel;
mod declare;
mod people;
mod text;
mod token;
mod verb;
mod watch;

pub(crate) use declare::{Asked, Credential};
pub(crate) use text::account_of;
use verb::Entry;
pub(crate) use verb::{Input, Kind, Method, Place, Shows};

/// Every command of the API's client, in the order of the help.
pub(crate) const COMMANDS: &[&Entry] = &[
    &people::ME,
    &people::USER,
    &people::SESSION,
    &people::GROUP,
    &channel::STORAGES,
    &channel::CHANNEL,
    &channel::SERVICE_ACCOUNT,
    &token::TOKEN,
    &watch::AUDIT,
    &watch::USAGE,
    &watch::GATEWAYS,
    &watch::PROOF,
];

#[cfg(test)]
mod tests;
