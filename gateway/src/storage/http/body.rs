//! An upstream answer's bytes on their way to the client.

use std::ops::Range;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;

use super::super::representation::Sliceable;
use super::super::{Fault, FaultKind, StoredBody};
use super::client::Incoming;
use super::connect::{Upstream, chain};

/// The bytes of an upstream's answer, or a part of them.
pub(crate) struct UpstreamBody {
    content: Incoming,
    /// Bytes before the part that is wanted.
    skip: u64,
    /// Bytes of the part that are still to come; none when the length isn't known.
    rest: Option<u64>,
    upstream: Arc<Upstream>,
}

impl UpstreamBody {
    pub(super) fn new(upstream: &Arc<Upstream>, content: Incoming) -> Self {
        let (rest, upstream) = (content.remaining(), Arc::clone(upstream));
        Self { content, skip: 0, rest, upstream }
    }

    /// How many bytes are still to come, where the upstream says so.
    pub(crate) fn remaining(&self) -> Option<u64> {
        self.rest
    }

    pub(crate) fn poll_chunk(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Fault>>> {
        while self.rest != Some(0) {
            let piece = match ready!(self.content.poll_piece(cx, self.upstream.idle_timeout())) {
                Some(Ok(piece)) => self.wanted(piece),
                Some(Err(why)) => return Poll::Ready(Some(Err(self.cut_short(&chain(&why))))),
                None => return Poll::Ready(self.end()),
            };
            if !piece.is_empty() {
                return Poll::Ready(Some(Ok(piece)));
            }
        }
        Poll::Ready(None)
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

    fn end(&self) -> Option<Result<Bytes, Fault>> {
        let missing = self.rest.filter(|&missing| missing > 0)?;
        Some(Err(self.cut_short(&format!("{missing} bytes are missing"))))
    }

    fn cut_short(&self, why: &str) -> Fault {
        let text = format!("{}: the answer ended early: {why}", self.upstream.base());
        Fault::new(FaultKind::Unusable, text)
    }
}

impl Sliceable for UpstreamBody {
    fn slice(mut self, part: Range<u64>) -> StoredBody {
        self.skip = part.start;
        self.rest = Some(part.end - part.start);
        StoredBody::Upstream(self)
    }
}
