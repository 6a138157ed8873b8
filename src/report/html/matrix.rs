//! The feature matrix as a picture: hosts across, features that differ down, by group.

use std::collections::BTreeSet;

use serde::Serialize;

use super::Pictures;
use super::Report;
use super::text;
use crate::cpu::matrix::{Diff, Row};
use crate::text::middle_cut;

/// The side of a cell.
const CELL: usize = 20;
/// Room for the features' names.
const LEFT: usize = 170;
/// The longest name of a host, letters.
const NAME: usize = 18;
/// More hosts than these make no picture that anybody could read.
const MOST: usize = 64;

/// Everything drawn, in units of the picture.
#[derive(Serialize)]
pub(super) struct Matrix {
    width: usize,
    height: usize,
    about: String,
    set: String,
    hosts: Vec<HostColumn>,
    groups: Vec<Group>,
    common: usize,
    differ: usize,
    left_out: usize,
}

#[derive(Serialize)]
struct HostColumn {
    x: usize,
    y: usize,
    label: String,
    name: String,
    joiner: bool,
}

#[derive(Serialize)]
struct Group {
    name: String,
    y: usize,
    rows: Vec<FeatureRow>,
}

#[derive(Serialize)]
struct FeatureRow {
    name: String,
    y: usize,
    text_y: usize,
    lost: bool,
    cells: Vec<Cell>,
}

#[derive(Serialize)]
struct Cell {
    x: usize,
    /// `has`, `lacks`, `unknown`.
    state: &'static str,
    word: &'static str,
}

/// The picture, where any feature differs.
pub(super) fn matrix(report: &Report, diff: &Diff, pictures: &Pictures) -> Option<Matrix> {
    if diff.rows.is_empty() {
        return None;
    }
    // Joiners are the last columns and are never left out.
    let left_out = diff.hosts.len().saturating_sub(MOST);
    let columns: Vec<usize> = (left_out..diff.hosts.len()).collect();
    let losses = report.joiners.iter().flat_map(|joiner| joiner.cpu.lost_by_pool.each());
    let lost: BTreeSet<_> = losses.map(|loss| loss.name.label()).collect();
    let label = |column: usize| text(&middle_cut(&diff.hosts[column].name, NAME));
    // The names stand upright, about seven and a half units a letter.
    let top = columns.iter().map(|&column| label(column).chars().count()).max().unwrap_or_default() * 15 / 2 + 16;
    let mut y = top;
    let mut groups: Vec<Group> = Vec::new();
    for row in &diff.rows {
        if groups.iter().all(|group| group.name != row.group) {
            groups.push(Group { name: row.group.to_owned(), y: 0, rows: Vec::new() });
        }
    }
    for group in &mut groups {
        y += CELL;
        group.y = y - 5;
        for row in diff.rows.iter().filter(|row| row.group == group.name) {
            group.rows.push(feature_row(row, &columns, y, lost.contains(row.feature.as_str())));
            y += CELL;
        }
        y += 4;
    }
    let hosts = columns.iter().enumerate().map(|(at, &column)| HostColumn {
        x: LEFT + at * CELL + CELL / 2 + 4,
        y: top - 4,
        label: label(column),
        name: text(&diff.hosts[column].name),
        joiner: pictures.is_joiner(column),
    });
    Some(Matrix {
        width: LEFT + columns.len() * CELL + 8,
        height: y + 4,
        about: format!(
            "{} features differ between {} hosts, {} are common to all; the table below says the same",
            diff.rows.len(),
            columns.len(),
            diff.common
        ),
        set: format!("{}: {}", diff.set.key(), diff.set.title()),
        hosts: hosts.collect(),
        groups,
        common: diff.common,
        differ: diff.rows.len(),
        left_out,
    })
}

fn feature_row(row: &Row, columns: &[usize], y: usize, lost: bool) -> FeatureRow {
    let cell = |(at, &column): (usize, &usize)| {
        let (state, word) = match row.has[column] {
            Some(true) => ("has", "yes"),
            Some(false) => ("lacks", "no"),
            None => ("unknown", "not known"),
        };
        Cell { x: LEFT + at * CELL, state, word }
    };
    FeatureRow {
        name: text(&row.feature),
        y: y + 2,
        text_y: y + 15,
        lost,
        cells: columns.iter().enumerate().map(cell).collect(),
    }
}
