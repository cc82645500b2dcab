//! A gateway's membership among the gateways of a control database: how it is waited for, and how
//! long it may serve without news (sync.md, "The lease").

use std::time::Duration;

use crate::source::{Answer, Applied};

/// One life of a gateway's table: random, so that it is never met twice (sync.md L1).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Instance(pub String);

/// What a gateway may do without news, said before its first lease counts (sync.md L6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeaseTerms {
    /// How long after its last renewal it serves as if it had news.
    pub lease: Duration,
    /// How long it goes on with known tokens after that; zero when it refuses.
    pub serve_known: Duration,
    /// How long it goes on with public channels after that.
    pub public_grace: Duration,
}

/// A gateway that makes itself known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// Its identity.
    pub instance: Instance,
    /// Its label, for people.
    pub name: String,
    /// Its version, for people.
    pub version: String,
    /// What it may do without news.
    pub terms: LeaseTerms,
}

/// What became of a renewal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renewal {
    /// It is committed. That alone gives nothing: what the feed has *after* it must be applied
    /// first (sync.md L2).
    Committed,
    /// The row was ended by an observer, or is of another history: register anew (sync.md L5).
    Ended,
}

/// The control plane, as a gateway is a member of it.
pub trait LeaseSource: Send + Sync + 'static {
    /// Makes a gateway known; from here on it is waited for.
    fn register(&self, registration: Registration) -> Answer<'_, ()>;

    /// Says that a gateway is there.
    fn renew(&self, instance: Instance) -> Answer<'_, Renewal>;

    /// Says how far a gateway has come. Only what is in force is acknowledged: stripes raised,
    /// grants purged and flipped (sync.md L4).
    fn acknowledge(&self, instance: Instance, applied: Applied) -> Answer<'_, ()>;

    /// Says that a gateway serves no more: its last act (sync.md L5).
    fn end(&self, instance: Instance) -> Answer<'_, ()>;

    /// Waits until there may be something new to read. It may wake for nothing, and may miss
    /// something: whoever follows the feed polls underneath (sync.md F6).
    fn woken(&self) -> Answer<'_, ()>;
}

/// All that a gateway asks of the control plane.
pub trait ControlPlane: crate::GrantSource + LeaseSource {}

impl<T: crate::GrantSource + LeaseSource> ControlPlane for T {}
