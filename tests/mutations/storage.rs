//! SRs, their plugs and drivers, initiators, multipathing, secrets.

use serde_json::json;

use crate::edit::Pair;
use crate::suite::{Mutation, change};

pub fn list() -> Vec<Mutation> {
    let mut list = of_srs();
    list.extend(of_initiators());
    list
}

/// The place of the pool's first shared SR that is not the tools.
fn shared(pair: &Pair) -> Option<usize> {
    pair.pool.0["pool"]["srs"].as_array()?.iter().position(|sr| {
        let tools = sr["is_tools_sr"] == true || sr["other_config"].get("xenserver_tools_sr").is_some();
        sr["shared"] == true && !tools
    })
}

/// The places of the plugs of an SR of the pool, the coordinator's first.
fn plugs(pair: &Pair, sr: usize) -> Vec<usize> {
    let pool = &pair.pool.0["pool"];
    let of = &pool["srs"][sr]["reference"];
    let Some(pbds) = pool["pbds"].as_array() else { return Vec::new() };
    let mut places: Vec<_> = (0..pbds.len()).filter(|index| pbds[*index]["sr"] == *of).collect();
    places.sort_by_key(|index| pbds[*index]["host"] != pool["coordinator"]);
    places
}

/// Whether the pool has shared SRs of kinds that a driver's name tells.
fn has_kind(pair: &Pair, words: &[&str]) -> bool {
    let srs = pair.pool.0["pool"]["srs"].as_array().cloned().unwrap_or_default();
    srs.iter().any(|sr| {
        sr["shared"] == true && sr["kind"].as_str().is_some_and(|kind| words.iter().any(|word| kind.contains(word)))
    })
}

/// Whether a plug of a shared SR of the pool has a key.
fn has_key(pair: &Pair, key: &str) -> bool {
    let srs = pair.pool.0["pool"]["srs"].as_array().cloned().unwrap_or_default();
    let pbds = pair.pool.0["pool"]["pbds"].as_array().cloned().unwrap_or_default();
    srs.iter()
        .filter(|sr| sr["shared"] == true)
        .any(|sr| pbds.iter().any(|pbd| pbd["sr"] == sr["reference"] && pbd["device_config"].get(key).is_some()))
}

fn iscsi(pair: &Pair) -> bool {
    has_kind(pair, &["iscsi"]) || has_key(pair, "targetIQN")
}

fn no_iscsi(pair: &Pair) -> bool {
    !iscsi(pair)
}

fn san(pair: &Pair) -> bool {
    iscsi(pair) || has_kind(pair, &["hba", "fcoe"]) || has_key(pair, "SCSIid")
}

