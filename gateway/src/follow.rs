//! Follows the control plane: reads the change feed, keeps the lease, says how far it has come
//! (sync.md F6, L1, L2, L4). One task, so that what is acknowledged is what was applied.

use std::sync::Arc;
use std::time::Duration;

use access::lease::{Instance, LeaseTerms, Registration, Renewal};
use access::source::{Answer, Applied, SourceError};
use access::{Clock, ControlPlane, Moment};

use crate::rules::{Rule, keeps};
use crate::table::{Table, TableLimits};

/// How often the feed is read at least: signals can be lost (F6).
const FEED_EVERY: Duration = Duration::from_millis(250);
/// How often the lease is renewed, as a part of it.
const RENEWALS_PER_LEASE: u32 = 6;
/// How long the control plane may take to answer before it counts as away.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// How long to rest when signals can't be had.
const REST: Duration = FEED_EVERY;

/// What a gateway says of itself.
pub(crate) struct Identity {
    /// Its label.
    pub(crate) name: String,
    pub(crate) terms: LeaseTerms,
}

/// Keeps a table up to date.
pub(crate) struct Follower {
    source: Arc<dyn ControlPlane>,
    clock: Arc<dyn Clock>,
    identity: Identity,
    table: Arc<Table>,
    instance: Instance,
    /// When the lease was last asked for.
    renewed: Moment,
    acknowledged: Option<Applied>,
    away: bool,
}

impl Follower {
    /// Makes the gateway known, reads its first table, and gets its first lease: in this order, so
    /// that whoever changes something waits for it before it serves (L2).
    ///
    /// # Errors
    /// When the control plane doesn't answer.
    pub(crate) async fn begin(
        source: Arc<dyn ControlPlane>,
        clock: Arc<dyn Clock>,
        identity: Identity,
        limits: TableLimits,
    ) -> Result<Self, SourceError> {
        let instance = register(&*source, &identity).await?;
        let grants: Arc<dyn access::GrantSource> = Arc::<dyn ControlPlane>::clone(&source);
        let table = Table::begin(grants, Arc::clone(&clock), limits, identity.terms).await?;
        let renewed = clock.moment();
        let mut follower = Self {
            table: Arc::new(table),
            source,
            clock,
            identity,
            instance,
            renewed,
            acknowledged: None,
            away: false,
        };
        follower.renew().await?;
        Ok(follower)
    }

    pub(crate) fn table(&self) -> &Arc<Table> {
        &self.table
    }

    /// Follows until it is told to stop, then says that the gateway serves no more: call that
    /// after the last request has ended (L5).
    pub(crate) async fn follow(mut self, stop: impl Future<Output = ()>) {
        let mut stop = std::pin::pin!(stop);
        loop {
            tokio::select! {
                // In order, so that a simulated gateway does the same again.
                biased;
                () = &mut stop => break,
                () = self.step() => {}
            }
        }
        let ending = in_time(self.source.end(self.instance.clone()));
        if let Err(why) = ending.await {
            tracing::warn!(%why, "the end of this gateway could not be told; changes wait for its lease");
        }
    }

    /// Waits for the next reason to ask, and asks.
    async fn step(&mut self) {
        tokio::select! {
            biased;
            woken = self.source.woken() => {
                if woken.is_err() {
                    tokio::time::sleep(REST).await;
                }
            }
            () = self.table.is_behind() => {}
            () = tokio::time::sleep(FEED_EVERY) => {}
        }
        let due = self.identity.terms.lease / RENEWALS_PER_LEASE;
        let result = match self.clock.moment().since(self.renewed) >= due {
            true => self.renew().await,
            false => self.read().await,
        };
        match result {
            Ok(()) if self.away => {
                self.away = false;
                tracing::info!("the control database answers again");
            }
            Ok(()) => {}
            Err(why) if !self.away => {
                self.away = true;
                let lease = self.table.lease_remaining().as_secs();
                tracing::error!(%why, lease, "changes can't be read; tokens in memory go on until the lease ends");
            }
            Err(_still_away) => {}
        }
    }

    /// Renews the lease, then reads the feed: only both together give time (L2).
    async fn renew(&mut self) -> Result<(), SourceError> {
        let asked = self.clock.moment();
        match in_time(self.source.renew(self.instance.clone())).await? {
            Renewal::Committed => {
                let instance = self.instance.clone();
                self.read().await?;
                // Begun anew meanwhile: that one renews for itself.
                if self.instance == instance {
                    let rule = keeps(Rule::LeaseFromBeforeAsking);
                    self.table.extend_lease(if rule { asked } else { self.clock.moment() });
                    self.renewed = asked;
                }
                Ok(())
            }
            Renewal::Ended => {
                tracing::warn!("this gateway was no longer waited for; it begins anew");
                self.table.end();
                self.begin_anew().await
            }
        }
    }

    /// Applies what the feed has, and says so once it is in force (L4).
    async fn read(&mut self) -> Result<(), SourceError> {
        if !in_time(Box::pin(self.table.catch_up())).await? {
            return self.begin_anew().await;
        }
        self.acknowledge().await
    }

    /// Says how far the table has come, if that has not been said.
    async fn acknowledge(&mut self) -> Result<(), SourceError> {
        let applied = self.table.applied();
        if self.acknowledged.as_ref() != Some(&applied) {
            in_time(self.source.acknowledge(self.instance.clone(), applied.clone())).await?;
            self.acknowledged = Some(applied);
        }
        Ok(())
    }

    /// Another life, now that the table has ended: registered before a table is read, and with a
    /// lease of its own (F4).
    async fn begin_anew(&mut self) -> Result<(), SourceError> {
        // The one that has ended need not be waited for. It may be of another history.
        in_time(self.source.end(self.instance.clone())).await?;
        self.instance = register(&*self.source, &self.identity).await?;
        self.acknowledged = None;
        self.table.begin_anew().await?;
        let asked = self.clock.moment();
        let renewal = in_time(self.source.renew(self.instance.clone())).await?;
        if renewal == Renewal::Committed && in_time(Box::pin(self.table.catch_up())).await? {
            self.acknowledge().await?;
            self.table.extend_lease(asked);
            self.renewed = asked;
        }
        Ok(())
    }
}

async fn register(source: &dyn ControlPlane, identity: &Identity) -> Result<Instance, SourceError> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(|why| SourceError(why.to_string()))?;
    let instance = Instance(format!("{:032x}", u128::from_ne_bytes(random)));
    let registration = Registration {
        instance: instance.clone(),
        name: identity.name.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        terms: identity.terms,
    };
    in_time(source.register(registration)).await?;
    Ok(instance)
}

/// An answer, or a failure when it takes too long: a network that swallows everything must not
/// keep the gateway from seeing its lease end.
async fn in_time<T>(answer: Answer<'_, T>) -> Result<T, SourceError> {
    within(ANSWER_WITHIN, answer).await
}

/// An answer of the control plane, or a failure when it takes longer than `limit`.
pub(crate) async fn within<T>(limit: Duration, answer: Answer<'_, T>) -> Result<T, SourceError> {
    match tokio::time::timeout(limit, answer).await {
        Ok(answer) => answer,
        Err(_elapsed) => Err(SourceError(format!("no answer within {limit:?}"))),
    }
}
