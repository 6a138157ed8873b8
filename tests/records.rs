//! XenAPI records in every form become the same snapshot, complete, and without secrets.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as tests do")]

pub mod common;

use std::fs;
use std::path::Path;

use poolgate::collect::{Collected, Target, read_target};
use poolgate::facts::{Known, Reason};
use poolgate::snapshot::{Snapshot, Source, json_schema, read_snapshot};
use serde_json::{Value, json};

fn read(path: &Path) -> Collected {
    read_target(&Target::File(path.to_owned()), &mut std::io::empty()).unwrap_or_else(|error| panic!("{error}"))
}

/// Reads a document from standard input.
fn piped(text: &str) -> Collected {
    read_target(&Target::Stdin, &mut text.as_bytes()).unwrap_or_else(|error| panic!("{error}"))
}

fn of(records: &Value) -> Collected {
    piped(&records.to_string())
}

/// Both sides of the recorded joins of one release, each as the server served it.
fn bases(file: &str) -> Option<[Value; 2]> {
    let text = fs::read(common::shared()?.join("data").join(file)).ok()?;
    let data: Value = serde_json::from_slice(&text).unwrap();
    Some([data["base_pool"].clone(), data["base_joiner"].clone()])
}

#[test]
fn every_encoding_gives_the_same_snapshot() {
    let Some(shared) = common::shared() else { return };
    for server in ["plain", "rich", "every-class", "standalone"] {
        let folder = shared.join("data/xapi-wire").join(server);
        let [first, second, third] = ["jsonrpc1", "jsonrpc2", "xmlrpc"].map(|encoding| {
            let collected = read(&folder.join(encoding));
            assert_eq!(collected.strangers, Vec::<String>::new());
            assert!(!collected.snapshot.to_json().contains("unreadable"), "{}", collected.snapshot.to_json());
            collected.snapshot.pool
        });
        assert_eq!(first, second, "{server}");
        assert_eq!(first, third, "{server}");
        assert!(first.hosts.each().len() >= 1 && first.vms.each().len() >= 3);
    }
}

#[test]
fn every_class_reaches_the_model() {
    let Some(shared) = common::shared() else { return };
    let pool = read(&shared.join("data/xapi-wire/every-class/xmlrpc")).snapshot.pool;
    let host = pool.hosts.each().next().unwrap();
    assert_eq!(host.memory_total, Known::Yes(68_719_476_736));
    let hardware = host.hardware.get().unwrap();
    assert_eq!(hardware.product.text(), Some("PowerEdge R740"));
    assert_eq!(hardware.iommu_enabled, Known::Yes(true));
    let pif = pool.pifs.each().find(|pif| pif.mac.text() == Some("00:16:3e:00:02:01")).unwrap();
    assert_eq!((pif.speed.get(), pif.carrier.get(), pif.vlan.get()), (Some(&10_000), Some(&true), Some(&-1)));
    let web = pool.vms.each().find(|vm| vm.name_label.text() == Some("web-1")).unwrap();
    let disk = web.disks.each().next().unwrap();
    assert!(disk.sr.get().unwrap().is_some(), "{disk:?}");
    assert_eq!(web.vifs.each().next().unwrap().mac.text(), Some("aa:bb:cc:00:00:01"));
    assert_eq!(web.last_boot_vendor, Known::Yes(Some("GenuineIntel".to_owned())));
    assert_eq!(web.mac_seed, Known::Yes(None));
    let certificate = pool.certificates.each().find(|one| one.kind.text() == Some("ca")).unwrap();
    assert_eq!(certificate.not_after.text(), Some("2040-01-01T00:00:00Z"));
    assert_eq!(pool.subject_count, Known::Yes(1));
    let lengths = [
        pool.bonds.each().len(),
        pool.vlans.each().len(),
        pool.tunnels.each().len(),
        pool.network_sriovs.each().len(),
        pool.sdn_controllers.each().len(),
        pool.clusters.each().len(),
        pool.cluster_hosts.each().len(),
        pool.updates.each().len(),
        pool.patches.each().len(),
        pool.host_patches.each().len(),
        pool.secrets.each().len(),
        pool.pvs_sites.each().len(),
    ];
    assert_eq!(lengths, [1; 12]);
    let references: Vec<_> = pool.pifs.each().map(|pif| pif.reference.text().unwrap()).collect();
    assert!(references.is_sorted());
}

