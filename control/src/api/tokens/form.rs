//! Tokens as the API writes and takes them.

use std::net::IpAddr;
use std::num::{NonZeroU32, NonZeroU64};

use access::{ChannelName, Limits, Permission, Timestamp};
use ipnet::IpNet;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use crate::api::problem::Problem;
use crate::api::request::{channel_in_field, duration};
use crate::api::words::{PermissionWord, Time, TokenStatusWord};
use crate::usecases::token::{Expiry, Found, Issued, Reissue, TokenEdit, TokenOrder};
use crate::{Error, TokenStatus};

/// A token, without its value.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct Token {
    id: i64,
    name: String,
    /// For people.
    description: String,
    /// For whom it acts.
    principal: String,
    /// What may be shown of its value.
    #[schema(example = "cg-AbCd…")]
    hint: String,
    /// What it was issued for, on each of its channels.
    permission: PermissionWord,
    channels: Vec<String>,
    /// Whether it may act with its user's role.
    admin: bool,
    /// The networks that it may be used from; empty for all.
    networks: Vec<String>,
    /// How many requests a second each gateway takes from it.
    requests_per_second: Option<u32>,
    /// How many bytes a day (in UTC) all gateways together send it.
    bytes_per_day: Option<u64>,
    created_at: Time,
    /// Who made it.
    created_by: String,
    /// The token it was made with, if it was made with one.
    created_by_token: Option<i64>,
    expires_at: Time,
    /// What may be shown of the value before its present one, while that works on after a reissue.
    #[schema(example = "cg-AbCd…")]
    old_value_hint: Option<String>,
    /// When that value ends.
    old_value_ends_at: Option<Time>,
    revoked_at: Option<Time>,
    last_used_at: Option<Time>,
    /// The address of its last use.
    last_used_from: Option<String>,
    /// What it grants now, after its principal's own permissions.
    effective: Vec<EffectiveChannel>,
    status: TokenStatusWord,
}

/// What a token grants on a channel now.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct EffectiveChannel {
    channel: String,
    permission: PermissionWord,
}

impl From<crate::Token> for Token {
    fn from(token: crate::Token) -> Self {
        let works = matches!(token.status, TokenStatus::Active | TokenStatus::Limited);
        let effective = token.channels.iter().filter_map(|channel| {
            let permission = channel.effective.filter(|_| works)?.into();
            Some(EffectiveChannel { channel: channel.name.to_string(), permission })
        });
        let (last_used_at, last_used_from) = token.last_used.unzip();
        let (old_hint, old_ends) = token.old_value.map(|old| (old.hint, old.ends_at)).unzip();
        Self {
            effective: effective.collect(),
            status: token.status.into(),
            id: token.id.0,
            name: token.name,
            description: token.description,
            principal: token.principal,
            hint: token.hint.to_string(),
            permission: token.permission.into(),
            channels: token.channels.iter().map(|channel| channel.name.to_string()).collect(),
            admin: token.admin,
            networks: token.limits.networks.iter().map(ToString::to_string).collect(),
            requests_per_second: token.limits.requests_per_second.map(NonZeroU32::get),
            bytes_per_day: token.limits.bytes_per_day.map(NonZeroU64::get),
            created_at: token.created_at.into(),
            created_by: token.created_by,
            created_by_token: token.created_by_token.map(|id| id.0),
            expires_at: token.expires_at.into(),
            old_value_hint: old_hint.map(|hint| hint.to_string()),
            old_value_ends_at: old_ends.map(Time),
            revoked_at: token.revoked.map(|(at, _)| at.into()),
            last_used_at: last_used_at.map(Time),
            last_used_from,
        }
    }
}

/// A token with its value, which is shown this once.
#[derive(Serialize, ToSchema)]
pub(in crate::api) struct IssuedToken {
    #[serde(flatten)]
    token: Token,
    value: String,
}

impl From<Issued> for IssuedToken {
    fn from(issued: Issued) -> Self {
        Self { token: issued.token.into(), value: issued.secret.reveal().to_owned() }
    }
}

