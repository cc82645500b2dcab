//! `condagate logout`.

use crate::failure::Failure;
use crate::process;
use crate::remote::{Login, Remote, RemoteError, Request};
use crate::terminal::print;

pub(super) fn run() -> Result<(), Failure> {
    let Some(login) = Login::read()? else { return print("not signed in") };
    let remote = Remote::of(login);
    let path = "/sessions/current".to_owned();
    let request = Request { method: "DELETE", path, ..Request::default() };
    match process::block_on(remote.ask(request)) {
        // It had ended before.
        Err(Failure::Remote { source: RemoteError::NotSignedIn(_), .. }) | Ok(_) => {}
        Err(failure) => return Err(failure),
    }
    Login::forget()?;
    print(&format!("signed out at {}", remote.url()))
}
