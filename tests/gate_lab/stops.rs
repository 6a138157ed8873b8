//! What is not done: because it should not be, because somebody else does it, or because the operator stops it.

use std::time::{Duration, Instant};

use poolgate::lab::{Fault, FaultKind, LabConfig};

use crate::act::SMALL;
use crate::common::rehearsal::{PASSWORD, Rehearsal, served};
use crate::common::run::{fixture, poolgate};

fn small() -> Rehearsal {
    Rehearsal::new(SMALL.0, &[SMALL.1])
}

#[test]
fn what_is_no_server_can_only_be_checked() {
    for (words, says) in [
        (vec!["join", "--pool", "https://192.0.2.1", "--host", "local"], "local: only a live server can be joined"),
        (
            vec!["join", "--pool", "pool.json", "--host", "https://192.0.2.1"],
            "poolgate check --pool POOL --host HOST",
        ),
        (vec!["join", "--pool", "https://192.0.2.1", "--host", "cpu:\"Xeon\""], "only a live server"),
        (vec!["join", "--pool", "xapi-local", "--host", "https://192.0.2.1"], "name the pool as https://"),
        (vec!["eject", "--pool", "-", "--member", "a"], "poolgate check --phase eject"),
    ] {
        let complaint = poolgate(&words).status(2).complaint();
        assert!(complaint.contains(says), "{words:?}: {complaint}");
    }
    let words = ["join", "--pool", "https://192.0.2.1", "--host", &fixture("candidate-good")];
    assert!(poolgate(words).status(2).complaint().contains("only a live server can be joined"));
}

#[test]
fn nobody_agrees_without_a_terminal_or_a_reviewed_plan() {
    let lab = small();
    let complaint = lab.join().status(2);
    assert!(complaint.stderr.contains("there is no terminal to confirm on, and nothing was done"), "{complaint}");
    lab.join().with(["--yes"]).status(2).complaint();
    assert_eq!(lab.count("pool.join"), 0);
}

#[test]
fn an_unknown_certificate_is_not_joined() {
    let lab = small();
    let words = ["join", "--pool", &lab.pool().url(), "--host", &lab.joiner(0).url(), "--password-env", "PASSWORD"];
    let home = lab.folder.path().to_str().unwrap().to_owned();
    let run = poolgate(words).env("PASSWORD", PASSWORD).env("HOME", &home);
    let complaint = run.status(4).complaint();
    assert!(complaint.contains("its certificate is not known yet"), "{complaint}");
    assert_eq!(lab.lab.calls(), [], "no word was said to a server that is not trusted");
}

#[test]
fn a_no_go_is_told_and_not_joined() {
    let config = LabConfig::new(PASSWORD).serve(served(SMALL.0, |json| json["pool"]["ha_enabled"] = true.into()));
    let lab = Rehearsal::of(config.serve(served(SMALL.1, |_| {})));
    let done = lab.join().status(1);
    assert!(done.stdout.starts_with("NO-GO\n"), "{done}");
    assert!(done.stdout.contains("ha-off-on-pool"), "{done}");
    assert_eq!(lab.join().with(["--format", "json"]).status(1).json()["verdict"], "NO-GO");
    assert_eq!((lab.count("pool.join"), lab.lab.open_sessions()), (0, 0));
}

#[test]
fn a_plan_that_no_longer_fits_stops_by_name() {
    let lab = small();
    let plan = lab.plan(lab.join());
    let carry_out = || lab.join().with(["--plan", plan.to_str().unwrap(), "--yes", "--wait", "20s"]);
    let set = |on: bool| lab.lab.with_db(&lab.pool().name, |db| db.set_pool("ha_enabled", on)).unwrap();
    set(true);
    let done = carry_out().status(1);
    assert!(done.stdout.starts_with("NO-GO\n"), "{done}");
    assert!(done.stderr.contains("changed since the plan: rule ha-off-on-pool: pass → fail"), "{done}");
    assert!(done.stderr.contains("changed since the plan: pool.ha_enabled: \"false\" → \"true\""), "{done}");
    set(false);
    let joiner = lab.joiner(0).name;
    lab.lab
        .with_db(&joiner, |db| {
            let host = db.coordinator().to_owned();
            db.set("host", &host, "iscsi_iqn", "iqn.2026-11.com.example:changed");
            db.change("host", &host, |record| {
                if let Some(config) = record.get_mut("other_config").and_then(|config| config.as_object_mut()) {
                    config.insert("iscsi_iqn".to_owned(), "iqn.2026-11.com.example:changed".into());
                }
            });
        })
        .unwrap();
    let done = carry_out().status(1);
    assert!(done.stdout.contains("nothing was sent; since the plan this has"), "{done}");
    assert!(done.stdout.contains("host.iscsi_iqn"), "{done}");
    assert!(done.stdout.contains("iqn.2026-11.com.example:changed"), "{done}");
    assert_eq!((lab.count("pool.join"), lab.lab.open_sessions()), (0, 0));
    let text = std::fs::read_to_string(&plan).unwrap();
    std::fs::write(&plan, text.replace("\"GO\"", "\"GO WITH WARNINGS\"")).unwrap();
    let complaint = carry_out().status(2).complaint();
    assert!(complaint.contains("it was changed after it was written"), "{complaint}");
}

