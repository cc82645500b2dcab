//! The commands of the API's client, declared.

use access::{ChannelName, Permission, Privacy};
use clap::{Args, Subcommand};

use crate::command::{account_of, channel_name};
use crate::failure::Failure;

pub(super) const REMOTE_HELP: &str = "\
Asks the control plane in CONDAGATE_URL with the token in CONDAGATE_TOKEN, or the one of the
last `condagate login`.";

/// `condagate login URL`.
#[derive(Debug, Args)]
#[command(after_help = LOGIN_HELP)]
pub(crate) struct Login {
    /// The control plane: http://127.0.0.1:8081
    pub(crate) url: String,
    /// The user's name
    #[arg(long, value_name = "NAME")]
    pub(crate) username: String,
    /// Read the password from the standard input instead, up to the first line's end
    #[arg(long)]
    pub(crate) password_stdin: bool,
}

const LOGIN_HELP: &str = "\
Keeps the session in ~/.config/condagate/login.json, which only you can read.

Examples:
  condagate login http://127.0.0.1:8081 --username alice
  pass show condagate/alice | condagate login URL --username alice --password-stdin";

#[derive(Debug, Subcommand)]
pub(crate) enum Channel {
    /// Make a channel from files in a storage
    Create(ChannelCreate),
    /// List the channels that you may see
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Delete a channel, its service account and its share in every token; files stay
    Delete {
        /// The channel
        #[arg(value_parser = channel_name)]
        name: ChannelName,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// `condagate channel create`.
#[derive(Debug, Args)]
#[command(after_help = CHANNEL_HELP)]
pub(crate) struct ChannelCreate {
    /// The name, as in the channel URL: analytics, analytics/prod
    #[arg(value_parser = channel_name)]
    pub(crate) name: ChannelName,
    /// The configured storage with its files [default: the only one]
    #[arg(long)]
    pub(crate) storage: Option<String>,
    /// Where in that storage [default: the channel's name]
    #[arg(long, value_name = "PATH")]
    pub(crate) prefix: Option<String>,
    /// Who may download: public, authenticated (any valid token), private (a grant)
    #[arg(long, default_value = "private")]
    pub(crate) privacy: Privacy,
    /// A text for people
    #[arg(long, default_value = "")]
    pub(crate) description: String,
    /// Let a grant on it cover the channels below it too
    #[arg(long)]
    pub(crate) include_subchannels: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

const CHANNEL_HELP: &str = "\
Examples:
  condagate channel create analytics
  condagate channel create analytics/prod --storage old-server --prefix conda/analytics-prod";

#[derive(Debug, Subcommand)]
pub(crate) enum ServiceAccount {
    /// Make the service account of a channel
    Create {
        /// The channel
        #[arg(value_parser = channel_name)]
        channel: ChannelName,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// List the service accounts that you may manage
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Delete a service account and revoke its tokens
    Delete {
        /// Its name: service-account-channel-analytics
        name: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Token {
    /// Issue a token; its value is printed this once
    Create(TokenCreate),
    /// List the tokens of a service account
    List {
        #[command(flatten)]
        account: Account,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Revoke a token
    Revoke {
        /// Its number, as in `condagate token list`
        id: i64,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// A service account, by its name or its channel.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Account {
    /// The service account
    #[arg(long, value_name = "NAME")]
    service_account: Option<String>,
    /// The channel whose service account it is
    #[arg(long, value_parser = channel_name)]
    channel: Option<ChannelName>,
}

impl Account {
    /// The account's name.
    pub(crate) fn name(&self) -> Result<String, Failure> {
        match (&self.service_account, &self.channel) {
            (Some(name), _) => Ok(name.clone()),
            (None, Some(channel)) => Ok(account_of(channel)),
            (None, None) => Err(Failure::Usage("name a service account or a channel".into())),
        }
    }
}

/// `condagate token create`.
#[derive(Debug, Args)]
#[command(after_help = TOKEN_HELP)]
pub(crate) struct TokenCreate {
    /// A channel that it opens; may be given more than once
    #[arg(long, required = true, value_parser = channel_name)]
    pub(crate) channel: Vec<ChannelName>,
    /// The service account that it acts for [default: the first channel's]
    #[arg(long, value_name = "NAME")]
    pub(crate) service_account: Option<String>,
    /// A name to tell it from others
    #[arg(long)]
    pub(crate) name: String,
    /// A text for people
    #[arg(long, default_value = "")]
    pub(crate) description: String,
    /// What it may do: read, write, manage
    #[arg(long, default_value = "read")]
    pub(crate) permission: Permission,
    /// When it ends, at most in a year: 12h, 90d
    #[arg(long, value_name = "DURATION", default_value = "90d")]
    pub(crate) expires: String,
    /// How clients reach the gateway, for the printed commands [default: gateway.public_url]
    #[arg(long, value_name = "URL", env = "CONDAGATE_GATEWAY_URL")]
    pub(crate) gateway_url: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

const TOKEN_HELP: &str = "\
Examples:
  condagate token create --channel analytics --name ci
  condagate token create --channel analytics --channel tools --name laptop --expires 30d
  condagate token create --channel analytics --name ci --json | jq -r .value";
