//! Numbers and a dense inverse.

#[expect(clippy::cast_precision_loss, reason = "counts and weights are far below 2^52")]
pub(super) const fn real(number: i64) -> f64 {
    number as f64
}

pub(super) fn whole(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Gauss-Jordan with row exchanges.
pub(super) fn invert(mut matrix: Vec<f64>, size: usize) -> Option<Vec<f64>> {
    let mut inverse = vec![0.0; size * size];
    for place in 0..size {
        inverse[place * size + place] = 1.0;
    }
    for column in 0..size {
        let best = (column..size)
            .max_by(|a, b| matrix[a * size + column].abs().total_cmp(&matrix[b * size + column].abs()))?;
        if matrix[best * size + column].abs() < 1e-10 {
            return None;
        }
        if best != column {
            for entry in 0..size {
                matrix.swap(best * size + entry, column * size + entry);
                inverse.swap(best * size + entry, column * size + entry);
            }
        }
        let scale = 1.0 / matrix[column * size + column];
        for entry in 0..size {
            matrix[column * size + entry] *= scale;
            inverse[column * size + entry] *= scale;
        }
        let own: Vec<f64> = matrix[column * size..(column + 1) * size].to_vec();
        let other: Vec<f64> = inverse[column * size..(column + 1) * size].to_vec();
        for row in (0..size).filter(|row| *row != column) {
            let factor = matrix[row * size + column];
            if factor != 0.0 {
                let line = &mut matrix[row * size..(row + 1) * size];
                line.iter_mut().zip(&own).for_each(|(entry, own)| *entry -= factor * own);
                let line = &mut inverse[row * size..(row + 1) * size];
                line.iter_mut().zip(&other).for_each(|(entry, other)| *entry -= factor * other);
            }
        }
    }
    Some(inverse)
}
