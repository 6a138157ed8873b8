//! The grammar of `lab`.

use std::path::PathBuf;

use clap::{Args, ValueHint};

#[derive(Debug, Args)]
pub(in crate::cli) struct Lab {
    /// Play a join on a small lab of its own, from the first check to the end, and stop
    #[arg(long, conflicts_with_all = ["pool", "host", "port", "speed", "password_env", "fault"])]
    pub(in crate::cli) demo: bool,
    /// Serve this pool: a snapshot, or XenAPI records in one file; repeatable
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, required_unless_present_any = ["host", "demo"])]
    pub(in crate::cli) pool: Vec<PathBuf>,
    /// Serve this standalone host; repeatable
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(in crate::cli) host: Vec<PathBuf>,
    /// Listen on this port, the same at every address; a free one when left out
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(in crate::cli) port: Option<u16>,
    /// How many times faster than at a server time passes
    #[arg(long, value_name = "X", default_value_t = 1.0, value_parser = speed)]
    pub(in crate::cli) speed: f64,
    /// The environment variable that holds root's password; a new one is made up and printed when left out
    #[arg(long, value_name = "VAR")]
    pub(in crate::cli) password_env: Option<String>,
    /// Let something go wrong: KIND[=VALUE][,endpoint=HOST][,method=NAME][,phase=PHASE][,after=N][,count=N]; repeatable
    #[arg(long, value_name = "SPEC")]
    pub(in crate::cli) fault: Vec<crate::lab::Fault>,
}

/// A factor that time can be divided by.
fn speed(text: &str) -> Result<f64, String> {
    let factor = text.parse::<f64>().ok().filter(|factor| factor.is_finite() && (0.01..=1e6).contains(factor));
    factor.ok_or_else(|| "expected a number from 0.01 to 1000000".to_owned())
}
