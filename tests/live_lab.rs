//! The real binary against the simulator: what is read there is what is served there, by any member, at once.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

pub mod common;

use std::path::Path;

use common::run::{Poolgate, fixture, poolgate};
use poolgate::lab::{Lab, LabConfig, Served};
use serde_json::Value;

const PASSWORD: &str = "marker of the lab's password";

fn lab(names: &[&str]) -> Lab {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let served = names.iter().map(|name| Served::file(&folder.join(format!("{name}.json"))).unwrap());
    Lab::start(served.fold(LabConfig::new(PASSWORD), LabConfig::serve)).unwrap()
}

/// A run that trusts every host of the lab.
fn run<const N: usize>(lab: &Lab, words: [&str; N]) -> Poolgate {
    let pins = lab.endpoints().into_iter().flat_map(|endpoint| {
        let pin = format!("{}:{}={}", endpoint.address, endpoint.port, endpoint.fingerprint);
        ["--tls-fingerprint".to_owned(), pin]
    });
    poolgate(words).with(pins).with(["--password-env", "PW"]).env("PW", PASSWORD)
}

/// The calls that a lab received by now.
fn records_asked(lab: &Lab) -> Vec<String> {
    let calls = lab.calls().into_iter().map(|call| call.method);
    calls.filter(|method| method.ends_with(".get_all_records")).collect()
}

#[test]
fn a_live_check_says_what_the_check_of_the_files_says() {
    let (pool, joiner) = ("xcp-ng-8.3-5-hosts", "candidate-trouble");
    let lab = lab(&[pool, joiner]);
    let (coordinator, host) = (lab.url("xcp-01").unwrap(), lab.url("branch-01").unwrap());
    let words = ["check", "--pool", &coordinator, "--host", &host, "--format", "json"];
    let done = run(&lab, words).status(1);
    let (live, files) =
        (done.json(), common::run::check(pool, &[joiner]).with(["--format", "json"]).status(1).json());
    assert_eq!((&live["verdict"], &live["pool"]["uuid"]), (&files["verdict"], &files["pool"]["uuid"]));
    let server = |report: &Value| report["joiners"][0]["server"]["answer"].clone();
    assert_eq!(server(&live), server(&files));
    let blockers = |report: &Value| -> Vec<String> {
        let findings = report["joiners"][0]["findings"].as_array().unwrap().iter();
        let failed = findings.filter(|one| one["severity"] == "blocker" && one["outcome"] == "fail");
        failed.map(|one| one["rule"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(blockers(&live), blockers(&files));
    assert!(blockers(&live).len() >= 6);
    assert!(!done.to_string().contains(PASSWORD));
    assert_eq!(lab.open_sessions(), 0);
    let mut asked = records_asked(&lab);
    let all = asked.len();
    asked.sort();
    asked.dedup();
    assert_eq!(all, 2 * asked.len(), "both sides in one call a class");
}

#[test]
fn any_member_leads_to_the_pool() {
    let lab = lab(&["xcp-ng-8.3-5-hosts"]);
    let member = lab.url("xcp-03").unwrap();
    let done = run(&lab, ["collect", &member]).status(0);
    let live: Value = serde_json::from_str(&done.stdout).unwrap();
    let file = poolgate(["collect", &fixture("xcp-ng-8.3-5-hosts")]).status(0).json();
    for field in ["uuid", "name_label", "coordinator"] {
        assert_eq!(live["pool"][field], file["pool"][field], "{field}");
    }
    assert_eq!(live["pool"]["hosts"].as_array().unwrap().len(), 5);
    assert!(done.stderr.contains("is a member of a pool; read from its coordinator"), "{done}");
    assert_eq!(lab.open_sessions(), 0);
}
