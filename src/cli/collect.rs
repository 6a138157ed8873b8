//! `poolgate collect`: a snapshot of one host or pool, to keep, compare or send.

use super::Exit;
use super::args::Collect;
use super::error::CliError;
use super::output::{complain, print, write_file};
use super::targets::collect_all;

/// Extensions of reports, which a snapshot is none of.
const OTHER: [&str; 8] = ["html", "md", "sarif", "xml", "ndjson", "txt", "csv", "toml"];

pub(super) fn run(args: &Collect) -> Result<Exit, CliError> {
    let extension = args.file.as_ref().and_then(|file| file.extension()?.to_str());
    if let Some(extension) = extension.filter(|extension| OTHER.contains(extension)) {
        return Err(CliError::Usage(format!(
            "-o FILE.{extension}: a snapshot is JSON; name it FILE.json, and have `poolgate check` write reports"
        )));
    }
    let mut text = String::new();
    for (snapshot, notes) in collect_all(std::slice::from_ref(&args.target), &args.live)? {
        for note in notes {
            complain(&format!("poolgate: {note}"));
        }
        text = snapshot.to_json();
    }
    match &args.file {
        Some(file) => write_file(file, &text)?,
        None => print(&text)?,
    }
    Ok(Exit::Done)
}
