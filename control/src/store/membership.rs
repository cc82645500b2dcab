//! A gateway as a member of the control database: its feed and its lease, on a connection of its
//! own and never the pool, so that a busy pool can't make a gateway fall silent, and a pooler in
//! between can't take its notifications (sync.md F6).

use std::sync::Arc;

use access::lease::{Instance, LeaseSource, Registration, Renewal};
use access::source::{Answer, Applied, Beginning, FeedRead, Loaded};
use access::{Clock, GrantSource, TokenDigest};
use sqlx::{AnyConnection, Connection as _};
use tokio::sync::Mutex;

use super::dialect::Dialect;
use super::opened::Opened;
use super::signals::{self, News};
use super::source::{read_beginning, read_feed, unanswered};
use super::{Connection, Signals, Store, StoreError, leases};

/// What a gateway asks of the control database.
pub struct GatewaySource {
    store: Store,
    clock: Arc<dyn Clock>,
    /// None until it is needed, and after it failed.
    own: Mutex<Option<Own>>,
    changes: Mutex<Signals>,
}

/// A connection, and the database that it leads to.
struct Own {
    opened: Arc<Opened>,
    connection: AnyConnection,
}

impl GatewaySource {
    pub(super) fn new(store: Store, clock: Arc<dyn Clock>) -> Self {
        let changes = Mutex::new(store.signals());
        Self { store, clock, own: Mutex::default(), changes }
    }

    /// Asks on the gateway's own connection. One that failed, or whose answer was not waited for,
    /// is not used again: nobody knows what it would answer next. Nor is one to a file that is no
    /// longer the database.
    async fn on_own<T>(
        &self,
        ask: impl AsyncFnOnce(&mut Connection, &Opened) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut own = self.own.lock().await;
        let opened = self.store.opened().await?;
        let mut connection = match own.take() {
            Some(own) if Arc::ptr_eq(&own.opened, &opened) => own.connection,
            _ => opened.connect().await?,
        };
        let answer = ask(&mut connection, &opened).await?;
        *own = Some(Own { opened, connection });
        Ok(answer)
    }

    /// The same on a new connection, which takes the place of the other one once it has answered.
    async fn on_new<T>(
        &self,
        ask: impl AsyncFnOnce(&mut Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut own = self.own.lock().await;
        let (opened, mut connection) = self.store.connection().await?;
        let answer = ask(&mut connection).await?;
        if let Some(old) = own.replace(Own { opened, connection }) {
            // A server that is gone may leave it without an answer.
            tokio::spawn(old.connection.close());
        }
        Ok(answer)
    }

    /// The same for a statement that writes.
    async fn write<T>(
        &self,
        ask: impl AsyncFnOnce(&mut Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let _turn = self.store.turn().await?;
        self.on_own(async |db, _opened| ask(db).await).await
    }

    /// The same, and wakes whoever waits for this gateway.
    async fn write_and_tell(
        &self,
        ask: impl AsyncFnOnce(&mut Connection) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let dialect = self.store.dialect;
        let done = self.write(async |db| {
            let mut transaction = db.begin().await?;
            ask(&mut transaction).await?;
            signals::tell(&mut transaction, dialect, News::Acknowledgement).await?;
            Ok(transaction.commit().await?)
        });
        done.await
    }
}

impl GrantSource for GatewaySource {
    fn begin(&self, recently_used: usize) -> Answer<'_, Beginning> {
        let dialect = self.store.dialect;
        Box::pin(async move {
            let read = self.on_own(async |db, opened| {
                let mut beginning = read_beginning(db, dialect, recently_used).await?;
                opened.identify(&mut beginning.applied.database);
                Ok(beginning)
            });
            read.await.map_err(unanswered)
        })
    }

    fn load(&self, digest: TokenDigest) -> Answer<'_, Loaded> {
        // Many at a time: from the pool.
        self.store.load(digest)
    }

    fn feed(&self, applied: Applied) -> Answer<'_, FeedRead> {
        let dialect = self.store.dialect;
        Box::pin(async move {
            let read = self.on_own(async |db, opened| {
                let mut read = read_feed(db, dialect, applied.revision).await?;
                opened.identify(&mut read.database);
                Ok(read)
            });
            read.await.map_err(unanswered)
        })
    }
}

impl LeaseSource for GatewaySource {
    fn register(&self, registration: Registration) -> Answer<'_, ()> {
        let now = self.clock.now();
        Box::pin(async move {
            let done = self.write(async |db| leases::register(db, &registration, now).await);
            done.await.map_err(unanswered)
        })
    }

    fn renew(&self, instance: Instance) -> Answer<'_, Renewal> {
        let now = self.clock.now();
        Box::pin(async move {
            let renew = async |db: &mut Connection| leases::renew(db, &instance, now).await;
            let renewed = match self.store.dialect {
                Dialect::Sqlite => self.write(renew).await,
                // Who keeps its connection renews for ever with a server that was the database
                // once. On one that was asked for after the lease was, the lease is never longer
                // than from when the name led there (sync.md L2).
                Dialect::Postgres { .. } => self.on_new(renew).await,
            };
            let renewed = renewed.map_err(unanswered)?;
            Ok(if renewed { Renewal::Committed } else { Renewal::Ended })
        })
    }

    fn acknowledge(&self, instance: Instance, applied: Applied) -> Answer<'_, ()> {
        Box::pin(async move {
            let done =
                self.write_and_tell(async |db| leases::acknowledge(db, &instance, &applied).await);
            done.await.map_err(unanswered)
        })
    }

    fn end(&self, instance: Instance) -> Answer<'_, ()> {
        let now = self.clock.now();
        Box::pin(async move {
            let done = self.write_and_tell(async |db| leases::end(db, &instance, now).await);
            done.await.map_err(unanswered)
        })
    }

    fn woken(&self) -> Answer<'_, ()> {
        Box::pin(async move {
            self.changes.lock().await.change().await;
            Ok(())
        })
    }
}
