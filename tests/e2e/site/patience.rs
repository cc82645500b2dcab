//! Waiting by asking: as short as the thing takes, and never for ever.

use std::time::Duration;

use access::{Clock as _, Moment, SystemClock};

/// Longer than anything takes on a busy machine.
const LIMIT: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(10);

/// Asks until there is an answer.
pub(crate) fn until<T>(what: &str, ask: impl FnMut() -> Option<T>) -> T {
    within(LIMIT, what, ask)
}

/// Asks until there is an answer, for no longer than `limit`.
pub(crate) fn within<T>(limit: Duration, what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let started = now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(now().since(started) < limit, "waited {limit:?} in vain for {what}");
        std::thread::sleep(PAUSE);
    }
}

/// A reading of the clock for durations.
pub(crate) fn now() -> Moment {
    SystemClock.moment()
}
