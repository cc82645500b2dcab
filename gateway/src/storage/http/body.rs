//! An upstream answer's bytes on their way to the client.

use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;

use super::super::representation::Sliceable;
use super::super::{Content, Fault, FaultKind, StoredBody};
use super::HttpStorage;
use super::client::{Incoming, Piece, Pipes};
use super::connect::{Upstream, chain};

/// The bytes of an upstream's answer, or a part of them.
pub(crate) struct UpstreamBody {
    content: Incoming,
    /// Bytes before the part that is wanted.
    skip: u64,
    /// Bytes of the part that are still to come; none when the length isn't known.
    rest: Option<u64>,
    upstream: Arc<Upstream>,
    pipes: Rc<Pipes>,
}

impl UpstreamBody {
    pub(super) fn new(storage: &HttpStorage, content: Incoming) -> Self {
        let (upstream, pipes) = (Arc::clone(&storage.upstream), Rc::clone(&storage.pipes));
        Self { rest: content.remaining(), content, skip: 0, upstream, pipes }
    }

    /// How many bytes are still to come, where the upstream says so.
    pub(crate) fn remaining(&self) -> Option<u64> {
        self.rest
    }

    /// The next piece, for the kernel to send on where it can.
    pub(crate) fn poll_content(
        &mut self,
        cx: &mut Context<'_>,
        by_kernel: bool,
    ) -> Poll<Option<Result<Content, Fault>>> {
        while self.rest != Some(0) {
            // Nothing can be left out of a pipe.
            let is_all = self.skip == 0 && self.rest == self.content.remaining();
            let pipes = (by_kernel && is_all).then_some(&self.pipes);
            let limit = self.upstream.idle_timeout();
            match ready!(self.content.poll_piece(cx, limit, pipes)) {
                Some(Ok(Piece::Piped(part))) => {
                    self.rest = self.content.remaining();
                    return Poll::Ready(Some(Ok(Content::Piped(part))));
                }
                Some(Ok(Piece::Bytes(bytes))) => {
                    let wanted = self.wanted(bytes);
                    if !wanted.is_empty() {
                        return Poll::Ready(Some(Ok(Content::Bytes(wanted))));
                    }
                }
                Some(Err(why)) => return Poll::Ready(Some(Err(self.cut_short(&chain(&why))))),
                None => return Poll::Ready(self.end().map(Err)),
            }
        }
        Poll::Ready(None)
    }

    /// The next piece, in memory.
    pub(crate) fn poll_chunk(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Fault>>> {
        Poll::Ready(match ready!(self.poll_content(cx, false)) {
            Some(Ok(Content::Bytes(bytes))) => Some(Ok(bytes)),
            Some(Err(fault)) => Some(Err(fault)),
            // Nothing comes by the kernel that wasn't asked for.
            Some(Ok(Content::File(_) | Content::Piped(_))) | None => None,
        })
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

    fn end(&self) -> Option<Fault> {
        let missing = self.rest.filter(|&missing| missing > 0)?;
        Some(self.cut_short(&format!("{missing} bytes are missing")))
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
        StoredBody::Upstream(Box::new(self))
    }
}
