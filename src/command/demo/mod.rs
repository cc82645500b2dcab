//! `condagate demo`: everything in one process, in one folder.
//!
//! A first start makes each part under `DIR/.new` and moves it into place whole, so that one that
//! is killed at any moment leaves nothing broken: the next start goes on, or begins anew.

mod accounts;
mod channel;
mod credentials;
mod folder;
mod text;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use ::config::Config;
use access::{Clock as _, SystemClock};
use control::Control;

use crate::cli::{Demo, Global};
use crate::failure::Failure;
use crate::process::{self, Database, Process, Signals};
use crate::terminal::print;
use crate::{logging, settings};
use credentials::Credentials;
use folder::Folder;
use text::Token;

pub(super) fn run(global: &Global, options: &Demo) -> Result<(), Failure> {
    let folder = Folder::create(&options.dir)?;
    if !folder.is_ours_alone() {
        return beside_a_running_one(&folder, options);
    }
    folder.finish_killed_start()?;
    folder.put_channel()?;
    if options.tls {
        let names = certificate_names(options.listen.ip());
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        certs::development_certificate(folder.path(), &names, SystemClock.now())?;
    }
    let mut config = folder.put_settings(options)?;
    settings::override_log(&mut config, global);
    logging::start(&config.log);
    process::block_on(async {
        let signals = Signals::listen()?;
        let (credentials, token) = credentials(&folder, &config, options).await?;
        let process = Process::start(&config, super::serve::SERVE).await;
        let process = process.map_err(|failure| name_the_options(failure, options))?;
        let gateway_url = url(options.tls, process.gateway_addresses());
        let control_url = url(false, process.control_addresses());
        let text = match credentials {
            Some(mut credentials) => {
                credentials.set_urls(&gateway_url, &control_url);
                folder.put_credentials(&credentials)?;
                text::started(&folder, options, &credentials, token)
            }
            None => text::started_without_credentials(&folder, &gateway_url, &control_url),
        };
        print(&text)?;
        process.tell_ready();
        process.run(signals).await;
        Ok(())
    })
}

/// What `demo.json` holds, made by a first start; none when a later one finds it gone.
async fn credentials(
    folder: &Folder,
    config: &Config,
    options: &Demo,
) -> Result<(Option<Credentials>, Token), Failure> {
    if !folder.has_database() {
        let first = make_database(folder, options).await?;
        return Ok((Some(first), Token::Shown));
    }
    let mut credentials = folder.credentials()?;
    if credentials.as_ref().is_some_and(|known| !known.was_told()) {
        return Ok((credentials, Token::Shown));
    }
    if !options.new_token {
        return Ok((credentials, Token::Hidden));
    }
    let known = credentials.as_mut().ok_or_else(|| folder.without_credentials())?;
    issue_token(config, known).await?;
    Ok((credentials, Token::Shown))
}

/// Makes the database of a first start, with all that is in it, and moves it into place.
async fn make_database(folder: &Folder, options: &Demo) -> Result<Credentials, Failure> {
    let config = folder.settings_of_new(options)?;
    let database = Database::connect(&config).await?;
    database.migrate().await?;
    let credentials = accounts::make(&control(&database, &config)).await?;
    database.store().close().await;
    folder.put_new(&credentials)?;
    Ok(credentials)
}

/// Issues another token for the demo's service account and keeps it in `credentials`.
async fn issue_token(config: &Config, credentials: &mut Credentials) -> Result<(), Failure> {
    let database = Database::connect(config).await?;
    database.migrate().await?;
    let issued = accounts::issue_another(&control(&database, config), credentials).await;
    database.store().close().await;
    credentials.token = issued?;
    Ok(())
}

fn control(database: &Database, config: &Config) -> Control {
    let settings = settings::for_control(config);
    Control::new(database.store().clone(), settings, Arc::new(SystemClock))
}

/// Another demo runs in the folder: it can be given a token, nothing else.
fn beside_a_running_one(folder: &Folder, options: &Demo) -> Result<(), Failure> {
    if !options.new_token {
        return Err(folder.is_in_use());
    }
    let config = folder.settings()?;
    let mut credentials = folder.credentials()?.ok_or_else(|| folder.without_credentials())?;
    process::block_on(issue_token(&config, &mut credentials))?;
    folder.put_credentials(&credentials)?;
    print(&text::another_token(folder, &credentials))
}

/// An address that is taken is the likeliest fault of a first start.
fn name_the_options(failure: Failure, options: &Demo) -> Failure {
    match failure {
        Failure::Listen { .. } | Failure::Gateway(gateway::StartError::Bind(_)) => Failure::Demo {
            dir: options.dir.clone(),
            reason: format!("{failure}; take others with --listen and --control-listen"),
        },
        other => other,
    }
}

/// The names that the development certificate is for.
fn certificate_names(listen: IpAddr) -> Vec<String> {
    vec![settings::reachable(listen).to_string(), "localhost".to_owned()]
}

fn url(tls: bool, addresses: &[SocketAddr]) -> String {
    addresses.first().map(|address| settings::url_of(tls, *address)).unwrap_or_default()
}
