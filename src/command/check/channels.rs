//! Channels that clients can't reach, whatever their storage.

use access::Channel;
use config::Config;

use super::finding::Finding;
use crate::settings;

pub(super) fn look(config: &Config, channels: &[Channel]) -> Vec<Finding> {
    let reserved = settings::reserved_first_segments(&config.gateway);
    let mut found = Vec::new();
    for channel in channels {
        let about = about(channel);
        let first = channel.name.first_segment();
        if reserved.iter().any(|reserved| reserved == first) {
            found.push(Finding::error(
                &about,
                format!(
                    "begins with the mount prefix `{first}`, so that clients can't reach it and no \
                     gateway starts; delete the channel, or take the prefix out of \
                     gateway.mount_prefixes"
                ),
            ));
        }
        if !config.storage.contains_key(&*channel.storage) {
            let storage = &channel.storage;
            found.push(Finding::error(
                &about,
                format!(
                    "is bound to the storage `{storage}`, which is not configured here; add \
                     [storage.{storage}], or bind the channel to another storage"
                ),
            ));
        }
    }
    found
}

pub(super) fn about(channel: &Channel) -> String {
    format!("channel {}", channel.name)
}

/// A channel for tests.
#[cfg(test)]
pub(super) fn channel(name: &str, storage: &str, prefix: &str) -> Channel {
    Channel {
        id: access::ChannelId(1),
        name: name.parse().unwrap(),
        privacy: access::Privacy::Private,
        storage: storage.into(),
        prefix: prefix.into(),
        include_subchannels: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn collisions_and_unknown_storages_are_errors() {
        let text = "[storage.main]\nkind = \"directory\"\npath = \"/srv/conda\"\n";
        let config =
            Config::from_text(text, std::path::Path::new(""), std::iter::empty()).unwrap().config;
        let channels =
            [channel("good", "main", ""), channel("conda/a", "main", ""), channel("b", "old", "")];
        let found = look(&config, &channels);
        let about: Vec<_> = found.iter().map(|finding| &*finding.about).collect();
        assert_eq!(about, ["channel conda/a", "channel b"]);
        assert!(found[1].message.contains("[storage.old]"));
    }
}
