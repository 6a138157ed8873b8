//! Sets of small numbers as words of bits: features of a host, levels of a lattice.

/// A set of numbers below a length that all sets of one problem share.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(in crate::plan) struct Bits(Box<[u64]>);

impl Bits {
    /// The empty set, for numbers below `length`.
    pub(in crate::plan) fn none(length: usize) -> Self {
        Self(vec![0; length.div_ceil(64)].into_boxed_slice())
    }

    /// The set of these numbers, all below `length`.
    pub(in crate::plan) fn of(length: usize, numbers: impl IntoIterator<Item = usize>) -> Self {
        let mut set = Self::none(length);
        for number in numbers {
            set.insert(number);
        }
        set
    }

    /// Adds a number.
    pub(in crate::plan) fn insert(&mut self, number: usize) {
        self.0[number / 64] |= 1 << (number % 64);
    }

    /// Adds a number, or takes it out.
    pub(in crate::plan) fn toggle(&mut self, number: usize) {
        self.0[number / 64] ^= 1 << (number % 64);
    }

    /// Whether a number is in it.
    pub(in crate::plan) fn has(&self, number: usize) -> bool {
        self.0[number / 64] >> (number % 64) & 1 == 1
    }

    /// What both have.
    pub(in crate::plan) fn and(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(a, b)| a & b).collect())
    }

    /// Adds what the other has.
    pub(in crate::plan) fn add(&mut self, other: &Self) {
        for (own, other) in self.0.iter_mut().zip(&other.0) {
            *own |= other;
        }
    }

    /// Whether all of it is in the other.
    pub(in crate::plan) fn is_subset(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).all(|(own, other)| own & !other == 0)
    }

    /// The numbers, ascending.
    pub(in crate::plan) fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().enumerate().flat_map(|(index, word)| {
            let mut left = *word;
            std::iter::from_fn(move || {
                (left != 0).then(|| {
                    let bit = left.trailing_zeros() as usize;
                    left &= left - 1;
                    index * 64 + bit
                })
            })
        })
    }
}
