//! Quotes: judged by what hardware alone decides, with what the installed host must still show.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

pub mod common;

use std::fs;
use std::path::Path;

use common::run::{Poolgate, poolgate};

const POOL: &str = "fixtures/xcp-ng-8.3-5-hosts.json";

fn good() -> String {
    poolgate(["quote", "init", "-"]).status(0).quietly()
}

fn check(folder: &Path, quote: &str) -> Poolgate {
    let file = folder.join("offer.toml");
    fs::write(&file, quote).unwrap();
    poolgate(["check", "--pool", POOL, "--quote", file.to_str().unwrap()])
}

fn quick(quote: &str, status: i32) -> serde_json::Value {
    let folder = tempfile::tempdir().unwrap();
    check(folder.path(), quote).with(["--format", "json", "--all"]).status(status).json()
}

fn outcome<'r>(report: &'r serde_json::Value, joiner: usize, rule: &str) -> &'r str {
    let findings = report["joiners"][joiner]["findings"].as_array().unwrap();
    findings.iter().find(|finding| finding["rule"] == rule).unwrap()["outcome"].as_str().unwrap()
}

#[test]
fn the_template_is_a_good_quote() {
    let report = quick(&good(), 0);
    assert_ne!(report["verdict"], "UNDECIDED");
    let joiner = &report["joiners"][0];
    assert_eq!((joiner["name"].as_str(), &joiner["server"]), (Some("new-node"), &serde_json::Value::Null));
    let notes = joiner["notes"].to_string();
    assert!(
        notes.contains("on condition") && notes.contains("management-vlan-same") && notes.contains("CPU catalogue"),
        "{notes}"
    );
    for rule in
        ["cpu-vendor", "host-limit-policy", "cpu-virtualisation-on", "network-bonds-whole", "nic-speed-not-below"]
    {
        assert_eq!(outcome(&report, 0, rule), "pass", "{rule}");
    }
}

#[test]
fn what_a_quote_can_say_and_does_not_is_no_pass() {
    let silent = good().replace("virtualisation = true\n", "");
    assert_eq!(outcome(&quick(&silent, 3), 0, "cpu-virtualisation-on"), "unknown");
    let off = good().replace("virtualisation = true\n", "virtualisation = false\n");
    assert_eq!(quick(&off, 1)["verdict"], "NO-GO");
}

/// A server whose NICs or whose no-execute the quote leaves out has them not, or off, for all that is known.
#[test]
fn what_is_left_out_of_a_server_is_not_taken_from_its_model() {
    let without = |what: &str| {
        let quote = good();
        let (start, end) = match what {
            "nic" => (quote.find("[[server.nic]]").unwrap(), quote.find("# How the firmware").unwrap()),
            line => {
                let start = quote.find(&format!("{line} = ")).unwrap();
                (start, start + quote[start..].find('\n').unwrap())
            }
        };
        format!("{}{}", &quote[..start], &quote[end..])
    };
    let untold = quick(&without("no_execute"), 3);
    assert_eq!(outcome(&untold, 0, "cpu-no-execute-on"), "unknown");
    let unplugged = quick(&without("nic"), 0);
    for rule in ["network-bonds-possible", "network-vlans-created", "network-nics-for-vms"] {
        assert_eq!(outcome(&unplugged, 0, rule), "unknown", "{rule}");
    }
    let none = without("nic").replacen("sockets = 2", "sockets = 2\nnic = []", 1);
    assert_eq!(outcome(&quick(&none, 0), 0, "network-bonds-possible"), "fail");
}

#[test]
fn hardware_that_does_not_fit_is_refused() {
    let amd = good().replace("Intel Xeon Gold 6330", "AMD EPYC 7763");
    assert_eq!(outcome(&quick(&amd, 1), 0, "cpu-vendor"), "fail");
    let slow = good().replace("speed = 25000", "speed = 1000");
    assert_eq!(outcome(&quick(&slow, 0), 0, "nic-speed-not-below"), "fail");
    let one = good().replace("[[server.nic]]\ncount = 2\nspeed = 25000\n", "");
    assert_eq!(quick(&one, 0)["verdict"], "GO WITH WARNINGS");
}

#[test]
fn a_release_that_is_not_the_pools_is_refused() {
    let other = quick(&good().replace("xcp-ng-8.3", "xenserver-8"), 1);
    assert_eq!(outcome(&other, 0, "release-fits-pool"), "fail");
    assert_eq!(outcome(&quick(&good().replace("xcp-ng-8.3", "xcp-ng-8.2"), 1), 0, "release-fits-pool"), "fail");
    let milan = good().replace("xcp-ng-8.3", "xenserver-8").replace("Intel Xeon Gold 6330", "EPYC 7763");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("offer.toml");
    fs::write(&file, milan).unwrap();
    let full = [
        "check",
        "--pool",
        "fixtures/xenserver-8-16-hosts.json",
        "--quote",
        file.to_str().unwrap(),
        "--max-hosts",
        "32",
    ];
    poolgate(full).status(0);
}

