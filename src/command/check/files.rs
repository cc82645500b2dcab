//! Files with secrets in them that everyone on the machine can read.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use config::{Loaded, Origin, Storage};

use super::finding::Finding;

pub(super) fn look(loaded: &Loaded) -> Vec<Finding> {
    let mut found = Vec::new();
    for (key, file) in loaded.config.secrets() {
        let written = match loaded.sources.get(&key) {
            Some(Origin::File { path, .. }) => Some(path.as_path()),
            _ => None,
        };
        found.extend(file.as_deref().or(written).and_then(|file| exposed(&key, file)));
    }
    for (name, storage) in &loaded.config.storage {
        if let Storage::Http(http) = storage
            && let Some((_, key)) = http.client_identity()
        {
            found.extend(exposed(&format!("storage.{name}.client_key"), key));
        }
    }
    if let Some(tls) = &loaded.config.gateway.tls {
        found.extend(exposed("gateway.tls.key", &tls.key));
    }
    found
}

/// A warning if everyone on the machine can read the file.
pub(super) fn exposed(about: &str, file: &Path) -> Option<Finding> {
    is_exposed(file).then(|| {
        let file = file.display();
        let message = format!("everyone on this machine can read {file}; run `chmod o-rwx {file}`");
        Finding::warn(about, message)
    })
}

/// Whether everyone may read it: the file's own mode and that of each folder above it say so.
/// `false` where that can't be told.
fn is_exposed(file: &Path) -> bool {
    let may = |path: &Path, bit: u32| fs::metadata(path).is_ok_and(|data| data.mode() & bit != 0);
    let Ok(file) = file.canonicalize() else { return false };
    may(&file, 0o004) && file.ancestors().skip(1).all(|folder| may(folder, 0o001))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::PathBuf;

    use config::Config;

    use super::*;

    fn put(folder: &Path, name: &str, text: &str, mode: u32) -> PathBuf {
        let file = folder.join(name);
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        file
    }

    /// A folder that others may enter, as `/etc/condagate` is.
    fn open_folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        folder
    }

    #[test]
    fn what_everyone_can_read_is_named_with_what_to_do() {
        let folder = open_folder();
        let text = "[storage.a]\nkind = \"http\"\nurl = \"http://a\"\nbearer = \"hidden\"\n\
                    [storage.b]\nkind = \"http\"\nurl = \"http://b\"\nbearer_file = \"b\"\n\
                    [storage.c]\nkind = \"http\"\nurl = \"http://c\"\nbearer_file = \"c\"\n";
        put(folder.path(), "b", "hidden", 0o644);
        put(folder.path(), "c", "hidden", 0o640);
        let file = put(folder.path(), "condagate.toml", text, 0o644);
        let found = look(&Config::load(Some(&file), std::iter::empty()).unwrap());
        let about: Vec<_> = found.iter().map(|finding| &*finding.about).collect();
        assert_eq!(about, ["storage.a.bearer", "storage.b.bearer_file"]);
        assert!(found[0].message.contains("condagate.toml; run `chmod o-rwx "), "{found:?}");
        assert!(!format!("{found:?}").contains("hidden"));
    }

    #[test]
    fn a_closed_folder_protects_what_is_in_it() {
        let folder = open_folder();
        let file = put(folder.path(), "key.pem", "", 0o644);
        assert!(exposed("gateway.tls.key", &file).is_some());
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
        assert!(exposed("gateway.tls.key", &file).is_none());
        assert!(exposed("gateway.tls.key", &folder.path().join("absent")).is_none());
    }
}
