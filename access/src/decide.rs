//! The decision: who may have which channel's files.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::{
    Channel, ChannelRegistry, Grant, Permission, Privacy, Standing, Timestamp, TokenDigest,
};

/// A grant in use by the gateway, with the flag that a change in the control database flips.
///
/// In this order, so that what a look compares lies in the line of memory that it writes to.
#[derive(Debug)]
#[repr(C)]
pub struct LiveGrant {
    digest: TokenDigest,
    void: AtomicBool,
    grant: Grant,
}

impl LiveGrant {
    /// The grant of the token with this digest, just read from its source.
    pub fn new(digest: TokenDigest, grant: Grant) -> Self {
        Self { digest, void: AtomicBool::new(false), grant }
    }

    /// The token's digest.
    pub fn digest(&self) -> &TokenDigest {
        &self.digest
    }

    /// The grant as it was read.
    pub fn grant(&self) -> &Grant {
        &self.grant
    }

    /// Says that the control database has moved on: nothing more is decided by this grant.
    pub fn make_void(&self) {
        self.void.store(true, Ordering::SeqCst);
    }

    /// Whether the control database has moved on since the grant was read.
    pub fn is_void(&self) -> bool {
        self.void.load(Ordering::SeqCst)
    }
}

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub enum Caller<'g> {
    /// Nobody in particular: the request carries no token.
    Anonymous,
    /// Somebody with a token that is malformed or that the control database doesn't know.
    Unknown,
    /// The holder of a token that the control database knows.
    Known(&'g Arc<LiveGrant>),
}

impl<'g> Caller<'g> {
    /// The holder of a token that the control database knows by this grant, if it knows it.
    pub fn of(found: Option<&'g Arc<LiveGrant>>) -> Self {
        found.map_or(Self::Unknown, Self::Known)
    }

    /// The grant of a token that the control database knows, whatever its standing.
    pub fn grant(self) -> Option<&'g Grant> {
        match self {
            Self::Known(live) => Some(live.grant()),
            Self::Anonymous | Self::Unknown => None,
        }
    }
}

/// Leave to open a channel's files in storage. Only [`decide`] makes one.
#[derive(Clone, Debug)]
pub struct Allowed {
    channel: Arc<Channel>,
    by: Option<Arc<LiveGrant>>,
}

impl Allowed {
    /// The channel whose files may be opened.
    pub fn channel(&self) -> &Channel {
        &self.channel
    }

    /// The grant that allowed it; none where the channel is open to anyone. Whoever streams
    /// watches it: when it is void, the stream ends.
    pub fn by(&self) -> Option<&LiveGrant> {
        self.by.as_deref()
    }
}

/// Why storage stays shut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// The request carries no token, and the channel isn't open to anyone.
    NoToken,
    /// The token is malformed or unknown.
    UnknownToken,
    /// The token ended at that time.
    Expired(Timestamp),
    /// The token was issued anew, and this value of it ended at that time.
    Replaced(Timestamp),
    /// The token was revoked at that time.
    Revoked(Timestamp),
    /// The token's principal was deactivated.
    PrincipalInactive,
    /// The token is good, but there is no such channel *or* it grants nothing there: one answer
    /// for both, so that existence isn't told.
    NotGranted,
    /// The grant covers the channel, but the token may not be used from this address.
    Network(IpAddr),
    /// The control database moved on while the request was under way: look the token up again.
    Void,
}

/// Decides whether `caller`, at `address`, may do `needed` on the channel named `name`, now.
///
/// `name` is `None` when the request's path can't name a channel; it is decided like a channel
/// that doesn't exist. The caller's flag and expiry are read here, in the step that makes
/// [`Allowed`], after whatever had to be waited for (sync.md T4); the clock is asked at most once,
/// after the flag.
///
/// # Errors
/// [`Denied`], which tells an unknown channel from one without a grant to nobody.
pub fn decide(
    registry: &ChannelRegistry,
    name: Option<&str>,
    caller: Caller<'_>,
    needed: Permission,
    address: IpAddr,
    now: impl FnOnce() -> Timestamp,
) -> Result<Allowed, Denied> {
    let channel = name.and_then(|name| registry.find(name));
    if let Some(channel) = channel
        && channel.privacy == Privacy::Public
        && needed == Permission::Read
    {
        // An expired token must not break a public channel: it only isn't named in the record.
        let by = in_use(caller, now).ok().cloned();
        return Ok(Allowed { channel: Arc::clone(channel), by });
    }
    // Before the clock is asked, which waits for what was asked of memory: for all of it at once.
    let granted = caller
        .grant()
        .and_then(|grant| channel.filter(|channel| covers(registry, grant, channel, needed)));
    let live = in_use(caller, now)?;
    let channel = granted.ok_or(Denied::NotGranted)?;
    // Last, so that a limit tells nothing of channels that the token doesn't open.
    if live.grant().limited().is_some_and(|limited| !limited.limits.admit_from(address)) {
        return Err(Denied::Network(address));
    }
    Ok(Allowed { channel: Arc::clone(channel), by: Some(Arc::clone(live)) })
}

