//! Joins and ejects with findings that somebody answers for.

use std::fs;

use poolgate::gate::journal::Event;
use poolgate::lab::LabConfig;

use crate::act::SMALL;
use crate::common::rehearsal::{PASSWORD, Rehearsal, served};
use crate::common::run::Poolgate;

/// A blocker that the server knows nothing of, for joins and ejects alike.
const RULE: &str = r#"
title = "The host's name follows our scheme"
why = "Our inventory finds hosts by name."
severity = "blocker"
message = "the host's name is of another scheme"
"#;

struct Case {
    lab: Rehearsal,
}

impl Case {
    fn of(lab: Rehearsal) -> Self {
        for (folder, id, require) in [
            ("join", "join-name-of-our-own", "host.name_label.startsWith('rack-')"),
            ("eject", "eject-name-of-our-own", "member.name_label.startsWith('rack-')"),
        ] {
            let folder = lab.path("rules").join(folder);
            fs::create_dir_all(&folder).unwrap();
            let text = format!("id = \"{id}\"\nrequire = \"{require}\"\n{RULE}");
            fs::write(folder.join(format!("{id}.toml")), text).unwrap();
        }
        Self { lab }
    }

    fn small() -> Self {
        Self::of(Rehearsal::new(SMALL.0, &[SMALL.1]))
    }

    fn waive(&self, rule: &str, host: &str, expires: &str) {
        let text = format!(
            "[[waiver]]\nrule = \"{rule}\"\nhost = \"{host}\"\nreason = \"renamed in the next window\"\nowner = \"ops@example.com\"\nexpires = \"{expires}\"\n"
        );
        fs::write(self.lab.path("waivers.toml"), text).unwrap();
    }

    fn with(&self, run: Poolgate) -> Poolgate {
        let (rules, waivers) = (self.lab.path("rules"), self.lab.path("waivers.toml"));
        run.with(["--rules", rules.to_str().unwrap(), "--waivers", waivers.to_str().unwrap()])
    }

    fn plan(&self) -> String {
        self.lab.plan(self.with(self.lab.join())).display().to_string()
    }
}

/// A day within a year, so that the waiver is not too broad.
fn soon() -> String {
    let later = std::time::SystemTime::now() + std::time::Duration::from_secs(30 * 86_400);
    poolgate::rules::Date::from(later).to_string()
}

#[test]
fn a_waived_blocker_is_joined_and_written_down() {
    let case = Case::small();
    let name = case.lab.joiner(0).name;
    case.waive("join-name-of-our-own", "somebody-else", &soon());
    let refused = case.with(case.lab.join()).status(1);
    assert!(refused.stdout.contains("BLOCKER: join-name-of-our-own"), "{refused}");
    assert!(refused.stdout.contains("waiver-unmatched"), "{refused}");
    case.waive("join-name-of-our-own", &name, &soon());
    let plan = case.plan();
    let written: serde_json::Value = serde_json::from_str(&fs::read_to_string(&plan).unwrap()).unwrap();
    let findings = written["steps"][0]["findings"].as_array().unwrap();
    let finding = findings.iter().find(|finding| finding["rule"] == "join-name-of-our-own").unwrap();
    assert_eq!(finding["waived"]["owner"], "ops@example.com");
    assert_eq!(finding["waived"]["reason"], "renamed in the next window");
    assert_eq!(finding["waived"]["expires"], soon());
    let words = ["--plan", &plan, "--yes", "--wait", "20s"];
    let done = case.with(case.lab.join()).with(words).status(0);
    let shown = done.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    let expected = format!("waived by ops@example.com until {}: renamed in the next window", soon());
    assert!(shown.contains(&expected) && shown.contains("waived join-name-of-our-own"), "{done}");
    let waived: Vec<_> = case
        .lab
        .journal()
        .into_iter()
        .filter_map(|entry| match entry.event {
            Event::Waived { host, rule, waived } => Some((host.name, rule, waived.owner, waived.expires)),
            _ => None,
        })
        .collect();
    let rule = "join-name-of-our-own".to_owned();
    assert_eq!(waived, [(name, rule, "ops@example.com".to_owned(), soon())]);
    assert_eq!(case.lab.count("pool.join"), 1);
}

