//! What becomes of storage when a member starts, and when a repository is forgotten.

use serde_json::{Value, json};

use super::db::{Db, Fields, flag, key, text};
use super::{random, relations};

/// Takes a repository, its plugs and its disks out of the database; the VMs' drives lose their disks.
pub(super) fn forget(db: &mut Db, sr: &str) {
    let owned = |db: &Db, class: &str| -> Vec<String> {
        let of = |(_, record): &(&str, &Fields)| text(record, "SR") == sr;
        db.each(class).filter(of).map(|(reference, _)| reference.to_owned()).collect()
    };
    for vdi in owned(db, "VDI") {
        let drives: Vec<_> = db
            .each("VBD")
            .filter(|(_, vbd)| text(vbd, "VDI") == vdi)
            .map(|(reference, _)| reference.to_owned())
            .collect();
        for drive in drives {
            db.remove("VBD", &drive);
        }
        db.remove("VDI", &vdi);
    }
    for pbd in owned(db, "PBD") {
        db.remove("PBD", &pbd);
    }
    db.remove("SR", sr);
    relations::refresh(db);
}

/// A member that starts gets a plug for every shared repository that the coordinator has one for; all plugs are
/// plugged. `refused` names repositories that do not admit this host.
pub(super) fn plug_shared(db: &mut Db, host: &str, refused: &[String]) {
    let coordinator = db.coordinator().to_owned();
    if key(db.pool().1, "other_config", "sync_create_pbds") != Some("nosync") {
        let shared: Vec<_> =
            db.each("SR").filter(|(_, sr)| flag(sr, "shared")).map(|(reference, _)| reference.to_owned()).collect();
        for sr in shared {
            let plug_of = |host: &str| {
                db.each("PBD").find(|(_, pbd)| text(pbd, "SR") == sr && text(pbd, "host") == host).map(|(_, pbd)| pbd)
            };
            let (Some(plug), None) = (plug_of(&coordinator), plug_of(host)) else { continue };
            let mut record = plug.clone();
            record.insert("uuid".to_owned(), json!(random::uuid()));
            record.insert("host".to_owned(), json!(host));
            record.insert("currently_attached".to_owned(), json!(false));
            if let Some(config) = record.get_mut("device_config").and_then(Value::as_object_mut) {
                config.shift_remove("SRmaster");
            }
            db.insert("PBD", &random::reference(), record);
        }
    }
    let own: Vec<_> = db
        .each("PBD")
        .filter(|(_, pbd)| text(pbd, "host") == host && !flag(pbd, "currently_attached"))
        .map(|(reference, pbd)| (reference.to_owned(), text(pbd, "SR").to_owned()))
        .collect();
    for (pbd, sr) in own {
        let uuid = db.get("SR", &sr).map(|sr| text(sr, "uuid").to_owned()).unwrap_or_default();
        if refused.contains(&uuid) {
            alert(db, host);
        } else {
            db.set("PBD", &pbd, "currently_attached", true);
        }
    }
    relations::refresh(db);
}

/// The message that a plug failed at the start of a server.
fn alert(db: &mut Db, host: &str) {
    let uuid = db.get("host", host).map(|host| text(host, "uuid").to_owned()).unwrap_or_default();
    let message = json!({
        "uuid": random::uuid(), "name": "PBD_PLUG_FAILED_ON_SERVER_START", "priority": 3, "cls": "Host",
        "obj_uuid": uuid, "timestamp": "20260101T00:00:00Z", "body": "",
    });
    db.insert("message", &random::reference(), message.as_object().cloned().unwrap_or_default());
}
