//! What somebody saw of a token before they change it.

use sha2::{Digest as _, Sha256};

use crate::store::Token;
use crate::usecases::Error;

/// What of a token can be changed, as one word: another one after every change.
pub fn fingerprint(token: &Token) -> String {
    let mut text = Sha256::new();
    let [expires_at, permission] =
        [token.expires_at.to_string(), token.permission.as_str().to_owned()];
    let of_value = token.hint.to_string();
    let limits = format!("{:?}", token.limits);
    let texts = [&token.name, &token.description, &of_value, &expires_at, &permission, &limits];
    let channels = token.channels.iter().map(|channel| channel.name.as_str());
    for part in texts.into_iter().map(String::as_str).chain(channels) {
        text.update(part);
        text.update(b"\0");
    }
    text.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// Refuses whoever saw something else than what is there now.
pub(super) fn check_seen(seen: Option<&str>, token: &Token) -> Result<(), Error> {
    match seen {
        Some(seen) if seen != fingerprint(token) => {
            Err(Error::ChangedMeanwhile { kind: "token", name: token.name.clone() })
        }
        _ => Ok(()),
    }
}
