//! What goes well.

use poolgate::gate::journal::{Event, Outcome};
use poolgate::lab::{LabConfig, Phase};

use crate::common::rehearsal::{PASSWORD, Rehearsal, served};

pub(crate) const POOL: &str = "xcp-ng-8.3-5-hosts";
pub(crate) const SMALL: (&str, &str) = ("xenserver-8-1-host", "candidate-xs8-twin");

#[test]
fn a_join_from_plan_to_verified() {
    let lab = Rehearsal::new(POOL, &["candidate-good"]);
    let done = lab.joined(0);
    assert!(done.stdout.contains("DONE  xcp-good is a member of production, as predicted"), "{done}");
    assert_eq!(lab.count("pool.join"), 1);
    assert_eq!(lab.lab.open_sessions(), 0);
    assert_eq!(lab.lab.phase("xcp-good").unwrap(), Phase::Member);
    assert!(!done.stdout.contains(PASSWORD) && !done.stderr.contains(PASSWORD));
    let mut events = lab.events();
    events.retain(|event| event != "looked");
    assert_eq!(events, ["begun", "confirmed", "compared", "sending", "answered", "ended", "closed"]);
    let verified = lab.act_on_journal(&["journal", "verify"]).status(0).quietly();
    assert!(verified.starts_with("WHOLE  "), "{verified}");
    // Whoever runs it again is told that the host is in already.
    let again = lab.join().status(1);
    assert!(again.stdout.contains("NO-GO"), "{again}");
    assert_eq!(lab.count("pool.join"), 1);
}

#[test]
fn two_join_and_one_leaves_again() {
    let lab = Rehearsal::new(POOL, &["candidate-good", "candidate-twin"]);
    let done = lab.joined(0);
    for name in ["xcp-good", "xcp-twin"] {
        assert!(done.stdout.contains(&format!("DONE  {name} is a member of production, as predicted")), "{done}");
    }
    assert_eq!(lab.count("pool.join"), 2);
    let eject = || lab.eject("xcp-good");
    let plan = lab.plan(eject());
    let done = eject().with(["--plan", plan.to_str().unwrap(), "--yes", "--wait", "20s"]).status(0);
    assert!(done.stdout.contains("DONE  xcp-good has left production, as predicted"), "{done}");
    assert!(done.stdout.contains("the host is back and stands alone"), "{done}");
    assert_eq!((lab.count("pool.eject"), lab.lab.open_sessions()), (1, 0));
    let scripts: Vec<_> = std::fs::read_dir(lab.journal_path().parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "sh"))
        .collect();
    let [script] = scripts.as_slice() else { panic!("{scripts:?}") };
    assert!(done.stderr.contains(&script.display().to_string()), "{done}");
    let checked = std::process::Command::new("sh").arg("-n").arg(script).status().unwrap();
    assert!(checked.success(), "the restore script is no shell script");
    let ended: Vec<_> = lab
        .journal()
        .into_iter()
        .filter_map(|entry| match entry.event {
            Event::Ended { outcome, .. } => Some(outcome),
            _ => None,
        })
        .collect();
    assert_eq!(ended, [Outcome::Done; 3]);
}

#[test]
fn a_result_for_programs() {
    let lab = Rehearsal::new(SMALL.0, &[SMALL.1]);
    let plan = lab.plan(lab.join());
    let done = lab
        .join()
        .with(["--plan", plan.to_str().unwrap(), "--yes", "--wait", "20s", "--format", "json"])
        .status(0)
        .json();
    assert_eq!((&done["format"], &done["exit"]), (&"poolgate-run".into(), &0.into()), "{done}");
    assert_eq!(done["turns"][0]["outcome"], "done", "{done}");
    let head = done["journal"]["head"].as_str().unwrap();
    let verify = |head: &str| lab.act_on_journal(&["journal", "verify", "--head", head]);
    verify(head).status(0).quietly();
    let other = verify(&"0".repeat(64)).status(1).quietly();
    assert!(other.starts_with("CHANGED  "), "{other}");
    let json = lab.act_on_journal(&["journal", "verify", "--format", "json"]).status(0).json();
    assert_eq!((&json["whole"], &json["open"]), (&true.into(), &serde_json::Value::Null), "{json}");
}

#[test]
fn a_bonded_member_gets_its_network_back_by_the_script() {
    let lab = Rehearsal::of(LabConfig::new(PASSWORD).serve(served(POOL, |json| {
        for vm in json["pool"]["vms"].as_array_mut().unwrap() {
            vm["resident_on"] = serde_json::Value::Null;
            if vm["is_control_domain"] != true {
                vm["power_state"] = "Halted".into();
            }
        }
    })));
    let script = lab.path("restore.sh");
    let plan = lab.plan(lab.eject("xcp-03"));
    let words =
        ["--plan", plan.to_str().unwrap(), "--yes", "--wait", "20s", "--restore-out", script.to_str().unwrap()];
    let done = lab.eject("xcp-03").with(words).status(0);
    assert!(done.stdout.contains("DONE  xcp-03 has left production, as predicted"), "{done}");
    let text = std::fs::read_to_string(&script).unwrap();
    let mut lines: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
    lines.drain(..3);
    insta::assert_snapshot!(lines.join("\n"));
}