#[test]
fn a_plan_is_for_its_own_run() {
    let (one, other) = (small(), Rehearsal::new(crate::act::POOL, &["candidate-good"]));
    let plan = one.plan(one.join());
    let complaint =
        other.join().with(["--plan", plan.to_str().unwrap(), "--yes", "--wait", "20s"]).status(2).complaint();
    assert!(complaint.contains("is a plan for another run"), "{complaint}");
    // By their uuids, for the names may be the same.
    let uuid = |text: &str| text.split('(').nth(1).and_then(|rest| rest.split(')').next()).unwrap_or_default().len();
    assert_eq!(uuid(&complaint), 36, "{complaint}");
    assert_eq!(other.count("pool.join"), 0);
}

#[test]
fn one_act_at_a_time_on_a_pool() {
    let lab = small();
    let plan = lab.plan(lab.join());
    let carry_out = || lab.join().with(["--plan", plan.to_str().unwrap(), "--yes", "--wait", "20s"]);
    lab.lab.fault(Fault::new(FaultKind::Hang).on("pool.join"));
    let mut first = carry_out().start();
    lab.wait_for_calls("pool.join", 1);
    let second = carry_out().status(2).complaint_of("another run acts on this pool now: poolgate join of");
    assert!(second.contains(&format!("process {}", first.id())), "{second}");
    first.kill().unwrap();
    first.wait().unwrap();
    // The lock is gone with its process, and the call is open.
    carry_out().status(5).complaint_of("its end is not known; see first with `poolgate join --resume --journal");
    // Nor does another journal make it undone.
    let other = lab.path("other.jsonl");
    let elsewhere = carry_out().with(["--journal", other.to_str().unwrap()]).status(5);
    elsewhere.complaint_of("its end is not known; see first with `poolgate join --resume --journal");
    assert_eq!(lab.count("pool.join"), 1);
}

/// Whoever cannot be told how a run ended is asked for another place before anything is sent.
#[test]
fn where_the_end_is_told_is_opened_before_the_call() {
    let lab = small();
    let plan = lab.plan(lab.join());
    let carry_out = || lab.join().with(["--plan", plan.to_str().unwrap(), "--yes", "--wait", "20s"]);
    carry_out().with(["-o", "/nowhere/end.json"]).status(2).complaint_of("cannot write /nowhere/end.json");
    assert_eq!(lab.count("pool.join"), 0);
    // A place that fails later costs the file, and neither the answer nor the status.
    let done = carry_out().with(["-o", "/dev/full", "--format", "json"]).status(0);
    assert!(done.stderr.contains("DONE  xs8-edge-02 is a member of edge, as predicted"), "{done}");
    assert!(done.stderr.contains("last hash"), "{done}");
    assert_eq!(lab.count("pool.join"), 1);
}

#[test]
fn the_address_that_the_password_goes_to_is_one() {
    let lab = small();
    for odd in ["not an address", "1.2.3.4; rm -rf /", "https://127.0.0.1", "", "-x"] {
        let words = format!("--coordinator-address={odd}");
        let complaint = lab.join().with([words.as_str()]).status(2).complaint();
        assert!(complaint.contains("no address and no name of a server"), "{odd}: {complaint}");
    }
    let own = lab.joiner(0).address.to_string();
    let complaint = lab.join().with(["--coordinator-address", &own]).status(2).complaint();
    assert!(complaint.contains("which is to join"), "{complaint}");
    assert_eq!(lab.count("pool.join"), 0);
}

/// What programs read has the keys of its schema, level by level.
#[test]
fn what_a_run_says_to_programs_is_as_published() {
    let lab = small();
    let plan = lab.plan(lab.join());
    let words = ["--plan", plan.to_str().unwrap(), "--yes", "--wait", "20s", "--format", "json"];
    let told = lab.join().with(words).status(0).json();
    let resumed = lab.join().with(["--resume", "--format", "json"]).status(0);
    assert!(resumed.stderr.contains("no run is open"), "{resumed}");
    let schema = poolgate(["schema", "run"]).status(0).json();
    let keys = |json: &serde_json::Value| json.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let resumed: serde_json::Value = serde_json::from_str(&resumed.stdout).unwrap();
    for said in [&told, &resumed] {
        assert_eq!(keys(said), keys(&schema["properties"]));
    }
    assert_eq!((resumed["turns"].as_array().unwrap().len(), &resumed["exit"]), (0, &0.into()));
    let turn = &schema["properties"]["turns"]["items"]["properties"];
    assert_eq!(keys(&told["turns"][0]), keys(turn));
    assert_eq!(keys(&told["turns"][0]["host"]), keys(&turn["host"]["properties"]));
    let outcomes = turn["outcome"]["enum"].as_array().unwrap();
    assert!(outcomes.contains(&told["turns"][0]["outcome"]), "{told}");
}