/// The token that a value belongs to.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct FoundToken {
    #[serde(flatten)]
    token: Token,
    /// Whether this value still works, if only beside a newer one.
    value_works: bool,
    /// When this value ended or will end because of a newer one; null for the present one, which
    /// ends with the token.
    value_replaced_at: Option<Time>,
}

impl From<Found> for FoundToken {
    fn from(found: Found) -> Self {
        Self {
            token: found.token.into(),
            value_works: found.works,
            value_replaced_at: found.replaced_at.map(Time),
        }
    }
}

/// A token to be issued.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewToken)]
pub(in crate::api) struct Create {
    /// Unique among its principal's tokens in use.
    name: String,
    /// For people.
    #[serde(default)]
    description: String,
    /// When it ends, at most 365 days from now; either this or `expires_in`.
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    /// How long it lasts.
    #[schema(example = "90d", pattern = "^[0-9]{1,9}[smhd]$")]
    expires_in: Option<String>,
    /// What it grants on each of its channels.
    permission: PermissionWord,
    /// Its channels; one with `admin` needs none.
    channels: Vec<String>,
    /// Whether it may act with its user's role. Only for an admin's own.
    #[serde(default)]
    admin: bool,
    /// The networks (CIDR) that it may be used from; all when none.
    #[serde(default)]
    #[schema(example = json!(["10.0.0.0/8", "2001:db8::/32"]))]
    networks: Vec<String>,
    /// How many requests a second each gateway takes from it.
    #[schema(minimum = 1)]
    requests_per_second: Option<u32>,
    /// How many bytes a day (in UTC) all gateways together send it.
    #[schema(minimum = 1)]
    bytes_per_day: Option<u64>,
}

impl Create {
    pub(super) fn parse(self) -> Result<TokenOrder, Problem> {
        let expires = expiry(self.expires_at, self.expires_in)?;
        let requests = self.requests_per_second.map(requests_per_second);
        Ok(TokenOrder {
            name: self.name,
            description: self.description,
            expires: expires.ok_or_else(one_end)?,
            permission: Permission::from(self.permission),
            channels: channels(&self.channels)?,
            admin: self.admin,
            limits: Limits {
                networks: networks(&self.networks)?,
                requests_per_second: requests.transpose()?,
                bytes_per_day: self.bytes_per_day.map(bytes_per_day).transpose()?,
            },
        })
    }
}

/// What to change of a token; what is left out stays, and its value does.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TokenEdit)]
pub(in crate::api) struct Edit {
    /// Unique among its principal's tokens in use.
    name: Option<String>,
    /// For people.
    description: Option<String>,
    /// When it ends, at most 365 days from its issue; either this or `expires_in`.
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    /// How long from now it lasts.
    #[schema(example = "90d", pattern = "^[0-9]{1,9}[smhd]$")]
    expires_in: Option<String>,
    permission: Option<PermissionWord>,
    channels: Option<Vec<String>>,
    /// The networks (CIDR) that it may be used from; null or none for all.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<Vec<String>>)]
    networks: Option<Option<Vec<String>>>,
    /// How many requests a second each gateway takes from it; null for no limit.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<u32>, minimum = 1)]
    requests_per_second: Option<Option<u32>>,
    /// How many bytes a day (in UTC) all gateways together send it; null for no limit.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<u64>, minimum = 1)]
    bytes_per_day: Option<Option<u64>>,
}

impl Edit {
    pub(super) fn parse(self) -> Result<TokenEdit, Problem> {
        let networks = self.networks.map(|list| networks(&list.unwrap_or_default()));
        let requests = self.requests_per_second.map(|n| n.map(requests_per_second).transpose());
        let bytes = self.bytes_per_day.map(|n| n.map(bytes_per_day).transpose());
        Ok(TokenEdit {
            name: self.name,
            description: self.description,
            expires: expiry(self.expires_at, self.expires_in)?,
            permission: self.permission.map(Permission::from),
            channels: self.channels.as_deref().map(channels).transpose()?,
            networks: networks.transpose()?,
            requests_per_second: requests.transpose()?,
            bytes_per_day: bytes.transpose()?,
            seen: None,
        })
    }
}

