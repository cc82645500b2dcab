//! What a command of the API's client is made of. A command is data: what it takes, the request
//! that comes of it, and how the answer is shown.

/// The methods of the API's requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    /// The method as HTTP writes it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// A command of the first level: a kind of thing with its verbs, or a verb without one.
#[derive(Debug)]
pub(crate) enum Entry {
    Noun {
        /// The word.
        name: &'static str,
        /// The help's line.
        about: &'static str,
        /// What can be done with it.
        verbs: &'static [Verb],
    },
    Verb(Verb),
}

impl Entry {
    /// The word on the command line.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Noun { name, .. } => name,
            Self::Verb(verb) => verb.name,
        }
    }
}

/// A command: one request.
#[derive(Debug)]
pub(crate) struct Verb {
    /// The word.
    pub(crate) name: &'static str,
    /// The help's line.
    pub(crate) about: &'static str,
    /// Whole command lines for the help.
    pub(crate) examples: &'static [&'static str],
    /// Method and path below `/api/v1`; `{input}` stands for an input's value.
    pub(crate) request: (Method, &'static str),
    /// What it takes. What isn't in the path is a field of the query (GET, DELETE) or of the body.
    pub(crate) inputs: &'static [Input],
    /// A field of the body that is always the same.
    pub(crate) sends: Option<(&'static str, bool)>,
    /// The header field that carries a token's value, which is read from the standard input.
    pub(crate) carries: Option<&'static str>,
    /// What is asked on a terminal first.
    pub(crate) asks: Option<&'static str>,
    /// How the answer is shown to people.
    pub(crate) shows: Shows,
}

impl Verb {
    /// All that it takes.
    pub(crate) fn takes(&self) -> impl Iterator<Item = &'static Input> {
        self.inputs.iter().chain(self.shows.inputs())
    }
}

/// A verb before anything is said of it.
pub(crate) const VERB: Verb = Verb {
    name: "",
    about: "",
    examples: &[],
    request: (Method::Get, ""),
    inputs: &[],
    sends: None,
    carries: None,
    asks: None,
    shows: Shows::Says(""),
};

/// How an answer is shown to people. With `--json` it is printed as it came.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shows {
    /// A list, page by page: a row each, of these fields.
    Rows(&'static [&'static str]),
    /// One thing: a line for each of these fields.
    Fields(&'static [&'static str]),
    /// A sentence; `{field}` stands for a field of the answer, or else an input.
    Says(&'static str),
    /// A list, page by page: a line of JSON each, for programs.
    Lines,
    /// A token with its value, on which gateways it is known, and what to type into each client.
    IssuedToken,
    /// A sentence about a change, and on which gateways it is in force.
    Proof(&'static str),
    /// What became of each line of an import.
    Import,
}

impl Shows {
    /// What a command takes for the way in which its answer is shown.
    fn inputs(self) -> &'static [Input] {
        match self {
            Self::Proof(_) | Self::IssuedToken => &[WAIT, REQUIRE_PROOF],
            Self::Import => &[WAIT],
            _ => &[],
        }
    }
}

const WAIT: Input =
    Input::option("wait", "wait", "How long to wait for the gateways' proof, at most 60s")
        .kind(Kind::Text("DURATION"))
        .place(Place::Query)
        .default("10s");
const REQUIRE_PROOF: Input =
    Input::flag("require-proof", "", "Fail when it isn't proven in time").place(Place::Command);

/// Something that a command takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Input {
    /// Its word on the command line.
    pub(crate) name: &'static str,
    /// Its name in the request.
    pub(crate) field: &'static str,
    /// The help's line.
    pub(crate) help: &'static str,
    /// Whether it stands by its place instead of behind `--name`.
    pub(crate) positional: bool,
    pub(crate) required: bool,
    /// The flag without which it must be there.
    pub(crate) unless: Option<&'static str>,
    /// Whether it may be given more than once; its field is a list then.
    pub(crate) many: bool,
    pub(crate) default: Option<&'static str>,
    pub(crate) kind: Kind,
    pub(crate) place: Place,
}

/// Where an input's value goes when it isn't in the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Where the method has its fields: the query of GET and DELETE, the body of the others.
    Fields,
    /// The query, whatever the method.
    Query,
    /// The path's `{holder}`: whose tokens these are. One of these at most is given.
    Holder,
    /// Nowhere: the command itself looks at it.
    Command,
}

/// What an input's text may be, and what becomes of it in a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Any text, of which the help says this word.
    Text(&'static str),
    /// A whole number.
    Number,
    /// A number of bytes: `10GiB`.
    Size,
    /// There or not.
    Flag,
    /// `true` or `false`.
    Truth,
    /// One of these words, for which the help says the first one.
    Word(&'static str, &'static [&'static str]),
    /// A channel's name; in a path with `:` for `/`.
    Channel,
    /// A service account, by its name or by its channel.
    ServiceAccount,
    /// A point in time: a date, an RFC 3339 time, or how long ago.
    Time,
    /// A day in UTC: a date, or how long ago.
    Day,
    /// The end of a token: how long from its issue (`expires_in`), or a point in time
    /// (`expires_at`).
    Expiry,
    /// A file of JSON lines, or `-`: the whole body.
    Lines,
    /// A password; never on the command line (`--password-stdin`, or asked for).
    Password,
    /// The present password where somebody changes their own; read before the new one.
    OwnPassword,
}

impl Kind {
    /// What the help says in the value's place.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Text(word) | Self::Word(word, _) => word,
            Self::Number => "NUMBER",
            Self::Size => "SIZE",
            Self::Flag | Self::Truth | Self::Password | Self::OwnPassword => "BOOL",
            Self::Channel => "CHANNEL",
            Self::ServiceAccount => "ACCOUNT",
            Self::Time => "TIME",
            Self::Day => "DAY",
            Self::Expiry => "WHEN",
            Self::Lines => "FILE",
        }
    }
}

impl Input {
    /// An input that stands by its place, and must be there.
    pub(crate) const fn argument(
        name: &'static str,
        word: &'static str,
        help: &'static str,
    ) -> Self {
        let option = Self::option(name, name, help);
        Self { positional: true, required: true, kind: Kind::Text(word), ..option }
    }

    /// `--name`, which becomes `field`.
    pub(crate) const fn option(
        name: &'static str,
        field: &'static str,
        help: &'static str,
    ) -> Self {
        Self {
            name,
            field,
            help,
            positional: false,
            required: false,
            unless: None,
            many: false,
            default: None,
            kind: Kind::Text("TEXT"),
            place: Place::Fields,
        }
    }

    /// `--name` that is there or not.
    pub(crate) const fn flag(name: &'static str, field: &'static str, help: &'static str) -> Self {
        Self::option(name, field, help).kind(Kind::Flag)
    }

    pub(crate) const fn kind(self, kind: Kind) -> Self {
        Self { kind, ..self }
    }

    pub(crate) const fn required(self) -> Self {
        Self { required: true, ..self }
    }

    pub(crate) const fn required_unless(self, flag: &'static str) -> Self {
        Self { unless: Some(flag), ..self }
    }

    pub(crate) const fn optional(self) -> Self {
        Self { required: false, ..self }
    }

    pub(crate) const fn many(self) -> Self {
        Self { many: true, ..self }
    }

    pub(crate) const fn default(self, text: &'static str) -> Self {
        Self { default: Some(text), ..self }
    }

    pub(crate) const fn place(self, place: Place) -> Self {
        Self { place, ..self }
    }
}
