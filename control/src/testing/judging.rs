//! What the control plane makes of the rows it reads, for the simulation, which has no SQL.

use access::source::Revision;
use access::{Moment, Timestamp};

use crate::GatewayRow;
use crate::observer::Sightings;
use crate::store::RevisionRow;
use crate::usecases::proof::{self, Proof};

/// A change as its row has it.
#[derive(Clone, Copy, Debug)]
pub struct ChangeRow {
    /// Its number.
    pub revision: Revision,
    /// When it was begun.
    pub at: Timestamp,
    /// Whether a channel is no longer open to everyone by it.
    pub ends_public: bool,
    /// When it was first seen in force on every gateway.
    pub confirmed_at: Option<Timestamp>,
    /// A time by which it was committed, once somebody was told a bound that counts from it.
    pub committed_by: Option<Timestamp>,
}

impl ChangeRow {
    /// From when on public channels matter that gateways serve after their lease.
    pub fn public_since(&self) -> Timestamp {
        proof::public_since(&self.row())
    }

    /// What is known of the change, as the use case reads it from these rows at `now`.
    pub fn judge(&self, rows: Vec<GatewayRow>, now: Timestamp) -> Proof {
        proof::judge(&self.row(), rows, now)
    }

    fn row(&self) -> RevisionRow {
        let Self { revision, at, ends_public, confirmed_at, committed_by } = *self;
        RevisionRow { revision, at, ends_public, confirmed_at, committed_by }
    }
}

/// The observer's memory.
#[derive(Debug, Default)]
pub struct Silence(Sightings);

impl Silence {
    /// Which of the live gateways have been silent for too long.
    pub fn of(&mut self, rows: Vec<GatewayRow>, now: Moment) -> Vec<GatewayRow> {
        self.0.silent(rows, now)
    }
}
