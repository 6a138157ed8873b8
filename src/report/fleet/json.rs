//! The JSON of a fleet.

use crate::fleet::FleetReport;
use crate::text::json_text;

/// The report as one JSON object.
pub fn fleet_to_json(report: &FleetReport) -> String {
    // Texts, numbers and lists of them: nothing in them can fail to serialise.
    let text = serde_json::to_string_pretty(report).unwrap_or_default();
    format!("{}\n", json_text(&text))
}
