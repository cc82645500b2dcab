//! The date that an answer bears (RFC 9110, section 6.6.1).

use std::cell::Cell;
use std::time::{Duration, UNIX_EPOCH};

use access::Timestamp;

/// A date as HTTP writes it: `Sun, 06 Nov 1994 08:49:37 GMT`.
pub(super) type HttpDate = [u8; 29];

/// One thread's dates; each is made once a second.
#[derive(Default)]
pub(crate) struct Dates(Cell<(i64, HttpDate)>);

impl Dates {
    pub(super) fn at(&self, now: Timestamp) -> HttpDate {
        let seconds = now.as_millis().div_euclid(1000);
        let (of, mut date) = self.0.get();
        if of != seconds {
            let since = Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
            let text = httpdate::fmt_http_date(UNIX_EPOCH + since);
            date.copy_from_slice(text.as_bytes());
            self.0.set((seconds, date));
        }
        date
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_of_its_second() {
        let dates = Dates::default();
        let at = |millis| String::from_utf8(dates.at(Timestamp::from_millis(millis)).to_vec());
        assert_eq!(at(784_111_777_000).unwrap(), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(at(784_111_777_999).unwrap(), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(at(784_111_778_000).unwrap(), "Sun, 06 Nov 1994 08:49:38 GMT");
    }
}
