//! Whether a file is answered from memory, asked for to be kept, or passed on as it comes
//! (performance.md, "Object cache rules").

use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use ::http::StatusCode;
use access::Channel;
use bytes::{Bytes, BytesMut};

use super::super::conditions::Conditions;
use super::super::{Ask, Failure, Fault, Stored};
use super::body::UpstreamBody;
use super::client::Answered;
use super::objects::{Begun, Kept, KeptBody, MAX_OBJECT_BYTES, Object, Objects};
use super::request::Parts;
use super::{HttpStorage, answer};
use crate::target::FilePath;

/// One request for a file that may be kept.
pub(super) struct Lookup<'r> {
    pub(super) storage: &'r HttpStorage,
    pub(super) objects: &'r Objects,
    /// The storage and the path: whoever asks.
    pub(super) key: String,
    /// How long the file is fresh if the storage doesn't say.
    pub(super) ttl: Duration,
    pub(super) channel: &'r Channel,
    pub(super) file: &'r FilePath<'r>,
    pub(super) ask: &'r Ask<'r>,
}

/// What is to be asked of the storage.
enum Question {
    /// What the client asks, in its own words.
    Clients,
    /// Whether the file is still as it is kept.
    Whether(Arc<Object>),
    /// The whole file.
    Whole,
}

