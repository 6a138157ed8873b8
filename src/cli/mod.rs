//! The command line: one file a command; arguments in, exit status out. The only place that prints.

mod args;
mod check;
mod collect;
mod completions;
mod cpu;
mod demo;
mod diff;
mod error;
mod exit;
mod fleet;
mod fleets;
mod gate;
mod hint;
mod journal;
mod lab;
mod limits;
mod live;
mod man;
mod output;
mod overwrite;
mod passwords;
mod plan;
mod prompt;
mod quote;
mod rules;
mod schema;
mod signals;
mod targets;
mod version;
mod waivers;

use clap::{CommandFactory as _, FromArgMatches as _};

pub use error::CliError;
pub use exit::Exit;

use args::{Cli, Command};

/// The most columns of help: longer lines are hard to follow.
const HELP: u16 = 100;

/// The command line, and whether it would write over what it reads. Its help fits where it is read.
fn parse() -> Result<(Cli, Result<(), CliError>), clap::Error> {
    let mut command = Cli::command().term_width(usize::from(output::width().min(HELP)));
    let mut matches = command.try_get_matches_from_mut(std::env::args_os())?;
    let safe = overwrite::refuse(&command, &matches);
    let cli = Cli::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command))?;
    Ok((cli, safe))
}

/// Runs the command that the process was started with.
pub fn run() -> Exit {
    let (cli, safe) = match parse() {
        Ok(parsed) => parsed,
        Err(error) => {
            // A mistake repeats what was typed, and in a script that may come from anywhere.
            let said = error.render().to_string();
            if error.use_stderr() && matches!(crate::text::lines(&said, false), std::borrow::Cow::Owned(_)) {
                output::complain(&said);
            } else {
                // clap's own printing knows whether this is help (standard output) or a mistake (standard error).
                let _ = error.print();
            }
            if let Some(hint) = hint::after(&error) {
                output::complain(hint.trim_end());
            }
            return if error.use_stderr() { Exit::Usage } else { Exit::Done };
        }
    };
    let done = safe.and_then(|()| match &cli.command {
        Command::Check(args) => check::run(args),
        Command::Join(args) => gate::join(args),
        Command::Eject(args) => gate::eject(args),
        Command::Journal(args) => journal::run(args),
        Command::Collect(args) => collect::run(args),
        Command::Cpu(args) => cpu::run(args),
        Command::Quote(args) => quote::run(args),
        Command::Diff(args) => diff::run(args),
        Command::Plan(args) => plan::run(args),
        Command::Merge(args) => fleets::merge(args),
        Command::Rules(args) => rules::run(args),
        Command::Lab(args) => lab::run(args),
        Command::Schema(args) => schema::run(args),
        Command::Completions(args) => completions::run(args),
        Command::Man(args) => man::run(args),
    });
    done.unwrap_or_else(|error| {
        output::complain(&format!("poolgate: {}", in_line(error.to_string())));
        error.exit()
    })
}

/// An error in which no word of the command line begins a line: a file's name may come from elsewhere and hold line ends.
fn in_line(mut said: String) -> String {
    for word in
        std::env::args_os().skip(1).filter_map(|word| word.into_string().ok()).filter(|word| word.contains('\n'))
    {
        let values = std::iter::once(word.as_str()).chain(word.split_once('=').map(|(_, value)| value));
        said = values.fold(said, |said, value| said.replace(value, &crate::text::plain(value)));
    }
    said
}
