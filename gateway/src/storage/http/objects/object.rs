//! What is kept of one file.

use std::ops::Range;

use ::http::StatusCode;
use access::Moment;
use bytes::Bytes;

use super::super::super::conditions::{Conditions, Validators};
use super::super::super::representation::{Representation, Sliceable};
use super::super::super::{Stored, StoredBody};
use super::freshness::Freshness;
use crate::answer_fields::{AnswerField, AnswerFields};

/// A file as its storage last had it.
pub(in super::super) struct Object {
    /// What passes to clients of its answer.
    pub(in super::super) headers: AnswerFields,
    pub(in super::super) validators: Validators,
    /// None where only a 304 was seen.
    pub(in super::super) length: Option<u64>,
    pub(in super::super) content: KeptBody,
    pub(super) freshness: Freshness,
    /// When its answer came.
    pub(super) came: Moment,
}

/// What is kept of a file's bytes.
#[derive(Clone)]
pub(in super::super) enum KeptBody {
    Kept(Bytes),
    /// They are too many.
    TooLarge,
    /// They were not seen: a client that had them asked.
    NotSeen,
}

impl Object {
    /// The answer to a request, if what is kept is enough for it.
    pub(in super::super) fn answer(
        &self,
        conditions: &Conditions<'_>,
        head: bool,
        now: Moment,
    ) -> Option<Stored> {
        match (&self.content, self.length) {
            (KeptBody::Kept(bytes), _) => Some(self.answer_with(bytes, conditions, now)),
            _ if conditions.is_not_modified(&self.validators) => {
                let mut headers = self.headers_at(now);
                headers.remove(AnswerField::ContentType);
                Some(Stored { status: StatusCode::NOT_MODIFIED, headers, body: StoredBody::Empty })
            }
            (_, Some(length)) if head => {
                let verdict = conditions.judge(&self.validators, length);
                let headers = self.headers_at(now);
                Some(Representation { length, headers, body: NotSent }.answer(verdict))
            }
            _ => None,
        }
    }

    /// The answer to a request, from the file's bytes.
    pub(in super::super) fn answer_with(
        &self,
        bytes: &Bytes,
        conditions: &Conditions<'_>,
        now: Moment,
    ) -> Stored {
        let (length, body) = (bytes.len() as u64, bytes.clone());
        let verdict = conditions.judge(&self.validators, length);
        Representation { length, headers: self.headers_at(now), body }.answer(verdict)
    }

    pub(in super::super) fn is_fresh(&self, now: Moment) -> bool {
        now.since(self.came) < self.freshness.fresh_for
    }

    /// For how long it has been stale; none where it may not be given then.
    pub(super) fn stale_since(&self, now: Moment) -> Option<std::time::Duration> {
        let stale = now.since(self.came).saturating_sub(self.freshness.fresh_for);
        self.freshness.may_bridge.then_some(stale)
    }

    /// The same file, which a 304 with these fields said is still there (RFC 9111, section 3.2).
    pub(super) fn renewed(&self, new: &AnswerFields, freshness: Freshness, came: Moment) -> Self {
        let mut headers = self.headers.clone();
        headers.update(new);
        headers.remove(AnswerField::ContentRange);
        headers.remove(AnswerField::Age);
        let (validators, content) = (self.validators.clone(), self.content.clone());
        Self {
            headers: headers.shrunk(),
            validators,
            length: self.length,
            content,
            freshness,
            came,
        }
    }

    /// About how much memory it takes, in bytes.
    pub(super) fn weight(&self) -> usize {
        let content = match &self.content {
            KeptBody::Kept(bytes) => bytes.len(),
            KeptBody::TooLarge | KeptBody::NotSeen => 0,
        };
        size_of::<Self>() + content + self.headers.lines().len()
    }

    fn headers_at(&self, now: Moment) -> AnswerFields {
        let mut headers = self.headers.clone();
        let age = (self.freshness.age + now.since(self.came)).as_secs();
        headers.insert_number(AnswerField::Age, age);
        headers
    }
}

/// The body of an answer to HEAD.
struct NotSent;

impl Sliceable for NotSent {
    fn slice(self, _part: Range<u64>) -> StoredBody {
        StoredBody::Empty
    }
}
