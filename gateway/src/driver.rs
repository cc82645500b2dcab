//! The way of one request, step by step. It reads in the order of the architecture: target,
//! credential, grant, storage, body; each step passes on or refuses, and everything leaves through
//! the record.

use std::net::IpAddr;
use std::rc::Rc;

use access::usage::UsageKey;
use access::{Allowed, Privacy, Timestamp};
use http::{Method, StatusCode};

use crate::answer::{ALLOWED_METHODS, Context, Refusal};
use crate::answer_fields::{AnswerField, AnswerFields};
use crate::body::AnswerBody;
use crate::credential::Credential;
use crate::listener::{CutSwitch, Fault, Field, Head};
use crate::record::{Record, expiry_to_warn_of};
use crate::storage::{Ask, Failure, Stored, StoredBody};
use crate::target::{self, FilePath, Target};
use crate::watched::{Question, Watch};
use crate::worker::Worker;
use crate::{cache_control, credential};

/// An answer, whichever version of HTTP it goes over.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) fields: AnswerFields,
    pub(crate) body: AnswerBody,
}

/// What lets a file be sent, and who asked for it.
type Opened = (Allowed, Question);

/// A refusal with what only the log is told.
struct Refused {
    refusal: Refusal,
    detail: Option<String>,
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self { refusal, detail: None }
    }
}

/// Answers one request, or why its head is refused; to a HEAD (`is_head`), without content. `switch`
/// ends what it is sent on.
pub(crate) async fn serve(
    worker: Rc<Worker>,
    head: Result<Head<'_>, Fault>,
    is_head: bool,
    switch: Rc<CutSwitch>,
    peer: IpAddr,
) -> Answer {
    let client = head.as_ref().map_or(peer, |head| worker.settings.client(peer, head.fields));
    let request_id = worker.ids.next();
    let mut record = Record::begin(Rc::clone(&worker), client, request_id);
    let mut channel = None;
    let passed = match &head {
        Ok(head) => {
            let user_agent = head.fields.text(Field::UserAgent);
            record.request(&head.method, head.version, user_agent);
            match check(head) {
                Ok(()) if head.method == Method::OPTIONS => Ok((options(), None)),
                Ok(()) => {
                    pass(&worker, head, client, request_id.as_str(), &mut record, &mut channel)
                        .await
                }
                Err(refusal) => Err(refusal.into()),
            }
        }
        Err(fault) => Err(Refusal::Framing(*fault).into()),
    };
    let (mut answer, opened) = passed.unwrap_or_else(|Refused { refusal, detail }| {
        let contact = worker.settings.contact.as_deref();
        let channel = channel.and_then(target::channel_text);
        let context = Context { channel, contact, request_id: request_id.as_str() };
        let refused = refusal.answer(&context);
        record.refused(refused.error, refusal.blame(), detail);
        let body = StoredBody::Memory(refused.body);
        (Stored { status: refused.status, headers: refused.headers, body }, None)
    });
    let watch = opened
        .filter(|_| answer.body.is_streamed() && !is_head)
        .map(|(allowed, question)| Watch::new(&worker.watches, allowed, question, switch));
    answer.headers.insert_request_id(&request_id);
    record.status(answer.status);
    respond(answer, watch, is_head, record)
}

/// What must hold of a head before its target is read.
fn check(head: &Head<'_>) -> Result<(), Refusal> {
    let reads = matches!(head.method, Method::GET | Method::HEAD | Method::OPTIONS);
    if !reads {
        return Err(Refusal::Method);
    }
    if head.has_content {
        return Err(Refusal::Framing(Fault::Content));
    }
    if !head.is_host_clear {
        return Err(Refusal::Host);
    }
    Ok(())
}

