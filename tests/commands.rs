//! Every command that is printed exists, with its parameters, on the release of the host where it is to be run.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

pub mod common;

use std::collections::BTreeSet;

use common::commands::{Call, Commands, RELEASES, calls, calls_in_text};
use common::judge::{PAIRS, fixture_json, judge, pools, rules, side};
use common::run::{check, poolgate};
use poolgate::rules::{Outcome, Phase, Registry, at_least, release_of, show_example};
use poolgate::snapshot::read_snapshot;
use serde_json::{Value as Json, json};

/// The versions of xapi on the two sides of a report.
struct Versions {
    joiner: String,
    pool: String,
}

impl Versions {
    /// The versions that a step at a place must suit.
    fn at(&self, place: &str, new_member: bool) -> Vec<&str> {
        match place {
            "joiner" => vec![&self.joiner],
            "member" if new_member => vec![&self.joiner],
            "pool" | "coordinator" | "member" => vec![&self.pool],
            // It does not say where, so it must be right on both.
            _ => vec![&self.joiner, &self.pool],
        }
    }
}

struct Checker {
    commands: Commands,
    faults: BTreeSet<String>,
    seen: BTreeSet<String>,
}

impl Checker {
    fn new() -> Option<Self> {
        Some(Self { commands: Commands::load()?, faults: BTreeSet::new(), seen: BTreeSet::new() })
    }

    fn line(&mut self, what: &str, run: &str, versions: &[&str]) {
        self.calls(what, run, &calls(run), versions);
    }

    fn calls(&mut self, what: &str, text: &str, calls: &[Call], versions: &[&str]) {
        for call in calls {
            self.seen.insert(format!("{} {}", call.program, call.verb));
            for version in versions {
                if let Some(fault) = self.commands.fault(call, version) {
                    self.faults.insert(format!("{what}: {fault}: {text}"));
                }
            }
        }
    }

    /// A step of a report: its command, and those that its note speaks of.
    fn step(&mut self, what: &str, step: &Json, versions: &Versions, new_member: bool) {
        // Steps of the network's scripts name their place as the facts do.
        let place = step["where"].as_str().or(step["place"].as_str()).unwrap();
        let at = versions.at(place, new_member);
        let text = |key: &str| step[key].as_str().unwrap_or_default();
        let (run, note) = (text("run"), text("note"));
        self.line(what, run, &at);
        let mut named = calls_in_text(note);
        // Beside hosts there are switches, with words of their own.
        named.retain(|call| call.program == "xe" || !["cabling", "firmware"].contains(&place));
        self.calls(what, note, &named, &at);
    }

    fn report(&mut self, what: &str, report: &Json, versions: &Versions) {
        for finding in report["findings"].as_array().unwrap() {
            for step in finding["fix"].as_array().unwrap() {
                self.step(&format!("{what}, {}", finding["rule"]), step, versions, false);
            }
        }
        for script in ["before", "after"] {
            for step in report["network"]["repair"][script].as_array().into_iter().flatten() {
                self.step(&format!("{what}, network {script}"), step, versions, true);
            }
        }
    }

    fn done(self, at_least: usize) {
        let faults: Vec<_> = self.faults.into_iter().collect();
        assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
        assert!(self.seen.len() >= at_least, "only {} commands: {:?}", self.seen.len(), self.seen);
    }
}

/// The version of xapi of a fixture's coordinator.
fn version(stem: &str) -> String {
    let (snapshot, _) = read_snapshot(fixture_json(stem).to_string().as_bytes()).unwrap();
    let release = release_of(snapshot.pool.coordinator_host().get().unwrap());
    // A host without the product is judged as if 8.3 were installed.
    release.xapi.get().cloned().unwrap_or_else(|| "24.19.2".to_owned())
}