impl Lookup<'_> {
    pub(super) async fn answer(self) -> Result<Stored, Failure> {
        match self.look() {
            Ok(stored) => Ok(stored),
            // Too large to be a part of the state of every request.
            Err(question) => Box::pin(self.ask(question)).await,
        }
    }

    async fn ask(&self, question: Question) -> Result<Stored, Failure> {
        if matches!(question, Question::Clients) {
            return self.pass().await;
        }
        match self.objects.begin(&self.key) {
            Begun::Here(_others_wait) => match question {
                Question::Whether(object) => self.fill(Some(&object)).await,
                Question::Whole | Question::Clients => self.fill(None).await,
            },
            Begun::Elsewhere(mut other) => {
                let _ = other.changed().await;
                match self.look() {
                    Ok(stored) => Ok(stored),
                    // Not again: a file that isn't kept would make a queue.
                    Err(_question) => self.pass().await,
                }
            }
        }
    }

    fn conditions(&self) -> Conditions<'_> {
        Conditions::new(self.ask.fields, self.ask.head)
    }

    /// The answer from memory, or what is to be asked.
    fn look(&self) -> Result<Stored, Question> {
        let (now, conditions) = (self.objects.now(), self.conditions());
        let is_conditional = conditions.may_be_unmodified();
        let is_part = conditions.range_to_pass_on().is_some();
        let for_everybody = !(self.ask.head || is_part || is_conditional);
        let object = match self.objects.find(&self.key) {
            Some(Kept::Object(object)) => object,
            Some(Kept::NotToBeKept(until)) if now < until => return Err(Question::Clients),
            Some(Kept::NotToBeKept(_)) | None => {
                return Err(if for_everybody { Question::Whole } else { Question::Clients });
            }
        };
        let is_fresh = object.is_fresh(now);
        let answer = is_fresh.then(|| object.answer(&conditions, self.ask.head, now)).flatten();
        if let Some(stored) = answer {
            self.objects.counts().hits.inc();
            return Ok(stored);
        }
        Err(match object.content {
            KeptBody::Kept(_) => Question::Whether(object),
            KeptBody::TooLarge | KeptBody::NotSeen if is_conditional && !is_fresh => {
                Question::Whether(object)
            }
            KeptBody::NotSeen if for_everybody => Question::Whole,
            KeptBody::TooLarge | KeptBody::NotSeen => Question::Clients,
        })
    }

    /// Passes the storage's answer on as it comes, and remembers what its head tells.
    async fn pass(&self) -> Result<Stored, Failure> {
        self.objects.counts().passed.inc();
        let answered = self.storage.ask(self.channel, self.file, &Parts::new(self.ask)).await?;
        let status = answered.status;
        let length = answered.content.remaining();
        let is_large = !self.ask.head && length.is_some_and(|length| length > MAX_OBJECT_BYTES);
        match status {
            StatusCode::OK if is_large => self.keep(&answered, length, KeptBody::TooLarge),
            StatusCode::NOT_MODIFIED if self.conditions().may_be_unmodified() => {
                self.learn_from_unmodified(&answered);
            }
            _ => {}
        }
        answer::read(self.storage, answered, self.file, self.ask)
    }

    /// A 304 to a client tells how the file is now, but for its length.
    fn learn_from_unmodified(&self, answered: &Answered) {
        let (_, validators) = answer::described(&answered.fields, self.file);
        let is_told = validators.etag.is_some() || validators.last_modified.is_some();
        let is_known = matches!(self.objects.find(&self.key), Some(Kept::Object(_)));
        if is_told && !is_known {
            self.keep(answered, None, KeptBody::NotSeen);
        }
    }

    /// Asks on behalf of all who wait: for the whole file, or whether it is still as it is kept.
    async fn fill(&self, kept: Option<&Object>) -> Result<Stored, Failure> {
        let parts = Parts::unless(self.ask, kept.map(|object| &object.validators));
        let answered = match self.storage.ask(self.channel, self.file, &parts).await {
            Ok(answered) => answered,
            Err(failure @ Failure::NotFound) => return Err(failure),
            Err(failure) => return self.bridge(kept, failure),
        };
        let counts = self.objects.counts();
        match (answered.status, kept) {
            (StatusCode::NOT_MODIFIED, Some(object)) => {
                counts.revalidated.inc();
                let (fields, passed_on) = (&answered.fields, answer::passed_on(&answered.fields));
                let object = self.objects.renew(&self.key, self.ttl, fields, (object, passed_on));
                let now = self.objects.now();
                match object.answer(&self.conditions(), self.ask.head, now) {
                    Some(stored) => Ok(stored),
                    None => self.pass().await,
                }
            }
            (StatusCode::OK, _) => self.keep_whole(answered).await,
            (StatusCode::NOT_FOUND | StatusCode::GONE, _) => {
                self.objects.forget(&self.key);
                answer::read(self.storage, answered, self.file, self.ask)
            }
            _ => answer::read(self.storage, answered, self.file, self.ask)
                .or_else(|failure| self.bridge(kept, failure)),
        }
    }

    /// Keeps the whole file, if it is small and for everybody, and answers from it.
    async fn keep_whole(&self, answered: Answered) -> Result<Stored, Failure> {
        let length = answered.content.remaining();
        let is_small = length.is_some_and(|length| length <= MAX_OBJECT_BYTES);
        let counts = self.objects.counts();
        if !is_small {
            counts.passed.inc();
            self.keep(&answered, length, KeptBody::TooLarge);
            return answer::read(self.storage, answered, self.file, self.ask);
        }
        let Answered { fields, content, .. } = answered;
        let described = answer::described(&fields, self.file);
        let bytes = whole(UpstreamBody::new(self.storage, content)).await?;
        let content = (length, KeptBody::Kept(bytes.clone()));
        let object = self.objects.keep(&self.key, self.ttl, &fields, described, content);
        counts.filled.inc();
        Ok(object.answer_with(&bytes, &self.conditions(), self.objects.now()))
    }

    fn keep(&self, answered: &Answered, length: Option<u64>, content: KeptBody) {
        let described = answer::described(&answered.fields, self.file);
        self.objects.keep(&self.key, self.ttl, &answered.fields, described, (length, content));
    }

    /// The stale file in place of a failure, where the settings allow it.
    fn bridge(&self, kept: Option<&Object>, failure: Failure) -> Result<Stored, Failure> {
        let stale = kept.filter(|object| self.objects.may_bridge(object));
        let now = self.objects.now();
        match stale.and_then(|object| object.answer(&self.conditions(), self.ask.head, now)) {
            Some(stored) => {
                self.objects.counts().bridged.inc();
                Ok(stored)
            }
            None => Err(failure),
        }
    }
}

/// A small answer's bytes, all of them.
async fn whole(mut body: UpstreamBody) -> Result<Bytes, Fault> {
    let mut bytes = BytesMut::new();
    while let Some(chunk) = poll_fn(|cx| body.poll_chunk(cx)).await {
        bytes.extend_from_slice(&chunk?);
    }
    Ok(bytes.freeze())
}
