//! Token values: their format, their digest, and the care they need.
//!
//! Ours are `cg-`, 32 characters of the system's randomness and 6 of checksum (product.md,
//! "Token format"); values of other systems can be imported and are taken by their shape alone.

use std::fmt;

use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

const PREFIX: &str = "cg-";
const RANDOM_CHARS: usize = 32;
const CHECKSUM_CHARS: usize = 6;
const BODY_CHARS: usize = RANDOM_CHARS + CHECKSUM_CHARS;
const OUR_LENGTH: usize = PREFIX.len() + BODY_CHARS;
const IMPORTED_LENGTH: std::ops::RangeInclusive<usize> = 16..=128;
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A token's value. It cannot be printed: `Debug` is redacted, there is no `Display`, and the
/// memory is wiped when it is dropped. Comparing two is not constant in time: both are a client's
/// own; what is stored is compared by digest.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenSecret(Zeroizing<Box<str>>);

/// Why a text can't be a token. Never holds the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not 16 to 128 characters of `[A-Za-z0-9-]`.
    #[error("a token has 16 to 128 letters, digits or `-`")]
    Shape,
    /// Looks like one of ours, but the checksum is wrong: a typing or copying error.
    #[error("the token has a typing error: its checksum is wrong")]
    Checksum,
}

impl TokenSecret {
    /// Makes a new token from the system's randomness (190 bits).
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn generate() -> Result<Self, getrandom::Error> {
        let mut value = Zeroizing::new(String::with_capacity(OUR_LENGTH));
        value.push_str(PREFIX);
        let mut random = Zeroizing::new([0u8; 64]);
        while value.len() < PREFIX.len() + RANDOM_CHARS {
            getrandom::fill(&mut *random)?;
            // 248 is the largest multiple of 62 in a byte: above it the first characters would
            // come more often than the others.
            for &byte in random.iter().filter(|&&b| b < 248) {
                if value.len() < PREFIX.len() + RANDOM_CHARS {
                    value.push(char::from(ALPHABET[usize::from(byte % 62)]));
                }
            }
        }
        let sum = checksum(value.as_bytes());
        for byte in sum {
            value.push(char::from(byte));
        }
        Ok(Self(Zeroizing::new(value.as_str().into())))
    }

    /// Reads a token as a client sends it.
    ///
    /// # Errors
    /// [`TokenError`] for what can be told from the text alone, without a lookup.
    pub fn parse(text: &str) -> Result<Self, TokenError> {
        PresentedToken::check(text)?;
        Ok(Self(Zeroizing::new(text.into())))
    }

    /// The digest under which the token is stored and looked up.
    pub fn digest(&self) -> TokenDigest {
        TokenDigest::of(&self.0)
    }

    /// What may be shown of the token to tell it from others.
    pub fn hint(&self) -> TokenHint {
        let (mark, random) = match looks_like_ours(&self.0) {
            Some(random) => ("", random),
            None => (TokenHint::OF_ANOTHER, &**self.0),
        };
        let mut hint = mark.to_owned();
        hint.extend(random.chars().take(TokenHint::CHARS));
        TokenHint::from_stored(&hint)
    }

    /// Whether the value is of our own format (and so carries a valid checksum).
    pub fn is_ours(&self) -> bool {
        looks_like_ours(&self.0).is_some()
    }

    /// The value itself, for the one answer that shows it to its owner. Every caller is listed
    /// in the `tidy` test.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for TokenSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenSecret(redacted)")
    }
}

/// A token as a request presents it: all that is needed to look it up, and nothing of its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PresentedToken {
    /// Under which it is looked up.
    pub digest: TokenDigest,
    /// Whether the value is of our own format (and so carries a valid checksum).
    pub is_ours: bool,
}

impl PresentedToken {
    /// Reads a token as a client sends it.
    ///
    /// # Errors
    /// [`TokenError`] for what can be told from the text alone, without a lookup.
    pub fn read(text: &str) -> Result<Self, TokenError> {
        let is_ours = Self::check(text)?;
        Ok(Self { digest: TokenDigest::of(text), is_ours })
    }

