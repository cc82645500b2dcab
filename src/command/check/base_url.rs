//! Absolute URLs in a channel's indexes (wire.md W20).

use std::fmt;
use std::io::Read as _;

use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// How much is unpacked: `info` is at an index's beginning.
const UNPACKED_MAX: u64 = 1024 * 1024;

/// The forms of an index in which clients look for URLs. Those of the JSON say the same, so that
/// the first that is there is enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// `repodata.json` (CEP 36).
    Json,
    /// `repodata.json.zst`.
    PackedJson,
    /// `repodata_shards.msgpack.zst` (CEP 16).
    Shards,
}

/// The index's `info`, of which only the URLs are wanted.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
struct Info {
    base_url: Option<String>,
    shards_base_url: Option<String>,
}

/// The absolute URLs, each with its key, in an index of which `beginning` is the beginning. What
/// can't be read has none.
pub(super) fn absolute(form: Form, beginning: &[u8]) -> Vec<(&'static str, String)> {
    let info = match form {
        Form::Json => json(beginning),
        Form::PackedJson => json(&unpack(beginning)),
        Form::Shards => msgpack(&unpack(beginning)),
    };
    let Info { base_url, shards_base_url } = info;
    let urls = [("base_url", base_url), ("shards_base_url", shards_base_url)];
    urls.into_iter()
        .filter_map(|(key, url)| Some((key, url?)))
        .filter(|(_, url)| is_absolute(url))
        .collect()
}

/// Whether a client goes to a place of its own: `https://host/…`, `//host/…`, and `/…`, which loses
/// token and channel.
fn is_absolute(url: &str) -> bool {
    url.starts_with('/') || url.contains("://")
}

/// As much as can be unpacked of a file that may be cut off.
fn unpack(packed: &[u8]) -> Vec<u8> {
    let mut content = Vec::new();
    if let Ok(decoder) = ruzstd::decoding::StreamingDecoder::new(packed) {
        // What was unpacked before an error stays in `content`.
        let _ = decoder.take(UNPACKED_MAX).read_to_end(&mut content);
    }
    content
}

fn json(text: &[u8]) -> Info {
    let mut info = Info::default();
    // The error is how reading ends where `info` does.
    let _ = FindInfo(&mut info).deserialize(&mut serde_json::Deserializer::from_slice(text));
    info
}

fn msgpack(bytes: &[u8]) -> Info {
    let mut info = Info::default();
    let _ = FindInfo(&mut info).deserialize(&mut rmp_serde::Deserializer::from_read_ref(bytes));
    info
}

/// Reads an index up to and with its `info`.
struct FindInfo<'i>(&'i mut Info);

impl<'de> DeserializeSeed<'de> for FindInfo<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for FindInfo<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an index")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            if key == "info" {
                *self.0 = map.next_value()?;
                return Err(A::Error::custom("the rest is not wanted"));
            }
            map.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_info_is_found_in_a_file_that_is_cut_off() {
        let text = br#"{"a": [{}], "info": {"subdir": "noarch", "base_url": "https://x/c"}, "packages": {"a"#;
        assert_eq!(absolute(Form::Json, text), [("base_url", "https://x/c".to_owned())]);
        let cut = br#"{"info": {"subdir": "noarch", "base_url": "https://x"#;
        assert_eq!(absolute(Form::Json, cut), []);
        assert_eq!(absolute(Form::Json, b"<html>"), []);
        assert_eq!(absolute(Form::PackedJson, b"no zstd"), []);
    }

    #[test]
    fn relative_urls_are_as_they_should_be() {
        for (url, wrong) in [
            ("", false),
            ("./shards/", false),
            ("shards/", false),
            ("../linux-64", false),
            ("https://a/b", true),
            ("//a/b", true),
            ("/b", true),
        ] {
            let text = format!(r#"{{"info": {{"base_url": "{url}"}}}}"#);
            assert_eq!(!absolute(Form::Json, text.as_bytes()).is_empty(), wrong, "{url}");
        }
        assert_eq!(absolute(Form::Json, br#"{"info": {"base_url": null}}"#), []);
    }

    #[test]
    fn shard_indexes_are_read() {
        // A map of two: `info` with both URLs, and `shards`, cut off.
        let mut index = vec![0x82, 0xa4];
        index.extend(b"info");
        index.extend([0x82, 0xa8]);
        index.extend(b"base_url");
        index.extend([0xa0, 0xaf]);
        index.extend(b"shards_base_url");
        index.extend([0xa9]);
        index.extend(b"https://x");
        index.extend([0xa6]);
        index.extend(b"shards");
        let found = [("shards_base_url", "https://x".to_owned())];
        assert_eq!(absolute(Form::Shards, &frame(&index)), found);
    }

    #[test]
    fn the_demo_channel_has_relative_urls() {
        for subdir in ["noarch", "linux-64"] {
            let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("demo-channel/channel")
                .join(subdir);
            let read = |name| std::fs::read(folder.join(name)).unwrap();
            assert_eq!(absolute(Form::Json, &read("repodata.json")), []);
            assert_eq!(absolute(Form::PackedJson, &read("repodata.json.zst")), []);
            let shards = read("repodata_shards.msgpack.zst");
            assert_eq!(absolute(Form::Shards, &shards), []);
            assert_ne!(msgpack(&unpack(&shards)), Info::default());
        }
    }

    /// A Zstandard frame of one raw block (RFC 8878, section 3.1.1).
    fn frame(content: &[u8]) -> Vec<u8> {
        let size = u8::try_from(content.len()).unwrap();
        let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0x20, size];
        frame.extend(&(u32::from(size) << 3 | 1).to_le_bytes()[..3]);
        frame.extend(content);
        frame
    }
}
