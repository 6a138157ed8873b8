//! kill -9 at every step, then `--resume`: it tells the truth, and nothing is sent twice.

use std::sync::Mutex;
use std::time::Duration;

use poolgate::gate::journal::{Event, read};
use poolgate::lab::{Fault, FaultKind, Phase};

use crate::act::SMALL;
use crate::common::rehearsal::Rehearsal;
use crate::each;

/// Kills a join once its journal has this many lines, by which the server may have been sent the call or not, and
/// resumes it. Returns how far it had come.
fn kill_at(lines: usize) -> String {
    let lab = Rehearsal::new(SMALL.0, &[SMALL.1]);
    let plan = lab.plan(lab.join());
    // Slow enough that the steps can be told apart from outside.
    for method in ["host.get_all_records", "pool.join"] {
        lab.lab.fault(Fault::new(FaultKind::Slow(Duration::from_millis(150))).on(method));
    }
    let journal = lab.path("journal");
    let words = ["--journal", journal.to_str().unwrap()];
    let mut child = lab.join().with(["--plan", plan.to_str().unwrap(), "--yes", "--wait", "20s"]).with(words).start();
    let written = || std::fs::read(&journal).map(|bytes| read(&bytes).entries.len()).unwrap_or_default();
    while written() < lines && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    lab.lab.clear_faults();
    let bytes = std::fs::read(&journal).unwrap();
    let reading = read(&bytes);
    assert_eq!(reading.fault, None);
    let last = reading.entries.last().map(|entry| serde_json::to_value(&entry.event).unwrap()["event"].clone());
    let sent = reading.entries.iter().any(|entry| matches!(entry.event, Event::Sending { .. }));
    let ended = reading.entries.iter().any(|entry| matches!(entry.event, Event::Ended { .. }));
    let closed = reading.entries.iter().any(|entry| matches!(entry.event, Event::Closed { .. }));
    let told = lab.join().with(["--resume", "--wait", "5s"]).with(words).any_status(|_| true);
    let joins = lab.count("pool.join");
    assert!(joins <= 1, "killed after {lines} lines: {joins} calls");
    let name = lab.joiner(0).name;
    let is_member = lab.lab.phase(&name).unwrap() == Phase::Member;
    match told.status {
        0 if closed => assert!(told.stderr.contains("no run is open"), "{told}"),
        0 if ended => assert!(told.stderr.contains("xs8-edge-02: done, as predicted") && is_member, "{told}"),
        0 => assert!(told.stdout.contains("DONE") && is_member, "killed after {lines} lines: {told}"),
        1 => {
            assert!(!sent && joins == 0 && !is_member, "killed after {lines} lines: {told}");
            assert!(told.stderr.contains("broke off before anything was sent: nothing has changed"), "{told}");
            // Then it can be done, once.
            lab.join().with(["--plan", plan.to_str().unwrap(), "--yes", "--wait", "20s"]).with(words).status(0);
            assert_eq!(lab.count("pool.join"), 1);
        }
        // Killed between the line and the call: nobody was told, and only time shows it.
        5 => assert!(sent && joins == 0 && !is_member, "killed after {lines} lines: {told}"),
        status => panic!("killed after {lines} lines: {status}: {told}"),
    }
    format!("{lines} {}", last.unwrap_or_default())
}

#[test]
fn killed_at_each_line_of_the_journal() {
    let steps = Mutex::new(Vec::new());
    each(&[1, 2, 3, 4, 5, 6, 7, 8], |lines| {
        let step = kill_at(*lines);
        steps.lock().unwrap().push(step);
    });
    let steps = steps.into_inner().unwrap();
    // Between the comparison and the call nothing is waited for: that cut is made in the tests of the journal.
    for step in ["confirmed", "sending", "answered"] {
        assert!(steps.iter().any(|it| it.contains(step)), "{step}: {steps:?}");
    }
}

#[test]
fn killed_while_the_call_is_under_way_in_each_phase_of_the_host() {
    each(&[Phase::Checking, Phase::Metadata, Phase::Restarting, Phase::Synchronising], |phase| {
        let lab = Rehearsal::of(crate::common::rehearsal::small_at_speed(100.0));
        let plan = lab.plan(lab.join());
        let mut child = lab.join().with(["--plan", plan.to_str().unwrap(), "--yes", "--wait", "20s"]).start();
        lab.wait_for(&lab.joiner(0).name, *phase);
        child.kill().unwrap();
        child.wait().unwrap();
        let told = lab.join().with(["--resume", "--wait", "20s"]).status(0);
        assert!(told.stdout.contains("DONE"), "killed in {}: {told}", phase.word());
        assert_eq!(lab.count("pool.join"), 1);
        // Sessions of a killed client are the server's to forget; ours are not left.
        assert_eq!(lab.events().iter().filter(|event| *event == "sending").count(), 1);
    });
}
