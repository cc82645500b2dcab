//! `condagate channel …`.

use access::ChannelName;
use serde_json::{Value, json};

use crate::cli::{Channel, ChannelCreate};
use crate::failure::Failure;
use crate::process;
use crate::remote::Remote;
use crate::terminal::{print, print_json, print_table};

pub(super) fn run(command: &Channel) -> Result<(), Failure> {
    let remote = Remote::find()?;
    match command {
        Channel::Create(new) => create(&remote, new),
        Channel::List { json } => {
            let items = process::block_on(remote.list("/channels"))?;
            if *json {
                return print_json(&json!({ "items": items }));
            }
            print_table(
                &["CHANNEL", "PRIVACY", "STORAGE", "PREFIX", "YOU HOLD"],
                items.iter().map(|item| {
                    ["name", "privacy", "storage", "prefix", "permission"].map(|key| &item[key])
                }),
            )
        }
        Channel::Delete { name, json } => {
            let path = format!("/channels/{}", name.with_colons());
            let answer = process::block_on(remote.delete(&path))?;
            told(*json, &answer, &format!("deleted channel {name}; its files are as they were"))
        }
    }
}

fn create(remote: &Remote, new: &ChannelCreate) -> Result<(), Failure> {
    let mut body = json!({
        "name": new.name.as_str(),
        "description": new.description,
        "privacy": new.privacy.as_str(),
        "include_subchannels": new.include_subchannels,
    });
    for (key, value) in [("storage", &new.storage), ("prefix", &new.prefix)] {
        if let Some(value) = value {
            body[key] = json!(value);
        }
    }
    let made = process::block_on(remote.create("/channels", &body))?;
    let (storage, prefix) = (text(&made["storage"]), text(&made["prefix"]));
    let text = format!("made {} channel {} from {storage}:{prefix}", new.privacy, new.name);
    told(new.json, &made, &text)
}

/// A channel's name on the command line.
pub(crate) fn name(text: &str) -> Result<ChannelName, String> {
    text.parse().map_err(|error: access::ChannelNameError| error.to_string())
}

/// Prints an answer as JSON, or as one sentence.
pub(super) fn told(json: bool, answer: &Value, text: &str) -> Result<(), Failure> {
    if json { print_json(answer) } else { print(text) }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
