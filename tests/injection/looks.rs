//! What must hold of anything that is printed, whatever stands in it: nothing acts, and it has the shape that it has with
//! harmless texts.

use serde_json::Value as Json;

/// Whether a terminal, a browser or an editor would act on it; written apart from the product's own list.
fn acts(character: char) -> bool {
    let code = u32::from(character);
    let ranges = [
        (0x00, 0x09),
        (0x0b, 0x1f),
        (0x7f, 0x9f),
        (0xad, 0xad),
        (0x61c, 0x61c),
        (0x180e, 0x180e),
        (0x200b, 0x200f),
        (0x2028, 0x202e),
        (0x2060, 0x206f),
        (0xfeff, 0xfeff),
        (0xfff9, 0xfffb),
        (0xe0000, 0xe007f),
    ];
    ranges.iter().any(|(from, to)| (*from..=*to).contains(&code))
}

/// Nothing acts on a terminal, and no log of CI finds a command in it; `github` makes commands of its own.
pub(crate) fn quiet(what: &str, format: &str, text: &str) {
    assert_eq!(text.chars().find(|character| acts(*character)), None, "{what} as {format}: {text:?}");
    for command in ["##[", "##vso[", "##teamcity["] {
        assert!(!text.contains(command), "{what} as {format}: {command} in {text}");
    }
    for line in text.lines().filter(|line| line.trim_start().starts_with("::")) {
        assert_eq!(format, "github", "{what}: a line that a log takes for a command: {line}");
        let command = ["::error ", "::warning ", "::notice "].iter().find_map(|word| line.strip_prefix(word));
        let properties = command.and_then(|rest| rest.split_once("::")).map(|(properties, _)| properties);
        let names = properties.unwrap_or_else(|| panic!("{what}: {line}")).split(',');
        for property in names {
            assert!(["file=", "title="].iter().any(|name| property.starts_with(name)), "{what}: {line}");
        }
    }
}

/// What is left of a text in a format when only its structure counts.
pub(crate) fn shape(format: &str, text: &str) -> Vec<String> {
    match format {
        "json" | "sarif" | "gitlab" => vec![json(&serde_json::from_str(text).unwrap())],
        "ndjson" => text.lines().map(|line| json(&serde_json::from_str(line).unwrap())).collect(),
        "junit" => xml(text),
        "html" => tags(text),
        "markdown" => {
            fenced(text).map(|(line, code)| if code { "code".to_owned() } else { markdown(line) }).collect()
        }
        "github" => text.lines().map(|line| line.split([' ', '=']).next().unwrap_or("").to_owned()).collect(),
        _ => Vec::new(),
    }
}

/// Keys, kinds and lengths.
fn json(value: &Json) -> String {
    match value {
        Json::Object(map) => {
            let fields: Vec<_> = map.iter().map(|(key, value)| format!("{key}:{}", json(value))).collect();
            format!("{{{}}}", fields.join(","))
        }
        Json::Array(list) => format!("[{}]", list.iter().map(json).collect::<Vec<_>>().join(",")),
        Json::String(_) => "text".to_owned(),
        other => other.to_string(),
    }
}

fn xml(text: &str) -> Vec<String> {
    let document = roxmltree::Document::parse(text).unwrap();
    let one = |node: roxmltree::Node<'_, '_>| {
        let names: Vec<_> = node.attributes().map(|attribute| attribute.name().to_owned()).collect();
        format!("{} {}", node.tag_name().name(), names.join(" "))
    };
    document.descendants().filter(|node| !node.is_text()).map(one).collect()
}

/// The tags of HTML with the names of their attributes, as a browser would read them.
fn tags(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        if !rest.starts_with(|letter: char| letter.is_ascii_alphabetic() || "/!?".contains(letter)) {
            continue;
        }
        let (mut tag, mut quoted, mut end) = (String::new(), false, rest.len());
        for (place, letter) in rest.char_indices() {
            match letter {
                '"' => quoted = !quoted,
                '>' if !quoted => {
                    end = place;
                    break;
                }
                _ if !quoted => tag.push(letter),
                _ => {}
            }
        }
        found.push(tag.split_whitespace().collect::<Vec<_>>().join(" "));
        rest = &rest[end..];
    }
    found
}

/// What a line of Markdown is, with the tags in it.
fn markdown(line: &str) -> String {
    let unescaped =
        line.replace("\\\\", "").replace("\\`", "").replace("\\*", "").replace("\\[", "").replace("\\]", "");
    let unescaped = unescaped.replace("\\!", "").replace("\\_", "").replace("\\|", "").replace("\\~", "");
    let head = |sign: char| line.len() - line.trim_start_matches(sign).len();
    let kind = match line.trim_start().chars().next() {
        None => "empty".to_owned(),
        Some('#') => format!("heading {}", head('#')),
        Some('`') if line.starts_with("```") => "fence".to_owned(),
        Some('|') => format!("row {}", unescaped.matches('|').count()),
        Some('-') => "item".to_owned(),
        Some('<') => "html".to_owned(),
        Some(_) => "text".to_owned(),
    };
    format!("{kind} {:?}", tags(line))
}

/// What Markdown would make of a text outside of its fences: links, pictures, mentions.
pub(crate) fn no_markup(what: &str, text: &str) {
    for line in outside_fences(text).lines() {
        for sign in ["](", "![", "@root", "javascript://", "https://evil", "http://evil"] {
            assert!(!line.contains(sign), "{what}: {sign} in {line}");
        }
    }
}

/// Markdown without what is code, between fences or ticks, and without what is escaped.
pub(crate) fn outside_fences(text: &str) -> String {
    let bare = |line: &str| {
        let line =
            ["\\\\", "\\]", "\\[", "\\!", "\\`"].iter().fold(line.to_owned(), |line, sign| line.replace(sign, ""));
        // Ticks side by side or without another are none of ours.
        let pairs = !line.contains("``") && line.matches('`').count() % 2 == 0;
        if pairs { line.split('`').step_by(2).collect() } else { line }
    };
    fenced(text).filter(|(_, code)| !code).map(|(line, _)| bare(line) + "\n").collect()
}

/// The lines of Markdown, and whether each stands between fences, which must all close.
fn fenced(text: &str) -> impl Iterator<Item = (&str, bool)> {
    let mut fence: Option<String> = None;
    let mut lines = Vec::new();
    for line in text.lines() {
        let ticks: String = line.chars().take_while(|letter| *letter == '`').collect();
        let code = fence.is_some();
        match &fence {
            Some(open) if ticks.len() >= open.len() && line.trim_end() == ticks => fence = None,
            None if ticks.len() >= 3 => fence = Some(ticks),
            _ => {}
        }
        lines.push((line, code && fence.is_some()));
    }
    assert_eq!(fence, None, "a fence that does not close: {text}");
    lines.into_iter()
}
