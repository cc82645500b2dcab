//! Channels, what they can be bound to, and their service accounts.

use super::verb::{Entry, Input, Kind, Method, Shows, VERB, Verb};
use Method::{Delete, Get, Patch, Post};
use Shows::{Fields, Proof, Rows};

/// `condagate storages …`
pub(super) const STORAGES: Entry = Entry::Noun {
    name: "storages",
    about: "See what channels can be bound to",
    verbs: &[Verb {
        name: "list",
        about: "List the configured storages",
        examples: &["condagate storages list"],
        request: (Get, "/storages"),
        shows: Rows(&["name", "kind"]),
        ..VERB
    }],
};

const NAME: Input =
    Input::argument("name", "NAME", "The name, as in the channel URL: analytics/prod")
        .kind(Kind::Channel);
const STORAGE: Input = Input::option(
    "storage",
    "storage",
    "The configured storage with its files [default: the only one]",
)
.kind(Kind::Text("NAME"));
const PREFIX: Input =
    Input::option("prefix", "prefix", "Where in that storage [default: the channel's name]")
        .kind(Kind::Text("PATH"));
const PRIVACY: Input = Input::option(
    "privacy",
    "privacy",
    "Who may download: everybody, any valid token, or who was granted it",
)
.kind(Kind::Word("PRIVACY", &["public", "authenticated", "private"]));
const BEGINNING: Input = Input::option("beginning", "q", "Only those whose name begins with this");
const DESCRIPTION: Input = Input::option("description", "description", "A text for people");

/// `condagate channel …`
pub(super) const CHANNEL: Entry = Entry::Noun {
    name: "channel",
    about: "Manage channels",
    verbs: &[
        Verb {
            name: "create",
            about: "Make a channel from files in a storage",
            examples: &[
                "condagate channel create analytics",
                "condagate channel create analytics/prod --storage old-server --prefix conda/prod",
            ],
            request: (Post, "/channels"),
            inputs: &[
                NAME,
                STORAGE,
                PREFIX,
                PRIVACY.default("private"),
                DESCRIPTION,
                Input::flag(
                    "include-subchannels",
                    "include_subchannels",
                    "Let a grant on it cover the channels below it too",
                ),
            ],
            shows: Proof("made {privacy} channel {name} from {storage}:{prefix}"),
            ..VERB
        },
        Verb {
            name: "list",
            about: "List the channels that you may see",
            examples: &["condagate channel list"],
            request: (Get, "/channels"),
            inputs: &[BEGINNING],
            shows: Rows(&["name", "privacy", "storage", "prefix", "permission"]),
            ..VERB
        },
        Verb {
            name: "show",
            about: "Show a channel",
            examples: &["condagate channel show analytics/prod --json"],
            request: (Get, "/channels/{name}"),
            inputs: &[NAME],
            shows: Fields(&[
                "name",
                "description",
                "privacy",
                "storage",
                "prefix",
                "include_subchannels",
                "permission",
                "created_at",
            ]),
            ..VERB
        },
        Verb {
            name: "edit",
            about: "Change a channel's privacy, description or binding",
            examples: &["condagate channel edit analytics --privacy authenticated"],
            request: (Patch, "/channels/{name}"),
            inputs: &[
                NAME,
                STORAGE,
                PREFIX,
                PRIVACY,
                DESCRIPTION,
                Input::option(
                    "include-subchannels",
                    "include_subchannels",
                    "Whether a grant on it covers the channels below it too",
                )
                .kind(Kind::Truth),
            ],
            shows: Proof("changed channel {name}"),
            ..VERB
        },
        Verb {
            name: "delete",
            about: "Delete a channel, its service account and its share in every token; files stay",
            examples: &["condagate channel delete analytics --yes"],
            request: (Delete, "/channels/{name}"),
            inputs: &[NAME],
            asks: Some("Delete channel {name}, its service account and its share in every token?"),
            shows: Proof("deleted channel {name}, but not its files,"),
            ..VERB
        },
    ],
};

const ACCOUNT: Input = Input::argument("service-account", "ACCOUNT", "Its name, or its channel")
    .kind(Kind::ServiceAccount);

/// `condagate service-account …`
pub(super) const SERVICE_ACCOUNT: Entry = Entry::Noun {
    name: "service-account",
    about: "Manage service accounts: credentials for programs, one per channel",
    verbs: &[
        Verb {
            name: "create",
            about: "Make the service account of a channel",
            examples: &["condagate service-account create analytics"],
            request: (Post, "/service-accounts"),
            inputs: &[Input::argument("channel", "CHANNEL", "The channel").kind(Kind::Channel)],
            shows: Proof("made {name}, a member of {channel}_owners,"),
            ..VERB
        },
        Verb {
            name: "list",
            about: "List the service accounts that you may manage",
            examples: &[
                "condagate service-account list",
                "condagate service-account list --manageable",
            ],
            request: (Get, "/service-accounts"),
            inputs: &[
                Input::flag(
                    "manageable",
                    "manageable",
                    "Each channel that you may manage, also one without a service account",
                ),
                BEGINNING,
            ],
            shows: Rows(&["channel", "name", "service_account", "created_at"]),
            ..VERB
        },
        Verb {
            name: "show",
            about: "Show a service account",
            examples: &["condagate service-account show analytics"],
            request: (Get, "/service-accounts/{service-account}"),
            inputs: &[ACCOUNT],
            shows: Fields(&["name", "channel", "created_at"]),
            ..VERB
        },
        Verb {
            name: "delete",
            about: "Delete a service account and revoke its tokens",
            examples: &["condagate service-account delete analytics --yes"],
            request: (Delete, "/service-accounts/{service-account}"),
            inputs: &[ACCOUNT],
            asks: Some("Delete {service-account} and revoke its tokens?"),
            shows: Proof("deleted {service-account} and revoked its tokens"),
            ..VERB
        },
    ],
};
