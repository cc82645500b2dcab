//! Deletes what nobody needs any more, so that a database that is changed every day doesn't grow
//! without end. Audit events and usage stay.

use std::time::Duration;

use crate::store::{Past, last_revision_before, repeatable_since};
use crate::usecases::proof;
use crate::{Control, Error};

/// How often it is looked for.
const EVERY: Duration = Duration::from_secs(10 * 60);
/// How long to rest between two deletions, for whoever else writes.
const REST: Duration = Duration::from_millis(100);

/// Prunes a control plane's database. Every control plane has one; they need not know of each
/// other.
pub struct Pruner {
    control: Control,
}

impl Pruner {
    /// A pruner of that control plane's database.
    pub fn new(control: Control) -> Self {
        Self { control }
    }

    /// Prunes without end.
    pub async fn run(self) {
        loop {
            if let Err(why) = self.prune().await {
                tracing::warn!(%why, "what is past could not be deleted from the control database");
            }
            tokio::time::sleep(EVERY).await;
        }
    }

    /// Prunes once.
    ///
    /// # Errors
    /// [`Error::Store`]; what was deleted before stays so.
    pub async fn prune(&self) -> Result<(), Error> {
        let now = self.control.now();
        self.delete(Past::Sessions(now)).await?;
        self.delete(Past::Repeatable(repeatable_since(now))).await?;
        let time = now.minus(self.control.settings().keep_changes_for);
        let last = last_revision_before(&mut *self.control.store().reader().await?, time).await?;
        if let Some(last) = last {
            if !proof::has_settled(&self.control, last).await? {
                tracing::debug!(revision = last.0, "old changes stay: a gateway lacks this one");
                return Ok(());
            }
            self.control.store().prune_before(last, self.control.now()).await?;
            self.delete(Past::Changes(last)).await?;
        }
        // Every change that is kept but that one is younger: no proof tells of them any more.
        self.delete(Past::Gateways(time.minus(proof::CLOCKS_APART))).await
    }

    async fn delete(&self, past: Past) -> Result<(), Error> {
        let mut all = 0;
        loop {
            let some = self.control.store().prune(past).await?;
            if some == 0 {
                break;
            }
            all += some;
            tokio::time::sleep(REST).await;
        }
        tracing::debug!(?past, rows = all, "deleted what is past");
        Ok(())
    }
}
