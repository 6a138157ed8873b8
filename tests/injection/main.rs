//! Texts from elsewhere in everything that poolgate prints: whatever a name, a file's name, a rule, a waiver or a server's
//! error holds, it does nothing on a terminal, in a log, in a browser, in a pull request or to a program, in no format of
//! no command.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as tests do")]

#[path = "../common/mod.rs"]
pub mod common;

mod looks;
mod places;

use std::fs;

use common::fake::{Answer, Fake, PASSWORD, logging_in, small};
use common::rehearsal::{Rehearsal, served};
use common::run::{Done, Poolgate, fixture, poolgate};
use looks::{no_markup, outside_fences, quiet, shape};
use places::{Places, fill, filled, toml_text};
use poolgate::gate::journal::read;
use poolgate::lab::LabConfig;

/// A harmless text of the same kind, to compare with.
const HARMLESS: &str = "web and db";

/// Texts that mean something somewhere.
const HOSTILE: [&str; 12] = [
    "::error file=x,line=1::pwned",
    " \t::stop-commands::x",
    "a\n::add-mask::x\r\n##[error]y ##vso[task.setvariable variable=z]1 ###teamcity[x]",
    "\u{1b}[31m\u{1b}]0;title\u{7}\u{1b}]8;;http://evil.example\u{1b}\\x\u{9b}2J\u{8}\u{7f}\u{0}",
    "a\u{202e}b\u{2066}c\u{2028}d\u{200b}\u{feff}\u{ad}\u{61c}\u{2069}\u{206a}\u{fff9}\u{e0041}",
    "<script>alert(1)</script><img src=x onerror=alert(1)> \" onmouseover=\"alert(1) '><b>&amp;&lt;",
    "]]> <!-- &bogus; <?x?> <![CDATA[ </testcase></failure>",
    "[x](javascript://alert) ![y](https://evil.example/z.png) https://evil.example **b** _c_ `d` ~e~ | @root #1 $x$ !2",
    "```\n# h\n- i\n| a | b |\n<details>",
    "=cmd|' /C calc'!A1",
    "\",\"x\":[{\"a\":1}],\\\" %s %0A {0} {{ 7*7 }} {% raw %} {name}",
    "- 1. + # > \\ ' $(reboot) `reboot` ; rm -rf / && x",
];

/// All at once, for commands with less to say: begun as a log's command, with a control, and as Markdown.
fn mixed() -> [String; 3] {
    let all = HOSTILE.join(" ");
    [format!("::error::{all}"), format!("\n::x::y {all}"), format!("- [a](http://evil) {all}")]
}

/// Every text that is put in, and those of a command's formats.
struct Command<'t> {
    words: &'t dyn Fn(&Places) -> Vec<String>,
    formats: &'t [&'t str],
}

impl Command<'_> {
    fn run(&self, places: &Places, format: &str) -> Done {
        let formats: &[&str] = if format.is_empty() { &[] } else { &["--format", format] };
        poolgate((self.words)(places)).with(formats).any_status(|status| [0, 1, 3].contains(status))
    }

    /// In every format: nothing acts, the exit status is the same, and so is the shape.
    fn holds_for<T: AsRef<str>>(&self, texts: &[T]) {
        let harmless = Places::new(HARMLESS);
        let name = (self.words)(&harmless)[..2].join(" ");
        for format in self.formats {
            let expected = self.run(&harmless, format);
            for text in texts {
                let text = text.as_ref();
                let what = format!("{name} of {text:?}");
                let places = Places::new(text);
                let done = self.run(&places, format);
                quiet(&what, format, &done.stdout);
                quiet(&what, "errors", &done.stderr);
                assert_eq!(done.status, expected.status, "{what} as {format}");
                let [was, is] = [&expected.stdout, &done.stdout].map(|text| shape(format, text));
                for (was, is) in was.iter().zip(&is) {
                    assert_eq!(was, is, "{what} as {format}: another shape");
                }
                assert_eq!(was.len(), is.len(), "{what} as {format}: another shape");
                if *format == "markdown" {
                    no_markup(&what, &places.without_folder(&done.stdout));
                }
            }
        }
    }
}

