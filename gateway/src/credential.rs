//! Step 3: the one token of a request, from its path or its header fields (wire.md W3).

use access::PresentedToken;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::listener::{Field, Fields};
use crate::target::PathToken;

/// What a request says of who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Credential {
    /// Nothing.
    None,
    /// Something that can't be a token: answered like an unknown one.
    Malformed,
    /// A token.
    Token(PresentedToken),
}

/// The request carries two different tokens: it can't be told which is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TwoTokens;

/// Finds the request's token. The same one in several places is fine.
///
/// # Errors
/// [`TwoTokens`] when two places hold different ones.
pub(crate) fn find(
    path: Option<PathToken<'_>>,
    fields: &Fields<'_>,
) -> Result<Credential, TwoTokens> {
    let mut found = path.map(|token| Credential::parse(token.0));
    let authorization = fields.all(Field::Authorization).map(authorization);
    let x_auth = fields.all(Field::XAuth).map(Credential::read);
    for next in authorization.chain(x_auth) {
        match &found {
            None => found = Some(next),
            Some(before) if *before == next => {}
            Some(_) => return Err(TwoTokens),
        }
    }
    Ok(found.unwrap_or(Credential::None))
}

impl Credential {
    fn read(bytes: &[u8]) -> Self {
        Self::parse(std::str::from_utf8(bytes.trim_ascii()).unwrap_or_default())
    }

    fn parse(text: &str) -> Self {
        PresentedToken::read(text).map_or(Self::Malformed, Self::Token)
    }
}

/// `Bearer X`, `token X` or `Basic` (RFC 9110 section 11.4, RFC 6750, RFC 7617).
fn authorization(bytes: &[u8]) -> Credential {
    let Some(space) = bytes.iter().position(|&b| b == b' ') else {
        return Credential::Malformed;
    };
    let (scheme, rest) = bytes.split_at(space);
    if scheme.eq_ignore_ascii_case(b"bearer") || scheme.eq_ignore_ascii_case(b"token") {
        Credential::read(rest)
    } else if scheme.eq_ignore_ascii_case(b"basic") {
        basic(rest.trim_ascii()).unwrap_or(Credential::Malformed)
    } else {
        Credential::Malformed
    }
}

/// The token is the password, whatever the user name; or the user name when the password is
/// empty: URL user information and `.netrc` files end here.
fn basic(encoded: &[u8]) -> Option<Credential> {
    let decoded = STANDARD.decode(encoded).map(Zeroizing::new).ok()?;
    let colon = decoded.iter().position(|&b| b == b':')?;
    let (user, password) = (&decoded[..colon], &decoded[colon + 1..]);
    Some(Credential::read(if password.is_empty() { user } else { password }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "old-system-token-0123456789";

    fn found(path: Option<&str>, fields: &[(&str, &str)]) -> Credential {
        find(path.map(PathToken), &Fields::from_pairs(fields)).expect("one token")
    }

    fn encoded(pair: &str) -> String {
        format!("Basic {}", STANDARD.encode(pair))
    }

    #[test]
    fn w3_each_place_is_known() {
        let token = Credential::Token(PresentedToken::read(TOKEN).unwrap());
        for (name, text) in [
            ("authorization", format!("Bearer {TOKEN}")),
            ("authorization", format!("bearer  {TOKEN}")),
            ("authorization", format!("token {TOKEN}")),
            ("authorization", encoded(&format!("anyone:{TOKEN}"))),
            ("authorization", encoded(&format!("{TOKEN}:"))),
            ("x-auth", TOKEN.to_owned()),
        ] {
            assert_eq!(found(None, &[(name, &text)]), token, "{name}: {text}");
            assert_eq!(found(Some(TOKEN), &[(name, &text)]), token);
        }
    }

    #[test]
    fn w3_two_different_tokens_are_refused() {
        let other = [("authorization", "Bearer another-token-0123456789")];
        assert!(find(Some(PathToken(TOKEN)), &Fields::from_pairs(&other)).is_err());
        let two = [("authorization", "Bearer another-token-0123456789"), ("x-auth", TOKEN)];
        assert!(find(None, &Fields::from_pairs(&two)).is_err());
    }

    #[test]
    fn what_is_no_token_is_malformed_and_not_nothing() {
        for text in ["Bearer", "Bearer x", "Digest a=b", "Basic !!!", "Basic bm9jb2xvbg==", ""] {
            assert_eq!(found(None, &[("authorization", text)]), Credential::Malformed, "{text:?}");
        }
    }
}
