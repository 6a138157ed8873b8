//! What holds for the folder of rules as a whole.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as tests do")]

pub mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use common::commands::{Commands, RELEASES, calls, calls_in_text};
use poolgate::eject::find_member;
use poolgate::rules::{
    CHECKS, EJECT_CHECKS, LICENCE_CHECK, Outcome, Phase, Policy, Registry, Rule, Severity, Verdict, example_eject,
    example_sides, judge_eject, judge_sequence, missing_examples, run_examples,
};
use serde_json::Value;

/// The codes that the server's checks answer with, retired ones of older releases included, and what it answers where
/// a check breaks down.
const CODES: &[&str] = &[
    "CLUSTERING_ENABLED",
    "HANDLE_INVALID",
    "HA_IS_ENABLED",
    "HOSTS_NOT_COMPATIBLE",
    "HOSTS_NOT_HOMOGENEOUS",
    "HOST_OFFLINE",
    "HOST_PENDING_MANDATORY_GUIDANCE_NOT_EMPTY",
    "HOST_STILL_BOOTING",
    "INTERNAL_ERROR",
    "JOINING_HOST_CANNOT_BE_MASTER_OF_OTHER_HOSTS",
    "JOINING_HOST_CANNOT_CONTAIN_SHARED_SRS",
    "JOINING_HOST_CANNOT_HAVE_RUNNING_VMS",
    "JOINING_HOST_CANNOT_HAVE_VMS_WITH_CURRENT_OPERATIONS",
    "LICENCE_RESTRICTION",
    "LICENSE_HOST_POOL_MISMATCH",
    "NOT_SUPPORTED_DURING_UPGRADE",
    "OPERATION_NOT_ALLOWED",
    "OTHER_OPERATION_IN_PROGRESS",
    "POOL_JOINING_EXTERNAL_AUTH_MISMATCH",
    "POOL_JOINING_HOST_CA_CERTIFICATES_CONFLICT",
    "POOL_JOINING_HOST_HAS_BONDS",
    "POOL_JOINING_HOST_HAS_NETWORK_SRIOVS",
    "POOL_JOINING_HOST_HAS_NON_MANAGEMENT_VLANS",
    "POOL_JOINING_HOST_HAS_TUNNELS",
    "POOL_JOINING_HOST_MANAGEMENT_VLAN_DOES_NOT_MATCH",
    "POOL_JOINING_HOST_MUST_HAVE_ONLY_ONE_IP_ON_CLUSTERING_NETWORK",
    "POOL_JOINING_HOST_MUST_HAVE_PHYSICAL_MANAGEMENT_NIC",
    "POOL_JOINING_HOST_MUST_HAVE_SAME_API_VERSION",
    "POOL_JOINING_HOST_MUST_HAVE_SAME_DB_SCHEMA",
    "POOL_JOINING_HOST_MUST_ONLY_HAVE_PHYSICAL_PIFS",
    "POOL_JOINING_HOST_TLS_VERIFICATION_MISMATCH",
    "POOL_JOINING_HOST_TRUSTED_CERTIFICATES_CONFLICT",
    "POOL_JOINING_POOL_CANNOT_ENABLE_CLUSTERING_ON_VLAN_NETWORK",
    "POOL_JOINING_SM_FEATURES_INCOMPATIBLE",
    "POOL_SECRET_ROTATION_PENDING",
];

fn rules() -> Registry {
    Registry::load_whole(&[]).unwrap_or_else(|errors| panic!("{errors:#?}"))
}

#[test]
fn every_rule_shows_its_answers_and_its_source() {
    for rule in rules().all() {
        assert_eq!(missing_examples(rule), Vec::<&str>::new(), "{} lacks examples", rule.id);
        assert!(!rule.references.is_empty(), "{} names no reference", rule.id);
        assert!(!rule.why.trim().is_empty() && !rule.title.ends_with('.'), "{}", rule.id);
    }
}

#[test]
fn every_example_shows_what_it_says() {
    let wrong: Vec<_> = rules().all().flat_map(run_examples).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_refusal_is_shown_by_an_example() {
    for rule in rules().all() {
        let shown: BTreeSet<_> =
            rule.examples.iter().filter_map(|example| example.refusal.as_ref()?.first().cloned()).collect();
        for refusal in rule.refusals() {
            // No daemon is null, which TOML cannot write; the recorded joins show that answer.
            if rule.id == "edition-same" && refusal.code == "INTERNAL_ERROR" {
                continue;
            }
            assert!(shown.contains(&refusal.code), "{}: no example is refused with {}", rule.id, refusal.code);
        }
    }
}

#[test]
fn a_host_like_the_coordinator_joins_without_a_finding() {
    let (pool, joiner) = example_sides().unwrap();
    let policy = Policy { max_hosts: 16, as_release: None };
    let judgement = judge_sequence(&pool, &[joiner], &rules(), Phase::Join, &policy).remove(0);
    for finding in &judgement.findings {
        let clean = matches!(finding.outcome, Outcome::Pass | Outcome::NotApplicable);
        assert!(clean, "{}: {} ({:?})", finding.rule, finding.message, finding.unknown);
    }
    assert_eq!(judgement.verdict, Verdict::Go);
    let server = judgement.server.unwrap();
    assert_eq!((server.first, server.failing.len(), server.undecided), (None, 0, Vec::new()));
}

#[test]
fn an_idle_member_leaves_with_nothing_but_notes() {
    let (pool, member) = example_eject().unwrap();
    let member = find_member(&pool.snapshot.pool, member).unwrap();
    let policy = Policy { max_hosts: 16, as_release: None };
    let judgement = judge_eject(&pool, member, &rules(), &policy);
    for finding in &judgement.findings {
        let clean = matches!(finding.outcome, Outcome::Pass | Outcome::NotApplicable);
        let note = finding.severity == Severity::Note && finding.outcome == Outcome::Fail;
        assert!(clean || note, "{}: {} ({:?})", finding.rule, finding.message, finding.unknown);
    }
    assert_eq!(judgement.verdict, Verdict::Go);
    let server = judgement.server.unwrap();
    assert_eq!((server.first, server.failing.len(), server.undecided), (None, 0, Vec::new()));
}

/// The rules of each check by part.
fn by_check(rules: &Registry) -> BTreeMap<&'static str, BTreeMap<u32, &Rule>> {
    let mut by_check: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
    for rule in rules.all() {
        let Some(server) = &rule.server else { continue };
        let other = by_check.entry(server.check.name).or_default().insert(server.part, rule);
        assert!(other.is_none(), "{} and {} are both part {}", rule.id, other.unwrap().id, server.part);
    }
    by_check
}

