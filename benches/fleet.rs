//! Whole runs over fleets: `cpu level` of hosts' records and `check --fleet` of pools, on one thread and on two, beside Python and
//! a bare Rust loop over the same file in the same rounds.
//!
//! `cargo bench --bench fleet` takes 100,000 hosts and 3 rounds; `-- 10000 5` other numbers. The fleets are written once into
//! the folder for temporary files by a generator (`POOLGATE_FLEETS`: the script `gen_fleet.py N SEED PROFILE`). Times are
//! seconds on the clock and CPU seconds (user and system) of the process; where the machine is busy, the latter count.

#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a benchmark prints, and stops where it cannot measure"
)]

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::Instant;

/// Ticks of `/proc/self/stat` in a second.
const TICKS: f64 = 100.0;

/// Intersects the sets of HVM guests, by vendor: what a program can do at least that reads this file.
const PYTHON: &str = "import sys
try:
    from orjson import loads
except ImportError:
    from json import loads
level = {}
with open(sys.argv[1], 'rb') as lines:
    for line in lines:
        cpu = loads(line)['host']['cpu_info']
        words = [int(word, 16) for word in cpu['features_hvm'].split('-')]
        old = level.get(cpu['vendor'])
        level[cpu['vendor']] = words if old is None else [a & b for a, b in zip(old, words)]
print(level)
";

fn main() -> ExitCode {
    let mut numbers = std::env::args().skip(1).filter_map(|word| word.parse::<usize>().ok());
    let (hosts, rounds) = (numbers.next().unwrap_or(100_000), numbers.next().unwrap_or(3));
    let beside = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data/gen_fleet.py"));
    let generator = std::env::var_os("POOLGATE_FLEETS").map_or_else(beside, PathBuf::from);
    if !generator.is_file() {
        println!("not measured: no generator of fleets; name one in POOLGATE_FLEETS (gen_fleet.py N SEED PROFILE)");
        return ExitCode::SUCCESS;
    }
    let python = std::env::var("POOLGATE_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let slim = fleet(&python, &generator, hosts, "slim");
    let pool = fleet(&python, &generator, hosts, "pool");
    println!("{hosts} hosts, {rounds} rounds: medians of seconds on the clock and of CPU seconds");
    let own = |words: &[&str], file: &Path, threads: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_poolgate"));
        command.args(words).arg(file).args(["--threads", threads]);
        command
    };
    let peer = |file: &Path| {
        let mut command = Command::new(&python);
        command.args(["-c", PYTHON]).arg(file);
        command
    };
    let mut times: Vec<(&str, Vec<[f64; 2]>)> = Vec::new();
    for _ in 0..rounds {
        let runs: [(&str, &dyn Fn() -> [f64; 2]); 7] = [
            ("cpu level, 1 thread", &|| run(own(&["cpu", "level"], &slim, "1"))),
            ("cpu level, 2 threads", &|| run(own(&["cpu", "level"], &slim, "2"))),
            ("bare Rust loop, 2 threads, slim", &|| timed(|| bare(&slim))),
            ("Python, slim", &|| run(peer(&slim))),
            ("check --fleet, 1 thread", &|| run(own(&["check", "--fleet"], &pool, "1"))),
            ("check --fleet, 2 threads", &|| run(own(&["check", "--fleet"], &pool, "2"))),
            ("bare Rust loop, 2 threads, pool", &|| timed(|| bare(&pool))),
        ];
        for (name, run) in runs {
            let time = run();
            match times.iter_mut().find(|(known, _)| *known == name) {
                Some((_, all)) => all.push(time),
                None => times.push((name, vec![time])),
            }
        }
    }
    for (name, all) in times {
        let median = |at: usize| {
            let mut all: Vec<_> = all.iter().map(|time| time[at]).collect();
            all.sort_by(f64::total_cmp);
            all[all.len() / 2]
        };
        println!("{name:<34} {:>8.2} s {:>8.2} CPU s", median(0), median(1));
    }
    ExitCode::SUCCESS
}

/// A generated fleet, written once.
fn fleet(python: &str, generator: &Path, hosts: usize, profile: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("poolgate-fleet-{hosts}-{profile}.ndjson"));
    if !path.exists() {
        // Under its own name only when it is whole: a generator that failed leaves no short fleet for the next run.
        let part = path.with_extension("part");
        let file = File::create(&part).expect("the folder for temporary files can be written");
        let mut command = Command::new(python);
        command.arg(generator).args([&hosts.to_string(), "7", profile]).stdout(file);
        assert!(command.status().is_ok_and(|status| status.success()), "the generator runs");
        std::fs::rename(&part, &path).expect("a file of one's own can be renamed");
    }
    path
}

fn run(mut command: Command) -> [f64; 2] {
    timed(|| {
        let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
        assert!(status.is_ok_and(|status| status.code().is_some_and(|code| code != 2)), "{command:?}");
    })
}

fn timed(what: impl FnOnce()) -> [f64; 2] {
    let (start, before) = (Instant::now(), cpu());
    what();
    [start.elapsed().as_secs_f64(), cpu() - before]
}

/// CPU seconds of this process and of its children that have ended.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after = stat.rsplit(')').next().unwrap_or_default();
    after.split_whitespace().skip(11).take(4).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / TICKS
}

/// Typed, with all else passed over, and one set intersected.
fn bare(file: &Path) {
    #[derive(serde::Deserialize)]
    struct Line<'a> {
        #[serde(borrow)]
        host: Host<'a>,
    }
    #[derive(serde::Deserialize)]
    struct Host<'a> {
        #[serde(borrow)]
        cpu_info: Cpu<'a>,
    }
    #[derive(serde::Deserialize)]
    struct Cpu<'a> {
        features_hvm: &'a str,
    }
    let reader = Mutex::new(BufReader::with_capacity(1 << 20, File::open(file).expect("the fleet can be read")));
    let work = || {
        let (mut level, mut text) = ([u32::MAX; 32], Vec::new());
        loop {
            text.clear();
            {
                let mut reader = reader.lock().expect("no thread stopped");
                while text.len() < 1 << 20 && reader.read_until(b'\n', &mut text).expect("the fleet can be read") > 0
                {
                }
            }
            if text.is_empty() {
                return level;
            }
            for line in text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
                let line: Line<'_> = serde_json::from_slice(line).expect("a host a line");
                for (own, word) in level.iter_mut().zip(line.host.cpu_info.features_hvm.split('-')) {
                    *own &= u32::from_str_radix(word, 16).unwrap_or(0);
                }
            }
        }
    };
    let levels = thread::scope(|scope| {
        let other = scope.spawn(work);
        [work(), other.join().expect("no thread stopped")]
    });
    std::hint::black_box(levels);
}
