//! The date that an answer bears (RFC 9110, section 6.6.1).

use std::time::{Duration, UNIX_EPOCH};

use access::Timestamp;

use crate::each_second::EachSecond;

/// A date as HTTP writes it: `Sun, 06 Nov 1994 08:49:37 GMT`.
pub(super) type HttpDate = [u8; 29];

/// One thread's dates.
#[derive(Default)]
pub(crate) struct Dates(EachSecond<29>);

impl Dates {
    pub(super) fn at(&self, now: Timestamp) -> HttpDate {
        self.0.at(now, |second| {
            let since = u64::try_from(second.as_millis()).unwrap_or(0);
            httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_millis(since))
        })
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
