//! Pairs and triples of changes: each rule says what it says of the single changes, and the server's answers come in
//! its order.

use std::collections::{BTreeMap, BTreeSet};

use poolgate::rules::{CHECKS, LICENCE_CHECK, Outcome, Registry, Severity, Verdict};
use serde_json::{Map, Value as Json};

use crate::common::forget::in_threads;
use crate::common::judge::rules;
use crate::edit::Pair;
use crate::suite::{Follows, Mutation, sort};
use crate::{Good, mutations};

/// Changes after which a rule says something else of another change, and why; `*` is every rule.
const INTERACTIONS: &[(&str, &str, &str)] = &[
    ("no interface of the joiner carries management", "*", "what is said of management has nothing left to speak of"),
    ("the joiner's management is on its last NIC", "*", "what is changed of management is left behind"),
    ("the joiner's management is no NIC", "*", "the NIC is gone from all positions"),
    ("the joiner lacks the NIC below a VLAN", "*", "what is changed of a NIC goes with it"),
    (
        "the joiner's management is tagged",
        "network-cluster-address",
        "its address is on another VLAN than the cluster",
    ),
    ("the joiner's management is tagged", "secrets-travel", "secrets travel where management is on a VLAN"),
    ("the joiner's management is tagged", "pvs-sites-travel", "sites travel where management is on a VLAN"),
    ("the joiner's cluster is disabled", "clustering-off-on-joiner", "two memberships break the server's check down"),
    (
        "the pool was seen a month before the joiner",
        "certificates-in-date",
        "days are counted from when the pool was seen",
    ),
    ("the pool's licence stops at three hosts", "licence-keeps-features", "the pool has nothing to lose there"),
    ("the pool's default SR is not shared any more", "sr-coordinator-plugged", "the SR is no shared one any more"),
    ("the pool's default SR is not shared any more", "sr-device-config-same", "the SR is no shared one any more"),
    ("the pool's default SR is not shared any more", "sr-plugs-copied", "no shared SR may be left"),
    ("the pool's licence lacks a feature", "licence-keeps-features", "the pool has nothing to lose there"),
    ("the joiner runs the Linux bridge", "sdn-controller-same", "controllers matter to Open vSwitch alone"),
    ("the joiner has an SDN controller", "sdn-controller-same", "of several controllers the server compares one"),
    ("the joiner's name is another one", "updates-same", "the server's sentence names the host"),
    ("the pool has as many hosts as are documented", "host-limit-clustered", "only a clustered pool has that limit"),
    ("the pool does not tell its vendor", "force-removes-nothing", "which vendor it is compared with is not known"),
    ("the joiner has a member of its own", "joiner-not-in-this-pool", "the server's sentence tells both cases apart"),
    ("the joiner has no address for storage", "addresses-unique", "it has no address left that clashes"),
    ("an SR of the joiner has a uuid of the pool's", "vdi-uuids-unique", "its disks are told with it"),
    ("a local SR of the pool has a uuid of the joiner's", "vdi-uuids-unique", "its disks are told with it"),
    ("the domains differ in case", "hostname-unique", "in a directory it is a blocker"),
    ("the domains differ in case", "hostname-unique-in-directory", "hosts are known by their names there"),
    ("the joiner's CPU is of another vendor", "cpu-same-model-alike", "no other vendor's CPU is the same model"),
    (
        "a NIC of the joiner is of another kind",
        "network-order-same",
        "a NIC that no place of the pool has is not exchanged",
    ),
    ("the pool has no default SR", "default-sr-shared", "no default SR is local"),
    ("the joiner's primary address is IPv6", "management-not-public", "the IPv6 address counts"),
    ("the joiner's primary address is IPv6", "management-address-set", "it has that address"),
    ("the joiner's CPU is of another vendor", "cpu-mask-equal", "masks are for CPUs of one vendor"),
    (
        "the joiner's management interface has no address",
        "network-cluster-address",
        "the cluster runs on that interface",
    ),
    ("the joiner's primary address is IPv6", "management-subnet-same", "the IPv6 address counts"),
    ("the pool's default SR is not shared any more", "iscsi-iqn-unique", "no iSCSI SR may be left"),
    ("the pool's default SR is not shared any more", "iscsi-iqn-distinct", "no iSCSI SR may be left"),
    (
        "the joiner cannot run HVM guests",
        "cpu-pool-keeps-features",
        "only PV guests lose then, and there may be none",
    ),
    ("the joiner is the coordinator", "address-unique", "a host may have its own address"),
    (
        "the joiner's management interface has no address",
        "network-bonds-possible",
        "of two addresses in the bond one is left",
    ),
    (
        "an update that members may lack is on the joiner only",
        "updates-same",
        "both updates have one reference, and the first counts",
    ),
    (
        "an update that members may lack is on the joiner only",
        "updates-reachable",
        "both updates have one reference, and the first counts",
    ),
];

