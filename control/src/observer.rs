//! Ends the rows of gateways that are gone without a word (sync.md L5), so that a change isn't
//! waited for on a gateway that can't serve any more; and keeps when each change came into force on
//! all of them.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use access::lease::Instance;
use access::{Clock, Moment};

use crate::store::{GatewayRow, Opened, Store, StoreError, live_gateways};
use crate::usecases::proof;

/// How often the rows are looked at.
const EVERY: Duration = Duration::from_secs(1);

/// Watches the gateways' renewals. Every control plane has one; they need not know of each other.
pub struct Observer {
    store: Store,
    clock: Arc<dyn Clock>,
    seen: Sightings,
    /// The database in which that was seen.
    database: Option<Arc<Opened>>,
}

/// Each gateway's renewal number, and when it was first seen: by the observer's own clock, since
/// those of the gateways and of the database may be wrong.
#[derive(Debug, Default)]
pub(crate) struct Sightings(HashMap<Instance, (i64, Moment)>);

impl Observer {
    /// An observer that has seen nothing yet.
    pub fn new(store: Store, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock, seen: Sightings::default(), database: None }
    }

    /// Observes without end.
    pub async fn observe(mut self) {
        loop {
            tokio::time::sleep(EVERY).await;
            if let Err(why) = self.look().await {
                tracing::debug!(%why, "what the gateways say can't be read");
            }
        }
    }

    /// Looks once.
    ///
    /// # Errors
    /// When the database doesn't answer; what was seen before still counts.
    pub async fn look(&mut self) -> Result<(), StoreError> {
        let database = self.store.opened().await?;
        // In another one a gateway that renews may stand where it stood in this one.
        if !self.database.as_ref().is_some_and(|seen| Arc::ptr_eq(seen, &database)) {
            self.seen = Sightings::default();
            self.database = Some(Arc::clone(&database));
        }
        let rows = live_gateways(&mut *self.store.reader().await?).await?;
        database.verify()?;
        let silent = self.seen.silent(rows, self.clock.moment());
        if !silent.is_empty() {
            // They may renew in one that has taken the place of this one.
            database.verify_anew().await?;
        }
        for row in silent {
            let ended =
                self.store.end_gateway(&row.instance, row.renewal, self.clock.now()).await?;
            if ended {
                tracing::warn!(
                    name = row.name,
                    instance = row.instance.0,
                    "a gateway has not renewed its lease and is no longer waited for"
                );
            }
        }
        proof::confirm(&self.store, self.clock.now()).await
    }
}

impl Sightings {
    /// Takes in the rows of all gateways that have not ended, and says which have been seen
    /// without a renewal for as long as they may serve without one. They are to be ended only if
    /// they haven't renewed since.
    pub(crate) fn silent(&mut self, rows: Vec<GatewayRow>, now: Moment) -> Vec<GatewayRow> {
        self.0.retain(|instance, _| rows.iter().any(|row| row.instance == *instance));
        let mut silent = rows;
        silent.retain(|row| {
            let seen = self.0.entry(row.instance.clone()).or_insert((row.renewal, now));
            if seen.0 != row.renewal {
                *seen = (row.renewal, now);
            }
            now.since(seen.1) >= without_news(row)
        });
        silent
    }
}

/// How long it may serve private content after its last renewal.
fn without_news(row: &GatewayRow) -> Duration {
    row.terms.lease + row.terms.serve_known
}
