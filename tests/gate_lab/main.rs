//! Joins and ejects end to end: the real binary against the simulator, in good order, with every fault, killed and
//! interrupted at every step.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as tests do")]

#[path = "../common/mod.rs"]
pub mod common;

#[path = "../older_lines/bases.rs"]
mod bases;
#[path = "../older_lines/changes.rs"]
mod changes;
#[path = "../older_lines/table.rs"]
mod table;

mod act;
mod crash;
mod demo;
mod faults;
mod forgotten;
mod guards;
mod pairs;
mod secrets;
mod stops;
mod waivers;

/// Carries out each case, some at once: most of a run's time is waiting.
fn each<T: Sync>(cases: &[T], run: impl Fn(&T) + Sync) {
    const AT_ONCE: usize = 4;
    let next = std::sync::atomic::AtomicUsize::new(0);
    let work = || {
        while let Some(case) = cases.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) {
            run(case);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE.min(cases.len()) {
            scope.spawn(work);
        }
    });
}
