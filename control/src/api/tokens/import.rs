//! `POST /tokens/import`: one JSON object a line in, one a line out (`application/x-ndjson`).
//!
//! What stands in a line is never repeated in the answer beyond names that were read as such: a
//! value may stand in the wrong place.

use std::borrow::Cow;

use access::source::Revision;
use access::{Limits, Permission, TokenId, TokenSecret};
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, Request, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HeaderName};
use serde::{Deserialize, Deserializer, Serialize, de};
use utoipa::ToSchema;

use super::form;
use crate::Control;
use crate::api::audit::NDJSON;
use crate::api::credential::SignedIn;
use crate::api::problem::Problem;
use crate::api::proofs;
use crate::api::request::{Query, is_declared, unreadable, wait};
use crate::api::words::PermissionWord;
use crate::usecases::token::{self, Import, Imported, TokenOrder};

/// How many bytes an import may have: a few hundred for each of a hundred thousand tokens.
pub(in crate::api) const MAX_IMPORT_BYTES: usize = 32 * 1024 * 1024;

/// How to import.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::api) struct ImportQuery {
    /// All or nothing: at most 10,000 lines.
    #[serde(default)]
    atomic: bool,
    /// How long to wait until every gateway knows what was made.
    #[param(example = "10s", pattern = "^[0-9]{1,9}[smhd]$")]
    wait: Option<String>,
}

/// One token of another system: a line of the request.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ImportLine)]
pub(in crate::api) struct Line {
    /// 16 to 128 letters, digits or `-`.
    #[schema(value_type = String)]
    value: Value,
    /// The service account that it is to act for; either this or `user`.
    service_account: Option<String>,
    /// The user that it is to act for.
    user: Option<String>,
    /// Unique among its principal's tokens in use.
    name: String,
    /// For people.
    #[serde(default)]
    description: String,
    /// What it grants on each of its channels.
    permission: PermissionWord,
    channels: Vec<String>,
    /// When it ends, at most 365 days from now; either this or `expires_in`.
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    /// How long it lasts.
    #[schema(example = "90d", pattern = "^[0-9]{1,9}[smhd]$")]
    expires_in: Option<String>,
}

/// A value, out of sight as soon as it is read.
struct Value(TokenSecret);

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        TokenSecret::parse(&text).map(Self).map_err(de::Error::custom)
    }
}

/// What became of a line.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ImportedLine)]
pub(in crate::api) struct Report {
    /// Its number, from 1.
    line: usize,
    status: ImportStatus,
    /// The token that it made or that was there already.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<i64>,
    /// The change that made it: `/revisions/{revision}/proof` tells which gateways know it.
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<i64>,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

/// Whether a line made a token, or its principal has one of this value already.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::api) enum ImportStatus {
    Created,
    Exists,
    Refused,
}

impl Report {
    fn of(line: usize, outcome: Imported) -> Self {
        let made = |status, id: TokenId, revision: Option<Revision>| Self {
            line,
            status,
            id: Some(id.0),
            revision: revision.map(|revision| revision.0),
            detail: None,
        };
        match outcome {
            Imported::Created(id, revision) => made(ImportStatus::Created, id, Some(revision)),
            Imported::Exists(id) => made(ImportStatus::Exists, id, None),
            Imported::Refused(why) => Self {
                line,
                status: ImportStatus::Refused,
                id: None,
                revision: None,
                detail: Some(why),
            },
        }
    }
}

