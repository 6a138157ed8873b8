//! `check --phase eject`: every member of two pools, word for word for some; what is missing never becomes a GO.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]
#[expect(unreachable_pub, reason = "shared by several test binaries")]
mod common;

use common::judge::{fixture_json, rules, side};
use common::run::{Poolgate, fixture, poolgate, too_wide};
use poolgate::eject::find_member;
use poolgate::rules::{EjectJudgement, Outcome, Phase, Policy, Registry, RuleSource, Verdict, judge_eject};
use serde_json::{Value as Json, json};

const XCP_NG: &str = "xcp-ng-8.3-5-hosts";
const XENSERVER: &str = "xenserver-8-16-hosts";

fn eject(pool: &str, member: &str) -> Poolgate {
    poolgate(["check", "--phase", "eject", "--pool", &fixture(pool), "--member", member])
}

fn judge(pool: &Json, member: &str) -> EjectJudgement {
    let side = side("pool", pool);
    let member = find_member(&side.snapshot.pool, member).unwrap();
    judge_eject(&side, member, &rules(), &Policy { max_hosts: 16, as_release: None })
}

fn failed(judgement: &EjectJudgement) -> Vec<&str> {
    let findings = judgement.findings.iter().filter(|finding| finding.outcome == Outcome::Fail);
    findings.map(|finding| finding.rule.as_str()).collect()
}

/// The XCP-ng pool without anything on its last host: two VMs of a disk each on its own storage, one halted.
fn evacuated() -> Json {
    let mut json = fixture_json(XCP_NG);
    let pool = json["pool"].as_object_mut().unwrap();
    let host = pool["hosts"][4]["reference"].clone();
    let coordinator = pool["coordinator"].clone();
    for vm in pool["vms"].as_array_mut().unwrap() {
        if vm["resident_on"] == host && vm["is_control_domain"] == false {
            vm["resident_on"] = coordinator.clone();
        }
    }
    json
}

/// The same, with a disk of the named VMs on the last host's own storage.
fn with_local_disks(names: &[&str]) -> Json {
    let mut json = evacuated();
    let pool = json["pool"].as_object_mut().unwrap();
    let host = pool["hosts"][4]["reference"].clone();
    let local = pool["srs"].as_array().unwrap().iter().filter(|sr| sr["name_label"] == "Local storage");
    let local: Vec<_> = local.map(|sr| sr["reference"].clone()).collect();
    let plugs = pool["pbds"].as_array().unwrap();
    let sr = plugs.iter().find(|pbd| pbd["host"] == host && local.contains(&pbd["sr"])).unwrap()["sr"].clone();
    for (number, name) in names.iter().enumerate() {
        let vdi = format!("OpaqueRef:local-{number}");
        let uuid = format!("00000000-0000-4000-8000-00000000000{number}");
        pool["vdis"].as_array_mut().unwrap().push(json!({
            "reference": vdi, "uuid": uuid, "name_label": format!("{name} data"), "sr": sr, "kind": "user",
            "is_a_snapshot": false, "virtual_size": 1 << 30,
        }));
        let vm = pool["vms"].as_array_mut().unwrap().iter_mut().find(|vm| vm["name_label"] == **name).unwrap();
        vm["disks"] = json!([{"reference": "OpaqueRef:vbd", "device": "0", "kind": "Disk", "vdi": vdi, "sr": sr}]);
    }
    json
}

fn names_by_state(state: &str) -> Vec<String> {
    let json = fixture_json(XCP_NG);
    let vms = json["pool"]["vms"].as_array().unwrap().iter();
    let vms = vms.filter(|vm| vm["power_state"] == state && vm["is_control_domain"] == false);
    let vms = vms.filter(|vm| vm["is_a_template"] == false && vm["is_a_snapshot"] == false);
    vms.map(|vm| vm["name_label"].as_str().unwrap().to_owned()).collect()
}

/// A clean member of a pool of any release may go; what a release does not have yet is not missing.
#[test]
fn an_idle_member_of_every_release_may_go() {
    for (stem, idle) in [
        ("xenserver-7.6-3-hosts", "xs76-03"),
        ("citrix-hypervisor-8.2-3-hosts", "ch82-02"),
        ("xenserver-9-5-hosts", "xs9-03"),
    ] {
        let judgement = judge(&fixture_json(stem), idle);
        let server = judgement.server.unwrap();
        assert_eq!((server.first, server.undecided), (None, Vec::new()), "{idle}");
        assert_ne!(judgement.verdict, Verdict::Undecided, "{idle}");
        assert_ne!(judgement.verdict, Verdict::NoGo, "{idle}");
    }
}