/// How to give a token a new value.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TokenReissue)]
pub(in crate::api) struct Again {
    /// How long the old value works on, at most 7 days; it ends now when not said.
    #[schema(example = "24h", pattern = "^[0-9]{1,9}[smhd]$")]
    overlap: Option<String>,
    /// When the token ends, at most 365 days from now; lasts as long as before when neither this
    /// nor `expires_in` is said.
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    /// How long the token lasts.
    #[schema(example = "90d", pattern = "^[0-9]{1,9}[smhd]$")]
    expires_in: Option<String>,
}

impl Again {
    pub(super) fn parse(self) -> Result<Reissue, Problem> {
        let overlap = self.overlap.as_deref().map(|text| duration("overlap", text));
        Ok(Reissue {
            overlap: overlap.transpose()?.unwrap_or_default(),
            expires: expiry(self.expires_at, self.expires_in)?,
            seen: None,
        })
    }
}

/// A field that was said, if only as null.
fn said<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// A token's end, if it is said.
pub(super) fn expiry(
    at: Option<String>,
    lifespan: Option<String>,
) -> Result<Option<Expiry>, Problem> {
    match (at, lifespan) {
        (Some(at), None) => {
            let at = at.parse::<Timestamp>();
            Ok(Some(Expiry::At(at.map_err(|why| Error::invalid("expires_at", why))?)))
        }
        (None, Some(lifespan)) => Ok(Some(Expiry::In(duration("expires_in", &lifespan)?))),
        (Some(_), Some(_)) => Err(one_end()),
        (None, None) => Ok(None),
    }
}

pub(super) fn one_end() -> Problem {
    Problem::invalid_field("expires_at", "say either `expires_at` or `expires_in`")
}

pub(super) fn channels(names: &[String]) -> Result<Vec<ChannelName>, Error> {
    names.iter().map(|name| channel_in_field("channels", name)).collect()
}

/// The networks of a token, each as one would write it.
pub(crate) fn networks(cidrs: &[String]) -> Result<Box<[IpNet]>, Error> {
    cidrs.iter().map(|cidr| network(cidr)).collect()
}

fn network(cidr: &str) -> Result<IpNet, Error> {
    let network = cidr.parse::<IpNet>().map_err(|_why| {
        let message = format!("`{cidr}` is no network; write one like 10.0.0.0/8 or 192.0.2.7/32");
        Error::invalid("networks", message)
    })?;
    // What other tools may read in another way, and what no address is in.
    let address = cidr.split('/').next().unwrap_or_default().parse::<IpAddr>();
    let mapped = matches!(network, IpNet::V6(net) if net.addr().to_ipv4_mapped().is_some());
    if address.is_err() || mapped {
        let message = format!("`{cidr}`: write an IPv4 network like 10.0.0.0/8");
        return Err(Error::invalid("networks", message));
    }
    if network.trunc() == network {
        return Ok(network);
    }
    let message = format!("`{cidr}` has bits behind its prefix; write {}", network.trunc());
    Err(Error::invalid("networks", message))
}

fn requests_per_second(number: u32) -> Result<NonZeroU32, Error> {
    NonZeroU32::new(number).ok_or_else(|| Error::invalid("requests_per_second", NOT_ZERO))
}

fn bytes_per_day(number: u64) -> Result<NonZeroU64, Error> {
    if i64::try_from(number).is_err() {
        return Err(Error::invalid("bytes_per_day", "must be less than 8 EiB"));
    }
    NonZeroU64::new(number).ok_or_else(|| Error::invalid("bytes_per_day", NOT_ZERO))
}

const NOT_ZERO: &str = "must be at least 1; leave it out for no limit, or revoke the token";
