//! Servers that forget sessions, as when a toolstack restarts: what only asks logs in again, once, and goes on; what acts
//! is never sent again, and a look says how far it came.

use poolgate::gate::journal::{Event, Outcome};
use poolgate::lab::Fault;

use crate::act::SMALL;
use crate::common::rehearsal::Rehearsal;
use crate::common::run::{Done, Poolgate};
use crate::each;
use crate::faults::{MEMBER, ejecting};

fn joining() -> Rehearsal {
    Rehearsal::new(SMALL.0, &[SMALL.1])
}

/// Carries out a plan that was made before anything went wrong.
fn acted(lab: &Rehearsal, command: impl Fn() -> Poolgate, spec: &str) -> Done {
    let plan = lab.plan(command());
    lab.lab.fault(spec.parse::<Fault>().unwrap());
    command().with(["--plan", plan.to_str().unwrap(), "--yes", "--wait", "8s"]).any_status(|_| true)
}

/// What was asked when a session was gone, by the journal.
fn renewed(lab: &Rehearsal) -> Vec<String> {
    let during = |event| match event {
        Event::LoggedInAgain { server, during } => {
            assert!(lab.lab.endpoints().iter().any(|it| format!("{}:{}", it.address, it.port) == server), "{server}");
            Some(during)
        }
        _ => None,
    };
    lab.journal().into_iter().filter_map(|entry| during(entry.event)).collect()
}

/// Phases that the journal tells of, and how the turn ended.
fn told(lab: &Rehearsal) -> (Vec<String>, Option<Outcome>) {
    let (mut phases, mut outcome) = (Vec::new(), None);
    for entry in lab.journal() {
        match entry.event {
            Event::Looked { phase, .. } => phases.push(phase),
            Event::Ended { outcome: ended, .. } => outcome = Some(ended),
            _ => {}
        }
    }
    (phases, outcome)
}

#[test]
fn what_only_asks_goes_on_in_a_new_session() {
    // Calls of the plan come first; the same fault goes on once and stops a run where it does not end.
    let joins = [
        // Right before the call both sides are collected again.
        ("VM.get_all_records,after=2", "VM.get_all_records"),
        ("PBD.get_all_records,after=3", "PBD.get_all_records"),
        // While the join is watched.
        ("host.get_all_records,after=4", "host.get_all_records"),
        // When the pool is compared with what was predicted.
        ("PIF.get_all_records,after=4", "PIF.get_all_records"),
    ];
    each(&joins, |(at, during)| {
        let lab = joining();
        let done = acted(&lab, || lab.join(), &format!("session-lost,method={at},count=1"));
        assert_eq!(done.status, 0, "{at}: {done}");
        assert!(done.stdout.contains("DONE"), "{at}: {done}");
        let says = format!("{during}: the server no longer knew the session; logging in again, once");
        assert!(done.stderr.contains(&says), "{at}: {done}");
        assert_eq!(renewed(&lab), [*during], "{at}");
        assert_eq!((lab.count("pool.join"), lab.lab.open_sessions()), (1, 0), "{at}");
        lab.act_on_journal(&["journal", "verify"]).status(0);
    });
    let lab = ejecting();
    let done = acted(&lab, || lab.eject(MEMBER), "session-lost,method=host.get_by_uuid,count=1");
    assert!(done.stdout.contains("DONE"), "{done}");
    assert_eq!((renewed(&lab).as_slice(), lab.count("pool.eject")), (&["host.get_by_uuid".to_owned()][..], 1));
}

#[test]
fn a_session_that_is_forgotten_twice_stops_before_the_call() {
    // Right before the call the pool is collected again, and the member looked up.
    for at in ["VM.get_all_records,after=1", "host.get_by_uuid"] {
        let lab = ejecting();
        let done = acted(&lab, || lab.eject(MEMBER), &format!("session-lost,method={at}"));
        assert_eq!(done.status, 4, "{at}: {done}");
        assert!(done.stdout.contains("nothing was sent;") && done.stdout.contains("SESSION_INVALID"), "{at}: {done}");
        assert_eq!((lab.count("pool.eject"), lab.lab.open_sessions()), (0, 0), "{at}");
        assert_eq!((renewed(&lab).len(), told(&lab).1), (1, Some(Outcome::NotStarted)), "{at}");
    }
}

#[test]
fn a_call_is_not_sent_again_and_a_look_says_that_nothing_came_of_it() {
    type Made = fn() -> Rehearsal;
    let commands: [(Made, &str, &str); 2] = [
        (joining, "pool.join", "the host still stands alone, and the pool does not know it"),
        (ejecting, "pool.eject", "the pool still knows the host"),
    ];
    for (make, method, found) in commands {
        let lab = make();
        let command = || if method == "pool.join" { lab.join() } else { lab.eject(MEMBER) };
        let done = acted(&lab, command, &format!("session-lost,method={method}"));
        assert_eq!(done.status, 1, "{done}");
        let text = done.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        let says = format!("{method} was sent and did not take effect: the server answered SESSION_INVALID; {found}");
        assert!(text.contains("NO EFFECT") && text.contains(&says), "{done}");
        assert!(text.contains("It was not sent again."), "{done}");
        assert_eq!((lab.count(method), lab.lab.open_sessions()), (1, 0));
        let (phases, outcome) = told(&lab);
        assert_eq!((phases.len(), outcome), (1, Some(Outcome::NoEffect)), "{phases:?}");
        // Nothing is left open, and the same plan is still good.
        lab.lab.clear_faults();
        let plan = lab.path("plan.json");
        command().with(["--plan", plan.to_str().unwrap(), "--yes", "--wait", "8s"]).status(0);
        assert_eq!(lab.count(method), 2);
    }
}

#[test]
fn a_join_that_the_pool_forgot_on_its_way_is_looked_at() {
    let cases = [
        // Nothing of it is to be seen: the host may be joined anew.
        ("checking", 1, "NO EFFECT", "alone", Outcome::NoEffect),
        // The pool has its record already, and nobody but an operator takes it away.
        ("metadata", 5, "NOT CONFIRMED", "recorded-alone", Outcome::Unconfirmed),
    ];
    for (phase, status, word, seen, outcome) in cases {
        let lab = joining();
        let done = acted(&lab, || lab.join(), &format!("pool-forgets,phase={phase},count=1"));
        assert_eq!(done.status, status, "{phase}: {done}");
        assert!(done.stdout.contains(word) && done.stdout.contains("SESSION_INVALID"), "{phase}: {done}");
        assert_eq!(told(&lab), (vec![seen.to_owned()], Some(outcome)), "{phase}");
        assert_eq!((lab.count("pool.join"), lab.lab.open_sessions()), (1, 0), "{phase}");
        if outcome == Outcome::Unconfirmed {
            assert!(done.stdout.contains("xe host-forget"), "{done}");
            // A new run is refused until somebody has looked.
            lab.join().with(["--resume", "--wait", "8s"]).status(5);
            assert_eq!(lab.count("pool.join"), 1);
        }
    }
}
