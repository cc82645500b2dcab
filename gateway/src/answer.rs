//! Step 7: every refusal's status and text, in one place (wire.md, "Refusals" and W16).
//!
//! conda prints `message` to its user in place of its own text, so each says what is the matter
//! and what to do. None tells a channel that doesn't exist from one without a grant.

use access::{Denied, Timestamp};
use bytes::Bytes;
use http::StatusCode;
use serde::Serialize;

use crate::answer_fields::{AnswerField, AnswerFields};
use crate::limits::Exceeded;
use crate::listener::Fault;
use crate::storage::FaultKind;
use crate::table::Undecided;
use crate::target::PathError;

/// The methods that are answered.
pub(crate) const ALLOWED_METHODS: &str = "GET, HEAD, OPTIONS";

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Its head can be read in two ways, or is more than we take.
    Framing(Fault),
    /// Its Host isn't one valid authority.
    Host,
    /// Its path isn't canonical, or has its token in a wrong place.
    Path(PathError),
    /// It carries two different tokens.
    TwoTokens,
    /// A method other than [`ALLOWED_METHODS`].
    Method,
    /// Nobody is let in now, or not this one.
    Undecided(Undecided),
    /// The token has used up a limit.
    Limited(Exceeded),
    /// The allowed channel has no such file.
    NotFound,
    /// The storage is at fault.
    Storage(FaultKind),
}

/// Whose fault an answer is, for the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Blame {
    /// The request is at fault.
    Client,
    /// The storage is.
    Upstream,
    /// We are, or the control database is.
    Gateway,
}

impl Blame {
    /// As it is told in the access log.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Upstream => "upstream",
            Self::Gateway => "gateway",
        }
    }
}

/// What a refusal's text may say beside its reason.
pub(crate) struct Context<'a> {
    /// The channel as it stands in the path.
    pub(crate) channel: Option<&'a str>,
    /// Whom to ask, from `gateway.contact`.
    pub(crate) contact: Option<&'a str>,
    pub(crate) request_id: &'a str,
}

impl Context<'_> {
    /// Who can help, as an end of a sentence.
    fn ask(&self) -> String {
        match self.contact {
            Some(contact) => format!("ask {contact}"),
            None => "ask whoever gave you the channel URL".to_owned(),
        }
    }
}

/// A refusal's fixed part.
struct Text {
    status: StatusCode,
    error: &'static str,
    reason: &'static str,
    message: String,
}

/// The body of every refusal (wire.md W16).
#[derive(Serialize)]
struct Body<'a> {
    error: &'a str,
    reason: &'a str,
    message: &'a str,
    request_id: &'a str,
}

/// A refusal ready to be sent.
pub(crate) struct Refused {
    pub(crate) status: StatusCode,
    pub(crate) error: &'static str,
    pub(crate) headers: AnswerFields,
    pub(crate) body: Bytes,
}

impl Refusal {
    /// Whose fault it is.
    pub(crate) fn blame(&self) -> Blame {
        match self {
            Self::Storage(FaultKind::NotConfigured)
            | Self::Undecided(Undecided::Busy | Undecided::Unreachable | Undecided::LeaseEnded) => {
                Blame::Gateway
            }
            Self::Storage(_) => Blame::Upstream,
            _ => Blame::Client,
        }
    }

    /// The answer with this refusal.
    pub(crate) fn answer(&self, context: &Context<'_>) -> Refused {
        let Text { status, error, reason, message } = self.text(context);
        let body = Body { error, reason, message: &message, request_id: context.request_id };
        let body = serde_json::to_vec(&body).unwrap_or_default();
        let mut headers = AnswerFields::default();
        headers.insert_text(AnswerField::ContentType, "application/json");
        headers.insert_text(AnswerField::CacheControl, "no-store");
        if status == StatusCode::UNAUTHORIZED {
            headers.insert_text(AnswerField::WwwAuthenticate, "Bearer realm=\"condagate\"");
        }
        if status == StatusCode::METHOD_NOT_ALLOWED {
            headers.insert_text(AnswerField::Allow, ALLOWED_METHODS);
        }
        if let Some(seconds) = self.retry_after_seconds() {
            headers.insert_number(AnswerField::RetryAfter, seconds);
        }
        if matches!(self, Self::Framing(_) | Self::Host) {
            // What follows on the connection may be a part of what was refused (wire.md W5a).
            headers.insert_text(AnswerField::Connection, "close");
        }
        Refused { status, error, headers, body: body.into() }
    }

