//! Who and what is in the demo's database: made once, through the use cases that everybody uses.

use std::time::Duration;

use access::Clock as _;
use access::{ChannelName, Permission, Privacy, SystemClock, TokenSecret};
use config::Secret;
use control::usecases::channel::{self, NewChannel};
use control::usecases::session::Origin;
use control::usecases::token::{self, Expiry, TokenOrder};
use control::usecases::{service_account, session, user};
use control::{Actor, Control};

use super::channel::packages;
use super::credentials::Credentials;
use super::folder::{CHANNEL, STORAGE};
use crate::failure::Failure;

const ADMIN: &str = "admin";
const TOKEN_NAME: &str = "demo";
/// How long a token of the demo lasts.
const TOKEN_LASTS: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// Makes admin, channel, service account and token.
pub(super) async fn make(control: &Control) -> Result<Credentials, Failure> {
    let password = random_password()?;
    let admin = user::create_admin(control, ADMIN, password.reveal()).await?.value;
    let actor = Actor::console_as(admin.principal.id, ADMIN);
    let name = channel_name(CHANNEL)?;
    let new = NewChannel {
        name: name.clone(),
        description: "The channel of condagate demo".into(),
        privacy: Privacy::Private,
        storage: Some(STORAGE.into()),
        prefix: Some(CHANNEL.into()),
        include_subchannels: false,
    };
    channel::create(control, &actor, new).await?;
    let account = service_account::create(control, &actor, &name).await?.value;
    let token = issue(control, &actor, &account.name, TOKEN_NAME.into(), name).await?;
    let (admin, account) = ((ADMIN.into(), password), (account.name, token));
    Ok(Credentials::new(admin, CHANNEL.into(), account, packages()))
}

/// Issues another token, as the admin whose password `credentials` has.
pub(super) async fn issue_another(
    control: &Control,
    credentials: &Credentials,
) -> Result<TokenSecret, Failure> {
    let Credentials { username, channel, service_account, .. } = credentials;
    let password = credentials.password_value();
    let session = session::create(control, username, password, Origin::default()).await?.secret;
    let actor = session::authenticate(control, &session, Origin::default()).await?;
    let name = format!("{TOKEN_NAME} {}", SystemClock.now());
    let issued = issue(control, &actor, service_account, name, channel_name(channel)?).await;
    session::end_current(control, &actor).await?;
    issued
}

async fn issue(
    control: &Control,
    actor: &Actor,
    account: &str,
    name: String,
    channel: ChannelName,
) -> Result<TokenSecret, Failure> {
    let order = TokenOrder {
        name,
        description: "Made by condagate demo".into(),
        expires: Expiry::In(TOKEN_LASTS),
        permission: Permission::Read,
        channels: vec![channel],
        admin: false,
        limits: Default::default(),
    };
    Ok(token::create(control, actor, account, order).await?.value.secret)
}

fn channel_name(text: &str) -> Result<ChannelName, Failure> {
    text.parse().map_err(|error: access::ChannelNameError| Failure::Usage(error.to_string()))
}

/// 24 letters and digits of the system's randomness (142 bits).
fn random_password() -> Result<Secret, Failure> {
    const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut password = String::new();
    while password.len() < 24 {
        let mut random = [0; 32];
        getrandom::fill(&mut random)?;
        // 248 is the largest multiple of 62 in a byte: above it the first would come more often.
        let fair = random.iter().filter(|byte| **byte < 248);
        let chars = fair.map(|byte| char::from(ALPHABET[usize::from(byte % 62)]));
        password.extend(chars.take(24 - password.len()));
    }
    Ok(Secret::new(password))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_long_and_differ() {
        let one = random_password().unwrap();
        assert_eq!(one.reveal().len(), 24);
        assert!(one.reveal().bytes().all(|byte| byte.is_ascii_alphanumeric()));
        assert_ne!(one.reveal(), random_password().unwrap().reveal());
    }
}
