//! `condagate service-account …`.

use serde_json::json;

use super::channel::told;
use crate::cli::ServiceAccount;
use crate::failure::Failure;
use crate::process;
use crate::remote::{Remote, segment};
use crate::terminal::{print_json, print_table};

pub(super) fn run(command: &ServiceAccount) -> Result<(), Failure> {
    let remote = Remote::find()?;
    match command {
        ServiceAccount::Create { channel, json } => {
            let body = json!({ "channel": channel.as_str() });
            let made = process::block_on(remote.create("/service-accounts", &body))?;
            let name = made["name"].as_str().unwrap_or_default();
            told(*json, &made, &format!("made {name}, a member of {channel}_owners"))
        }
        ServiceAccount::List { json } => {
            let items = process::block_on(remote.list("/service-accounts"))?;
            if *json {
                return print_json(&json!({ "items": items }));
            }
            let keys = ["name", "channel", "created_at"];
            let rows = items.iter().map(|item| keys.map(|key| &item[key]));
            print_table(&["SERVICE ACCOUNT", "CHANNEL", "CREATED"], rows)
        }
        ServiceAccount::Delete { name, json } => {
            let path = format!("/service-accounts/{}", segment(name));
            let answer = process::block_on(remote.delete(&path))?;
            told(*json, &answer, &format!("deleted {name} and revoked its tokens"))
        }
    }
}