/// How many combinations are judged.
const COMBINATIONS: usize = 2_000;

/// A small generator of its own: a failure is told by its seed.
struct Random(u64);

impl Random {
    fn below(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(below.max(1)).unwrap_or(1)).unwrap_or_default()
    }
}

/// The paths of facts that a change touched.
pub fn touched(before: &Json, after: &Json, path: &str, found: &mut BTreeSet<String>) {
    match (before, after) {
        (Json::Object(old), Json::Object(new)) => {
            for key in old.keys().chain(new.keys().filter(|key| !old.contains_key(*key))) {
                match (old.get(key), new.get(key)) {
                    (Some(old), Some(new)) => touched(old, new, &format!("{path}.{key}"), found),
                    _ => drop(found.insert(format!("{path}.{key}"))),
                }
            }
        }
        // Records that go move the places of others.
        (Json::Array(old), Json::Array(new)) if new.len() < old.len() => drop(found.insert(path.to_owned())),
        (Json::Array(old), Json::Array(new)) => {
            for (index, (old, new)) in old.iter().zip(new).enumerate() {
                touched(old, new, &format!("{path}[{index}]"), found);
            }
            for added in &new[old.len()..] {
                touched(&Json::Object(Map::new()), added, &format!("{path}[+]"), found);
            }
        }
        (old, new) if old != new => drop(found.insert(path.to_owned())),
        _ => {}
    }
}

/// Whether two changes are of one fact. Records that both add stand beside each other.
pub fn overlap(one: &BTreeSet<String>, other: &BTreeSet<String>) -> bool {
    let within = |path: &str, above: &str| {
        path.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    };
    let shared = |path: &&String| !path.contains("[+]") || path.starts_with("pool.cluster");
    one.iter().filter(shared).any(|a| other.iter().filter(shared).any(|b| within(a, b) || within(b, a)))
        // A list of which a record goes, and one of which another comes.
        || one.iter().any(|a| other.iter().any(|b| (a.contains("[+]") || b.contains("[+]")) && a != b && (within(a, b) || within(b, a))))
}

/// A change of a good pair alone.
struct Single {
    mutation: usize,
    follows: Follows,
    paths: BTreeSet<String>,
}

fn singles(good: &Good, mutations: &[Mutation], rules: &Registry) -> Vec<Single> {
    let mut singles = Vec::new();
    for (index, mutation) in mutations.iter().enumerate() {
        let Some(changed) = mutation.apply(&good.pair) else { continue };
        let mut paths = BTreeSet::new();
        touched(&good.pair.pool.0["pool"], &changed.pool.0["pool"], "pool", &mut paths);
        touched(&good.pair.joiner.0["pool"], &changed.joiner.0["pool"], "joiner", &mut paths);
        if changed.max_hosts != good.pair.max_hosts {
            paths.insert("policy.max_hosts".to_owned());
        }
        singles.push(Single { mutation: index, follows: mutation.follows(&changed, rules), paths });
    }
    singles
}

/// Two or three changes of different facts, and the pair with all of them.
fn combine<'s>(
    good: &Good,
    singles: &'s [Single],
    mutations: &[Mutation],
    random: &mut Random,
) -> Option<(Vec<&'s Single>, Pair)> {
    let count = 2 + random.below(2);
    let mut chosen: Vec<&Single> = Vec::new();
    while chosen.len() < count {
        let next = &singles[random.below(singles.len())];
        if chosen.iter().any(|other| other.mutation == next.mutation || overlap(&other.paths, &next.paths)) {
            return None;
        }
        chosen.push(next);
    }
    let mut pair = good.pair.clone();
    for single in &chosen {
        pair = mutations[single.mutation].apply(&pair)?;
    }
    Some((chosen, pair))
}