fn words(fixed: &[&str], more: &[String]) -> Vec<String> {
    fixed.iter().map(|word| (*word).to_owned()).chain(more.iter().cloned()).collect()
}

/// The longest report there is: own rules, waivers, everything that passed.
fn check(places: &Places) -> Vec<String> {
    let named = ["pool", "joiner", "rules", "waivers"].map(|name| places.word(name));
    let [pool, joiner, rules, waivers] = named;
    let more = ["--pool".into(), pool, "--host".into(), joiner, "--rules".into(), rules, "--waivers".into(), waivers];
    words(&["check", "--all", "--today", "2026-06-01"], &more)
}

#[test]
fn a_check() {
    let formats = ["table", "json", "ndjson", "sarif", "junit", "markdown", "html", "github", "gitlab"];
    Command { words: &check, formats: &formats }.holds_for(&HOSTILE);
}

#[test]
fn a_check_of_an_eject() {
    let eject = |places: &Places| {
        // The member goes by its uuid: its name is the text.
        let json: serde_json::Value = serde_json::from_slice(&fs::read(places.path("pool")).unwrap()).unwrap();
        let uuid = json["pool"]["hosts"][4]["uuid"].as_str().unwrap().to_owned();
        words(&["check", "--phase", "eject", "--all", "--member"], &[uuid, "--pool".into(), places.word("pool")])
    };
    let formats = ["table", "json", "ndjson", "sarif", "junit", "markdown", "html", "github", "gitlab"];
    Command { words: &eject, formats: &formats }.holds_for(&mixed());
}

#[test]
fn what_compares_plans_and_explains() {
    let two = |command: &'static [&'static str]| {
        move |places: &Places| words(command, &[places.word("joiner"), places.word("pool")])
    };
    for command in
        [&["cpu", "decode"][..], &["cpu", "diff"], &["cpu", "level"], &["plan", "--effort", "1000"], &["diff"]]
    {
        Command { words: &two(command), formats: &["table", "json"] }.holds_for(&mixed()[..2]);
    }
    let collect = |places: &Places| words(&["collect"], &[places.word("joiner")]);
    Command { words: &collect, formats: &[""] }.holds_for(&mixed()[..2]);
    let list = |places: &Places| words(&["rules", "list", "--rules"], &[places.word("rules")]);
    let explain = |places: &Places| words(&["rules", "explain", "own", "--rules"], &[places.word("rules")]);
    let test = |places: &Places| words(&["rules", "test"], &[places.word("rules")]);
    for text in mixed() {
        // Prose of a rule has Markdown of its own: there it only has to be quiet and free of HTML.
        let places = Places::new(&text);
        for format in ["table", "json", "markdown"] {
            for command in [&list as &dyn Fn(&Places) -> Vec<String>, &explain] {
                let done = poolgate(command(&places)).with(["--format", format]).status(0);
                quiet("rules", format, &done.stdout);
                let bare = outside_fences(&done.stdout);
                assert!(format != "markdown" || !bare.contains('<') && !bare.contains("]("), "{bare}");
            }
        }
        quiet("rules test", "table", &poolgate(test(&places)).status(1).stdout);
    }
}

#[test]
fn data_stay_what_they_are() {
    for text in HOSTILE {
        let places = Places::new(text);
        let snapshot = poolgate(["collect", &places.word("joiner")]).status(0).json();
        assert_eq!(snapshot["pool"]["hosts"][0]["name_label"], text);
        let report = poolgate(check(&places)).with(["--format", "json"]).any_status(|_| true).json();
        assert_eq!(report["joiners"][0]["name"], text);
    }
}

/// A run that fails, and says so on standard error alone.
fn complains(what: &str, run: Poolgate) {
    let done = run.any_status(|status| [2, 4].contains(status));
    assert_eq!(done.stdout, "", "{what}");
    quiet(what, "errors", &done.stderr);
}

