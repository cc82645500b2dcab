//! The way of one request, step by step. It reads in the order of the architecture: target,
//! credential, grant, storage, body; each step passes on or refuses, and everything leaves through
//! the record.

use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;

use access::usage::UsageKey;
use access::{Allowed, ChannelName, Privacy, Timestamp};
use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Version};
use http_body::Body as _;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;

use crate::answer::{ALLOWED_METHODS, Context, Refusal};
use crate::body::AnswerBody;
use crate::chunk::Sending;
use crate::credential::Credential;
use crate::listener::{CutSwitch, Exchange, Framing, authority};
use crate::record::{Record, expiry_to_warn_of};
use crate::storage::{Ask, Failure, Stored, StoredBody};
use crate::target::{self, FilePath, Target};
use crate::watched::{Question, Watch};
use crate::worker::Worker;
use crate::{cache_control, credential};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// When the token that opened the answer ends soon (wire.md W17).
const TOKEN_EXPIRES: HeaderName = HeaderName::from_static("condagate-token-expires");

/// How much is read of the content of a request that is refused, and how long.
const READ_AWAY_BYTES: usize = 256 * 1024;
const READ_AWAY: Duration = Duration::from_secs(2);
/// How many fields a head may have over HTTP/2; for HTTP/1 the listener counts them.
const MAX_FIELDS: usize = 100;

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

/// Answers one request.
pub(crate) async fn serve(
    worker: Rc<Worker>,
    exchange: Rc<Exchange>,
    switch: Rc<CutSwitch>,
    peer: IpAddr,
    mut request: Request<Incoming>,
) -> Response<AnswerBody> {
    let in_flight = exchange.begin();
    let client = worker.settings.client(peer, request.headers());
    let request_id = worker.ids.next();
    let mut record = Record::begin(Rc::clone(&worker), client, request_id);
    let user_agent = request.headers().get(USER_AGENT).and_then(|agent| agent.to_str().ok());
    let mut channel = None;
    let framed = match exchange.fault_of(request.method()) {
        Some(fault) => Err(Refusal::Framing(fault).into()),
        None => {
            record.request(request.method(), request.version(), user_agent);
            check_message(&request)
        }
    };
    let passed = match framed {
        Ok(()) if request.method() == Method::OPTIONS => Ok((options(), None)),
        Ok(()) => {
            pass(&worker, &request, client, request_id.as_str(), &mut record, &mut channel).await
        }
        Err(refused) => Err(refused),
    };
    if request.version() == Version::HTTP_2 && !request.body().is_end_stream() {
        read_away(request.body_mut()).await;
    }
    let (mut answer, opened) = passed.unwrap_or_else(|Refused { refusal, detail }| {
        let contact = worker.settings.contact.as_deref();
        let channel = channel.as_ref().and_then(target::channel_text);
        let context = Context { channel, contact, request_id: request_id.as_str() };
        let refused = refusal.answer(&context);
        record.refused(refused.error, refusal.blame(), detail);
        let body = StoredBody::Memory(refused.body);
        (Stored { status: refused.status, headers: refused.headers, body }, None)
    });
    let watch = opened
        .filter(|_| answer.body.is_streamed() && request.method() != Method::HEAD)
        .map(|(allowed, question)| Watch::new(&worker.watches, allowed, question, switch));
    if let Ok(id) = HeaderValue::from_str(request_id.as_str()) {
        answer.headers.insert(REQUEST_ID, id);
    }
    record.status(answer.status);
    respond(answer, watch, request.method() == Method::HEAD, record, in_flight)
}

/// Reads away what a client sends with a request that is refused, within bounds: some take an
/// answer that comes before their content has gone for a failure of the stream.
async fn read_away(content: &mut Incoming) {
    let reading = async {
        let mut left = READ_AWAY_BYTES;
        while let Some(Ok(frame)) = content.frame().await {
            left = left.saturating_sub(frame.data_ref().map_or(0, Bytes::len));
            if left == 0 {
                break;
            }
        }
    };
    let _ = tokio::time::timeout(READ_AWAY, reading).await;
}