    fn retry_after_seconds(&self) -> Option<u64> {
        match self {
            Self::Undecided(Undecided::Busy) => Some(1),
            Self::Undecided(Undecided::Unreachable | Undecided::LeaseEnded) => Some(5),
            Self::Storage(FaultKind::Unreachable) => Some(5),
            Self::Limited(Exceeded::Requests) => Some(1),
            Self::Limited(Exceeded::Bytes { retry_after }) => Some(retry_after.as_secs() + 1),
            _ => None,
        }
    }

    fn text(&self, context: &Context<'_>) -> Text {
        match self {
            Self::Framing(fault) => framing(*fault),
            Self::Host => text(
                StatusCode::BAD_REQUEST,
                "bad-host",
                "Bad Request",
                "The request must name its host exactly once, and the same one as its target.",
            ),
            Self::Path(why) => path(*why),
            Self::TwoTokens => text(
                StatusCode::BAD_REQUEST,
                "two-tokens",
                "Two different tokens",
                "The request carries one token in its URL and other credentials in its header \
                 fields. Remove one of them: look into .netrc, .condarc and the client's stored \
                 logins.",
            ),
            Self::Method => text(
                StatusCode::METHOD_NOT_ALLOWED,
                "method-not-allowed",
                "Method Not Allowed",
                format!("Channels are only read here: use {ALLOWED_METHODS}."),
            ),
            Self::Undecided(undecided) => self::undecided(undecided, context),
            Self::Limited(exceeded) => limited(*exceeded, &context.ask()),
            Self::NotFound => text(
                StatusCode::NOT_FOUND,
                "not-found",
                "Not Found",
                match context.channel {
                    Some(channel) => format!("Channel {channel} has no such file."),
                    None => "There is no such file.".to_owned(),
                },
            ),
            Self::Storage(kind) => storage(*kind),
        }
    }
}

fn text(
    status: StatusCode,
    error: &'static str,
    reason: &'static str,
    message: impl Into<String>,
) -> Text {
    Text { status, error, reason, message: message.into() }
}

fn framing(fault: Fault) -> Text {
    let bad = |message: &str| text(StatusCode::BAD_REQUEST, "bad-request", "Bad Request", message);
    match fault {
        Fault::RequestLine => bad("The request line is not one of HTTP/1.0 or HTTP/1.1."),
        Fault::Target => bad("The request's target has a character that can't be in a URL."),
        Fault::Field => bad("A header field of the request is malformed."),
        Fault::Length => bad("The length of the request's content is given ambiguously."),
        Fault::Content => bad("A GET or HEAD request has no content here."),
        Fault::Method => {
            Refusal::Method.text(&Context { channel: None, contact: None, request_id: "" })
        }
        Fault::TooLarge => text(
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            "head-too-large",
            "Request Header Fields Too Large",
            "The request's line and header fields are larger than this gateway takes.",
        ),
        Fault::Slow => text(
            StatusCode::REQUEST_TIMEOUT,
            "request-timeout",
            "Request Timeout",
            "The request did not arrive in time.",
        ),
    }
}

fn path(why: PathError) -> Text {
    let message = match why {
        PathError::NotCanonical(what) => {
            format!("The URL's path can't be used: {what}. Check the channel URL.")
        }
        PathError::TwoTokens => {
            "The URL has more than one /t/<TOKEN> part. Leave only one of them.".to_owned()
        }
        PathError::TokenMisplaced => "The URL has its /t/<TOKEN> part in the wrong place. It \
             belongs in front of the channel: https://HOST/t/<TOKEN>/<CHANNEL>."
            .to_owned(),
        PathError::NoChannel => "The URL names no channel. A channel URL looks like \
             https://HOST/t/<TOKEN>/<CHANNEL>."
            .to_owned(),
    };
    text(StatusCode::BAD_REQUEST, "bad-path", "Bad Request", message)
}

fn undecided(undecided: &Undecided, context: &Context<'_>) -> Text {
    let ask = context.ask();
    match undecided {
        Undecided::Denied(Denied::Void) | Undecided::Busy => text(
            StatusCode::SERVICE_UNAVAILABLE,
            "busy",
            "Busy",
            "Too many tokens are being looked up just now. Try again in a moment.".to_owned(),
        ),
        Undecided::Unreachable => text(
            StatusCode::SERVICE_UNAVAILABLE,
            "control-unreachable",
            "Token can't be checked",
            format!("The token can't be checked just now. Try again; if it lasts, {ask}."),
        ),
        Undecided::LeaseEnded => text(
            StatusCode::SERVICE_UNAVAILABLE,
            "lease-ended",
            "No news of who may have access",
            format!(
                "This gateway has heard nothing of who may have access for too long, so it lets \
                 nobody in. Try again; if it lasts, {ask}."
            ),
        ),
        Undecided::Denied(denied) => self::denied(*denied, context.channel, &ask),
    }
}