#[test]
fn the_table_and_json_of_a_member_and_of_the_coordinator() {
    for member in ["xcp-01", "xcp-05"] {
        let table = eject(XCP_NG, member).status(1).quietly();
        assert_eq!(too_wide(&table), Vec::<&str>::new(), "{member}");
        insta::assert_snapshot!(format!("table {member}"), table);
    }
    let table = eject(XENSERVER, "xs8-16").status(1).quietly();
    assert_eq!(too_wide(&table), Vec::<&str>::new());
    insta::assert_snapshot!("table xs8-16", table);
    let json = eject(XCP_NG, "xcp-05").with(["--format", "json"]).status(1).quietly();
    insta::assert_snapshot!("json xcp-05", json.replace(env!("CARGO_PKG_VERSION"), "[version]"));
}

#[test]
fn a_member_with_disks_of_its_own() {
    let (running, halted) = (names_by_state("Running"), names_by_state("Halted"));
    let halted = halted.first().unwrap().as_str();
    let json = with_local_disks(&[halted]);
    let words = ["check", "--phase", "eject", "--pool", "-", "--member", "xcp-05"];
    let table = poolgate(words).stdin(json.to_string()).status(0).quietly();
    assert_eq!(too_wide(&table), Vec::<&str>::new());
    insta::assert_snapshot!("table of local disks", table);
    let fails = poolgate(words).stdin(json.to_string()).with(["--fail-on", "warning"]).status(1).quietly();
    assert_eq!(fails, table);
    let judgement = judge(&with_local_disks(&[halted, &running[0]]), "xcp-05");
    assert_eq!(judgement.verdict, Verdict::NoGo);
    assert!(failed(&judgement).contains(&"local-disks-unused"), "{:?}", failed(&judgement));
    // The server has no such check.
    assert_eq!(judgement.server.unwrap().first, None);
}

#[test]
fn every_member_is_judged() {
    let (mut coordinators, mut others) = (0, 0);
    for stem in [XCP_NG, XENSERVER] {
        let json = fixture_json(stem);
        let pool = &json["pool"];
        for host in pool["hosts"].as_array().unwrap() {
            let judgement = judge(&json, host["uuid"].as_str().unwrap());
            let named = judge(&json, host["name_label"].as_str().unwrap());
            assert_eq!(judgement.findings, named.findings);
            assert_eq!(judgement.verdict, Verdict::NoGo, "VMs run on every host of the fixtures");
            let failed = failed(&judgement);
            assert_eq!(failed.contains(&"not-coordinator"), host["reference"] == pool["coordinator"]);
            assert_eq!(failed.contains(&"ha-off"), stem == XENSERVER);
            let server = judgement.server.unwrap();
            let first = server.first.unwrap();
            if stem == XENSERVER {
                assert_eq!(first.code, "HA_IS_ENABLED");
            } else if host["reference"] == pool["coordinator"] {
                coordinators += 1;
                assert_eq!((first.code.as_str(), first.params.len()), ("INTERNAL_ERROR", 1));
            } else {
                others += 1;
                assert_eq!(
                    (first.code.as_str(), first.params),
                    ("OPERATION_NOT_ALLOWED", vec!["VM resident on host".into()])
                );
            }
        }
    }
    assert_eq!((coordinators, others), (1, 4));
}

#[test]
fn the_server_refuses_in_its_order() {
    let mut json = evacuated();
    let first = |json: &Json| {
        let server = judge(json, "xcp-05").server.unwrap();
        (server.first.map(|first| first.code).unwrap_or_default(), server.failing.len())
    };
    let mut spoil = |pointer: &str, value: Json| {
        *json.pointer_mut(pointer).unwrap() = value;
        first(&json)
    };
    let host = fixture_json(XCP_NG)["pool"]["hosts"][4]["reference"].clone();
    assert_eq!(spoil("/pool/ha_enabled", json!(false)), (String::new(), 0));
    let vms = fixture_json(XCP_NG)["pool"]["vms"].as_array().unwrap().clone();
    let running =
        vms.iter().position(|vm| vm["power_state"] == "Running" && vm["is_control_domain"] == false).unwrap();
    assert_eq!(spoil(&format!("/pool/vms/{running}/resident_on"), host.clone()), ("OPERATION_NOT_ALLOWED".into(), 1));
    assert_eq!(spoil("/pool/coordinator", host), ("INTERNAL_ERROR".into(), 2));
    assert_eq!(spoil("/pool/ha_enabled", json!(true)), ("HA_IS_ENABLED".into(), 3));
    assert_eq!(spoil("/pool/hosts/4/live", json!(false)), ("HOST_OFFLINE".into(), 4));
    let busy = json!({"OpaqueRef:task": "apply_updates"});
    assert_eq!(spoil("/pool/current_operations", busy), ("OTHER_OPERATION_IN_PROGRESS".into(), 6));
    assert_eq!(spoil("/pool/is_psr_pending", json!(true)), ("POOL_SECRET_ROTATION_PENDING".into(), 7));
}