/// The commands below "Next", which are not in findings: lines of two blanks, continued by a backslash.
fn next_commands(table: &str) -> Vec<String> {
    let next = table.split("\nNext, ").skip(1).collect::<String>();
    let lines = next.replace("\\\n", " ");
    lines.lines().filter_map(|line| line.strip_prefix("  xe ")).map(|line| format!("xe {line}")).collect()
}

#[test]
fn what_is_printed_of_every_pair_exists_there() {
    let Some(mut checker) = Checker::new() else { return };
    let mut next = 0;
    for (pool, joiner) in PAIRS {
        let versions = Versions { joiner: version(joiner), pool: version(pool) };
        let words: &[&str] = if joiner == "candidate-bare" { &["--as-release", "xcp-ng-8.3"] } else { &[] };
        let run = || check(pool, &[joiner]).with(words);
        let json = run().with(["--format", "json"]).any_status(|_| true).json();
        checker.report(joiner, &json["joiners"][0], &versions);
        for command in next_commands(&run().any_status(|_| true).stdout) {
            next += 1;
            checker.line(joiner, &command, &[&versions.joiner]);
        }
    }
    assert!(next >= 10, "only {next} commands that come next");
    checker.done(20);
}

/// Sides of different releases: each command suits the host where it is run.
#[test]
fn what_is_printed_of_foreign_pairs_exists_there() {
    let Some(mut checker) = Checker::new() else { return };
    let rules = rules();
    let sides = |stems: BTreeSet<&'static str>| -> Vec<_> {
        stems.into_iter().map(|stem| (stem, version(stem), side(stem, &fixture_json(stem)))).collect()
    };
    let small = pools().into_iter().filter(|pool| *pool != "xenserver-8-16-hosts").collect();
    let candidates = PAIRS.iter().map(|(_, joiner)| *joiner).filter(|joiner| *joiner != "candidate-bare").collect();
    let candidates = sides(candidates);
    for (pool, of_pool, pool_side) in &sides(small) {
        for (joiner, of_joiner, joiner_side) in &candidates {
            let versions = Versions { joiner: of_joiner.clone(), pool: of_pool.clone() };
            for finding in judge(pool_side, joiner_side, &rules).findings {
                for step in &finding.fix {
                    let step = serde_json::to_value(step).unwrap();
                    checker.step(&format!("{joiner} to {pool}, {}", finding.rule), &step, &versions, false);
                }
            }
        }
    }
    checker.done(20);
}

#[test]
fn what_is_printed_of_every_eject_exists_there() {
    let Some(mut checker) = Checker::new() else { return };
    let mut next = 0;
    for pool in pools() {
        let version = version(pool);
        let versions = Versions { joiner: version.clone(), pool: version };
        let path = format!("fixtures/{pool}.json");
        let hosts = fixture_json(pool)["pool"]["hosts"].clone();
        for host in hosts.as_array().unwrap().iter().take(5) {
            let member = host["name_label"].as_str().unwrap();
            let words = ["check", "--phase", "eject", "--pool", &path, "--member", member];
            let json = poolgate(words).with(["--format", "json"]).any_status(|_| true).json();
            checker.report(member, &json["member"], &versions);
            for command in next_commands(&poolgate(words).any_status(|_| true).stdout) {
                next += 1;
                checker.line(member, &command, &[&versions.pool]);
            }
        }
    }
    assert!(next >= 2, "only {next} commands that come next");
    checker.done(5);
}

/// What releases before a version do not know of: it is not there to be mended.
const SINCE: &[(&str, &str)] = &[
    ("certificates", "1.249"),
    ("cluster_hosts", "1.93"),
    ("clusters", "1.93"),
    ("network_sriovs", "1.83"),
    ("pvs_sites", "1.14"),
    ("sdn_controllers", "1.30"),
    ("tls_verification_enabled", "1.290.0"),
    ("is_psr_pending", "1.249"),
    ("repositories", "1.301.0"),
    ("update_sync_enabled", "23.18.0"),
    ("updates", "1.14"),
];
const HOST_SINCE: &[(&str, &str)] = &[
    ("latest_synced_updates_applied", "23.18.0"),
    ("last_update_hash", "24.10.0"),
    ("pending_guidances", "1.303.0"),
    ("pending_guidances_full", "23.18.0"),
    ("pending_guidances_recommended", "23.18.0"),
    ("tls_verification_enabled", "1.313.0"),
    ("updates", "1.14"),
];