#[test]
fn servers_are_judged_one_after_another() {
    let many = good().replace("quantity = 1", "quantity = 12");
    let report = quick(&many, 1);
    let outcomes: Vec<_> = (0..12).map(|joiner| outcome(&report, joiner, "host-limit-policy")).collect();
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == "pass").count(), 11, "5 hosts and 11 make 16");
    assert_eq!(report["joiners"][11]["name"], "new-node #12");
}

#[test]
fn equal_servers_are_told_once() {
    let folder = tempfile::tempdir().unwrap();
    let many = good().replace("quantity = 1", "quantity = 14");
    let table = check(folder.path(), &many).status(1).quietly();
    let heads: Vec<_> = table.lines().filter(|line| line.starts_with("── ")).collect();
    assert_eq!(heads.first().map(|head| head.contains("1. new-node #1 ──")), Some(true), "{table}");
    assert!(heads.last().unwrap().contains("13 to 14. new-node #13 to new-node #14 ── NO-GO"), "{heads:?}");
    assert!(table.contains("\nthe same as 12. new-node #12, each judged after those before it\n"), "{table}");
    // Every one of them is named above, and whole in the formats for programs.
    assert!((1..=14).all(|number| table.contains(&format!("  new-node #{number}\n"))), "{table}");
    let markdown = check(folder.path(), &many).with(["--format", "markdown"]).status(1).quietly();
    assert!(markdown.contains("new-node &#35;13 to new-node &#35;14: NO-GO"), "{markdown}");
    assert_eq!(quick(&many, 1)["joiners"].as_array().unwrap().len(), 14);
}

#[test]
fn newer_is_not_a_superset() {
    let words = [
        "check",
        "--pool",
        "cpu:Opteron 6344",
        "--host",
        "cpu:EPYC 7713",
        "--as-release",
        "xcp-ng-8.3",
        "--format",
        "json",
    ];
    let report = poolgate(words).any_status(|status| matches!(status, 1 | 3)).json();
    let findings = report["joiners"][0]["findings"].as_array().unwrap().clone();
    let newer = findings.iter().find(|finding| finding["rule"] == "cpu-newer-no-superset").unwrap();
    let message = newer["message"].as_str().unwrap();
    let end = message.split_once("and lacks ").unwrap().1;
    insta::assert_snapshot!(end, @"3 that the pool has: AVX (xop, fma4), integer and bits (tbm); gone from this line: xop, fma4, tbm since Naples (Zen); 0 VMs that are up could not move to it");
}