#[test]
fn a_missing_fact_never_becomes_a_go() {
    let good = evacuated();
    assert_eq!(judge(&good, "xcp-05").verdict, Verdict::Go);
    let telling = ["networks", "default_sr", "suspend_image_sr", "crash_dump_sr"];
    let decisive = [
        // A suspended VM's memory may be on any of them.
        "vdis",
        "ha_enabled",
        "coordinator",
        "current_operations",
        "is_psr_pending",
        "cluster_hosts",
        "pbds",
        "srs",
        "vms",
        "pifs",
        "bonds",
    ];
    for field in good["pool"].as_object().unwrap().keys().filter(|field| *field != "hosts") {
        let mut json = good.clone();
        json["pool"].as_object_mut().unwrap().remove(field);
        let verdict = judge(&json, "xcp-05").verdict;
        if telling.contains(&field.as_str()) {
            assert_eq!(verdict, Verdict::GoWithWarnings, "without {field}");
        }
        if decisive.contains(&field.as_str()) {
            assert_eq!(verdict, Verdict::Undecided, "without {field}");
        }
    }
    for (list, fields) in [
        ("hosts", &["live", "reference"][..]),
        ("vms", &["resident_on", "disks"]),
        ("pbds", &["host", "sr"]),
        ("srs", &["reference"]),
        ("pifs", &["management", "host", "bond_master_of"]),
        ("bonds", &["primary_member"]),
    ] {
        for field in fields {
            let mut json = with_local_disks(&[]);
            for record in json["pool"][list].as_array_mut().unwrap() {
                record.as_object_mut().unwrap().remove(*field);
            }
            assert_eq!(judge(&json, "xcp-05").verdict, Verdict::Undecided, "without {list}[].{field}");
        }
    }
    // A refusal stays one, whatever else is missing.
    let bad = fixture_json(XENSERVER);
    for field in bad["pool"].as_object().unwrap().keys().filter(|field| *field != "hosts") {
        let mut json = bad.clone();
        json["pool"].as_object_mut().unwrap().remove(field);
        assert_eq!(judge(&json, "xs8-03").verdict, Verdict::NoGo, "without {field}");
    }
}

#[test]
fn where_an_eject_would_stop_half_way_is_told_before() {
    let good = evacuated();
    let host = good["pool"]["hosts"][4]["reference"].clone();
    let said = |change: &dyn Fn(&mut Json)| {
        let mut json = good.clone();
        change(&mut json["pool"]);
        let judgement = judge(&json, "xcp-05");
        let before = judge(&good, "xcp-05");
        let new: Vec<_> = failed(&judgement).into_iter().filter(|rule| !failed(&before).contains(rule)).collect();
        (new.join(" "), judgement.verdict)
    };
    let dom0 = |pool: &Json| {
        let vms = pool["vms"].as_array().unwrap();
        vms.iter().position(|vm| vm["is_control_domain"] == true && vm["resident_on"] == host).unwrap()
    };
    // E8: a disk in the control domain, and something in progress on an SR.
    let disk = |attached: Json| {
        json!([{"reference": "OpaqueRef:vbd", "device": "0", "kind": "Disk", "vdi": "OpaqueRef:vdi",
            "sr": good["pool"]["default_sr"], "currently_attached": attached}])
    };
    let held = |attached: Json| {
        said(&|pool| {
            let dom0 = dom0(pool);
            pool["vms"][dom0]["disks"] = disk(attached.clone());
        })
    };
    assert_eq!(held(json!(true)), ("plugs-let-go".to_owned(), Verdict::NoGo));
    assert_eq!(held(json!(false)), (String::new(), Verdict::Go));
    assert_eq!(held(json!({"$unknown": "not-collected"})), (String::new(), Verdict::Undecided));
    let busy = said(&|pool| {
        let default = pool["default_sr"].clone();
        let srs = pool["srs"].as_array_mut().unwrap();
        let sr = srs.iter_mut().find(|sr| sr["reference"] == default).unwrap();
        sr["current_operations"] = json!({"OpaqueRef:task": "scan"});
    });
    assert_eq!(busy, ("storage-quiet".to_owned(), Verdict::NoGo));
    // E9: the cluster, at rest and not, with quorum and without, and the member's own part in it.
    let clustered = |quorate: bool, enabled: bool, operations: Json| {
        said(&|pool| {
            let hosts = pool["hosts"].as_array().unwrap().iter().map(|host| host["reference"].clone());
            let members: Vec<_> = hosts
                .enumerate()
                .map(|(number, of)| {
                    json!({"reference": format!("OpaqueRef:ch-{number}"), "cluster": "OpaqueRef:cluster",
                        "uuid": format!("00000000-0000-4000-8000-0000000000c{number}"), "joined": true,
                        "enabled": enabled || of != host, "host": of, "pif": null, "current_operations": {}})
                })
                .collect();
            pool["clusters"] = json!([{"reference": "OpaqueRef:cluster", "is_quorate": quorate,
                "current_operations": operations}]);
            pool["cluster_hosts"] = members.into();
        })
    };
    let left = |rules: &str, verdict| (format!("cluster-left{rules}"), verdict);
    assert_eq!(clustered(true, true, json!({})), left("", Verdict::Go));
    assert_eq!(clustered(true, false, json!({})), left(" cluster-member-enabled", Verdict::GoWithWarnings));
    assert_eq!(clustered(false, true, json!({})).1, Verdict::NoGo);
    assert_eq!(clustered(true, true, json!({"OpaqueRef:task": "enable"})), left(" cluster-quiet", Verdict::NoGo));
    // E10: the directory.
    let directory = said(&|pool| {
        pool["hosts"][4]["external_auth_type"] = json!("AD");
        pool["hosts"][4]["external_auth_service_name"] = json!("example.com");
    });
    assert_eq!(directory, ("directory-not-left".to_owned(), Verdict::GoWithWarnings));
}

