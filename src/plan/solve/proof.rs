//! What prices prove: in floating point for deciding when to stop, and in whole numbers for what is claimed.

use super::bits::Bits;
use super::dense::{real, whole};
use super::master::Program;
use super::price::Prices;
use super::row::Row;
use super::simplex::Master;

impl Program<'_> {
    /// What the prices prove, in floating point: for deciding when to stop.
    pub(super) fn proven(&self, master: &Master, least: f64) -> f64 {
        let kinds = self.lattice.kinds.len();
        let mut proven = real(whole(self.pools)) * least;
        for (row, price) in master.prices.iter().enumerate() {
            let side = match row.checked_sub(kinds + 1) {
                Some(index) => real(master.rows[index].sign() * master.rows[index].count),
                None if row == kinds => -real(whole(self.pools)),
                None => real(whole(self.lattice.kinds[row].count)),
            };
            proven += price.max(0.0) * side;
        }
        proven
    }

    /// What the prices prove, in whole numbers: no placement in which the rows hold loses less. With it, for each level what
    /// a placement loses at least that has a pool at it.
    pub(super) fn bound(&self, master: &Master, levels: &[usize]) -> (i64, Vec<i64>) {
        const SCALE: i64 = 1 << 20;
        let kinds = self.lattice.kinds.len();
        #[expect(clippy::cast_possible_truncation, reason = "any whole number at least zero proves something")]
        let price = |row: usize| (master.prices[row].clamp(0.0, 1e12) * real(SCALE)).round() as i64;
        let prices = Prices::new(
            (0..kinds)
                .map(|kind| (i128::from(price(kind)) - i128::from(self.lattice.kinds[kind].weight * SCALE), kind))
                .collect(),
        );
        let pools = i128::from(whole(self.pools));
        let mut total: i128 =
            (0..kinds).map(|kind| i128::from(price(kind)) * i128::from(whole(self.lattice.kinds[kind].count))).sum();
        let for_pools = i128::from(price(kinds));
        total -= for_pools * pools;
        let rows: Vec<(i128, &Row)> = master
            .rows
            .iter()
            .enumerate()
            .map(|(index, row)| (i128::from(price(kinds + 1 + index) * row.sign()), row))
            .filter(|(price, _)| *price != 0)
            .collect();
        total += rows.iter().map(|(price, row)| price * i128::from(row.count)).sum::<i128>();
        let reduced = |level: usize| {
            let mut reduced = for_pools;
            let mut extra: Vec<(i128, &Bits)> = Vec::new();
            for (price, row) in &rows {
                if row.levels.has(level) {
                    reduced -= price * i128::from(row.step);
                } else if let Some(kinds) = &row.kinds {
                    extra.push((*price, kinds));
                }
            }
            let worth = i128::from(self.lattice.levels[level].weight * SCALE);
            prices.fill(self.lattice, level, worth, 0, &extra, |_, count, each| {
                reduced -= each * i128::from(whole(count))
            });
            reduced
        };
        let reduced: Vec<i128> = levels.iter().map(|level| reduced(*level)).collect();
        let least = reduced.iter().copied().min().unwrap_or(0).min(0);
        let up = |scaled: i128| {
            let scale = i128::from(SCALE);
            i64::try_from(scaled.div_euclid(scale) + i128::from(scaled.rem_euclid(scale) != 0)).unwrap_or(i64::MIN)
        };
        let bound = up(total + pools * least);
        let with = reduced.iter().map(|reduced| up(total + (pools - 1) * least + reduced)).collect();
        (bound, with)
    }
}
