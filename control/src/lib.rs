//! The control plane: the database, the rules, the REST API, and the pages.
//!
//! The life of a change:
//!
//! 1. [`api`] parses a request into words of [`access`] and hands it, with the [`Actor`] who asks,
//!    to a use case; the command line and the pages do the same.
//! 2. [`usecases`] does slow work first (hashing a password, making a secret), then begins one
//!    unit of work in `store`, whose first statement takes the next revision (sync.md F1).
//! 3. Inside it the use case reads who the actor is and what they hold, and checks every rule.
//! 4. It writes, names what it touched (F2), and records the audit event.
//! 5. Revision, random stamp and entries are written (F4), and all of it is committed durably
//!    (F5); the use case answers [`Committed`] with the revision.
//! 6. Gateways read it: [`Store`] is their [`access::GrantSource`] (F3, T2, T6).
//!
//! A sign-in or a password is nothing that a gateway decides by: `store::Write` is steps 3 and 4
//! with a commit, and takes no revision.
//!
//! *Architecture invariant:* whatever a gateway decides by changes only through `store::Change`.
//!
//! *Architecture invariant:* rules and permissions are checked in [`usecases`], inside the
//! transaction that acts on them, and nowhere else: a handler that forgets a check can't exist.

mod actor;
pub mod api;
mod client_commands;
mod observer;
mod pruner;
mod routes;
mod settings;
mod store;
#[cfg(feature = "testing")]
pub mod testing;
pub mod usecases;
mod web;

pub use actor::{Actor, Via};
pub use client_commands::ClientCommands;
pub use observer::Observer;
pub use pruner::Pruner;
pub use routes::router;
pub use settings::{ChannelCreators, Settings, StorageName, TokenManagers};
pub use store::{
    AuditEvent, AuditFilter, ChannelColumn, ChannelDetails, Durability, GatewayRoleError,
    GatewayRow, GatewaySource, Grantable, Group, GroupColumn, GroupDetails, Inspection, Look,
    MigrationStatus, OldValue, Principal, PrincipalKind, Reach, Role, ServiceAccount, SessionId,
    SignedInSession, Store, StoreError, Token, TokenChannel, TokenColumn, TokenCounts, TokenSort,
    TokenState, TokenStatus, TokenUse, Top, TopOf, UsageBy, UsageOf, UsageSubject, UsageSum, User,
    UserColumn,
};
pub use usecases::{Committed, Control, Error};
