//! Step 6: an answer's bytes, handed on as the client takes them. Nothing is buffered whole: the
//! next piece is taken from the storage when the last one has gone.
//!
//! Bytes count as sent when they are handed on, before the client has them, so that nobody outruns
//! their limits by asking again at once; what the kernel sends, as the socket takes it.

use std::task::{Context, Poll, ready};

use crate::answer::Blame;
use crate::record::{End, Record};
use crate::storage::{Content, Fault, StoredBody};
use crate::watched::Watch;

/// The body of every answer. When it is dropped the request's record is written: sent to its end,
/// cut, or left by the client.
pub(crate) struct AnswerBody {
    content: StoredBody,
    /// None where nothing of a channel is sent that takes time.
    watch: Option<Watch>,
    record: Box<Record>,
}

/// The answer can't be sent to its end. The connection is closed, so that no client takes what it
/// has for the whole.
#[derive(Debug, thiserror::Error)]
#[error("the answer was cut")]
pub(crate) struct Cut;

impl AnswerBody {
    pub(crate) fn new(content: StoredBody, watch: Option<Watch>, record: Box<Record>) -> Self {
        Self { content, watch, record }
    }

    /// How many bytes are still to come; none where that isn't known.
    pub(crate) fn remaining(&self) -> Option<u64> {
        match &self.content {
            StoredBody::Empty => Some(0),
            StoredBody::Memory(bytes) => Some(bytes.len() as u64),
            StoredBody::File(file) => Some(file.remaining()),
            StoredBody::Upstream(upstream) => upstream.remaining(),
        }
    }

    /// The next piece, at most 256 KiB (sync.md T3), once it may be sent; never an empty one. One
    /// that isn't in memory only where the kernel can send it.
    pub(crate) fn poll_content(
        &mut self,
        cx: &mut Context<'_>,
        by_kernel: bool,
    ) -> Poll<Option<Result<Content, Cut>>> {
        if let Some(watch) = &self.watch
            && ready!(watch.poll_may_send(cx)).is_err()
        {
            return Poll::Ready(Some(Err(Cut)));
        }
        let content = match &mut self.content {
            StoredBody::Empty => None,
            StoredBody::Memory(bytes) if bytes.is_empty() => None,
            StoredBody::Memory(bytes) => Some(Ok(Content::Bytes(std::mem::take(bytes)))),
            StoredBody::File(file) => ready!(file.poll_content(cx, by_kernel)),
            StoredBody::Upstream(upstream) => ready!(upstream.poll_content(cx, by_kernel)),
        };
        Poll::Ready(match content {
            Some(Ok(content)) => {
                self.hand_on(&content);
                Some(Ok(content))
            }
            Some(Err(fault)) => {
                self.fail(fault);
                Some(Err(Cut))
            }
            None => None,
        })
    }

    fn hand_on(&mut self, content: &Content) {
        let bytes = match content {
            Content::Bytes(bytes) => {
                self.record.add_bytes(bytes.len());
                bytes.len()
            }
            Content::File(part) => part.length,
            Content::Piped(part) => part.length(),
        };
        if let Some(watch) = &self.watch {
            watch.handed_on(bytes);
        }
    }

    /// Counts bytes of a part that the kernel sends, which the socket has taken.
    pub(crate) fn sent(&mut self, bytes: usize) {
        self.record.add_bytes(bytes);
    }

    /// Says that the storage has no more of it, for this reason.
    pub(crate) fn fail(&mut self, fault: Fault) {
        self.content = StoredBody::Empty;
        self.record.end(End::Cut { by: Blame::Upstream, detail: fault.detail });
    }

    /// Says that it isn't as long as its head has told.
    pub(crate) fn differs(&mut self) {
        let detail = "the storage gave another length than it had told".to_owned();
        self.record.end(End::Cut { by: Blame::Upstream, detail });
    }

    /// Says that all of it has gone, unless it was cut on its way.
    pub(crate) fn complete(&mut self) {
        self.note_cut();
        self.record.end(End::Complete);
    }

    fn note_cut(&mut self) {
        if let Some(why) = self.watch.as_ref().and_then(Watch::cut) {
            self.record.end(End::Cut { by: Blame::Client, detail: why.to_owned() });
        }
    }
}

impl Drop for AnswerBody {
    fn drop(&mut self) {
        self.note_cut();
    }
}
