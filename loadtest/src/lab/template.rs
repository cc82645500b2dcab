//! From the files of `loadtest/peers/` to running servers: `@NAMES@` are replaced, each server
//! gets a folder of its own.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use super::process::Launch;
use super::subject::{Software, Subject};
use super::{Binaries, Channel, Tokens};
use crate::error::Error;

/// What stands in the place of each name.
pub(super) struct Template {
    folder: PathBuf,
    values: BTreeMap<&'static str, String>,
}

impl Template {
    /// Writes what several servers read: the tokens, as nginx and haproxy want them.
    pub(super) fn new(folder: &Path, channel: &Channel, tokens: &Tokens) -> Result<Self, Error> {
        let mut template = Self { folder: folder.to_owned(), values: BTreeMap::new() };
        template.set("FILES", &channel.folder.display());
        let user = if rustix::process::getuid().is_root() { "user root;" } else { "" };
        template.set("USER", &user);
        // nginx sorts keys by hash into this many places at most.
        template.set("MAP_SIZE", &(tokens.known.tokens().len() * 2).next_power_of_two().max(2048));
        let list = folder.join("tokens");
        write(&list.with_extension("nginx"), &tokens.map(" yes;\n"))?;
        write(&list.with_extension("haproxy"), &tokens.map(" yes\n"))?;
        template.set("ORIGIN", &free_port()?);
        template.set("AUTHORITY", &free_port()?);
        Ok(template)
    }

    pub(super) fn set(&mut self, name: &'static str, value: &dyn Display) {
        self.values.insert(name, value.to_string());
    }

    /// The address of a port, of the server that was configured last.
    pub(super) fn address(&self, port: &str) -> String {
        format!("127.0.0.1:{}", self.values.get(port).map_or("", String::as_str))
    }

    /// A folder for `name`.
    pub(super) fn folder(&self, name: &str) -> Result<PathBuf, Error> {
        let folder = self.folder.join(name);
        std::fs::create_dir_all(&folder).map_err(|cause| Error::file(&folder, cause))?;
        Ok(folder)
    }

    /// Writes the configuration of `subject`; what starts it.
    pub(super) fn configure(
        &mut self,
        subject: &Subject,
        binaries: &Binaries,
    ) -> Result<Launch, Error> {
        let folder = self.folder(subject.name)?;
        let port = match self.values.get("ORIGIN") {
            Some(port) if subject.is_origin() => port.clone(),
            _ => free_port()?.to_string(),
        };
        self.set("PORT", &port);
        self.set("CONTROL", &free_port()?);
        self.set("METRICS", &free_port()?);
        self.set("FOLDER", &folder.display());
        let arguments = match subject.software {
            Software::Condagate | Software::Baseline => {
                let configuration = folder.join("condagate.toml");
                write(&configuration, &self.fill(subject.configuration))?;
                vec!["serve".into(), "--config".into(), configuration.into()]
            }
            Software::Nginx => {
                let variant = folder.join("variant.conf");
                self.set("TOKENS", &self.folder.join("tokens.nginx").display());
                self.set("VARIANT", &variant.display());
                write(&variant, &self.fill(subject.configuration))?;
                let main = folder.join("nginx.conf");
                write(&main, &self.fill(include_str!("../../peers/nginx/main.conf")))?;
                vec!["-p".into(), folder.clone().into(), "-c".into(), main.into()]
            }
            Software::Haproxy => {
                self.set("TOKENS", &self.folder.join("tokens.haproxy").display());
                let configuration = folder.join("haproxy.cfg");
                write(&configuration, &self.fill(subject.configuration))?;
                vec!["-db".into(), "-f".into(), configuration.into()]
            }
        };
        let program = subject.software.program(binaries)?;
        Ok(Launch { program, arguments, folder })
    }

    fn fill(&self, text: &str) -> String {
        let fill = |text: String, (name, value): (&&str, &String)| {
            text.replace(&format!("@{name}@"), value)
        };
        self.values.iter().fold(text.to_owned(), fill)
    }
}

pub(super) fn write(path: &Path, text: &str) -> Result<(), Error> {
    std::fs::write(path, text).map_err(|cause| Error::file(path, cause))
}

/// A port that nobody listens on now; whoever is to listen does so at once.
fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
