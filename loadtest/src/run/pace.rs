//! Requests at a given rate, whether earlier ones are answered or not (an open loop).

use std::cell::RefCell;
use std::collections::VecDeque;
use std::time::Duration;

use access::{Clock, Moment};
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe::Receiver;
use tokio::sync::Notify;

/// A request's number, and when it is due.
pub(super) type Due = (u64, Moment);

/// Requests that are due and that no connection has taken yet.
#[derive(Default)]
pub(super) struct Queue {
    due: RefCell<VecDeque<Due>>,
    /// Nothing more comes.
    closed: std::cell::Cell<bool>,
    news: Notify,
}

impl Queue {
    /// The next one; none when it is over.
    pub(super) async fn take(&self) -> Option<Due> {
        loop {
            if let Some(due) = self.due.borrow_mut().pop_front() {
                return Some(due);
            }
            if self.closed.get() {
                // The next of those who wait learns it too.
                self.news.notify_one();
                return None;
            }
            self.news.notified().await;
        }
    }

    fn put(&self, due: Due) {
        self.due.borrow_mut().push_back(due);
        self.news.notify_one();
    }

    fn close(&self) {
        self.closed.set(true);
        self.news.notify_one();
    }

    /// Puts in `per_second` requests, evenly spread, until `over` says of a request's number and
    /// time that it is not wanted any more.
    pub(super) async fn fill<C: Clock>(
        &self,
        clock: &C,
        per_second: f64,
        over: impl Fn(u64, Moment) -> bool,
    ) -> std::io::Result<()> {
        let mut timer = Timer::new()?;
        let started = clock.moment();
        for number in 0.. {
            #[expect(clippy::cast_precision_loss, reason = "a count of requests is below 2^52")]
            let due = started.plus(Duration::from_secs_f64(number as f64 / per_second));
            if over(number, due) {
                break;
            }
            let early = due.since(clock.moment());
            if !early.is_zero() {
                timer.wait(early).await?;
            }
            self.put((number, due));
        }
        self.close();
        Ok(())
    }
}

/// A timer of the kernel (timerfd_create(2)): tokio's own is exact to a millisecond, in which a
/// server answers dozens. It is read as a pipe is.
struct Timer(Receiver);

impl Timer {
    fn new() -> std::io::Result<Self> {
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
        Receiver::from_owned_fd_unchecked(timer).map(Self)
    }

    async fn wait(&mut self, time: Duration) -> std::io::Result<()> {
        let once = Itimerspec {
            it_interval: Timespec { tv_sec: 0, tv_nsec: 0 },
            it_value: Timespec {
                tv_sec: i64::try_from(time.as_secs()).unwrap_or(i64::MAX),
                tv_nsec: i64::from(time.subsec_nanos()),
            },
        };
        timerfd_settime(&self.0, TimerfdTimerFlags::empty(), &once)?;
        // How often it has rung.
        self.0.read_exact(&mut [0; 8]).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use access::SystemClock;

    use super::*;

    #[test]
    fn requests_are_due_evenly_however_late_they_are_taken() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let queue = Queue::default();
        let begun = SystemClock.moment();
        runtime.block_on(queue.fill(&SystemClock, 1000.0, |number, _| number == 50)).unwrap();
        let took = SystemClock.moment().since(begun);
        assert!(took >= Duration::from_millis(49), "{took:?}");
        let mut all = Vec::new();
        while let Some(due) = runtime.block_on(queue.take()) {
            all.push(due);
        }
        assert_eq!(all.len(), 50);
        for pair in all.windows(2) {
            let apart = pair[1].1.since(pair[0].1);
            assert!(apart.abs_diff(Duration::from_millis(1)) < Duration::from_micros(1));
        }
    }
}
