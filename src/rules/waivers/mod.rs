//! Waivers: findings that somebody answers for until a day. Read and checked here, and applied once, after the rules
//! have spoken. Pure: the day is given. Called by `cli`; `report` shows what it leaves in the findings.

mod date;
mod ledger;
mod load;

pub use date::{Date, DateError};
pub use ledger::{Ledger, Subject};
pub(super) use load::nearest;
pub use load::{Mistake, WaiverError, Waivers};

/// One waiver, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiver {
    /// The rule.
    pub rule: String,
    /// The host's name or uuid; any host when left out.
    pub host: Option<String>,
    /// The pool's name or uuid; any pool when left out.
    pub pool: Option<String>,
    /// The machine's serial number; any machine when left out.
    pub serial: Option<String>,
    /// Why it may be.
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
    /// The last day on which it holds.
    pub expires: Date,
    /// The line of the file, from 1.
    pub line: usize,
}

impl Waiver {
    /// What it covers, in words: `host branch-01 in pool production`.
    fn scope(&self) -> String {
        let part = |word: &str, value: &Option<String>| value.as_ref().map(|value| format!("{word} {value}"));
        let parts = [part("host", &self.host), part("serial", &self.serial), part("pool", &self.pool)];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}
