//! How those who follow the database are woken (sync.md F6): LISTEN and NOTIFY on PostgreSQL, the
//! file's own version on SQLite. A signal may come for nothing, and one may be lost: whoever waits
//! here also looks again after a while.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sqlx::postgres::PgListener;
use sqlx::{Any, Executor};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::dialect::Dialect;
use super::opened::Opener;
use super::{Connection, StoreError};

/// The PostgreSQL channel that is notified.
const CHANNEL: &str = "condagate";
/// How often SQLite is asked whether another connection has written.
const VERSION_EVERY: Duration = Duration::from_millis(20);
/// How long to rest before connecting again.
const REST: Duration = Duration::from_secs(1);

/// What has been written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum News {
    /// A change that gateways decide by.
    Change,
    /// A gateway has said how far it has come.
    Acknowledgement,
}

impl News {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Change => "change",
            Self::Acknowledgement => "acknowledgement",
        }
    }
}

/// Tells `news` to whoever listens, when the transaction commits. SQLite needs no telling.
pub(super) async fn tell(
    db: &mut Connection,
    dialect: Dialect,
    news: News,
) -> Result<(), StoreError> {
    if let Dialect::Postgres { .. } = dialect {
        let notify = sqlx::query("SELECT pg_notify($1, $2)").bind(CHANNEL).bind(news.as_str());
        notify.execute(db).await?;
    }
    Ok(())
}

/// One who is woken.
#[derive(Clone, Debug)]
pub(crate) struct Signals {
    changes: watch::Receiver<()>,
    acknowledgements: watch::Receiver<()>,
}

/// Listens, from when somebody first wants to be woken, on a connection of its own.
#[derive(Debug)]
pub(super) struct Listening {
    signals: Signals,
    end: watch::Sender<bool>,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Listening {
    pub(super) fn begin(opener: &Arc<Opener>) -> Self {
        let (tell_changes, changes) = watch::channel(());
        let (tell_acknowledgements, acknowledgements) = watch::channel(());
        let tell = Tell { changes: tell_changes, acknowledgements: tell_acknowledgements };
        let (end, ended) = watch::channel(false);
        let task = tokio::spawn(tell.until(ended, Arc::clone(opener)));
        let signals = Signals { changes, acknowledgements };
        Self { signals, end, task: Mutex::new(Some(task)) }
    }

    pub(super) fn signals(&self) -> Signals {
        self.signals.clone()
    }

    /// Ends it, and its connection.
    pub(super) async fn end(&self) {
        self.end.send_replace(true);
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(task) = task {
            let _ = task.await;
        }
    }
}

impl Signals {
    /// Waits for changes that were told since the last wait.
    pub(super) async fn change(&mut self) {
        wait(&mut self.changes).await;
    }

    /// Waits for acknowledgements that were told since the last wait.
    pub(crate) async fn acknowledgement(&mut self) {
        wait(&mut self.acknowledgements).await;
    }
}

async fn wait(told: &mut watch::Receiver<()>) {
    if told.changed().await.is_err() {
        // Nobody tells any more; whoever polls underneath goes on.
        std::future::pending::<()>().await;
    }
}

struct Tell {
    changes: watch::Sender<()>,
    acknowledgements: watch::Sender<()>,
}

impl Tell {
    /// Listens until it is ended, in word or by being dropped.
    async fn until(self, mut ended: watch::Receiver<bool>, opener: Arc<Opener>) {
        loop {
            let listening = async {
                match opener.dialect() {
                    Dialect::Sqlite => self.watch_version(&opener).await,
                    Dialect::Postgres { .. } => self.notifications(&opener).await,
                }
            };
            tokio::select! {
                _ = ended.wait_for(|&ended| ended) => return,
                failed = listening => {
                    if let Err(why) = failed {
                        tracing::debug!(%why, "signals of the control database can't be had; polling goes on");
                    }
                }
            }
            // What was told meanwhile was missed.
            self.everything();
            tokio::select! {
                _ = ended.wait_for(|&ended| ended) => return,
                () = tokio::time::sleep(REST) => {}
            }
        }
    }

    fn everything(&self) {
        self.changes.send_replace(());
        self.acknowledgements.send_replace(());
    }

    /// Listens, each time for as long as a connection lasts, and on the next one before the one
    /// before is given up.
    async fn notifications(&self, opener: &Opener) -> Result<(), StoreError> {
        let mut listener = listen(opener.url()).await?;
        loop {
            self.everything();
            let told = self.notified(&mut listener);
            match tokio::time::timeout(opener.connections_last(), told).await {
                Ok(lost) => return Ok(lost?),
                Err(_old) => listener = listen(opener.url()).await?,
            }
        }
    }

    async fn notified(&self, listener: &mut PgListener) -> Result<(), sqlx::Error> {
        // None: the connection was lost, and notifications with it.
        while let Some(notification) = listener.try_recv().await? {
            let is_change = notification.payload() == News::Change.as_str();
            let to = if is_change { &self.changes } else { &self.acknowledgements };
            to.send_replace(());
        }
        Ok(())
    }

    async fn watch_version(&self, opener: &Opener) -> Result<(), StoreError> {
        let opened = opener.current().await?;
        let mut connection = opened.connect().await?;
        let mut seen = data_version(&mut connection).await?;
        loop {
            tokio::time::sleep(VERSION_EVERY).await;
            opened.verify()?;
            let version = data_version(&mut connection).await?;
            if version != seen {
                seen = version;
                self.everything();
            }
        }
    }
}

async fn listen(url: &str) -> Result<PgListener, sqlx::Error> {
    let mut listener = PgListener::connect(url).await?;
    listener.listen(CHANNEL).await?;
    Ok(listener)
}

async fn data_version<'c>(db: impl Executor<'c, Database = Any>) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar("PRAGMA data_version").fetch_one(db).await
}
