//! The sections `[metrics]` and `[log]`.

use std::net::SocketAddr;

use crate::section::settings;
use crate::value::choice;

settings! {
    /// Health and metrics, for the machines that watch.
    pub struct Metrics {
        /// The address of `/healthz`, `/readyz` and `/metrics`. Unset: none.
        listen: Option<SocketAddr> = None, example "127.0.0.1:9090";
    }
}

settings! {
    /// What the processes say about themselves, on the standard error.
    pub struct Log {
        /// The form of a line.
        format: LogFormat = LogFormat::Text;
        /// The least level that is logged.
        level: LogLevel = LogLevel::Info;
    }
}

choice! {
    /// The form of a log line.
    pub enum LogFormat {
        /// For people.
        Text = "text",
        /// One JSON object a line.
        Json = "json",
    }
}

choice! {
    /// The least level that is logged.
    pub enum LogLevel {
        /// Only what someone has to act on now.
        Error = "error",
        /// And what someone should look at.
        Warn = "warn",
        /// And what happened: starts, stops, changes.
        Info = "info",
        /// And why.
        Debug = "debug",
        /// And every step.
        Trace = "trace",
    }
}
