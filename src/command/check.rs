//! `condagate check`: looks for what would not work, and says what to do. Changes nothing,
//! but for `check revocation`, which makes a token and revokes it.
//!
//! A file for each family of findings; each looks at its part and hands back [`Finding`]s.

mod addresses;
mod base_url;
mod channels;
mod database;
mod files;
mod finding;
mod revocation;
mod storages;
mod tls;

use access::{Clock as _, SystemClock};
use config::Loaded;

use crate::cli::{Check, CheckCommand, Global};
use crate::failure::Failure;
use crate::terminal::print;
use crate::{process, settings};
use finding::{Finding, Level};

pub(super) fn run(global: &Global, options: &Check) -> Result<(), Failure> {
    if let Some(CheckCommand::Revocation(options)) = &options.what {
        return revocation::run(options);
    }
    let loaded = settings::load(global)?;
    let findings = process::block_on(async { Ok(look(&loaded).await) })?;
    print(&if options.json { finding::json(&findings) } else { finding::lines(&findings) })?;
    match findings.iter().any(|finding| finding.level == Level::Error) {
        true => Err(Failure::Findings),
        false => Ok(()),
    }
}

async fn look(loaded: &Loaded) -> Vec<Finding> {
    let config = &loaded.config;
    let now = SystemClock.now();
    let mut findings = vec![file(loaded)];
    findings.extend(files::look(loaded));
    findings.extend(addresses::look(config));
    findings.extend(tls::look(config, now));
    let (found, channels) = database::look(&config.database).await;
    findings.extend(found);
    findings.extend(channels::look(config, &channels));
    findings.extend(storages::look(config, &channels, &SystemClock).await);
    findings
}

/// Which configuration all of this is about.
fn file(loaded: &Loaded) -> Finding {
    match &loaded.file {
        Some(file) => Finding::ok("configuration", format!("{} is read", file.display())),
        None => Finding::ok(
            "configuration",
            "there is no file, so defaults and the environment hold; `condagate config default` \
             prints a file to begin with",
        ),
    }
}
