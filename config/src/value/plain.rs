//! Settings of types that others define: numbers, texts, paths, addresses, lists.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use http::uri::Authority;
use ipnet::IpNet;

use super::{FromFile, Raw, Refusal, Value, quote};

impl Value for u32 {
    fn accepted() -> String {
        "a whole number".to_owned()
    }

    fn parse(raw: &Raw, _folder: &Path) -> Result<Self, Refusal> {
        let number = raw.integer().ok_or_else(|| Refusal::new("is not a whole number"))?;
        Self::try_from(number).map_err(|_out_of_range| Refusal::new("is out of range"))
    }

    fn render(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl Value for String {
    fn accepted() -> String {
        "a string".to_owned()
    }

    fn parse(raw: &Raw, _folder: &Path) -> Result<Self, Refusal> {
        let text = raw.text().ok_or_else(|| Refusal::new("is not a string"))?;
        if text.contains(char::is_control) {
            return Err(Refusal::new("has a control character in it"));
        }
        Ok(text.to_owned())
    }

    fn render(&self) -> Option<String> {
        Some(quote(self))
    }
}

impl Value for PathBuf {
    fn accepted() -> String {
        "a path".to_owned()
    }

    fn parse(raw: &Raw, folder: &Path) -> Result<Self, Refusal> {
        match raw.text() {
            // The standard input or output.
            Some("-") => Ok(Self::from("-")),
            Some(text) if !text.is_empty() && !text.contains('\0') => Ok(folder.join(text)),
            _ => Err(Refusal::new("is not a path")),
        }
    }

    fn render(&self) -> Option<String> {
        Some(quote(&self.to_string_lossy()))
    }
}

impl Value for SocketAddr {
    fn accepted() -> String {
        r#"an address and port such as "127.0.0.1:8080" or "[::]:8080""#.to_owned()
    }

    fn parse(raw: &Raw, _folder: &Path) -> Result<Self, Refusal> {
        let parsed = raw.text().and_then(|text| text.parse().ok());
        parsed.ok_or_else(|| Refusal::new("is not an address with a port"))
    }

    fn render(&self) -> Option<String> {
        Some(quote(&self.to_string()))
    }
}

impl Value for IpNet {
    fn accepted() -> String {
        r#"a network such as "10.0.0.0/8" or "fd00::/8""#.to_owned()
    }

    fn parse(raw: &Raw, _folder: &Path) -> Result<Self, Refusal> {
        let parse = |text: &str| {
            let network = text.parse::<Self>().ok();
            network.or_else(|| text.parse::<IpAddr>().ok().map(Self::from))
        };
        let network = raw.text().and_then(parse).ok_or_else(|| Refusal::new("is not a network"))?;
        if network.trunc() != network {
            let meant = network.trunc();
            return Err(Refusal::new(format!("has bits set beyond its prefix; {meant} has not")));
        }
        Ok(network)
    }

    fn render(&self) -> Option<String> {
        Some(quote(&self.to_string()))
    }
}

impl Value for Authority {
    fn accepted() -> String {
        r#"a host such as "mirror.example.com" or "mirror.example.com:8443""#.to_owned()
    }

    fn parse(raw: &Raw, _folder: &Path) -> Result<Self, Refusal> {
        let host = |text: &str| text.parse::<Self>().ok().filter(|_| !text.contains('@'));
        raw.text().and_then(host).ok_or_else(|| Refusal::new("is not a host"))
    }

    fn render(&self) -> Option<String> {
        Some(quote(self.as_str()))
    }
}

impl<T: Value> Value for Vec<T> {
    const SENSITIVE: bool = T::SENSITIVE;

    fn accepted() -> String {
        format!("a list, each item {}", T::accepted())
    }

    fn parse(raw: &Raw, folder: &Path) -> Result<Self, Refusal> {
        let items = raw.list().ok_or_else(|| Refusal::new("is not a list"))?;
        let parse = |item: &Raw| {
            let part = || (!T::SENSITIVE).then(|| item.describe());
            T::parse(item, folder).map_err(|refusal| Refusal { part: part(), ..refusal })
        };
        items.iter().map(parse).collect()
    }

    fn render(&self) -> Option<String> {
        let items: Vec<String> = self.iter().filter_map(T::render).collect();
        Some(format!("[{}]", items.join(", ")))
    }
}

/// A setting that may be unset; an empty variable unsets it.
impl<T: Value> Value for Option<T> {
    const SENSITIVE: bool = T::SENSITIVE;

    fn accepted() -> String {
        T::accepted()
    }

    fn parse(raw: &Raw, folder: &Path) -> Result<Self, Refusal> {
        match raw {
            Raw::Variable(text) if text.is_empty() => Ok(None),
            _ => T::parse(raw, folder).map(Some),
        }
    }

    fn render(&self) -> Option<String> {
        self.as_ref().and_then(T::render)
    }

    fn from_file() -> Option<FromFile<Self>> {
        T::from_file()?;
        Some(|content, path, folder| match T::from_file() {
            Some(make) => make(content, path, folder).map(Some),
            None => Ok(None),
        })
    }

    fn file(&self) -> Option<&Path> {
        self.as_ref().and_then(T::file)
    }
}
