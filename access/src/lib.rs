//! The vocabulary of condagate and its decisions: pure, without input or output.
//!
//! The control plane writes with these words and the gateway decides by them; the two meet only
//! in the traits of [`source`] and [`usage`]. A request's decision, in order:
//!
//! 1. [`TokenSecret::digest`] turns the client's secret into a [`TokenDigest`];
//! 2. a [`GrantSource`] (or the gateway's table in front of it) turns the digest into a [`Grant`];
//! 3. [`ChannelRegistry::find`] turns the path's channel into a [`Channel`];
//! 4. [`decide()`] makes the one value that opens storage, [`Allowed`], or says why not.
//!
//! *Architecture invariant:* `Allowed` has no constructor but [`decide()`]. No grant, no code path.
//!
//! *Architecture invariant:* a token's value is only ever inside a [`TokenSecret`], which can be
//! digested and, in the one place that shows it to its owner, revealed; it cannot be printed.

mod channel;
mod clock;
mod decide;
mod grant;
pub mod lease;
mod limits;
mod permission;
mod proxies;
mod registry;
pub mod source;
mod time;
mod token;
pub mod usage;

pub use channel::{ChannelId, ChannelName, ChannelNameError, SUBDIRS, is_reserved_word, is_subdir};
pub use clock::{Clock, ManualClock, Moment, SystemClock};
pub use decide::{Allowed, Caller, Denied, LiveGrant, decide};
pub use grant::{Grant, GrantedChannel, Limited, PrincipalId, Standing, TokenId};
pub use lease::{ControlPlane, LeaseSource};
pub use limits::Limits;
pub use permission::{Permission, UnknownPermission};
pub use proxies::TrustedProxies;
pub use registry::{Channel, ChannelRegistry, Privacy, UnknownPrivacy};
pub use source::GrantSource;
pub use time::{Day, DayError, Timestamp};
pub use token::{PresentedToken, TokenDigest, TokenError, TokenHint, TokenSecret, redact};
pub use usage::UsageSink;
