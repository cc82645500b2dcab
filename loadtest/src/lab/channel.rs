//! The channel's files. Their bytes are random, as those of packages are after compression.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::workload::{File, mix};

/// A channel's folder, to which files are added as they are wanted.
pub(crate) struct Channel {
    /// The folder above the channel's.
    pub(super) folder: PathBuf,
    noarch: PathBuf,
}

impl Channel {
    pub(crate) const NAME: &str = "bench";

    /// What another channel of the same files is called.
    pub(crate) fn name_of(number: usize) -> String {
        match number {
            0 => Self::NAME.to_owned(),
            _ => format!("{}-{number}", Self::NAME),
        }
    }

    /// A file that is always there, of 1 KB.
    pub(super) const FIRST: &str = "noarch/repodata.json";

    /// Makes the channel below `folder`.
    pub(super) fn make(folder: &Path) -> Result<Self, Error> {
        let noarch = folder.join(Self::NAME).join("noarch");
        let shards = noarch.join("shards");
        std::fs::create_dir_all(&shards).map_err(|cause| Error::file(&shards, cause))?;
        let channel = Self { folder: folder.to_owned(), noarch };
        channel.file("repodata.json".to_owned(), 1000)?;
        Ok(channel)
    }

    /// `count` packages of so many bytes.
    pub(crate) fn packages(
        &self,
        name: &str,
        count: usize,
        bytes: u64,
    ) -> Result<Vec<File>, Error> {
        (0..count).map(|n| self.file(format!("{name}-1.{n}-0.conda"), bytes)).collect()
    }

    /// The index that conda asks for before everything else.
    pub(crate) fn index(&self, bytes: u64) -> Result<File, Error> {
        self.file("repodata.json.zst".to_owned(), bytes)
    }

    /// `count` shards of 1 to 10 KB.
    pub(crate) fn shards(&self, count: u64) -> Result<Vec<File>, Error> {
        let shard = |n: u64| {
            let name = [1, 2, 3, 4].map(|part| format!("{:016x}", mix(n ^ (part << 32)))).concat();
            self.file(format!("shards/{name}.msgpack.zst"), 1000 + mix(n) % 9000)
        };
        (0..count).map(shard).collect()
    }

    /// The file of that name, made if it is not there.
    fn file(&self, name: String, bytes: u64) -> Result<File, Error> {
        let path = self.noarch.join(&name);
        if !path.exists() {
            let seed = name.bytes().fold(0, |seed, byte| mix(seed ^ u64::from(byte)));
            fill(&path, seed, bytes).map_err(|cause| Error::file(&path, cause))?;
        }
        Ok(File { path: format!("noarch/{name}"), length: Some(bytes), sha256: None })
    }
}

fn fill(path: &Path, seed: u64, bytes: u64) -> std::io::Result<()> {
    let mut file = BufWriter::with_capacity(1 << 20, std::fs::File::create(path)?);
    for at in (0..bytes).step_by(8) {
        let random = mix(seed ^ at).to_le_bytes();
        let left = usize::try_from(bytes - at).unwrap_or(8).min(8);
        file.write_all(&random[..left])?;
    }
    file.flush()
}
