//! `/usage`

use access::{Day, TokenId};
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::List;
use super::credential::SignedIn;
use super::problem::{Details, PROBLEM, Problem};
use super::request::{Query, channel_in_field, page};
use crate::store::{UsageBy, UsageSubject, UsageSum};
use crate::usecases::usage::{self, UsageOrder};
use crate::{Control, Error};

/// What each sum is of.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = UsageBy)]
pub(super) enum By {
    Day,
    Token,
    Channel,
    Package,
}

impl From<By> for UsageBy {
    fn from(by: By) -> Self {
        match by {
            By::Day => Self::Day,
            By::Token => Self::Token,
            By::Channel => Self::Channel,
            By::Package => Self::Package,
        }
    }
}

/// One sum, with what it is of: a day, a token, a channel or a package.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = Usage)]
pub(super) struct Sum {
    /// In UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = Date)]
    day: Option<String>,
    /// The token's id; 0 is what came without a token.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_name: Option<String>,
    /// For whom the token acts.
    #[serde(skip_serializing_if = "Option::is_none")]
    principal: Option<String>,
    /// The channel's name; none when it is deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    channel_id: Option<i64>,
    /// The package's name; empty for repodata and other files that are no package.
    #[serde(skip_serializing_if = "Option::is_none")]
    package: Option<String>,
    /// Package files that were sent, whole or in part.
    downloads: u64,
    /// Bytes of content that were sent.
    bytes: u64,
    /// From how many addresses on the day that had most; of IPv6, networks of 64 bits. Null where
    /// it is about packages.
    addresses: Option<u64>,
}

impl From<UsageSum> for Sum {
    fn from(sum: UsageSum) -> Self {
        let UsageSum { downloads, bytes, addresses, subject } = sum;
        let of = Self { downloads, bytes, addresses, ..Self::default() };
        match subject {
            UsageSubject::Day(day) => Self { day: Some(day.to_string()), ..of },
            UsageSubject::Package(package) => Self { package: Some(package), ..of },
            UsageSubject::Channel(id, channel) => Self { channel_id: Some(id.0), channel, ..of },
            UsageSubject::Token(None) => Self { token: Some(0), ..of },
            UsageSubject::Token(Some((id, name, principal))) => {
                let (token_name, principal) = (Some(name), Some(principal));
                Self { token: Some(id.0), token_name, principal, ..of }
            }
        }
    }
}

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct UsageQuery {
    /// Of this token alone, by its id.
    token: Option<i64>,
    /// Of this channel alone.
    channel: Option<String>,
    /// Of this package alone; empty for repodata and other files that are no package.
    package: Option<String>,
    /// The first day, in UTC; when not said, 30 days up to the last one.
    #[param(format = Date)]
    from: Option<String>,
    /// The last day; today when not said.
    #[param(format = Date)]
    to: Option<String>,
    /// What each sum is of; days when not said.
    #[param(inline)]
    by: Option<By>,
    /// How many items at most; 100 when not said.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Sums of what was downloaded, by day, token, channel or package.
///
/// An admin may ask about everything; others name a channel that they manage or a token of theirs.
/// Gateways report every `gateway.usage_flush`.
#[utoipa::path(
    get,
    path = "/usage",
    tag = "usage",
    params(UsageQuery),
    responses(
        (status = OK, description = "A page of sums", body = List<Sum>),
        (status = NOT_FOUND, description = "No such token or channel, or not visible to the caller",
         body = Details, content_type = PROBLEM)
    )
)]
pub(super) async fn list(
    State(control): State<Control>,
    SignedIn(actor): SignedIn,
    Query(query): Query<UsageQuery>,
) -> Result<Json<List<Sum>>, Problem> {
    let day = |field, text: Option<String>| -> Result<Option<Day>, Error> {
        text.map(|text| text.parse().map_err(|why| Error::invalid(field, why))).transpose()
    };
    let channel = query.channel.map(|name| channel_in_field("channel", &name)).transpose()?;
    let order = UsageOrder {
        token: query.token.map(TokenId),
        channel,
        package: query.package,
        from: day("from", query.from)?,
        to: day("to", query.to)?,
        by: query.by.map_or(UsageBy::Day, UsageBy::from),
    };
    let page = page(query.limit, query.cursor, None)?;
    let found = usage::list(&control, &actor, &order, &page).await?;
    Ok(List::of(found, Sum::from))
}
