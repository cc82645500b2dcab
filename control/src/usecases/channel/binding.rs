//! Which files a channel is bound to.

use access::{ChannelName, Permission};

use crate::store::{self, Connection};
use crate::usecases::caller::Caller;
use crate::usecases::{Control, Error};

/// How many bytes a channel's place in its storage may have.
const MAX_PREFIX_BYTES: usize = 512;

/// The storage that was asked for; the only one where none was.
pub(super) fn choose_storage(control: &Control, asked: Option<String>) -> Result<String, Error> {
    let mut names: Vec<_> = control.settings.storages.iter().map(|s| s.name.clone()).collect();
    match asked {
        Some(name) if names.contains(&name) => Ok(name),
        None if names.len() == 1 => Ok(names.swap_remove(0)),
        Some(_) | None => {
            let message = format!("name a configured storage: {}", names.join(", "));
            Err(Error::invalid("storage", message))
        }
    }
}

/// A relative path that means what it says in any storage.
pub(super) fn check_prefix(prefix: &str) -> Result<(), Error> {
    let plain = |segment: &str| {
        !matches!(segment, "" | "." | "..")
            && segment.bytes().all(|b| b.is_ascii_graphic() && !b"\\%?#:*\"<>|".contains(&b))
    };
    if prefix.len() <= MAX_PREFIX_BYTES && (prefix.is_empty() || prefix.split('/').all(plain)) {
        return Ok(());
    }
    let message = "use a path like `conda/analytics`, without `/` at its ends, `.` and `..` as a \
         segment, spaces, or any of `\\ % ? # : * \" < > |`";
    Err(Error::invalid("prefix", message))
}

/// A channel shows the files it is bound to: whoever is no admin binds it to a place of its own
/// name, and not where another's files are.
pub(super) async fn require_own_files(
    db: &mut Connection,
    caller: &Caller,
    name: &ChannelName,
    (storage, prefix): (&str, &str),
) -> Result<(), Error> {
    let mut own = prefix == name.as_str();
    for id in store::channels_bound_to(db, storage, prefix).await? {
        own &= caller.held(db, id).await? == Some(Permission::Manage);
    }
    if own { Ok(()) } else { Err(needs_binder()) }
}

pub(super) fn needs_binder() -> Error {
    Error::NotPermitted {
        needs: "role `admin`, to bind a channel to files that may be others'".into(),
        who: "an admin".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::check_prefix;

    #[test]
    fn a_prefix_is_a_plain_relative_path() {
        for prefix in ["", "a", "conda/main", "R_2.1/x-y+z"] {
            check_prefix(prefix).unwrap();
        }
        for prefix in ["/a", "a/", "a//b", "..", "a/../b", "./a", "a b", "a%2fb", "a\\b", "a?b"] {
            assert!(check_prefix(prefix).is_err(), "{prefix}");
        }
        assert!(check_prefix(&"a".repeat(513)).is_err());
    }
}
