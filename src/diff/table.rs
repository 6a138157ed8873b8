//! Differences for a terminal.

use comfy_table::{ContentArrangement, Table, presets};
use serde_json::Value as Json;

use super::{Change, Diff};
use crate::text::{cut, plain};

/// The longest value in a cell; JSON has it whole.
const LONGEST: usize = 120;

impl Diff {
    /// For a terminal of this many columns.
    pub fn to_table(&self, width: u16) -> String {
        let end = |source: &str, seen: &str| {
            let seen = if seen.is_empty() { String::new() } else { format!(" (seen {seen})") };
            plain(&format!("{source}{seen}")).into_owned()
        };
        let count = match self.differences.len() {
            0 => "no difference".to_owned(),
            1 => "1 difference".to_owned(),
            count => format!("{count} differences"),
        };
        let hidden = match self.volatile_left_out {
            0 => String::new(),
            count => format!("; {count} volatile left out, --volatile shows them"),
        };
        let mut out = format!("{count}{hidden}\n");
        out.push_str(&format!("old: {}\n", end(&self.old.source, &self.old.seen)));
        out.push_str(&format!("new: {}\n", end(&self.new.source, &self.new.seen)));
        if self.differences.is_empty() {
            return out;
        }
        let mut table = Table::new();
        table
            .load_style(presets::UTF8_HORIZONTAL_ONLY)
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(width)
            .force_no_tty()
            .set_header(["", "Fact", "Old", "New"]);
        for difference in &self.differences {
            let sign = match difference.change {
                Change::Changed => "~",
                Change::Added => "+",
                Change::Removed => "-",
            };
            let volatile = if difference.volatile { " (volatile)" } else { "" };
            let fact = plain(&format!("{}{volatile}", difference.path)).into_owned();
            table.add_row([sign.to_owned(), fact, shown(difference.old.as_ref()), shown(difference.new.as_ref())]);
        }
        for line in table.to_string().lines() {
            out.push_str(line.trim_end());
            out.push('\n');
        }
        out
    }
}

/// A value in a cell; a whole record only by what it is called.
fn shown(value: Option<&Json>) -> String {
    let text = match value {
        None => String::new(),
        Some(Json::String(text)) => format!("'{text}'"),
        Some(Json::Object(fields)) => match fields.get("$unknown").and_then(Json::as_str) {
            Some(why) => format!("unknown ({why})"),
            None => {
                let name = ["name_label", "name", "rule", "device", "uuid"]
                    .iter()
                    .find_map(|key| fields.get(*key)?.as_str());
                name.map_or_else(|| format!("{} fields", fields.len()), |name| format!("'{name}'"))
            }
        },
        Some(Json::Array(list)) => format!("{} elements", list.len()),
        Some(value) => value.to_string(),
    };
    cut(&plain(&text), LONGEST).into_owned()
}
