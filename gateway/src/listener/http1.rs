//! HTTP/1.1 and HTTP/1.0 (RFC 9112), as far as files are read over it: a head without content, its
//! answer, the next head. Why it is here and no library's: docs/decisions/http1.md.

mod encode;
mod head;
mod send;
mod wire;

use std::future::poll_fn;
use std::net::IpAddr;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

use http::{StatusCode, Version};

use self::encode::{Coding, Framed};
use self::head::Read;
use self::send::Sending;
use self::wire::Wire;
use super::stopping::Told;
use super::{CutSwitch, Fault, Listener, Stream};
use crate::answer_fields::AnswerField;
use crate::driver::{self, Answer};

/// Longer than most answers' heads, in bytes.
const HEAD_BYTES: usize = 512;

/// What becomes of a connection after an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum After {
    /// The next request is waited for.
    GoesOn,
    /// It is ended, when what the client still sends has been read away.
    Ends,
    /// It is dropped: the client has left, or must not take what it has for the whole.
    Dropped,
}

impl Listener {
    /// Serves a connection to its end.
    pub(super) async fn http1(&self, stream: impl Stream, peer: IpAddr) {
        let switch = Rc::new(CutSwitch::default());
        let mut wire = Wire::new(stream, self.limits, Rc::clone(&switch));
        let mut stopping = self.stopping.tell();
        let serving = pin!(async {
            while let Some(head) = next_head(&mut wire, &mut stopping).await {
                match self.answer(&mut wire, head, &switch, peer).await {
                    After::GoesOn => {}
                    After::Ends => {
                        poll_fn(|cx| wire.poll_close(cx)).await;
                        return wire.linger().await;
                    }
                    After::Dropped => return,
                }
            }
            poll_fn(|cx| wire.poll_close(cx)).await;
        });
        let _ = Rc::clone(&switch).unless_thrown(serving).await;
    }

    async fn answer<S: Stream>(
        &self,
        wire: &mut Wire<S>,
        head: Result<Vec<u8>, Fault>,
        switch: &Rc<CutSwitch>,
        peer: IpAddr,
    ) -> After {
        let read = match &head {
            Ok(head) => Read::of(head),
            Err(fault) => Err(*fault),
        };
        // Also of one that is refused.
        let is_head = head.as_ref().is_ok_and(|head| head.starts_with(b"HEAD "));
        let answer = {
            let head = read.as_ref().map(Read::head).map_err(|fault| *fault);
            let worker = Rc::clone(&self.worker);
            let mut serving = pin!(driver::serve(worker, head, is_head, Rc::clone(switch), peer));
            poll_fn(|cx| match serving.as_mut().poll(cx) {
                Poll::Ready(answer) => Poll::Ready(Some(answer)),
                Poll::Pending => wire.poll_left(cx).map(|()| None),
            })
            .await
        };
        let Some(Answer { status, fields, body }) = answer else { return After::Dropped };

        let version = read.as_ref().map_or(Version::HTTP_11, Read::version);
        let is_without = status == StatusCode::NOT_MODIFIED || status == StatusCode::NO_CONTENT;
        let told = fields.length();
        let length = if is_head || is_without { None } else { told.or_else(|| body.remaining()) };
        let coding = match length {
            Some(_) => Coding::Length,
            None if is_head || is_without => Coding::Length,
            None if version == Version::HTTP_10 => Coding::Close,
            None => Coding::Chunks,
        };
        // Some refusals say of themselves that the connection ends.
        let says_so = status.is_client_error() && fields.has(AnswerField::Connection);
        let is_kept_alive = !says_so && read.as_ref().is_ok_and(|read| read.is_kept_alive);
        let closes = !is_kept_alive || coding == Coding::Close || self.stopping.is_begun();
        let framed = Framed {
            version,
            coding,
            length: told.or(length),
            closes: closes && !says_so,
            date: self.dates.at(self.worker.clock.now()),
        };
        let mut out = Vec::with_capacity(HEAD_BYTES);
        encode::head(&mut out, status, &fields, &framed);
        drop(fields);
        let mut sending = Sending::new(out, coding, length, body);
        wire.ends_content = coding == Coding::Close;
        let sent = poll_fn(|cx| match sending.poll(cx, wire) {
            Poll::Ready(sent) => Poll::Ready(sent.is_ok()),
            Poll::Pending => wire.poll_left(cx).map(|()| false),
        });
        let is_sent = sent.await;
        wire.ends_content &= !is_sent;
        match is_sent {
            true if closes => After::Ends,
            true => After::GoesOn,
            false => After::Dropped,
        }
    }
}

/// The next head, or why it is refused; none when there is no further one, or the gateway stops.
async fn next_head<S: Stream>(
    wire: &mut Wire<S>,
    stopping: &mut Told<'_>,
) -> Option<Result<Vec<u8>, Fault>> {
    poll_fn(|cx| match wire.poll_head(cx) {
        Poll::Pending if stopping.is_told(cx) => Poll::Ready(None),
        polled => polled,
    })
    .await
}
