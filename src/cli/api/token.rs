//! Tokens.

use super::verb::{Entry, Input, Kind, Method, Place, Shows, VERB, Verb};
use Method::{Delete, Get, Patch, Post};
use Shows::{Fields, Import, IssuedToken, Proof, Rows};

const ID: Input =
    Input::argument("id", "ID", "Its number, as in `condagate token list`").kind(Kind::Number);
const NAME: Input = Input::option("name", "name", "A name to tell it from others");
const DESCRIPTION: Input = Input::option("description", "description", "A text for people");
const EXPIRES: Input =
    Input::option("expires", "expires", "When it ends, at most in a year: 12h, 90d, a date (UTC)")
        .kind(Kind::Expiry);
const CHANNELS: Input =
    Input::option("channel", "channels", "A channel that it opens; may be given more than once")
        .kind(Kind::Channel)
        .many();
const PERMISSION: Input =
    Input::option("permission", "permission", "What it may do on each channel")
        .kind(Kind::Word("PERMISSION", &["read", "write", "manage"]));
const NETWORKS: Input =
    Input::option("network", "networks", "A network that it may be used from, as a CIDR")
        .kind(Kind::Text("CIDR"))
        .many();
const REQUESTS_PER_SECOND: Input = Input::option(
    "requests-per-second",
    "requests_per_second",
    "The most requests in a second, on each gateway",
)
.kind(Kind::Number);
const BYTES_PER_DAY: Input =
    Input::option("bytes-per-day", "bytes_per_day", "The most bytes in a day, over all gateways")
        .kind(Kind::Size);

const SERVICE_ACCOUNT: Input =
    Input::option("service-account", "", "The service account, by its name or its channel")
        .kind(Kind::ServiceAccount)
        .place(Place::Holder);
const USER: Input = Input::option("user", "", "The user: personal tokens")
    .kind(Kind::Text("NAME"))
    .place(Place::Holder);

const GATEWAY_URL: Input = Input::option(
    "gateway-url",
    "",
    "How clients reach the gateway, for the printed lines [env: CONDAGATE_GATEWAY_URL]",
)
.kind(Kind::Text("URL"))
.place(Place::Command);

const SHOWN: Shows = Fields(&[
    "id",
    "name",
    "description",
    "principal",
    "hint",
    "status",
    "permission",
    "channels",
    "effective",
    "admin",
    "networks",
    "requests_per_second",
    "bytes_per_day",
    "created_at",
    "created_by",
    "created_by_token",
    "expires_at",
    "old_value_hint",
    "old_value_ends_at",
    "revoked_at",
    "last_used_at",
    "last_used_from",
]);

