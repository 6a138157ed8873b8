//! The commands in what poolgate prints, and whether a release has them: one parser for all that is printed.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::collections::BTreeSet;

use poolgate::rules::at_least;
use serde_json::Value as Json;

use super::shared;

/// A command with the names of its parameters; `host-disable`, `["uuid"]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The program, `xe` or another.
    pub program: String,
    /// What `xe` is to do; the first word of other programs, where there is one.
    pub verb: String,
    /// `name=value` parameters by name.
    pub params: Vec<String>,
    /// The values of `params=` and `param-name=`.
    pub fields: Vec<String>,
    /// A command line to run, and not one that a text speaks of.
    pub whole: bool,
}

/// The calls of a command line: several, in loops and in `$( )`.
pub fn calls(run: &str) -> Vec<Call> {
    let mut found = Vec::new();
    read(run, true, &mut found);
    found
}

/// The calls that a text speaks of: those in backticks.
pub fn calls_in_text(text: &str) -> Vec<Call> {
    let mut found = Vec::new();
    for quoted in text.split('`').skip(1).step_by(2) {
        // `--set-xen` and the like are parts of a command.
        if quoted.starts_with(|first: char| first.is_ascii_lowercase() || first == '/') {
            read(quoted, false, &mut found);
        }
    }
    found
}

/// Reads simple commands one after another; those in `$( )` for themselves.
fn read(line: &str, whole: bool, found: &mut Vec<Call>) {
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    let mut chars = line.chars().peekable();
    let mut quote = None;
    while let Some(next) = chars.next() {
        match (quote, next) {
            (Some(open), _) if next == open => quote = None,
            (None, '\'' | '"') => quote = Some(next),
            (quote, '$') if quote != Some('\'') && chars.peek() == Some(&'(') => {
                chars.next();
                let mut depth = 1;
                let mut inner = String::new();
                for next in chars.by_ref() {
                    depth += match next {
                        '(' => 1,
                        ')' => -1,
                        _ => 0,
                    };
                    if depth == 0 {
                        break;
                    }
                    inner.push(next);
                }
                assert_eq!(depth, 0, "{line}: $( without )");
                read(&inner, whole, found);
                word.push_str("$()");
            }
            (None, '\\') if chars.peek() == Some(&'\n') => drop(chars.next()),
            (None, ';' | '|' | '&' | '\n') => {
                words.push(std::mem::take(&mut word));
                close(&mut words, whole, found);
            }
            (None, ' ') => words.push(std::mem::take(&mut word)),
            (_, next) => word.push(next),
        }
    }
    assert_eq!(quote, None, "{line}: a quote is open");
    words.push(word);
    close(&mut words, whole, found);
}

fn close(words: &mut Vec<String>, whole: bool, found: &mut Vec<Call>) {
    let mut words = std::mem::take(words).into_iter().filter(|word| !word.is_empty()).peekable();
    match words.peek().map(String::as_str) {
        // `for network in $()`, `done`: what is looped over was read by itself.
        None | Some("for" | "done") => return,
        Some("do") => drop(words.next()),
        Some(_) => {}
    }
    let Some(program) = words.next() else { return };
    let rest: Vec<String> = words.collect();
    let xe = program == "xe";
    let verb = rest.first().filter(|first| xe || !first.starts_with('-')).cloned().unwrap_or_default();
    let parameters = rest.iter().filter_map(|word| word.split_once('='));
    let named = |(name, _): (&str, &str)| name.to_owned();
    let fields = parameters.clone().filter(|(name, _)| ["params", "param-name"].contains(name));
    found.push(Call {
        program,
        verb,
        params: if xe { parameters.clone().map(named).collect() } else { Vec::new() },
        fields: fields.flat_map(|(_, value)| value.split(',').map(str::to_owned)).collect(),
        whole,
    });
}

/// The lines of the reference data, by the version of xapi that stands for them.
const LINES: &[(&str, &str)] = &[
    ("6.2", "0.62"),
    ("7.0", "1.9.81"),
    ("7.1", "1.14"),
    ("7.6", "1.110"),
    ("8.2", "1.249"),
    ("24.19", "24.19.0"),
    ("25.33", "25.33.0"),
    ("26.17", "26.17.0"),
];

/// Commands that come or go between two lines, where it is known when: from the first version that has them to the first
/// that has not. They came and went with what they act on.
const BETWEEN: &[(&str, &str, &str)] = &[
    ("host-reset-cpu-features", "", "1.9"),
    ("host-set-cpu-features", "", "1.9"),
    ("network-sriov-destroy", "1.83", ""),
    ("pool-enable-tls-verification", "1.290.0", ""),
    ("pool-install-trusted-certificate", "26.1.12", ""),
    ("pool-uninstall-trusted-certificate", "26.1.12", ""),
    ("sdn-controller-forget", "1.30", ""),
];

/// Classes of `CLASS-list` and `CLASS-param-…` that not every release has.
const CLASSES: &[(&str, &str)] = &[
    ("cluster", "1.93"),
    ("cluster-host", "1.93"),
    ("network-sriov", "1.83"),
    ("pvs-site", "1.14"),
    ("sdn-controller", "1.30"),
    ("update", "1.14"),
];

/// Fields of `params=`, `param-name=` and `-param-set` that not every release has.
const FIELDS: &[(&str, &str)] =
    &[("iscsi_iqn", "1.83"), ("multipathing", "1.83"), ("pending-guidances", "1.303.0"), ("purpose", "1.40")];

