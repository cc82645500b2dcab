//! A token bucket, as limits count.

use access::Moment;

/// A token bucket of one second's depth: a whole second's share may come at once.
#[derive(Debug)]
pub(crate) struct Bucket {
    left: f64,
    at: Moment,
}

impl Bucket {
    /// A full one.
    pub(crate) fn full(per_second: f64, at: Moment) -> Self {
        Self { left: per_second, at }
    }

    /// Takes one, if that leaves at least `keep`.
    pub(crate) fn take(&mut self, per_second: f64, keep: f64, now: Moment) -> bool {
        self.left = (self.left + now.since(self.at).as_secs_f64() * per_second).min(per_second);
        self.at = now.max(self.at);
        let enough = self.left >= keep + 1.0;
        if enough {
            self.left -= 1.0;
        }
        enough
    }
}
