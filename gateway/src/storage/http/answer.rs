//! What an upstream's answer means to the client.

use std::ops::Range;
use std::task::{Context, Poll, Waker, ready};

use ::http::{HeaderValue, StatusCode};

use super::super::conditions::{Conditions, Validators};
use super::super::representation::{Representation, Sliceable as _, content_type};
use super::super::{Ask, Failure, Fault, FaultKind, Stored, StoredBody};
use super::HttpStorage;
use super::body::UpstreamBody;
use super::client::{Answered, UpstreamField, UpstreamFields, decimal};
use super::connect::Upstream;
use crate::answer_fields::{AnswerField, AnswerFields};
use crate::target::FilePath;

/// What passes from an upstream's answer. Everything else is the server's own matter: cookies,
/// challenges, hop-by-hop fields (wire.md W19).
const PASSED_ON: [(UpstreamField, AnswerField); 10] = [
    (UpstreamField::AcceptRanges, AnswerField::AcceptRanges),
    (UpstreamField::Age, AnswerField::Age),
    (UpstreamField::CacheControl, AnswerField::CacheControl),
    (UpstreamField::ContentDisposition, AnswerField::ContentDisposition),
    (UpstreamField::ContentEncoding, AnswerField::ContentEncoding),
    (UpstreamField::ContentRange, AnswerField::ContentRange),
    (UpstreamField::ContentType, AnswerField::ContentType),
    (UpstreamField::Etag, AnswerField::Etag),
    (UpstreamField::Expires, AnswerField::Expires),
    (UpstreamField::LastModified, AnswerField::LastModified),
];

/// The most that is read of an answer that nobody wants.
const READ_AWAY_BYTES: u64 = 64 * 1024;

pub(super) fn read(
    storage: &HttpStorage,
    answered: Answered,
    file: &FilePath<'_>,
    ask: &Ask<'_>,
) -> Result<Stored, Failure> {
    let status = answered.status;
    let conditions = Conditions::new(ask.fields, ask.head);
    match status {
        StatusCode::OK => Ok(whole(storage, answered, file, &conditions, ask)),
        StatusCode::PARTIAL_CONTENT if conditions.range_to_pass_on().is_some() => {
            part(storage, answered, &conditions)
        }
        // Only to who asked: a client that has nothing can't go on with what it has.
        StatusCode::NOT_MODIFIED if conditions.may_be_unmodified() => {
            Ok(without_content(storage, answered))
        }
        StatusCode::RANGE_NOT_SATISFIABLE if conditions.range_to_pass_on().is_some() => {
            Ok(without_content(storage, answered))
        }
        StatusCode::NOT_FOUND | StatusCode::GONE => {
            finish(storage, answered);
            Err(Failure::NotFound)
        }
        status => Err(fault(&storage.upstream, status, &answered.fields).into()),
    }
}

fn without_content(storage: &HttpStorage, answered: Answered) -> Stored {
    let status = answered.status;
    let headers = passed_on(&answered.fields);
    finish(storage, answered);
    Stored { status, headers, body: StoredBody::Empty }
}

/// An answer with the whole file. The server may have ignored a condition or a range; then it is
/// met here (wire.md W9, W10).
fn whole(
    storage: &HttpStorage,
    answered: Answered,
    file: &FilePath<'_>,
    conditions: &Conditions<'_>,
    ask: &Ask<'_>,
) -> Stored {
    let Answered { fields, content, .. } = answered;
    let headers = told(&fields, file);
    let validators = match conditions.compare_validators() {
        true => validators(&fields),
        false => Validators::default(),
    };
    let length = if ask.head { content_length(&fields) } else { content.remaining() };
    let body = UpstreamBody::new(storage, content);
    match length {
        Some(length) => {
            let verdict = conditions.judge(&validators, length);
            Representation { length, headers, body }.answer(verdict)
        }
        None if conditions.is_not_modified(&validators) => {
            let status = StatusCode::NOT_MODIFIED;
            Stored { status, headers, body: StoredBody::Empty }
        }
        None => {
            Stored { status: StatusCode::OK, headers, body: StoredBody::Upstream(Box::new(body)) }
        }
    }
}

/// An answer with the part that was asked for.
fn part(
    storage: &HttpStorage,
    answered: Answered,
    conditions: &Conditions<'_>,
) -> Result<Stored, Failure> {
    let Answered { status, fields, content } = answered;
    let unusable = |text: &str| {
        let text = format!("{} sent {text}", storage.upstream.base());
        Err(Fault::new(FaultKind::Unusable, text).into())
    };
    let mut headers = passed_on(&fields);
    let is_one = !fields.repeats(UpstreamField::ContentRange);
    let said = headers.text(AnswerField::ContentRange).filter(|_| is_one);
    let Some((part, complete)) = said.and_then(content_range) else {
        return unusable("206 without a usable Content-Range");
    };
    if !conditions.ask_for(&part, complete) {
        return unusable("a part that was not asked for");
    }
    let said = part.end - part.start;
    if let Some(length) = content.remaining().filter(|length| *length != said) {
        return unusable(&format!("{length} bytes for a part of {said}"));
    }
    headers.set_length(said);
    // Where the server doesn't tell the length, it is cut if it isn't this.
    Ok(Stored { status, headers, body: UpstreamBody::new(storage, content).slice(0..said) })
}