/// `tagged_PIF` is the interface below, `untagged_PIF` the VLAN's own: a server's record says so by their tags.
#[test]
fn the_two_sides_of_a_vlan_are_told_apart() {
    let Some(shared) = common::shared() else { return };
    let pool = read(&shared.join("data/xapi-wire/rich/jsonrpc2")).snapshot.pool;
    let tag = |reference: &str| {
        let pif = pool.pifs.each().find(|pif| pif.reference.text() == Some(reference)).unwrap();
        (*pif.vlan.get().unwrap(), *pif.physical.get().unwrap())
    };
    let vlan = pool.vlans.each().next().unwrap();
    let own = vlan.untagged_pif.get().unwrap().as_deref().unwrap();
    assert_eq!(tag(vlan.tagged_pif.text().unwrap()), (-1, true));
    assert_eq!(tag(own), (*vlan.tag.get().unwrap(), false));
}

#[test]
fn recorded_joins_of_every_release_are_read_completely() {
    for file in ["", "-8.2", "-24.19", "-24.39", "-25.6", "-25.33", "-26.1"] {
        let Some(sides) = bases(&format!("join-verdicts{file}.json")) else { return };
        for side in sides {
            let collected = of(&side);
            assert_eq!(collected.strangers, Vec::<String>::new());
            let text = collected.snapshot.to_json();
            assert!(!text.contains("unreadable"), "{file}: {text}");
            let hosts = collected.snapshot.pool.hosts.get().unwrap();
            assert_eq!(hosts.len(), side["host"].as_object().unwrap().len());
        }
    }
}

#[test]
fn a_snapshot_survives_its_file() {
    let Some(sides) = bases("join-verdicts.json") else { return };
    for side in sides {
        let snapshot = of(&side).snapshot;
        let (again, strangers) = read_snapshot(snapshot.to_json().as_bytes()).unwrap();
        assert_eq!(again, snapshot);
        assert_eq!(strangers, Vec::<String>::new());
        assert_eq!(piped(&snapshot.to_json()).snapshot, snapshot);
    }
}

#[test]
fn written_snapshots_conform_to_the_schema() {
    let schema = json_schema();
    let Some(shared) = common::shared() else { return };
    for server in ["plain", "rich", "every-class", "standalone"] {
        let snapshot = read(&shared.join("data/xapi-wire").join(server).join("jsonrpc2")).snapshot;
        let value: Value = serde_json::from_str(&snapshot.to_json()).unwrap();
        assert_eq!(conforms(&schema, &schema, &value), Ok(()));
    }
    let odd = json!({"format": "poolgate-snapshot", "version": "1.0", "pool": {"ha_enabled": "no"}});
    assert!(conforms(&schema, &schema, &odd).is_err());
    let odd = json!({"format": "poolgate-snapshot", "version": "1.0", "pool": {"ha_enable": true}});
    assert!(conforms(&schema, &schema, &odd).is_err());
}

/// As much of JSON Schema as snapshots use; keys that the schema does not name are refused.
fn conforms(root: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    if let Some(reference) = schema["$ref"].as_str() {
        let target = root.pointer(reference.trim_start_matches('#')).ok_or(format!("no {reference}"))?;
        return conforms(root, target, value);
    }
    if let Some(any) = schema["anyOf"].as_array() {
        let tries: Vec<_> = any.iter().map(|one| conforms(root, one, value)).collect();
        return if tries.iter().any(Result::is_ok) { Ok(()) } else { Err(format!("{value}: {tries:?}")) };
    }
    if let Some(constant) = schema.get("const") {
        return if constant == value { Ok(()) } else { Err(format!("{value} is not {constant}")) };
    }
    if let Some(words) = schema["enum"].as_array() {
        return if words.contains(value) { Ok(()) } else { Err(format!("{value} is not of {words:?}")) };
    }
    match (schema["type"].as_str(), value) {
        (Some("boolean"), Value::Bool(_)) | (Some("null"), Value::Null) => Ok(()),
        (Some("integer"), Value::Number(number)) if number.is_i64() => Ok(()),
        (Some("string"), Value::String(_)) => Ok(()),
        (Some("array"), Value::Array(items)) => {
            items.iter().try_for_each(|item| conforms(root, &schema["items"], item))
        }
        (Some("object"), Value::Object(map)) => {
            for required in schema["required"].as_array().into_iter().flatten() {
                if !map.contains_key(required.as_str().unwrap()) {
                    return Err(format!("lacks {required}"));
                }
            }
            map.iter().try_for_each(|(key, value)| {
                let field = schema["properties"].get(key).or_else(|| schema.get("additionalProperties"));
                let field = field.filter(|field| field.is_object()).ok_or(format!("unknown key {key}"))?;
                conforms(root, field, value).map_err(|why| format!("{key}: {why}"))
            })
        }
        (expected, _) => Err(format!("{value} is no {expected:?}")),
    }
}

