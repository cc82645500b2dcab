//! The command line, declared.

pub(crate) mod api;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use api::{Asked, Credential};

/// Token gateway for private conda channels in storage you already own.
#[derive(Debug, Parser)]
#[command(name = "condagate", version, arg_required_else_help = true, after_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "\
Examples:
  condagate demo                          try it, with a small channel
  condagate config default > condagate.toml
  condagate check                         what would not work, and what to do
  condagate serve                         control plane and gateway in one process

Every setting can come from the environment: CONDAGATE_GATEWAY__LISTEN=0.0.0.0:8080.
Exit status: 0 done, 1 failed, 2 wrong usage or configuration.";

/// What every command takes.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// The configuration [default: condagate.toml, else /etc/condagate/condagate.toml]
    #[arg(long, global = true, value_name = "FILE", help_heading = "Every command")]
    pub(crate) config: Option<PathBuf>,
    /// The form of log lines, text or json, in place of `log.format`
    #[arg(
        long,
        global = true,
        value_name = "FORM",
        hide_possible_values = true,
        help_heading = "Every command"
    )]
    pub(crate) log_format: Option<LogForm>,
}

/// The form of log lines.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum LogForm {
    /// For people
    Text,
    /// One JSON object a line
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Try it: everything in one process, with SQLite and a small real channel
    Demo(Demo),
    /// Run control plane and gateway in one process
    #[command(after_help = RUN_HELP)]
    Serve,
    /// Run the gateway alone
    #[command(after_help = RUN_HELP)]
    Gateway,
    /// Run the control plane alone
    #[command(after_help = RUN_HELP)]
    Control,
    /// Look for what would not work, and say what to do
    Check(Check),
    /// Print the whole effective configuration, secrets masked
    #[command(after_help = CONFIG_HELP)]
    Config {
        #[command(subcommand)]
        what: Option<ConfigCommand>,
    },
    /// Bring the database to this version
    #[command(after_help = MIGRATE_HELP)]
    Migrate {
        /// Give this PostgreSQL role the rights of a gateway, and no others
        #[arg(long, value_name = "NAME")]
        gateway_role: Option<String>,
    },
    /// Manage admins directly in the database: first start, lock-out
    #[command(subcommand)]
    Admin(Admin),
    /// Sign in at a control plane, for the commands below
    Login(Login),
    /// Sign out
    #[command(after_help = LOGOUT_HELP)]
    Logout,
    #[command(flatten)]
    Api(Asked),
    /// Print a completion script
    #[command(after_help = COMPLETION_HELP)]
    Completion {
        /// The shell
        shell: clap_complete::Shell,
    },
}

const RUN_HELP: &str = "\
Signals:
  SIGTERM, SIGINT   stop: no new connections, requests in flight get up to gateway.drain;
                    a second one ends at once
  SIGHUP            read the certificate again, open the access log anew

`serve` and `control` bring the database to this version; `gateway` waits for nobody and
refuses a database of another version.

Examples:
  condagate serve
  condagate control --config /etc/condagate/condagate.toml
  condagate gateway --log-format json";

const COMPLETION_HELP: &str = "\
Examples:
  condagate completion bash > /etc/bash_completion.d/condagate
  condagate completion zsh > ~/.zfunc/_condagate";

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

const LOGOUT_HELP: &str = "\
Ends the session of the last `condagate login` and forgets it.

Examples:
  condagate logout";

/// `condagate demo`.
#[derive(Debug, Args)]
#[command(after_help = DEMO_HELP)]
pub(crate) struct Demo {
    /// The folder for everything: database, channel, DIR/demo.json with the secrets
    #[arg(long, default_value = "condagate-demo")]
    pub(crate) dir: PathBuf,
    /// Where clients connect; port 0 takes any free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    pub(crate) listen: SocketAddr,
    /// Where the API is
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8081")]
    pub(crate) control_listen: SocketAddr,
    /// Make another token, which is shown once
    #[arg(long)]
    pub(crate) new_token: bool,
    /// Serve HTTPS with a development certificate, DIR/ca.pem
    #[arg(long)]
    pub(crate) tls: bool,
}

const DEMO_HELP: &str = "\
The first start makes an admin, the private channel `demo`, its service account and a token
that may read it, and prints what to type into conda, mamba, pixi or curl. A later start uses
what is there. To begin anew, remove the folder.

Examples:
  condagate demo
  condagate demo --tls --listen 127.0.0.1:8443
  condagate demo --new-token";

/// `condagate check`.
#[derive(Debug, Args)]
#[command(after_help = CHECK_HELP, args_conflicts_with_subcommands = true)]
pub(crate) struct Check {
    #[command(subcommand)]
    pub(crate) what: Option<CheckCommand>,
    /// Print the findings as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CheckCommand {
    /// Show on the running installation that a revoked token is refused
    #[command(after_help = CHECK_REVOCATION_HELP)]
    Revocation(CheckRevocation),
}

/// `condagate check revocation`.
#[derive(Debug, Args)]
pub(crate) struct CheckRevocation {
    /// A private channel that you hold `manage` on
    #[arg(long, value_name = "CHANNEL")]
    pub(crate) channel: String,
    /// The service account that gets the token [default: the channel's own]
    #[arg(long, value_name = "ACCOUNT")]
    pub(crate) account: Option<String>,
    /// Where clients reach a gateway; once for each [default: as the control plane says]
    #[arg(long, value_name = "URL")]
    pub(crate) gateway: Vec<String>,
    /// The file of the channel that is asked for
    #[arg(long, value_name = "PATH", default_value = "noarch/repodata.json")]
    pub(crate) path: String,
    /// Print the findings as JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) credential: Credential,
}

const CHECK_REVOCATION_HELP: &str = "\
Makes a token for 15 minutes, uses it on each gateway, revokes it, prints the proof, and uses it again:
every gateway must refuse it. The token is revoked whatever is found. Asks the control plane in
CONDAGATE_URL with the token in CONDAGATE_TOKEN, or the one of the last `condagate login`.

Examples:
  condagate check revocation --channel analytics
  condagate check revocation --channel analytics --gateway https://gw-1 --gateway https://gw-2";

const CHECK_HELP: &str = "\
One line per finding: `ok`, `warn` (works, but look at it) or `error` (would not work), what it
is about, and what to do. Exit status 1 when there is an error. Changes nothing.

Examples:
  condagate check
  condagate check --json | jq -r '.findings[] | select(.level == \"error\") | .message'";

const CONFIG_HELP: &str = "\
Examples:
  condagate config
  condagate config default > condagate.toml";

const MIGRATE_HELP: &str = "\
With --gateway-role, `condagate gateway` can connect as that role, which must be there already: it
reads what grants access and writes usage and its own lease, but no token, password or audit event.
Run it again after each upgrade.

Examples:
  condagate migrate --config /etc/condagate/condagate.toml
  condagate migrate --gateway-role condagate_gateway";

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Print a commented file with every setting at its default
    #[command(after_help = CONFIG_HELP)]
    Default,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Admin {
    /// Make an admin; the password is asked for on the terminal
    #[command(after_help = ADMIN_HELP)]
    Create {
        /// The user's name
        name: String,
        /// Read the password from the standard input instead, up to the first line's end
        #[arg(long)]
        password_stdin: bool,
    },
}

const ADMIN_HELP: &str = "\
Brings the database to this version first, and makes it where there is none.

Examples:
  condagate admin create alice
  pass show condagate/alice | condagate admin create alice --password-stdin";

#[cfg(test)]
mod tests;