#[test]
fn what_is_lost_is_named_in_json() {
    let mut halted: Vec<_> = names_by_state("Halted").into_iter().take(2).collect();
    halted.sort();
    let json = with_local_disks(&[halted[0].as_str(), halted[1].as_str()]);
    let words = ["check", "--phase", "eject", "--pool", "-", "--member", "xcp-05", "--format", "json"];
    let report = poolgate(words).stdin(json.to_string()).status(0).json();
    assert_eq!((report["phase"].as_str(), report["joiners"].as_array().map(Vec::len)), (Some("eject"), Some(0)));
    let member = &report["member"];
    assert_eq!(member["name"], "xcp-05");
    let named = |list: &str| {
        let list = member["loses"][list].as_array().unwrap();
        list.iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(named("vms"), halted);
    assert_eq!(named("vdis"), [format!("{} data", halted[0]), format!("{} data", halted[1])]);
    assert_eq!(named("srs"), ["Local storage", "Removable storage"]);
    assert_eq!(member["loses"]["vdis"][0]["vms"], json!([halted[0]]));
    assert_eq!(member["keeps"]["management"]["device"], "eth0");
    assert_eq!(member["keeps"]["management"]["bond"], "bond0");
    let printed: Vec<_> = member["findings"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|finding| finding["fix"].as_array().unwrap())
        .collect();
    assert!(printed.iter().all(|step| !step["run"].as_str().unwrap_or_default().contains("unknown")), "{printed:#?}");
}

#[test]
fn the_pool_gets_back_what_only_the_member_lacked() {
    let mut json = evacuated();
    assert_eq!(judge(&json, "xcp-05").facts.cpu.regained.get().map(Vec::len), Some(0));
    // Of the two oldest hosts one stays.
    let pool = json["pool"].as_object_mut().unwrap();
    pool["hosts"].as_array_mut().unwrap().remove(1);
    pool["coordinator"] = pool["hosts"][1]["reference"].clone();
    let regained = judge(&json, "xcp-01").facts.cpu.regained;
    let regained: Vec<_> = regained.get().unwrap().iter().map(|feature| feature.name.label()).collect();
    assert!(regained.iter().any(|name| matches!(&**name, "avx512-vnni" | "avx512_vnni")), "{regained:?}");
}

#[test]
fn own_rules_read_the_facts_of_their_phase() {
    let rule = |phases: &str, require: &str| {
        format!(
            "id = 'own'\ntitle = 'Own'\nwhy = 'x'\nseverity = 'warning'\n{phases}require = \"{require}\"\nmessage = 'no'\n"
        )
    };
    let load = |phase: Phase, text: String| {
        Registry::load(&[RuleSource { path: "own.toml".into(), stem: "own".into(), phase, text }])
    };
    assert!(load(Phase::Eject, rule("", "member.enabled")).is_ok());
    let mistake = |phase, text| load(phase, text).unwrap_err()[0].rendered.clone();
    let text = mistake(Phase::Eject, rule("", "host.enabled"));
    assert!(text.contains("host"), "{text}");
    let text = mistake(Phase::Join, rule("phases = ['eject']\n", "host.enabled"));
    assert!(text.contains("cannot be of phase eject too"), "{text}");
    // A name of a built-in rule stays that rule's, also in the other phase.
    let own = |stem: &str| RuleSource {
        path: format!("{stem}.toml"),
        stem: stem.into(),
        phase: Phase::Eject,
        text: rule("", "member.enabled").replace("'own'", &format!("'{stem}'")),
    };
    for phase in [Phase::Join, Phase::Eject] {
        for stem in ["ha-off", "joiner-vms-not-running"] {
            let text = &Registry::load_for(phase, &[own(stem)]).unwrap_err()[0].rendered;
            assert!(text.contains("exists already"), "{text}");
        }
    }
}

#[test]
fn a_member_must_be_one() {
    let complaint =
        |words: &[&str]| poolgate(["check", "--pool", &fixture(XCP_NG)]).with(words).status(2).complaint();
    let text = complaint(&["--phase", "eject", "--member", "xcp-99"]);
    assert!(text.contains("no host \"xcp-99\"") && text.contains("xcp-05 (bc83c1c3"), "{text}");
    let text = complaint(&["--phase", "eject"]);
    assert!(text.contains("--phase eject needs --member"), "{text}");
    let text = complaint(&["--member", "xcp-01"]);
    assert!(text.contains("say --phase eject"), "{text}");
    let text = complaint(&["--phase", "join"]);
    assert!(text.contains("needs --host"), "{text}");
    let text = complaint(&["--phase", "eject", "--member", "xcp-01", "--host", "local"]);
    assert!(text.contains("--host is a joiner"), "{text}");
    let text = complaint(&["--phase", "eject", "--member", "xcp-01", "--as-release", "xcp-ng-8.3"]);
    assert!(text.contains("--as-release is for joiners"), "{text}");
    let mut json = fixture_json(XCP_NG);
    json["pool"]["hosts"][1]["name_label"] = json!("xcp-05");
    let words = ["check", "--phase", "eject", "--pool", "-", "--member", "xcp-05"];
    let text = poolgate(words).stdin(json.to_string()).status(2).complaint();
    assert!(text.contains("several hosts") && text.contains("8006ca53") && text.contains("bc83c1c3"), "{text}");
}

#[test]
fn pages_for_people_name_what_is_lost_in_a_section_of_its_own() {
    let words = ["check", "--phase", "eject", "--pool", "fixtures/xcp-ng-8.3-5-hosts.json", "--member", "xcp-05"];
    let run = |format: &str| poolgate(words).with(["--format", format]).any_status(|status| matches!(status, 0 | 1));
    let loses = &run("json").json()["member"]["loses"].clone();
    let (markdown, html) = (run("markdown").quietly(), run("html").quietly());
    let section = markdown.split("**What is lost:**\n\n").nth(1).unwrap().split("\n\n").next().unwrap();
    let page = html.split(">What is lost</h3>").nth(1).unwrap().split("</dl>").next().unwrap();
    let mut named = 0;
    for list in ["vdis", "vms", "srs", "networks"] {
        for one in loses[list].as_array().unwrap() {
            let uuid = one["uuid"].as_str().unwrap();
            assert!(section.contains(uuid) && page.contains(uuid), "{list}: {one}\n{section}\n{page}");
            named += 1;
        }
    }
    assert!(named > 0, "{loses}");
    for what in ["storage", "virtual disks", "VMs with disks there", "networks without another host"] {
        assert!(section.contains(&format!("- **{what}**:")) && page.contains(&format!("<dt>{what}</dt>")), "{what}");
    }
    // What is not known is said, not left out.
    let mut pool = fixture_json("xcp-ng-8.3-5-hosts");
    pool["pool"]["vdis"] = serde_json::json!({"$unknown": "permission-denied"});
    let unknown =
        poolgate(["check", "--phase", "eject", "--pool", "-", "--member", "xcp-05", "--format", "markdown"]);
    let markdown = unknown.stdin(pool.to_string()).any_status(|status| matches!(status, 1 | 3)).stdout;
    assert!(markdown.contains("- **virtual disks**: unknown (permission denied"), "{markdown}");
}