/// The smallest host that a rule can say something about.
fn host() -> Value {
    json!({
        "uuid": "18fe3189", "name_label": "alpha", "API_version_major": "2", "API_version_minor": "21",
        "software_version": {"xapi": "24.19", "network_backend": "openvswitch", "machine_serial_number": "MARK"},
        "metrics": "OpaqueRef:NULL", "other_config": {"multipathing": "true"}, "cpu_info": {},
    })
}

#[test]
fn why_a_class_is_missing_depends_on_the_release() {
    let reason = |minor: i64| {
        let mut host = host();
        host["API_version_minor"] = json!(minor);
        let pool = of(&json!({"host": {"OpaqueRef:h": host}})).snapshot.pool;
        (pool.certificates.unknown().unwrap().reason, pool.networks.unknown().unwrap().reason)
    };
    assert_eq!(reason(21), (Reason::NotCollected, Reason::NotCollected));
    assert_eq!(reason(5), (Reason::AbsentOnRelease, Reason::NotCollected));
}

#[test]
fn what_the_wire_does_not_show_is_labelled() {
    let collected = of(&json!({"host": {"OpaqueRef:h": host()}}));
    insta::assert_snapshot!(collected.notes.join("\n"), @"host alpha: its network backend of now is not on the wire; software_version.network_backend (openvswitch) stands in");
    let host = &collected.snapshot.pool.hosts.get().unwrap()[0];
    insta::assert_snapshot!(host.network_backend.unknown().unwrap(), @"not collected: not on the wire; software_version says openvswitch");

    let off_wire = json!({"backend": "bridge", "editions": [["free", 0], ["premium-per-socket", 20]]});
    let collected = of(&json!({"host": {"OpaqueRef:h": self::host()}, "off_wire": off_wire}));
    assert!(collected.notes.is_empty());
    let host = &collected.snapshot.pool.hosts.get().unwrap()[0];
    assert_eq!(host.network_backend.text(), Some("bridge"));
    let editions = host.licence_daemon.get().unwrap().as_ref().unwrap();
    assert_eq!((editions[1].name.text(), editions[1].order.get()), (Some("premium-per-socket"), Some(&20)));

    let collected = of(&json!({"host": {"OpaqueRef:h": self::host()}, "off_wire": {"editions": null}}));
    assert_eq!(collected.snapshot.pool.hosts.get().unwrap()[0].licence_daemon, Known::Yes(None));
}

#[test]
fn a_class_that_the_server_refused_is_unknown_for_that_reason() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write(
        "host.get_all_records.json",
        &json!({"jsonrpc": "2.0", "id": 1, "result": {"OpaqueRef:h": host()}}).to_string(),
    );
    write(
        "Certificate.get_all_records.json",
        r#"{"result":null,"error":["MESSAGE_METHOD_UNKNOWN","Certificate.get_all_records"],"id":1}"#,
    );
    write(
        "secret.get_all_records.json",
        r#"{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"RBAC_PERMISSION_DENIED","data":["secret.get_all_records","No permission"]}}"#,
    );
    write(
        "VM.get_all_records.xml",
        "<?xml version=\"1.0\"?><methodResponse><params><param><value><struct><member><name>Status</name><value>Failure</value></member><member><name>ErrorDescription</name><value><array><data><value>SESSION_INVALID</value><value>OpaqueRef:MARK</value></data></array></value></member></struct></value></param></params></methodResponse>",
    );
    write("SR.get_all_records.txt", "{\"OpaqueRef:s\":{\"type\":\"nfs\",\"shared\":true}}");
    write("off_wire.json", "{\"backend\":\"bridge\"}");
    write("readme.txt", "left alone");
    let collected = read(folder.path());
    let pool = &collected.snapshot.pool;
    assert_eq!(pool.certificates.unknown().unwrap().reason, Reason::AbsentOnRelease);
    assert_eq!(pool.secrets.unknown().unwrap().reason, Reason::PermissionDenied);
    assert_eq!(pool.vms.unknown().unwrap().to_string(), "unreadable: VM.get_all_records answered SESSION_INVALID");
    assert_eq!(pool.srs.get().unwrap()[0].shared, Known::Yes(true));
    assert_eq!(pool.hosts.get().unwrap()[0].network_backend.text(), Some("bridge"));
    insta::assert_snapshot!(collected.notes.join("\n"), @r"
    Certificate: the server answered MESSAGE_METHOD_UNKNOWN instead of records
    VM: the server answered SESSION_INVALID instead of records
    secret: the server answered RBAC_PERMISSION_DENIED instead of records
    ");
    assert!(!format!("{collected:?}").contains("MARK"));
}

