//! Hosts of whom the same is said, such as the fourteen equal servers of a quote: one of them is enough to read.

use std::ops::Range;

/// What is said of a host without its name, however its lines are broken. Equal for two hosts of whom the same is said.
fn told(text: &str, name: &str) -> String {
    // Names are written as they are, and as Markdown and HTML have them.
    let mut names = [name.to_owned(), crate::text::md(name), crate::text::html(name)];
    names.sort_by_key(|name| std::cmp::Reverse(name.len()));
    let text =
        names.iter().filter(|name| !name.is_empty()).fold(text.to_owned(), |text, name| text.replace(name, "\0"));
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Hosts that follow each other and of whom the same is said, with what is said of the first.
pub(super) struct Alike {
    /// Their places; one where the next is another.
    pub(super) hosts: Range<usize>,
    /// What is said of the first.
    pub(super) text: String,
}

/// Puts hosts together by what is said of them, by name in their order.
pub(super) fn alike<'a>(said: impl IntoIterator<Item = (&'a str, String)>) -> Vec<Alike> {
    let mut groups: Vec<Alike> = Vec::new();
    let mut last = None;
    for (index, (name, text)) in said.into_iter().enumerate() {
        let told = Some(told(&text, name));
        match groups.last_mut() {
            Some(group) if told == last => group.hosts.end = index + 1,
            _ => groups.push(Alike { hosts: index..index + 1, text }),
        }
        last = told;
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_line_ends_do_not_count_and_all_else_does() {
        let said = [
            ("a #1", "a #1 lacks\n a NIC"),
            ("a #10", "a #10\nlacks a NIC"),
            ("b_c", "b\\_c lacks a NIC"),
            ("d", "d lacks a bond"),
            ("e", "e lacks a NIC"),
        ];
        let groups = alike(said.map(|(name, text)| (name, text.to_owned())));
        let hosts: Vec<_> = groups.iter().map(|group| group.hosts.clone()).collect();
        assert_eq!(hosts, [0..3, 3..4, 4..5]);
        assert_eq!(groups[0].text, "a #1 lacks\n a NIC");
    }
}
