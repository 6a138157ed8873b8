//! `poolgate man`: a manual page for each command, made from the command line's own grammar and what holds for all commands.

use std::fs;
use std::io;
use std::path::Path;

use clap::{Command, CommandFactory as _};
use clap_mangen::Man;
use clap_mangen::roff::{Inline, Roff, bold, roman};

use super::args::{self, Cli};
use super::error::CliError;
use super::output::{print, write_file};
use super::{Exit, version};

/// What a target may be, as every command reads it.
const TARGETS: [(&str, &str); 6] = [
    ("https://[USER@]ADDRESS[:PORT]", "a live pool or host, by any member; root when no user is named"),
    ("xapi-local", "the toolstack's own socket, inside a host's control domain, as root"),
    ("local", "this machine: CPUID on every logical CPU, and hardware from the kernel"),
    (
        "FILE or FOLDER",
        "a snapshot, XenAPI records, a server's database, a status report or a CPU's dump; recognised by content",
    ),
    ("-", "the same from standard input"),
    ("cpu:NAME", "a server that exists only on paper, from the catalogue of CPUs"),
];

/// Which variables of the environment matter.
const ENVIRONMENT: [(&str, &str); 9] = [
    ("NO_COLOR", "no colour, when set to anything but nothing; --no-color says the same"),
    ("CLICOLOR", "no colour, when 0"),
    (
        "CLICOLOR_FORCE",
        "colour also where standard output is no terminal, when set to anything but 0 and NO_COLOR is not set",
    ),
    ("TERM", "no colour, when dumb"),
    (
        "COLUMNS",
        "how wide tables and text are on a terminal, from 40 to 200; its own width when not set. In a pipe and in files: 80",
    ),
    ("XDG_CONFIG_HOME", "where poolgate/known_hosts lies; ~/.config when not set"),
    ("XDG_STATE_HOME", "where journals, locks and restore scripts lie, in poolgate; ~/.local/state when not set"),
    ("HOME", "the home folder of both"),
    ("POOLGATE_XAPI_SOCKET", "the toolstack's socket for xapi-local; /var/lib/xcp/xapi when not set"),
];

/// Files that no option names.
const FILES: [(&str, &str); 2] = [
    ("~/.config/poolgate/known_hosts", "the certificates of servers that the operator has confirmed"),
    ("~/.local/state/poolgate/journal-POOL.jsonl", "what joins and ejects of a pool did, a line an event"),
];

pub(super) fn run(args: &args::Man) -> Result<Exit, CliError> {
    let mut root = Cli::command();
    root.build();
    if let Some(folder) = &args.folder {
        fs::create_dir_all(folder).map_err(|source| CliError::Write { path: folder.clone(), source })?;
        write_all(&root, folder)?;
        return Ok(Exit::Done);
    }
    let mut command = &root;
    for word in &args.command {
        command = command.find_subcommand(word).ok_or_else(|| {
            let known: Vec<_> = command.get_subcommands().map(Command::get_name).collect();
            let known = if known.is_empty() { "it has none".to_owned() } else { known.join(", ") };
            CliError::Usage(format!("man: {} has no command \"{word}\": {known}", command.get_name()))
        })?;
    }
    print(&page(command).map_err(|error| CliError::Usage(format!("man: {error}")))?)?;
    Ok(Exit::Done)
}

fn write_all(command: &Command, folder: &Path) -> Result<(), CliError> {
    let path = folder.join(Man::new(command.clone()).get_filename());
    let text = page(command).map_err(|source| CliError::Write { path: path.clone(), source })?;
    write_file(&path, &text)?;
    command.get_subcommands().try_for_each(|command| write_all(command, folder))
}

/// One page in the language of `man`.
fn page(command: &Command) -> io::Result<String> {
    let man = Man::new(command.clone())
        .source(format!("poolgate {}", env!("CARGO_PKG_VERSION")))
        .manual("Pools of XenServer and XCP-ng");
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page)?;
    }
    let mut rest = Roff::new();
    if takes_targets(command) {
        list(&mut rest, "TARGETS", TARGETS.map(|(term, text)| (term.to_owned(), text)));
    }
    list(&mut rest, "EXIT STATUS", Exit::ALL.map(|exit| ((exit as u8).to_string(), exit.meaning())));
    rest.control("PP", []);
    rest.text([roman("Where several apply, the first in the order 2, 5, 4, 1, 3, 0.")]);
    list(&mut rest, "ENVIRONMENT", ENVIRONMENT.map(|(term, text)| (term.to_owned(), text)));
    list(&mut rest, "FILES", FILES.map(|(term, text)| (term.to_owned(), text)));
    rest.control("SH", ["VERSION"]);
    for line in version::long().lines() {
        rest.text([roman(line)]);
        rest.control("br", []);
    }
    see_also(&mut rest, command);
    rest.to_writer(&mut page)?;
    Ok(escaped(&String::from_utf8_lossy(&page)))
}

/// Other letters than those of ASCII by their numbers, which every `troff` reads in every locale.
fn escaped(page: &str) -> String {
    page.chars().fold(String::with_capacity(page.len()), |mut page, letter| {
        match letter.is_ascii() {
            true => page.push(letter),
            false => page.push_str(&format!("\\[u{:04X}]", u32::from(letter))),
        }
        page
    })
}

/// Poolgate's own page speaks for all commands, and so does one whose words are targets.
fn takes_targets(command: &Command) -> bool {
    let named = |name: &&str| ["TARGET", "OLD"].contains(name);
    command.get_name() == "poolgate"
        || command.get_arguments().any(|argument| {
            argument.get_id() == "target"
                || argument.get_value_names().into_iter().flatten().any(|name| named(&name.as_str()))
        })
}

fn list<const N: usize>(page: &mut Roff, title: &str, entries: [(String, &str); N]) {
    page.control("SH", [title]);
    for (term, text) in entries {
        page.control("TP", []);
        page.text([bold(term)]);
        page.text([roman(text)]);
    }
}

/// The page above, the pages beside it, and those below.
fn see_also(page: &mut Roff, command: &Command) {
    let full = Man::new(command.clone()).get_filename();
    let name = full.trim_end_matches(".1");
    let above = name.rsplit_once('-').map(|(above, _)| above.to_owned());
    let below = command.get_subcommands().map(|command| format!("{name}-{}", command.get_name()));
    let names: Vec<String> = above.into_iter().chain(below).collect();
    if names.is_empty() {
        return;
    }
    page.control("SH", ["SEE ALSO"]);
    let mut line: Vec<Inline> = Vec::new();
    for (at, name) in names.into_iter().enumerate() {
        if at > 0 {
            line.push(roman(", "));
        }
        line.extend([bold(name), roman("(1)")]);
    }
    page.text(line);
}