#[test]
fn a_journal_that_breaks_off_tells_what_was_done() {
    let lab = small();
    lab.joined(0);
    let whole = std::fs::read_to_string(lab.journal_path()).unwrap();
    let cut = lab.path("cut.jsonl");
    let lines: Vec<_> = whole.lines().collect();
    std::fs::write(&cut, lines[..lines.len() - 1].join("\n") + "\n").unwrap();
    let verify = |path: &std::path::Path, status| {
        poolgate(["journal", "verify", path.to_str().unwrap()]).status(status).stdout
    };
    let told = verify(&cut, 0);
    assert!(told.contains("broke off after its hosts' turns had ended: xs8-edge-02: done, as predicted"), "{told}");
    std::fs::write(&cut, whole.replacen("\"confirmed\"", "\"Confirmed\"", 1)).unwrap();
    let told = verify(&cut, 1);
    assert!(told.contains("CHANGED") && !told.contains("nothing"), "{told}");
}

/// Runs until a call has come, sends a signal, and returns the exit status, standard output and standard error.
fn interrupted(lab: &Rehearsal, plan: &str, method: &str) -> (Option<i32>, String, String) {
    let before = lab.count(method);
    let child = lab.join().with(["--plan", plan, "--yes", "--wait", "20s"]).start_to_read();
    lab.wait_for_calls(method, before + 1);
    let signal = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(signal.success());
    let began = Instant::now();
    let output = child.wait_with_output().unwrap();
    assert!(began.elapsed() < Duration::from_secs(15), "it took {:?} to stop", began.elapsed());
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn an_interruption_during_the_call_says_what_was_started() {
    let lab = small();
    let plan = lab.plan(lab.join());
    lab.lab.fault(Fault::new(FaultKind::Slow(Duration::from_secs(4))).on("pool.join"));
    let (status, stdout, stderr) = interrupted(&lab, plan.to_str().unwrap(), "pool.join");
    assert_eq!(status, Some(5), "{stdout}{stderr}");
    assert!(stdout.contains("NOT CONFIRMED") && stdout.contains("interrupted after pool.join was sent"), "{stdout}");
    let (pool, host) = (lab.pool().url(), lab.joiner(0).url());
    assert!(stdout.contains(&format!("\n  poolgate join --resume --pool {pool} --host {host}\n")), "{stdout}");
    // The server carries it to its end, and a resumed run tells.
    let told = lab.join().with(["--resume", "--wait", "20s"]).status(0);
    assert!(told.stdout.contains("is a member of"), "{told}");
    assert_eq!((lab.count("pool.join"), lab.lab.open_sessions()), (1, 0));
    let told = lab.join().with(["--resume", "--wait", "20s"]).status(0);
    assert!(told.stderr.contains("no run is open"), "{told}");
}

#[test]
fn an_interruption_before_the_call_sends_nothing() {
    let lab = small();
    let plan = lab.plan(lab.join());
    lab.lab.fault(Fault::new(FaultKind::Slow(Duration::from_secs(1))).on("VM.get_all_records"));
    let before = lab.count("VM.get_all_records");
    let (status, _, stderr) = interrupted(&lab, plan.to_str().unwrap(), "VM.get_all_records");
    assert!(before > 0 && status != Some(0), "{status:?} {stderr}");
    assert!(stderr.contains("interrupted: stopping before anything is sent"), "{stderr}");
    assert_eq!((lab.count("pool.join"), lab.lab.open_sessions()), (0, 0));
}

/// `nohup poolgate join …` outlives its terminal.
#[test]
fn a_run_that_was_started_to_ignore_hangups_goes_on() {
    let lab = small();
    let plan = lab.plan(lab.join());
    lab.lab.fault(Fault::new(FaultKind::Slow(Duration::from_secs(1))).on("pool.join"));
    let words = ["--plan", plan.to_str().unwrap(), "--yes", "--wait", "20s"];
    let child = lab.join().with(words).start_ignoring_hangups();
    lab.wait_for_calls("pool.join", 1);
    let signal = std::process::Command::new("kill").args(["-HUP", &child.id().to_string()]).status().unwrap();
    assert!(signal.success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}
