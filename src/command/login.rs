//! `condagate login URL`.

use access::TokenSecret;
use serde_json::json;

use super::admin::known_password;
use crate::cli::Login as Options;
use crate::failure::Failure;
use crate::process;
use crate::remote::{Body, Login, Remote, Request};
use crate::terminal::print;

pub(super) fn run(options: &Options) -> Result<(), Failure> {
    let remote = Remote::at(&options.url)?;
    let password = known_password(options.password_stdin, &options.username)?;
    let body = json!({ "username": options.username, "password": password });
    let path = "/sessions".to_owned();
    let request = Request { method: "POST", path, body: Body::Json(body), ..Request::default() };
    let answer = process::block_on(remote.ask(request))?;
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
