//! What an interrupted run leaves behind: no session on a server, no half-written file, and the terminal as it was. For
//! commands that change nothing; `gate` and `lab` mind signals themselves.

use super::output::sweep;
use super::prompt::let_go;
use crate::collect::xapi::log_out_on_signals;

/// From now on a signal ends the run in order.
pub(super) fn end_in_order() {
    log_out_on_signals(|| {
        let_go();
        sweep();
    });
}
