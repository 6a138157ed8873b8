//! What a command line that was not understood is likely to have meant: one line, behind clap's own.

use clap::Error;
use clap::error::{ContextKind, ContextValue, ErrorKind};

/// A line that works once the names in it are the operator's own, for each command that needs some.
const EXAMPLES: [(&str, &str); 9] = [
    ("check", "poolgate check --pool https://10.0.0.1 --host https://10.0.0.9"),
    ("join", "poolgate join --pool https://10.0.0.1 --host https://10.0.0.9"),
    ("eject", "poolgate eject --pool https://10.0.0.1 --member xen-03"),
    ("collect", "poolgate collect https://10.0.0.1 -o pool.json"),
    ("diff", "poolgate diff pool-monday.json pool-friday.json"),
    ("plan", "poolgate plan pool-a.json pool-b.json host-c.json"),
    ("lab", "poolgate lab --demo"),
    ("schema", "poolgate schema report"),
    ("completions", "poolgate completions bash"),
];

/// The line; none where clap has said it all.
pub(super) fn after(error: &Error) -> Option<String> {
    match error.kind() {
        ErrorKind::MissingRequiredArgument => {
            let command = std::env::args().nth(1)?;
            let (_, example) = EXAMPLES.iter().find(|(name, _)| *name == command)?;
            Some(format!("For example: {example}"))
        }
        ErrorKind::InvalidSubcommand => match error.get(ContextKind::InvalidSubcommand) {
            Some(ContextValue::String(word)) if is_target(word) => {
                Some(format!("A target goes with a command: poolgate collect {word}"))
            }
            _ => None,
        },
        // Words without an option, as other programs take them.
        ErrorKind::UnknownArgument => match error.get(ContextKind::InvalidArg) {
            Some(ContextValue::String(word)) if is_target(word) => {
                let command = std::env::args().nth(1)?;
                let (_, example) = BY_OPTION.iter().find(|(name, _)| *name == command)?;
                Some(format!("{word} needs an option in front that says what it is: {example}"))
            }
            _ => None,
        },
        _ => None,
    }
}

/// Commands that take no target without an option in front, and how theirs are named.
const BY_OPTION: [(&str, &str); 4] = [
    ("check", "poolgate check --pool POOL --host HOST [--host HOST]"),
    ("join", "poolgate join --pool POOL --host HOST [--host HOST]"),
    ("eject", "poolgate eject --pool POOL --member NAME"),
    ("lab", "poolgate lab --pool FILE --host FILE"),
];

fn is_target(word: &str) -> bool {
    word.starts_with("https://") || word == "local" || word == "xapi-local" || word.ends_with(".json")
}
