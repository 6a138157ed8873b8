//! What reading foreign dumps costs: the whole corpus beside the checkout, where there is one, format by format, and a
//! made-up dump of many CPUs. `cargo bench --bench dumps -- 3` does three rounds.

#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a benchmark prints, and stops where it cannot measure"
)]

use std::collections::BTreeMap;
use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use poolgate::collect::{Target, read_target};
use poolgate::cpu::catalogue::{find, search};

const ROUNDS: usize = 21;

fn main() {
    let rounds = std::env::args().skip(1).find_map(|word| word.parse().ok()).unwrap_or(ROUNDS);
    let shared = std::env::var_os("POOLGATE_SHARED")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared")), PathBuf::from);
    println!("{:<34}{:>8}{:>10}{:>12}{:>12}", format!("{rounds} rounds"), "files", "KiB", "median ms", "us a file");
    let corpus = shared.join("data/corpus");
    if corpus.is_dir() {
        let mut all = Vec::new();
        for (format, files) in folders(&corpus) {
            row(&format, &files, rounds);
            all.extend(files);
        }
        row("the whole corpus", &all, rounds);
    } else {
        println!("not measured: the corpus is not beside this checkout");
    }
    row("made up: 512 CPUs, cpuid -r", &[many(512)], rounds);
    let name = timed(rounds, || drop(black_box(find("Xeon Gold 6338N"))));
    let words = timed(rounds, || drop(black_box(search("gold 63"))));
    println!("\ncatalogue: find {:.3} ms, search {:.3} ms", millis(name), millis(words));
}

/// The files of each folder of the corpus.
fn folders(corpus: &Path) -> BTreeMap<String, Vec<Vec<u8>>> {
    let mut found: BTreeMap<String, Vec<Vec<u8>>> = BTreeMap::new();
    for folder in fs::read_dir(corpus).expect("the corpus").flatten().filter(|entry| entry.path().is_dir()) {
        let files = fs::read_dir(folder.path()).expect("a folder").flatten();
        let files = files.map(|file| fs::read(file.path()).expect("a file")).collect();
        found.insert(folder.file_name().to_string_lossy().into_owned(), files);
    }
    found
}

fn many(cpus: usize) -> Vec<u8> {
    let mut text = String::new();
    for cpu in 0..cpus {
        text.push_str(&format!("CPU {cpu}:\n"));
        for leaf in (0..0x20_u32).chain(0x8000_0000..0x8000_0022) {
            let eax = if leaf & 0xffff == 0 { leaf | 0x21 } else { 0 };
            text.push_str(&format!(
                "   0x{leaf:08x} 0x00: eax=0x{eax:08x} ebx=0x756e6547 ecx=0x6c65746e edx=0x49656e69\n"
            ));
        }
    }
    text.into_bytes()
}

fn row(name: &str, files: &[Vec<u8>], rounds: usize) {
    let time = timed(rounds, || {
        for file in files {
            drop(black_box(read_target(&Target::Stdin, &mut file.as_slice())));
        }
    });
    let size: usize = files.iter().map(Vec::len).sum();
    let each = millis(time) * 1e3 / files.len() as f64;
    println!("{name:<34}{:>8}{:>10}{:>12.2}{each:>12.0}", files.len(), size >> 10, millis(time));
}

fn timed(rounds: usize, mut run: impl FnMut()) -> Duration {
    run();
    let mut times: Vec<_> = (0..rounds)
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed()
        })
        .collect();
    times.sort();
    times[times.len() / 2]
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