fn of_srs() -> Vec<Mutation> {
    vec![
        change("the joiner has a shared SR", |p| {
            let local = p.joiner.find("srs", "shared", false)?;
            p.joiner.copy_at("srs", local, json!({"name_label": "ISOs", "kind": "iso", "shared": true}))
        })
        .refused("joiner-without-shared-srs", "JOINING_HOST_CANNOT_CONTAIN_SHARED_SRS"),
        change("a shared SR of the pool is of a kind that the joiner has no driver for", |p| {
            let sr = shared(p)?;
            p.pool.set(&format!("srs.{sr}.kind"), "cephfs")
        })
        .fails_in("drivers-for-shared-srs", "", "24.37.0"),
        change("a shared SR of the pool is XOSTOR", |p| {
            let sr = shared(p)?;
            let kind = p.pool.text(&format!("srs.{sr}.kind"));
            let driver = p.pool.find("sms", "kind", kind)?;
            p.pool.copy_at("sms", driver, json!({"kind": "linstor"}))?;
            p.joiner.copy_at("sms", 0, json!({"kind": "linstor", "features": p.pool.get("sms.last.features")?}))?;
            p.pool.set(&format!("srs.{sr}.kind"), "linstor")
        })
        .fails("linstor-joined-by-hand"),
        change("a shared SR of the pool counts as clustered, and there is no cluster", |p| {
            let sr = shared(p)?;
            p.pool.get(&format!("srs.{sr}.clustered")).filter(serde_json::Value::is_boolean)?;
            (p.pool.count("clusters") == 0).then_some(())?;
            p.pool.set(&format!("srs.{sr}.clustered"), true)
        }),
        change("a disk of the joiner has the uuid of one of the pool", |p| {
            let uuid = p.pool.text("vdis.0.uuid");
            let local = p.joiner.find("srs", "shared", false)?;
            let sr = p.joiner.text(&format!("srs.{local}.reference"));
            p.pool.get("vdis.0")?;
            p.joiner.push(
                "vdis",
                json!({"reference": "OpaqueRef:copied", "uuid": uuid, "name_label": "copied", "sr": sr}),
            )
        })
        .fails("vdi-uuids-unique"),
        change("the joiner has another local SR", |p| {
            let local = p.joiner.find("srs", "shared", false)?;
            p.joiner.copy_at("srs", local, json!({"name_label": "More local storage"}))
        }),
        change("an SR of the joiner has a uuid of the pool's", |p| {
            let uuid = p.pool.text(&format!("srs.{}.uuid", shared(p)?));
            let local = p.joiner.find("srs", "shared", false)?;
            p.joiner.set(&format!("srs.{local}.uuid"), uuid)
        })
        .fails("sr-uuids-unique"),
        change("a local SR of the pool has a uuid of the joiner's", |p| {
            let own = p.joiner.find("srs", "shared", false)?;
            let local = p.pool.find("srs", "shared", false)?;
            p.pool.set(&format!("srs.{local}.uuid"), p.joiner.text(&format!("srs.{own}.uuid")))
        })
        .fails("sr-uuids-unique"),
        change("the pool's default SR is not shared any more", |p| {
            let at = p.pool.find("srs", "reference", p.pool.get("default_sr")?)?;
            (p.pool.get(&format!("srs.{at}.shared"))? == true).then_some(())?;
            p.pool.set(&format!("srs.{at}.shared"), false)
        })
        .fails("default-sr-shared"),
        change("the coordinator lacks a plug for a shared SR", |p| {
            let plugs = plugs(p, shared(p)?);
            (plugs.len() > 1).then_some(())?;
            p.pool.at("pbds")?.as_array_mut()?.remove(plugs[0]);
            Some(())
        })
        .fails("sr-coordinator-plugged"),
        change("members reach a shared SR differently", |p| {
            let plugs = plugs(p, shared(p)?);
            (plugs.len() > 1).then_some(())?;
            p.pool.put(&format!("pbds.{}.device_config", plugs[1]), "server", "192.0.2.250")
        })
        .fails("sr-device-config-same"),
        change("members reach a shared SR under different coordinators", |p| {
            let plugs = plugs(p, shared(p)?);
            p.pool.put(&format!("pbds.{}.device_config", plugs.first()?), "SRmaster", "true")
        }),
        change("the pool makes no plugs for new members", |p| {
            shared(p)?;
            p.pool.put("other_config", "sync_create_pbds", "nosync")
        })
        .fails("sr-plugs-copied"),
        change("the pool's default SR is local", |p| {
            let local = p.pool.find("srs", "shared", false)?;
            p.pool.set("default_sr", p.pool.text(&format!("srs.{local}.reference")))
        })
        .fails("default-sr-shared"),
        change("the pool has no default SR", |p| p.pool.set("default_sr", json!(null))),
        change("the pool has a driver that the joiner lacks", |p| {
            p.pool.copy_at("sms", 0, json!({"kind": "linstor"}))
        })
        .refused_with("storage-drivers-covered", "POOL_JOINING_SM_FEATURES_INCOMPATIBLE", |p| {
            vec![p.pool.text("sms.last.reference"), String::new()]
        }),
        change("the joiner has a driver that the pool lacks", |p| {
            p.joiner.copy_at("sms", 0, json!({"kind": "moosefs"}))
        }),
        change("the joiner has a driver twice", |p| p.joiner.copy("sms", "kind", "nfs", json!({}))).refused_with(
            "storage-drivers-covered",
            "POOL_JOINING_SM_FEATURES_INCOMPATIBLE",
            |p| {
                let at = p.pool.find("sms", "kind", "nfs").unwrap_or_default();
                vec![p.pool.text(&format!("sms.{at}.reference")), String::new()]
            },
        ),
        change("a driver of the pool does more", |p| {
            let at = p.pool.find("sms", "kind", "nfs")?;
            p.joiner.find("sms", "kind", "nfs")?;
            p.pool.put(&format!("sms.{at}.features"), "VDI_MIRROR_MORE", 1)
        })
        .refused_with("storage-drivers-covered", "POOL_JOINING_SM_FEATURES_INCOMPATIBLE", drivers),
        change("a driver of the pool does it in a newer way", |p| {
            let at = p.pool.find("sms", "kind", "nfs")?;
            p.joiner.find("sms", "kind", "nfs")?;
            p.pool.put(&format!("sms.{at}.features"), "VDI_ATTACH", 99)
        })
        .refused_with("storage-drivers-covered", "POOL_JOINING_SM_FEATURES_INCOMPATIBLE", drivers),
        change("a driver of the joiner does more", |p| {
            let at = p.joiner.find("sms", "kind", "nfs")?;
            p.joiner.put(&format!("sms.{at}.features"), "VDI_MIRROR_MORE", 1)
        }),
    ]
}

