//! An upstream answer's bytes on their way to the client.

use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::Body as _;
use hyper::body::Incoming;
use tokio::time::Sleep;

use super::super::representation::Sliceable;
use super::super::{Fault, FaultKind, StoredBody};
use super::connect::{Upstream, chain};
use super::pool::Pooled;

/// The bytes of an upstream's answer, or a part of them. Read to its end, it gives the connection
/// back; dropped earlier, the connection is closed.
pub(crate) struct UpstreamBody {
    incoming: Incoming,
    pooled: Option<Pooled>,
    /// Bytes before the part that is wanted.
    skip: u64,
    /// Bytes of the part that are still to come; none when the length isn't known.
    rest: Option<u64>,
    stalled: Pin<Box<Sleep>>,
    waiting: bool,
    upstream: std::sync::Arc<Upstream>,
}

impl UpstreamBody {
    pub(super) fn new(
        upstream: &std::sync::Arc<Upstream>,
        incoming: Incoming,
        pooled: Pooled,
    ) -> Self {
        let rest = incoming.size_hint().exact();
        let stalled = Box::pin(tokio::time::sleep(upstream.idle_timeout()));
        let upstream = std::sync::Arc::clone(upstream);
        Self { incoming, pooled: Some(pooled), skip: 0, rest, stalled, waiting: false, upstream }
    }

    /// How many bytes are still to come, where the upstream says so.
    pub(crate) fn remaining(&self) -> Option<u64> {
        self.rest
    }

    pub(crate) fn poll_chunk(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Fault>>> {
        loop {
            if self.rest == Some(0) {
                return Poll::Ready(None);
            }
            let Some(read) = ready!(self.poll_incoming(cx)) else {
                return Poll::Ready(self.end());
            };
            match read.map(|bytes| self.wanted(bytes)) {
                Ok(bytes) if bytes.is_empty() => {}
                read => return Poll::Ready(Some(read)),
            }
        }
    }

    /// The upstream's next bytes, or its pause being too long.
    fn poll_incoming(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Fault>>> {
        match Pin::new(&mut self.incoming).poll_frame(cx) {
            Poll::Ready(read) => {
                self.waiting = false;
                Poll::Ready(read.map(|frame| match frame {
                    Ok(frame) => Ok(frame.into_data().unwrap_or_default()),
                    Err(why) => Err(self.cut_short(&chain(&why))),
                }))
            }
            Poll::Pending => {
                let limit = self.upstream.idle_timeout();
                if !self.waiting {
                    self.waiting = true;
                    self.stalled.as_mut().reset(tokio::time::Instant::now() + limit);
                }
                ready!(self.stalled.as_mut().poll(cx));
                Poll::Ready(Some(Err(self.cut_short(&format!("it paused for {limit:?}")))))
            }
        }
    }

    fn wanted(&mut self, mut bytes: Bytes) -> Bytes {
        let skipped = usize::try_from(self.skip).unwrap_or(usize::MAX).min(bytes.len());
        let mut wanted = bytes.split_off(skipped);
        self.skip -= skipped as u64;
        if let Some(rest) = &mut self.rest {
            wanted.truncate(usize::try_from(*rest).unwrap_or(usize::MAX));
            *rest -= wanted.len() as u64;
        }
        wanted
    }

    fn end(&mut self) -> Option<Result<Bytes, Fault>> {
        match self.rest {
            Some(missing) if missing > 0 => {
                Some(Err(self.cut_short(&format!("{missing} bytes are missing"))))
            }
            _ => None,
        }
    }

    fn cut_short(&self, why: &str) -> Fault {
        let text = format!("{}: the answer ended early: {why}", self.upstream.base());
        Fault::new(FaultKind::Unusable, text)
    }
}

impl Drop for UpstreamBody {
    fn drop(&mut self) {
        if self.incoming.is_end_stream()
            && let Some(pooled) = self.pooled.take()
        {
            pooled.give_back();
        }
    }
}

impl Sliceable for UpstreamBody {
    fn slice(mut self, part: Range<u64>) -> StoredBody {
        self.skip = part.start;
        self.rest = Some(part.end - part.start);
        StoredBody::Upstream(self)
    }
}