#[test]
fn a_waiver_that_ends_between_plan_and_act_stops_it() {
    for (change, says) in [("2020-01-01", "not waived"), ("2099-12-31", "until 2099-12-31")] {
        let case = Case::small();
        let name = case.lab.joiner(0).name;
        case.waive("join-name-of-our-own", &name, &soon());
        let plan = case.plan();
        case.waive("join-name-of-our-own", &name, change);
        let done = case.with(case.lab.join()).with(["--plan", &plan, "--yes", "--wait", "20s"]).status(1);
        let told = format!("{}{}", done.stdout, done.stderr).split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            told.contains(&format!("rule join-name-of-our-own: waived by ops@example.com until {}", soon())),
            "{done}"
        );
        assert!(told.contains(says), "{done}");
        assert_eq!(case.lab.count("pool.join"), 0);
    }
    // Nor does one count that the reviewed plan does not have.
    let case = Case::small();
    let name = case.lab.joiner(0).name;
    case.waive("join-name-of-our-own", &name, &soon());
    let plan = case.plan();
    fs::write(case.lab.path("waivers.toml"), "# nothing\n").unwrap();
    case.with(case.lab.join()).with(["--plan", &plan, "--yes"]).status(1);
    assert_eq!(case.lab.count("pool.join"), 0);
}

#[test]
fn a_refusal_of_the_server_is_not_waived_even_where_force_would_skip_it() {
    let other = |json: &mut serde_json::Value| {
        json["pool"]["hosts"][0]["software_version"]["git_id"] = "0123456789abcdef".into();
    };
    let config = LabConfig::new(PASSWORD).serve(served(SMALL.0, |_| {})).serve(served(SMALL.1, other));
    let case = Case::of(Rehearsal::of(config));
    let name = case.lab.joiner(0).name;
    case.waive("software-homogeneous", &name, &soon());
    fs::remove_dir_all(case.lab.path("rules/join")).unwrap();
    let done = case.with(case.lab.join()).status(1);
    assert!(done.stdout.starts_with("NO-GO\n"), "{done}");
    let shown = done.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(shown.contains("the server refuses with HOSTS_NOT_HOMOGENEOUS, and nothing is forced here"), "{done}");
    assert_eq!(case.lab.count("pool.join"), 0);
    // `check` is for operators who may force: there it counts, and the report says with what.
    let check = ["check", "--pool", &case.lab.pool().url(), "--host", &case.lab.joiner(0).url()];
    let checked = case.with(case.lab.act(check)).status(0);
    assert!(checked.stdout.contains("force=true"), "{checked}");
}

#[test]
fn a_waived_blocker_of_an_eject_is_ejected() {
    let case = Case::of(Rehearsal::new("xcp-ng-8.3-5-hosts", &["candidate-good"]));
    case.lab.joined(0);
    let eject = || case.with(case.lab.eject("xcp-good"));
    case.waive("eject-name-of-our-own", "xcp-good", "2020-01-01");
    let refused = eject().status(1);
    assert!(refused.stdout.contains("waiver-expired"), "{refused}");
    case.waive("eject-name-of-our-own", "xcp-good", &soon());
    let plan = case.lab.plan(eject());
    let done = eject().with(["--plan", plan.to_str().unwrap(), "--yes", "--wait", "20s"]).status(0);
    assert!(done.stdout.contains("waived eject-name-of-our-own"), "{done}");
    assert!(case.lab.events().contains(&"waived".to_owned()));
    assert_eq!(case.lab.count("pool.eject"), 1);
    // What is no waiver stops before anything is asked of a server's records.
    fs::write(case.lab.path("waivers.toml"), "[[waiver]]\nrule = \"nobody\"\n").unwrap();
    let complaint = case.with(case.lab.eject("xcp-02")).status(2).stderr;
    assert!(complaint.contains("waivers.toml") && complaint.contains("mistakes in waivers"), "{complaint}");
}
