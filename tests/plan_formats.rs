//! A plan as a page, for a pull request, and what it says of PV guests and of VMs to restart.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

#[expect(unreachable_pub, reason = "shared by several test binaries")]
mod common;

use common::run::{fixture, poolgate};
use poolgate::cpu::levelling::Shape;
use poolgate::facts::Featureset;
use poolgate::plan::{Plan, PlanHost, PlanTable, Question, Weights, plan, to_html, to_json, to_markdown, to_table};
use proptest::prelude::*;

const FLEET: &str = "fixtures/fleet-19-hosts.ndjson";
const AES: usize = 57;
const AVX: usize = 60;

/// A host with AES and AVX or without, for HVM and for PV guests.
fn host(name: &str, hvm: &[usize], pv: Option<&[usize]>, vms: Option<usize>) -> PlanHost {
    let set = |with: &[usize]| {
        let mut set = Featureset::new(vec![1, 0, 1 << 29]);
        with.iter().for_each(|feature| set.set(*feature, true));
        set
    };
    PlanHost {
        name: name.to_owned(),
        uuid: String::new(),
        source: "test".to_owned(),
        vendor: "GenuineIntel".to_owned(),
        release: Some("XCP-ng 8.3".to_owned()),
        model: "Xeon <1>".to_owned(),
        features: set(hvm),
        pv: pv.map(set),
        most: set(hvm),
        running: vms.map(|vms| vec![Featureset::default(); vms]),
        coordinator: false,
        shape: Shape::DefaultOnly,
    }
}

fn planned(hosts: Vec<PlanHost>, limit: usize) -> Plan {
    let question = Question {
        hosts,
        left_out: Vec::new(),
        keep: Vec::new(),
        limit,
        spare: 0,
        together: Vec::new(),
        apart: Vec::new(),
        weights: Weights::default(),
        effort: 1,
        until: None,
    };
    plan(&question).unwrap()
}

fn table(plan: &Plan) -> String {
    to_table(plan, PlanTable { width: 80, quiet: false })
}

#[test]
fn a_plan_for_a_pull_request() {
    let words = ["plan", FLEET, "--max-hosts", "4", "--format", "markdown"];
    insta::assert_snapshot!("markdown", poolgate(words).status(3).quietly());
}

#[test]
fn the_format_follows_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).display().to_string();
    let pool = fixture("xcp-ng-8.3-5-hosts");
    for (name, starts) in
        [("plan.html", "<!doctype html>"), ("plan.md", "## "), ("plan.json", "{"), ("plan.txt", "5 ")]
    {
        poolgate(["plan", &pool, "-o", &file(name)]).status(0);
        let text = std::fs::read_to_string(file(name)).unwrap();
        assert!(text.starts_with(starts), "{name}: {text}");
    }
    let complaint = poolgate(["plan", &pool, "-o", &file("plan.sarif")]).status(2).complaint();
    assert!(complaint.contains(".json, .md, .html or .txt"), "{complaint}");
}

#[test]
fn a_page_has_every_pool_and_host_and_its_proof() {
    let page = poolgate(["plan", FLEET, "--max-hosts", "4", "--format", "html"]).status(3).quietly();
    let json = poolgate(["plan", FLEET, "--max-hosts", "4", "--format", "json"]).status(3).json();
    for group in json["groups"].as_array().unwrap() {
        for pool in group["pools"].as_array().unwrap() {
            assert!(page.contains(&format!("<h3>{}</h3>", pool["name"].as_str().unwrap())));
            assert!(page.contains(pool["level"].as_str().unwrap()));
            for host in pool["hosts"].as_array().unwrap() {
                assert!(page.contains(host["name"].as_str().unwrap()), "{}", host["name"]);
            }
        }
    }
    assert!(page.contains("losing 63: no plan with so many loses less") && page.contains("rack-17"), "{page}");
    // What is drawn is said, too: cells of the picture and of the table.
    let count = |text: &str| page.matches(text).count();
    assert_eq!(count("<rect class=\"loses\""), count("<td>lost by "));
    assert!(count("<rect class=\"has\"") > 0 && count("<rect class=\"has\"") == count("<td>yes</td>"));
    assert_eq!((count("<script"), count("http://"), count("https://")), (0, 0, 0));
}

#[test]
fn names_from_servers_are_only_names() {
    let evil = "<img src=x onerror=alert(1)>@root `x` \u{202e}";
    let plan = planned(vec![host(evil, &[AES], None, None), host("b", &[], None, None)], 2);
    let (page, markdown) = (to_html(&plan, &Weights::default()), to_markdown(&plan));
    assert!(!page.contains("<img") && page.contains("&lt;img") && page.contains("Xeon &lt;1&gt;"), "{page}");
    assert!(!markdown.contains("<img") && !markdown.contains("@root") && markdown.contains("\\`x\\`"), "{markdown}");
    assert!(!page.contains('\u{202e}') && !markdown.contains('\u{202e}'));
}

