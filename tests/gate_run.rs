//! Runs of the gate against scripted servers: what is sent and what is not, and what is said of it.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as tests do")]

pub mod common;

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use common::judge::{fixture_json, rules, side};
use common::world::{Change, Fate, Scripted};
use poolgate::facts::Reason;
use poolgate::gate::journal::{Act, Event, Journal, JournalError, Named, Outcome, Sent, read};
use poolgate::gate::plan::{EjectPlan, JoinPlan, Plan, Sought, eject_plan, join_plan};
use poolgate::gate::{Collected, End, HostLook, Run, Turn, Waits, left_open, resume};
use poolgate::rules::{Phase, Policy, Registry, Side, judge_eject, read_eject, read_sequence};
use serde_json::json;

const POOL: &str = "xcp-ng-8.3-5-hosts";

fn policy() -> Policy {
    Policy { max_hosts: 16, as_release: None }
}

fn sought(side: &Side) -> Sought {
    Sought { fingerprint: format!("SHA-OF-{}", side.target) }
}

fn plan_joins(rules: &Registry, pool: &Collected, hosts: &[Collected]) -> Plan {
    let sides: Vec<_> = hosts.iter().map(|(side, _)| side.clone()).collect();
    let pins: Vec<_> = hosts.iter().map(|(_, sought)| sought.clone()).collect();
    join_plan(&JoinPlan {
        pool: &pool.0,
        pool_sought: &pool.1,
        joiners: &sides,
        sought: &pins,
        judged: &read_sequence(&pool.0, &sides, rules, Phase::Join, &policy()),
        policy: &policy(),
        rules: &rules.digest(),
        waivers: &[],
        coordinator_address: None,
        user: "root",
        made_at: "2026-05-20T10:00:00Z",
    })
    .unwrap()
}

fn plan_eject(rules: &Registry, pool: &Collected) -> Plan {
    let member = poolgate::eject::find_member(&pool.0.snapshot.pool, MEMBER).unwrap();
    eject_plan(&EjectPlan {
        pool: &pool.0,
        sought: &pool.1,
        member,
        judged: &judge_eject(&pool.0, member, rules, &policy()),
        facts: &read_eject(&pool.0, member, rules, &policy()),
        policy: &policy(),
        rules: &rules.digest(),
        waivers: &[],
        made_at: "2026-05-20T10:00:00Z",
    })
    .unwrap()
}

const MEMBER: &str = "xcp-03";

/// A joiner of this name that brings a VM along.
fn joiner(stem: &str) -> Side {
    let mut json = fixture_json(stem);
    let vm = json!({"reference": format!("vm-{stem}"), "uuid": format!("vm-{stem}"), "name_label": "guest",
        "power_state": "Halted", "current_operations": {}, "is_a_template": false, "is_default_template": false,
        "is_a_snapshot": false, "is_control_domain": false, "resident_on": null, "vifs": [], "disks": [],
        "mac_seed": null, "version": 0, "snapshot_of": null, "last_boot_vendor": null, "last_boot_features": null,
        "domain_type": "hvm", "affinity": null});
    json["pool"]["vms"].as_array_mut().unwrap().push(vm);
    side(stem, &json)
}

/// The pool, with nothing running on the member that is to leave.
fn pool() -> Side {
    let mut json = fixture_json(POOL);
    let hosts = json["pool"]["hosts"].as_array().unwrap();
    let member = hosts.iter().find(|host| host["name_label"] == MEMBER).unwrap()["reference"].clone();
    for vm in json["pool"]["vms"].as_array_mut().unwrap() {
        if vm["resident_on"] == member && vm["is_control_domain"] != true {
            vm["resident_on"] = json!(null);
            vm["power_state"] = json!("Halted");
        }
    }
    side(POOL, &json)
}

