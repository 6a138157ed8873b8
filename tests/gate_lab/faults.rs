//! The fault matrix: every fault in every phase of collecting, joining and ejecting. Whatever goes wrong, the exit status
//! is right, what is said is true, the journal holds together, at most one call is sent, and sessions are logged out.

use poolgate::gate::journal::Event;
use poolgate::lab::{Fault, LabConfig, Phase};

use crate::act::SMALL;
use crate::common::rehearsal::{PASSWORD, Rehearsal, served};
use crate::each;

fn fault(spec: &str) -> Fault {
    spec.parse().unwrap()
}

/// What is said of a host, by the words at the beginning of a line.
fn word(stdout: &str) -> &str {
    const WORDS: [&str; 6] = ["DONE  ", "STOPPED  ", "REFUSED  ", "NO EFFECT  ", "NOT CONFIRMED  ", "NO-GO"];
    let mut words = stdout.lines().filter_map(|line| WORDS.into_iter().find(|word| line.starts_with(word)));
    words.next().unwrap_or("").trim_end()
}

/// Whether the joiner is a member by the pool's own records, and enabled.
fn is_member(lab: &Rehearsal, name: &str) -> bool {
    lab.lab
        .with_db(&lab.pool().name, |db| {
            db.each("host").any(|(_, host)| host["name_label"] == *name && host["enabled"] == true)
        })
        .unwrap()
}

/// What holds after any run, and of what the journal tells.
fn holds(lab: &Rehearsal, case: &str, method: &str, said: &str) {
    assert!(lab.count(method) <= 1, "{case}: {method} was sent {} times", lab.count(method));
    let events = lab.journal();
    let sending = events.iter().filter(|entry| matches!(entry.event, Event::Sending { .. })).count();
    assert!(sending >= lab.count(method), "{case}: a call that the journal does not know");
    assert!(!said.contains(PASSWORD), "{case}: a secret in {said}");
    if said.contains("nothing was sent") {
        assert_eq!(lab.count(method), 0, "{case}: {said}");
    }
}

#[test]
fn while_it_is_collected_nothing_is_sent() {
    let cases = [
        ("hang,method=session.login_with_password", 4),
        ("reset,method=session.login_with_password", 4),
        ("truncate,method=session.login_with_password", 4),
        ("html-500,method=session.login_with_password", 4),
        ("error=SESSION_AUTHENTICATION_FAILED:root:no,method=session.login_with_password", 4),
        ("error=HOST_STILL_BOOTING,method=session.login_with_password", 4),
        ("reset,method=pool.get_all_records", 4),
        ("truncate,method=host.get_all_records", 4),
        ("lose-answer,method=host.get_all_records", 4),
        ("html-500,method=pool.get_all_records", 4),
        ("hang,method=host.get_all_records", 4),
        ("session-lost,method=host.get_all_records", 4),
        ("wrong-types,method=pool.get_all_records", 3),
        ("truncate,method=VM.get_all_records", 4),
        ("html-500,method=VM.get_all_records", 3),
        ("error=INTERNAL_ERROR:Not_found,method=VM.get_all_records", 3),
        ("error=RBAC_PERMISSION_DENIED:vm:no,method=VM.get_all_records", 3),
        ("session-lost,method=PIF.get_all_records", 4),
        // The first look is good, and the one right before the call is not.
        ("truncate,method=VM.get_all_records,after=2", 4),
        ("html-500,method=VM.get_all_records,after=2", 1),
        ("reset,method=VM.get_all_records,after=2", 4),
        ("hang,method=host.get_all_records,after=2", 4),
        ("session-lost,method=host.get_all_records,after=3", 4),
    ];
    let several: Vec<_> = cases.chunks(6).collect();
    each(&several, |cases| {
        let lab = Rehearsal::new(SMALL.0, &[SMALL.1]);
        let plan = lab.plan(lab.join());
        for (spec, status) in *cases {
            let open = lab.lab.open_sessions();
            lab.lab.fault(fault(spec));
            let words = ["--plan", plan.to_str().unwrap(), "--yes", "--timeout", timeout(spec), "--wait", "2s"];
            let done = lab.join().with(words).any_status(|_| true);
            assert_eq!(done.status, *status, "{spec}: {done}");
            assert_eq!(lab.count("pool.join"), 0, "{spec}");
            // Nobody can log out of a session of which nobody was told.
            let untold = *spec == "truncate,method=session.login_with_password";
            assert!(lab.lab.open_sessions() <= open || untold, "{spec}: a session is left open");
            lab.lab.clear_faults();
        }
        // After all that the plan is still good.
        let open = lab.lab.open_sessions();
        lab.join().with(["--plan", plan.to_str().unwrap(), "--yes", "--wait", "20s"]).status(0);
        assert_eq!((lab.count("pool.join"), lab.lab.open_sessions()), (1, open));
    });
}

