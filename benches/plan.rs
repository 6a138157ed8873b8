//! Losses and times of `poolgate plan` on made-up fleets, beside simpler ways and an independent integer program.
//!
//! `cargo bench --bench plan` plans fleets of 16, 100, 300 and 1000 hosts at stated seeds. The fleets are written by a generator
//! (`POOLGATE_FLEETS`: the script `gen_fleet.py N SEED slim`); the others run in `benches/plan.py` under
//! `POOLGATE_PYTHON`, whose scipy solves the integer program. What is not there is named and left out.
//! `-- 100 5` plans fleets up to 100 hosts, with 5 seconds for each integer program.

#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a benchmark prints, and stops where it cannot measure"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use poolgate::plan::Weights;
use serde_json::Value as Json;

/// Hosts and seed of each fleet.
const FLEETS: [(usize, u64); 15] = [
    (16, 1),
    (16, 2),
    (100, 2),
    (100, 3),
    (300, 3),
    (300, 5),
    (300, 6),
    (300, 11),
    (300, 12),
    (300, 13),
    (300, 14),
    (300, 15),
    (1000, 4),
    (1000, 7),
    (1000, 8),
];
const LIMIT: &str = "16";
/// Runs of poolgate for one median.
const ROUNDS: usize = 5;

fn main() -> ExitCode {
    let numbers: Vec<u64> = std::env::args().skip(1).filter_map(|word| word.parse().ok()).collect();
    let most = numbers.first().copied().unwrap_or(1000);
    let seconds = numbers.get(1).copied().unwrap_or(60);
    let Some(generator) = generator() else {
        println!("not measured: no generator of fleets; name one in POOLGATE_FLEETS (gen_fleet.py N SEED slim)");
        return ExitCode::SUCCESS;
    };
    let python = std::env::var("POOLGATE_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    let weights = folder.path().join("weights.json");
    std::fs::write(&weights, by_feature().to_string()).expect("the folder can be written");
    println!(
        "{:>5} {:>4} {:>7} {:>8} {:>7} {:>6} {:>6} {:>8} {:>8} {:>8} {:>8} {:>7}",
        "hosts", "seed", "loss", "bound", "proved", "s", "user s", "chunk", "in a row", "integer", "bound", "s"
    );
    for (hosts, seed) in FLEETS.into_iter().filter(|(hosts, _)| *hosts as u64 <= most) {
        let fleet = folder.path().join(format!("{hosts}-{seed}.ndjson"));
        let words = [generator.display().to_string(), hosts.to_string(), seed.to_string(), "slim".to_owned()];
        let made = Command::new(&python).args(&words).output().expect("the generator runs");
        std::fs::write(&fleet, made.stdout).expect("the folder can be written");
        let (own, time, user) = own(&fleet);
        let others = others(&python, &fleet, &weights, seconds);
        let ratio = |name: &str| match (others[name]["loss"].as_f64(), own["loss"].as_f64()) {
            (Some(loss), Some(own)) => format!("{:.2}x", loss / own.max(1.0)),
            _ => "-".to_owned(),
        };
        let proved = if own["optimal"] == true { "yes" } else { "no" };
        let number = |value: &Json| value.as_f64().map_or_else(|| "-".to_owned(), |number| format!("{number:.0}"));
        let spent = others["integer"]["seconds"].as_f64().map_or_else(|| "-".to_owned(), |time| format!("{time:.1}"));
        println!(
            "{hosts:>5} {seed:>4} {:>7} {:>8} {proved:>7} {time:>6.2} {user:>6.2} {:>8} {:>8} {:>8} {:>8} {spent:>7}",
            number(&own["loss"]),
            number(&own["bound"]),
            ratio("chunk"),
            ratio("contiguous"),
            number(&others["integer"]["loss"]),
            number(&others["integer"]["bound"]),
        );
    }
    if !Command::new(&python).args(["-c", "import scipy"]).stderr(Stdio::null()).status().is_ok_and(|it| it.success())
    {
        println!("not measured: the integer program; {python} has no scipy (name another in POOLGATE_PYTHON)");
    }
    ExitCode::SUCCESS
}

fn generator() -> Option<PathBuf> {
    let beside = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data/gen_fleet.py"));
    let path = std::env::var_os("POOLGATE_FLEETS").map_or_else(beside, PathBuf::from);
    path.is_file().then_some(path)
}

/// The built-in weights, feature by feature.
fn by_feature() -> Json {
    let weights = Weights::default();
    (0..32 * 32)
        .map(|feature| (feature.to_string(), Json::from(weights.of(feature))))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// The plan as JSON, and the medians of the wall time and of the user time of a whole run.
fn own(fleet: &Path) -> (Json, f64, f64) {
    let (mut walls, mut users) = (Vec::new(), Vec::new());
    let mut text = Vec::new();
    for _ in 0..ROUNDS {
        let (start, before) = (Instant::now(), user());
        let done = Command::new(env!("CARGO_BIN_EXE_poolgate"))
            .args(["plan", "--max-hosts", LIMIT, "--format", "json"])
            .arg(fleet)
            .output()
            .expect("poolgate runs");
        walls.push(start.elapsed().as_secs_f64());
        users.push(user() - before);
        text = done.stdout;
    }
    let median = |mut times: Vec<f64>| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    };
    (serde_json::from_slice(&text).expect("a plan"), median(walls), median(users))
}

/// User time of all children that ended, in seconds; Linux counts it in hundredths.
fn user() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    let after = stat.rsplit(')').next().expect("a name");
    after.split_whitespace().nth(13).and_then(|ticks| ticks.parse::<f64>().ok()).expect("a number") / 100.0
}

fn others(python: &str, fleet: &Path, weights: &Path, seconds: u64) -> Json {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/plan.py");
    let done = Command::new(python)
        .arg(script)
        .args([fleet, weights])
        .args([LIMIT, &seconds.to_string()])
        .stderr(Stdio::inherit())
        .output();
    done.ok().and_then(|done| serde_json::from_slice(&done.stdout).ok()).unwrap_or_default()
}
