//! Texts of the time that are made once a second, for each request has one.

use std::cell::Cell;

use access::Timestamp;

/// A text of `N` bytes that holds for a second.
pub(crate) struct EachSecond<const N: usize>(Cell<Option<(i64, [u8; N])>>);

impl<const N: usize> Default for EachSecond<N> {
    fn default() -> Self {
        Self(Cell::new(None))
    }
}

impl<const N: usize> EachSecond<N> {
    /// The text of this second, which `make` makes of its beginning. What is missing to `N` bytes is
    /// zero, and what is beyond is left out.
    pub(crate) fn at(&self, now: Timestamp, make: impl FnOnce(Timestamp) -> String) -> [u8; N] {
        let second = now.as_millis().div_euclid(1000);
        if let Some((_, text)) = self.0.get().filter(|(of, _)| *of == second) {
            return text;
        }
        let mut text = [0; N];
        let made = make(Timestamp::from_millis(second * 1000));
        for (at, byte) in text.iter_mut().zip(made.bytes()) {
            *at = byte;
        }
        self.0.set(Some((second, text)));
        text
    }
}
