//! Text that came from somewhere else, made safe for where it goes. Depends on nothing; for all that write.
//!
//! Names come from servers and may hold anything. On a terminal a control character is a command and a bidi mark turns
//! text round, so both are shown as escapes.

use std::borrow::Cow;

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

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

/// How many columns a text takes on a terminal: letters of some scripts take two, combining marks none.
pub fn columns(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.width() }
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

/// A text in which nothing is Markdown or HTML: signs that format are escaped; those of tags, mentions, issues, links
/// and tables are written as entities, which no later pass takes up again.
pub fn markdown(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for character in plain(text).chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '@' => out.push_str("&#64;"),
            '#' => out.push_str("&#35;"),
            '|' => out.push_str("&#124;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '~' | '!' | '$' => {
                out.push('\\');
                out.push(character);
            }
            _ => out.push(character),
        }
    }
    // `http://…` and `www.…` become links by themselves.
    out = out.replace("://", "&#58;//").replace("www.", "www&#46;").replace("WWW.", "WWW&#46;");
    // At the start of a line these would begin a list or a heading.
    let digits = out.bytes().take_while(u8::is_ascii_digit).count();
    match out.as_bytes().get(digits) {
        Some(b'.' | b')') if digits > 0 => out.insert(digits, '\\'),
        Some(b'-' | b'+' | b'=') if digits == 0 => out.insert(0, '\\'),
        _ => {}
    }
    out
}

/// A text inside an HTML element, where Markdown is not read.
pub fn html(text: &str) -> String {
    let text = plain(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', "&quot;").replace('@', "&#64;").replace('#', "&#35;").replace("://", "&#58;//")
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
