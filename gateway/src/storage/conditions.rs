//! Conditional and range requests (RFC 9110, sections 13 and 14; wire.md W9, W10).

use std::ops::Range;
use std::time::SystemTime;

use crate::listener::{Field, Fields, visible};

/// What a client wants to be true before it is sent the whole file.
#[derive(Clone, Copy)]
pub(super) struct Conditions<'r> {
    fields: &'r Fields<'r>,
    head: bool,
}

/// What tells one version of a file from another.
#[derive(Clone, Debug, Default)]
pub(super) struct Validators {
    /// An entity tag with its quotes, and `W/` in front of a weak one.
    pub(super) etag: Option<String>,
    /// In whole seconds.
    pub(super) last_modified: Option<SystemTime>,
}

/// Which part of a file is the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The client has this version: 304.
    NotModified,
    /// All of it: 200.
    Whole,
    /// These bytes: 206.
    Part(Range<u64>),
    /// The range lies behind the end: 416.
    Unsatisfiable,
}

/// One range of bytes, as asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    From(u64),
    Between(u64, u64),
    Last(u64),
}

impl<'r> Conditions<'r> {
    pub(super) fn new(fields: &'r Fields<'r>, head: bool) -> Self {
        Self { fields, head }
    }

    /// Judges a file of `length` bytes.
    pub(super) fn judge(&self, validators: &Validators, length: u64) -> Verdict {
        if self.is_not_modified(validators) {
            return Verdict::NotModified;
        }
        match self.asked_range() {
            Some(asked) if self.if_range_holds(validators) => asked.of(length),
            _ => Verdict::Whole,
        }
    }

    /// RFC 9110, section 13.2.2: If-Modified-Since counts only without If-None-Match.
    pub(super) fn is_not_modified(&self, validators: &Validators) -> bool {
        if self.has(Field::IfNoneMatch) {
            let mut lists = self.fields.all(Field::IfNoneMatch).filter_map(visible);
            return lists.any(|list| matches_weakly(list, validators));
        }
        let since = self.fields.text(Field::IfModifiedSince);
        let since = since.and_then(|date| httpdate::parse_http_date(date).ok());
        match (validators.last_modified, since) {
            (Some(modified), Some(since)) => modified <= since,
            _ => false,
        }
    }

    /// Whether a 304 may be the answer.
    pub(super) fn may_be_unmodified(&self) -> bool {
        self.has(Field::IfNoneMatch) || self.has(Field::IfModifiedSince)
    }

    /// Whether anything is compared with a file's validators.
    pub(super) fn compare_validators(&self) -> bool {
        self.may_be_unmodified() || self.has(Field::IfRange)
    }

    /// The one range that is asked for. Several ranges and what can't be read are ignored, as RFC
    /// 9110, section 14.2 allows; so is the range of a HEAD.
    fn asked_range(&self) -> Option<Asked> {
        let range = self.fields.only(Field::Range).filter(|_| !self.head)?;
        Asked::parse(visible(range)?)
    }

    /// Whether a usable range is asked for, and its text.
    pub(super) fn range_to_pass_on(&self) -> Option<&'r str> {
        self.asked_range().and_then(|_| self.fields.text(Field::Range))
    }

    /// Whether the bytes `part` of a file answer what is asked for, all of it or its beginning (RFC
    /// 9110, section 15.3.7); `complete` is the file's length, where that is known.
    pub(super) fn ask_for(&self, part: &Range<u64>, complete: Option<u64>) -> bool {
        match (self.asked_range(), complete) {
            (None, _) => false,
            // Where they lie can't be told.
            (Some(Asked::Last(count)), None) => part.end - part.start <= count,
            (Some(asked), complete) => match asked.of(complete.unwrap_or(u64::MAX)) {
                Verdict::Part(wanted) => part.start == wanted.start && part.end <= wanted.end,
                _ => false,
            },
        }
    }

    /// RFC 9110, section 13.1.5: the comparison is strong.
    pub(super) fn if_range_holds(&self, validators: &Validators) -> bool {
        if !self.has(Field::IfRange) {
            return true;
        }
        let Some(wanted) = self.fields.text(Field::IfRange) else {
            return false;
        };
        if wanted.starts_with('"') {
            return validators.etag.as_deref() == Some(wanted);
        }
        let date = httpdate::parse_http_date(wanted).ok();
        date.is_some() && date == validators.last_modified
    }

    fn has(&self, field: Field) -> bool {
        self.fields.first(field).is_some()
    }
}

/// RFC 9110, section 13.1.2: the comparison is weak.
fn matches_weakly(list: &str, validators: &Validators) -> bool {
    if list.trim() == "*" {
        return true;
    }
    let Some(ours) = validators.etag.as_deref() else {
        return false;
    };
    let ours = ours.strip_prefix("W/").unwrap_or(ours);
    // A tag may hold a comma, so the list is read from quote to quote.
    let mut rest = list;
    while let Some(start) = rest.find('"') {
        let Some(length) = rest[start + 1..].find('"') else {
            return false;
        };
        let end = start + 1 + length + 1;
        if &rest[start..end] == ours {
            return true;
        }
        rest = &rest[end..];
    }
    false
}

