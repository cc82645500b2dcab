//! What happened and what goes on: audit, usage, gateways.

use super::verb::{Entry, Input, Kind, Method, Shows, VERB, Verb};
use Method::{Delete, Get};
use Shows::{Lines, Proof, Rows, Says};

const SINCE: Input =
    Input::option("since", "since", "From when on: 24h (ago), a date or a time (UTC)")
        .kind(Kind::Time);
const UNTIL: Input = Input::option("until", "until", "Until when, likewise").kind(Kind::Time);
const ACTOR: Input = Input::option("actor", "actor", "Who did it").kind(Kind::Text("NAME"));
const ACTION: Input =
    Input::option("action", "action", "What was done: token.create").kind(Kind::Text("ACTION"));
const TARGET: Input =
    Input::option("target", "target", "What it was done to").kind(Kind::Text("NAME"));

/// `condagate audit …`
pub(super) const AUDIT: Entry = Entry::Noun {
    name: "audit",
    about: "Read who did what to what, when and from where",
    verbs: &[
        Verb {
            name: "list",
            about: "List audit events",
            examples: &[
                "condagate audit list --since 24h",
                "condagate audit list --action token.revoke --actor alice --json",
            ],
            request: (Get, "/audit"),
            inputs: &[SINCE, UNTIL, ACTOR, ACTION, TARGET],
            shows: Rows(&["at", "actor", "via", "address", "action", "target", "change"]),
            ..VERB
        },
        Verb {
            name: "export",
            about: "Write audit events for other systems, one JSON object a line",
            examples: &["condagate audit export --since 2026-01-01 > audit.ndjson"],
            request: (Get, "/audit"),
            inputs: &[SINCE, UNTIL, ACTOR, ACTION, TARGET],
            shows: Lines,
            ..VERB
        },
    ],
};

/// `condagate usage`
pub(super) const USAGE: Entry = Entry::Verb(Verb {
    name: "usage",
    about: "Show downloads, bytes and from how many addresses, by day or by what was downloaded",
    examples: &[
        "condagate usage --channel analytics --from 90d",
        "condagate usage --channel analytics --by token --from 2026-11-01 --to 2026-11-30",
        "condagate usage --token 7 --by package --json",
    ],
    request: (Get, "/usage"),
    inputs: &[
        Input::option("token", "token", "Of this token").kind(Kind::Number),
        Input::option("channel", "channel", "Of this channel").kind(Kind::Channel),
        Input::option("package", "package", "Of this package").kind(Kind::Text("NAME")),
        Input::option("from", "from", "The first day: 90d (ago), or a date [default: 30d]")
            .kind(Kind::Day),
        Input::option("to", "to", "The last day, likewise [default: today]").kind(Kind::Day),
        Input::option("by", "by", "A row for each")
            .kind(Kind::Word("WHAT", &["day", "token", "channel", "package"]))
            .default("day"),
    ],
    shows: Rows(&[
        "day",
        "token",
        "token_name",
        "principal",
        "channel",
        "package",
        "downloads",
        "bytes",
        "addresses",
    ]),
    ..VERB
});

const FORGET_ONE: &str = "condagate gateways forget 4f1c02d9a7b8e365 --yes";

/// `condagate proof`
pub(super) const PROOF: Entry = Entry::Verb(Verb {
    name: "proof",
    about: "Tell, once more, on which gateways a change is in force",
    examples: &["condagate proof 345", "condagate proof 345 --wait 30s --require-proof"],
    request: (Get, "/revisions/{revision}/proof"),
    inputs: &[Input::argument("revision", "REVISION", "The change's number, as it was answered")
        .kind(Kind::Number)],
    shows: Proof("change {revision} is in force"),
    ..VERB
});

/// `condagate gateways …`
pub(super) const GATEWAYS: Entry = Entry::Noun {
    name: "gateways",
    about: "See who serves, and how far each one is",
    verbs: &[
        Verb {
            name: "list",
            about: "List the gateways",
            examples: &["condagate gateways list"],
            request: (Get, "/gateways"),
            shows: Rows(&[
                "name",
                "instance",
                "version",
                "state",
                "applied_revision",
                "lag",
                "lease_ends_at",
            ]),
            ..VERB
        },
        Verb {
            name: "forget",
            about: "Wait no more for a gateway that is gone for good, such as with its machine",
            examples: &["condagate gateways forget 4f1c02d9a7b8e365", FORGET_ONE],
            request: (Delete, "/gateways/{instance}"),
            inputs: &[Input::argument("instance", "INSTANCE", "Which, as `list` has it")],
            asks: Some("Is gateway {instance} gone for good, so that nothing is served by it?"),
            shows: Says("gateway {instance} is waited for no more"),
            ..VERB
        },
    ],
};
