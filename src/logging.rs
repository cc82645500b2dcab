//! Where `tracing`'s events go: to the standard error, in the form of `[log]`.

use std::io::{self, IsTerminal as _};

use config::{Log, LogFormat, LogLevel};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Our crates, whose events `log.level` is about.
const OURS: [&str; 6] = ["access", "certs", "condagate", "config", "control", "gateway"];

/// Starts logging. Called once, by commands that run for long.
pub(crate) fn start(log: &Log) {
    let lines = tracing_subscriber::fmt::layer().with_writer(io::stderr);
    let lines = match log.format {
        LogFormat::Text => lines.with_ansi(io::stderr().is_terminal()).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    let registry = tracing_subscriber::registry().with(lines.with_filter(filter(log.level)));
    // A second call would fail and change nothing.
    let _ = registry.try_init();
}

/// Other crates' events below a warning are about their own inner life.
fn filter(level: LogLevel) -> Targets {
    let (ours, others) = match level {
        LogLevel::Error => (LevelFilter::ERROR, LevelFilter::ERROR),
        LogLevel::Warn => (LevelFilter::WARN, LevelFilter::WARN),
        LogLevel::Info => (LevelFilter::INFO, LevelFilter::WARN),
        LogLevel::Debug => (LevelFilter::DEBUG, LevelFilter::WARN),
        LogLevel::Trace => (LevelFilter::TRACE, LevelFilter::DEBUG),
    };
    OURS.iter().fold(Targets::new().with_default(others), |all, name| all.with_target(*name, ours))
}
