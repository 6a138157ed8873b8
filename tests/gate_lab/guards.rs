//! What an earlier run has left, and slips of a name or an address: told before anything is sent.

use std::fs;

use poolgate::lab::{Endpoint, Fault, FaultKind, LabConfig};

use crate::act::SMALL;
use crate::common::rehearsal::{PASSWORD, Rehearsal, served};
use crate::common::run::{Done, Poolgate, fixture, poolgate};

/// Two hosts, the first of which has a call open in a journal of its own.
struct Left {
    lab: Rehearsal,
    journal: String,
}

impl Left {
    fn new() -> Self {
        let lab = Rehearsal::new(SMALL.0, &[SMALL.1]);
        let plan = lab.plan(lab.join());
        let journal = lab.path("own.jsonl").to_str().unwrap().to_owned();
        lab.lab.fault(Fault::new(FaultKind::Hang).on("pool.join"));
        let words = ["--plan", plan.to_str().unwrap(), "--yes", "--wait", "2s", "--journal", &journal];
        let mut child = lab.join().with(words).start();
        lab.wait_for_calls("pool.join", 1);
        child.kill().unwrap();
        child.wait().unwrap();
        Self { lab, journal }
    }

    fn told(&self, run: Poolgate, status: i32) -> Done {
        let told = run.status(status);
        let whole = fs::canonicalize(&self.journal).unwrap();
        let command = format!("poolgate join --resume --journal {}", whole.display());
        assert!(told.stderr.contains(&command), "{told}");
        told
    }
}

#[test]
fn a_call_that_is_open_in_a_journal_elsewhere_is_found() {
    let left = Left::new();
    let plan = left.lab.path("next.json");
    let out = plan.to_str().unwrap();
    // Neither planned nor sent; and what asks for the usual journal is told of the other.
    let planned = left.told(left.lab.join().with(["--plan-out", out]), 5);
    assert!(!plan.exists() && !planned.stdout.contains("GO"), "{planned}");
    left.told(left.lab.join(), 5);
    left.told(left.lab.join().with(["--resume", "--wait", "1s"]), 5);
    assert_eq!(left.lab.count("pool.join"), 1);
    let resumed = left.lab.join().with(["--resume", "--wait", "1s", "--journal", &left.journal]).any_status(|_| true);
    assert!(resumed.stdout.contains(&format!("--journal {}", left.journal)), "{resumed}");
}

#[test]
fn a_host_whose_call_to_another_pool_is_open_is_not_joined() {
    let config = LabConfig::new(PASSWORD).serve(served(SMALL.0, |_| {})).serve(served(SMALL.1, |_| {}));
    let lab = Rehearsal::of(config.serve(served("xcp-ng-8.3-5-hosts", |_| {})));
    let (pool, host, other) = (lab.pool().url(), lab.joiner(0).url(), lab.joiner(1).url());
    let to = |pool: &str| lab.act(["join", "--pool", pool, "--host", &host]);
    let plan = lab.plan(to(&pool));
    lab.lab.fault(Fault::new(FaultKind::Hang).on("pool.join"));
    let mut child = to(&pool).with(["--plan", plan.to_str().unwrap(), "--yes", "--wait", "2s"]).start();
    lab.wait_for_calls("pool.join", 1);
    child.kill().unwrap();
    child.wait().unwrap();
    let told = to(&other).with(["--plan-out", lab.path("other.json").to_str().unwrap()]).status(5);
    assert!(told.stderr.contains("its end is not known"), "{told}");
    assert!(!lab.path("other.json").exists());
}

#[test]
fn a_journal_that_was_changed_may_hide_an_open_call() {
    let lab = Rehearsal::new(SMALL.0, &[SMALL.1]);
    let plan = lab.plan(lab.join());
    lab.lab.fault(Fault::new(FaultKind::Hang).on("pool.join"));
    let mut child = lab.join().with(["--plan", plan.to_str().unwrap(), "--yes", "--wait", "2s"]).start();
    lab.wait_for_calls("pool.join", 1);
    child.kill().unwrap();
    child.wait().unwrap();
    let journal = lab.journal_path();
    let text = fs::read_to_string(&journal).unwrap();
    fs::write(&journal, text.replacen("\"by\":\"plan\"", "\"by\":\"plaN\"", 1)).unwrap();
    let out = lab.path("next.json");
    let elsewhere = lab.path("new.jsonl");
    for more in [vec![], vec!["--journal", elsewhere.to_str().unwrap()]] {
        let told = lab.join().with(["--plan-out", out.to_str().unwrap()]).with(more).status(5);
        assert!(told.stderr.contains("nobody can tell by it whether a call has come to its end"), "{told}");
        assert!(!out.exists());
    }
    let told = lab.join().with(["--resume", "--wait", "1s"]).any_status(|status| *status != 0);
    assert!(told.stderr.contains("Look at the servers") && !told.stderr.contains("--journal FILE"), "{told}");
    assert_eq!(lab.count("pool.join"), 1);
}

