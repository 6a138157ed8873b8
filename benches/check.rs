//! Wall time and memory of whole runs, beside peers that do part of the same work, in the same minutes.
//!
//! `cargo bench` measures; `cargo bench -- 3` does three rounds only, to see that everything runs. Every round runs each
//! program once, so that a slow moment of the machine meets all of them; figures are medians and minima of the rounds.

#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a benchmark prints, and stops where it cannot measure"
)]

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use poolgate::collect::local::{Kernel, Readings, snapshot};
use poolgate::rules::{Phase, Policy, Registry, Side, judge_sequence};
use poolgate::snapshot::read_snapshot;

const POOL: &str = "fixtures/xenserver-8-16-hosts.json";
const JOINER: &str = "fixtures/candidate-xs8.json";
const ROUNDS: usize = 101;
/// Runs this program as a peer of itself: the least that a Rust program must do for the same answer.
const BARE: &str = "--bare";

/// Levels a pool and a joiner: the same reading and the same intersection as `BARE`, and nothing else of `check`.
const PYTHON: &str = r#"
import json, sys
words = []
for path in sys.argv[1:]:
    with open(path) as file:
        for host in json.load(file)["pool"]["hosts"]:
            words.append([int(word, 16) for word in host["cpu"]["features_hvm"].split("-")])
level = words[0]
for other in words[1:]:
    level = [a & b for a, b in zip(level, other)]
print("-".join("%08x" % word for word in level))
"#;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.first().is_some_and(|word| word == BARE) {
        println!("{}", bare(&words[1..]));
        return ExitCode::SUCCESS;
    }
    let rounds = words.iter().find_map(|word| word.parse().ok()).unwrap_or(ROUNDS);
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    let baseline = folder.path().join("cpus.xml");
    std::fs::write(&baseline, seventeen_cpus()).expect("the folder can be written");
    let bench = Bench { rounds, missing: Vec::new() };
    bench.run(&baseline);
    ExitCode::SUCCESS
}

/// What `PYTHON` does, in Rust: the least of a snapshot that levelling needs, the rest is passed over.
fn bare(paths: &[String]) -> String {
    #[derive(serde::Deserialize)]
    struct Snapshot {
        pool: Pool,
    }
    #[derive(serde::Deserialize)]
    struct Pool {
        hosts: Vec<Host>,
    }
    #[derive(serde::Deserialize)]
    struct Host {
        cpu: Cpu,
    }
    #[derive(serde::Deserialize)]
    struct Cpu {
        features_hvm: String,
    }
    let mut level: Option<Vec<u32>> = None;
    for path in paths {
        let text = std::fs::read(path).expect("the fixture is there");
        let snapshot: Snapshot = serde_json::from_slice(&text).expect("the fixture is a snapshot");
        for host in snapshot.pool.hosts {
            let words = host.cpu.features_hvm.split('-');
            let words: Vec<u32> = words.map(|word| u32::from_str_radix(word, 16).expect("hexadecimal")).collect();
            level = Some(match level {
                None => words,
                Some(level) => level.iter().zip(&words).map(|(a, b)| a & b).collect(),
            });
        }
    }
    level.unwrap_or_default().iter().map(|word| format!("{word:08x}")).collect::<Vec<_>>().join("-")
}

/// As many hosts as the pool and the joiner have, in the words of `virsh cpu-baseline`.
fn seventeen_cpus() -> String {
    let cpu = "<cpu><arch>x86_64</arch><model>EPYC-Milan</model><vendor>AMD</vendor>\
               <feature name=\"monitor\"/><feature name=\"ibpb\"/></cpu>\n";
    cpu.repeat(17)
}

struct Bench {
    rounds: usize,
    missing: Vec<String>,
}

/// A program, and what it took in each round.
struct Peer {
    name: &'static str,
    command: Command,
    times: Vec<Duration>,
}