#[test]
fn errors() {
    for text in mixed().iter().map(String::as_str).chain(HOSTILE) {
        let places = Places::new(text);
        // No argument holds a NUL.
        let text = &text.replace('\0', "");
        complains("a file that is not there", poolgate(["collect", &places.word("gone")]));
        complains("a target", poolgate(["collect", &format!("https://{text}")]));
        complains("a CPU", poolgate(["collect", &format!("cpu:{text}")]));
        complains("an option", poolgate(["collect", &format!("--{text}")]));
        complains("a command", poolgate([text]));
        complains("a release", poolgate(["collect", "local"]).with(["--as-release", text]));
        complains("a rule", poolgate(["rules", "explain", text]));
        complains(
            "a member",
            poolgate(["check", "--phase", "eject", "--pool", &fixture("xcp-ng-8.3-5-hosts"), "--member", text]),
        );
        complains("a fault", poolgate(["lab", "--demo", "--fault", text]));
        complains("a head", poolgate(["journal", "verify", &places.word("gone"), "--head", text]));
        let write = |name: &str, content: String| fs::write(places.path(name), content).unwrap();
        write("broken", format!("{{\"format\":\"poolgate-snapshot\",\"version\":\"1.0\",\"pool\":{text}"));
        complains("a broken snapshot", poolgate(["collect", &places.word("broken")]));
        write("odd", format!("{{{}: 1}}", serde_json::Value::from(text.as_str())));
        complains("JSON of another kind", poolgate(["collect", &places.word("odd")]));
        write("root", format!("<{text}>"));
        complains("XML of another kind", poolgate(["collect", &places.word("root")]));
        write("quote", format!("release = {}\nserver = []\n", toml_text(text)));
        complains(
            "a quote",
            poolgate(["check", "--pool", &fixture("xcp-ng-8.3-5-hosts"), "--quote", &places.word("quote")]),
        );
        write("hosts", format!("{text} sha256:x\n"));
        complains(
            "known hosts",
            poolgate(["collect", "https://127.0.0.1:1", "--password-env", "HOME"])
                .with(["--known-hosts", &places.word("hosts")])
                .env("HOME", "x"),
        );
        write("waivers", format!("[[waiver]]\nrule = {0}\n{0} = 1\n", toml_text(text)));
        complains("waivers", poolgate(check(&places)));
        let rule = places.path("rules").join("own.toml");
        let with = |line: &str| fs::read_to_string(&rule).unwrap().replace("severity = \"warning\"", line);
        fs::write(&rule, with(&format!("severity = {}", toml_text(text)))).unwrap();
        complains("a rule's severity", poolgate(check(&places)));
        fs::write(&rule, format!("id = \"own\"\ntitle = {text}")).unwrap();
        complains("a rule that is no TOML", poolgate(check(&places)));
    }
}

#[test]
fn no_word_begins_a_line_of_an_error() {
    let forged = "x\npoolgate: GO, all checked\ny";
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let mut pool = common::judge::fixture_json("xcp-ng-8.3-5-hosts");
    pool["pool"]["hosts"][2]["name_label"] = forged.into();
    pool["pool"]["name_label"] = forged.into();
    fs::write(path("pool.json"), pool.to_string()).unwrap();
    let odd = path(forged);
    fs::write(&odd, "{}").unwrap();
    let good = fixture("candidate-good");
    let option = format!("--waivers={odd}");
    let runs: [&[&str]; 6] = [
        &["check", "--phase", "eject", "--pool", &path("pool.json"), "--member", "gone"],
        &["check", "--phase", "eject", "--pool", &path("pool.json"), "--member", forged, "--waivers", &odd],
        &["rules", "explain", forged],
        &["collect", &odd],
        &["check", "--pool", &good, "--host", &good, &option],
        &["merge", &path("gone\npoolgate: GO, all checked")],
    ];
    for words in runs {
        let said = poolgate(words).status(2).stderr;
        assert!(!said.lines().any(|line| line.starts_with("poolgate: GO")), "{words:?}: {said}");
        assert!(said.contains("\\u{a}poolgate: GO"), "{words:?}: {said}");
    }
}

#[test]
fn keys_that_nobody_knows() {
    for text in mixed() {
        let places = Places::new(&text);
        let mut json = filled("candidate-good", &text);
        json["pool"][&text] = 1.into();
        fs::write(places.path("joiner"), json.to_string()).unwrap();
        let done = poolgate(["collect", &places.word("joiner")]).status(0);
        assert!(done.stderr.contains("keys that this version does not know"), "{done}");
        quiet("strange keys", "errors", &done.stderr);
    }
}

