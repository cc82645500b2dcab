//! Step 6: an answer's bytes, handed on as the client takes them. Nothing is buffered whole: the
//! next chunk is taken from the storage when the last one has gone.

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use http_body::{Frame, SizeHint};

use crate::answer::Blame;
use crate::chunk::{Chunk, Sending};
use crate::record::End;
use crate::storage::{Content, Fault, StoredBody};

/// The body of every answer.
pub(crate) struct AnswerBody {
    content: StoredBody,
    sending: Rc<Sending>,
}

/// The answer can't be sent to its end. The connection is closed, so that no client takes what it
/// has for the whole.
#[derive(Debug, thiserror::Error)]
#[error("the answer was cut")]
pub(crate) struct Cut;

impl AnswerBody {
    pub(crate) fn new(content: StoredBody, sending: Rc<Sending>) -> Self {
        Self { content, sending }
    }

    fn remaining(&self) -> Option<u64> {
        match &self.content {
            StoredBody::Empty => Some(0),
            StoredBody::Memory(bytes) => Some(bytes.len() as u64),
            StoredBody::File(file) => Some(file.remaining()),
            StoredBody::Upstream(upstream) => upstream.remaining(),
        }
    }

    fn poll_content(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Content, Fault>>> {
        match &mut self.content {
            StoredBody::Empty => Poll::Ready(None),
            StoredBody::Memory(bytes) if bytes.is_empty() => Poll::Ready(None),
            StoredBody::Memory(bytes) => {
                Poll::Ready(Some(Ok(Content::Bytes(std::mem::take(bytes)))))
            }
            StoredBody::File(file) => file.poll_content(cx, self.sending.stand_ins()),
            StoredBody::Upstream(upstream) => upstream.poll_chunk(cx).map_ok(Content::Bytes),
        }
    }
}

impl http_body::Body for AnswerBody {
    type Data = Chunk;
    type Error = Cut;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Chunk>, Cut>>> {
        let this = self.get_mut();
        if ready!(this.sending.poll_may_send(cx)).is_err() {
            this.content = StoredBody::Empty;
            return Poll::Ready(Some(Err(Cut)));
        }
        Poll::Ready(match ready!(this.poll_content(cx)) {
            Some(Ok(content)) => Some(Ok(Frame::data(Chunk::new(content, &this.sending)))),
            Some(Err(fault)) => {
                this.sending.end(End::Cut { by: Blame::Upstream, detail: fault.detail });
                this.content = StoredBody::Empty;
                Some(Err(Cut))
            }
            None => {
                this.sending.handed_on_whole();
                None
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        self.remaining() == Some(0)
    }

    fn size_hint(&self) -> SizeHint {
        self.remaining().map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

impl Drop for AnswerBody {
    fn drop(&mut self) {
        if self.remaining() == Some(0) {
            self.sending.handed_on_whole();
        }
    }
}
