//! What `--version` says: beside the version, what two runs must share to judge alike and to read each other's files.

use crate::rules::{BUILT_IN_DIGEST, BUILT_IN_RULES};
use crate::snapshot::{MAJOR, MINOR};

/// Everything after the name; `-V` says the first line.
pub(super) fn long() -> &'static str {
    let text = format!(
        "{}\nrules: {BUILT_IN_RULES}, SHA-256 {BUILT_IN_DIGEST}\nsnapshot format: {MAJOR}.{MINOR}",
        env!("CARGO_PKG_VERSION")
    );
    text.leak()
}