/// Target, credential, grant, storage.
async fn pass<'r>(
    worker: &Worker,
    head: &Head<'r>,
    client: IpAddr,
    request_id: &str,
    record: &mut Record,
    channel: &mut Option<&'r str>,
) -> Result<(Stored, Option<Opened>), Refused> {
    let target = target::read(head.path, &worker.settings.mounts).map_err(Refusal::Path)?;
    *channel = target.channel;

    let (allowed, credential) = match decide(worker, head, client, &target, record).await {
        Ok(decided) => decided,
        Err(refusal) => {
            note_refused(worker, &target, record);
            // Clients ask for a channel's notices without their token and must not wait for them:
            // the same answer whether there is such a channel or not (wire.md W7).
            let notices = target.file.as_ref().is_some_and(FilePath::is_notices);
            return Err(if notices { Refusal::NotFound } else { refusal }.into());
        }
    };
    record.asked(allowed.channel(), target.file.as_ref());
    let file = target.file.as_ref().ok_or(Refusal::NotFound)?;

    let now = worker.table.now();
    let limiter = worker.limiters.admit(&allowed, now, || worker.clock.moment());
    let limiter = limiter.map_err(Refusal::Limited)?;
    let token = allowed.by().map(|live| live.grant().token);
    let used = UsageKey { day: now.day(), token, channel: allowed.channel().id };
    let used = worker.usage.begin(used, now, client);

    let is_head = head.method == Method::HEAD;
    let ask = Ask { head: is_head, fields: head.fields, request_id };
    let mut stored = worker.storages.open(&allowed, file, &ask).await.map_err(not_stored)?;
    if !is_head && matches!(stored.status, StatusCode::OK | StatusCode::PARTIAL_CONTENT) {
        let package = file.package();
        let downloads = u64::from(package.is_some());
        let package = package.unwrap_or_default();
        record.meter(used.answered(package, downloads, limiter));
    }
    mark(worker, &allowed, now, &mut stored.headers);
    Ok((stored, Some((allowed, Question { credential, address: client }))))
}

/// Who asks, and whether they may.
async fn decide(
    worker: &Worker,
    head: &Head<'_>,
    client: IpAddr,
    target: &Target<'_>,
    record: &mut Record,
) -> Result<(Allowed, Credential), Refusal> {
    let credential = credential::find(target.token, head.fields)
        .map_err(|credential::TwoTokens| Refusal::TwoTokens)?;
    let decided =
        worker.table.decide(target.channel, &credential, client, |grant| record.token(grant)).await;
    Ok((decided.map_err(Refusal::Undecided)?, credential))
}

/// Names what was asked for in the record of a refusal.
fn note_refused(worker: &Worker, target: &Target<'_>, record: &mut Record) {
    if worker.log.is_on()
        && let Some(name) = target.channel
        && let Some(channel) = worker.table.channels().find(name)
    {
        record.asked(channel, target.file.as_ref());
    }
}

fn not_stored(failure: Failure) -> Refused {
    match failure {
        Failure::NotFound => Refusal::NotFound.into(),
        Failure::Fault(fault) => {
            Refused { refusal: Refusal::Storage(fault.kind), detail: Some(fault.detail) }
        }
    }
}

/// Marks an answer with what the decision means for it: no shared cache may keep what a token
/// opened (W12), and a token that ends soon is said to (W17).
fn mark(worker: &Worker, allowed: &Allowed, now: Timestamp, headers: &mut AnswerFields) {
    if allowed.channel().privacy != Privacy::Public {
        let value = cache_control::private(headers);
        headers.insert_text(AnswerField::CacheControl, &value);
    }
    let within = worker.settings.expiry_warning;
    let warning = allowed.by().and_then(|live| expiry_to_warn_of(live.grant(), now, within));
    if let Some(date) = warning {
        headers.insert_text(AnswerField::TokenExpires, &date);
    }
}

/// The methods that are answered. Nothing is decided for it and nothing told.
fn options() -> Stored {
    let mut headers = AnswerFields::default();
    headers.insert_text(AnswerField::Allow, ALLOWED_METHODS);
    Stored { status: StatusCode::NO_CONTENT, headers, body: StoredBody::Empty }
}

fn respond(answer: Stored, watch: Option<Watch>, is_head: bool, record: Box<Record>) -> Answer {
    let Stored { status, headers: mut fields, mut body } = answer;
    if is_head {
        if let StoredBody::Memory(bytes) = &body {
            fields.set_length(bytes.len() as u64);
        }
        body = StoredBody::Empty;
    }
    Answer { status, fields, body: AnswerBody::new(body, watch, record) }
}
