//! Commands to copy.

use maud::{Markup, html};

use super::icon::icon;
use crate::ClientCommands;

/// A command with a button that copies it. `name` is unique on the page.
pub(super) fn line(name: &str, command: &str) -> Markup {
    let id = format!("c-{name}");
    html! { div.cmd id=(id) { (inside(name, &id, command)) } }
}

/// What people type into their clients, a tab each, a line for each channel. Without scripts all
/// stand below each other.
pub(super) fn clients(channels: &[ClientCommands<'_>]) -> Markup {
    let mut commands: Vec<(&str, String)> = Vec::new();
    for (client, command) in channels.iter().flat_map(ClientCommands::commands) {
        match commands.iter_mut().find(|(known, _)| *known == client) {
            Some((_, lines)) => lines.extend(["\n", &command]),
            None => commands.push((client, command)),
        }
    }
    html! {
        div.clients {
            div.tabs role="tablist" aria-label="Client commands" {
                @for (at, (client, _)) in commands.iter().enumerate() {
                    a
                        role="tab" id={ "t-" (client) } href={ "#c-" (client) }
                        aria-controls={ "c-" (client) } aria-selected=(at == 0)
                        tabindex=(if at == 0 { "0" } else { "-1" })
                    { (client) }
                }
            }
            @for (at, (client, command)) in commands.iter().enumerate() {
                @let id = format!("c-{client}");
                div.cmd role="tabpanel" id=(id) aria-labelledby={ "t-" (client) } hidden[at > 0] {
                    (inside(client, &id, command))
                }
            }
        }
    }
}

fn inside(name: &str, id: &str, command: &str) -> Markup {
    html! {
        pre tabindex="0" role="group" aria-label={ (name) " command" } { (command) }
        button.btn.icon
            type="button" data-copy=(id) aria-label={ "Copy " (name) " command" } title="Copy"
        { (icon("copy")) }
    }
}
