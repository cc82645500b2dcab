//! What names and texts people may give to things.

use super::Error;
use crate::store::{NAME_PREFIX, OWNERS_SUFFIX};

const MAX_NAME_CHARS: usize = 128;
const MAX_TEXT_CHARS: usize = 1_000;

/// A user's name.
pub(super) fn check_user_name(name: &str) -> Result<(), Error> {
    check_plain_name(name)?;
    if name.to_ascii_lowercase().starts_with(NAME_PREFIX) {
        let message = format!("`{NAME_PREFIX}` begins service accounts' names");
        return Err(Error::invalid("name", message));
    }
    Ok(())
}

/// The name of a group that is no channel's.
pub(super) fn check_group_name(name: &str) -> Result<(), Error> {
    check_plain_name(name)?;
    if name.to_ascii_lowercase().ends_with(OWNERS_SUFFIX) {
        let message = format!("`{OWNERS_SUFFIX}` ends the names of channels' groups of owners");
        return Err(Error::invalid("name", message));
    }
    Ok(())
}

/// A name that stands in paths, lines of a log and other names.
fn check_plain_name(name: &str) -> Result<(), Error> {
    let allowed =
        |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'@' | b'+');
    let begins_well = name.as_bytes().first().is_some_and(u8::is_ascii_alphanumeric);
    if begins_well && name.len() <= MAX_NAME_CHARS && name.bytes().all(allowed) {
        return Ok(());
    }
    Err(Error::invalid(
        "name",
        "use 1 to 128 letters, digits and `.`, `_`, `-`, `@`, `+`, beginning with a letter or \
         digit",
    ))
}

/// A token's name: for people, on one line.
pub(super) fn check_token_name(name: &str) -> Result<(), Error> {
    let chars = name.chars().count();
    if !(1..=MAX_NAME_CHARS).contains(&chars) || name.chars().any(char::is_control) {
        return Err(Error::invalid("name", "use 1 to 128 characters on one line"));
    }
    if name.trim() != name {
        return Err(Error::invalid("name", "leave out the spaces at its ends"));
    }
    Ok(())
}

/// A description or another text for people.
pub(super) fn check_text(field: &'static str, text: &str) -> Result<(), Error> {
    if text.chars().count() > MAX_TEXT_CHARS {
        return Err(Error::invalid(field, "use at most 1000 characters"));
    }
    let unprintable = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    if text.chars().any(unprintable) {
        return Err(Error::invalid(field, "leave out control characters"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_names_are_safe_wherever_they_stand() {
        for name in ["alice", "Alice.B", "bob@example.com", "x+ci", "7"] {
            check_user_name(name).unwrap();
        }
        let long = "a".repeat(129);
        for name in ["", ".a", "-a", "a b", "a/b", "a:b", "a\n", "ä", &long] {
            assert!(check_user_name(name).is_err(), "{name}");
        }
        assert!(check_user_name("service-account-channel-x").is_err());
        assert!(check_user_name("Service-Account-channel-x").is_err());
        check_group_name("data.people").unwrap();
        assert!(check_group_name("x_owners").is_err() && check_group_name("a:b").is_err());
    }

    #[test]
    fn token_names_and_texts_are_bounded() {
        check_token_name("CI on main — nightly").unwrap();
        for name in ["", " a", "a ", "a\nb", "a\0"] {
            assert!(check_token_name(name).is_err(), "{name:?}");
        }
        check_text("description", "two\nlines").unwrap();
        assert!(check_text("description", &"x".repeat(1001)).is_err());
        assert!(check_text("description", "\x1b[31m").is_err());
    }
}
