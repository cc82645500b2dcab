//! Users, their sessions, and groups.

use super::verb::{Entry, Input, Kind, Method, Shows, VERB, Verb};
use Method::{Delete, Get, Patch, Post, Put};
use Shows::{Fields, Proof, Rows, Says};

const PERMISSION: Kind = Kind::Word("PERMISSION", &["read", "write", "manage"]);
const ROLE: Kind = Kind::Word("ROLE", &["user", "admin"]);

/// `condagate me`
pub(super) const ME: Entry = Entry::Verb(Verb {
    name: "me",
    about: "Show who you are, and your permission on each channel",
    examples: &["condagate me", "condagate me --json | jq -r .name"],
    request: (Get, "/me"),
    shows: Fields(&["name", "kind", "role", "admin", "channels"]),
    ..VERB
});

const USER_NAME: Input = Input::argument("name", "NAME", "The user's name");
const PASSWORD: Input =
    Input::option("password-stdin", "password", "Read the password from the standard input")
        .kind(Kind::Password);
const BEGINNING: Input = Input::option("beginning", "q", "Only those whose name begins with this");
const DISPLAY_NAME: Input =
    Input::option("display-name", "display_name", "The name as people write it");
const EMAIL: Input = Input::option("email", "email", "The address").kind(Kind::Text("ADDRESS"));
const ROLE_OPTION: Input =
    Input::option("role", "role", "What they are: an admin may do everything").kind(ROLE);

/// `condagate user …`
pub(super) const USER: Entry = Entry::Noun {
    name: "user",
    about: "Manage users",
    verbs: &[
        Verb {
            name: "create",
            about: "Make a user; the password is asked for on the terminal",
            examples: &[
                "condagate user create bob --email bob@example.com",
                "pass show condagate/bob | condagate user create bob --password-stdin",
            ],
            request: (Post, "/users"),
            inputs: &[USER_NAME, DISPLAY_NAME, EMAIL, ROLE_OPTION.default("user"), PASSWORD],
            shows: Proof("made user {name}"),
            ..VERB
        },
        Verb {
            name: "list",
            about: "List the users",
            examples: &["condagate user list", "condagate user list --json | jq -r '.[].name'"],
            request: (Get, "/users"),
            inputs: &[BEGINNING],
            shows: Rows(&["name", "display_name", "email", "role", "active", "created_at"]),
            ..VERB
        },
        Verb {
            name: "show",
            about: "Show a user",
            examples: &["condagate user show bob"],
            request: (Get, "/users/{name}"),
            inputs: &[USER_NAME],
            shows: Fields(&["name", "display_name", "email", "role", "active", "created_at"]),
            ..VERB
        },
        Verb {
            name: "edit",
            about: "Change a user's display name, address or role",
            examples: &["condagate user edit bob --role admin"],
            request: (Patch, "/users/{name}"),
            inputs: &[USER_NAME, DISPLAY_NAME, EMAIL, ROLE_OPTION],
            shows: Proof("changed user {name}"),
            ..VERB
        },
        Verb {
            name: "password",
            about: "Set a user's password; their other sessions end",
            examples: &[
                "condagate user password bob",
                "pass show condagate/bob | condagate user password bob --password-stdin",
            ],
            request: (Post, "/users/{name}/password"),
            inputs: &[
                USER_NAME,
                Input::option("old-password", "old_password", "").kind(Kind::OwnPassword),
                Input {
                    help: "Read it from the standard input; for your own, the present one first, \
                           on a line before it",
                    ..PASSWORD
                },
            ],
            shows: Says("changed the password of {name}"),
            ..VERB
        },
        Verb {
            name: "deactivate",
            about: "Lock a user out: sessions end, tokens are revoked for good, the seat is free",
            examples: &["condagate user deactivate bob --yes"],
            request: (Patch, "/users/{name}"),
            inputs: &[USER_NAME],
            sends: Some(("active", false)),
            asks: Some("Deactivate user {name} and revoke their tokens for good?"),
            shows: Proof("deactivated user {name}"),
            ..VERB
        },
        Verb {
            name: "activate",
            about: "Let a deactivated user in again",
            examples: &["condagate user activate bob"],
            request: (Patch, "/users/{name}"),
            inputs: &[USER_NAME],
            sends: Some(("active", true)),
            shows: Proof("activated user {name}"),
            ..VERB
        },
        Verb {
            name: "delete",
            about: "Delete a user and revoke their tokens",
            examples: &["condagate user delete bob --yes"],
            request: (Delete, "/users/{name}"),
            inputs: &[USER_NAME],
            asks: Some("Delete user {name} and revoke their tokens?"),
            shows: Proof("deleted user {name} and revoked their tokens"),
            ..VERB
        },
    ],
};

