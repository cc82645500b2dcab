//! The channel's files. Their bytes are random, as those of packages are after compression.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::workload::{File, mix};

/// The sizes of the packages of an install, in KB, five of each: half are below 150 KB, a few make
/// up most of the bytes, as in an environment for data analysis.
const INSTALL_KB: [u64; 12] = [8, 14, 24, 40, 70, 120, 200, 350, 700, 1500, 4000, 15000];
const OF_EACH: usize = 5;

/// The files of a channel, by what they are asked for as.
pub(crate) struct Channel {
    /// The folder above the channel's.
    pub(crate) folder: PathBuf,
    pub(crate) small: Vec<File>,
    pub(crate) medium: Vec<File>,
    pub(crate) large: Vec<File>,
    /// The index that conda asks for before everything else, 2 MB.
    pub(crate) repodata: Vec<File>,
    pub(crate) shards: Vec<File>,
    /// The index and the packages of an install.
    pub(crate) install: Vec<File>,
}

impl Channel {
    pub(crate) const NAME: &str = "bench";

    /// Makes the files below `folder`.
    pub(super) fn make(folder: &Path) -> Result<Self, Error> {
        let noarch = folder.join(Self::NAME).join("noarch");
        let shards = noarch.join("shards");
        std::fs::create_dir_all(&shards).map_err(|cause| Error::file(&shards, cause))?;
        let make = |path: String, bytes: u64| make(&noarch, path, bytes);
        let packages = |name: &str, count: usize, bytes: u64| {
            let package = |n| make(format!("{name}-1.{n}-0.conda"), bytes);
            (0..count).map(package).collect::<Result<Vec<_>, _>>()
        };
        let repodata = make("repodata.json.zst".to_owned(), 2_000_000)?;
        let shard = |n: u64| {
            let name = [1, 2, 3, 4].map(|part| format!("{:016x}", mix(n ^ (part << 32)))).concat();
            make(format!("shards/{name}.msgpack.zst"), 1000 + mix(n) % 9000)
        };
        let mut install = vec![repodata.clone()];
        for kilobytes in INSTALL_KB {
            install.extend(packages(&format!("of-{kilobytes}kb"), OF_EACH, kilobytes * 1000)?);
        }
        Ok(Self {
            folder: folder.to_owned(),
            small: packages("small", 100, 20 << 10)?,
            medium: packages("medium", 16, 1 << 20)?,
            large: packages("large", 2, 64 << 20)?,
            repodata: vec![repodata],
            shards: (0..200).map(shard).collect::<Result<_, _>>()?,
            install,
        })
    }
}

fn make(folder: &Path, name: String, bytes: u64) -> Result<File, Error> {
    let path = folder.join(&name);
    let failed = |cause| Error::file(&path, cause);
    let mut file = BufWriter::with_capacity(1 << 20, std::fs::File::create(&path).map_err(failed)?);
    let seed = name.bytes().fold(0, |seed, byte| mix(seed ^ u64::from(byte)));
    for at in (0..bytes).step_by(8) {
        let random = mix(seed ^ at).to_le_bytes();
        let left = usize::try_from(bytes - at).unwrap_or(8).min(8);
        file.write_all(&random[..left]).map_err(failed)?;
    }
    file.flush().map_err(failed)?;
    Ok(File { path: format!("noarch/{name}"), length: Some(bytes), sha256: None })
}
