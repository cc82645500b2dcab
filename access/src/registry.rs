//! Which channels there are, and where their files lie.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use foldhash::HashMap;

use crate::{ChannelId, ChannelName};

/// Who may download from a channel (product.md, "privacy").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Privacy {
    /// Anyone.
    Public,
    /// Whoever has any valid token.
    Authenticated,
    /// Whoever has a grant; the default.
    Private,
}

impl Privacy {
    /// Every privacy, most open first.
    pub const ALL: [Self; 3] = [Self::Public, Self::Authenticated, Self::Private];

    /// The word used in the API, the database and on every page.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Authenticated => "authenticated",
            Self::Private => "private",
        }
    }
}

impl fmt::Display for Privacy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that names no privacy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no privacy; use `public`, `authenticated` or `private`")]
pub struct UnknownPrivacy(pub String);

impl FromStr for Privacy {
    type Err = UnknownPrivacy;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|p| p.as_str() == word)
            .ok_or_else(|| UnknownPrivacy(word.to_owned()))
    }
}

/// A registered channel as the gateway needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channel {
    /// Its identity, never reused.
    pub id: ChannelId,
    /// Its name, as in a client's path.
    pub name: ChannelName,
    /// Who may download from it.
    pub privacy: Privacy,
    /// The configured storage that holds its files.
    pub storage: Arc<str>,
    /// Where in that storage: a path without slashes at its ends; empty for the root.
    pub prefix: Arc<str>,
    /// Whether a grant on this channel covers the channels below it too.
    pub include_subchannels: bool,
}

/// All registered channels at one revision. Cheap to share, replaced as a whole.
#[derive(Clone, Debug, Default)]
pub struct ChannelRegistry {
    by_name: HashMap<ChannelName, Arc<Channel>>,
    names: HashMap<ChannelId, ChannelName>,
}

impl ChannelRegistry {
    /// The registry of these channels.
    pub fn new(channels: impl IntoIterator<Item = Channel>) -> Self {
        let mut registry = Self::default();
        for channel in channels {
            registry.put(channel);
        }
        registry
    }

    /// Adds a channel, or replaces what was registered under its id or its name.
    pub fn put(&mut self, channel: Channel) {
        self.remove(channel.id);
        self.names.insert(channel.id, channel.name.clone());
        let replaced = self.by_name.insert(channel.name.clone(), Arc::new(channel));
        if let Some(other) = replaced {
            self.names.remove(&other.id);
        }
    }

    /// Takes a channel out.
    pub fn remove(&mut self, id: ChannelId) {
        if let Some(name) = self.names.remove(&id) {
            self.by_name.remove(&name);
        }
    }

    /// The channel of exactly this name. One lookup whether there is one or not, so that the time
    /// tells nothing.
    pub fn find(&self, name: &str) -> Option<&Arc<Channel>> {
        self.by_name.get(name)
    }

    /// The channels above `channel` whose grants cover it.
    pub fn covering<'a>(&'a self, channel: &'a Channel) -> impl Iterator<Item = ChannelId> + 'a {
        channel
            .name
            .parents()
            .filter_map(|parent| self.by_name.get(parent))
            .filter(|parent| parent.include_subchannels)
            .map(|parent| parent.id)
    }

    /// How many channels are registered.
    pub fn len(&self) -> usize {
        self.by_name.len()
    }

    /// Whether no channel is registered.
    pub fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    /// Every channel, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Channel>> {
        self.by_name.values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channel(id: i64, name: &str) -> Channel {
        Channel {
            id: ChannelId(id),
            name: name.parse().unwrap(),
            privacy: Privacy::Private,
            storage: "main".into(),
            prefix: name.into(),
            include_subchannels: false,
        }
    }

    #[test]
    fn a_channel_made_again_under_its_name_replaces_the_old_one() {
        let mut registry = ChannelRegistry::new([channel(1, "a")]);
        registry.put(channel(2, "a"));
        assert_eq!(registry.find("a").unwrap().id, ChannelId(2));
        registry.remove(ChannelId(1));
        assert_eq!(registry.len(), 1, "the old id no longer stands for the name");
        registry.remove(ChannelId(2));
        assert!(registry.is_empty());
    }

    #[test]
    fn only_parents_that_say_so_cover() {
        let mut top = channel(1, "a");
        top.include_subchannels = true;
        let registry = ChannelRegistry::new([top, channel(2, "a/b"), channel(3, "a/b/c")]);
        let leaf = registry.find("a/b/c").unwrap();
        assert_eq!(registry.covering(leaf).collect::<Vec<_>>(), [ChannelId(1)]);
    }
}
