//! The real binary against a lab: a pool and joiners from fixtures, plans and journals in a folder of their own.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use poolgate::gate::journal::{Entry, Event, read};
use poolgate::lab::{Endpoint, Lab, LabConfig, Phase, Served};

use super::judge::fixture_json;
use super::run::{Done, Poolgate, poolgate};

/// The password of everybody.
pub const PASSWORD: &str = "marker-of-the-password";
/// How long a lab's host may take to whatever is waited for.
pub const LONG: Duration = Duration::from_secs(20);

/// A lab, and a place for what poolgate writes.
pub struct Rehearsal {
    pub lab: Lab,
    pub folder: tempfile::TempDir,
    joiners: Vec<String>,
    coordinator: String,
}

/// A fixture for a lab, changed.
pub fn served(stem: &str, change: impl FnOnce(&mut serde_json::Value)) -> Served {
    let mut json = fixture_json(stem);
    change(&mut json);
    Served::text(stem, json.to_string().as_bytes()).unwrap()
}

/// A small pool and its joiner, slower than labs usually are.
pub fn small_at_speed(speed: f64) -> LabConfig {
    let config = LabConfig::new(PASSWORD).speed(speed);
    ["xenserver-8-1-host", "candidate-xs8-twin"]
        .iter()
        .fold(config, |config, stem| config.serve(served(stem, |_| {})))
}

impl Rehearsal {
    /// A pool and joiners from fixtures.
    pub fn new(pool: &str, joiners: &[&str]) -> Self {
        let all = std::iter::once(pool).chain(joiners.iter().copied());
        Self::of(all.fold(LabConfig::new(PASSWORD), |config, stem| config.serve(served(stem, |_| {}))))
    }

    /// A pool and joiners of a configuration: the pool comes first.
    pub fn of(config: LabConfig) -> Self {
        let lab = Lab::start(config).unwrap();
        let alone: Vec<_> = lab.endpoints().into_iter().filter(|it| it.coordinator == it.name).collect();
        let coordinator = alone[0].name.clone();
        let joiners = alone[1..].iter().map(|it| it.name.clone()).collect();
        Self { lab, folder: tempfile::tempdir().unwrap(), joiners, coordinator }
    }

    pub fn pool(&self) -> Endpoint {
        self.lab.endpoint(&self.coordinator).unwrap()
    }

    pub fn joiner(&self, place: usize) -> Endpoint {
        self.lab.endpoint(&self.joiners[place]).unwrap()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A command that acts, with whom to trust and the password.
    pub fn act<W: AsRef<str>>(&self, words: impl IntoIterator<Item = W>) -> Poolgate {
        let mut run = poolgate(words).with(["--password-env", "PASSWORD"]);
        for endpoint in self.lab.endpoints() {
            let pin = format!("{}:{}={}", endpoint.address, endpoint.port, endpoint.fingerprint);
            run = run.with(["--tls-fingerprint", &pin]);
        }
        run.env("PASSWORD", PASSWORD)
            .env("XDG_STATE_HOME", self.folder.path().to_str().unwrap())
            .env("HOME", "/nowhere")
    }

    /// `join` of all joiners.
    pub fn join(&self) -> Poolgate {
        let mut words = vec!["join".to_owned(), "--pool".to_owned(), self.pool().url()];
        for place in 0..self.joiners.len() {
            words.extend(["--host".to_owned(), self.joiner(place).url()]);
        }
        self.act(words)
    }

    /// `eject` of a member.
    pub fn eject(&self, member: &str) -> Poolgate {
        self.act(["eject", "--pool", &self.pool().url(), "--member", member])
    }

    /// Writes a plan of a run, which must be a GO.
    pub fn plan(&self, run: Poolgate) -> PathBuf {
        let path = self.path("plan.json");
        run.with(["--plan-out", path.to_str().unwrap()]).status(0).quietly();
        path
    }

    /// Plans a join and carries it out.
    pub fn joined(&self, status: i32) -> Done {
        let plan = self.plan(self.join());
        self.join().with(["--plan", plan.to_str().unwrap(), "--yes", "--wait", "20s"]).status(status)
    }

    /// How often the lab received a method from a client.
    pub fn count(&self, method: &str) -> usize {
        self.lab.calls().iter().filter(|call| call.method == method && !call.by_host).count()
    }

    /// The default journal.
    pub fn journal_path(&self) -> PathBuf {
        let folder = self.folder.path().join("poolgate");
        let is_journal = |path: &Path| path.extension().is_some_and(|extension| extension == "jsonl");
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        entries.into_iter().find(|path| is_journal(path)).unwrap()
    }

    /// The journal's lines; its chain must hold.
    pub fn journal(&self) -> Vec<Entry> {
        let bytes = std::fs::read(self.journal_path()).unwrap();
        assert!(!String::from_utf8_lossy(&bytes).contains(PASSWORD), "a secret in the journal");
        let reading = read(&bytes);
        assert_eq!(reading.fault, None);
        reading.entries
    }

    /// The journal's events, by their names.
    pub fn events(&self) -> Vec<String> {
        let name = |event: &Event| serde_json::to_value(event).unwrap()["event"].as_str().unwrap().to_owned();
        self.journal().iter().map(|entry| name(&entry.event)).collect()
    }

    pub fn wait_for(&self, name: &str, phase: Phase) {
        self.lab.wait_for_phase(name, phase, LONG).unwrap();
    }

    /// A command on the default journal.
    pub fn act_on_journal(&self, words: &[&str]) -> Poolgate {
        let path = self.journal_path();
        let (verb, rest) = words.split_at(2);
        poolgate(verb.iter().chain([&path.to_str().unwrap()]).chain(rest))
    }

    /// Waits until clients have called a method so often.
    pub fn wait_for_calls(&self, method: &str, times: usize) {
        let until = Instant::now() + LONG;
        while self.count(method) < times {
            assert!(Instant::now() < until, "{method} was not called");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}