/// `condagate token …`
pub(super) const TOKEN: Entry = Entry::Noun {
    name: "token",
    about: "Issue tokens, see what they may do, and take them back",
    verbs: &[
        CREATE,
        Verb {
            name: "list",
            about: "List the tokens of a service account or a user",
            examples: &[
                "condagate token list --channel analytics",
                "condagate token list --user bob --json | jq -r '.[].last_used_at'",
            ],
            request: (Get, "/{holder}/tokens"),
            inputs: &[
                SERVICE_ACCOUNT,
                Input::option("channel", "", "The channel whose service account it is")
                    .kind(Kind::Channel)
                    .place(Place::Holder),
                Input { help: "The user [default: you]", ..USER },
                Input::option("status", "status", "Only those of this status")
                    .kind(Kind::Word("STATUS", &["active", "limited", "expired", "revoked"])),
                Input::option("beginning", "q", "Only those whose name begins with this"),
            ],
            shows: Rows(&[
                "id",
                "name",
                "hint",
                "permission",
                "channels",
                "status",
                "expires_at",
                "last_used_at",
            ]),
            ..VERB
        },
        Verb {
            name: "expiring",
            about: "List the tokens that end soon, whoever's; the first to end first",
            examples: &[
                "condagate token expiring",
                "condagate token expiring --within 30d --json | jq -r '.[].principal'",
            ],
            request: (Get, "/tokens"),
            inputs: &[Input::option(
                "within",
                "expires_within",
                "How soon: 30d [default: as the control plane is configured]",
            )
            .kind(Kind::Text("DURATION"))],
            shows: Rows(&[
                "expires_at",
                "id",
                "name",
                "principal",
                "permission",
                "channels",
                "last_used_at",
            ]),
            ..VERB
        },
        Verb {
            name: "show",
            about: "Show a token and what it grants now; never its value",
            examples: &["condagate token show 7"],
            request: (Get, "/tokens/{id}"),
            inputs: &[ID],
            shows: SHOWN,
            ..VERB
        },
        Verb {
            name: "edit",
            about: "Change what a token is called, grants and is held to; its value stays",
            examples: &[
                "condagate token edit 7 --expires 2027-01-31",
                "condagate token edit 7 --network 10.0.0.0/8 --requests-per-second none",
            ],
            request: (Patch, "/tokens/{id}"),
            inputs: &[
                ID,
                NAME,
                DESCRIPTION,
                EXPIRES,
                CHANNELS,
                PERMISSION,
                NETWORKS,
                REQUESTS_PER_SECOND,
                BYTES_PER_DAY,
            ],
            shows: Proof("changed token {id}, its value is as it was,"),
            ..VERB
        },
        Verb {
            name: "reissue",
            about: "Give a token a new value, printed this once, and end the old one",
            examples: &[
                "condagate token reissue 7",
                "condagate token reissue 7 --overlap 24h --json | jq -r .value",
            ],
            request: (Post, "/tokens/{id}/reissue"),
            inputs: &[
                ID,
                Input::option("overlap", "overlap", "How long the old value works on: 24h")
                    .kind(Kind::Text("DURATION")),
                EXPIRES,
                GATEWAY_URL,
            ],
            shows: IssuedToken,
            ..VERB
        },
        END_OLD_VALUE,
        REVOKE,
        Verb {
            name: "import",
            about: "Take over the tokens of another system, so that their URLs go on",
            examples: &[
                "condagate token import tokens.ndjson",
                "condagate token import - --atomic < tokens.ndjson",
            ],
            request: (Post, "/tokens/import"),
            inputs: &[
                Input::argument(
                    "file",
                    "FILE",
                    "One JSON object a line, or `-`: the standard input",
                )
                .kind(Kind::Lines),
                Input::flag(
                    "atomic",
                    "atomic",
                    "All or nothing, at most 10,000; other changes wait meanwhile",
                )
                .place(Place::Query),
            ],
            shows: Import,
            ..VERB
        },
        Verb {
            name: "lookup",
            about: "Tell which token a leaked value belongs to; it is read from the standard input",
            examples: &["condagate token lookup < leaked.txt"],
            request: (Get, "/tokens/lookup"),
            carries: Some("x-condagate-token"),
            shows: Fields(&[
                "id",
                "name",
                "description",
                "principal",
                "hint",
                "status",
                "value_works",
                "value_replaced_at",
                "effective",
                "created_at",
                "created_by",
                "expires_at",
                "revoked_at",
                "last_used_at",
                "last_used_from",
            ]),
            ..VERB
        },
    ],
};

const CREATE: Verb = Verb {
    name: "create",
    about: "Issue a token; its value is printed this once",
    examples: &[
        "condagate token create --channel analytics --name ci",
        "condagate token create --channel analytics --channel tools --name ci2 --expires 30d",
        "condagate token create --user alice --channel analytics --name laptop",
        "condagate token create --user alice --admin --name automation --expires 7d",
        "condagate token create --channel analytics --name dc --network 10.0.0.0/8 --bytes-per-day 50GiB",
        "condagate token create --channel analytics --name ci3 --json | jq -r .value",
    ],
    request: (Post, "/{holder}/tokens"),
    inputs: &[
        CHANNELS.required_unless("admin"),
        Input {
            help: "The service account that it acts for [default: the first channel's]",
            ..SERVICE_ACCOUNT
        },
        Input { help: "You, for a personal token; nobody issues one to somebody else", ..USER },
        NAME.kind(Kind::Text("NAME")).required(),
        DESCRIPTION,
        PERMISSION.default("read"),
        EXPIRES.default("90d"),
        Input::flag("admin", "admin", "Let it act with your role of an admin, on every channel"),
        NETWORKS,
        REQUESTS_PER_SECOND,
        BYTES_PER_DAY,
        GATEWAY_URL,
    ],
    shows: IssuedToken,
    ..VERB
};

const END_OLD_VALUE: Verb = Verb {
    name: "end-old-value",
    about: "End the old value that works on since a reissue, and tell on which gateways that is proven",
    examples: &[
        "condagate token end-old-value 7",
        "condagate token end-old-value 7 --wait 30s --require-proof --yes",
    ],
    request: (Delete, "/tokens/{id}/old-value"),
    inputs: &[
        ID,
        Input::option("hint", "hint", "Only if this is its hint, the token's old_value_hint")
            .kind(Kind::Text("HINT")),
    ],
    asks: Some("End the old value of token {id}?"),
    shows: Proof("ended the old value of token {id}"),
    ..VERB
};

const REVOKE: Verb = Verb {
    name: "revoke",
    about: "Revoke a token, and tell on which gateways that is proven",
    examples: &[
        "condagate token revoke 7",
        "condagate token revoke 7 --with-issued --wait 30s --require-proof --yes",
    ],
    request: (Delete, "/tokens/{id}"),
    inputs: &[ID, Input::flag("with-issued", "with_issued", "The tokens that it issued too")],
    asks: Some("Revoke token {id}?"),
    shows: Proof("revoked token {id}"),
    ..VERB
};
