//! What gateways tell the control plane of how tokens are used (product.md +3, +4).
//!
//! Counts are gathered beside the requests and sent in numbered reports. A report that may or may
//! not have arrived is sent again under its number: it counts once.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use crate::source::Answer;
use crate::{ChannelId, Day, Timestamp, TokenId};

/// The name by which reports of one running gateway are numbered; another one after each start.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ReporterId(Arc<str>);

impl ReporterId {
    /// A new name from the system's randomness.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn generate() -> Result<Self, getrandom::Error> {
        let mut random = [0; 16];
        getrandom::fill(&mut random)?;
        Ok(Self(format!("{:032x}", u128::from_ne_bytes(random)).into()))
    }
}

impl fmt::Display for ReporterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What was downloaded with one token from one channel on one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UsageKey {
    /// The day on which the requests came.
    pub day: Day,
    /// The token; none where none was needed.
    pub token: Option<TokenId>,
    /// The channel.
    pub channel: ChannelId,
}

/// The downloads of one package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageCount {
    /// Whose, where and when.
    pub key: UsageKey,
    /// The conda package's name; empty for repodata and other files that are no package.
    pub package: Arc<str>,
    /// Package files that were sent, whole or in part; none for files that are no package.
    pub downloads: u64,
    /// Bytes of content that were sent.
    pub bytes: u64,
}

/// The last use of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastUse {
    /// The token.
    pub token: TokenId,
    /// When a request came with it that it opened the channel to.
    pub at: Timestamp,
    /// From where.
    pub from: IpAddr,
}

/// What was gathered since the report before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageReport {
    /// Who reports.
    pub reporter: ReporterId,
    /// One more than the report before.
    pub number: u64,
    /// When it was made, by the control database's time.
    pub made_at: Timestamp,
    /// What to add to the counts.
    pub counts: Vec<UsageCount>,
    /// The addresses that were seen: of IPv6, the network of 64 bits.
    pub addresses: Vec<(UsageKey, IpAddr)>,
    /// The last use of each token that was used.
    pub last_uses: Vec<LastUse>,
}

/// The control plane, as a gateway reports to it.
pub trait UsageSink: Send + Sync + 'static {
    /// Adds a report to the counts, unless it has been added already. All of it or nothing.
    fn report(&self, report: Arc<UsageReport>) -> Answer<'_, ()>;

    /// How many bytes the tokens have been sent on a day, over all gateways, as far as reported;
    /// nothing for a token that was not used.
    fn bytes_of_day(&self, day: Day, tokens: Vec<TokenId>) -> Answer<'_, Vec<(TokenId, u64)>>;
}
