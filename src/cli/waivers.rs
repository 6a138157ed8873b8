//! `--waivers FILE`: reads the file, and settles the findings of a run with it.

use std::path::Path;
use std::time::SystemTime;

use super::args::WaiverFile;
use super::error::CliError;
use super::limits::{WAIVERS, read_text};
use crate::report::WaiverReport;
use crate::rules::{Date, Ledger, Registry, Waivers};

/// The waivers of a run and the day as of which they are judged.
pub(super) struct RunWaivers {
    waivers: Waivers,
    /// The day that the operator named; the system's, looked up anew for each account, where none was.
    today: Option<Date>,
    given: bool,
    forceable: bool,
}

impl RunWaivers {
    /// Reads the file that the operator named, if any. The rules say which ids exist.
    pub(super) fn load(args: &WaiverFile, rules: &Registry) -> Result<Self, CliError> {
        Self::read(args.file.as_deref(), args.today, true, rules)
    }

    /// For a run that acts: as of today, and no refusal of the server is waived, because nothing is forced.
    pub(super) fn load_to_act(file: Option<&Path>, rules: &Registry) -> Result<Self, CliError> {
        Self::read(file, None, false, rules)
    }

    fn read(file: Option<&Path>, today: Option<Date>, forceable: bool, rules: &Registry) -> Result<Self, CliError> {
        let Some(path) = file else {
            return Ok(Self { waivers: Waivers::default(), today, given: false, forceable });
        };
        let text = read_text("waivers", path, WAIVERS)?;
        let waivers = Waivers::load(&path.display().to_string(), &text, &rules.ids()).map_err(CliError::Waivers)?;
        Ok(Self { waivers, today, given: true, forceable })
    }

    fn today(&self) -> Date {
        self.today.unwrap_or_else(|| SystemTime::now().into())
    }

    /// An account for one run.
    pub(super) fn ledger(&self) -> Ledger<'_> {
        let ledger = Ledger::new(&self.waivers, self.today());
        if self.forceable { ledger } else { ledger.unforced() }
    }

    /// What the report says of them, when every host is settled; none without a file.
    pub(super) fn report(&self, ledger: &Ledger<'_>) -> Option<WaiverReport> {
        self.given.then(|| WaiverReport {
            file: self.waivers.file.clone(),
            today: ledger.today().to_string(),
            findings: ledger.findings(),
        })
    }
}
