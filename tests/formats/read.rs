//! Reads the findings back out of each format.

use std::collections::BTreeSet;

use serde_json::Value as Json;

/// Every format of a report.
pub(crate) const FORMATS: [&str; 9] =
    ["table", "json", "ndjson", "sarif", "junit", "markdown", "html", "github", "gitlab"];

/// (host, mark, rule) of each finding that has something to say. The table names no host at a finding: there all are of
/// one host unless headings part them.
pub(crate) fn findings(format: &str, text: &str) -> BTreeSet<(String, String, String)> {
    let all = match format {
        "table" => table(text),
        "json" => json(&serde_json::from_str(text).unwrap()),
        "ndjson" => ndjson(text),
        "sarif" => sarif(&serde_json::from_str(text).unwrap()),
        "junit" => junit(text),
        "markdown" => markdown(text),
        "html" => html(text),
        "github" => github(text),
        "gitlab" => gitlab(&serde_json::from_str(text).unwrap()),
        other => panic!("no format {other}"),
    };
    let quiet = ["pass", "n/a"];
    all.into_iter().filter(|(_, mark, _)| !quiet.contains(&mark.as_str())).collect()
}

type Found = Vec<(String, String, String)>;

fn found(host: &str, mark: &str, rule: &str) -> (String, String, String) {
    (host.to_owned(), mark.to_owned(), rule.to_owned())
}

const MARKS: [&str; 8] = ["BLOCKER", "WARNING", "NOTE", "UNDECIDED", "unknown", "waived", "pass", "n/a"];

fn of_json(host: &str, list: &Json) -> Found {
    let mark = |finding: &Json| match (finding["outcome"].as_str().unwrap(), finding["severity"].as_str().unwrap()) {
        ("fail", _) if finding["waived"].is_object() => "waived".to_owned(),
        ("fail", severity) => severity.to_uppercase(),
        ("unknown", "blocker") => "UNDECIDED".to_owned(),
        ("unknown", _) => "unknown".to_owned(),
        ("pass", _) => "pass".to_owned(),
        _ => "n/a".to_owned(),
    };
    let list = list.as_array().unwrap().iter();
    list.map(|finding| found(host, &mark(finding), finding["rule"].as_str().unwrap())).collect()
}

fn json(report: &Json) -> Found {
    let hosts = report["joiners"].as_array().unwrap().iter().chain(report.get("member"));
    let mut all: Found = hosts.flat_map(|host| of_json(host["name"].as_str().unwrap(), &host["findings"])).collect();
    if let Some(waivers) = report.get("waivers") {
        all.extend(of_json("waivers", &waivers["findings"]));
    }
    all
}

fn ndjson(text: &str) -> Found {
    let mut all = Vec::new();
    for line in text.lines() {
        let line: Json = serde_json::from_str(line).unwrap();
        for host in line.get("joiner").into_iter().chain(line.get("member")) {
            all.extend(of_json(host["name"].as_str().unwrap(), &host["findings"]));
        }
        if let Some(waivers) = line.get("waivers") {
            all.extend(of_json("waivers", &waivers["findings"]));
        }
    }
    all
}

