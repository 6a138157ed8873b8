//! What SECURITY.md claims of forged plans and journals.

pub mod common;

use std::fs;

use common::rehearsal::Rehearsal;
use common::run::poolgate;
use poolgate::gate::journal::{Act, Event, Journal, Named};
use poolgate::gate::plan::{Plan, read_plan};

const SMALL: (&str, &str) = ("xenserver-8-1-host", "candidate-xs8-twin");

/// Whoever can write a plan can compute its digest too. What it says is still only compared, never done.
#[test]
fn a_forged_plan_stops_the_join_and_sends_the_password_nowhere() {
    let lab = Rehearsal::new(SMALL.0, &[SMALL.1]);
    let path = lab.plan(lab.join());
    let plan = read_plan(&fs::read_to_string(&path).unwrap()).unwrap();
    type Forgery = fn(&mut Plan);
    let forgeries: [(&str, Forgery); 6] = [
        ("the call", |plan| drop(plan.steps[0].call.params.insert("master_address".into(), "192.0.2.66".into()))),
        ("the call", |plan| plan.steps[0].call.method = "pool.join_force".into()),
        ("the call", |plan| plan.steps[0].call.server = "192.0.2.66".into()),
        ("the coordinator's certificate", |plan| plan.pool.coordinator.fingerprint = "00".repeat(32)),
        ("the rules", |plan| plan.rules = "00".repeat(32)),
        ("the largest pool allowed", |plan| plan.max_hosts = 64),
    ];
    for (what, forge) in forgeries {
        let mut forged = plan.clone();
        forge(&mut forged);
        forged.digest = forged.compute_digest().unwrap();
        fs::write(&path, forged.to_json().unwrap()).unwrap();
        let done = lab.join().with(["--plan", path.to_str().unwrap(), "--yes"]).status(1);
        let said = done.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains("STOPPED") && said.contains(what), "{what}: {done}");
        assert_eq!(lab.count("pool.join") + lab.count("pool.join_force"), 0, "{what}");
    }
}

/// A chain that was written anew holds together; only its last hash, kept elsewhere, tells.
#[test]
fn a_journal_that_was_written_anew_is_told_by_the_hash_that_somebody_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    let write = |name: &str| {
        let mut journal = Journal::open(&path).unwrap();
        journal
            .write(Event::Begun {
                act: Act::Join,
                tool: "poolgate".to_owned(),
                process: 1,
                machine: "desk".to_owned(),
                pool: Named { name: name.to_owned(), ..Named::default() },
                hosts: vec![],
                plan: String::new(),
                rules: String::new(),
            })
            .unwrap();
        journal.write(Event::Closed { exit: 0 }).unwrap();
        journal.head().to_owned()
    };
    let kept = write("production");
    let file = path.to_str().unwrap();
    poolgate(["journal", "verify", file, "--head", &kept]).status(0);
    fs::remove_file(&path).unwrap();
    write("another");
    poolgate(["journal", "verify", file]).status(0);
    let done = poolgate(["journal", "verify", file, "--head", &kept]).status(1);
    assert!(done.stdout.starts_with("CHANGED"), "{done}");
}
