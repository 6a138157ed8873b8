//! `poolgate cpu level` of fleets: only what all CPUs so far have in common is kept.

use std::io;

use super::check::{progress, threads};
use super::pump::{self, Work};
use crate::cli::error::CliError;
use crate::cli::output::complain;
use crate::collect::{Block, Blocks, Collected, FleetCpus, Peeked, Target, peek_fleet, read_cpus};
use crate::cpu::matrix::{FleetLevel, Labelled, RunningLevel};
use crate::cpu::releases::Product;
use crate::rules::assume::assume;

/// Lines whose faults are told.
const TOLD: usize = 20;

/// What was read of the targets of a run.
pub(in crate::cli) enum Levels {
    /// No fleet among them: what those hold that are files or standard input.
    Each(Vec<Option<Collected>>),
    /// The level of all, and how many lines could not be read or show no CPU.
    Fleet(FleetLevel, u64),
}

/// Reads files and standard input, and levels them where one of them is a fleet.
pub(in crate::cli) fn level(
    words: &[String],
    targets: &[Target],
    product: Option<&'static Product>,
    jobs: Option<u16>,
) -> Result<Levels, CliError> {
    let (mut each, mut all) = (Vec::new(), None::<Worker<'_>>);
    for (word, target) in words.iter().zip(targets) {
        if !matches!(target, Target::File(_) | Target::Stdin) {
            each.push((word, None));
            continue;
        }
        match peek_fleet(target, io::stdin())? {
            Peeked::One(collected) => each.push((word, Some(*collected))),
            Peeked::Fleet(read, reader) => {
                let blocks = Blocks::of_lines(word.clone(), reader, read);
                let workers = (0..threads(jobs)).map(|_| Worker::new(word, product)).collect();
                let bar = progress(None);
                let done = pump::run(blocks, workers, &mut |_, size| {
                    bar.inc(size as u64);
                    true
                });
                bar.finish_and_clear();
                for worker in done? {
                    match &mut all {
                        None => all = Some(worker),
                        Some(all) => all.join(worker),
                    }
                }
            }
        }
    }
    let Some(mut all) = all else {
        return Ok(Levels::Each(each.into_iter().map(|(_, collected)| collected).collect()));
    };
    for (word, collected) in each {
        let Some(collected) = collected else {
            return Err(CliError::Usage(format!(
                "{word}: beside a fleet only files are levelled; `poolgate collect` makes one"
            )));
        };
        all.word = word;
        all.hosts(0, collected);
    }
    all.told.sort();
    all.told.iter().take(TOLD).for_each(|(_, _, message)| complain(&format!("poolgate: {message}")));
    if all.bad > TOLD as u64 {
        complain(&format!("poolgate: and {} more lines", all.bad - TOLD as u64));
    }
    Ok(Levels::Fleet(all.level.finish(), all.bad))
}

/// Levels the lines of blocks.
struct Worker<'w> {
    word: &'w str,
    product: Option<&'static Product>,
    level: RunningLevel,
    bad: u64,
    /// The first lines that do not count, and why.
    told: Vec<(String, usize, String)>,
}

impl<'w> Worker<'w> {
    fn new(word: &'w str, product: Option<&'static Product>) -> Self {
        Self { word, product, level: RunningLevel::default(), bad: 0, told: Vec::new() }
    }

    fn join(&mut self, other: Self) {
        self.level.join(other.level);
        self.bad += other.bad;
        self.told.extend(other.told);
    }

    fn hosts(&mut self, line: usize, mut collected: Collected) {
        if let Some(product) = self.product {
            assume(&mut collected.snapshot, product);
        }
        let hosts = &collected.snapshot.pool.hosts;
        let mut any = false;
        for host in hosts.each() {
            any = true;
            let name = host.name_label.text().filter(|name| !name.is_empty()).unwrap_or("its host");
            let place =
                if line > 0 { format!("{}:{line}: {name}", self.word) } else { format!("{}: {name}", self.word) };
            match Labelled::of(place, host) {
                Some(host) => self.level.add(&host, (self.word, line)),
                None => {
                    let why = host.cpu.unknown().map(ToString::to_string).unwrap_or_default();
                    self.bad(line, format!("the CPU of {name} is not known ({why})"));
                }
            }
        }
        if !any {
            self.bad(line, "no host".to_owned());
        }
    }

    fn bad(&mut self, line: usize, why: String) {
        let place = if line > 0 { format!("{}:{line}", self.word) } else { self.word.to_owned() };
        self.tell(line, format!("{place}: {why}"));
    }

    fn tell(&mut self, line: usize, message: String) {
        self.bad += 1;
        self.told.push((self.word.to_owned(), line, message));
        if self.told.len() > 4 * TOLD {
            self.told.sort();
            self.told.truncate(TOLD);
        }
    }
}

impl Work for Worker<'_> {
    fn block(&mut self, block: &Block) -> String {
        let (word, whole) = (self.word, self.product.is_some());
        read_cpus(word, block, whole, |line, found| {
            match found {
                Ok(FleetCpus::Texts { vendor, sets, runs_hvm }) => {
                    let [a, b, c, d] = &sets;
                    return self.level.add_texts(&vendor, [a, b, c, d], runs_hvm, (word, line));
                }
                Ok(FleetCpus::Read(collected)) => self.hosts(line, *collected),
                Err(error) => self.tell(line, error.to_string()),
            }
            true
        });
        String::new()
    }
}