fn denied(denied: Denied, channel: Option<&str>, ask: &str) -> Text {
    let channel = match channel {
        Some(channel) => format!("channel {channel}"),
        None => "this channel".to_owned(),
    };
    let unauthorized =
        |error, reason, message| text(StatusCode::UNAUTHORIZED, error, reason, message);
    match denied {
        Denied::NoToken => unauthorized(
            "token-missing",
            "Token missing",
            format!(
                "A token is needed for {channel}: write it into the channel URL, as in \
                 https://HOST/t/<TOKEN>/<CHANNEL>. For a token, {ask}."
            ),
        ),
        // A void grant is looked up again, and answered as busy if that never ends.
        Denied::UnknownToken | Denied::Void => unauthorized(
            "token-unknown",
            "Token not known",
            format!(
                "The token for {channel} is not known here. Check that it was copied whole; for \
                 a new one, {ask}."
            ),
        ),
        Denied::Expired(at) => ended("token-expired", "Token expired", "expired", at, ask),
        Denied::Replaced(at) => ended(
            "token-replaced",
            "Token replaced",
            "was issued anew, and this value of it ended",
            at,
            ask,
        ),
        Denied::Revoked(at) => ended("token-revoked", "Token revoked", "was revoked", at, ask),
        Denied::PrincipalInactive => unauthorized(
            "account-inactive",
            "Account deactivated",
            format!("The account that the token belongs to was deactivated. For access, {ask}."),
        ),
        Denied::NotGranted => text(
            StatusCode::FORBIDDEN,
            "not-granted",
            "No access",
            format!(
                "The token gives no access to {channel}, or there is no such channel. Check the \
                 channel's name; for access, {ask}."
            ),
        ),
        // Not which networks: that would help whoever found the token.
        Denied::Network(address) => text(
            StatusCode::FORBIDDEN,
            "network-not-allowed",
            "Network not allowed",
            format!("The token may not be used from {address}, by its network rule; {ask}."),
        ),
    }
}

fn limited(exceeded: Exceeded, ask: &str) -> Text {
    let too_many = |error, reason, message: &str| {
        let message = format!("{message}; for a higher limit, {ask}.");
        text(StatusCode::TOO_MANY_REQUESTS, error, reason, message)
    };
    match exceeded {
        Exceeded::Requests => too_many(
            "requests-per-second",
            "Too many requests",
            "The token is used for more requests per second than it may. Try again with fewer \
             connections at a time",
        ),
        Exceeded::Bytes { .. } => too_many(
            "bytes-per-day",
            "Limit of the day reached",
            "The token has been sent as many bytes as it may in a day. It works again after \
             midnight UTC",
        ),
    }
}

fn ended(error: &'static str, reason: &'static str, how: &str, at: Timestamp, ask: &str) -> Text {
    let message = format!("The token {how} on {}. For a new one, {ask}.", at.date());
    text(StatusCode::UNAUTHORIZED, error, reason, message)
}

fn storage(kind: FaultKind) -> Text {
    match kind {
        FaultKind::Unreachable => text(
            StatusCode::SERVICE_UNAVAILABLE,
            "storage-unreachable",
            "Storage unreachable",
            "The channel's storage can't be reached just now. Try again in a moment.",
        ),
        FaultKind::TooSlow => text(
            StatusCode::GATEWAY_TIMEOUT,
            "storage-timeout",
            "Storage too slow",
            "The channel's storage did not answer in time. Try again later.",
        ),
        FaultKind::Unusable => text(
            StatusCode::BAD_GATEWAY,
            "storage-failed",
            "Storage failed",
            "The channel's storage gave no usable answer. It is the operator's to mend, and the \
             gateway's log says why.",
        ),
        FaultKind::NotConfigured => text(
            StatusCode::BAD_GATEWAY,
            "storage-not-configured",
            "Storage not configured",
            "The channel's storage is not configured on this gateway. It is the operator's to \
             mend.",
        ),
    }
}

#[cfg(test)]
mod tests;