/// Makes the hosts of one side run a release.
fn install(pool: &mut Json, (xapi, major, minor): (&str, i64, i64)) {
    let absent = || json!({ "$unknown": "absent-on-release" });
    for (field, first) in SINCE {
        if !at_least(xapi, first) && !pool[field].is_null() {
            pool[field] = absent();
        }
    }
    for certificate in pool["certificates"].as_array_mut().into_iter().flatten() {
        // Until 8.3's previews only hosts have certificates here.
        if !at_least(xapi, "1.294.0") {
            certificate["kind"] = absent();
            certificate["name"] = absent();
        }
    }
    for host in pool["hosts"].as_array_mut().into_iter().flatten() {
        for (field, first) in HOST_SINCE {
            if !at_least(xapi, first) && !host[field].is_null() {
                host[field] = absent();
            }
        }
        host["api_version_major"] = major.into();
        host["api_version_minor"] = minor.into();
        let Some(software) = host["software_version"].as_object_mut() else { continue };
        software.remove("xapi_build");
        software.insert("xapi".to_owned(), "1.20".into());
        if at_least(xapi, "21") {
            let short: Vec<_> = xapi.split('.').take(2).collect();
            software.insert("xapi".to_owned(), short.join(".").into());
            software.insert("xapi_build".to_owned(), xapi.into());
        }
    }
}

/// Whether a rule's steps hold a command at all: most of the time goes into judging.
fn speaks_of_commands(id: &str, eject: bool) -> bool {
    let phase = if eject { "eject" } else { "join" };
    let path = format!("{}/rules/{phase}/{id}.toml", env!("CARGO_MANIFEST_DIR"));
    let rule: toml::Table = std::fs::read_to_string(path).unwrap().parse().unwrap();
    let steps = rule.get("fix").and_then(toml::Value::as_array).into_iter().flatten();
    steps.into_iter().any(|step| step.get("run").is_some() || step.to_string().contains('`'))
}

/// Every rule's examples, on every release, alike on both sides and with the other side newer or older.
#[test]
fn what_rules_print_exists_on_every_release() {
    let Some(mut checker) = Checker::new() else { return };
    let rules = Registry::load_whole(&[]).unwrap_or_else(|errors| panic!("{errors:#?}"));
    for rule in rules.all().filter(|rule| !rule.phases.contains(&Phase::Procurement) || rule.phases.len() > 1) {
        let eject = rule.phases.contains(&Phase::Eject);
        if !speaks_of_commands(&rule.id, eject) {
            continue;
        }
        let failing = rule.examples.iter().filter(|example| example.expect == "fail");
        for (nth, example) in failing.enumerate() {
            // One example of a rule goes through all releases, the others through where commands changed most.
            let some = |place: &usize| nth == 0 || [1, 4, 12, 15, RELEASES.len() - 1].contains(place);
            for (place, joiner) in RELEASES.iter().enumerate().filter(|(place, _)| some(place)) {
                // An eject has one side; of foreign pairs the oldest, a middle and the newest joiner will do.
                let foreign = nth == 0 && !eject && [0, 12, RELEASES.len() - 1].contains(&place);
                let others = [place, 0, 12, RELEASES.len() - 1];
                for pool in others.into_iter().take(if foreign { 4 } else { 1 }).map(|other| RELEASES[other]) {
                    let change = |root: &mut Json| {
                        install(&mut root["pool"], pool);
                        install(&mut root["joiner"], *joiner);
                    };
                    let Ok(finding) = show_example(rule, example, &change) else { continue };
                    if finding.outcome != Outcome::Fail {
                        continue;
                    }
                    let versions = Versions { joiner: joiner.0.to_owned(), pool: pool.0.to_owned() };
                    for step in &finding.fix {
                        let step = serde_json::to_value(step).unwrap();
                        let what = format!("{} ({} to {})", rule.id, joiner.0, pool.0);
                        checker.step(&what, &step, &versions, false);
                    }
                }
            }
        }
    }
    checker.done(50);
}