/// How long a server may take to answer. Only what never answers is to be given up soon.
fn timeout(spec: &str) -> &'static str {
    if spec.starts_with("hang") { "3s" } else { "30s" }
}

/// How long a host may take: what is to come has time to, and what never comes is not waited for long.
fn wait(said: Said) -> &'static str {
    if said == DONE { "8s" } else { "2s" }
}

/// Exit status and first word of a run, and of the run that resumes it once nothing goes wrong any more.
type Said = (i32, &'static str);

/// A fault, what is said then, and what a resumed run says where one is needed.
type Case = (&'static str, Said, Option<Said>);

fn act_with(make: fn() -> Rehearsal, method: &str, (spec, first, resumed): Case) {
    let lab = make();
    let host = if method == "pool.join" { lab.joiner(0).name } else { MEMBER.to_owned() };
    let command = || if method == "pool.join" { lab.join() } else { lab.eject(MEMBER) };
    let plan = lab.plan(command());
    lab.lab.fault(fault(spec));
    let words = ["--plan", plan.to_str().unwrap(), "--yes", "--timeout", timeout(spec), "--wait", wait(first)];
    let done = command().with(words).any_status(|_| true);
    assert_eq!((done.status, word(&done.stdout)), first, "{spec}: {done}");
    holds(&lab, spec, method, &format!("{}{}", done.stdout, done.stderr));
    lab.lab.clear_faults();
    let come = |word: &str| match method {
        "pool.join" => assert!(word != "DONE" || is_member(&lab, &host), "{spec}: said to be a member, and is none"),
        _ => assert!(word != "DONE" || !is_member(&lab, &host), "{spec}: said to be gone, and is not"),
    };
    come(word(&done.stdout));
    if let Some(resumed) = resumed {
        // A new run must not send a second call while the first is open.
        command().with(words).any_status(|status| [1, 2, 4, 5].contains(status));
        let told = command().with(["--resume", "--wait", wait(resumed)]).any_status(|_| true);
        assert_eq!((told.status, word(&told.stdout)), resumed, "{spec}, resumed: {told}");
        come(word(&told.stdout));
    }
    holds(&lab, spec, method, "");
    // Nobody can log out of a host that is dead.
    assert!(spec.starts_with("die") || lab.lab.open_sessions() == 0, "{spec}: a session is left open");
}

fn joining() -> Rehearsal {
    Rehearsal::new(SMALL.0, &[SMALL.1])
}

const DONE: Said = (0, "DONE");
const REFUSED: Said = (1, "REFUSED");
const OPEN: Said = (5, "NOT CONFIRMED");

#[test]
fn at_the_call_of_a_join() {
    let cases: [Case; 9] = [
        ("slow=500ms,method=pool.join", DONE, None),
        ("wrong-types,method=pool.join", DONE, None),
        ("lose-answer,method=pool.join", DONE, None),
        ("truncate,method=pool.join", DONE, None),
        ("error=OTHER_OPERATION_IN_PROGRESS:pool:x,method=pool.join", REFUSED, None),
        ("error=JOINING_HOST_CONNECTION_FAILED,method=pool.join", REFUSED, None),
        // What was sent and not answered may come yet: only time shows that it did not.
        ("reset,method=pool.join", OPEN, Some(OPEN)),
        ("html-500,method=pool.join", OPEN, Some(OPEN)),
        ("hang,method=pool.join", OPEN, Some(OPEN)),
    ];
    each(&cases, |case| act_with(joining, "pool.join", *case));
}

#[test]
fn in_the_phases_of_a_join() {
    let cases: [Case; 15] = [
        ("crash,phase=checking,count=1", OPEN, Some(OPEN)),
        ("crash,phase=certificates,count=1", OPEN, Some(OPEN)),
        ("crash,phase=metadata,count=1", OPEN, Some(OPEN)),
        ("crash,phase=switching,count=1", DONE, None),
        ("crash,phase=restarting,count=1", DONE, None),
        ("crash,phase=starting,count=1", DONE, None),
        ("crash,phase=synchronising,count=1", DONE, None),
        ("die,phase=checking", OPEN, Some(OPEN)),
        ("die,phase=metadata", OPEN, Some(OPEN)),
        ("die,phase=switching", OPEN, Some(OPEN)),
        ("die,phase=restarting", OPEN, Some(OPEN)),
        ("die,phase=synchronising", OPEN, Some(OPEN)),
        ("cannot-talk-back", OPEN, Some(DONE)),
        ("not-recorded", OPEN, Some(OPEN)),
        ("newer", OPEN, Some(OPEN)),
    ];
    each(&cases, |case| act_with(joining, "pool.join", *case));
}

#[test]
fn while_the_join_is_watched() {
    let cases: [Case; 7] = [
        ("slow=200ms,method=host.get_all_records", DONE, None),
        ("reset,method=host.get_all_records,after=4,count=3", DONE, None),
        ("html-500,method=host.get_all_records,after=4,count=3", DONE, None),
        ("truncate,method=host.get_all_records,after=4,count=3", DONE, None),
        ("session-lost,method=host.get_all_records,after=4,count=1", DONE, None),
        ("reset,method=host.get_all_records,after=4", OPEN, Some(DONE)),
        ("hang,method=host.get_all_records,after=4", OPEN, Some(DONE)),
    ];
    each(&cases, |case| act_with(joining, "pool.join", *case));
}

const POOL: &str = "xcp-ng-8.3-5-hosts";
pub(crate) const MEMBER: &str = "xcp-03";

/// A pool of which one member may leave.
pub(crate) fn ejecting() -> Rehearsal {
    Rehearsal::of(LabConfig::new(PASSWORD).serve(served(POOL, |json| {
        for vm in json["pool"]["vms"].as_array_mut().unwrap() {
            if vm["is_control_domain"] != true {
                vm["resident_on"] = serde_json::Value::Null;
                vm["power_state"] = "Halted".into();
            }
        }
    })))
}

#[test]
fn at_the_call_and_in_the_phases_of_an_eject() {
    let cases: [Case; 14] = [
        ("slow=500ms,method=pool.eject", DONE, None),
        ("lose-answer,method=pool.eject", DONE, None),
        ("truncate,method=pool.eject", DONE, None),
        ("error=HOST_OFFLINE:x,method=pool.eject", REFUSED, None),
        ("reset,method=pool.eject", OPEN, Some(OPEN)),
        ("html-500,method=pool.eject", OPEN, Some(OPEN)),
        ("hang,method=pool.eject", OPEN, Some(OPEN)),
        ("crash,phase=ejecting,count=1", REFUSED, None),
        ("die,phase=ejecting", REFUSED, None),
        // It is gone from the pool; whether it comes back is another matter.
        ("die,phase=rebooting", (1, "DONE"), None),
        ("crash,phase=first-boot,count=1", DONE, None),
        ("reset,method=host.get_all_records,after=3,count=3", DONE, None),
        ("reset,method=host.get_all_records,after=2", OPEN, Some(DONE)),
        ("reset,method=host.get_all_records,after=3", (1, "DONE"), None),
    ];
    each(&cases, |case| act_with(ejecting, "pool.eject", *case));
}

#[test]
fn another_certificate_or_coordinator_midway_stops_it() {
    for (spec, says) in [
        ("swap-certificate,method=PIF.get_all_records,count=1", "its certificate is not"),
        ("change-coordinator,method=PIF.get_all_records,count=1", ""),
    ] {
        let lab = if says.is_empty() { Rehearsal::new("xcp-ng-8.3-5-hosts", &["candidate-good"]) } else { joining() };
        let plan = lab.plan(lab.join());
        // Both sides are collected at once: it is the pool that changes.
        lab.lab.fault(fault(&format!("{spec},endpoint={}", lab.pool().name)));
        let words = ["--plan", plan.to_str().unwrap(), "--yes", "--timeout", "2s", "--wait", "3s"];
        let done = lab.join().with(words).any_status(|status| [1, 4].contains(status));
        assert!(format!("{}{}", done.stdout, done.stderr).contains(says), "{spec}: {done}");
        assert_eq!(lab.count("pool.join"), 0, "{spec}: {done}");
        assert_eq!(lab.lab.phase(&lab.joiner(0).name).unwrap(), Phase::Idle);
    }
}