    /// Whether a text that can be a token is one of ours.
    fn check(text: &str) -> Result<bool, TokenError> {
        let Some(body) = looks_like_ours(text) else {
            let is_odd = |b: u8| !(b.is_ascii_alphanumeric() | (b == b'-'));
            let has_shape = IMPORTED_LENGTH.contains(&text.len()) && !any(text, is_odd);
            return if has_shape { Ok(false) } else { Err(TokenError::Shape) };
        };
        let sum = checksum(&text.as_bytes()[..PREFIX.len() + RANDOM_CHARS]);
        if body.as_bytes()[RANDOM_CHARS..] == sum { Ok(true) } else { Err(TokenError::Checksum) }
    }
}

impl From<&TokenSecret> for PresentedToken {
    fn from(token: &TokenSecret) -> Self {
        Self { digest: token.digest(), is_ours: token.is_ours() }
    }
}

/// The part after `cg-` when the whole text has the format of our own tokens.
fn looks_like_ours(text: &str) -> Option<&str> {
    let body = text.strip_prefix(PREFIX).filter(|body| body.len() == BODY_CHARS)?;
    (!any(body, |b| !b.is_ascii_alphanumeric())).then_some(body)
}

/// Without leaving early, so that many bytes are looked at in one step.
fn any(text: &str, is_odd: impl Fn(u8) -> bool) -> bool {
    text.bytes().fold(false, |found, b| found | is_odd(b))
}

/// CRC-32 of what precedes it, in base 62, most significant digit first.
fn checksum(bytes: &[u8]) -> [u8; CHECKSUM_CHARS] {
    let mut rest = crc32fast::hash(bytes);
    let mut digits = [ALPHABET[0]; CHECKSUM_CHARS];
    for digit in digits.iter_mut().rev() {
        *digit = ALPHABET[(rest % 62) as usize];
        rest /= 62;
    }
    digits
}

/// SHA-256 of a token's value: what is stored, and the key of every table.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenDigest([u8; 32]);

impl TokenDigest {
    fn of(token: &str) -> Self {
        Self(Sha256::digest(token.as_bytes()).into())
    }

    /// A digest read back from the database.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The digest as it is stored.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Only the first bytes: enough to tell two digests apart in a test's output.
impl fmt::Debug for TokenDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenDigest({:02x}{:02x}…)", self.0[0], self.0[1])
    }
}

/// The first characters of a token's random part, to tell tokens apart in lists and logs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TokenHint {
    text: [u8; Self::MAX_BYTES],
    length: u8,
}

impl TokenHint {
    /// How many characters a hint has: 24 of the value's 190 random bits.
    pub const CHARS: usize = 4;
    /// What a stored hint begins with when the token is another system's: none of its characters.
    const OF_ANOTHER: &str = "~";
    const MAX_BYTES: usize = Self::OF_ANOTHER.len() + Self::CHARS;

    /// A hint read back from the database; what is longer than a hint isn't kept.
    pub fn from_stored(stored: &str) -> Self {
        let mut hint = Self { text: [0; Self::MAX_BYTES], length: 0 };
        for (place, byte) in hint.text.iter_mut().zip(stored.bytes().filter(u8::is_ascii)) {
            *place = byte;
            hint.length += 1;
        }
        hint
    }

    /// As it is stored.
    pub fn as_str(&self) -> &str {
        // ASCII, and no longer than its place.
        str::from_utf8(&self.text[..usize::from(self.length)]).unwrap_or_default()
    }

    /// What it is shown as, in pieces.
    pub fn parts(&self) -> [&str; 3] {
        match self.as_str().strip_prefix(Self::OF_ANOTHER) {
            Some(characters) => ["", characters, "…"],
            None => [PREFIX, self.as_str(), "…"],
        }
    }
}

impl fmt::Debug for TokenHint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenHint({self})")
    }
}

/// As shown to people: `cg-AbCd…`, and of another system's token `AbCd…`.
impl fmt::Display for TokenHint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.parts().into_iter().try_for_each(|part| f.write_str(part))
    }
}

