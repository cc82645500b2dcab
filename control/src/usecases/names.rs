//! What names and texts people may give to things.

use super::Error;
use crate::store::{NAME_PREFIX, OWNERS_SUFFIX};

const MAX_NAME_CHARS: usize = 128;
const MAX_TEXT_CHARS: usize = 1_000;
/// RFC 5321 section 4.5.3.1.3, without the angle brackets.
const MAX_EMAIL_BYTES: usize = 254;

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
pub(crate) fn check_token_name(name: &str) -> Result<(), Error> {
    let chars = name.chars().count();
    if !(1..=MAX_NAME_CHARS).contains(&chars) || name.chars().any(char::is_control) {
        return Err(Error::invalid("name", "use 1 to 128 characters on one line"));
    }
    check_visible("name", name)?;
    if name.trim() != name {
        return Err(Error::invalid("name", "leave out the spaces at its ends"));
    }
    Ok(())
}

/// A description or another text for people.
pub(crate) fn check_text(field: &'static str, text: &str) -> Result<(), Error> {
    if text.chars().count() > MAX_TEXT_CHARS {
        return Err(Error::invalid(field, "use at most 1000 characters"));
    }
    let unprintable = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    if text.chars().any(unprintable) {
        return Err(Error::invalid(field, "leave out control characters"));
    }
    check_visible(field, text)
}

/// An address of electronic mail, as far as its form tells; empty where none is known.
pub(super) fn check_email(email: &str) -> Result<(), Error> {
    check_text("email", email)?;
    let plain = |part: &str| !part.is_empty() && !part.contains(char::is_whitespace);
    let is_one = email.len() <= MAX_EMAIL_BYTES
        && email.rsplit_once('@').is_some_and(|(user, host)| {
            plain(user) && plain(host) && !user.contains('@') && !host.starts_with('.')
        });
    if email.is_empty() || is_one {
        return Ok(());
    }
    Err(Error::invalid("email", "write an address like name@example.com, or nothing"))
}

/// What people see of a text is what it is: no character that shows nothing, or has others stand
/// in another order. Two names could look the same.
fn check_visible(field: &'static str, text: &str) -> Result<(), Error> {
    let Some(hidden) = text.chars().find(|c| is_hidden(*c)) else { return Ok(()) };
    let code = u32::from(hidden);
    let message = format!(
        "leave out U+{code:04X}, which can't be seen or turns the text around; it may have been \
         pasted along"
    );
    Err(Error::invalid(field, message))
}

/// The separators of lines and paragraphs, characters of format (Unicode's general category Cf,
/// but for the marks of a few scripts that can be seen), blanks that are letters, and the selectors
/// of variants that no picture uses.
fn is_hidden(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}')
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

    #[test]
    fn a_text_shows_all_that_it_is() {
        for text in ["naïve — 日本語 العربية", "✔\u{fe0f} done", "100\u{a0}GiB"] {
            check_token_name(text).unwrap();
            check_text("description", text).unwrap();
        }
        for text in
            ["ci\u{202e}gnp", "a\u{200b}b", "\u{feff}a", "a\u{2066}b", "a\u{ad}b", "\u{3164}"]
        {
            assert!(check_token_name(text).is_err(), "{text:?}");
            let why = check_text("description", text).unwrap_err().to_string();
            assert!(why.contains("U+"), "{why}");
        }
    }

    #[test]
    fn an_address_has_a_name_and_a_host() {
        for email in ["", "a@b", "ana.ferreira+x@mail.example.com", "ünï@exämple.de"] {
            check_email(email).unwrap();
        }
        let long = format!("{}@example.com", "a".repeat(250));
        for email in ["a", "@", "a@", "@b", "a b@c", "a@b c", "a@b@c", "a@.b", "a@b\n", &long] {
            assert!(check_email(email).is_err(), "{email}");
        }
    }
}
