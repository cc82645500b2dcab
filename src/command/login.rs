//! `condagate login URL`.

use access::TokenSecret;
use serde_json::json;

use super::admin::{from_input, from_terminal_once};
use crate::cli::Login as Options;
use crate::failure::Failure;
use crate::process;
use crate::remote::{Login, Remote};
use crate::terminal::print;

pub(super) fn run(options: &Options) -> Result<(), Failure> {
    let remote = Remote::at(&options.url)?;
    let password = match options.password_stdin {
        true => from_input(std::io::stdin().lock())?,
        false => from_terminal_once(&options.username)?,
    };
    let body = json!({ "username": options.username, "password": password });
    let answer = process::block_on(remote.create("/sessions", &body))?;
    let session = answer["session_token"].as_str().and_then(|text| TokenSecret::parse(text).ok());
    let Some(session) = session else {
        return Err(Failure::Usage(format!(
            "{} is no control plane of this version",
            remote.url()
        )));
    };
    let kept = Login { url: remote.url().clone(), session }.keep()?;
    let until = answer["expires_at"].as_str().unwrap_or_default();
    print(&format!("signed in at {} until {until}; kept in {kept}", remote.url()))
}