/// `text` with everything of our tokens' format replaced by `cg-…`: the last guard for texts that
/// come from outside and go into a log line (a token pasted into a file name, say).
pub fn redact(text: &str) -> std::borrow::Cow<'_, str> {
    if !text.contains(PREFIX) {
        return text.into();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(PREFIX) {
        let body = at + PREFIX.len();
        out.push_str(&rest[..body]);
        let run = rest[body..].bytes().take_while(u8::is_ascii_alphanumeric).count();
        if run < BODY_CHARS {
            out.push_str(&rest[body..body + run]);
        } else {
            out.push('…');
        }
        rest = &rest[body + run..];
    }
    out.push_str(rest);
    out.into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_new_token_has_the_documented_format_and_is_read_back() {
        let token = TokenSecret::generate().unwrap();
        assert_eq!(token.reveal().len(), 41);
        assert!(token.is_ours());
        let again = TokenSecret::parse(token.reveal()).unwrap();
        assert_eq!(again.digest(), token.digest());
        assert_ne!(TokenSecret::generate().unwrap().digest(), token.digest());
    }

    /// Fixed, so that a secret scanner or an importer written by others can be checked with it.
    #[test]
    fn the_checksum_is_base_62_crc_32_of_all_that_precedes_it() {
        let value = "cg-00000000000000000000000000000000";
        let sum = String::from_utf8(checksum(value.as_bytes()).to_vec()).unwrap();
        let mut number = 0u32;
        for c in sum.bytes() {
            let digit = ALPHABET.iter().position(|&a| a == c).unwrap();
            number = number * 62 + u32::try_from(digit).unwrap();
        }
        assert_eq!(number, crc32fast::hash(value.as_bytes()));
        assert!(TokenSecret::parse(&format!("{value}{sum}")).is_ok());
    }

    #[test]
    fn every_single_typing_error_is_seen() {
        let token = TokenSecret::generate().unwrap();
        for at in PREFIX.len()..OUR_LENGTH {
            let mut value = token.reveal().as_bytes().to_vec();
            value[at] = if value[at] == b'x' { b'y' } else { b'x' };
            let value = String::from_utf8(value).unwrap();
            assert_eq!(TokenSecret::parse(&value).unwrap_err(), TokenError::Checksum);
        }
    }

    #[test]
    fn imported_values_are_taken_by_shape() {
        assert!(!TokenSecret::parse("ab-0123456789-XYZ-old").unwrap().is_ours());
        for text in ["", "short", &"x".repeat(129), "has_underscore_in_it_x", "sixteen chars.."] {
            assert_eq!(TokenSecret::parse(text).unwrap_err(), TokenError::Shape, "{text}");
        }
    }

    #[test]
    fn nothing_printable_shows_the_value() {
        let token = TokenSecret::generate().unwrap();
        assert_eq!(format!("{token:?}"), "TokenSecret(redacted)");
        assert_eq!(token.hint().to_string(), format!("cg-{}…", &token.reveal()[3..7]));
        let stored = TokenSecret::parse("legacy-0123456789").unwrap().hint();
        assert_eq!(TokenHint::from_stored(stored.as_str()).to_string(), "lega…");
    }

    #[test]
    fn redact_takes_out_whole_tokens_only() {
        let token = TokenSecret::generate().unwrap();
        let text = format!("a/{0}/b/{0}", token.reveal());
        assert_eq!(redact(&text), "a/cg-…/b/cg-…");
        assert_eq!(redact("cg-tools-1.0-0.conda"), "cg-tools-1.0-0.conda");
    }

    proptest! {
        #[test]
        fn parse_and_redact_never_panic(text in ".*") {
            let _ = TokenSecret::parse(&text);
            let _ = redact(&text);
        }

        #[test]
        fn redact_leaves_no_token(before in ".{0,5}", after in ".{0,5}") {
            let token = TokenSecret::generate().unwrap();
            let text = format!("{before}{}{after}", token.reveal());
            prop_assert!(!redact(&text).contains(token.reveal()));
        }
    }
}
