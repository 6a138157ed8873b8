//! A joiner's NICs as a picture: the networks that they are on now at the left, those on which they will land at the
//! right.

use std::collections::BTreeMap;

use serde::Serialize;

use super::text;
use crate::facts::Known;
use crate::report::JoinerReport;
use crate::text::{cut, middle_cut};

/// Height of a row.
const ROW: usize = 46;
/// Where rows begin, below the headings.
const TOP: usize = 34;
/// Height of a box.
const BOX: usize = 34;
/// Left and width of the three columns.
const BEFORE: (usize, usize) = (4, 200);
const NIC: (usize, usize) = (284, 152);
const AFTER: (usize, usize) = (516, 200);
/// What stands where a network is not known.
const UNKNOWN: &str = "not known";

/// Everything drawn, in units of the picture, and the same as rows of a table.
#[derive(Serialize)]
pub(super) struct NicMap {
    id: String,
    host: String,
    height: usize,
    before: Vec<Place>,
    nics: Vec<Place>,
    after: Vec<Place>,
    lines: Vec<Line>,
    rows: Vec<NicRow>,
}

/// A box.
#[derive(Serialize)]
struct Place {
    x: usize,
    y: usize,
    width: usize,
    height: usize,
    text_x: usize,
    text_y: usize,
    sub_y: usize,
    label: String,
    sub: String,
    class: &'static str,
    name: String,
}

#[derive(Serialize)]
struct Line {
    path: String,
    class: &'static str,
}

#[derive(Serialize)]
struct NicRow {
    nic: String,
    mac: String,
    before: String,
    after: String,
    what: String,
}

/// The picture, where the joiner's NICs are known.
pub(super) fn nic_map(joiner: &JoinerReport, now: Option<&BTreeMap<String, String>>, index: usize) -> Option<NicMap> {
    let network = &joiner.network;
    let landing = network.landing.get().filter(|landing| !landing.is_empty())?;
    let (mut before, mut after) = (Vec::<String>::new(), Vec::<String>::new());
    let (mut nics, mut rows, mut ends) = (Vec::new(), Vec::new(), Vec::new());
    for (at, nic) in landing.iter().enumerate() {
        let bond = network.bonds.each().find(|bond| nic.bond.as_ref() == Some(&bond.device));
        let from = now.and_then(|now| now.get(&nic.device)).cloned().unwrap_or_else(|| UNKNOWN.to_owned());
        let to = bond.map_or_else(|| nic.network.clone(), |bond| format!("{} ({})", bond.network, bond.device));
        let against: Vec<_> = network
            .contradictions
            .each()
            .filter(|it| it.device == nic.device)
            .map(|it| format!("{} {}, pool {}", it.kind, it.joiner, it.pool))
            .collect();
        let management = nic.management == Known::Yes(true);
        let mut what = nic.what.clone();
        if management {
            what.push_str("; carries management");
        }
        for against in &against {
            what.push_str("; ");
            what.push_str(against);
        }
        let sub = match (against.is_empty(), nic.speed.get()) {
            (false, _) => format!("≠ {}", against.join("; ")),
            (true, Some(speed)) if *speed > 0 => format!("{speed} Mbit/s"),
            (true, _) => nic.mac.text().unwrap_or_default().to_owned(),
        };
        let label = format!("{}{}", nic.device, if management { " (management)" } else { "" });
        let class = if against.is_empty() { "nic" } else { "nic differs" };
        nics.push(place(NIC, at, &label, &sub, class));
        ends.push((position(&mut before, &from), position(&mut after, &to), management, nic.new_network));
        rows.push(NicRow {
            nic: text(&nic.device),
            mac: text(nic.mac.text().unwrap_or_default()),
            before: text(&from),
            after: text(&to),
            what: text(&what),
        });
    }
    for missing in network.missing.each().filter(|missing| !missing.bonded) {
        position(&mut after, &missing.network);
    }
    let count = landing.len().max(before.len()).max(after.len());
    let column = |names: &[String], column| -> Vec<Place> {
        names
            .iter()
            .enumerate()
            .map(|(at, name)| place(column, spread(at, names.len(), count), name, "", "net"))
            .collect()
    };
    let (before, after) = (column(&before, BEFORE), column(&after, AFTER));
    let mut lines = Vec::new();
    for (nic, (from, to, management, new)) in nics.iter().zip(&ends) {
        let class = match (management, new) {
            (true, _) => "line management",
            (false, true) => "line new",
            (false, false) => "line",
        };
        lines.push(Line { path: curve(&before[*from], nic), class });
        lines.push(Line { path: curve(nic, &after[*to]), class });
    }
    Some(NicMap {
        id: format!("nics-{}", index + 1),
        host: text(&joiner.name),
        height: TOP + count * ROW,
        before,
        nics,
        after,
        lines,
        rows,
    })
}

/// Where a name stands in a list, at whose end it is put when it is new.
fn position(names: &mut Vec<String>, name: &str) -> usize {
    names.iter().position(|known| known == name).unwrap_or_else(|| {
        names.push(name.to_owned());
        names.len() - 1
    })
}

/// The row of one of few boxes beside many.
const fn spread(at: usize, count: usize, rows: usize) -> usize {
    if count < rows { at * rows / count } else { at }
}

fn place((x, width): (usize, usize), row: usize, label: &str, sub: &str, class: &'static str) -> Place {
    let y = TOP + row * ROW;
    Place {
        x,
        y,
        width,
        height: BOX,
        text_x: x + 8,
        text_y: if sub.is_empty() { y + 22 } else { y + 15 },
        sub_y: y + 28,
        // About seven units a letter.
        label: text(&middle_cut(label, width / 7 - 2)),
        sub: text(&cut(sub, width / 6 - 1)),
        class,
        name: text(label),
    }
}

fn curve(from: &Place, to: &Place) -> String {
    let (x1, y1, x2, y2) = (from.x + from.width, from.y + BOX / 2, to.x, to.y + BOX / 2);
    let middle = usize::midpoint(x1, x2);
    format!("M{x1} {y1} C{middle} {y1} {middle} {y2} {x2} {y2}")
}
