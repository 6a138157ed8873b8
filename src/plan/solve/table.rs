//! The pools that a linear program may choose from, as columns, and what each of them counts in every row.

use std::sync::Arc;

use super::dense::{real, whole};
use super::lattice::Lattice;
use super::price::Pattern;
use super::row::Row;

/// Columns and their entries, row by row: sums over rows are taken far more often than columns come or go.
#[derive(Clone, Debug)]
pub(super) struct Table {
    pools: Vec<Arc<Pattern>>,
    costs: Vec<f64>,
    lines: Vec<Arc<Vec<f64>>>,
}

impl Table {
    /// Rows: one a kind, one for the number of pools, then `rows`.
    pub(super) fn new(lattice: &Lattice, rows: &[Row], pools: Vec<Arc<Pattern>>) -> Self {
        let kinds = lattice.kinds.len();
        let mut hosts = vec![vec![0.0; pools.len()]; kinds];
        for (column, pool) in pools.iter().enumerate() {
            for (kind, count) in &pool.hosts {
                hosts[*kind][column] = real(whole(*count));
            }
        }
        let mut lines: Vec<_> = hosts.into_iter().map(Arc::new).collect();
        lines.push(Arc::new(vec![-1.0; pools.len()]));
        let costs = pools.iter().enumerate().map(|(column, pool)| stirred(pool.cost, column)).collect();
        let mut table = Self { pools, costs, lines };
        for row in rows {
            table.add_row(row);
        }
        table
    }

    /// A row more.
    pub(super) fn add_row(&mut self, row: &Row) {
        let entry = |pool: &Arc<Pattern>| real(row.entry(pool) * row.sign());
        self.lines.push(Arc::new(self.pools.iter().map(entry).collect()));
    }

    /// A column more; its number.
    pub(super) fn add_pool(&mut self, rows: &[Row], pool: Pattern) -> usize {
        let first = self.lines.len() - rows.len();
        let mut hosts = pool.hosts.clone();
        hosts.sort_unstable();
        let mut hosts = hosts.into_iter().peekable();
        for (place, line) in self.lines.iter_mut().enumerate() {
            let entry = match place.checked_sub(first) {
                Some(row) => real(rows[row].entry(&pool) * rows[row].sign()),
                None if place + 1 == first => -1.0,
                None => hosts.next_if(|(kind, _)| *kind == place).map_or(0.0, |(_, count)| real(whole(count))),
            };
            Arc::make_mut(line).push(entry);
        }
        self.costs.push(stirred(pool.cost, self.pools.len()));
        self.pools.push(Arc::new(pool));
        self.pools.len() - 1
    }

    /// Leaves rows out.
    pub(super) fn keep_rows(&mut self, mut keep: impl FnMut(usize) -> bool) {
        let mut place = 0;
        self.lines.retain(|_| {
            place += 1;
            keep(place - 1)
        });
    }

    /// Leaves columns out.
    pub(super) fn keep_pools(&mut self, keep: &[bool]) {
        fn only<T: Clone>(all: &[T], keep: &[bool]) -> Vec<T> {
            all.iter().zip(keep).filter(|(_, keep)| **keep).map(|(one, _)| one.clone()).collect()
        }
        self.pools = only(&self.pools, keep);
        self.costs = only(&self.costs, keep);
        for line in &mut self.lines {
            *line = Arc::new(only(line, keep));
        }
    }

    /// All columns.
    pub(super) fn pools(&self) -> &[Arc<Pattern>] {
        &self.pools
    }

    /// How many columns there are.
    pub(super) const fn len(&self) -> usize {
        self.pools.len()
    }

    pub(super) fn pool(&self, column: usize) -> &Arc<Pattern> {
        &self.pools[column]
    }

    pub(super) fn cost(&self, column: usize) -> f64 {
        self.costs[column]
    }

    pub(super) fn costs(&self) -> &[f64] {
        &self.costs
    }

    /// The entries of a column that are not zero.
    pub(super) fn column(&self, column: usize) -> impl Iterator<Item = (usize, f64)> + '_ {
        self.lines.iter().map(move |line| line[column]).enumerate().filter(|(_, entry)| *entry != 0.0)
    }

    /// What a column costs beyond what prices pay for it.
    pub(super) fn reduced(&self, column: usize, prices: &[f64]) -> f64 {
        let paid = |(price, line): (&f64, &Arc<Vec<f64>>)| if *price == 0.0 { 0.0 } else { price * line[column] };
        self.costs[column] - prices.iter().zip(&self.lines).map(paid).sum::<f64>()
    }

    /// Takes from `into`, column by column, the sum of all rows times their factors.
    pub(super) fn subtract(&self, factors: &[f64], into: &mut [f64]) {
        for (factor, line) in factors.iter().zip(&self.lines) {
            if *factor != 0.0 {
                into.iter_mut().zip(line.iter()).for_each(|(into, entry)| *into -= factor * entry);
            }
        }
    }
}

/// A cost and a little more, a different little for each column: ties cost steps. The bound uses the truth.
fn stirred(cost: i64, column: usize) -> f64 {
    let stir = real(whole(column + 1)) * 0.618_033_988_749;
    real(cost) + 1e-5 * (stir - stir.floor())
}
