//! Every rule and permission check, one file per noun. A use case that changes something is one
//! transaction with its audit event and its revision (see the crate's "life of a change").

mod attempts;

pub mod audit;
mod caller;
pub mod channel;
mod error;
pub mod gateway;
pub mod group;
mod names;
pub mod overview;
pub mod password;
mod passwords;
pub mod permitted;
pub mod proof;
pub mod reach;
pub(crate) mod repeat;
pub(crate) mod seen;
pub mod service_account;
pub mod session;
pub mod token;
pub mod usage;
pub mod user;

use std::sync::Arc;

use access::source::Revision;
use access::{Clock, Timestamp};
use serde::Serialize;

use attempts::Attempts;
pub use caller::{Held, Who, me, who};
pub use error::{Error, Holder};
pub(crate) use names::{check_text, check_token_name};
use passwords::Passwords;

use crate::store::{NamePart, NameRange};
use crate::{Settings, Store, StoreError};

/// The control plane: a database, its settings and a clock. Cheap to clone.
#[derive(Clone)]
pub struct Control {
    store: Store,
    settings: Arc<Settings>,
    clock: Arc<dyn Clock>,
    passwords: Passwords,
    attempts: Arc<Attempts>,
}

impl Control {
    /// The control plane of this database, which must have been migrated.
    pub fn new(store: Store, settings: Settings, clock: Arc<dyn Clock>) -> Self {
        Self {
            store,
            settings: Arc::new(settings),
            clock,
            passwords: Passwords::default(),
            attempts: Arc::default(),
        }
    }

    /// The database.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The time by the control plane's clock.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

/// What a deciding write made, and the revision from which gateways know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Committed<T> {
    /// What was made or ended.
    pub value: T,
    /// The change's number.
    pub revision: Revision,
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// After which item it begins: the cursor of the page before, or nothing.
    pub after: Option<String>,
    /// How many items it has at most.
    pub limit: u32,
    /// In lists by name: only what begins with this.
    pub prefix: String,
}

impl Page {
    /// How many items a page has when the caller doesn't say (api.md).
    pub const DEFAULT_LIMIT: u32 = 100;
    /// How many items a page may have (api.md).
    pub const MAX_LIMIT: u32 = 1000;

    /// The first page of the usual size.
    pub fn first() -> Self {
        Self { after: None, limit: Self::DEFAULT_LIMIT, prefix: String::new() }
    }

    /// What to read of a list by name.
    fn names(&self) -> NameRange {
        NameRange::new(&self.prefix, self.after.as_deref(), self.probe())
    }

    /// The same, of a list that is a part of something.
    fn part(&self) -> NamePart<'_> {
        let after = self.after.as_deref().unwrap_or_default();
        NamePart { after, prefix: &self.prefix, limit: self.probe() }
    }

    /// After which id to read a list by id.
    fn after_id(&self) -> Result<i64, Error> {
        let after = self.after.as_deref().map_or(Ok(0), str::parse);
        after.map_err(|_not_an_id| Error::invalid("cursor", "not one of ours"))
    }

    /// One more than asked for, to see whether there is a next page.
    fn probe(&self) -> u32 {
        self.limit.saturating_add(1)
    }
}

/// A page's items, and the cursor of the next page if there is one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Listed<T> {
    /// The items, in order.
    pub items: Vec<T>,
    /// What to give as `Page::after` for the next page.
    pub next_cursor: Option<String>,
}

impl<T> Listed<T> {
    /// Cuts what was probed for down to the page.
    fn page(mut items: Vec<T>, page: &Page, cursor: impl Fn(&T) -> String) -> Self {
        let limit = page.limit as usize;
        let more = items.len() > limit;
        items.truncate(limit);
        let next_cursor = items.last().filter(|_| more).map(cursor);
        Self { items, next_cursor }
    }
}

/// Says of a cursor that isn't one in words for whoever sent it.
fn cursor(error: StoreError) -> Error {
    match error {
        StoreError::NotACursor => Error::invalid("cursor", "not one of ours"),
        other => other.into(),
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        StoreError::from(error).into()
    }
}