#[test]
fn what_pv_guests_lose_is_said_and_not_weighed() {
    let hosts = || {
        vec![
            host("a", &[AES, AVX], Some(&[AES, AVX]), None),
            host("b", &[AES, AVX], Some(&[AVX]), None),
            host("c", &[AES, AVX], None, None),
        ]
    };
    let plan = planned(hosts(), 3);
    let pool = &plan.groups[0].pools[0];
    assert_eq!((pool.loss, plan.groups[0].bound), (0, 0));
    assert_eq!((pool.pv.loss, &pool.pv.hidden, pool.pv.unknown), (4, &vec![AES], 1));
    let told = "PV guests lose also AES and crypto (aesni) (not weighed)";
    assert!(table(&plan).contains(told), "{}", table(&plan));
    assert!(to_markdown(&plan).contains("PV guests lose also AES and crypto (aesni)"));
    let page = to_html(&plan, &Weights::default());
    assert!(page.contains("PV guests lose 4, which is not weighed: AES and crypto (aesni)"), "{page}");
    assert!(page.contains("what PV guests lose is not known of 1 host"));
    let json: serde_json::Value = serde_json::from_str(&to_json(&plan, &Weights::default())).unwrap();
    let pv = &json["groups"][0]["pools"][0]["pv"];
    assert_eq!((&pv["loss"], &pv["hidden"][0]["name"], &pv["unknown"]), (&4.into(), &"aesni".into(), &1.into()));
    // What HVM guests lose as well is not said twice.
    let plan = planned(vec![host("a", &[AES], Some(&[AES]), None), host("b", &[], Some(&[]), None)], 2);
    assert!(!table(&plan).contains("PV guests"));
}

#[test]
fn the_fewest_restarts_are_proved_or_bounded() {
    let busy = |vms: [usize; 4]| {
        let name = |index: usize| ["a", "b", "c", "d"][index].to_owned();
        (0..4).map(|index| host(&name(index), &[AES], None, Some(vms[index]))).collect::<Vec<_>>()
    };
    let plan = planned(busy([5, 4, 1, 0]), 2);
    assert_eq!((plan.groups[0].restarts(), plan.groups[0].fewest_restarts), (1, 1));
    assert!(table(&plan).contains("1 VM to restart: no plan with so many pools restarts fewer"), "{}", table(&plan));
    // The busy hosts alone have AVX: to part them would lose it.
    let mut hosts = busy([5, 4, 1, 0]);
    hosts[0].features.set(AVX, true);
    hosts[1].features.set(AVX, true);
    let plan = planned(hosts, 2);
    assert_eq!((plan.groups[0].loss, plan.groups[0].restarts(), plan.groups[0].fewest_restarts), (0, 4, 1));
    assert!(table(&plan).contains("4 VMs to restart: at least 1 with so many pools"), "{}", table(&plan));
}

/// The fewest restarts of all ways to put hosts into so many pools, whatever they lose.
fn fewest(vms: &[usize], pools: usize, limit: usize) -> usize {
    fn go(vms: &[usize], pools: &mut Vec<Vec<usize>>, limit: usize) -> usize {
        let Some((first, rest)) = vms.split_first() else {
            let spared = |pool: &Vec<usize>| pool.iter().sum::<usize>() - pool.iter().max().unwrap_or(&0);
            return pools.iter().map(spared).sum();
        };
        let mut best = usize::MAX;
        for place in 0..pools.len() {
            if pools[place].len() < limit {
                pools[place].push(*first);
                best = best.min(go(rest, pools, limit));
                pools[place].pop();
            }
        }
        best
    }
    go(vms, &mut vec![Vec::new(); pools], limit)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn no_plan_restarts_fewer_than_is_said(
        each in prop::collection::vec((0_usize..4, 0_usize..5), 1..7),
        limit in 1_usize..4,
    ) {
        let sets: [&[usize]; 4] = [&[], &[AES], &[AVX], &[AES, AVX]];
        let hosts = each.iter().enumerate();
        let hosts = hosts.map(|(index, (set, vms))| host(&format!("h{index}"), sets[*set], None, Some(*vms)));
        let plan = planned(hosts.collect(), limit);
        let vms: Vec<usize> = each.iter().map(|(_, vms)| *vms).collect();
        let group = &plan.groups[0];
        prop_assert!(group.fewest_restarts <= group.restarts());
        prop_assert!(group.fewest_restarts <= fewest(&vms, group.pools.len(), limit));
        // VMs change neither the loss nor its proof.
        let quiet = planned(each.iter().enumerate().map(|(index, (set, _))| host(&format!("h{index}"), sets[*set], None, None)).collect(), limit);
        prop_assert_eq!((group.loss, group.bound), (quiet.groups[0].loss, quiet.groups[0].bound));
    }
}
