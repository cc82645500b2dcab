//! The channel that ships in the binary.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use include_dir::{Dir, include_dir};

/// Made by `demo-channel/build.py`.
static CHANNEL: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/demo-channel/channel");

/// Writes its files below `folder`, which is made.
pub(super) fn write(folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    CHANNEL.extract(folder)
}

/// The names of its packages, each once.
pub(super) fn packages() -> Vec<String> {
    let files = CHANNEL.dirs().flat_map(Dir::files);
    let names = files.filter_map(|file| package_name(file.path().file_name()?.to_str()?));
    names.collect::<BTreeSet<_>>().into_iter().collect()
}

/// The name in `NAME-VERSION-BUILD.conda` or `….tar.bz2`; neither version nor build has a `-`.
fn package_name(file: &str) -> Option<String> {
    let stem = file.strip_suffix(".conda").or_else(|| file.strip_suffix(".tar.bz2"))?;
    let mut parts = stem.rsplitn(3, '-');
    parts.nth(2).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_packages_are_those_of_the_table() {
        let expected = ["demo-blob", "demo-data", "demo-hello", "demo-lib", "demo-notes"];
        assert_eq!(packages(), expected);
    }

    #[test]
    fn what_is_written_is_the_folder_byte_for_byte() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path()).unwrap();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("demo-channel/channel");
        for file in ["linux-64/demo-lib-1!2.0-0.conda", "noarch/demo-notes-1.0+local.3-0.tar.bz2"] {
            let written = std::fs::read(folder.path().join(file)).unwrap();
            assert_eq!(written, std::fs::read(source.join(file)).unwrap(), "{file}");
        }
        let shards = std::fs::read_dir(folder.path().join("noarch/shards")).unwrap();
        assert!(shards.count() > 0, "folders in folders are written too");
    }
}