/// `condagate session …`
pub(super) const SESSION: Entry = Entry::Noun {
    name: "session",
    about: "See and end sign-ins",
    verbs: &[
        Verb {
            name: "list",
            about: "List the sessions of a user",
            examples: &["condagate session list", "condagate session list bob"],
            request: (Get, "/users/{user}/sessions"),
            inputs: &[Input::argument("user", "NAME", "The user [default: you]").optional()],
            shows: Rows(&["id", "created_at", "expires_at", "address", "current"]),
            ..VERB
        },
        Verb {
            name: "end",
            about: "End a session",
            examples: &["condagate session end 17"],
            request: (Delete, "/sessions/{id}"),
            inputs: &[Input::argument("id", "ID", "Its number, as in `condagate session list`")],
            shows: Says("ended session {id}"),
            ..VERB
        },
    ],
};

const GROUP_NAME: Input = Input::argument("name", "GROUP", "The group's name");
const DESCRIPTION: Input = Input::option("description", "description", "A text for people");
const MEMBER: Input = Input::argument("principal", "MEMBER", "A user or a service account");
const ON_CHANNEL: Input = Input::argument("channel", "CHANNEL", "The channel").kind(Kind::Channel);

/// `condagate group …`
pub(super) const GROUP: Entry = Entry::Noun {
    name: "group",
    about: "Manage groups: who may do what to which channel",
    verbs: &[
        Verb {
            name: "create",
            about: "Make a group",
            examples: &["condagate group create analysts --description 'Read what they analyse'"],
            request: (Post, "/groups"),
            inputs: &[GROUP_NAME, DESCRIPTION],
            shows: Proof("made group {name}"),
            ..VERB
        },
        Verb {
            name: "list",
            about: "List the groups",
            examples: &["condagate group list"],
            request: (Get, "/groups"),
            inputs: &[BEGINNING],
            shows: Rows(&["name", "description", "created_at"]),
            ..VERB
        },
        Verb {
            name: "show",
            about: "Show a group, its members and its permissions",
            examples: &["condagate group show analytics_owners"],
            request: (Get, "/groups/{name}"),
            inputs: &[GROUP_NAME],
            shows: Fields(&["name", "description", "members", "permissions", "created_at"]),
            ..VERB
        },
        Verb {
            name: "edit",
            about: "Change a group's name or description",
            examples: &["condagate group edit analysts --description 'Data people'"],
            request: (Patch, "/groups/{name}"),
            inputs: &[
                GROUP_NAME,
                Input::option("rename", "name", "Its new name").kind(Kind::Text("NAME")),
                DESCRIPTION,
            ],
            shows: Proof("changed group {name}"),
            ..VERB
        },
        Verb {
            name: "delete",
            about: "Delete a group; its members lose what it permits",
            examples: &["condagate group delete analysts --yes"],
            request: (Delete, "/groups/{name}"),
            inputs: &[GROUP_NAME],
            asks: Some("Delete group {name}? Its members lose what it permits."),
            shows: Proof("deleted group {name}"),
            ..VERB
        },
        Verb {
            name: "add-member",
            about: "Add a user or a service account to a group",
            examples: &[
                "condagate group add-member analysts bob",
                "condagate group add-member tools_owners service-account-channel-analytics",
            ],
            request: (Put, "/groups/{name}/members/{principal}"),
            inputs: &[GROUP_NAME, MEMBER],
            shows: Proof("{principal} is a member of {name}"),
            ..VERB
        },
        Verb {
            name: "remove-member",
            about: "Take a user or a service account out of a group",
            examples: &["condagate group remove-member analysts bob"],
            request: (Delete, "/groups/{name}/members/{principal}"),
            inputs: &[GROUP_NAME, MEMBER],
            shows: Proof("{principal} is no member of {name} any more"),
            ..VERB
        },
        Verb {
            name: "permit",
            about: "Let a group's members do something to a channel",
            examples: &["condagate group permit analysts analytics read"],
            request: (Put, "/groups/{name}/permissions/{channel}"),
            inputs: &[
                GROUP_NAME,
                ON_CHANNEL,
                Input::argument("permission", "PERMISSION", "What they may do").kind(PERMISSION),
            ],
            shows: Proof("{name} may {permission} {channel}"),
            ..VERB
        },
        Verb {
            name: "forbid",
            about: "Take a group's permission on a channel away",
            examples: &["condagate group forbid analysts analytics"],
            request: (Delete, "/groups/{name}/permissions/{channel}"),
            inputs: &[GROUP_NAME, ON_CHANNEL],
            shows: Proof("{name} has no permission on {channel} any more"),
            ..VERB
        },
    ],
};