/// What must hold of a message before its target is read. Content is refused here for HTTP/2; for
/// HTTP/1 the listener has done it.
fn check_message(request: &Request<Incoming>) -> Result<(), Refused> {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if !reads {
        return Err(Refusal::Method.into());
    }
    if !request.body().is_end_stream() {
        return Err(Refusal::Framing(Framing::Content).into());
    }
    if request.headers().len() > MAX_FIELDS {
        return Err(Refusal::Framing(Framing::TooLarge).into());
    }
    if !authority::is_clear(request.version(), request.uri(), request.headers()) {
        return Err(Refusal::Host.into());
    }
    Ok(())
}

/// Target, credential, grant, storage.
async fn pass(
    worker: &Worker,
    request: &Request<Incoming>,
    client: IpAddr,
    request_id: &str,
    record: &mut Record,
    channel: &mut Option<ChannelName>,
) -> Result<(Stored, Option<Opened>), Refused> {
    let target =
        target::read(request.uri().path(), &worker.settings.mounts).map_err(Refusal::Path)?;
    channel.clone_from(&target.channel);

    let (allowed, credential) = match decide(worker, request, client, &target, record).await {
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
    let limiter = worker.limiters.admit(&allowed, now, worker.clock.moment());
    let limiter = limiter.map_err(Refusal::Limited)?;
    let token = allowed.by().map(|live| live.grant().token);
    let used = UsageKey { day: now.day(), token, channel: allowed.channel().id };
    worker.usage.used(used, now, client);

    let head = request.method() == Method::HEAD;
    let ask = Ask { head, headers: request.headers(), request_id };
    let mut stored = worker.storages.open(&allowed, file, &ask).await.map_err(not_stored)?;
    if !head && matches!(stored.status, StatusCode::OK | StatusCode::PARTIAL_CONTENT) {
        let package = file.package();
        let downloads = u64::from(package.is_some());
        let package = package.unwrap_or_default();
        record.meter(worker.usage.answered(used, package, downloads, limiter));
    }
    mark(worker, &allowed, now, &mut stored.headers);
    let opened = target.channel.map(|channel| {
        let question = Question { channel, credential, address: client };
        (allowed, question)
    });
    Ok((stored, opened))
}

/// Who asks, and whether they may.
async fn decide(
    worker: &Worker,
    request: &Request<Incoming>,
    client: IpAddr,
    target: &Target<'_>,
    record: &mut Record,
) -> Result<(Allowed, Credential), Refusal> {
    let credential = credential::find(target.token, request.headers())
        .map_err(|credential::TwoTokens| Refusal::TwoTokens)?;
    let name = target.channel.as_ref();
    let decided = worker.table.decide(name, &credential, client, |grant| record.token(grant)).await;
    Ok((decided.map_err(Refusal::Undecided)?, credential))
}

/// Names what was asked for in the record of a refusal.
fn note_refused(worker: &Worker, target: &Target<'_>, record: &mut Record) {
    if worker.log.is_on()
        && let Some(name) = &target.channel
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
fn mark(worker: &Worker, allowed: &Allowed, now: Timestamp, headers: &mut HeaderMap) {
    if allowed.channel().privacy != Privacy::Public {
        let value = cache_control::private(headers);
        headers.insert(CACHE_CONTROL, value);
    }
    let within = worker.settings.expiry_warning;
    let warning = allowed
        .by()
        .and_then(|live| expiry_to_warn_of(live.grant(), now, within))
        .and_then(|date| HeaderValue::from_str(&date).ok());
    if let Some(date) = warning {
        headers.insert(TOKEN_EXPIRES, date);
    }
}

/// The methods that are answered. Nothing is decided for it and nothing told.
fn options() -> Stored {
    let allow = HeaderValue::from_static(ALLOWED_METHODS);
    let headers = HeaderMap::from_iter([(ALLOW, allow)]);
    Stored { status: StatusCode::NO_CONTENT, headers, body: StoredBody::Empty }
}

fn respond(
    answer: Stored,
    watch: Option<Watch>,
    head: bool,
    record: Record,
    in_flight: crate::listener::InFlight,
) -> Response<AnswerBody> {
    let Stored { status, mut headers, body } = answer;
    let content = if head {
        if let StoredBody::Memory(bytes) = &body {
            headers.insert(http::header::CONTENT_LENGTH, bytes.len().into());
        }
        StoredBody::Empty
    } else {
        body
    };
    let sending = Sending::new(watch, record, in_flight);
    let mut response = Response::new(AnswerBody::new(content, sending));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}
