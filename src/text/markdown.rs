//! Text in Markdown (GitHub's and GitLab's), and in the HTML elements that stand in it.

use super::plain;

/// A command to copy, between fences longer than any in it.
pub(crate) fn fenced(command: &str) -> String {
    let command = plain(command);
    let longest = command.split(|character| character != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}sh\n{command}\n{fence}\n\n")
}

/// A text in which nothing is Markdown or HTML: signs that format are escaped; those of tags, mentions, issues, links
/// and tables are written as entities, which no later pass takes up again.
pub(crate) fn md(text: &str) -> String {
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
        Some(b'.' | b')') if digits > 0 && matches!(out.as_bytes().get(digits + 1), None | Some(b' ')) => {
            out.insert(digits, '\\');
        }
        Some(b'-' | b'+' | b'=' | b':') if digits == 0 => out.insert(0, '\\'),
        // Blanks would hide such a sign, or make the line code.
        Some(b' ') if digits == 0 => out.replace_range(..1, "&#32;"),
        _ => {}
    }
    out
}

/// A text as code within a line.
pub(crate) fn code(text: &str) -> String {
    format!("`{}`", plain(text).replace(['`', '\n'], "'"))
}

/// A text inside an HTML element, where Markdown is not read.
pub(crate) fn html(text: &str) -> String {
    let text = plain(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let text = text.replace('"', "&quot;").replace('@', "&#64;").replace('#', "&#35;").replace("://", "&#58;//");
    // Some readers take Markdown up inside of tags all the same.
    text.replace('[', "&#91;").replace(']', "&#93;").replace('`', "&#96;")
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(300))]

        #[test]
        fn no_text_leaves_its_place(name in "(\\PC|\\n|\\r|[<>`*_|#@\\[\\]()!~$-]|://|\u{202e}){0,40}") {
            let (text, tag) = (md(&name), html(&name));
            for sign in ['<', '>', '|', '@', '#', '\n', '\r', '\u{202e}'] {
                assert!(!text.replace("&#", "").contains(sign), "{text:?}");
            }
            assert!(!tag.contains(['<', '>', '"', '\n']) && !text.contains("://") && !tag.contains("://"));
        }
    }

    #[test]
    fn names_are_only_names() {
        assert_eq!(md("**bold** _it_ `x`"), "\\*\\*bold\\*\\* \\_it\\_ \\`x\\`");
        assert_eq!(md("<img src=x> @root #12 a|b"), "&lt;img src=x&gt; &#64;root &#35;12 a&#124;b");
        assert_eq!(md("[a](http://evil) www.evil"), "\\[a\\](http&#58;//evil) www&#46;evil");
        assert_eq!(md("1. one"), "1\\. one");
        assert_eq!(md("2.10 is newer"), "2.10 is newer");
        assert_eq!(md("- one"), "\\- one");
        assert_eq!(md("  ::error::x"), "&#32; ::error::x");
        assert_eq!(md("::error::x"), "\\::error::x");
        assert_eq!(md("a\nb\u{202e}"), "a\\\\u{a}b\\\\u{202e}");
        assert_eq!(html("</summary><script>\n"), "&lt;/summary&gt;&lt;script&gt;\\u{a}");
    }

    #[test]
    fn a_fence_is_longer_than_any_inside() {
        assert_eq!(fenced("echo ````x"), "`````sh\necho ````x\n`````\n\n");
        assert_eq!(fenced("ls"), "```sh\nls\n```\n\n");
    }
}
