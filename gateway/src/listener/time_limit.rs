//! A time limit that is begun with every request and seldom reached.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep};

/// To move a timer takes a lock and a walk through the thread's timers. So this one is moved only when
/// it rings too early, or would ring too late.
pub(crate) struct TimeLimit {
    due: Instant,
    timer: Pin<Box<Sleep>>,
}

impl TimeLimit {
    /// A limit that has begun.
    pub(crate) fn new(limit: Duration) -> Self {
        let due = Instant::now() + limit;
        Self { due, timer: Box::pin(tokio::time::sleep_until(due)) }
    }

    /// Begins anew.
    pub(crate) fn begin(&mut self, limit: Duration) {
        self.due = Instant::now() + limit;
        if self.due < self.timer.deadline() {
            self.timer.as_mut().reset(self.due);
        }
    }

    /// Ready when the limit is reached.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            ready!(self.timer.as_mut().poll(cx));
            if self.timer.deadline() >= self.due {
                return Poll::Ready(());
            }
            self.timer.as_mut().reset(self.due);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn it_is_reached_when_the_last_beginning_says() {
        let mut limit = TimeLimit::new(2 * SECOND);
        let begun = Instant::now();
        tokio::time::sleep(SECOND).await;
        limit.begin(2 * SECOND);
        poll_fn(|cx| limit.poll(cx)).await;
        assert_eq!(begun.elapsed().as_secs(), 3, "moved on");
        limit.begin(20 * SECOND);
        limit.begin(SECOND);
        poll_fn(|cx| limit.poll(cx)).await;
        assert_eq!(begun.elapsed().as_secs(), 4, "moved back");
    }
}
