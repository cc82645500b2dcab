//! What is on its way to a client. Bytes count as sent when they are handed to the HTTP library; a
//! part of a file as the socket takes it, and the last one to go ends the request's record.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::Buf;

use crate::answer::Blame;
use crate::listener::InFlight;
use crate::record::{End, Record};
use crate::stand_in::StandIns;
use crate::storage::Content;
use crate::watched::{NoLonger, Watch};

/// An answer between its head and the moment its last chunk is gone. When it is dropped the request's
/// record is written: sent to its end, cut, or left by the client.
pub(crate) struct Sending {
    /// None where nothing of a channel is sent.
    watch: Option<Watch>,
    record: RefCell<Record>,
    /// How many bytes of parts of files the HTTP library holds.
    under_way: Cell<usize>,
    /// It was handed every byte.
    whole: Cell<bool>,
    /// Keeps the connection from counting as idle.
    in_flight: InFlight,
}

impl Sending {
    pub(crate) fn new(watch: Option<Watch>, record: Record, in_flight: InFlight) -> Rc<Self> {
        let record = RefCell::new(record);
        Rc::new(Self { watch, record, under_way: Cell::new(0), whole: Cell::new(false), in_flight })
    }

    /// What can stand for a part of a file on this connection.
    pub(crate) fn stand_ins(&self) -> Option<&Rc<StandIns>> {
        self.in_flight.stand_ins()
    }

    /// Whether the next chunk may be sent. Waits while that is being asked.
    pub(crate) fn poll_may_send(&self, cx: &mut Context<'_>) -> Poll<Result<(), NoLonger>> {
        self.watch.as_ref().map_or(Poll::Ready(Ok(())), |watch| watch.poll_may_send(cx))
    }

    /// Says how the answer ended; the first word counts.
    pub(crate) fn end(&self, end: End) {
        self.record.borrow_mut().end(end);
    }

    /// Says that there is no further chunk.
    pub(crate) fn handed_on_whole(&self) {
        self.whole.set(true);
    }

    /// Counts a chunk as handed to the HTTP library.
    fn hand_on(&self, bytes: usize) {
        if let Some(watch) = &self.watch {
            watch.handed_on(bytes);
        }
    }

    fn add_bytes(&self, bytes: usize) {
        self.record.borrow_mut().add_bytes(bytes);
    }

    /// Says that bytes of a part of a file were handed to the socket.
    fn sent(&self, bytes: usize) {
        self.under_way.set(self.under_way.get().saturating_sub(bytes));
        self.add_bytes(bytes);
    }

    /// Cuts what may be sent to its end already, for the socket holds it.
    fn cut(&self, detail: String) {
        self.end(End::Cut { by: Blame::Upstream, detail });
        if let Some(watch) = &self.watch {
            watch.cut_connection();
        }
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        let record = self.record.get_mut();
        if let Some(why) = self.watch.as_ref().and_then(Watch::cut) {
            record.end(End::Cut { by: Blame::Client, detail: why.to_owned() });
        } else if self.whole.get() && self.under_way.get() == 0 {
            record.end(End::Complete);
        }
        record.write();
    }
}

/// A piece of an answer, at most 256 KiB (sync.md T3).
pub(crate) struct Chunk {
    content: Content,
    /// What a part of a file is sent for; bytes are counted already.
    sending: Option<Rc<Sending>>,
}

impl Chunk {
    pub(crate) fn new(content: Content, sending: &Rc<Sending>) -> Self {
        let is_part = matches!(content, Content::File(_));
        let chunk = Self { content, sending: is_part.then(|| Rc::clone(sending)) };
        let bytes = chunk.remaining();
        sending.hand_on(bytes);
        match is_part {
            true => sending.under_way.set(sending.under_way.get() + bytes),
            // Before the client has them: nobody outruns their limits by asking again at once.
            false => sending.add_bytes(bytes),
        }
        chunk
    }
}

impl Buf for Chunk {
    fn remaining(&self) -> usize {
        match &self.content {
            Content::Bytes(bytes) => bytes.len(),
            Content::File(part) => part.remaining(),
        }
    }

    fn chunk(&self) -> &[u8] {
        match &self.content {
            Content::Bytes(bytes) => bytes,
            Content::File(part) => part.address(),
        }
    }

    fn advance(&mut self, count: usize) {
        match &mut self.content {
            Content::Bytes(bytes) => bytes.advance(count),
            Content::File(part) => part.advance(count),
        }
        if let Some(sending) = &self.sending {
            sending.sent(count);
        }
    }
}

impl Drop for Chunk {
    /// The kernel has sent what the file held meanwhile. If that was another version, the client
    /// must not take it for whole.
    fn drop(&mut self) {
        if let (Content::File(part), Some(sending)) = (&self.content, &self.sending)
            && let Err(fault) = part.file().check()
        {
            sending.cut(fault.detail);
        }
    }
}