#[test]
fn a_resumption_needs_a_journal_that_is_there_and_takes_no_other_orders() {
    let lab = Rehearsal::new(SMALL.0, &[SMALL.1]);
    let gone = lab.path("gone.jsonl");
    let told = lab.join().with(["--resume", "--journal", gone.to_str().unwrap()]).status(2);
    assert!(told.stderr.contains("no such file; nothing is resumed") && !gone.exists(), "{told}");
    for more in [["--waivers", "w.toml"], ["--fail-on", "warning"], ["--coordinator-address", "192.0.2.1"]] {
        lab.join().with(["--resume"]).with(more).status(2).complaint_of("cannot be used with");
    }
}

#[test]
fn a_resumption_says_how_the_last_run_ended() {
    let lab = Rehearsal::new(SMALL.0, &[SMALL.1]);
    lab.joined(0);
    let told = lab.join().with(["--resume", "--wait", "1s"]).status(0);
    assert!(told.stderr.contains("every one that it tells of has come to its end"), "{told}");
}

#[test]
fn the_address_that_hosts_are_to_use_is_the_coordinators_by_its_certificate() {
    let lab = Rehearsal::new("xcp-ng-8.3-5-hosts", &["candidate-good", "candidate-twin"]);
    let other = lab.joiner(1).address.to_string();
    let run = lab.act(["join", "--pool", &lab.pool().url(), "--host", &lab.joiner(0).url()]);
    let told = run.with(["--coordinator-address", &other]).status(2).complaint();
    assert!(told.contains("another server than the pool's coordinator answers at"), "{told}");
    // One that does not answer from here may be right all the same.
    let run = lab.act(["join", "--pool", &lab.pool().url(), "--host", &lab.joiner(0).url()]);
    let run = run.with(["--coordinator-address", "127.0.0.99", "--plan-out", lab.path("p.json").to_str().unwrap()]);
    let told = run.status(0);
    assert!(told.stderr.contains("cannot be looked at from here"), "{told}");
    let run = lab.act(["join", "--pool", &lab.pool().url(), "--host", &lab.joiner(0).url()]);
    let own = lab.pool().address.to_string();
    let run = run.with(["--coordinator-address", &own, "--plan-out", lab.path("q.json").to_str().unwrap()]);
    assert_eq!(run.status(0).stderr, "");
    assert_eq!(lab.count("pool.join"), 0);
}

#[test]
fn files_that_may_be_wanted_are_not_written_over() {
    let lab = Rehearsal::new(SMALL.0, &[SMALL.1]);
    let snapshot = lab.path("snapshot.json");
    fs::copy(fixture("candidate-good"), &snapshot).unwrap();
    let before = fs::read(&snapshot).unwrap();
    let told = lab.join().with(["--plan-out", snapshot.to_str().unwrap()]).status(2).complaint();
    assert!(told.contains("that file is a poolgate-snapshot"), "{told}");
    assert_eq!(fs::read(&snapshot).unwrap(), before);
    // A plan takes the place of a plan.
    let plan = lab.plan(lab.join());
    lab.join().with(["--plan-out", plan.to_str().unwrap()]).status(0);
    // The only one that knows another host's network, perhaps.
    lab.joined(0);
    let script = lab.path("restore.sh");
    let words = ["--plan-out", plan.to_str().unwrap(), "--restore-out", script.to_str().unwrap()];
    // That a file names the host is not enough: the plan of its join does too.
    let of_host = fs::read_to_string(&plan).unwrap();
    for precious in ["precious", &of_host] {
        fs::write(&script, precious).unwrap();
        let told = lab.eject("xs8-edge-02").with(words).status(2).complaint();
        assert!(told.contains("there is such a file"), "{told}");
        assert_eq!(fs::read_to_string(&script).unwrap(), precious);
    }
}

#[test]
fn a_pin_at_another_port_is_a_slip() {
    let lab = Rehearsal::new(SMALL.0, &[SMALL.1]);
    let (pool, joiner) = (lab.pool(), lab.joiner(0));
    let check = |pins: &[String]| {
        let words =
            ["check", "--pool", &pool.url(), "--host", &joiner.url(), "--password-env", "PASSWORD", "--quiet"];
        let pins = pins.iter().flat_map(|pin| ["--tls-fingerprint", pin]);
        poolgate(words).with(pins).env("PASSWORD", PASSWORD)
    };
    let pin = |port: String, endpoint: &Endpoint| format!("{}{port}={}", endpoint.address, endpoint.fingerprint);
    let own = |endpoint: &Endpoint| pin(format!(":{}", endpoint.port), endpoint);
    let told = check(&[pin(String::new(), &pool), own(&joiner)]).status(2).complaint();
    assert!(told.contains("no target of this run is at that port"), "{told}");
    // One more of another server at that address, as behind a tunnel, is none.
    check(&[pin(":9".to_owned(), &pool), own(&pool), own(&joiner)]).status(0);
}
