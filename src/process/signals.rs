//! Signals.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::failure::Failure;

/// The signals that a running process answers.
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Signals {
    /// Takes the signals over from the system, which would end the process at once.
    ///
    /// # Errors
    /// [`Failure::System`].
    pub(crate) fn listen() -> Result<Self, Failure> {
        let take = |kind| signal(kind).map_err(Failure::System);
        Ok(Self {
            terminate: take(SignalKind::terminate())?,
            interrupt: take(SignalKind::interrupt())?,
            hang_up: take(SignalKind::hangup())?,
        })
    }

    /// Waits for the next signal: whether it asks for the end (SIGTERM, SIGINT), and not for a
    /// reload (SIGHUP).
    pub(crate) async fn ends(&mut self) -> bool {
        tokio::select! {
            _ = self.terminate.recv() => true,
            _ = self.interrupt.recv() => true,
            _ = self.hang_up.recv() => false,
        }
    }

    /// From now on a signal to stop ends the process without waiting for anybody.
    pub(crate) fn end_at_once_on_the_next(mut self) {
        tokio::spawn(async move {
            while !self.ends().await {}
            tracing::warn!("second signal: ending at once, requests in flight are cut");
            std::process::exit(1);
        });
    }
}
