//! A basis of the linear program with its dense inverse, and the steps of the simplex: primal while columns pay, dual while
//! rows are broken.

use std::sync::Arc;

use super::dense::{invert, real};
use super::master::Program;
use super::price::Pattern;
use super::row::Row;
use super::table::Table;

/// What is in the basis: what a row lacks, what it has too much, or a column of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Basic {
    Missing(usize),
    Surplus(usize),
    Pool(usize),
}

/// A basis of the program. Rows: one a kind (at least its hosts), one for the number of pools, then [`Row`]s.
#[derive(Clone, Debug)]
pub(super) struct Master {
    pub(super) rows: Vec<Row>,
    pub(super) table: Table,
    pub(super) basis: Vec<Basic>,
    inverse: Vec<f64>,
    pub(super) values: Vec<f64>,
    pub(super) prices: Vec<f64>,
    pivots: usize,
    /// What a missing host costs: more than any is worth, or it is raised.
    pub(super) penalty: f64,
}

/// A basis without what can be worked out again: what waits in the tree.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    rows: Vec<Row>,
    pools: Vec<Arc<Pattern>>,
    basis: Vec<Basic>,
}

const TINY: f64 = 1e-9;
/// Below this a number that divides is not to be trusted.
const SMALL: f64 = 1e-7;
const REFACTOR: usize = 150;
/// Columns that are looked at first.
const LIKELY: usize = 10;
/// Columns that wait with a basis beside those in it.
const KEPT: usize = 150;

impl Master {
    /// A basis with its columns; none when it cannot be inverted.
    pub(super) fn new(
        program: &Program<'_>,
        rows: Vec<Row>,
        pools: Vec<Arc<Pattern>>,
        basis: Vec<Basic>,
    ) -> Option<Self> {
        let table = Table::new(program.lattice, &rows, pools);
        let (inverse, values, prices) = (Vec::new(), Vec::new(), Vec::new());
        let penalty = program.penalty;
        let mut master = Self { rows, table, basis, inverse, values, prices, pivots: 0, penalty };
        program.refactor(&mut master).then_some(master)
    }

    pub(super) fn restore(program: &Program<'_>, stored: Stored) -> Option<Self> {
        Self::new(program, stored.rows, stored.pools, stored.basis)
    }

    /// What must be kept to go on later.
    pub(super) fn store(&mut self) -> Stored {
        self.trim(0);
        Stored { rows: self.rows.clone(), pools: self.table.pools().to_vec(), basis: self.basis.clone() }
    }

    /// Drops columns that are far from paying, where there are many more than are used.
    pub(super) fn trim(&mut self, slack: usize) {
        if self.table.len() <= self.size() + KEPT + slack {
            return;
        }
        let reduced = self.reduced();
        let mut kept = vec![false; self.table.len()];
        for basic in &self.basis {
            if let Basic::Pool(column) = basic {
                kept[*column] = true;
            }
        }
        let mut others: Vec<usize> = (0..kept.len()).filter(|column| !kept[*column]).collect();
        others.sort_by(|a, b| reduced[*a].total_cmp(&reduced[*b]).then(a.cmp(b)));
        others.into_iter().take(KEPT).for_each(|column| kept[column] = true);
        let mut places = Vec::with_capacity(kept.len());
        let mut next = 0;
        for kept in &kept {
            places.push(next);
            next += usize::from(*kept);
        }
        self.table.keep_pools(&kept);
        for basic in &mut self.basis {
            if let Basic::Pool(column) = basic {
                *column = places[*column];
            }
        }
    }

    /// The number of rows.
    pub(super) fn size(&self) -> usize {
        self.basis.len()
    }

    /// What each column costs beyond what the prices pay for it.
    fn reduced(&self) -> Vec<f64> {
        let mut reduced = self.table.costs().to_vec();
        self.table.subtract(&self.prices, &mut reduced);
        reduced
    }

