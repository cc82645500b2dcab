//! What somebody saw of a thing before they change it, so that nobody undoes unseen what another did.

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::Error;

/// What of a thing can be changed, as one word: another one after every change. `state` is what the
/// audit log says of it.
pub(super) fn fingerprint(state: &Value) -> String {
    let digest = Sha256::digest(state.to_string());
    digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// Refuses whoever saw something else than what is there now; who says nothing means it whatever it is.
///
/// # Errors
/// [`Error::ChangedMeanwhile`].
pub(crate) fn check(
    seen: Option<&str>,
    is: &str,
    (kind, name): (&'static str, &str),
) -> Result<(), Error> {
    match seen {
        Some(seen) if seen != is => Err(Error::ChangedMeanwhile { kind, name: name.to_owned() }),
        _ => Ok(()),
    }
}