/// Which bytes a `Content-Range` is of, and how many the whole file has where it says so (RFC 9110,
/// section 14.4).
fn content_range(text: &str) -> Option<(Range<u64>, Option<u64>)> {
    let (part, complete) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = part.split_once('-')?;
    let (first, last) = (decimal(first.as_bytes())?, decimal(last.as_bytes())?);
    let complete = match complete {
        "*" => None,
        complete => Some(decimal(complete.as_bytes()).filter(|complete| last < *complete)?),
    };
    (first <= last).then_some((first..last + 1, complete))
}

/// Whether it is a part of another version than the one that the client has a part of: not every
/// server knows If-Range.
pub(super) fn is_of_another_version(answered: &Answered, ask: &Ask<'_>) -> bool {
    answered.status == StatusCode::PARTIAL_CONTENT
        && !Conditions::new(ask.fields, ask.head).if_range_holds(&validators(&answered.fields))
}

/// Lets an answer go whose content isn't wanted. A short one is read to its end, so that the
/// connection can be used again: clients ask for much that isn't there.
fn finish(storage: &HttpStorage, answered: Answered) {
    let mut body = UpstreamBody::new(storage, answered.content);
    if body.remaining().is_none_or(|bytes| bytes > READ_AWAY_BYTES) {
        return;
    }
    let mut read_away = move |cx: &mut Context<'_>| {
        while let Some(Ok(_unwanted)) = ready!(body.poll_chunk(cx)) {}
        Poll::Ready(())
    };
    // Mostly it has come with the head.
    if read_away(&mut Context::from_waker(Waker::noop())).is_pending() {
        tokio::task::spawn_local(std::future::poll_fn(read_away));
    }
}

fn fault(upstream: &Upstream, status: StatusCode, fields: &UpstreamFields) -> Fault {
    let base = upstream.base();
    match status {
        // Our credentials are at fault, not the client's.
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Fault::new(
            FaultKind::Unusable,
            format!("{base} answered {status}: it refuses the storage's credentials"),
        ),
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => {
            let after = fields.text(UpstreamField::RetryAfter).unwrap_or("unset");
            let text = format!("{base} answered {status} (Retry-After: {after})");
            Fault::new(FaultKind::Unreachable, text)
        }
        StatusCode::GATEWAY_TIMEOUT => {
            Fault::new(FaultKind::TooSlow, format!("{base} answered {status}"))
        }
        status => Fault::new(FaultKind::Unusable, format!("{base} answered {status}")),
    }
}

/// What clients are told of a whole file, and what tells its versions apart.
pub(super) fn described(from: &UpstreamFields, file: &FilePath<'_>) -> (AnswerFields, Validators) {
    (told(from, file), validators(from))
}

fn told(from: &UpstreamFields, file: &FilePath<'_>) -> AnswerFields {
    let mut headers = passed_on(from);
    headers.remove(AnswerField::ContentRange);
    if !headers.has(AnswerField::ContentType) {
        headers.insert_text(AnswerField::ContentType, content_type(file.name()));
    }
    headers
}

fn validators(of: &UpstreamFields) -> Validators {
    let modified = of.text(UpstreamField::LastModified);
    Validators {
        etag: of.text(UpstreamField::Etag).map(|tag| tag.trim().to_owned()),
        last_modified: modified.and_then(|date| httpdate::parse_http_date(date.trim()).ok()),
    }
}

pub(super) fn passed_on(from: &UpstreamFields) -> AnswerFields {
    let mut headers = AnswerFields::default();
    for (field, to) in PASSED_ON {
        let Some(mut value) = from.value(field) else { continue };
        if field == UpstreamField::CacheControl && from.repeats(field) {
            // A list in several fields is one list (RFC 9110, section 5.3): what a later one forbids
            // is forbidden.
            let all: Vec<_> = from.all(field).collect();
            value = HeaderValue::from_bytes(&all.join(&b", "[..])).unwrap_or(value);
        }
        headers.insert(to, &value);
    }
    headers
}

fn content_length(fields: &UpstreamFields) -> Option<u64> {
    fields.text(UpstreamField::ContentLength)?.split(',').next()?.trim().parse().ok()
}