fn sarif(log: &Json) -> Found {
    let rules = log["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap();
    let one = |result: &Json| {
        let host = result["properties"]["host"].as_str().unwrap();
        let rule = result["ruleId"].as_str().unwrap();
        assert_eq!(rules[result["ruleIndex"].as_u64().unwrap() as usize]["id"], rule);
        let text = result["message"]["text"].as_str().unwrap();
        let mark = MARKS.iter().find(|mark| text.starts_with(&format!("{host}: {mark}: "))).unwrap();
        assert_eq!(*mark == "waived", result.get("suppressions").is_some());
        found(host, mark, rule)
    };
    log["runs"][0]["results"].as_array().unwrap().iter().map(one).collect()
}

fn junit(text: &str) -> Found {
    let document = roxmltree::Document::parse(text).unwrap();
    let cases = document.descendants().filter(|node| node.has_tag_name("testcase"));
    cases
        .filter_map(|case| {
            let mark = case.children().find_map(|node| node.attribute("type"))?;
            // A run's cases are numbered.
            let rule = case.attribute("name").unwrap().split(' ').next().unwrap();
            Some(found(case.attribute("classname").unwrap(), mark, rule))
        })
        .collect()
}

fn markdown(text: &str) -> Found {
    let mut host = String::new();
    let mut all = Vec::new();
    for line in text.lines() {
        if let Some(title) = line.strip_prefix("### ") {
            let name = title.split_once(' ').and_then(|(_, rest)| Some(rest.rsplit_once(": ")?.0));
            name.unwrap_or(title).clone_into(&mut host);
        } else if let Some(title) = line.strip_prefix("#### ") {
            let (mark, rule) = title.split_once(": ").unwrap();
            all.push(found(&host, mark, rule.trim_matches('`')));
        } else if let Some(title) = line.strip_prefix("<details><summary>") {
            let (mark, rest) = title.split_once(": <code>").unwrap();
            all.push(found(&host, mark, rest.split_once("</code>").unwrap().0));
        } else if host.is_empty() && line.contains(" → pool ") {
            line.split(" → pool ").next().unwrap().clone_into(&mut host);
        } else if host.is_empty() && line.contains(" leaves pool ") {
            line.split(" leaves pool ").next().unwrap().clone_into(&mut host);
        }
    }
    all
}

fn html(text: &str) -> Found {
    let attribute = |tag: &str, name: &str| {
        let start = tag.find(&format!("{name}=\"")).unwrap() + name.len() + 2;
        tag[start..].split('"').next().unwrap().to_owned()
    };
    let tags = text.split("<article ").skip(1).map(|rest| rest.split('>').next().unwrap());
    tags.map(|tag| found(&attribute(tag, "data-host"), &attribute(tag, "data-mark"), &attribute(tag, "data-rule")))
        .collect()
}

fn github(text: &str) -> Found {
    let commands = text.lines().filter(|line| line.starts_with("::"));
    commands
        .map(|line| {
            let title = line.split("title=").nth(1).unwrap().split("::").next().unwrap();
            let mut words = title.splitn(4, ' ');
            let (mark, rule) = (words.next().unwrap(), words.next().unwrap());
            assert_eq!(words.next(), Some("on"));
            found(words.next().unwrap(), mark, rule)
        })
        .collect()
}

fn gitlab(issues: &Json) -> Found {
    let mut prints = BTreeSet::new();
    let one = |issue: &Json| {
        assert!(prints.insert(issue["fingerprint"].to_string()), "a fingerprint twice: {issue}");
        let text = issue["description"].as_str().unwrap();
        let mark = MARKS.iter().find(|mark| text.contains(&format!(": {mark}: "))).unwrap();
        let host = text.split(&format!(": {mark}: ")).next().unwrap();
        found(host, mark, issue["check_name"].as_str().unwrap())
    };
    issues.as_array().unwrap().iter().map(one).collect()
}

fn table(text: &str) -> Found {
    let mut host = String::new();
    let mut all = Vec::new();
    for line in text.lines() {
        if line == "Waivers" {
            "waivers".clone_into(&mut host);
        } else if let Some(title) = line.strip_prefix("── ") {
            title.split(". ").nth(1).unwrap().split(" ── ").next().unwrap().clone_into(&mut host);
        } else if host.is_empty() && (line.contains(" → pool ") || line.contains(" leaves pool ")) {
            line.split(" → pool ").next().unwrap().split(" leaves pool ").next().unwrap().clone_into(&mut host);
        } else if let Some((mark, rule)) = line.split_once(": ")
            && MARKS.contains(&mark)
            && !rule.contains(' ')
        {
            all.push(found(&host, mark, rule));
        }
    }
    all
}

/// What a name that means something in every format must not have done.
pub(crate) fn check_names(format: &str, text: &str, nasty: &str) {
    match format {
        "json" => {
            let report: Json = serde_json::from_str(text).unwrap();
            assert_eq!(report["joiners"][0]["name"], nasty, "data stay what they are");
        }
        "ndjson" => assert_eq!(text.lines().count(), 3),
        "sarif" => {
            let log: Json = serde_json::from_str(text).unwrap();
            for result in log["runs"][0]["results"].as_array().unwrap() {
                let message = result["message"]["text"].as_str().unwrap();
                assert!(!message.contains("](") && !message.contains("{0}"), "{message}");
                assert!(!message.contains('\u{1b}') && !message.contains('\u{202e}'), "{message}");
            }
        }
        "junit" => drop(roxmltree::Document::parse(text).unwrap()),
        "markdown" => {
            // Folds are HTML, where Markdown is not read; what is escaped is text.
            let lines = outside_fences(text)
                .lines()
                .filter(|line| !line.starts_with("<details>"))
                .collect::<Vec<_>>()
                .join("\n");
            let read = lines.replace("\\]", "").replace("\\[", "").replace("\\*", "").replace("\\`", "");
            for sign in ["@root", "#1 ", "](javascript", "https://evil", " *c* ", "`b` *"] {
                assert!(!read.contains(sign), "{sign}");
            }
        }
        "html" => {
            assert!(text.contains("7*7") && text.contains("{% raw %}"), "templates leave names alone");
            assert!(!text.contains("href=\"javascript"));
        }
        "github" => {
            let commands = text.lines().filter(|line| line.trim_start().starts_with("::")).count();
            assert_eq!(commands, text.matches("title=").count());
            assert!(!text.contains("##["));
            for line in text.lines().filter(|line| line.starts_with("::")) {
                let properties = line[2..].split("::").next().unwrap();
                assert_eq!(properties.matches(',').count(), properties.matches("file=").count(), "{line}");
            }
        }
        "gitlab" => {
            let issues: Json = serde_json::from_str(text).unwrap();
            assert!(issues.as_array().unwrap().iter().all(|issue| !issue.to_string().contains('\u{202e}')));
        }
        "table" => {}
        other => panic!("no format {other}"),
    }
}

pub(crate) fn outside_fences(text: &str) -> String {
    let mut fenced = false;
    let mut out = String::new();
    for line in text.lines() {
        if line.starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            out.push_str(line);
            out.push('\n');
        }
    }
    out
}