/// The caller's grant, if its token is in use now.
fn in_use<'g>(
    caller: Caller<'g>,
    now: impl FnOnce() -> Timestamp,
) -> Result<&'g Arc<LiveGrant>, Denied> {
    let live = match caller {
        Caller::Anonymous => return Err(Denied::NoToken),
        Caller::Unknown => return Err(Denied::UnknownToken),
        Caller::Known(live) => live,
    };
    if live.is_void() {
        return Err(Denied::Void);
    }
    let grant = live.grant();
    match grant.standing {
        Standing::Revoked(at) => Err(Denied::Revoked(at)),
        Standing::PrincipalInactive => Err(Denied::PrincipalInactive),
        Standing::Active if grant.expires_at <= now() => Err(match grant.is_replaced {
            true => Denied::Replaced(grant.expires_at),
            false => Denied::Expired(grant.expires_at),
        }),
        Standing::Active => Ok(live),
    }
}

fn covers(
    registry: &ChannelRegistry,
    grant: &Grant,
    channel: &Channel,
    needed: Permission,
) -> bool {
    let opened_by_any_token =
        channel.privacy == Privacy::Authenticated && needed == Permission::Read;
    let granted = |id| grant.on(id).is_some_and(|held| held >= needed);
    opened_by_any_token || granted(channel.id) || registry.covering(channel).any(granted)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use proptest::prelude::*;

    use super::*;
    use crate::{ChannelId, GrantedChannel, Limited, Limits, PrincipalId, TokenHint, TokenId};

    const NOW: Timestamp = Timestamp::from_millis(1_000_000);
    const LATER: Timestamp = Timestamp::from_millis(2_000_000);

    fn channel(id: i64, name: &str, privacy: Privacy, include_subchannels: bool) -> Channel {
        Channel {
            id: ChannelId(id),
            name: name.parse().unwrap(),
            privacy,
            storage: "main".into(),
            prefix: name.into(),
            include_subchannels,
        }
    }

    fn registry() -> ChannelRegistry {
        ChannelRegistry::new([
            channel(1, "open", Privacy::Public, false),
            channel(2, "staff", Privacy::Authenticated, false),
            channel(3, "secret", Privacy::Private, false),
            channel(4, "team", Privacy::Private, true),
            channel(5, "team/prod", Privacy::Private, false),
            channel(6, "secret/deep", Privacy::Private, false),
        ])
    }

    const DIGEST: TokenDigest = TokenDigest::from_bytes([7; 32]);

    fn known(grant: Grant) -> Arc<LiveGrant> {
        Arc::new(LiveGrant::new(DIGEST, grant))
    }

    fn holder(standing: Standing, expires_at: Timestamp, channels: &[i64]) -> Arc<LiveGrant> {
        known(grant(standing, expires_at, channels))
    }

    fn grant(standing: Standing, expires_at: Timestamp, channels: &[i64]) -> Grant {
        let granted = |&id| GrantedChannel { channel: ChannelId(id), permission: Permission::Read };
        Grant::new(
            TokenId(7),
            TokenHint::from_stored("AbCd"),
            PrincipalId(9),
            expires_at,
            standing,
            channels.iter().map(granted).collect(),
        )
    }

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

    fn decided(name: &str, caller: Caller<'_>, needed: Permission) -> Result<Allowed, Denied> {
        decide(&registry(), Some(name), caller, needed, HERE, || NOW)
    }

    fn ask(name: &str, live: &Arc<LiveGrant>) -> Result<Allowed, Denied> {
        decided(name, Caller::Known(live), Permission::Read)
    }

    #[test]
    fn each_reason_is_told_apart() {
        for (name, caller, denied) in [
            ("secret", Caller::Anonymous, Denied::NoToken),
            ("staff", Caller::Unknown, Denied::UnknownToken),
        ] {
            assert_eq!(decided(name, caller, Permission::Read).unwrap_err(), denied, "{name}");
        }
        let expect = |name, live: &Arc<LiveGrant>, denied| {
            assert_eq!(ask(name, live).unwrap_err(), denied, "{name}");
        };
        expect("secret", &holder(Standing::Active, NOW, &[3]), Denied::Expired(NOW));
        let mut replaced = grant(Standing::Active, NOW, &[3]);
        replaced.is_replaced = true;
        let replaced = known(replaced);
        expect("secret", &replaced, Denied::Replaced(NOW));
        let revoked = holder(Standing::Revoked(NOW), LATER, &[3]);
        expect("secret", &revoked, Denied::Revoked(NOW));
        let inactive = holder(Standing::PrincipalInactive, LATER, &[3]);
        expect("secret", &inactive, Denied::PrincipalInactive);
        let good = holder(Standing::Active, LATER, &[4]);
        expect("secret", &good, Denied::NotGranted);
        expect("no-such-channel", &good, Denied::NotGranted);
    }

    #[test]
    fn a_public_channel_is_open_whatever_the_token() {
        let revoked = holder(Standing::Revoked(NOW), LATER, &[]);
        let expired = holder(Standing::Active, NOW, &[]);
        for caller in
            [Caller::Anonymous, Caller::Unknown, Caller::Known(&revoked), Caller::Known(&expired)]
        {
            assert!(decided("open", caller, Permission::Read).unwrap().by().is_none());
        }
    }

    #[test]
    fn any_token_in_use_opens_an_authenticated_channel_for_reading_only() {
        let good = holder(Standing::Active, LATER, &[]);
        assert!(ask("staff", &good).is_ok());
        let write = decided("staff", Caller::Known(&good), Permission::Write);
        assert_eq!(write.unwrap_err(), Denied::NotGranted);
    }

    #[test]
    fn a_parent_covers_its_subchannels_only_when_it_says_so() {
        let good = holder(Standing::Active, LATER, &[3, 4]);
        assert!(ask("team/prod", &good).is_ok());
        assert_eq!(ask("secret/deep", &good).unwrap_err(), Denied::NotGranted);
    }

    #[test]
    fn a_network_rule_is_told_only_where_the_grant_covers_the_channel() {
        let within = |network: &str| {
            let limits =
                Limits { networks: [network.parse().unwrap()].into(), ..Limits::default() };
            let grant = grant(Standing::Active, LATER, &[3])
                .held_to(Limited { limits, bytes_of_day: None });
            known(grant)
        };
        assert!(ask("secret", &within("192.0.2.0/24")).is_ok());
        let elsewhere = within("198.51.100.0/24");
        assert_eq!(ask("secret", &elsewhere).unwrap_err(), Denied::Network(HERE));
        assert_eq!(ask("team", &elsewhere).unwrap_err(), Denied::NotGranted);
        assert_eq!(ask("no-such-channel", &elsewhere).unwrap_err(), Denied::NotGranted);
        assert!(ask("open", &elsewhere).is_ok(), "open to anyone anyway");
    }

    #[test]
    fn a_void_grant_opens_nothing() {
        let live = holder(Standing::Active, LATER, &[3]);
        assert!(ask("secret", &live).is_ok());
        live.make_void();
        assert_eq!(ask("secret", &live).unwrap_err(), Denied::Void);
    }

    proptest! {
        /// Adding a channel to a token never takes another one away.
        #[test]
        fn more_channels_never_open_less(
            mut channels in proptest::collection::vec(1i64..9, 0..6),
            added in 1i64..9,
            asked in proptest::sample::select(vec!["staff", "secret", "team", "team/prod", "x"]),
        ) {
            let before = ask(asked, &holder(Standing::Active, LATER, &channels)).is_ok();
            channels.push(added);
            let after = ask(asked, &holder(Standing::Active, LATER, &channels)).is_ok();
            prop_assert!(!before || after);
        }

        /// Nothing is granted that no grant covers: a plain second reading of the contract.
        #[test]
        fn nothing_is_opened_that_no_grant_covers(
            channels in proptest::collection::vec(1i64..9, 0..6),
            asked in proptest::sample::select(vec![
                ("staff", &[2][..]), ("secret", &[3]), ("secret/deep", &[6]),
                ("team", &[4]), ("team/prod", &[5, 4]), ("x", &[]),
            ]),
        ) {
            let (name, covering) = asked;
            let expected = name == "staff" || covering.iter().any(|c| channels.contains(c));
            let got = ask(name, &holder(Standing::Active, LATER, &channels)).is_ok();
            prop_assert_eq!(got, expected);
        }
    }
}
