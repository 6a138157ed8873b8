//! The grammar of the commands that help a shell and a reader.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use clap_complete::Shell;

#[derive(Debug, Args)]
pub(in crate::cli) struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub(in crate::cli) shell: Shell,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Man {
    /// The command whose page is printed, as in `poolgate man rules explain`; poolgate's own when left out
    #[arg(value_name = "COMMAND", conflicts_with = "folder")]
    pub(in crate::cli) command: Vec<String>,
    /// Write the pages of all commands into this folder, which is made where it is missing
    #[arg(short = 'o', long = "output", value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(in crate::cli) folder: Option<PathBuf>,
}
