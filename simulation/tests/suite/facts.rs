//! What the simulated database holds of channels, people and tokens, and what follows from it. The
//! decision itself is the project's own.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, LazyLock};

use access::source::Touched;
use access::{
    Caller, Channel, ChannelId, ChannelName, ChannelRegistry, Grant, GrantedChannel, LiveGrant,
    Permission, PrincipalId, Privacy, Standing, Timestamp, TokenDigest, TokenHint, TokenId,
    TokenSecret, decide,
};

pub(crate) const TOKENS: usize = 4;
pub(crate) const CHANNELS: usize = 3;
/// Every principal may read `own`, members of the team `team`, and `open` is public at first.
pub(crate) const TEAM: usize = 1;
pub(crate) const OPEN: usize = 2;

/// Not generated: into which stripe a digest falls must be the same each time.
pub(crate) static SECRETS: LazyLock<Vec<TokenSecret>> = LazyLock::new(|| {
    let text = |n| format!("simulated-token-number-{n}");
    (0..TOKENS).map(|n| TokenSecret::parse(&text(n)).expect("a token")).collect()
});
pub(crate) static DIGESTS: LazyLock<Vec<TokenDigest>> =
    LazyLock::new(|| SECRETS.iter().map(TokenSecret::digest).collect());
pub(crate) static NAMES: LazyLock<Vec<ChannelName>> = LazyLock::new(|| {
    ["own", "team", "open"].iter().map(|name| name.parse().expect("a name")).collect()
});

pub(crate) const NEVER: Timestamp = Timestamp::from_millis(i64::MAX);

/// For each token and channel, whether the database grants it.
pub(crate) type Truth = [[bool; CHANNELS]; TOKENS];

#[derive(Clone, Debug)]
struct Token {
    channels: Vec<ChannelId>,
    revoked: bool,
    expires_at: Timestamp,
}

#[derive(Clone, Debug)]
pub(crate) struct Facts {
    channels: Vec<Channel>,
    next_channel: i64,
    /// Each acts for the principal of its number; the last one is not issued at first.
    tokens: [Option<Token>; TOKENS],
    active: [bool; TOKENS],
    members: [bool; TOKENS],
    team_reads: bool,
}

/// What a writer does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    Revoke(usize),
    Issue(usize),
    Expire(usize, Timestamp),
    Join(usize),
    Leave(usize),
    TeamReads(bool),
    Activate(usize, bool),
    Privacy(Privacy),
    /// The team's channel is deleted and made again under its name, for nobody yet.
    Recreate,
    /// Something that no gateway decides by.
    Other,
    /// More than a change may name.
    Much,
}

impl Facts {
    pub(crate) fn beginning() -> Self {
        let channel = |id: usize, privacy| Channel {
            id: ChannelId(id as i64),
            name: NAMES[id].clone(),
            privacy,
            storage: "main".into(),
            prefix: "".into(),
            include_subchannels: false,
        };
        let private = [0, TEAM].map(|id| channel(id, Privacy::Private));
        let channels = private.into_iter().chain([channel(OPEN, Privacy::Public)]).collect();
        let all = (0..CHANNELS as i64).map(ChannelId).collect();
        let token = Token { channels: all, revoked: false, expires_at: NEVER };
        Self {
            channels,
            next_channel: CHANNELS as i64,
            tokens: [Some(token.clone()), Some(token.clone()), Some(token), None],
            active: [true; TOKENS],
            members: [true, false, true, false],
            team_reads: true,
        }
    }

    pub(crate) fn channels(&self) -> &[Channel] {
        &self.channels
    }

    pub(crate) fn channel(&self, id: ChannelId) -> Option<&Channel> {
        self.channels.iter().find(|channel| channel.id == id)
    }

    /// Which channels are open to everyone.
    pub(crate) fn public(&self) -> [bool; CHANNELS] {
        std::array::from_fn(|channel| {
            let mut named = self.channels.iter().filter(|one| one.name == NAMES[channel]);
            named.any(|one| one.privacy == Privacy::Public)
        })
    }

    fn id(&self, channel: usize) -> ChannelId {
        let named = self.channels.iter().find(|one| one.name == NAMES[channel]);
        named.map_or(ChannelId(-1), |one| one.id)
    }

