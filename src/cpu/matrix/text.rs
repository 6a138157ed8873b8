//! Text that fits a width.

use crate::cpu::names;
use crate::facts::Featureset;
use crate::text::columns;

/// The features of a set by group, for a sentence.
pub(super) fn groups(set: &Featureset) -> Vec<String> {
    let features: Vec<_> = set.features().map(|feature| (names::group(feature), names::name(feature))).collect();
    names::grouped(features.iter().map(|(group, name)| (*group, name.as_str())))
}

/// Words after a heading, wrapped, each further line indented to `indent`.
pub(super) fn wrap(heading: &str, words: &[String], separator: &str, indent: usize, width: usize) -> String {
    let mut text = heading.to_owned();
    let mut column = columns(heading);
    for (index, word) in words.iter().enumerate() {
        let last = index + 1 == words.len();
        let piece = format!("{word}{}", if last { "" } else { separator.trim_end() });
        let blank = usize::from(index > 0);
        if column + blank + columns(&piece) > width && column > indent {
            text.truncate(text.trim_end().len());
            text.push('\n');
            text.push_str(&" ".repeat(indent));
            column = indent;
        } else if blank == 1 {
            text.push(' ');
            column += 1;
        }
        column += columns(&piece);
        text.push_str(&piece);
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

/// A text cut to a width, with a sign that it was.
pub(super) fn cut(text: &str, width: usize) -> String {
    crate::text::cut(text, width).into_owned()
}

/// Printable text of an unknown origin: what acts on a terminal is shown, not obeyed.
pub(super) fn plain(text: &str) -> String {
    crate::text::plain(text.trim()).into_owned()
}
