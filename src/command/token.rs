//! `condagate token …`.

use access::ChannelName;
use serde_json::json;

use super::channel::told;
use crate::cli::{Global, Token, TokenCreate};
use crate::client_commands::Access;
use crate::failure::Failure;
use crate::remote::{Remote, segment};
use crate::terminal::{print, print_json, print_table};
use crate::{process, settings};

pub(super) fn run(global: &Global, command: &Token) -> Result<(), Failure> {
    let remote = Remote::find()?;
    match command {
        Token::Create(new) => create(global, &remote, new),
        Token::List { account, json } => {
            let items = process::block_on(remote.list(&tokens_of(&account.name()?)))?;
            if *json {
                return print_json(&json!({ "items": items }));
            }
            let keys = ["id", "name", "hint", "permission", "channels", "status", "expires_at"];
            let rows = items.iter().map(|item| keys.map(|key| &item[key]));
            print_table(
                &["ID", "NAME", "TOKEN", "PERMISSION", "CHANNELS", "STATUS", "EXPIRES"],
                rows,
            )
        }
        Token::Revoke { id, json } => {
            let answer = process::block_on(remote.delete(&format!("/tokens/{id}")))?;
            told(*json, &answer, &format!("revoked token {id}; gateways know it within a second"))
        }
    }
}

fn create(global: &Global, remote: &Remote, new: &TokenCreate) -> Result<(), Failure> {
    let channels: Vec<&str> = new.channel.iter().map(ChannelName::as_str).collect();
    let body = json!({
        "name": new.name,
        "description": new.description,
        "permission": new.permission.as_str(),
        "channels": channels,
        "expires_in": new.expires,
    });
    let account = match &new.service_account {
        Some(account) => account.clone(),
        None => account_of(&new.channel[0]),
    };
    let made = process::block_on(remote.create(&tokens_of(&account), &body))?;
    if new.json {
        return print_json(&made);
    }
    let gateway_url = match &new.gateway_url {
        Some(url) => url.trim_end_matches('/').to_owned(),
        None => settings::load(global).map(|loaded| settings::gateway_url(&loaded))?,
    };
    let text = |key: &str| made[key].as_str().unwrap_or_default();
    let mut shown = format!(
        "made token {id} of {account}: {permission} until {until}\n\
         \n\
         \x20 {value}\n\
         \n\
         This is the only time that it is shown. What its holder types:\n",
        id = made["id"],
        permission = text("permission"),
        until = text("expires_at"),
        value = text("value"),
    );
    for channel in channels {
        shown
            .push_str(&Access { gateway_url: &gateway_url, channel, token: text("value") }.setup());
    }
    print(&shown)
}

fn tokens_of(account: &str) -> String {
    format!("/service-accounts/{}/tokens", segment(account))
}

/// The name of a channel's service account (product.md S4).
pub(crate) fn account_of(channel: &ChannelName) -> String {
    format!("service-account-channel-{}", channel.with_colons())
}