    /// The grant of a token, as the database tells it.
    pub(crate) fn grant(&self, token: usize) -> Option<Grant> {
        let row = self.tokens[token].as_ref()?;
        let [own, team, open] = [0, TEAM, OPEN].map(|channel| self.id(channel));
        let held = |id: ChannelId| {
            id == own || id == open || (id == team && self.members[token] && self.team_reads)
        };
        let read = |&channel| GrantedChannel { channel, permission: Permission::Read };
        let channels = row.channels.iter().filter(|id| held(**id)).map(read).collect();
        let standing = match (row.revoked, self.active[token]) {
            (true, _) => Standing::Revoked(Timestamp::from_millis(0)),
            (false, false) => Standing::PrincipalInactive,
            (false, true) => Standing::Active,
        };
        let number = token as i64;
        let hint = TokenHint::from_stored("AbCd");
        let (id, principal) = (TokenId(number), PrincipalId(number));
        Some(Grant::new(id, hint, principal, row.expires_at, standing, channels))
    }

    pub(crate) fn expires_at(&self, token: usize) -> Timestamp {
        self.tokens[token].as_ref().map_or(NEVER, |row| row.expires_at)
    }

    /// What is granted; as if every token that ever expires had, or as if none had.
    pub(crate) fn truth(&self, expired: bool) -> Truth {
        let registry = ChannelRegistry::new(self.channels.iter().cloned());
        std::array::from_fn(|token| {
            let grant = self.grant(token);
            let live = grant.map(|grant| Arc::new(LiveGrant::new(DIGESTS[token], grant)));
            let caller = Caller::of(live.as_ref());
            std::array::from_fn(|channel| {
                let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
                let name = Some(NAMES[channel].as_str());
                let now = Timestamp::from_millis(if expired { i64::MAX - 1 } else { 0 });
                decide(&registry, name, caller, Permission::Read, here, || now).is_ok()
            })
        })
    }

    /// What the change touches, read from the facts as they are now.
    pub(crate) fn touched(&self, deed: Deed, reuse_ids: bool) -> Vec<Touched> {
        let value = |n: usize| Touched::Token { id: TokenId(n as i64), digest: DIGESTS[n] };
        let principal = |n: usize| Touched::Principal(PrincipalId(n as i64));
        match deed {
            Deed::Revoke(n) | Deed::Issue(n) | Deed::Expire(n, _) => vec![value(n)],
            Deed::Join(n) | Deed::Leave(n) | Deed::Activate(n, _) => vec![principal(n)],
            Deed::TeamReads(_) => (0..TOKENS).filter(|n| self.members[*n]).map(principal).collect(),
            Deed::Privacy(_) => vec![Touched::Channel(self.id(OPEN))],
            Deed::Recreate => {
                let (old, next) = (self.id(TEAM), ChannelId(self.next_channel));
                let ids = if reuse_ids { vec![old] } else { vec![old, next] };
                ids.into_iter().map(Touched::Channel).collect()
            }
            Deed::Other => vec![],
            Deed::Much => vec![Touched::Everything],
        }
    }

    pub(crate) fn ends_public(&self, deed: Deed) -> bool {
        matches!(deed, Deed::Privacy(privacy) if privacy != Privacy::Public) && self.public()[OPEN]
    }

    pub(crate) fn apply(&mut self, deed: Deed, reuse_ids: bool) {
        match deed {
            Deed::Revoke(n) => self.tokens[n].iter_mut().for_each(|row| row.revoked = true),
            Deed::Expire(n, at) => self.tokens[n].iter_mut().for_each(|row| row.expires_at = at),
            Deed::Issue(n) => {
                let channels = self.channels.iter().map(|channel| channel.id).collect();
                self.tokens[n].get_or_insert(Token { channels, revoked: false, expires_at: NEVER });
            }
            Deed::Join(n) => self.members[n] = true,
            Deed::Leave(n) => self.members[n] = false,
            Deed::TeamReads(reads) => self.team_reads = reads,
            Deed::Activate(n, active) => self.active[n] = active,
            Deed::Privacy(privacy) => {
                let open = self.channels.iter_mut().filter(|c| c.name == NAMES[OPEN]);
                open.for_each(|channel| channel.privacy = privacy);
            }
            Deed::Recreate => self.recreate(reuse_ids),
            Deed::Other | Deed::Much => {}
        }
    }

    fn recreate(&mut self, reuse_ids: bool) {
        let old = self.id(TEAM);
        for row in self.tokens.iter_mut().flatten() {
            row.channels.retain(|id| *id != old);
        }
        if !reuse_ids {
            for channel in self.channels.iter_mut().filter(|channel| channel.id == old) {
                channel.id = ChannelId(self.next_channel);
            }
            self.next_channel += 1;
        }
        self.team_reads = true;
    }
}