impl Bench {
    fn run(mut self, baseline: &Path) {
        let poolgate = env!("CARGO_BIN_EXE_poolgate");
        let this = std::env::current_exe().expect("this program has a path").display().to_string();
        let baseline = baseline.display().to_string();
        let check = ["check", "--pool", POOL, "--host", JOINER];
        let candidates: [(&'static str, &str, &[&str], &str); 9] = [
            ("empty process", "true", &[], "coreutils"),
            ("poolgate --version", poolgate, &["--version"], ""),
            ("poolgate rules list", poolgate, &["rules", "list", "--format", "json"], ""),
            ("poolgate check", poolgate, &check, ""),
            ("poolgate collect local", poolgate, &["collect", "local"], ""),
            ("bare Rust, same files", &this, &[BARE, POOL, JOINER], ""),
            ("Python, same files", "python3", &["-c", PYTHON, POOL, JOINER], "python3"),
            (
                "virsh cpu-baseline, 17 CPUs",
                "virsh",
                &["-c", "test:///default", "cpu-baseline", &baseline],
                "libvirt-clients",
            ),
            ("cpuid -1 -r", "cpuid", &["-1", "-r"], "cpuid"),
        ];
        let mut peers: Vec<Peer> = Vec::new();
        for (name, program, words, package) in candidates {
            match self.peer(name, program, words) {
                Some(peer) => peers.push(peer),
                None => self.missing.push(format!("{name}: {program} does not run here (package {package})")),
            }
        }
        for _ in 0..self.rounds {
            for peer in &mut peers {
                peer.times.push(timed(&mut peer.command));
            }
        }
        table(&mut peers);
        self.inside(&peers);
        memory(&[&[poolgate], &check[..]].concat());
        for missing in &self.missing {
            println!("not measured: {missing}");
        }
    }

    /// A program that runs, warm.
    fn peer(&self, name: &'static str, program: &str, words: &[&str]) -> Option<Peer> {
        let mut command = Command::new(absolute(program)?);
        command.args(words).current_dir(env!("CARGO_MANIFEST_DIR"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let status = command.status().ok()?;
        // `check` of the full pool is a NO-GO: 1.
        let runs = status.success() || (name.starts_with("poolgate check") && status.code() == Some(1));
        runs.then(|| Peer { name, command, times: Vec::with_capacity(self.rounds) })
    }

    /// Parts of a run, inside one process.
    fn inside(&self, peers: &[Peer]) {
        println!("\nParts, inside one process, {} rounds{:>23}{:>12}", self.rounds, "median ms", "min ms");
        let rules = self.part(|| drop(black_box(Registry::load(&[]))));
        line("load and type-check all built-in rules", &rules);
        let text = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/").to_owned() + POOL).expect("the fixture");
        line("read the pool's snapshot", &self.part(|| drop(black_box(read_snapshot(&text)))));
        let (pool, joiner) = (side(POOL), side(JOINER));
        let (rules, policy) = (Registry::load(&[]).expect("sound rules"), Policy { max_hosts: 16, as_release: None });
        let judged = self.part(|| {
            drop(black_box(judge_sequence(&pool, std::slice::from_ref(&joiner), &rules, Phase::Join, &policy)));
        });
        line("judge one joiner", &judged);
        let kernel = Kernel::here();
        let cpus = std::thread::available_parallelism().map_or(1, usize::from);
        let online: Vec<usize> = (0..cpus).collect();
        // Where these CPUs are not ours an error would be timed.
        Readings::here(Some(&online)).expect("the first CPUs are those that this process may run on");
        let readings = self.part(|| drop(black_box(Readings::here(Some(&online)))));
        line(&format!("CPUID of all CPUs ({cpus})"), &readings);
        let each: Vec<_> = readings.iter().map(|time| *time / u32::try_from(cpus).unwrap_or(1)).collect();
        line("CPUID, per CPU", &each);
        if let Ok(found) = Readings::here(Some(&online)) {
            let now = std::time::SystemTime::now();
            line("hardware inventory", &self.part(|| drop(black_box(snapshot(&kernel, found.clone(), now)))));
        }
        let time_of = |name: &str| peers.iter().find(|peer| peer.name == name).map(|peer| least(&peer.times));
        if let (Some(cpuid), Some(empty)) = (time_of("cpuid -1 -r"), time_of("empty process")) {
            // Minima: moving to a CPU that is busy with something else waits for it.
            let (each, net) = (least(&each), cpuid.saturating_sub(empty));
            println!(
                "CPUID per CPU is at its least {:.2} times `cpuid -1 -r`, {:.2} times its time beyond an empty process",
                each.as_secs_f64() / cpuid.as_secs_f64(),
                each.as_secs_f64() / net.as_secs_f64().max(1e-9),
            );
        }
    }

    fn part(&self, mut run: impl FnMut()) -> Vec<Duration> {
        run();
        let timed = |_| {
            let start = Instant::now();
            run();
            start.elapsed()
        };
        (0..self.rounds).map(timed).collect()
    }
}

fn side(path: &str) -> Side {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path);
    let text = std::fs::read(&path).expect("the fixture is there");
    let (snapshot, _) = read_snapshot(&text).expect("the fixture is a snapshot");
    Side { target: path.display().to_string(), snapshot, assumed: Vec::new(), notes: Vec::new() }
}

/// The program's path, so that no shim on the way is measured.
fn absolute(program: &str) -> Option<PathBuf> {
    if program.contains('/') {
        return Some(PathBuf::from(program));
    }
    let output = Command::new("python3").args(["-c", "import sys; print(sys.executable)"]).output();
    match output {
        Ok(output) if program == "python3" && output.status.success() => {
            Some(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()))
        }
        _ => std::env::split_paths(&std::env::var_os("PATH")?)
            .map(|folder| folder.join(program))
            .find(|path| path.is_file()),
    }
}

fn timed(command: &mut Command) -> Duration {
    let start = Instant::now();
    let status = command.status().expect("it ran before");
    let time = start.elapsed();
    black_box(status);
    time
}

fn table(peers: &mut [Peer]) {
    let check = peers.iter().find(|peer| peer.name == "poolgate check").map(|peer| median(&peer.times));
    let rounds = peers.first().map_or(0, |peer| peer.times.len());
    println!("\nWhole runs, {rounds} rounds{:>31}{:>12}{:>14}", "median ms", "min ms", "times check");
    for peer in peers {
        let ratio = check.map_or(0.0, |check| median(&peer.times).as_secs_f64() / check.as_secs_f64());
        println!("{:<44}{}{ratio:>14.2}", peer.name, figures(&peer.times));
    }
}

fn line(name: &str, times: &[Duration]) {
    println!("{name:<44}{}", figures(times));
}

fn figures(times: &[Duration]) -> String {
    format!("{:>9.3}{:>12.3}", median(times).as_secs_f64() * 1e3, least(times).as_secs_f64() * 1e3)
}

fn least(times: &[Duration]) -> Duration {
    times.iter().min().copied().unwrap_or_default()
}

fn median(times: &[Duration]) -> Duration {
    let mut times = times.to_vec();
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// The most memory that a run held, as GNU time tells it.
fn memory(command: &[&str]) {
    let run = Command::new("/usr/bin/time")
        .args(["-f", "%M"])
        .args(command)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdout(Stdio::null())
        .output();
    let told = run.ok().and_then(|output| {
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        text.lines().last().and_then(|line| line.trim().parse::<f64>().ok())
    });
    match told {
        Some(kib) => println!("\nPeak memory of poolgate check: {:.1} MiB", kib / 1024.0),
        None => println!("\nnot measured: peak memory; /usr/bin/time does not run here (package time)"),
    }
}
