//! What is measured.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::Binaries;
use crate::error::Error;

/// A server with a way to run it.
#[derive(Debug)]
pub(crate) struct Subject {
    pub(crate) name: &'static str,
    pub(crate) software: Software,
    /// The file of `loadtest/peers/`, as it stands there.
    pub(super) configuration: &'static str,
    pub(crate) tls: bool,
}

/// Whose server it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Software {
    Condagate,
    /// An earlier condagate.
    Baseline,
    Nginx,
    Haproxy,
}

/// The file of `loadtest/peers/` of that name.
macro_rules! peers {
    ($file:literal) => {
        include_str!(concat!("../../peers/", $file))
    };
}

const fn subject(name: &'static str, software: Software, configuration: &'static str) -> Subject {
    Subject { name, software, configuration, tls: false }
}

const fn over_tls(subject: Subject) -> Subject {
    Subject { tls: true, ..subject }
}

/// All servers, those that fetch files from the origin behind those that have them.
pub(crate) static SUBJECTS: [Subject; 16] = {
    use Software::{Baseline, Condagate, Haproxy, Nginx};
    [
        subject("directory", Condagate, peers!("condagate/directory.toml")),
        subject("http", Condagate, peers!("condagate/http.toml")),
        subject("http-uncached", Condagate, peers!("condagate/http-uncached.toml")),
        subject("baseline-directory", Baseline, peers!("condagate/directory.toml")),
        subject("baseline-http", Baseline, peers!("condagate/http.toml")),
        subject("baseline-http-uncached", Baseline, peers!("condagate/http-uncached.toml")),
        subject("nginx-static", Nginx, peers!("nginx/static.conf")),
        subject("nginx-static-stock", Nginx, peers!("nginx/static-stock.conf")),
        subject("nginx-map", Nginx, peers!("nginx/map.conf")),
        subject("nginx-map-16x64k", Nginx, peers!("nginx/map-16x64k.conf")),
        subject("nginx-auth-request", Nginx, peers!("nginx/auth-request.conf")),
        subject("haproxy-map", Haproxy, peers!("haproxy/map.cfg")),
        subject("haproxy-map-splice", Haproxy, peers!("haproxy/map-splice.cfg")),
        over_tls(subject("directory-tls", Condagate, peers!("condagate/directory-tls.toml"))),
        over_tls(subject("baseline-tls", Baseline, peers!("condagate/directory-tls.toml"))),
        over_tls(subject("nginx-static-tls", Nginx, peers!("nginx/static-tls.conf"))),
    ]
};

/// What the proxies fetch from, and asks of whom may pass. Not measured.
pub(super) static ORIGIN: Subject = subject("origin", Software::Nginx, peers!("nginx/origin.conf"));

impl Subject {
    /// Whether it does what `ours` does: serving files over the same protocol, by itself or from
    /// an origin.
    pub(crate) fn is_comparable_with(&self, ours: &Self) -> bool {
        let fetches = |subject: &Self| {
            !subject.name.contains("directory") && !subject.name.contains("static")
        };
        self.software != Software::Condagate
            && self.tls == ours.tls
            && fetches(self) == fetches(ours)
    }

    pub(super) fn is_origin(&self) -> bool {
        self.name == ORIGIN.name
    }
}

impl Software {
    /// The binary, if it is a condagate.
    pub(super) fn condagate(self, binaries: &Binaries) -> Option<&Path> {
        match self {
            Self::Condagate => Some(&binaries.condagate),
            Self::Baseline => binaries.baseline.as_deref(),
            Self::Nginx | Self::Haproxy => None,
        }
    }

    /// What to run.
    pub(super) fn program(self, binaries: &Binaries) -> Result<PathBuf, Error> {
        match self {
            Self::Condagate => Ok(binaries.condagate.clone()),
            Self::Baseline => binaries.baseline.clone().ok_or(Error::NoBaseline),
            Self::Nginx => Ok(of_debian("nginx")),
            Self::Haproxy => Ok(of_debian("haproxy")),
        }
    }

    /// What it calls itself, on one line.
    pub(super) fn version(self, binaries: &Binaries) -> Result<String, Error> {
        let program = self.program(binaries)?;
        let option = if self.condagate(binaries).is_some() { "--version" } else { "-v" };
        let said = Command::new(&program).arg(option).output();
        let said = said.map_err(|cause| Error::Program { program: program.clone(), cause })?;
        // nginx says it on its standard error.
        let text = [said.stdout, said.stderr].concat();
        let line = String::from_utf8_lossy(&text).lines().next().unwrap_or_default().to_owned();
        Ok(match self {
            Self::Baseline => format!("baseline {line}"),
            _ => line.split(" - ").next().unwrap_or_default().replace("nginx version: ", ""),
        })
    }
}

/// Debian has servers outside of other users' PATH.
fn of_debian(name: &str) -> PathBuf {
    let full = Path::new("/usr/sbin").join(name);
    if full.exists() { full } else { name.into() }
}