/// Programs that are not `xe`, from the first version that has them to the first that has not.
const PROGRAMS: &[(&str, &str, &str)] = &[
    ("/opt/xensource/libexec/xen-cmdline", "", ""),
    ("chronyc", "22.20.0", ""),
    ("corosync-quorumtool", "1.93", ""),
    ("getent", "", ""),
    ("interface-rename", "", ""),
    // What prints the commands, wherever it runs.
    ("poolgate", "", ""),
    // XOSTOR's own, where its packages are installed.
    ("linstor", "", ""),
    // The shell's own.
    ("read", "", ""),
    ("unset", "", ""),
    ("ntpd", "", "22.20.0"),
    ("ntpq", "", "22.20.0"),
    ("systemctl", "1.9", ""),
    ("tr", "", ""),
    ("uuidgen", "", ""),
    ("service", "", ""),
    ("xe-install-supplemental-pack", "", "1.14"),
    ("xe-switch-network-backend", "", ""),
    ("xe-toolstack-restart", "", ""),
    ("xsconsole", "", ""),
    ("yum", "1.9", ""),
];

/// The commands that the releases have.
pub struct Commands {
    table: Json,
}

impl Commands {
    /// The reference data, where it is there.
    pub fn load() -> Option<Self> {
        let text = std::fs::read(shared()?.join("data/xe-commands.json")).unwrap();
        Some(Self { table: serde_json::from_slice(&text).unwrap() })
    }

    /// Why a version of xapi does not have a call.
    pub fn fault(&self, call: &Call, xapi: &str) -> Option<String> {
        let since = |table: &[(&str, &str)], key: &str| {
            table.iter().find(|(name, _)| *name == key).is_none_or(|(_, first)| at_least(xapi, first))
        };
        let within = |from: &str, until: &str| {
            (from.is_empty() || at_least(xapi, from)) && (until.is_empty() || !at_least(xapi, until))
        };
        if call.program != "xe" {
            let Some((_, from, until)) = PROGRAMS.iter().find(|(name, _, _)| *name == call.program) else {
                return Some(format!("{} is no program that is known here", call.program));
            };
            return (!within(from, until)).then(|| format!("{} is not there on {xapi}", call.program));
        }
        let verb = call.verb.as_str();
        if verb.ends_with("-list") || verb.contains("-param-") {
            let class = verb.split("-param-").next().unwrap().trim_end_matches("-list");
            if !since(CLASSES, class) {
                return Some(format!("no class {class} on {xapi}"));
            }
            let set = if verb.ends_with("-param-set") { call.params.as_slice() } else { &[] };
            let unknown = call.fields.iter().chain(set).find(|field| !since(FIELDS, field));
            return unknown.map(|field| format!("no field {field} of {class} on {xapi}"));
        }
        if let Some((_, from, until)) = BETWEEN.iter().find(|(name, _, _)| *name == verb) {
            let line = if until.is_empty() { LINES[LINES.len() - 1].0 } else { LINES[0].0 };
            return match within(from, until) {
                true => self.fault_on(call, line),
                false => Some(format!("xe {verb} is not there on {xapi}")),
            };
        }
        // Between two lines both must have it.
        let at = LINES.iter().rposition(|(_, first)| at_least(xapi, first)).unwrap_or(0);
        let next = if at_least(LINES[at].1, xapi) { at } else { (at + 1).min(LINES.len() - 1) };
        [at, next].iter().find_map(|line| self.fault_on(call, LINES[*line].0))
    }

    fn fault_on(&self, call: &Call, line: &str) -> Option<String> {
        let place = |name: &Json| LINES.iter().position(|(line, _)| *line == name).unwrap();
        let here = LINES.iter().position(|(name, _)| *name == line).unwrap();
        let Some(forms) = self.table["commands"][&call.verb].as_array() else {
            return Some(format!("no release has xe {}", call.verb));
        };
        let Some(form) = forms.iter().find(|form| (place(&form["from"])..=place(&form["to"])).contains(&here)) else {
            return Some(format!("xe {} is not there on {line}", call.verb));
        };
        let names = |kind: &str| -> BTreeSet<&str> {
            form[kind].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect()
        };
        let (required, optional) = (names("required"), names("optional"));
        // Ways to choose hosts and VMs that commands share.
        let selectors = ["uuid", "name-label"];
        let known = |name: &str| {
            required.contains(name)
                || selectors.contains(&name)
                || name == "force"
                || optional.iter().any(|it| *it == name || it.ends_with(':') && name.starts_with(it))
        };
        if let Some(stranger) = call.params.iter().find(|name| !known(name)) {
            return Some(format!("xe {} has no parameter {stranger} on {line}", call.verb));
        }
        // A text may name a command without spelling it out.
        let spelt = call.whole || !call.params.is_empty();
        let missing = required.iter().find(|name| !call.params.iter().any(|param| param == *name));
        missing.filter(|_| spelt).map(|name| format!("xe {} needs {name} on {line}", call.verb))
    }
}

/// A version of xapi for each release line that is judged, with the API version that belongs to it.
pub const RELEASES: &[(&str, i64, i64)] = &[
    ("0.61", 1, 10),
    ("0.62", 2, 0),
    ("0.65", 2, 3),
    ("1.9.81", 2, 5),
    ("1.14", 2, 6),
    ("1.30", 2, 7),
    ("1.50.0", 2, 8),
    ("1.60", 2, 9),
    ("1.90", 2, 10),
    ("1.110", 2, 11),
    ("1.160", 2, 12),
    ("1.214", 2, 14),
    ("1.249", 2, 15),
    ("22.20.0", 2, 20),
    ("23.19.2", 2, 20),
    ("24.19.2", 2, 21),
    ("24.39.1", 2, 21),
    ("25.6.0", 2, 21),
    ("25.33.1", 2, 21),
    ("26.1.12", 2, 21),
    ("26.17.0", 2, 23),
];
