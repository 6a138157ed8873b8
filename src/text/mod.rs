//! Text that came from somewhere else, made safe for where it goes. Depends on nothing; for all that write.
//!
//! Names come from servers and may hold anything. On a terminal a control character is a command and a bidi mark turns
//! text round, so both are shown as escapes.

use std::borrow::Cow;

/// The text with control characters and direction marks as visible escapes: `\u{1b}`.
pub fn plain(text: &str) -> Cow<'_, str> {
    if !text.chars().any(acts) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        if acts(character) {
            shown.extend(character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    Cow::Owned(shown)
}

/// Whether a terminal would do something other than show it: controls (C0, C1, delete), marks and overrides of
/// direction, line and paragraph separators, and characters without width that hide differences.
const fn acts(character: char) -> bool {
    matches!(
        character,
        '\u{0}'..='\u{1f}'
            | '\u{7f}'..='\u{9f}'
            | '\u{61c}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{2069}'
            | '\u{feff}'
    )
}

/// JSON whose texts are the same and whose letters do nothing on a terminal: what [`plain`] would show as an escape is
/// written as one of JSON's own.
pub fn json_text(json: &str) -> Cow<'_, str> {
    let acting = |character: char| acts(character) && character != '\n';
    if !json.chars().any(acting) {
        return Cow::Borrowed(json);
    }
    let mut out = String::with_capacity(json.len() + 64);
    for character in json.chars() {
        // All of them lie in the first plane; line ends are those between the lines, which JSON's writer made.
        if acting(character) {
            out.push_str(&format!("\\u{:04x}", u32::from(character)))
        } else {
            out.push(character)
        }
    }
    Cow::Owned(out)
}

/// One word for a shell, whatever it holds: names are the operator's and may hold anything.
pub fn shell_word(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./:,@%+".contains(&byte);
    if !text.is_empty() && text.bytes().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

/// A text cut to so many characters, with a sign that it was.
pub fn cut(text: &str, width: usize) -> Cow<'_, str> {
    if text.chars().nth(width).is_none() {
        return Cow::Borrowed(text);
    }
    let kept: String = text.chars().take(width.saturating_sub(1)).collect();
    Cow::Owned(format!("{}…", kept.trim_end()))
}

/// A text cut to so many characters in its middle: names often differ at their ends.
pub fn middle_cut(text: &str, width: usize) -> Cow<'_, str> {
    let length = text.chars().count();
    if length <= width {
        return Cow::Borrowed(text);
    }
    let tail = width / 3;
    let head: String = text.chars().take(width.saturating_sub(tail + 1)).collect();
    let tail: String = text.chars().skip(length - tail).collect();
    Cow::Owned(format!("{}…{}", head.trim_end(), tail.trim_start()))
}

/// Text behind a label, wrapped to a width: later lines are indented by two more than the label is. Ends with a
/// newline; blanks between words count as one.
pub fn wrapped(label: &str, text: &str, width: u16) -> String {
    let indent = label.len() - label.trim_start().len();
    wrapped_at(label, indent + 2, text, width)
}

/// The same, with later lines indented by so many columns.
pub fn wrapped_at(label: &str, indent: usize, text: &str, width: u16) -> String {
    let pad = " ".repeat(indent);
    let mut out = String::new();
    let mut line = label.to_owned();
    let mut used = label.chars().count();
    let mut empty = true;
    for word in text.split_whitespace().map(plain) {
        let length = word.chars().count();
        if !empty && used + 1 + length > usize::from(width) {
            out.push_str(&line);
            out.push('\n');
            line.clone_from(&pad);
            used = pad.len();
            empty = true;
        }
        if !empty {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_one_word() {
        assert_eq!(shell_word("10.0.0.1"), "10.0.0.1");
        assert_eq!(shell_word("a; rm -rf /"), "'a; rm -rf /'");
        assert_eq!(shell_word("it's"), "'it'\\''s'");
        assert_eq!(shell_word(""), "''");
    }

    #[test]
    fn a_cut_shows() {
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("abcd", 3), "ab…");
        assert_eq!(middle_cut("abcdefghi", 9), "abcdefghi");
        assert_eq!(middle_cut("network on eth0", 11), "network…th0");
    }

    #[test]
    fn json_keeps_its_texts_and_does_nothing() {
        let text = "a\u{202e}b\u{9b}\u{7f}\u{feff}\n";
        let json = serde_json::to_string_pretty(&serde_json::json!({ "k": text })).unwrap();
        let safe = json_text(&json);
        assert_eq!(safe, "{\n  \"k\": \"a\\u202eb\\u009b\\u007f\\ufeff\\n\"\n}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&safe).unwrap()["k"], text);
    }

    #[test]
    fn what_acts_on_a_terminal_is_shown_and_not_done() {
        assert_eq!(plain("web-01 é 漢"), "web-01 é 漢");
        assert_eq!(plain("a\u{1b}[2Jb\nc"), "a\\u{1b}[2Jb\\u{a}c");
        assert_eq!(plain("\u{202e}gpj.exe\u{9b}"), "\\u{202e}gpj.exe\\u{9b}");
    }
}