/// What is wrong with the judgement of several changes, in words.
fn wrong(good: &Good, chosen: &[&Single], names: &[&str], pair: &Pair, rules: &Registry) -> Vec<String> {
    let judgement = good.judge(pair, rules);
    let excused =
        |rule: &str| INTERACTIONS.iter().any(|(name, of, _)| (*of == rule || *of == "*") && names.contains(name));
    let mut wrong = Vec::new();
    let mut expected: BTreeMap<&str, Outcome> = BTreeMap::new();
    for finding in &good.judgement.findings {
        if finding.outcome == Outcome::Fail {
            expected.insert(&finding.rule, Outcome::Fail);
        }
    }
    for single in chosen {
        expected.extend(single.follows.unknown.iter().map(|rule| (*rule, Outcome::Unknown)));
    }
    for single in chosen {
        expected.extend(single.follows.fails.iter().map(|rule| (*rule, Outcome::Fail)));
    }
    for finding in &judgement.findings {
        let said = Some(finding.outcome).filter(|outcome| matches!(outcome, Outcome::Fail | Outcome::Unknown));
        let expected = expected.get(finding.rule.as_str()).copied();
        if said != expected && !excused(&finding.rule) {
            wrong.push(format!("{} says {said:?}, expected {expected:?}", finding.rule));
        }
    }
    let blocked = judgement
        .findings
        .iter()
        .any(|finding| finding.severity == Severity::Blocker && finding.outcome == Outcome::Fail);
    if blocked != (judgement.verdict == Verdict::NoGo) {
        wrong.push(format!("blockers: {blocked}, and the verdict is {}", judgement.verdict.words()));
    }
    let Some(server) = &judgement.server else { return wrong };
    // In the server's order, each check once, the first first.
    let failing: Vec<_> = server.failing.iter().map(|it| place(it.check)).collect();
    if !failing.is_sorted_by(|a, b| a < b) {
        wrong.push(format!("not in the server's order: {:?}", server.failing));
    }
    let checks: BTreeSet<_> = server.failing.iter().map(|it| it.check).collect();
    let of = |single: &&Single| single.follows.failing.clone();
    let mut refusals: Vec<_> = chosen.iter().flat_map(of).collect();
    sort(&mut refusals);
    let numbered: BTreeSet<_> = refusals.iter().map(|it| it.0).filter(|check| *check != LICENCE_CHECK).collect();
    let interacts = INTERACTIONS.iter().any(|(name, ..)| names.contains(name));
    if checks != numbered && !interacts {
        wrong.push(format!("the server fails {checks:?}, expected {numbered:?}"));
    }
    let licensed = refusals.iter().find(|it| it.0 == LICENCE_CHECK).map(|it| it.1);
    let first = licensed.or(server.failing.first().map(|it| it.code.as_str()));
    let undecided = server.undecided.iter().map(|check| place(check)).min().is_some();
    if server.first.as_ref().map(|it| it.code.as_str()) != first && !undecided {
        wrong.push(format!("the server answers {:?} first, expected {first:?}", server.first));
    }
    // A check that one of the changes alone fails answers as it did alone.
    for refusal in &refusals {
        let alone = refusals.iter().filter(|it| it.0 == refusal.0).count() == 1;
        let answer = server.failing.iter().find(|it| it.check == refusal.0);
        let same = answer.is_none_or(|it| it.code == refusal.1 && it.params == refusal.2);
        if alone && !same && !interacts {
            wrong.push(format!("{} answers {answer:?}, expected {refusal:?}", refusal.0));
        }
    }
    wrong
}

fn place(check: &str) -> Option<usize> {
    CHECKS.iter().position(|it| it.name == check)
}

#[test]
fn pairs_and_triples_say_what_their_changes_say_in_the_servers_order() {
    let rules_here = rules();
    let mutations = mutations();
    let goods = Good::all(&rules_here);
    let singles: Vec<_> = goods.iter().map(|good| singles(good, &mutations, &rules_here)).collect();
    let parts = in_threads(|start, step| {
        let rules = rules();
        let (mut judged, mut found) = (0, Vec::new());
        for seed in (start..COMBINATIONS).step_by(step) {
            let good = seed % goods.len();
            let mut random = Random(u64::try_from(seed).unwrap_or_default().wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
            let combined = (0..64).find_map(|_| combine(&goods[good], &singles[good], &mutations, &mut random));
            let Some((chosen, pair)) = combined else { continue };
            judged += 1;
            let names: Vec<_> = chosen.iter().map(|single| mutations[single.mutation].name).collect();
            let wrong = wrong(&goods[good], &chosen, &names, &pair, &rules);
            found.extend(wrong.iter().map(|what| format!("{} ({}): {what}", names.join(" + "), goods[good].name)));
        }
        (judged, found)
    });
    let judged: usize = parts.iter().map(|(judged, _)| judged).sum();
    let found: Vec<_> = parts.into_iter().flat_map(|(_, found)| found).collect();
    assert!(found.is_empty(), "{} wrong:\n{}", found.len(), found.join("\n"));
    assert!(judged > COMBINATIONS * 9 / 10, "only {judged} combinations were judged");
}
