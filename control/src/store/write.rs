//! A transaction that writes, with its turn. What no gateway decides by (a sign-in, a password) is
//! written by this alone; everything else through `Change`, which stands on it.

use std::sync::Arc;

use access::Timestamp;
use sqlx::{Any, Transaction};
use tokio::sync::OwnedSemaphorePermit;

use super::audit::{Event, insert_event};
use super::opened::Opened;
use super::{Connection, Store, StoreError};
use crate::Actor;

/// A write under way. Dropped, it is undone.
pub(crate) struct Write {
    transaction: Transaction<'static, Any>,
    now: Timestamp,
    opened: Arc<Opened>,
    /// Given back after the transaction has ended: fields drop in order.
    _writer: Option<OwnedSemaphorePermit>,
}

impl Store {
    /// Begins a write at `now`. On SQLite it waits for its turn.
    pub(crate) async fn write(&self, now: Timestamp) -> Result<Write, StoreError> {
        let writer = self.turn().await?;
        let (opened, transaction) = self.opener.begin().await?;
        Ok(Write { transaction, now, opened, _writer: writer })
    }
}

impl Write {
    /// The connection, inside the transaction.
    pub(crate) fn connection(&mut self) -> &mut Connection {
        &mut self.transaction
    }

    /// When this happens, by the clock it was begun with.
    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }

    /// Records what this write does.
    pub(crate) async fn audit(
        &mut self,
        actor: &Actor,
        event: Event<'_>,
    ) -> Result<(), StoreError> {
        insert_event(self, None, actor, event).await
    }

    /// Commits it.
    ///
    /// # Errors
    /// [`StoreError::Replaced`], [`StoreError::Gone`] when that may have been in a file that is no
    /// longer the database.
    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        self.transaction.commit().await?;
        self.opened.verify()
    }
}
