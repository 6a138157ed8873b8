//! The levels of a group as a picture: pools across, features that not all of them have down, by group.

use std::collections::BTreeMap;

use serde::Serialize;

use super::text;
use crate::cpu::names;
use crate::plan::Weights;
use crate::plan::model::{Group, PlannedPool};
use crate::text::middle_cut;

/// The side of a cell.
const CELL: usize = 20;
/// Room for the features' names.
const LEFT: usize = 170;
/// The longest name of a pool, letters.
const NAME: usize = 18;
/// More pools than these make no picture that anybody could read.
const MOST: usize = 64;

/// Everything drawn, in units of the picture.
#[derive(Serialize)]
pub(super) struct Levels {
    width: usize,
    height: usize,
    about: String,
    pools: Vec<Column>,
    groups: Vec<Features>,
    left_out: usize,
}

#[derive(Serialize)]
struct Column {
    x: usize,
    y: usize,
    label: String,
    name: String,
}

#[derive(Serialize)]
struct Features {
    name: String,
    y: usize,
    rows: Vec<FeatureRow>,
}

#[derive(Serialize)]
struct FeatureRow {
    name: String,
    y: usize,
    text_y: usize,
    cells: Vec<Cell>,
}

#[derive(Serialize)]
struct Cell {
    x: usize,
    /// `has`, `loses`, `lacks`.
    state: &'static str,
    word: String,
}

/// The picture, where any feature differs.
pub(super) fn levels(group: &Group, weights: &Weights) -> Option<Levels> {
    let pools = &group.pools[..group.pools.len().min(MOST)];
    let level = |pool: &PlannedPool| names::comparable(&pool.level, Some(&group.vendor));
    let shown: Vec<_> = pools.iter().map(level).collect();
    // In how many hosts of each pool a feature is lost.
    let mut lost: BTreeMap<usize, BTreeMap<usize, usize>> = BTreeMap::new();
    for (place, pool) in pools.iter().enumerate() {
        for feature in pool.members.iter().flat_map(|member| &member.hidden) {
            *lost.entry(*feature).or_default().entry(place).or_default() += 1;
        }
    }
    let any = shown.iter().fold(crate::facts::Featureset::default(), |any, level| any.union(level));
    let differs = |feature: &usize| {
        weights.of(*feature) > 0 && (lost.contains_key(feature) || shown.iter().any(|level| !level.has(*feature)))
    };
    let mut features: Vec<usize> = any.features().chain(lost.keys().copied()).filter(differs).collect();
    features.sort_unstable();
    features.dedup();
    if features.is_empty() {
        return None;
    }
    let mut groups: Vec<(&str, Vec<usize>)> = Vec::new();
    for feature in features {
        let name = names::group(feature);
        match groups.iter_mut().find(|(known, _)| *known == name) {
            Some((_, own)) => own.push(feature),
            None => groups.push((name, vec![feature])),
        }
    }
    let label = |pool: &PlannedPool| text(&middle_cut(&pool.name, NAME));
    // The names stand upright, about seven and a half units a letter.
    let top = pools.iter().map(|pool| label(pool).chars().count()).max().unwrap_or_default() * 15 / 2 + 16;
    let mut y = top;
    let cell = |feature: usize, place: usize| {
        let lost = lost.get(&feature).and_then(|pools| pools.get(&place)).copied().unwrap_or(0);
        let (state, word) = match (shown[place].has(feature), lost) {
            (true, _) => ("has", "yes".to_owned()),
            (false, 0) => ("lacks", "no".to_owned()),
            (false, 1) => ("loses", "lost by 1 host".to_owned()),
            (false, lost) => ("loses", format!("lost by {lost} hosts")),
        };
        Cell { x: LEFT + place * CELL, state, word }
    };
    let mut drawn = Vec::new();
    for (name, own) in groups {
        y += CELL;
        let title = y - 5;
        let rows = own.into_iter().map(|feature| {
            let row = FeatureRow {
                name: names::name(feature),
                y: y + 2,
                text_y: y + 15,
                cells: (0..pools.len()).map(|place| cell(feature, place)).collect(),
            };
            y += CELL;
            row
        });
        drawn.push(Features { name: name.to_owned(), rows: rows.collect(), y: title });
        y += 4;
    }
    let columns = pools.iter().enumerate().map(|(place, pool)| Column {
        x: LEFT + place * CELL + CELL / 2 + 4,
        y: top - 4,
        label: label(pool),
        name: text(&pool.name),
    });
    let rows: usize = drawn.iter().map(|group| group.rows.len()).sum();
    Some(Levels {
        width: LEFT + pools.len() * CELL + 8,
        height: y + 8,
        about: format!("{rows} features by {} pools; the table below says the same", pools.len()),
        pools: columns.collect(),
        groups: drawn,
        left_out: group.pools.len() - pools.len(),
    })
}
