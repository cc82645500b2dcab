//! Storages, asked just as the gateway asks them: there, readable, and with the indexes of the
//! channels that are bound to them.

use std::path::Path;
use std::time::Duration;

use access::{Channel, ChannelId, Clock, Privacy};
use config::{Config, Storage};
use gateway::target::{self, FilePath, MountPrefixes};
use gateway::{ProbeError, StorageProbe, StorageSettings};
use tokio::task::LocalSet;

use super::base_url::{self, Form};
use super::channels;
use super::finding::{Finding, Level};

/// How long one storage is looked at, and after how many errors no longer: the others will be the
/// same.
const LOOKED_AT_FOR: Duration = Duration::from_secs(60);
const ENOUGH_ERRORS: usize = 5;

/// How much of an index is fetched; one can have hundreds of megabytes.
const BEGINNING_BYTES: usize = 128 * 1024;

/// The subdirs that are looked into: the one every client needs, and the commonest.
const SUBDIRS: [&str; 2] = ["noarch", "linux-64"];

const INDEXES: [(Form, &str); 3] = [
    (Form::Json, "repodata.json"),
    (Form::PackedJson, "repodata.json.zst"),
    (Form::Shards, "repodata_shards.msgpack.zst"),
];

/// What to do about a storage that can't say, by a part of what it says instead.
const ADVICE: [(&str, &str); 5] = [
    ("credentials", "set username and password, or bearer, of the storage right"),
    ("certificate", "name the certificates to trust in ca_file, or renew the server's"),
    ("redirect_hosts", "add the host there if it is the storage's too"),
    ("ermission denied", "let the user of the service read it"),
    ("", "does it run, and is its setting right? Clients get 502 or 503"),
];

pub(super) async fn look(config: &Config, channels: &[Channel], clock: &dyn Clock) -> Vec<Finding> {
    if config.storage.is_empty() {
        let message = "none is configured, so nothing can be served; add [storage.main]";
        return vec![Finding::warn("storage", message)];
    }
    let look = async {
        let mut found = Vec::new();
        for (name, storage) in &config.storage {
            let bound: Vec<_> = channels.iter().filter(|c| *c.storage == **name).collect();
            found.extend(look_at(name, storage, &bound, clock).await);
        }
        found
    };
    LocalSet::new().run_until(look).await
}

async fn look_at(
    name: &String,
    storage: &Storage,
    bound: &[&Channel],
    clock: &dyn Clock,
) -> Vec<Finding> {
    let about = format!("storage.{name}");
    let probe = match StorageSettings::new([(name, storage)], clock.now()) {
        Ok(settings) => settings.probe(),
        Err(why) => return vec![Finding::error(about, why.why.to_string())],
    };
    if let Storage::Directory(directory) = storage
        && let Err(message) = look_at_folder(&directory.path)
    {
        return vec![Finding::error(about, message)];
    }
    if bound.is_empty() {
        return vec![match is_there(&probe, name).await {
            Ok(()) => Finding::ok(about, "answers; no channel is known to be bound to it"),
            Err(why) => Finding::error(about, with_advice(&why)),
        }];
    }
    let found = look_at_channels(&probe, storage, bound, clock).await;
    if found.is_empty() {
        let message = format!("answers; channels with their indexes: {}", bound.len());
        return vec![Finding::ok(about, message)];
    }
    found
}

/// Whether the folder is there and can be read.
fn look_at_folder(path: &Path) -> Result<(), String> {
    let name = path.display();
    match std::fs::read_dir(path) {
        Ok(_) => Ok(()),
        Err(_) if path.is_file() => Err(format!("{name} is a file; name the folder")),
        Err(why) => Err(format!(
            "the folder {name} can't be read: {why}; is it mounted, and may the user of the service \
             read it?"
        )),
    }
}

/// Asks a storage that no channel is bound to for anything at all.
async fn is_there(probe: &StorageProbe, storage: &str) -> Result<(), ProbeError> {
    let Ok(name) = "any".parse() else { return Ok(()) };
    let channel = Channel {
        id: ChannelId(0),
        name,
        privacy: Privacy::Private,
        storage: storage.into(),
        prefix: "".into(),
        include_subchannels: false,
    };
    beginning_of(probe, &channel, "noarch/repodata.json").await.map(drop)
}

async fn look_at_channels(
    probe: &StorageProbe,
    storage: &Storage,
    bound: &[&Channel],
    clock: &dyn Clock,
) -> Vec<Finding> {
    let begun = clock.moment();
    let mut found: Vec<Finding> = Vec::new();
    for (index, channel) in bound.iter().enumerate() {
        let errors = found.iter().filter(|finding| finding.level == Level::Error).count();
        if errors >= ENOUGH_ERRORS || clock.moment().since(begun) > LOOKED_AT_FOR {
            let left = bound.len() - index;
            let message = format!("{left} more channels were not looked at");
            found.push(Finding::warn(format!("storage.{}", channel.storage), message));
            break;
        }
        found.extend(look_at_channel(probe, storage, channel).await);
    }
    found
}

async fn look_at_channel(
    probe: &StorageProbe,
    storage: &Storage,
    channel: &Channel,
) -> Vec<Finding> {
    let about = channels::about(channel);
    if let Storage::Directory(directory) = storage {
        let folder = directory.path.join(&*channel.prefix);
        if !folder.is_dir() {
            let message = format!(
                "there is no folder {}; make it, or bind the channel to another prefix",
                folder.display()
            );
            return vec![Finding::warn(about, message)];
        }
    }
    let mut found = Vec::new();
    for subdir in SUBDIRS {
        match look_at_subdir(probe, channel, subdir).await {
            Ok(findings) => found.extend(findings),
            Err(why) => {
                found.push(Finding::error(about, with_advice(&why)));
                break;
            }
        }
    }
    found
}

async fn look_at_subdir(
    probe: &StorageProbe,
    channel: &Channel,
    subdir: &str,
) -> Result<Vec<Finding>, ProbeError> {
    let about = channels::about(channel);
    let mut found = Vec::new();
    let mut has_index = false;
    for (form, name) in INDEXES {
        let path = format!("{subdir}/{name}");
        let Some(beginning) = beginning_of(probe, channel, &path).await? else { continue };
        has_index = true;
        for (key, url) in base_url::absolute(form, &beginning) {
            let message = format!(
                "{path} has the {key} `{url}`, so that clients bypass the gateway or lose their \
                 token; index the channel again with a relative one"
            );
            found.push(Finding::warn(&about, message));
        }
    }
    if subdir == "noarch" && !has_index {
        let message = format!(
            "storage `{}` has no noarch/repodata.json below `{}`, so clients are given an empty one; \
             index the channel, or correct its prefix",
            channel.storage, channel.prefix
        );
        found.push(Finding::warn(about, message));
    }
    Ok(found)
}

/// The beginning of the channel's file `path`.
async fn beginning_of(
    probe: &StorageProbe,
    channel: &Channel,
    path: &str,
) -> Result<Option<Vec<u8>>, ProbeError> {
    let path = format!("/any/{path}");
    let file: Option<FilePath<'_>> =
        target::read(&path, &MountPrefixes::default()).ok().and_then(|target| target.file);
    match file {
        Some(file) => probe.beginning_of(channel, &file, BEGINNING_BYTES).await,
        None => Ok(None),
    }
}

fn with_advice(why: &ProbeError) -> String {
    let why = why.to_string();
    let advice =
        ADVICE.iter().find(|(part, _)| why.contains(part)).map_or("", |(_, advice)| advice);
    format!("{why}; {advice}")
}

#[cfg(test)]
mod tests;
