//! Why joiners stay undecided: reasons counted, each once a joiner.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::facts::Unknown;

/// Reasons that are kept: the first by their text, so that two parts of a fleet add up to the whole whatever they hold.
const KEPT: usize = 64;

/// Reasons, and how many joiners each keeps from a verdict.
#[derive(Clone, Debug, Default)]
pub(super) struct Reasons {
    counts: BTreeMap<String, Count>,
    joiner: u64,
    text: String,
}

#[derive(Clone, Copy, Debug, Default)]
struct Count {
    joiners: u64,
    /// The joiner that was counted last.
    last: u64,
}

impl Reasons {
    /// What is added from here on is of another joiner.
    pub(super) const fn next_joiner(&mut self) {
        self.joiner += 1;
    }

    /// A fact is missing for this reason; where that says nothing more, the rule that needs it does.
    pub(super) fn add(&mut self, unknown: &Unknown, rule: &str) {
        self.text.clear();
        let _ = write!(self.text, "{unknown}");
        without_references(&mut self.text);
        if unknown.detail().is_empty() {
            let _ = write!(self.text, " (rule {rule})");
        }
        let joiner = self.joiner;
        match self.counts.get_mut(&self.text) {
            Some(count) if count.last == joiner => {}
            Some(count) => *count = Count { joiners: count.joiners + 1, last: joiner },
            None => self.put(self.text.clone(), Count { joiners: 1, last: joiner }),
        }
    }

    /// So many joiners for this reason, beside those that were counted.
    pub(super) fn put_many(&mut self, reason: String, joiners: u64) {
        match self.counts.get_mut(&reason) {
            Some(count) => count.joiners += joiners,
            None => self.put(reason, Count { joiners, last: 0 }),
        }
    }

    fn put(&mut self, reason: String, count: Count) {
        self.counts.insert(reason, count);
        if self.counts.len() > KEPT {
            self.counts.pop_last();
        }
    }

    /// Adds those of another part.
    pub(super) fn join(&mut self, other: Self) {
        other.counts.into_iter().for_each(|(reason, count)| self.put_many(reason, count.joiners));
    }

    /// Each reason with its joiners, the most frequent first.
    pub(super) fn into_vec(self) -> Vec<(String, u64)> {
        let mut reasons: Vec<_> = self.counts.into_iter().map(|(reason, count)| (reason, count.joiners)).collect();
        reasons.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        reasons
    }
}

/// One reason of many records is one reason: references are left out, and the name behind one.
fn without_references(text: &mut String) {
    const REFERENCE: &str = "OpaqueRef:";
    let mut from = 0;
    while let Some(at) = text[from..].find(REFERENCE) {
        let start = from + at + REFERENCE.len();
        let rest = &text[start..];
        let length = rest.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '-').unwrap_or(rest.len());
        // `OpaqueRef:1 (alpha): …`, as records name themselves; a name may hold anything but the end of that.
        let name = rest[length..].starts_with(" (").then(|| rest[length..].find("): ")).flatten();
        let named = name.map_or(0, |end| end + ")".len());
        text.replace_range(start..start + length + named, "…");
        from = start;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Reason;

    fn unknown(number: usize) -> Unknown {
        Unknown::because(Reason::NotCollected, format!("fact {number:03}"))
    }

    #[test]
    fn records_are_not_told_apart() {
        let mut text = "pool OpaqueRef:0a-1b (pool): OpaqueRef:, OpaqueRef:9".to_owned();
        without_references(&mut text);
        assert_eq!(text, "pool OpaqueRef:…: OpaqueRef:…, OpaqueRef:…");
    }

    #[test]
    fn parts_add_up_to_the_whole_however_many_reasons_there_are() {
        let (mut whole, mut parts) = (Reasons::default(), [Reasons::default(), Reasons::default()]);
        for joiner in 0..300 {
            for reasons in [&mut whole, &mut parts[usize::from(joiner >= 100)]] {
                reasons.next_joiner();
                // The same fact twice is one reason.
                for number in [joiner % 90, joiner % 7, joiner % 7] {
                    reasons.add(&unknown(number), "some-rule");
                }
            }
        }
        let [mut one, two] = parts;
        one.join(two);
        let (one, whole) = (one.into_vec(), whole.into_vec());
        assert_eq!((one.len(), &one), (KEPT, &whole));
        assert_eq!(whole[0], ("not collected: fact 000".to_owned(), 43 + 4 - 1));
    }
}