#[test]
fn a_single_answer_is_one_class() {
    let answer = json!({"result": {"OpaqueRef:h": host()}, "error": null, "id": 1}).to_string();
    let collected = piped(&answer);
    assert_eq!(collected.snapshot.pool.hosts.each().len(), 1);
    assert!(collected.notes[0].contains("only the class host"), "{:?}", collected.notes);
    // A file's name tells the class where the records do not.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("Bond.get_all_records.json");
    fs::write(&path, "{\"result\":{},\"error\":null,\"id\":1}").unwrap();
    assert_eq!(read(&path).snapshot.pool.bonds, Known::Yes(Vec::new()));
}

#[test]
fn the_order_of_the_records_does_not_matter() {
    let Some([pool, _]) = bases("join-verdicts.json") else { return };
    let turned = |map: &Value| Value::Object(map.as_object().unwrap().clone().into_iter().rev().collect());
    let classes = pool.as_object().unwrap().iter().map(|(class, records)| (class.clone(), turned(records)));
    let mirror = turned(&Value::Object(classes.collect()));
    assert_ne!(mirror.to_string(), pool.to_string());
    assert_eq!(of(&mirror).snapshot, of(&pool).snapshot);
}

#[test]
fn cpu_info_of_every_release() {
    let shapes = [
        (
            json!({"vendor": "GenuineIntel", "features": "0098e3fd-bfebfbff-00000001-20100800", "physical_features": "0098e3fd-bfebfbff-00000001-20100800", "features_after_reboot": "0098e3fd-bfebfbff-00000001-20100800", "maskable": "base"}),
            [true, false, false],
        ),
        (
            json!({"vendor": "GenuineIntel", "features": "0098e3fd-bfebfbff-00000001-20100800", "features_pv": "1", "features_hvm": "1"}),
            [true, true, false],
        ),
        (
            json!({"vendor": "AuthenticAMD", "features_pv": "1", "features_hvm": "1", "features_pv_host": "1", "features_hvm_host": "1", "threads_per_core": "2", "nr_nodes": "-1"}),
            [false, true, true],
        ),
    ];
    for (shape, known) in shapes {
        let mut host = host();
        host["cpu_info"] = shape;
        let pool = of(&json!({"host": {"OpaqueRef:h": host}})).snapshot.pool;
        let cpu = pool.hosts.get().unwrap()[0].cpu.get().unwrap();
        let found = [&cpu.features, &cpu.features_hvm, &cpu.features_hvm_host].map(|set| set.get().is_some());
        assert_eq!(found, known);
        assert_eq!(cpu.provenance.text(), Some("observed"));
    }
    let mut odd = host();
    odd["cpu_info"] = json!({"features_hvm": "1fc9cbf5-nonsense!"});
    let pool = of(&json!({"host": {"OpaqueRef:h": odd}})).snapshot.pool;
    let cpu = pool.hosts.get().unwrap()[0].cpu.get().unwrap();
    insta::assert_snapshot!(cpu.features_hvm.unknown().unwrap(), @r#"unreadable: host OpaqueRef:h (alpha): cpu_info.features_hvm is "1fc9cbf5-nonsense!", expected words of 1 to 8 hex digits joined by '-'"#);
}

#[test]
fn older_releases_keep_some_facts_elsewhere() {
    let host = of(&json!({"host": {"OpaqueRef:h": host()}})).snapshot.pool.hosts.get().unwrap()[0].clone();
    assert_eq!(host.multipathing, Known::Yes(true));
    assert_eq!(host.iscsi_iqn.unknown().unwrap().reason, Reason::NotCollected, "its release has it");
    assert_eq!(host.memory_total.unknown().unwrap().reason, Reason::NotCollected);
    let certificate = json!({"type": "host", "fingerprint": "AA:01"});
    let pool = of(&json!({"host": {}, "Certificate": {"OpaqueRef:c": certificate}})).snapshot.pool;
    assert_eq!(pool.certificates.get().unwrap()[0].fingerprint_sha256.text(), Some("AA:01"));
    let vm = json!({"power_state": "Suspended", "HVM_boot_policy": "BIOS order", "metrics": "OpaqueRef:NULL"});
    let pool = of(&json!({"VM": {"OpaqueRef:v": vm}})).snapshot.pool;
    assert_eq!(pool.vms.get().unwrap()[0].current_domain_type.text(), Some("hvm"));
}

/// Every place of the facts' section 5.5, and others of the same kind, holds a mark that must not come through.
/// A record that was cut has no facts that stand in for those of its release.
#[test]
fn what_a_release_always_shows_is_not_taken_from_elsewhere() {
    let of_api = |minor: i64, record: Value| {
        let mut whole = json!({"uuid": "1", "API_version_major": 2, "API_version_minor": minor});
        whole.as_object_mut().unwrap().extend(record.as_object().unwrap().clone());
        let pool = of(&json!({"host": {"OpaqueRef:h": whole}})).snapshot.pool;
        pool.hosts.get().unwrap()[0].clone()
    };
    let host = of_api(21, json!({"other_config": {}}));
    for why in
        [host.multipathing.unknown(), host.iscsi_iqn.unknown(), host.address.unknown(), host.restrictions.unknown()]
    {
        assert!(why.unwrap().detail().contains("is not in the record, though API 2.21 has it"), "{why:?}");
    }
    let host = of_api(3, json!({"other_config": {"iscsi_iqn": "iqn.a", "multipathing": "true"}}));
    assert_eq!((host.multipathing, host.iscsi_iqn.text()), (true.into(), Some("iqn.a")));
    let host = of_api(3, json!({"other_config": {}}));
    assert_eq!(host.multipathing, false.into());
    assert_eq!(host.iscsi_iqn.unknown().unwrap().reason, Reason::AbsentOnRelease);
}

/// A server that does not watch its clusters leaves the fields as they are made.
#[test]
fn a_quorum_of_none_was_never_seen() {
    let quorate = |record: Value| {
        let records = json!({"Cluster": {"OpaqueRef:c": record}});
        of(&records).snapshot.pool.clusters.get().unwrap()[0].is_quorate.clone()
    };
    let unwatched = quorate(json!({"is_quorate": false, "quorum": "0", "live_hosts": "0"}));
    assert_eq!(unwatched.unknown().unwrap().reason, Reason::AbsentOnRelease);
    assert_eq!(quorate(json!({"is_quorate": false, "quorum": "3"})), false.into());
    assert_eq!(quorate(json!({"is_quorate": true, "quorum": 2})), true.into());
}

#[test]
fn no_secret_reaches_a_snapshot() {
    let all = |value: &str| json!({"password": value, "key": value, "token": value});
    let uuid = "6f2a8dc7-a746-50f4-be5d-11eafccec13c";
    let records = json!({
        "pool": {"OpaqueRef:p": {
            "master": "OpaqueRef:h", "wlb_url": "MARK", "wlb_username": "MARK", "wlb_password": "MARK",
            "wlb_enabled": true, "other_config": all("MARK"), "ha_configuration": all("MARK"),
            "gui_config": all("MARK"), "health_check_config": all("MARK"), "repository_proxy_password": "MARK",
            "repository_proxy_username": "MARK", "repository_proxy_url": "MARK", "license_server": all("MARK"),
            "uefi_certificates": "MARK", "custom_uefi_certificates": "MARK", "blobs": {"MARK": "MARK"},
            "guest_agent_config": {"auto_update_url": "https://me:MARK@host/", "a_token": "MARK"},
            "client_certificate_auth_name": "MARK", "telemetry_uuid": "MARK", "name_description": "MARK",
            "restrictions": {"restrict_pooling": "false", "other": "MARK"},
        }},
        "host": {"OpaqueRef:h": {
            "license_params": {"restrict_pooling": "false", "expiry": "20370101T00:00:00Z", "serialnumber": "MARK", "license_key": "MARK"},
            "software_version": {"xapi": "24.19", "machine_serial_number": "MARK", "machine_serial_name": "MARK"},
            "power_on_config": {"power_on_ip": "MARK", "power_on_user": "MARK", "power_on_password_secret": "MARK"},
            "external_auth_configuration": {"domain": "MARK", "user": "MARK", "pass": "MARK"},
            "other_config": all("MARK"), "logging": {"syslog_destination": "MARK"}, "license_server": all("MARK"),
            "guest_VCPUs_params": all("MARK"), "uefi_certificates": "MARK", "chipset_info": {"iommu": "true", "key_secret": "MARK"},
            "metrics": "OpaqueRef:NULL",
        }},
        "network": {"OpaqueRef:n": {"other_config": all("MARK"), "assigned_ips": all("MARK"), "blobs": {"MARK": "MARK"}}},
        "PIF": {"OpaqueRef:i": {"other_config": all("MARK")}},
        "SR": {"OpaqueRef:s": {"other_config": all("MARK"), "sm_config": all("MARK"), "blobs": {"MARK": "MARK"}}},
        "PBD": {"OpaqueRef:b": {"other_config": all("MARK"), "device_config": {
            "password": "MARK", "chappassword": "MARK", "incoming_chappassword": "MARK", "cifspassword": "MARK",
            "cifspassword_secret": uuid, "chappassword_secret": "MARK", "location": "//me:MARK@host/share",
            "options": "-o username=me,password=MARK,vers=3", "serverpath": "https://host/x?token=MARK",
            "target": "10.0.0.9",
        }}},
        "VDI": {"OpaqueRef:d": {"xenstore_data": all("MARK"), "sm_config": all("MARK"), "other_config": all("MARK"), "location": "MARK"}},
        "VM": {"OpaqueRef:v": {
            "xenstore_data": all("MARK"), "other_config": {"mac_seed": "aa", "password": "MARK"}, "platform": all("MARK"),
            "NVRAM": all("MARK"), "PV_args": "MARK", "snapshot_metadata": "MARK", "last_booted_record": "MARK",
            "bios_strings": all("MARK"), "recommendations": "MARK", "blobs": {"MARK": "MARK"}, "metrics": "OpaqueRef:NULL",
        }},
        "Cluster": {"OpaqueRef:c": {"cluster_token": "MARK", "cluster_config": all("MARK"), "other_config": all("MARK")}},
        "secret": {"OpaqueRef:x": {"uuid": uuid, "value": "MARK", "other_config": all("MARK")}},
        "session": {"OpaqueRef:MARK": {"uuid": "MARK", "other_config": all("MARK")}},
        "VTPM": {"OpaqueRef:t": {"contents": "MARK"}},
        "Repository": {"OpaqueRef:r": {"binary_url": "https://me:MARK@host", "certificate": "MARK"}},
        "task": {"OpaqueRef:MARK": {"result": "MARK"}},
    });
    let collected = of(&records);
    let text = collected.snapshot.to_json();
    assert!(!text.contains("MARK"), "{text}");
    assert!(!format!("{collected:?}").contains("MARK"));
    assert!(text.contains(uuid) && text.contains("10.0.0.9") && text.contains("(removed)@host"));
    // Where a secret stands in place of another type, the error names the place and not the secret.
    let odd = json!({"host": {"OpaqueRef:h": {"enabled": "MARK", "tags": "MARK", "cpu_info": "MARK", "API_version_major": "MARK", "last_software_update": "MARK"}}, "pool": "MARK", "PBD": {"OpaqueRef:b": "MARK"}, "off_wire": {"editions": "MARK", "backend": ["MARK"]}});
    let collected = of(&odd);
    assert!(collected.snapshot.to_json().contains("unreadable"));
    assert!(!format!("{collected:?}").contains("MARK"));
}

#[test]
fn keys_that_are_no_classes_are_reported() {
    let collected = of(&json!({"host": {}, "PUSB": {}, "hots": {}}));
    assert_eq!(collected.strangers, ["hots"]);
}

#[test]
fn the_source_names_the_target() {
    let source = of(&json!({"host": {}})).snapshot.source;
    assert_eq!((source.kind.text(), source.target.text()), (Some("records"), Some("-")));
    assert_eq!(
        Snapshot { source: Source::default(), ..Snapshot::default() }.source.collected_at,
        source.collected_at
    );
}

#[test]
fn lists_that_were_cut_short_are_unknown() {
    let whole = || {
        let mut records = json!({"host": {"OpaqueRef:h": host()}});
        records["host"]["OpaqueRef:h"]["resident_VMs"] = json!(["OpaqueRef:dom0", "OpaqueRef:vm"]);
        records["host"]["OpaqueRef:h"]["control_domain"] = json!("OpaqueRef:dom0");
        records["host"]["OpaqueRef:h"]["PIFs"] = json!(["OpaqueRef:pif0", "OpaqueRef:pif1"]);
        records["host"]["OpaqueRef:h"]["PBDs"] = json!(["OpaqueRef:pbd"]);
        records["VM"] =
            json!({"OpaqueRef:dom0": {"VIFs": []}, "OpaqueRef:vm": {"VIFs": ["OpaqueRef:vif"], "VBDs": []}});
        records["VIF"] = json!({"OpaqueRef:vif": {"VM": "OpaqueRef:vm"}});
        records["VBD"] = json!({});
        records["PIF"] = json!({"OpaqueRef:pif0": {}, "OpaqueRef:pif1": {}});
        records["PBD"] = json!({"OpaqueRef:pbd": {"SR": "OpaqueRef:sr"}});
        records["SR"] = json!({"OpaqueRef:sr": {}});
        records
    };
    let gaps = |class: &str, reference: &str| {
        let mut records = whole();
        if !class.is_empty() {
            records[class].as_object_mut().unwrap().remove(reference).unwrap();
        }
        let pool = of(&records).snapshot.pool;
        let vifs = pool.vms.each().map(|vm| vm.vifs.unknown());
        let lists = [pool.vms.unknown(), pool.pifs.unknown(), pool.pbds.unknown(), pool.srs.unknown()];
        let why: Vec<_> = lists.into_iter().chain(vifs).flatten().map(ToString::to_string).collect();
        why.join("; ")
    };
    assert_eq!(gaps("", ""), "");
    assert!(gaps("VM", "OpaqueRef:vm").contains("the list of VMs is cut short: host OpaqueRef:h names OpaqueRef:vm"));
    assert!(gaps("VM", "OpaqueRef:dom0").contains("names OpaqueRef:dom0"));
    // The more is cut off, the more it matters: of the VMs that the host names none is left.
    let mut records = whole();
    records["VM"] = json!({"OpaqueRef:halted": {"VIFs": []}});
    assert!(of(&records).snapshot.pool.vms.unknown().unwrap().detail().contains("cut short"));
    // Records whose references are all made up were put together otherwise.
    for class in ["VM", "PIF", "PBD"] {
        records[class] = json!({"OpaqueRef:other": {"SR": "OpaqueRef:sr"}});
    }
    assert!(of(&records).snapshot.pool.vms.unknown().is_none());
    assert!(gaps("PIF", "OpaqueRef:pif1").contains("the list of interfaces is cut short"));
    // The only one: a list without any lacks what is named, too.
    assert!(gaps("PBD", "OpaqueRef:pbd").contains("the list of PBDs is cut short"));
    assert!(gaps("SR", "OpaqueRef:sr").contains("the list of SRs is cut short: a PBD names OpaqueRef:sr"));
    assert!(
        gaps("VIF", "OpaqueRef:vif")
            .contains("VM OpaqueRef:vm, VIFs: it names 1, and 0 of them are among the records")
    );
}

#[test]
fn a_dump_says_when_it_was_taken() {
    let taken = |said: Value| {
        let mut records = json!({"host": {"OpaqueRef:h": host()}});
        records["snapshot"] = json!({"taken": said});
        let read = of(&records);
        (read.snapshot.source.collected_at.text().map(str::to_owned), read.strangers)
    };
    assert_eq!(taken(json!("2026-01-02T03:04:05Z")), (Some("2026-01-02T03:04:05Z".to_owned()), vec![]));
    assert_eq!(taken(json!("20260102T03:04:05Z")), (Some("2026-01-02T03:04:05Z".to_owned()), vec![]));
    assert_eq!(taken(json!("yesterday")), (None, vec!["snapshot.taken".to_owned()]));
}