fn drivers(pair: &Pair) -> Vec<String> {
    let of = |doc: &crate::edit::Doc| {
        let at = doc.find("sms", "kind", "nfs").unwrap_or_default();
        doc.text(&format!("sms.{at}.reference"))
    };
    vec![of(&pair.pool), of(&pair.joiner)]
}

fn of_initiators() -> Vec<Mutation> {
    vec![
        change("the joiner has the initiator name of a member", |p| {
            let name = p.pool.get("hosts.last.iscsi_iqn").filter(|name| *name != "")?;
            p.joiner.set("host.iscsi_iqn", name)
        })
        .fails_if("iscsi-iqn-unique", iscsi)
        .fails_if("iscsi-iqn-distinct", no_iscsi),
        change("the joiner has no initiator name", |p| p.joiner.set("host.iscsi_iqn", ""))
            .fails_if("iscsi-iqn-set", iscsi),
        change("the joiner has the address of a member", |p| {
            let address = p.pool.get("hosts.last.address").filter(|address| *address != "")?;
            p.joiner.set("host.address", address)
        })
        .fails("address-unique"),
        change("the joiner's management interface has no address", |p| {
            p.joiner.set("management.ip_configuration_mode", "None")?;
            p.joiner.set("management.ipv6", json!([]))?;
            p.joiner.set("management.ip", "")
        })
        .fails("management-address-set"),
        change("multipathing differs", |p| {
            let on = p.pool.get("host.multipathing")? == true;
            p.joiner.set("host.multipathing", !on)
        })
        .fails_if("multipathing-same", san),
        change("a plug of the joiner refers to a secret", |p| {
            p.joiner.put("pbds.0.device_config", "cifspassword_secret", "77777777-7777-4777-8777-777777777777")
        })
        .fails_if("secrets-travel", |p| p.joiner.get("management.vlan") == Some((-1).into())),
        change("the joiner has a Provisioning site", |p| {
            p.joiner.push(
                "pvs_sites",
                json!({"reference": "OpaqueRef:site", "name_label": "desktops",
                "uuid": "88888888-8888-4888-8888-888888888887"}),
            )
        })
        .fails_if("pvs-sites-travel", |p| p.joiner.get("management.vlan") == Some((-1).into())),
        change("the joiner's pool had a name", |p| p.joiner.set("name_label", "laboratory")).fails("settings-kept"),
        change("the joiner's pool had tags", |p| p.joiner.set("tags", json!(["old"]))).fails("settings-kept"),
        change("the joiner has users of a directory", |p| p.joiner.set("subject_count", 3)).fails("settings-kept"),
        change("the joiner has snapshot schedules", |p| p.joiner.set("snapshot_schedule_count", 3))
            .fails("settings-kept"),
        change("IGMP snooping differs", |p| p.joiner.set("igmp_snooping_enabled", true)).fails("settings-kept"),
        change("the joiner's SSH differs", |p| p.joiner.set("host.ssh_enabled", false)).fails_in(
            "settings-kept",
            "25.21",
            "",
        ),
        change("the joiner's description is its own", |p| {
            p.joiner.0["pool"]["hosts"][0]["name_description"] = "rack 4".into();
            Some(())
        })
        .fails("settings-kept"),
    ]
}
