//! How live targets are trusted, logged in to and waited for.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueHint};

/// How live targets are trusted, logged in to and waited for.
#[derive(Debug, Args)]
#[command(next_help_heading = "Live targets")]
pub(in crate::cli) struct LiveArgs {
    /// Trust this certificate, at ADDRESS or at all live targets; with or without colons; repeatable
    #[arg(long, value_name = "[ADDRESS=]SHA256")]
    pub(in crate::cli) tls_fingerprint: Vec<String>,
    /// Trust certificates that these authorities vouch for (PEM)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(in crate::cli) ca_file: Option<PathBuf>,
    /// Certificates that you have confirmed [default: ~/.config/poolgate/known_hosts]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(in crate::cli) known_hosts: Option<PathBuf>,
    /// Read a target's password, or that of all, from a file that only you can read; repeatable
    #[arg(long, value_name = "[TARGET=]FILE", value_hint = ValueHint::FilePath)]
    pub(in crate::cli) password_file: Vec<String>,
    /// Take a target's password, or that of all, from a variable of the environment; repeatable
    #[arg(long, value_name = "[TARGET=]VAR")]
    pub(in crate::cli) password_env: Vec<String>,
    /// Read the passwords from standard input, a line a target in their order
    #[arg(long)]
    pub(in crate::cli) password_stdin: bool,
    /// How long one target may take
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = duration)]
    pub(in crate::cli) timeout: Duration,
    /// How long all targets may take together
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(in crate::cli) total_timeout: Option<Duration>,
    /// How many targets are read at once
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(in crate::cli) jobs: u16,
}

/// The longest wait; what is added to a clock must not run over.
const LONGEST: Duration = Duration::from_secs(30 * 24 * 60 * 60);

pub(super) fn duration(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(Duration::ZERO) => Err("nothing can be done in no time; write for example 90s or 2min".to_owned()),
        Ok(long) if long > LONGEST => {
            Err("nobody waits longer than 30 days; write for example 90s or 2min".to_owned())
        }
        Ok(duration) => Ok(duration),
        Err(error) => Err(format!("{error}; write for example 90s or 2min")),
    }
}