fn joins(stems: &[&str], fate: Fate) -> Scripted {
    let hosts: Vec<_> = stems.iter().map(|stem| joiner(stem)).collect();
    let collected: Vec<_> = hosts.iter().map(|side| (side.clone(), sought(side))).collect();
    let pool = pool();
    let plan = plan_joins(&rules(), &(pool.clone(), sought(&pool)), &collected);
    Scripted::new(pool, hosts, plan, fate)
}

fn ejects(fate: Fate) -> Scripted {
    let pool = pool();
    let plan = plan_eject(&rules(), &(pool.clone(), sought(&pool)));
    Scripted::new(pool, vec![], plan, fate)
}

const fn waits() -> Waits {
    Waits {
        wait: Duration::from_secs(900),
        poll: Duration::from_secs(3),
        settle: Duration::from_secs(180),
        grace: Duration::from_secs(30),
    }
}

/// Carries the plan of a world out, as the command does.
/// Opens a journal. A process that another test starts holds the lock of a journal that was closed until it runs its program.
fn reopen(path: &Path) -> Journal {
    let until = Instant::now() + Duration::from_secs(10);
    loop {
        match Journal::open(path) {
            Err(JournalError::Busy { .. }) if Instant::now() < until => thread::yield_now(),
            opened => return opened.unwrap(),
        }
    }
}

fn carry_out(world: &mut Scripted, path: &Path) -> Vec<Turn> {
    let rules = rules();
    let plan = world.plan.clone();
    let mut journal = reopen(path);
    let hosts = plan.steps.iter().map(|step| poolgate::gate::named(&step.host)).collect();
    journal
        .write(Event::Begun {
            act: plan.act,
            tool: "test".to_owned(),
            process: 0,
            machine: "test".to_owned(),
            pool: Named { name: plan.pool.name.clone(), uuid: plan.pool.uuid.clone(), ..Named::default() },
            hosts,
            plan: plan.digest.clone(),
            rules: plan.rules.clone(),
        })
        .unwrap();
    let mut replan = |pool: &Collected, hosts: &[Collected]| {
        Ok(if plan.act == Act::Join { plan_joins(&rules, pool, hosts) } else { plan_eject(&rules, pool) })
    };
    let run = Run { world, journal: &mut journal, plan: &plan, replan: &mut replan, waits: waits() };
    let (turns, done) = run.carry_out();
    done.unwrap();
    journal.write(Event::Closed { exit: 0 }).unwrap();
    let reading = read(&fs::read(path).unwrap());
    assert_eq!((reading.fault, reading.torn), (None, None));
    turns
}

fn run(world: &mut Scripted) -> Vec<Turn> {
    carry_out(world, &tempfile::tempdir().unwrap().path().join("journal"))
}

fn only(turns: &[Turn]) -> &End {
    let [turn] = turns else { panic!("{turns:?}") };
    &turn.end
}

const COMES: Fate = Fate::Comes { after: 4, sent: Sent::Done };