impl Asked {
    fn parse(text: &str) -> Option<Self> {
        let (unit, range) = text.split_once('=')?;
        let (first, last) = range.trim().split_once('-')?;
        if !unit.trim().eq_ignore_ascii_case("bytes") {
            return None;
        }
        match (first.trim(), last.trim()) {
            ("", last) => Some(Self::Last(number(last)?)),
            (first, "") => Some(Self::From(number(first)?)),
            (first, last) => {
                let (first, last) = (number(first)?, number(last)?);
                (first <= last).then_some(Self::Between(first, last))
            }
        }
    }

    fn of(self, length: u64) -> Verdict {
        let range = match self {
            Self::From(first) => first..length,
            Self::Between(first, last) => first..last.saturating_add(1).min(length),
            Self::Last(count) => length.saturating_sub(count)..length,
        };
        if range.start < range.end { Verdict::Part(range) } else { Verdict::Unsatisfiable }
    }
}

/// Digits alone; a number that doesn't fit stands for one behind every file's end.
fn number(digits: &str) -> Option<u64> {
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| digits.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    const DATE: &str = "Sun, 01 Nov 2026 12:00:00 GMT";
    const LATER: &str = "Sun, 01 Nov 2026 12:00:01 GMT";

    fn judge(fields: &[(&str, &str)]) -> Verdict {
        let fields = Fields::from_pairs(fields);
        let validators = Validators {
            etag: Some("\"v,1\"".to_owned()),
            last_modified: httpdate::parse_http_date(DATE).ok(),
        };
        Conditions::new(&fields, false).judge(&validators, 1000)
    }

    #[test]
    fn w10_what_the_client_has_is_not_sent_again() {
        for (name, value, expected) in [
            ("if-none-match", "\"v,1\"", Verdict::NotModified),
            ("if-none-match", "W/\"v,1\"", Verdict::NotModified),
            ("if-none-match", "\"v\", \"v,1\"", Verdict::NotModified),
            ("if-none-match", "*", Verdict::NotModified),
            ("if-none-match", "\"v\", \"1\"", Verdict::Whole),
            ("if-none-match", "\"v,1", Verdict::Whole),
            ("if-modified-since", DATE, Verdict::NotModified),
            ("if-modified-since", LATER, Verdict::NotModified),
            ("if-modified-since", "Sun, 01 Nov 2026 11:59:59 GMT", Verdict::Whole),
            ("if-modified-since", "yesterday", Verdict::Whole),
        ] {
            assert_eq!(judge(&[(name, value)]), expected, "{name}: {value}");
        }
        let both = [("if-none-match", "\"other\""), ("if-modified-since", DATE)];
        assert_eq!(judge(&both), Verdict::Whole);
    }

    #[test]
    fn w9_single_ranges_are_served_and_others_ignored() {
        for (range, expected) in [
            ("bytes=0-0", Verdict::Part(0..1)),
            ("bytes=10-", Verdict::Part(10..1000)),
            ("bytes=10-99999999999999999999999", Verdict::Part(10..1000)),
            ("bytes=-65536", Verdict::Part(0..1000)),
            ("bytes=-1", Verdict::Part(999..1000)),
            ("Bytes = 1 - 2", Verdict::Part(1..3)),
            ("bytes=-0", Verdict::Unsatisfiable),
            ("bytes=1000-", Verdict::Unsatisfiable),
            ("bytes=99999999999999999999999-", Verdict::Unsatisfiable),
            ("bytes=2-1", Verdict::Whole),
            ("bytes=0-1,5-6", Verdict::Whole),
            ("bytes=", Verdict::Whole),
            ("bytes=-", Verdict::Whole),
            ("bytes=+1-2", Verdict::Whole),
            ("lines=1-2", Verdict::Whole),
        ] {
            assert_eq!(judge(&[("range", range)]), expected, "{range}");
        }
    }

    #[test]
    fn w9_if_range_is_compared_strongly() {
        let range = ("range", "bytes=0-0");
        for (validator, expected) in [
            ("\"v,1\"", Verdict::Part(0..1)),
            (DATE, Verdict::Part(0..1)),
            ("W/\"v,1\"", Verdict::Whole),
            ("\"other\"", Verdict::Whole),
            (LATER, Verdict::Whole),
            ("nonsense", Verdict::Whole),
        ] {
            assert_eq!(judge(&[range, ("if-range", validator)]), expected, "{validator}");
        }
    }

    proptest! {
        #[test]
        fn a_part_lies_within_the_file(range in "(bytes=)?[0-9]{0,22}-?[0-9]{0,22}", length: u64) {
            let fields = Fields::from_pairs(&[("range", &range)]);
            let conditions = Conditions::new(&fields, false);
            if let Verdict::Part(part) = conditions.judge(&Validators::default(), length) {
                prop_assert!(part.start < part.end && part.end <= length);
            }
        }

        #[test]
        fn never_panics(list in "\\PC{0,30}", date in "\\PC{0,30}") {
            let _ = matches_weakly(&list, &Validators {
                etag: Some("\"a\"".into()), last_modified: Some(SystemTime::UNIX_EPOCH + Duration::MAX / 4_000_000_000),
            });
            let _ = httpdate::parse_http_date(&date);
        }
    }
}
