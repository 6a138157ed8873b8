//! Parse, run, exit status.

use std::process::ExitCode;

fn main() -> ExitCode {
    poolgate::cli::run().into()
}
