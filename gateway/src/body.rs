//! Step 6: an answer's bytes, handed on as the client takes them and counted. Nothing is buffered
//! whole: the next chunk is read when the last one has gone.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Frame, SizeHint};

use crate::answer::Blame;
use crate::listener::InFlight;
use crate::record::{End, Record};
use crate::storage::{Fault, StoredBody};
use crate::watched::Watch;

/// The body of every answer. When it is dropped the request's record is written: sent to its end,
/// cut, or left by the client.
pub(crate) struct AnswerBody {
    content: StoredBody,
    /// None where nothing of a channel is sent.
    watch: Option<Watch>,
    record: Record,
    /// Keeps the connection from counting as idle.
    _in_flight: InFlight,
}

/// The answer can't be sent to its end. The connection is closed, so that no client takes what it
/// has for the whole.
#[derive(Debug, thiserror::Error)]
#[error("the answer was cut")]
pub(crate) struct Cut;

impl AnswerBody {
    pub(crate) fn new(
        content: StoredBody,
        watch: Option<Watch>,
        record: Record,
        in_flight: InFlight,
    ) -> Self {
        Self { content, watch, record, _in_flight: in_flight }
    }

    fn remaining(&self) -> Option<u64> {
        match &self.content {
            StoredBody::Empty => Some(0),
            StoredBody::Memory(bytes) => Some(bytes.len() as u64),
            StoredBody::File(file) => Some(file.remaining()),
            StoredBody::Upstream(upstream) => upstream.remaining(),
        }
    }

    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Fault>>> {
        match &mut self.content {
            StoredBody::Empty => Poll::Ready(None),
            StoredBody::Memory(bytes) if bytes.is_empty() => Poll::Ready(None),
            StoredBody::Memory(bytes) => Poll::Ready(Some(Ok(std::mem::take(bytes)))),
            StoredBody::File(file) => file.poll_chunk(cx),
            StoredBody::Upstream(upstream) => upstream.poll_chunk(cx),
        }
    }
}

impl http_body::Body for AnswerBody {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        let this = self.get_mut();
        if let Some(watch) = &this.watch
            && ready!(watch.poll_may_send(cx)).is_err()
        {
            this.content = StoredBody::Empty;
            return Poll::Ready(Some(Err(Cut)));
        }
        Poll::Ready(match ready!(this.poll_chunk(cx)) {
            Some(Ok(bytes)) => {
                this.record.add_bytes(bytes.len());
                if let Some(watch) = &this.watch {
                    watch.handed_on(bytes.len());
                }
                Some(Ok(Frame::data(bytes)))
            }
            Some(Err(fault)) => {
                this.record.end(End::Cut { by: Blame::Upstream, detail: fault.detail });
                this.content = StoredBody::Empty;
                Some(Err(Cut))
            }
            None => {
                this.record.end(End::Complete);
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
        if let Some(why) = self.watch.as_ref().and_then(Watch::cut) {
            self.record.end(End::Cut { by: Blame::Client, detail: why.to_owned() });
        } else if self.remaining() == Some(0) {
            self.record.end(End::Complete);
        }
        self.record.write();
    }
}