#[test]
fn every_check_of_the_server_has_its_rules() {
    let rules = rules();
    let by_check = by_check(&rules);
    let checks = CHECKS.iter().map(|check| (Phase::Join, check));
    for (phase, check) in checks.chain(EJECT_CHECKS.iter().map(|check| (Phase::Eject, check))) {
        let parts = by_check.get(check.name).unwrap_or_else(|| panic!("no rule for {}", check.name));
        let numbers: Vec<_> = parts.keys().copied().collect();
        let expected: Vec<_> = (1..=u32::try_from(parts.len()).unwrap()).collect();
        assert_eq!(numbers, expected, "the parts of {}", check.name);
        for rule in parts.values() {
            assert_eq!(rule.severity, Severity::Blocker, "{}: the server refuses, so it blocks", rule.id);
            assert!(rule.phases.contains(&phase), "{}", rule.id);
        }
    }
}

#[test]
fn codes_are_the_servers() {
    let rules = rules();
    let used: BTreeSet<_> = rules
        .all()
        .filter(|rule| rule.server.is_some())
        .flat_map(|rule| rule.refusals().iter().map(|refusal| refusal.code.as_str()))
        .collect();
    assert_eq!(used, CODES.iter().copied().collect());
}

/// A version for a branch or tag; a branch stands for its newest.
fn version(name: &str) -> String {
    match name {
        "tampa" => "0.61".to_owned(),
        "clearwater" => "0.62".to_owned(),
        "development, late 2014" => "0.65".to_owned(),
        "dundee-lcm" => "1.9.81".to_owned(),
        _ => match name.strip_suffix("-lcm") {
            Some(branch) => format!("{branch}.999"),
            None => name.trim_start_matches('v').to_owned(),
        },
    }
}

#[test]
fn each_release_runs_its_checks_in_its_order() {
    let Some(shared) = common::shared() else { return };
    let table: Value =
        serde_json::from_slice(&fs::read(shared.join("data/join-checks-by-release.json")).unwrap()).unwrap();
    let releases = table["releases"].as_array().unwrap();
    assert_eq!(releases.len(), 21);
    for release in releases {
        let xapi = version(release["xapi"].as_str().unwrap());
        let ours: Vec<_> = CHECKS
            .iter()
            .filter(|check| check.name != LICENCE_CHECK && check.exists_in(&xapi))
            .map(|check| (check.name, check.force_skips))
            .collect();
        let theirs: Vec<_> = release["checks"]
            .as_array()
            .unwrap()
            .iter()
            .map(|check| (check["check"].as_str().unwrap(), check["skipped_by_force"].as_bool().unwrap()))
            .collect();
        assert_eq!(ours, theirs, "{} ({xapi})", release["release"]);
    }
}

/// Also those that no example shows: each is right on some release. `commands` holds what is shown against the release
/// of the host where it is to be run.
#[test]
fn commands_exist_with_their_parameters() {
    let Some(commands) = Commands::load() else { return };
    let mut seen = 0;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules");
    let entries = ["join", "eject"].map(|phase| fs::read_dir(folder.join(phase)).unwrap());
    for entry in entries.into_iter().flatten() {
        let path = entry.unwrap().path();
        let rule: toml::Table = fs::read_to_string(&path).unwrap().parse().unwrap();
        for fix in rule.get("fix").and_then(toml::Value::as_array).into_iter().flatten() {
            let text = |part| fix.get(part).and_then(toml::Value::as_str).unwrap_or_default();
            let found = calls(text("run")).into_iter().chain(calls_in_text(text("note")));
            for call in found.filter(|call| call.program == "xe") {
                seen += 1;
                let faults: Vec<_> = RELEASES.iter().map(|(xapi, _, _)| commands.fault(&call, xapi)).collect();
                assert!(faults.contains(&None), "{}: {:?}", path.display(), faults.last());
            }
        }
    }
    assert!(seen > 60, "only {seen} commands were found");
}