#[test]
fn a_join_that_comes_as_predicted_is_done() {
    let mut world = joins(&["candidate-good"], COMES);
    assert_eq!(run(&mut world)[0].end, End::Done { differences: vec![], notes: vec![] });
    assert_eq!(world.calls, ["pool.join xcp-good"]);
    insta::assert_snapshot!(world.told.join("\n"), @"
    pool.join is sent for xcp-good; this can take minutes
    xcp-good: the host does not answer, as while its toolstack restarts (connection refused)
    xcp-good: the host is a member and takes VMs
    ");
}

#[test]
fn an_eject_that_goes_as_predicted_is_done() {
    let mut world = ejects(COMES);
    let notes = vec!["the host is back and stands alone".to_owned()];
    assert_eq!(*only(&run(&mut world)), End::Done { differences: vec![], notes });
    assert_eq!(world.calls, ["pool.eject xcp-03"]);
}

#[test]
fn several_join_one_after_another_and_the_first_that_fails_stops_the_rest() {
    let stems = ["candidate-good", "candidate-twin", "candidate-older-intel"];
    let mut world = joins(&stems, COMES);
    let turns = run(&mut world);
    assert!(turns.iter().all(|turn| turn.end == End::Done { differences: vec![], notes: vec![] }), "{turns:?}");
    assert_eq!(world.calls, ["pool.join xcp-good", "pool.join xcp-twin", "pool.join xcp-older-intel"]);
    let mut world = joins(&stems, COMES);
    // After the first has joined, somebody switches HA on.
    world.meanwhile = Some((11, |world| world.pool.snapshot.pool.ha_enabled = true.into()));
    let turns = run(&mut world);
    let words: Vec<_> = turns.iter().map(|turn| turn.end.outcome()).collect();
    assert_eq!(words, [Outcome::Done, Outcome::NotStarted, Outcome::NotStarted], "{turns:?}");
    assert!(turns[1].end.about()[0].starts_with("rule ha-off-on-pool: pass → fail"), "{turns:?}");
    assert_eq!(turns[2].end, End::NotReached);
    assert_eq!(world.calls, ["pool.join xcp-good"]);
}

#[test]
fn what_is_not_as_predicted_on_one_host_stops_the_next() {
    let mut world = joins(&["candidate-good", "candidate-twin"], COMES);
    // The first comes up without a bond of the pool's.
    world.meanwhile = Some((9, |world| world.pool.snapshot.pool.bonds.get_mut().unwrap().clear()));
    let turns = run(&mut world);
    let words: Vec<_> = turns.iter().map(|turn| turn.end.outcome()).collect();
    assert_eq!(words, [Outcome::Differs, Outcome::NotStarted], "{turns:?}");
    assert_eq!(turns[1].end, End::NotReached);
    assert_eq!(world.calls, ["pool.join xcp-good"]);
}

#[test]
fn an_eject_that_the_pool_is_at_is_under_way() {
    let look = || HostLook::Silent { why: "timed out".to_owned() };
    let busy: Change = |world| {
        let operations = [("task".to_owned(), "eject".to_owned())];
        world.pool.snapshot.pool.current_operations = std::collections::BTreeMap::from(operations).into();
    };
    for (sent, meanwhile, outcome, says) in [
        (lost(), None, Outcome::NoEffect, "the pool still knows the host"),
        (lost(), Some(busy), Outcome::Unconfirmed, "something is in progress on the pool"),
    ] {
        let mut world = ejects(never(sent, look()));
        // After the last look before the call.
        world.meanwhile = meanwhile.map(|change| (4, change));
        let turns = run(&mut world);
        assert_eq!(only(&turns).outcome(), outcome, "{turns:?}");
        assert!(only(&turns).about().join("\n").contains(says), "{says}: {turns:?}");
        assert_eq!(world.calls, ["pool.eject xcp-03"]);
    }
}

#[test]
fn an_eject_that_failed_half_way_says_what_it_left() {
    let refused = Sent::Refused { code: "SR_BACKEND_FAILURE_52".to_owned(), params: vec![] };
    let mut world = ejects(never(refused, HostLook::Silent { why: "timed out".to_owned() }));
    world.meanwhile = Some((4, |world| {
        let pool = &mut world.pool.snapshot.pool;
        let member = pool.hosts.get_mut().unwrap().iter_mut().find(|host| host.name_label.text() == Some(MEMBER));
        let member = member.unwrap();
        member.enabled = false.into();
        let reference = member.reference.text().unwrap().to_owned();
        let own = |pbd: &&mut poolgate::snapshot::Pbd| pbd.host.text() == Some(&reference);
        pool.pbds.get_mut().unwrap().iter_mut().filter(own).for_each(|pbd| pbd.currently_attached = false.into());
    }));
    let turns = run(&mut world);
    assert_eq!(only(&turns).outcome(), Outcome::Refused, "{turns:?}");
    let told = only(&turns).about().join("\n");
    assert!(told.contains("is unplugged on the host now; if it was not before: `xe pbd-plug uuid="), "{told}");
    assert!(told.contains("`xe host-enable uuid="), "{told}");
}

#[test]
fn nothing_is_sent_when_something_has_changed_or_is_in_progress() {
    let changes: [(Change, &str); 5] = [
        (|world| world.pool.snapshot.pool.ha_enabled = true.into(), "rule ha-off-on-pool: pass → fail"),
        (
            |world| {
                world.hosts[0].snapshot.pool.hosts.get_mut().unwrap()[0].iscsi_iqn = "iqn.other".to_owned().into();
            },
            "host.iscsi_iqn",
        ),
        (|world| world.pool.target = "another".to_owned(), "the coordinator's certificate"),
        (
            |world| {
                let hosts = world.pool.snapshot.pool.hosts.get_mut().unwrap();
                hosts[0].address = "192.0.2.99".to_owned().into();
            },
            "the coordinator's address: 192.0.2.11 → 192.0.2.99",
        ),
        (|world| world.unreachable = true, "the coordinator is away"),
    ];
    for (change, says) in changes {
        let mut world = joins(&["candidate-good"], COMES);
        change(&mut world);
        let turns = run(&mut world);
        assert!(only(&turns).about().iter().any(|line| line.starts_with(says)), "{says}: {turns:?}");
        assert_eq!(only(&turns).outcome(), Outcome::NotStarted);
        assert!(world.calls.is_empty(), "{says}");
    }
    // What cannot be seen may be in progress.
    let mut world = joins(&["candidate-good"], COMES);
    world.pool.snapshot.pool.current_operations = poolgate::facts::Known::no(Reason::PermissionDenied, "");
    let turns = run(&mut world);
    assert!(matches!(only(&turns), End::Busy(_) | End::Drifted(_) | End::Verdict(_)), "{turns:?}");
    assert!(world.calls.is_empty());
    let mut world = joins(&["candidate-good"], COMES);
    let operations = [("task".to_owned(), "designate_new_master".to_owned())];
    world.pool.snapshot.pool.current_operations = std::collections::BTreeMap::from(operations).into();
    let turns = run(&mut world);
    assert!(matches!(only(&turns), End::Busy(_) | End::Drifted(_)), "{turns:?}");
    assert!(world.calls.is_empty());
}

fn never(sent: Sent, look: HostLook) -> Fate {
    Fate::Never { sent, look }
}

fn lost() -> Sent {
    Sent::Lost { why: "connection reset".to_owned() }
}

fn forgotten() -> Sent {
    Sent::Refused { code: "SESSION_INVALID".to_owned(), params: vec![] }
}

fn emergency(code: &str) -> HostLook {
    HostLook::Emergency { code: code.to_owned(), params: vec!["192.0.2.51".to_owned()] }
}

#[test]
fn what_does_not_come_up_is_told_by_the_phase_in_which_it_hangs() {
    let silent = || HostLook::Silent { why: "timed out".to_owned() };
    let alone = || HostLook::Alone { busy: false };
    let refused = || Sent::Refused { code: "HA_IS_ENABLED".to_owned(), params: vec![] };
    let cases = [
        (never(Sent::Done, silent()), Outcome::Unconfirmed, "the host does not answer"),
        (never(Sent::Done, alone()), Outcome::Unconfirmed, "the host still stands alone"),
        (never(lost(), alone()), Outcome::NoEffect, "the host still stands alone"),
        (never(lost(), HostLook::Alone { busy: true }), Outcome::Unconfirmed, "something is in progress on it"),
        (never(lost(), silent()), Outcome::Unconfirmed, "the host does not answer"),
        (never(Sent::Done, emergency("HOST_UNKNOWN_TO_MASTER")), Outcome::Unconfirmed, "the pool has no record"),
        (
            never(Sent::Done, emergency("HOST_MASTER_CANNOT_TALK_BACK")),
            Outcome::Unconfirmed,
            "the coordinator cannot reach",
        ),
        (
            never(Sent::Done, emergency("HOST_STILL_BOOTING")),
            Outcome::Unconfirmed,
            "the host's toolstack is starting",
        ),
        (
            never(Sent::Done, emergency("HOST_XAPI_VERSION_HIGHER_THAN_COORDINATOR")),
            Outcome::Unconfirmed,
            "the host's toolstack is newer",
        ),
        (
            never(Sent::Done, HostLook::Member { coordinator: "192.0.2.11".to_owned() }),
            Outcome::Unconfirmed,
            "the host says that it is a member",
        ),
        (never(refused(), alone()), Outcome::Refused, "HA_IS_ENABLED"),
        (never(Sent::NotSent { why: "no route".to_owned() }, alone()), Outcome::NotStarted, "no route"),
        // A session that is gone, the call's own or one on its way, says nothing of how far it came: a look does.
        (
            never(forgotten(), alone()),
            Outcome::NoEffect,
            "the server answered SESSION_INVALID; the host still stands",
        ),
        (never(forgotten(), HostLook::Alone { busy: true }), Outcome::Unconfirmed, "something is in progress on it"),
        (never(forgotten(), silent()), Outcome::Unconfirmed, "the host does not answer"),
        (Fate::Comes { after: 1, sent: forgotten() }, Outcome::Done, ""),
        (Fate::Comes { after: 6, sent: forgotten() }, Outcome::Done, ""),
        // Whatever the call was answered: a host that is there is there.
        (Fate::Comes { after: 1, sent: refused() }, Outcome::Done, ""),
        (Fate::Comes { after: 6, sent: lost() }, Outcome::Done, ""),
    ];
    for (fate, outcome, says) in cases {
        let mut world = joins(&["candidate-good"], fate.clone());
        let turns = run(&mut world);
        assert_eq!(only(&turns).outcome(), outcome, "{fate:?}: {turns:?}");
        assert!(only(&turns).about().join("\n").contains(says), "{fate:?}: {turns:?}");
        assert!(world.calls.len() <= 1);
        if let End::Unconfirmed { advice, .. } = only(&turns) {
            assert!(!advice.is_empty(), "{fate:?}");
        }
        assert!(world.clock <= waits().wait + waits().poll, "{fate:?}: {:?}", world.clock);
    }
}

#[test]
fn a_host_that_is_lost_for_good_is_not_waited_for() {
    let mut world = joins(&["candidate-good"], never(Sent::Done, emergency("HOST_UNKNOWN_TO_MASTER")));
    run(&mut world);
    assert!(world.clock < Duration::from_secs(30), "{:?}", world.clock);
    // Nor one whose call was answered with an error, and of which nothing is to be seen.
    let mut world = joins(&["candidate-good"], never(forgotten(), HostLook::Alone { busy: false }));
    run(&mut world);
    assert!(world.clock < Duration::from_secs(30), "{:?}", world.clock);
    assert_eq!(world.calls, ["pool.join xcp-good"]);
}

#[test]
fn an_interruption_before_the_call_sends_nothing_and_after_it_says_what_was_started() {
    for act in [Act::Join, Act::Eject] {
        let world = || if act == Act::Join { joins(&["candidate-good"], COMES) } else { ejects(COMES) };
        let mut whole = world();
        run(&mut whole);
        for at in 0..=whole.asked {
            let mut world = world();
            world.interrupt_at = Some(at);
            let turns = run(&mut world);
            let end = only(&turns);
            match (end, world.calls.len()) {
                (End::Interrupted, 0) | (End::Done { .. }, 1) => {}
                (End::Unconfirmed { about, .. }, 1) => {
                    assert!(about.starts_with("interrupted after pool."), "{about}")
                }
                other => panic!("interrupted at {at}: {other:?}"),
            }
        }
    }
}

/// What was sent, by the journal alone.
fn is_sent(bytes: &[u8]) -> bool {
    read(bytes).entries.iter().any(|entry| matches!(entry.event, Event::Sending { .. }))
}

#[test]
fn after_a_crash_at_any_byte_a_resumed_run_tells_the_truth_and_sends_nothing() {
    for act in [Act::Join, Act::Eject] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let world =
            |fate| if act == Act::Join { joins(&["candidate-good", "candidate-twin"], fate) } else { ejects(fate) };
        let mut whole = world(COMES);
        carry_out(&mut whole, &path);
        let bytes = fs::read(&path).unwrap();
        let joined = whole.pool.clone();
        let ends: Vec<_> = (0..bytes.len()).filter(|at| bytes[*at] == b'\n').map(|at| at + 1).collect();
        let cuts = ends.iter().flat_map(|end| [*end, end - 1, end - 30]).chain([0]);
        for cut in cuts {
            fs::write(&path, &bytes[..cut]).unwrap();
            let mut journal = reopen(&path);
            let left = left_open(journal.before());
            let sent = left.as_ref().is_some_and(|left| left.call.is_some());
            if left.is_none() {
                assert!(
                    cut == 0 || cut + 30 >= bytes.len() || read(&bytes[..cut]).entries.is_empty(),
                    "cut at {cut}"
                );
                continue;
            }
            let left = left.unwrap();
            assert!(!sent || is_sent(&bytes[..cut]), "cut at {cut}");
            // Whether the crash came before the server acted or after it, the journal looks alike.
            for came in [false, true] {
                let mut again = world(never(lost(), HostLook::Alone { busy: false }));
                if came {
                    again.pool = joined.clone();
                }
                let copy = folder.path().join("copy");
                fs::write(&copy, &bytes[..cut]).unwrap();
                let place = usize::from(left.call.as_ref().is_some_and(|call| call.host.name == "xcp-twin"));
                let mut journal = reopen(&copy);
                let told = resume(&mut again, &mut journal, &left, place, waits());
                assert!(again.calls.is_empty(), "cut at {cut}");
                match told.turn.map(|turn| turn.end.outcome()) {
                    None => assert!(!sent, "cut at {cut}"),
                    Some(Outcome::Done) => assert!(came, "cut at {cut}"),
                    // The second host's call: the first one's host came on top of what was predicted then.
                    Some(Outcome::Differs) => assert!(came && act == Act::Join, "cut at {cut}"),
                    Some(Outcome::NoEffect) => assert!(!came, "cut at {cut}"),
                    Some(Outcome::Unconfirmed) => assert!(!came, "cut at {cut}"),
                    Some(other) => panic!("cut at {cut}: {other:?}"),
                }
            }
            drop(journal.write(Event::Closed { exit: 1 }));
        }
    }
}

#[test]
fn a_call_without_a_known_end_stays_open_until_a_resumed_run_settles_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let mut world =
        joins(&["candidate-good", "candidate-twin"], never(Sent::Done, emergency("HOST_MASTER_CANNOT_TALK_BACK")));
    let turns = carry_out(&mut world, &path);
    assert_eq!(turns[0].end.outcome(), Outcome::Unconfirmed);
    let mut journal = reopen(&path);
    let left = left_open(journal.before()).unwrap();
    assert_eq!(left.call.as_ref().unwrap().host.name, "xcp-good");
    let mut later = joins(&["candidate-good"], COMES);
    let mut done = joins(&["candidate-good"], COMES);
    run(&mut done);
    later.pool = done.pool;
    let told = resume(&mut later, &mut journal, &left, 0, waits());
    assert_eq!(told.turn.unwrap().end, End::Done { differences: vec![], notes: vec![] });
    let names: Vec<_> = told.not_started.iter().map(|host| host.name.as_str()).collect();
    assert_eq!(names, ["xcp-twin"]);
    journal.write(Event::Closed { exit: 1 }).unwrap();
    drop(journal);
    assert_eq!(left_open(reopen(&path).before()), None);
}