#[test]
fn what_a_server_answers() {
    for text in mixed() {
        for (code, params) in
            [("INTERNAL_ERROR", vec![text.clone()]), (text.as_str(), vec![]), ("HOST_IS_SLAVE", vec![text.clone()])]
        {
            let error: Vec<String> = std::iter::once(code.to_owned()).chain(params).collect();
            let fake = Fake::start(logging_in(move |asked| match asked.method.as_str() {
                "pool.get_all_records" => Answer::Error(error.clone()),
                _ => small(asked),
            }));
            let run = poolgate(["collect", &fake.url(), "--password-env", "PW", "--timeout", "20s"])
                .with(["--tls-fingerprint", &fake.fingerprint.plain()])
                .env("PW", PASSWORD);
            let done = run.any_status(|status| [0, 4].contains(status));
            quiet("an answer", "errors", &done.stderr);
            quiet("an answer", "json", &done.stdout);
        }
        // As the member's word for its coordinator, and as the page of a server that is none.
        let page = text.clone();
        let fake = Fake::start(move |asked| match asked.method.as_str() {
            "pool.get_all" => Answer::Error(vec!["X".into()]),
            "session.login_with_password" => Answer::Error(vec!["HOST_IS_SLAVE".into(), page.clone()]),
            _ => Answer::Raw { status: 500, headers: String::new(), body: page.clone().into_bytes() },
        });
        let run = poolgate(["collect", &fake.url(), "--password-env", "PW", "--timeout", "20s"])
            .with(["--tls-fingerprint", &fake.fingerprint.plain()])
            .env("PW", PASSWORD);
        complains("a member's word", run);
    }
}

/// Plans, the join, its journal and what verifies it, against servers whose names and errors are hostile.
#[test]
fn the_gate() {
    for text in &mixed()[..2] {
        let mut config = LabConfig::new(common::rehearsal::PASSWORD);
        for stem in ["xenserver-8-1-host", "candidate-xs8-twin"] {
            config = config.serve(served(stem, |json| {
                // Endpoints of a lab go by the names of hosts.
                let name = json["pool"]["hosts"][0]["name_label"].clone();
                fill(&mut json["pool"], text);
                json["pool"]["hosts"][0]["name_label"] = format!("{text} {name}").into();
            }));
        }
        let lab = Rehearsal::of(config);
        for name in ["plan.json", "plan.md", "plan.txt"] {
            let path = lab.path(name);
            lab.join().with(["--plan-out", path.to_str().unwrap()]).status(0).quietly();
            let written = fs::read_to_string(&path).unwrap();
            quiet("a plan", name, &written);
            if name == "plan.md" {
                no_markup("a plan", &written);
            }
        }
        let fault: Vec<_> = std::iter::once("error=INTERNAL_ERROR").map(str::to_owned).collect();
        lab.lab.fault(fault[0].parse::<poolgate::lab::Fault>().unwrap().on("pool.join"));
        let plan = lab.path("plan.json");
        for format in ["table", "json"] {
            let run = lab.join().with(["--plan", plan.to_str().unwrap(), "--yes", "--format", format]);
            let done = run.status(1);
            quiet("a refused join", format, &done.stdout);
            quiet("a refused join", "errors", &done.stderr);
        }
        lab.lab.clear_faults();
        let done = lab.join().with(["--plan", plan.to_str().unwrap(), "--yes", "--wait", "20s"]);
        let done = done.any_status(|status| [0, 1].contains(status));
        quiet("a join", "table", &done.stdout);
        quiet("a join", "errors", &done.stderr);
        let journal = fs::read_to_string(lab.journal_path()).unwrap();
        quiet("a journal", "json", &journal);
        assert!(read(journal.as_bytes()).fault.is_none());
        for format in ["table", "json"] {
            quiet(
                "a journal's chain",
                format,
                &lab.act_on_journal(&["journal", "verify", "--format", format]).status(0).stdout,
            );
        }
    }
}
