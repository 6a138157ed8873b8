//! poolgate: may this server join that XenServer / XCP-ng pool, and what would it cost?
//!
//! Most people want the program `poolgate`. This library is what it is made of, for programs that judge snapshots
//! themselves: nothing here needs a server, but for live targets in [`collect`] and for [`gate`].
//!
//! # The way that data goes
//!
//! ```text
//! targets ─→ collect ─→ Snapshot(s) ─→ cpu, network, eject (derive) ─→ rules ─→ report
//!                             └──→ plan, diff                           └────→ gate
//! ```
//!
//! | room | from | to |
//! |---|---|---|
//! | [`collect`] | a target: file, folder, dump, catalogue, this machine, a live server | a [`snapshot::Snapshot`] |
//! | [`snapshot`] | what was observed, and what is not known with its reason ([`facts::Known`]) | versioned JSON |
//! | [`cpu`], [`network`], [`eject`] | snapshots | levels, features lost, where NICs land, what leaving destroys |
//! | [`rules`] | two [`rules::Side`]s, a [`rules::Policy`] and a [`rules::Registry`] | findings, a [`rules::Verdict`], the server's answer |
//! | [`diff`] | two snapshots or reports | what changed |
//! | [`plan`](mod@plan) | many hosts | the fewest pools that lose the fewest features |
//! | [`fleet`] | many pools as a stream | counts by verdict, rule and pool, the worst |
//! | [`report`] | a judged run or fleet | table, JSON, SARIF, JUnit, Markdown, HTML and others |
//! | [`gate`] | a verdict and two live sides | a plan, a journal, one `pool.join` or `pool.eject` |
//! | [`lab`] | snapshots | simulated servers on loopback, to rehearse on |
//!
//! Rooms know only those that `tests/rooms.rs` names for them, never one that comes after. `collect`, `gate`, `lab` and the command line do I/O; everything between is pure: the same
//! snapshots give the same report, byte for byte.
//!
//! # Judging a joiner
//!
//! ```
//! use poolgate::rules::{Outcome, Phase, Policy, Registry, Side, Verdict, judge_sequence};
//! use poolgate::snapshot::read_snapshot;
//!
//! // What `poolgate collect TARGET` writes. Keys that this version does not know come along, to be remarked on.
//! let side = |target: &str| -> Result<Side, Box<dyn std::error::Error>> {
//!     let (snapshot, strangers) = read_snapshot(&std::fs::read(target)?)?;
//!     assert!(strangers.is_empty());
//!     Ok(Side { target: target.to_owned(), snapshot, assumed: vec![], notes: vec![] })
//! };
//! let pool = side("fixtures/xcp-ng-8.3-5-hosts.json")?;
//! let joiner = side("fixtures/candidate-trouble.json")?;
//!
//! let rules = Registry::load(&[]).map_err(|errors| errors[0].rendered.clone())?;
//! let policy = Policy { max_hosts: 16, as_release: None };
//! let judged = judge_sequence(&pool, &[joiner], &rules, Phase::Join, &policy);
//!
//! let judgement = &judged[0];
//! assert_eq!(judgement.verdict, Verdict::NoGo);
//! let first = judgement.server.as_ref().and_then(|server| server.first.as_ref());
//! assert_eq!(first.map(|refusal| refusal.code.as_str()), Some("JOINING_HOST_CANNOT_HAVE_RUNNING_VMS"));
//! for finding in judgement.findings.iter().filter(|finding| finding.outcome == Outcome::Fail) {
//!     println!("{} {}: {}", finding.severity.word(), finding.rule, finding.message);
//!     for evidence in &finding.evidence {
//!         println!("  {} = {} ({})", evidence.fact, evidence.value, evidence.source);
//!     }
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! More examples: rules of one's own at [`rules::Registry::load`], levels at [`cpu::levelling::Level`], plans at [`plan::plan`],
//! members that leave at [`rules::judge_eject`], any other target at [`collect::read_target`].

#[doc(hidden)]
pub mod cli;
pub mod collect;
pub mod cpu;
pub mod diff;
pub mod eject;
pub mod facts;
pub mod fleet;
pub mod gate;
pub mod lab;
pub mod network;
mod page;
pub mod plan;
pub mod report;
pub mod rules;
pub mod snapshot;
#[doc(hidden)]
pub mod text;