    /// The place whose value is furthest below zero, as the crow flies.
    fn most_broken(&self) -> Option<usize> {
        let size = self.size();
        let far = |place: usize| {
            let line = &self.inverse[place * size..(place + 1) * size];
            self.values[place].powi(2) / line.iter().map(|entry| entry * entry).sum::<f64>()
        };
        let broken = (0..size).filter(|place| self.values[*place] < -SMALL);
        broken.map(|place| (far(place), place)).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, place)| place)
    }

    /// Steps that a sum over all rows and columns takes.
    fn sum_steps(&self) -> u64 {
        (self.size() * (self.table.len() / 2 + self.size())) as u64
    }
}

impl Program<'_> {
    /// Works out inverse, values and prices from the basis.
    pub(super) fn refactor(&self, master: &mut Master) -> bool {
        let size = master.basis.len();
        let mut matrix = vec![0.0; size * size];
        for (place, basic) in master.basis.iter().enumerate() {
            match basic {
                Basic::Missing(row) => matrix[row * size + place] = 1.0,
                Basic::Surplus(row) => matrix[row * size + place] = -1.0,
                Basic::Pool(column) => {
                    master.table.column(*column).for_each(|(row, entry)| matrix[row * size + place] = entry);
                }
            }
        }
        let Some(inverse) = invert(matrix, size) else { return false };
        master.inverse = inverse;
        let sides: Vec<_> = (0..size).map(|row| self.side(master, row)).collect();
        let dot = |row: &[f64]| row.iter().zip(&sides).map(|(a, b)| a * b).sum::<f64>();
        master.values = master.inverse.chunks(size.max(1)).map(dot).collect();
        self.price(master);
        master.pivots = 0;
        true
    }

    /// Works out the prices from the inverse.
    pub(super) fn price(&self, master: &mut Master) {
        let size = master.basis.len();
        master.prices = vec![0.0; size];
        for (place, basic) in master.basis.iter().enumerate() {
            let cost = self.cost(master, *basic);
            if cost != 0.0 {
                for (price, entry) in master.prices.iter_mut().zip(&master.inverse[place * size..]) {
                    *price += cost * entry;
                }
            }
        }
    }

    /// Adds a row, perhaps one that the present values break: the inverse grows by a border, prices stay.
    pub(super) fn add(&self, master: &mut Master, row: Row) {
        let place = master.basis.len();
        let sign = real(row.sign());
        let entry = |basic: &Basic| match basic {
            Basic::Pool(column) => sign * real(row.entry(master.table.pool(*column))),
            _ => 0.0,
        };
        let entries: Vec<f64> = master.basis.iter().map(entry).collect();
        let used: f64 = entries.iter().zip(&master.values).map(|(entry, value)| entry * value).sum();
        let mut border = vec![0.0; place + 1];
        for (entry, line) in entries.iter().zip(master.inverse.chunks(place.max(1))) {
            if *entry != 0.0 {
                border.iter_mut().zip(line).for_each(|(border, cell)| *border += entry * cell);
            }
        }
        border[place] = -1.0;
        let mut inverse = Vec::with_capacity((place + 1) * (place + 1));
        for line in master.inverse.chunks(place.max(1)) {
            inverse.extend_from_slice(line);
            inverse.push(0.0);
        }
        inverse.extend_from_slice(&border);
        master.inverse = inverse;
        master.prices.push(0.0);
        master.table.add_row(&row);
        master.rows.push(row);
        master.basis.push(Basic::Surplus(place));
        let side = self.side(master, place);
        master.values.push(used - side);
    }

    /// Drops rows that have no say here, but for those that part children.
    pub(super) fn purge(&self, master: &mut Master) -> bool {
        let first = self.lattice.kinds.len() + 1;
        let mut dropped = vec![false; master.rows.len()];
        for (basic, value) in master.basis.iter().zip(&master.values) {
            if let Basic::Surplus(row) = basic
                && let Some(index) = row.checked_sub(first)
                && *value > 1e-3
            {
                dropped[index] = !master.rows[index].parts;
            }
        }
        master.trim(KEPT);
        if !dropped.contains(&true) {
            return true;
        }
        let mut places = Vec::with_capacity(dropped.len());
        let mut next = first;
        for dropped in &dropped {
            places.push(next);
            next += usize::from(!dropped);
        }
        let is_gone = |row: usize| row.checked_sub(first).is_some_and(|index| dropped[index]);
        let at = |row: usize| row.checked_sub(first).map_or(row, |index| places[index]);
        master.basis.retain(|basic| !matches!(basic, Basic::Surplus(row) if is_gone(*row)));
        for basic in &mut master.basis {
            match basic {
                Basic::Surplus(row) | Basic::Missing(row) => *row = at(*row),
                Basic::Pool(_) => {}
            }
        }
        master.table.keep_rows(|row| !is_gone(row));
        let mut gone = dropped.iter();
        master.rows.retain(|_| !gone.next().copied().unwrap_or(false));
        self.refactor(master)
    }

    /// Steps of the dual simplex until no row is broken, `most` at most; false where numbers got out of hand or steps ran
    /// out.
    pub(super) fn mend(&self, master: &mut Master, most: usize, work: &mut u64) -> bool {
        let mut reduced = master.reduced();
        *work += master.sum_steps();
        for _ in 0..most {
            let size = master.size();
            let Some(out) = master.most_broken() else { return true };
            let line = master.inverse[out * size..(out + 1) * size].to_vec();
            // The leaving row, negated: what enters must raise what is too low.
            let mut raises = vec![0.0; reduced.len()];
            master.table.subtract(&line, &mut raises);
            *work += master.sum_steps();
            let Some((entering, own)) = self.cheapest(master, &line, &raises, &reduced) else { return false };
            let Some(rate) = self.pivot(master, entering, own, Some(out)) else { return false };
            reduced.iter_mut().zip(&raises).for_each(|(reduced, raises)| *reduced += own / rate * raises);
            if master.pivots >= REFACTOR {
                *work += (size.pow(3) / 2) as u64;
                if !self.refactor(master) {
                    return false;
                }
                reduced = master.reduced();
            }
        }
        false
    }

    /// What enters a basis whose leaving row is `line`: what loses its place among the dear ones first; with what it costs
    /// beyond its prices.
    fn cheapest(&self, master: &Master, line: &[f64], raises: &[f64], reduced: &[f64]) -> Option<(Basic, f64)> {
        let mut able: Vec<(f64, f64, Basic)> = Vec::new();
        for (column, raise) in raises.iter().enumerate() {
            if *raise > SMALL {
                able.push((reduced[column].max(0.0), *raise, Basic::Pool(column)));
            }
        }
        for (row, entry) in line.iter().enumerate() {
            if *entry > SMALL {
                able.push((master.prices[row].max(0.0), *entry, Basic::Surplus(row)));
            } else if *entry < -SMALL {
                let missing = Basic::Missing(row);
                able.push(((self.cost(master, missing) - master.prices[row]).max(0.0), -entry, missing));
            }
        }
        let least = able.iter().map(|(own, raise, _)| (own + TINY) / raise).min_by(f64::total_cmp)?;
        let close = able.into_iter().filter(|(own, raise, _)| own / raise <= least);
        close.max_by(|a, b| a.1.total_cmp(&b.1)).map(|(own, _, entering)| (entering, own))
    }

    /// Steps of the primal simplex until no column and no slack pays, `most` at most; false where numbers got out of hand or
    /// steps ran out.
    pub(super) fn gain(&self, master: &mut Master, most: usize, work: &mut u64) -> bool {
        let mut likely: Vec<usize> = Vec::new();
        for _ in 0..most {
            let paying = |likely: &[usize]| {
                let own = likely.iter().map(|column| (master.table.reduced(*column, &master.prices), *column));
                own.filter(|(own, _)| *own < -SMALL).min_by(|a, b| a.0.total_cmp(&b.0))
            };
            *work += (master.size() * (likely.len() + master.size())) as u64;
            let mut pool = paying(&likely);
            if pool.is_none() {
                // A look at all columns, and then at those that paid most.
                let reduced = master.reduced();
                *work += master.sum_steps();
                likely = (0..reduced.len()).filter(|column| reduced[*column] < -SMALL).collect();
                likely.sort_by(|a, b| reduced[*a].total_cmp(&reduced[*b]).then(a.cmp(b)));
                likely.truncate(LIKELY);
                pool = likely.first().map(|column| (reduced[*column], *column));
            }
            let slack = (0..master.size()).min_by(|a, b| master.prices[*a].total_cmp(&master.prices[*b]));
            let slack = slack.map(|row| (master.prices[row], Basic::Surplus(row))).filter(|(own, _)| *own < -SMALL);
            let pool = pool.map(|(own, column)| (own, Basic::Pool(column)));
            let entering = pool.into_iter().chain(slack).min_by(|a, b| a.0.total_cmp(&b.0));
            let Some((own, entering)) = entering else { return true };
            if self.pivot(master, entering, own, None).is_none() {
                return false;
            }
            if master.pivots >= REFACTOR {
                *work += (master.size().pow(3) / 2) as u64;
                if !self.refactor(master) {
                    return false;
                }
            }
        }
        false
    }

    /// Takes `entering` into the basis, for what is at `out` or for what reaches zero first. Returns how fast that changes
    /// with what enters; none where nothing can leave.
    fn pivot(&self, master: &mut Master, entering: Basic, reduced: f64, out: Option<usize>) -> Option<f64> {
        let size = master.size();
        let entries: Vec<(usize, f64)> = match entering {
            Basic::Missing(row) => vec![(row, 1.0)],
            Basic::Surplus(row) => vec![(row, -1.0)],
            Basic::Pool(column) => master.table.column(column).collect(),
        };
        let sum = |row: &[f64]| entries.iter().map(|(column, entry)| row[*column] * entry).sum();
        let direction: Vec<f64> = master.inverse.chunks(size).map(sum).collect();
        let out = out.or_else(|| first_to_leave(&master.values, &direction))?;
        if direction[out].abs() < TINY {
            return None;
        }
        let scale = 1.0 / direction[out];
        let ratio = master.values[out] * scale;
        let pivot: Vec<f64> =
            master.inverse[out * size..(out + 1) * size].iter().map(|entry| entry * scale).collect();
        for (place, row) in master.inverse.chunks_mut(size).enumerate() {
            if place == out {
                row.copy_from_slice(&pivot);
            } else if direction[place].abs() > 1e-12 {
                let factor = direction[place];
                row.iter_mut().zip(&pivot).for_each(|(entry, other)| *entry -= factor * other);
            }
        }
        for (place, value) in master.values.iter_mut().enumerate() {
            *value = if place == out { ratio } else { *value - ratio * direction[place] };
        }
        master.prices.iter_mut().zip(&pivot).for_each(|(price, entry)| *price += reduced * entry);
        master.basis[out] = entering;
        master.pivots += 1;
        Some(direction[out])
    }

    /// What the values of a basis cost.
    pub(super) fn value(&self, master: &Master) -> f64 {
        master.basis.iter().zip(&master.values).map(|(basic, value)| self.cost(master, *basic) * value).sum()
    }
}

/// The place whose value reaches zero first when the values change like this.
fn first_to_leave(values: &[f64], direction: &[f64]) -> Option<usize> {
    let mut leaving: Option<(f64, usize)> = None;
    for (place, step) in direction.iter().enumerate() {
        if *step > SMALL {
            let ratio = values[place].max(0.0) / step;
            let better = leaving.is_none_or(|(least, other)| {
                ratio < least - TINY || (ratio < least + TINY && *step > direction[other])
            });
            if better {
                leaving = Some((ratio, place));
            }
        }
    }
    leaving.map(|(_, place)| place)
}
