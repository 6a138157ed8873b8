//! `poolgate completions`: a shell's completions, made from the command line's own grammar.

use clap::CommandFactory as _;
use clap_complete::generate;

use super::Exit;
use super::args::{Cli, Completions};
use super::error::CliError;
use super::output::print;

pub(super) fn run(args: &Completions) -> Result<Exit, CliError> {
    let mut script = Vec::new();
    generate(args.shell, &mut Cli::command(), "poolgate", &mut script);
    print(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}
