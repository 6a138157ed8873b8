//! `--waivers FILE`: reads the file, and settles the findings of a run with it.

use std::time::SystemTime;

use super::args::WaiverFile;
use super::error::CliError;
use super::limits::{WAIVERS, read_text};
use crate::report::WaiverReport;
use crate::rules::{Date, Ledger, Registry, Waivers};

/// The waivers of a run and the day as of which they are judged.
pub(super) struct RunWaivers {
    waivers: Waivers,
    today: Date,
    given: bool,
}

impl RunWaivers {
    /// Reads the file that the operator named, if any. The rules say which ids exist.
    pub(super) fn load(args: &WaiverFile, rules: &Registry) -> Result<Self, CliError> {
        let today = args.today.unwrap_or_else(|| SystemTime::now().into());
        let Some(path) = &args.file else {
            return Ok(Self { waivers: Waivers::default(), today, given: false });
        };
        let text = read_text("waivers", path, WAIVERS)?;
        let waivers = Waivers::load(&path.display().to_string(), &text, &rules.ids()).map_err(CliError::Waivers)?;
        Ok(Self { waivers, today, given: true })
    }

    /// An account for one run.
    pub(super) fn ledger(&self) -> Ledger<'_> {
        Ledger::new(&self.waivers, self.today)
    }

    /// What the report says of them, when every host is settled; none without a file.
    pub(super) fn report(&self, ledger: &Ledger<'_>) -> Option<WaiverReport> {
        self.given.then(|| WaiverReport {
            file: self.waivers.file.clone(),
            today: self.today.to_string(),
            findings: ledger.findings(),
        })
    }
}
