//! Joins and ejects end to end: the real binary against the simulator.

mod common;

use common::rehearsal::{PASSWORD, Rehearsal};
use poolgate::lab::Phase;

const POOL: &str = "xcp-ng-8.3-5-hosts";

#[test]
fn a_join_from_plan_to_verified() {
    let lab = Rehearsal::new(POOL, &["candidate-good"]);
    let done = lab.joined(0);
    println!("{done}");
    assert!(done.stdout.contains("DONE  xcp-good is a member of production, as predicted"), "{done}");
    assert_eq!(lab.count("pool.join"), 1);
    assert_eq!(lab.lab.open_sessions(), 0);
    assert_eq!(lab.lab.phase("xcp-good").unwrap(), Phase::Member);
    assert!(!done.stdout.contains(PASSWORD) && !done.stderr.contains(PASSWORD));
    println!("{:?}", lab.events());
}