#[test]
fn mistakes_are_named_with_their_place() {
    let folder = tempfile::tempdir().unwrap();
    let wrong = |quote: &str| {
        let told = check(folder.path(), quote).status(2).complaint();
        told.replace(folder.path().to_str().unwrap(), "[folder]")
    };
    let told = [
        wrong(&good().replace("memory_gib", "memory_gb")),
        wrong(&good().replace("sockets = 2", "sockets = 0")),
        wrong(&good().replace("quantity = 1", "quantity = 100000")),
        wrong(&good().replace("Intel Xeon Gold 6330", "Xeon Gold 63")),
        wrong(&good().replace("xcp-ng-8.3", "xcp-ng-8.9")),
        wrong(&good().replace("release =", "# release =")),
        wrong(&good().replace("position = 0", "position = 1")),
        wrong("release = \"xcp-ng-8.3\"\nserver = []\n"),
        wrong("{\"release\": \"xcp-ng-8.3\",\n \"server\": [{\"model\": \"EPYC 7763\"}]}"),
        wrong("nonsense"),
    ];
    insta::assert_snapshot!(told.concat(), @r#"
    poolgate: [folder]/offer.toml:17:1: unknown field `memory_gb`, expected one of `name`, `model`, `sockets`, `quantity`, `memory_gib`, `manufacturer`, `product`, `cores_per_socket`, `threads_per_core`, `firmware`, `nic`; `poolgate quote init` writes a template
    poolgate: [folder]/offer.toml:13: sockets is 0; expected 1 to 64
    poolgate: [folder]/offer.toml:15: quantity is 100000; expected 1 to 1000
    poolgate: [folder]/offer.toml:11: cpu: "Xeon Gold 63" is not one CPU: 2 have that in their names ("Intel(R) Xeon(R) Gold 6330 CPU @ 2.00GHz", "Intel(R) Xeon(R) Gold 6336Y CPU @ 2.40GHz"); write the whole model number; `poolgate cpu search WORDS` lists what there is
    poolgate: [folder]/offer.toml:5: release: there is no release "xcp-ng-8.9" (did you mean xcp-ng-8.0?); known are xenserver-7.0, xenserver-7.1, xenserver-7.2, xenserver-7.3, xenserver-7.4, xenserver-7.5, xenserver-7.6, xcp-ng-7.4, xcp-ng-7.5, xcp-ng-7.6, citrix-hypervisor-8.0, xcp-ng-8.0, citrix-hypervisor-8.1, xcp-ng-8.1, citrix-hypervisor-8.2, xcp-ng-8.2, xcp-ng-8.3, xenserver-8
    poolgate: [folder]/offer.toml: no release; write `release = "xcp-ng-8.3"`, or say --as-release
    poolgate: [folder]/offer.toml:30: position is 1; expected 0 next: positions are counted from 0, each once and without a gap
    poolgate: [folder]/offer.toml:1:1: no server; a quote has at least one [[server]]; `poolgate quote init` writes a template
    poolgate: [folder]/offer.toml:2:34: missing field `sockets`; `poolgate quote init` writes a template
    poolgate: [folder]/offer.toml:1:9: key with no value, expected `=`; `poolgate quote init` writes a template
    "#);
    let both = poolgate(["check", "--pool", POOL, "--quote", "x", "--host", "y"]).status(2);
    assert!(both.stderr.contains("cannot be used with"), "{both}");
}

#[test]
fn json_says_the_same() {
    let json = "{\"release\": \"xcp-ng-8.3\", \"server\": [{\"name\": \"new-node\", \"model\": \"Intel Xeon Gold 6330\", \"sockets\": 2, \"memory_gib\": 512, \
                \"nic\": [{\"count\": 2, \"speed\": 10000}, {\"count\": 2, \"speed\": 25000}], \
                \"firmware\": {\"virtualisation\": true, \"no_execute\": true, \"iommu\": true}}]}";
    let (json, toml) = (quick(json, 0), quick(&good(), 0));
    for part in ["name", "verdict", "cpu", "network", "summary", "notes", "assumed"] {
        assert!(json["joiners"][0][part] == toml["joiners"][0][part], "{part}");
    }
}

#[test]
fn init_writes_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("offer.toml");
    let path = file.to_str().unwrap();
    poolgate(["quote", "init", path]).status(0);
    assert_eq!(fs::read_to_string(&file).unwrap(), good());
    fs::write(&file, "mine").unwrap();
    assert!(poolgate(["quote", "init", path]).status(2).complaint().contains("left as it is"));
    assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
    assert!(poolgate(["quote", "init", path, "--overwrite"]).status(0).stderr.contains("replaced"));
    assert_eq!(fs::read_to_string(&file).unwrap(), good());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left behind");
}

/// Rules on the machine's size and make can be decided where the quote says it, and only there.
#[test]
fn the_rules_of_the_tutorial_judge_quotes() {
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("rules/procurement");
    fs::create_dir_all(&rules).unwrap();
    let rule = "id = \"per-core\"\ntitle = \"Eight GiB for a core, in a model on the list\"\nwhy = \"House rule.\"\nseverity = \"blocker\"\n\
                require = \"machine.memory_mib_per_core >= 8192 && host.hardware.product in ['Server 9000']\"\nmessage = \"no\"\nreferences = [\"house\"]\n";
    fs::write(rules.join("per-core.toml"), rule).unwrap();
    let own = folder.path().join("rules");
    let run = |more: &str, status| {
        let quote = good().replace("memory_gib = 512\n", &format!("memory_gib = 512\n{more}\n"));
        check(folder.path(), &quote).with(["--rules", own.to_str().unwrap()]).status(status).stdout
    };
    run("product = \"Server 9000\"\ncores_per_socket = 28\nthreads_per_core = 2", 0);
    run("product = \"Server 100\"\ncores_per_socket = 28\nthreads_per_core = 2", 1);
    run("product = \"Server 9000\"\ncores_per_socket = 64\nthreads_per_core = 2", 1);
    let unsaid = run("product = \"Server 9000\"", 3);
    let unsaid = unsaid.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(unsaid.contains("the quote does not say (cores_per_socket)"), "{unsaid}");
}

#[test]
fn an_organisations_own_rules_judge_quotes() {
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("rules/procurement");
    fs::create_dir_all(&rules).unwrap();
    let rule = "id = \"two-25g\"\ntitle = \"Two NICs of 25 Gbit/s\"\nwhy = \"House rule.\"\nseverity = \"blocker\"\n\
                require = \"size(host.hardware.nics.filter(nic, nic.speed >= 25000)) >= 2\"\nmessage = \"too few fast NICs\"\nreferences = [\"house\"]\n";
    fs::write(rules.join("two-25g.toml"), rule).unwrap();
    let own = folder.path().join("rules");
    let run = |quote: &str, status| {
        check(folder.path(), quote).with(["--rules", own.to_str().unwrap(), "--quiet"]).status(status)
    };
    run(&good(), 0);
    run(&good().replace("speed = 25000", "speed = 10000"), 1);
}
