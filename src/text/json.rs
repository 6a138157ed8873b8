//! JSON for programs that a person may look at: the same texts, and letters that do nothing.

use std::borrow::Cow;

use serde::Serialize;

use super::{acts, log_command};

/// A value as indented JSON with a final newline, safe to look at. For values of texts, numbers, lists, and maps with
/// texts for keys, which cannot fail to be written.
pub fn json(value: &impl Serialize) -> String {
    let mut text = json_text(&serde_json::to_string_pretty(value).unwrap_or_default()).into_owned();
    text.push('\n');
    text
}

/// JSON whose texts are the same and whose letters do nothing on a terminal or in a log: what [`super::plain`] would show
/// as an escape is written as one of JSON's own.
pub fn json_text(json: &str) -> Cow<'_, str> {
    // Line ends are those between the lines, which JSON's writer made.
    let acting = |character: char| acts(character) && character != '\n';
    let mut command = log_command(json);
    if !json.chars().any(acting) && command.is_none() {
        return Cow::Borrowed(json);
    }
    let mut out = String::with_capacity(json.len() + 64);
    let mut units = [0; 2];
    for (at, character) in json.char_indices() {
        // Only a text holds such a sign: outside of texts JSON has none.
        let begins = command == Some(at);
        if begins {
            command = log_command(&json[at + 1..]).map(|next| at + 1 + next);
        }
        if begins || acting(character) {
            for unit in character.encode_utf16(&mut units) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            out.push(character);
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_keeps_its_texts_and_does_nothing() {
        let text = "a\u{202e}b\u{9b}\u{7f}\u{feff}\u{e0041}\n";
        let safe = json(&serde_json::json!({ "k": text }));
        assert_eq!(safe, "{\n  \"k\": \"a\\u202eb\\u009b\\u007f\\ufeff\\udb40\\udc41\\n\"\n}\n");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&safe).unwrap()["k"], text);
    }

    #[test]
    fn no_log_takes_json_for_a_command() {
        let text = "###[error]x ##vso[y] ## [z] ##";
        let safe = json(&text);
        assert_eq!(safe, "\"#\\u0023#[error]x \\u0023#vso[y] ## [z] ##\"\n");
        assert_eq!(serde_json::from_str::<String>(&safe).unwrap(), text);
    }
}