/// Of a host whose release nobody told, the commands of each release are shown, and that it is not known.
#[test]
fn commands_of_an_unknown_release_say_so() {
    let mut joiner = fixture_json("candidate-good");
    let host = joiner["pool"]["hosts"][0].as_object_mut().unwrap();
    for field in ["software_version", "api_version_major", "api_version_minor"] {
        host.remove(field);
    }
    host["clock"]["offset_ms"] = 60_000.into();
    let pool = side("pool", &fixture_json("xcp-ng-8.3-5-hosts"));
    let judgement = judge(&pool, &side("joiner", &joiner), &rules());
    let finding = judgement.findings.iter().find(|finding| finding.rule == "clocks-agree").unwrap();
    let runs: Vec<_> = finding.fix.iter().map(|step| step.run.as_str()).collect();
    assert_eq!(runs, ["chronyc makestep", "service ntpd stop; ntpd -gq; service ntpd start"]);
    for step in &finding.fix {
        assert!(step.note.starts_with("Whether this is the command here is not known"), "{step:?}");
    }
}

#[test]
fn the_parser_sees_commands_wherever_they_are() {
    let verbs = |found: Vec<Call>| -> Vec<_> { found.into_iter().map(|call| (call.verb, call.params)).collect() };
    let nested = "for pbd in $(xe pbd-list sr-uuid=1 --minimal | tr , ' '); do xe pbd-unplug uuid=$pbd; done; xe sr-forget uuid=1";
    let expected =
        [("pbd-list", vec!["sr-uuid"]), (",", vec![]), ("pbd-unplug", vec!["uuid"]), ("sr-forget", vec!["uuid"])];
    let expected: Vec<_> = expected
        .into_iter()
        .map(|(verb, params)| (verb.to_owned(), params.into_iter().map(str::to_owned).collect::<Vec<_>>()))
        .collect();
    assert_eq!(verbs(calls(nested)), expected);
    let quoted = calls("xe network-param-set uuid=1 'name-label=a; xe b' && xe host-reboot uuid=2");
    assert_eq!(verbs(quoted).len(), 2);
    let named = calls_in_text("Then `xe pif-plug uuid=`, or `--set-xen`; xe is not in a text.");
    assert_eq!(verbs(named), [("pif-plug".to_owned(), vec!["uuid".to_owned()])]);
}

#[test]
fn the_table_refuses_what_a_release_lacks() {
    let Some(commands) = Commands::load() else { return };
    let fault = |run: &str, xapi: &str| commands.fault(&calls(run)[0], xapi);
    assert_eq!(
        fault("xe host-set-cpu-features uuid=1 features=2", "1.14"),
        Some("xe host-set-cpu-features is not there on 1.14".to_owned())
    );
    assert_eq!(fault("xe host-set-cpu-features uuid=1 features=2", "0.62"), None);
    assert_eq!(
        fault("xe bond-create network-uuid=1", "1.249"),
        Some("xe bond-create needs pif-uuids on 8.2".to_owned())
    );
    assert_eq!(
        fault("xe bond-destroy uid=1", "1.249"),
        Some("xe bond-destroy has no parameter uid on 8.2".to_owned())
    );
    assert!(fault("xe cluster-host-disable uuid=1", "1.30").is_some());
    assert!(fault("chronyc makestep", "1.249").is_some());
    assert!(fault("no-such-program", "26.17.0").is_some());
}