/// Imports tokens of another system, so that their holders' URLs need not change. A line each
/// tells what became of it; importing the same again finds them there.
#[utoipa::path(
    post,
    path = "/tokens/import",
    tag = "tokens",
    params(ImportQuery),
    request_body(content = Line, content_type = "application/x-ndjson", description = "Lines"),
    responses((status = OK, description = "A line each", body = Report,
        content_type = "application/x-ndjson"))
)]
pub(in crate::api) async fn import(
    State(control): State<Control>,
    SignedIn(actor): SignedIn,
    Query(query): Query<ImportQuery>,
    Lines(body): Lines,
) -> Result<([(HeaderName, &'static str); 1], String), Problem> {
    let wait = wait(query.wait.as_deref())?;
    let lines = body.split(|byte| *byte == b'\n').enumerate();
    let (numbers, tokens): (Vec<_>, Vec<_>) = lines
        .filter(|(_, line)| !line.trim_ascii().is_empty())
        .map(|(at, line)| (at + 1, parse(line)))
        .unzip();
    drop(body);
    let outcomes = token::import(&control, &actor, tokens, query.atomic).await?;
    let last = outcomes.iter().filter_map(|outcome| match outcome {
        Imported::Created(_, revision) => Some(*revision),
        Imported::Exists(_) | Imported::Refused(_) => None,
    });
    if let Some(last) = last.max() {
        // Known or not by then, the tokens are made: the report is what tells so.
        let _ = proofs::prove(&control, last, wait).await;
    }
    let mut report = String::new();
    for (line, outcome) in numbers.into_iter().zip(outcomes) {
        let line = serde_json::to_string(&Report::of(line, outcome));
        report.push_str(&line.map_err(|error| crate::Error::Internal(error.to_string()))?);
        report.push('\n');
    }
    Ok(([(CONTENT_TYPE, NDJSON)], report))
}

/// A body of lines, declared as such.
pub(in crate::api) struct Lines(Bytes);

impl<S: Send + Sync> FromRequest<S> for Lines {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if !is_declared(request.headers(), NDJSON) {
            let detail = format!("send `Content-Type: {NDJSON}`");
            return Err(Problem::malformed(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail));
        }
        let bytes = Bytes::from_request(request, state).await;
        bytes.map(Self).map_err(|rejection: BytesRejection| unreadable(rejection))
    }
}

/// One line, or why it can't be read.
fn parse(line: &[u8]) -> Result<Import, String> {
    let mut json = serde_json::Deserializer::from_slice(line);
    let line: Line = serde_path_to_error::deserialize(&mut json).map_err(what_is_wrong)?;
    json.end().map_err(|_more| "more than one JSON object".to_owned())?;
    let principal = match (line.service_account, line.user) {
        (Some(name), None) => super::account(&name).map(str::to_owned),
        (None, Some(name)) => super::user(&name).map(str::to_owned),
        _ => return Err("say either `service_account` or `user`".into()),
    };
    let expires = form::expiry(line.expires_at, line.expires_in).ok().flatten();
    let expires = expires.ok_or(
        "say either `expires_at`, such as 2026-11-01T12:00:00Z, or `expires_in`, such as `90d`",
    )?;
    let channels = form::channels(&line.channels);
    Ok(Import {
        value: line.value.0,
        principal: principal.map_err(|why| why.to_string())?,
        order: TokenOrder {
            name: line.name,
            description: line.description,
            expires,
            permission: Permission::from(line.permission),
            channels: channels.map_err(|_name| "`channels`: not a channel's name")?,
            admin: false,
            limits: Limits::default(),
        },
    })
}

/// What is wrong with a line, without what stands in it: serde's own words repeat that.
fn what_is_wrong(error: serde_path_to_error::Error<serde_json::Error>) -> String {
    let field = error.path().to_string();
    let cause = error.into_inner();
    if !cause.is_data() {
        return format!("no JSON object: column {}", cause.column());
    }
    let words = cause.to_string();
    if let Some(rest) = words.strip_prefix("missing field ") {
        return format!("missing field {}", rest.split(' ').next().unwrap_or_default());
    }
    match field.as_str() {
        _ if words.starts_with("unknown field") => "a field that has no place here".into(),
        "value" => {
            "`value`: 16 to 128 letters, digits or `-`; one of ours with its checksum".into()
        }
        "permission" => "`permission`: use `read`, `write` or `manage`".into(),
        "." => "no JSON object".into(),
        _ => format!("`{field}`: has the wrong type"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_said_without_what_stands_there() {
        let secret = "0123456789abcdef-secret";
        for (line, said) in [
            (format!(r#"{{"value": "{secret}"}}"#), "missing field `name`"),
            (format!(r#"{{"value": "{secret}!"}}"#), "16 to 128"),
            (r#"{"value": 123456789012345678}"#.to_owned(), "16 to 128"),
            (format!(r#"{{"{secret}": 1}}"#), "no place here"),
            (format!(r#"{{"name": ["{secret}"]}}"#), "`name`: has the wrong type"),
            (format!(r#"{{"permission": "{secret}"}}"#), "use `read`"),
            (format!(r#"["{secret}"]"#), "no JSON object"),
            (format!(r#""{secret}""#), "no JSON object"),
            (secret.to_owned(), "no JSON object"),
            (format!("{secret} {{"), "no JSON object"),
        ] {
            let why = parse(line.as_bytes()).unwrap_err();
            assert!(why.contains(said), "{line}: {why}");
            assert!(!why.contains(&secret[10..]) && !why.contains("123456"), "{line}: {why}");
        }
    }

    #[test]
    fn a_value_is_out_of_sight() {
        let line = r#"{"value": "0123456789abcdef-secret", "service_account":
            "service-account-channel-a", "name": "t", "permission": "read", "channels": ["a"],
            "expires_in": "90d"}"#;
        assert!(!format!("{:?}", parse(line.as_bytes()).unwrap()).contains("secret\""));
    }
}
