//! Text that came from somewhere else, made safe for where it goes. Depends on nothing; for all that write.
//!
//! Names come from servers and may hold anything. On a terminal a control character is a command and a bidi mark turns
//! text round, so both are shown as escapes; a log of CI takes some lines for commands, so none begins as those do.

mod json;
mod markdown;

pub use json::{json, json_text};
pub(crate) use markdown::{code, fenced, html, md};

use std::borrow::Cow;

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// The text with control characters and direction marks as visible escapes, `\u{1b}`, and with nothing that a CI's log
/// takes for a command wherever it stands in a line: `##[…]` (GitHub), `##vso[…]` (Azure), `##teamcity[…]`.
pub fn plain(text: &str) -> Cow<'_, str> {
    if !text.chars().any(acts) && log_command(text).is_none() {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    let mut rest = text;
    while let Some(at) = log_command(rest) {
        escape(&rest[..at], &mut shown);
        shown.push_str("## ");
        rest = &rest[at + 2..];
    }
    escape(rest, &mut shown);
    Cow::Owned(shown)
}

fn escape(text: &str, shown: &mut String) {
    for character in text.chars() {
        if acts(character) {
            shown.extend(character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
}

/// Lines for people as a whole, made of texts that were [`plain`]: once more, and none begins with the `::` of a GitHub
/// command, which blanks before it do not hide. `colored` text has escapes of its own, which stay.
pub fn lines(text: &str, colored: bool) -> Cow<'_, str> {
    let begins = |line: &str| line.trim_start().starts_with("::");
    let dirty = |line: &str| begins(line) || !colored && matches!(plain(line), Cow::Owned(_));
    if !text.split('\n').any(dirty) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for (index, line) in text.split('\n').enumerate() {
        if index > 0 {
            out.push('\n');
        }
        let line = if colored { Cow::Borrowed(line) } else { plain(line) };
        if begins(&line) {
            out.push_str(&line.replacen("::", ": :", 1));
        } else {
            out.push_str(&line);
        }
    }
    Cow::Owned(out)
}

/// Where a command of a CI's log begins: `##`, letters, `[`.
fn log_command(text: &str) -> Option<usize> {
    text.match_indices('[').find_map(|(at, _)| {
        let before = text[..at].trim_end_matches(|letter: char| letter.is_ascii_alphanumeric());
        before.strip_suffix("##").map(str::len)
    })
}

/// Whether a terminal would do something other than show it: controls (C0, C1, delete), marks and overrides of
/// direction, line and paragraph separators, and characters without a shape that hide differences. Variation selectors
/// are not among them: they belong to signs that people do put into names.
const fn acts(character: char) -> bool {
    matches!(
        character,
        '\u{0}'..='\u{1f}'
            | '\u{7f}'..='\u{9f}'
            | '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'
            | '\u{1160}'
            | '\u{17b4}'
            | '\u{17b5}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

/// One word for a shell, whatever it holds: names are the operator's and may hold anything. What a terminal would act on
/// is written as `$'\x1b'`, so that a command can be read, copied and run.
pub fn shell_word(text: &str) -> String {
    let bare = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./:,@%+".contains(&byte);
    if !text.is_empty() && text.bytes().all(bare) {
        text.to_owned()
    } else if matches!(plain(text), Cow::Owned(_)) {
        let byte = |byte: u8| match byte {
            b' ' | b'"' | b'$'..=b'&' | b'('..=b'[' | b']'..=b'~' => char::from(byte).to_string(),
            // `#` too, which may begin a log's command.
            byte => format!("\\x{byte:02x}"),
        };
        format!("$'{}'", text.bytes().map(byte).collect::<String>())
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

/// How many columns a text takes on a terminal: letters of some scripts take two, combining marks none.
pub fn columns(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.width() }
}

/// A sentence's first word as it stands inside another one; an abbreviation keeps its capitals.
pub fn decapitalised(title: &str) -> String {
    let mut chars = title.chars();
    match (chars.next(), chars.clone().next()) {
        // An abbreviation keeps its capitals.
        (Some(first), Some(second)) if first.is_uppercase() && second.is_lowercase() => {
            first.to_lowercase().chain(chars).collect()
        }
        _ => title.to_owned(),
    }
}

/// A text cut to so many columns, with a sign that it was.
pub fn cut(text: &str, width: usize) -> Cow<'_, str> {
    if text.len() <= width || columns(text) <= width {
        return Cow::Borrowed(text);
    }
    Cow::Owned(format!("{}…", head(text, width.saturating_sub(1)).trim_end()))
}

/// A text cut to so many columns in its middle: names often differ at their ends.
pub fn middle_cut(text: &str, width: usize) -> Cow<'_, str> {
    if text.len() <= width || columns(text) <= width {
        return Cow::Borrowed(text);
    }
    let end = width / 3;
    let mut left = columns(text);
    let from = text.char_indices().find(|(_, character)| {
        let fits = left <= end;
        left -= character.width().unwrap_or_default();
        fits
    });
    let tail = from.map_or("", |(at, _)| &text[at..]);
    Cow::Owned(format!("{}…{}", head(text, width.saturating_sub(end + 1)).trim_end(), tail.trim_start()))
}

/// A text filled up with blanks to so many columns.
pub fn padded(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(columns(text))))
}

/// As much of the beginning as fits.
fn head(text: &str, width: usize) -> &str {
    let mut used = 0;
    let over = text.char_indices().find(|(_, character)| {
        used += character.width().unwrap_or_default();
        used > width
    });
    over.map_or(text, |(at, _)| &text[..at])
}

/// Text behind a label, wrapped to a width: later lines are indented by two more than the label is. Ends with a
/// newline; blanks between words count as one.
pub fn wrapped(label: &str, text: &str, width: u16) -> String {
    let indent = label.len() - label.trim_start().len();
    wrapped_at(label, indent + 2, text, width)
}

/// The same, with later lines indented by so many columns.
pub fn wrapped_at(label: &str, indent: usize, text: &str, width: u16) -> String {
    let first = text.split_whitespace().next().map_or(0, |word| columns(&plain(word)));
    let blank = label.len() - label.trim_start().len();
    if blank < label.len() && columns(label) + first > usize::from(width) {
        // A label that leaves no room is wrapped too.
        return wrapped_at(&label[..blank], indent, &format!("{} {text}", label.trim()), width);
    }
    let pad = " ".repeat(indent);
    let mut out = String::new();
    let mut line = label.to_owned();
    let mut used = columns(label);
    let mut empty = true;
    for (word, glued) in text.split_whitespace().flat_map(pieces) {
        let length = columns(&word);
        let blank = usize::from(!glued);
        if !empty && used + blank + length > usize::from(width) {
            out.push_str(&line);
            out.push('\n');
            line.clone_from(&pad);
            used = pad.len();
            empty = true;
        }
        if !empty && !glued {
            line.push(' ');
            used += 1;
        }
        line.push_str(&word);
        used += length;
        empty = false;
    }
    out.push_str(line.trim_end());
    out.push('\n');
    out
}

/// A word in the pieces between which a line may end, each with whether it belongs to the one before without a blank.
/// Scripts that are written without blanks, whose letters are two columns wide, may end a line anywhere; names and commands
/// of others stay whole, to be copied.
fn pieces(word: &str) -> Vec<(Cow<'_, str>, bool)> {
    let word = plain(word);
    if word.is_ascii() {
        return vec![(word, false)];
    }
    let mut pieces = Vec::new();
    let (mut piece, mut wide_before) = (String::new(), false);
    for character in word.chars() {
        let wide = character.width() == Some(2);
        if wide && wide_before {
            pieces.push((Cow::Owned(std::mem::take(&mut piece)), !pieces.is_empty()));
        }
        piece.push(character);
        wide_before = wide;
    }
    pieces.push((Cow::Owned(piece), !pieces.is_empty()));
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_one_word() {
        assert_eq!(shell_word("10.0.0.1"), "10.0.0.1");
        assert_eq!(shell_word("a; rm -rf /"), "'a; rm -rf /'");
        assert_eq!(shell_word("it's"), "'it'\\''s'");
        assert_eq!(shell_word(""), "''");
        assert_eq!(shell_word("a\n\u{1b}[2J 'é'"), "$'a\\x0a\\x1b[2J \\x27\\xc3\\xa9\\x27'");
        assert_eq!(shell_word("##[error]\\"), "$'\\x23\\x23[error]\\x5c'");
    }

    #[test]
    fn a_cut_shows() {
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("abcd", 3), "ab…");
        assert_eq!(middle_cut("abcdefghi", 9), "abcdefghi");
        assert_eq!(middle_cut("network on eth0", 11), "network…th0");
    }

    #[test]
    fn wide_letters_take_two_columns() {
        assert_eq!(columns("日本語 ab"), 9);
        assert_eq!(columns("e\u{301}"), 1);
        assert_eq!(wrapped("  a long label: ", "text", 12), "  a long\n    label:\n    text\n");
        assert_eq!(cut("日本語", 6), "日本語");
        assert_eq!(cut("日本語", 5), "日本…");
        assert_eq!(cut("日本語", 4), "日…");
        assert_eq!(middle_cut("東京データセンター第一", 12), "東京デ…第一");
        // Wherever a wide letter ends, and never within a name of others.
        assert_eq!(wrapped("", "東京データセンター", 10), "東京データ\n  センター\n");
        assert_eq!(
            wrapped("• ", "a-name-that-is-longer-than-the-line 東京", 12),
            "•\n  a-name-that-is-longer-than-the-line\n  東京\n"
        );
    }

    #[test]
    fn what_acts_on_a_terminal_is_shown_and_not_done() {
        assert_eq!(plain("web-01 é 漢"), "web-01 é 漢");
        assert_eq!(plain("a\u{1b}[2Jb\nc"), "a\\u{1b}[2Jb\\u{a}c");
        assert_eq!(plain("\u{202e}gpj.exe\u{9b}"), "\\u{202e}gpj.exe\\u{9b}");
        assert_eq!(plain("a\u{ad}b\u{e0041}"), "a\\u{ad}b\\u{e0041}");
    }

    #[test]
    fn no_log_takes_a_text_for_a_command() {
        assert_eq!(
            plain("x ##[error]y ##vso[task.x] ###[a] ## [b] #1 ##"),
            "x ## [error]y ## vso[task.x] ### [a] ## [b] #1 ##"
        );
        assert_eq!(lines("a\n  ::error::x\n::\nb :: c\n", false), "a\n  : :error::x\n: :\nb :: c\n");
        assert_eq!(lines("a\u{1b}\n", false), "a\\u{1b}\n");
        assert_eq!(lines("a\u{1b}[1m\n::x", true), "a\u{1b}[1m\n: :x");
        assert!(matches!(lines("as it was\n: :\n", false), Cow::Borrowed(_)));
    }
}
