//! The pool's shared storage as a new member reaches it, and what of the joiner's storage refers to secrets.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::{SecretUse, SharedSr, VdiClash};
use super::{descending, follow};
use crate::facts::{Found, Known, known, need};
use crate::snapshot::{Host, Pbd, Pif, Pool, Sr};

/// The storage knows hosts by their iSCSI initiators.
pub(super) const INITIATOR: &str = "initiator";
/// The storage knows hosts by their addresses.
pub(super) const ADDRESS: &str = "address";
/// The storage knows hosts by the names of their host bus adapters.
pub(super) const ADAPTER: &str = "adapter";

/// By what storage may know the joiner.
pub(super) struct Names {
    /// The initiator, empty where it has none.
    initiator: Known<String>,
    addresses: Vec<String>,
}

impl Names {
    /// The joiner's initiator and addresses, as far as they are known.
    pub(super) fn of(joiner: &Pool, host: &Known<&Host>) -> Self {
        let initiator = host.clone().and_then(|host| host.iscsi_iqn.clone());
        let address = |pif: &Pif| {
            let address =
                pif.ip.text().filter(|ip| !ip.is_empty()).or_else(|| pif.ipv6.each().next().map(String::as_str))?;
            Some(format!("{address} ({})", pif.device.text().unwrap_or("device not known")))
        };
        Self { initiator, addresses: joiner.pifs.each().filter_map(address).collect() }
    }

    fn admit(&self, known_by: &Known<String>) -> String {
        match known_by.text() {
            Some(INITIATOR) => match self.initiator.text() {
                Some("") => "an initiator name, which the joiner lacks".to_owned(),
                Some(initiator) => format!("initiator {initiator}"),
                None => "the joiner's initiator name, which is not known".to_owned(),
            },
            Some(ADAPTER) => "the names (WWN) of the joiner's host bus adapters".to_owned(),
            Some(ADDRESS) if !self.addresses.is_empty() => format!("address {}", self.addresses.join(" or ")),
            _ => "the joiner, whose address is not known".to_owned(),
        }
    }
}

/// The shared SRs, without the tools.
pub(super) fn shared(pool: &Pool, coordinator: &Host, joiner: &Names) -> Found<Vec<SharedSr>> {
    let coordinator = need(&coordinator.reference)?;
    let mut plugs = BTreeMap::<&str, Vec<&Pbd>>::new();
    for pbd in descending(&pool.pbds, |pbd| &pbd.reference)? {
        plugs.entry(need(&pbd.sr)?).or_default().push(pbd);
    }
    let mut shared = Vec::new();
    for sr in need(&pool.srs)? {
        if !*need(&sr.shared)? || *need(&sr.is_tools())? {
            continue;
        }
        let plugs = plugs.get(need(&sr.reference)?.as_str()).map_or(&[][..], Vec::as_slice);
        let mut on_coordinator = false;
        for plug in plugs {
            on_coordinator |= need(&plug.host)? == coordinator;
        }
        let config = plugs.first().and_then(|plug| plug.device_config.get());
        let known_by = known(|| known_by(sr, plugs.first()).map(str::to_owned));
        shared.push(SharedSr {
            name_label: sr.name_label.clone(),
            uuid: sr.uuid.clone(),
            kind: sr.kind.clone(),
            on_coordinator,
            differing: known(|| differing(plugs)),
            location: config.map(location).unwrap_or_default(),
            admit: joiner.admit(&known_by),
            known_by,
        });
    }
    Ok(shared)
}

/// Keys in which plugs of one SR differ. The server leaves `SRmaster` out when it copies.
fn differing(plugs: &[&Pbd]) -> Found<Vec<String>> {
    let mut configs = Vec::new();
    for plug in plugs {
        configs.push(need(&plug.device_config)?);
    }
    let keys: BTreeSet<_> =
        configs.iter().flat_map(|config| config.keys()).filter(|key| *key != "SRmaster").collect();
    let values = |key: &str| configs.iter().map(|config| config.get(key)).collect::<BTreeSet<_>>();
    Ok(keys.into_iter().filter(|key| values(key).len() > 1).cloned().collect())
}

/// By what the storage knows a host: the driver's name tells, else what the driver was given. GFS2 is given a provider and
/// has keys of its own (`provider`, `iqns`, `ScsiId`).
fn known_by(sr: &Sr, plug: Option<&&Pbd>) -> Found<&'static str> {
    let config = plug.and_then(|plug| plug.device_config.get());
    let get = |key: &str| config.and_then(|config| config.get(key)).map(String::as_str);
    let iscsi = get("targetIQN").or_else(|| get("iqns")).is_some() || get("provider") == Some("iscsi");
    if sr.kind.text().is_some_and(|kind| kind.contains("iscsi")) || iscsi {
        return Ok(INITIATOR);
    }
    let kind = need(&sr.kind)?;
    if let Some(plug) = plug {
        need(&plug.device_config)?;
    }
    let adapter = get("SCSIid").or_else(|| get("ScsiId")).is_some() || get("provider") == Some("hba");
    Ok(if kind.contains("hba") || kind.contains("fcoe") || adapter { ADAPTER } else { ADDRESS })
}

/// Whether some of the SRs are of a kind: one that is decides, else one of which it is not known.
pub(super) fn some(shared: &Known<Vec<SharedSr>>, is: impl Fn(&str) -> bool) -> Found<bool> {
    let mut gap = None;
    for sr in need(shared)? {
        match &sr.known_by {
            Known::Yes(word) if is(word) => return Ok(true),
            Known::Yes(_) => {}
            Known::No(why) => gap = Some(why.clone()),
        }
    }
    gap.map_or(Ok(false), Err)
}

/// Where the storage is, by the keys that the product's own drivers use.
fn location(config: &BTreeMap<String, String>) -> String {
    let get = |key: &str| config.get(key).map(String::as_str);
    let scsi = get("SCSIid").or_else(|| get("ScsiId"));
    match (get("server"), get("serverpath"), get("target").or_else(|| get("ips")), get("location"), scsi) {
        (Some(server), Some(path), ..) => format!("{server}:{path}"),
        (Some(server), None, ..) => server.to_owned(),
        (None, _, Some(target), ..) => match get("targetIQN").or_else(|| get("iqns")) {
            Some(iqn) => format!("{target} {iqn}"),
            None => target.to_owned(),
        },
        (None, _, None, Some(location), _) => location.to_owned(),
        (None, _, None, None, Some(id)) => format!("SCSI id {id}"),
        _ => String::new(),
    }
}

/// Keys of the joiner's plugs that refer to secrets.
pub(super) fn secret_uses(joiner: &Pool) -> Found<Vec<SecretUse>> {
    let mut uses = Vec::new();
    for pbd in descending(&joiner.pbds, |pbd| &pbd.reference)? {
        for key in need(&pbd.device_config)?.keys().filter(|key| key.ends_with("_secret")) {
            let sr = known(|| follow(&joiner.srs, |sr| &sr.reference, need(&pbd.sr)?, "SR"));
            uses.push(SecretUse {
                pbd: pbd.uuid.clone(),
                sr: sr.clone().and_then(|sr| sr.name_label.clone()),
                sr_uuid: sr.and_then(|sr| sr.uuid.clone()),
                key: key.clone(),
            });
        }
    }
    Ok(uses)
}

/// Virtual disks of the joiner whose uuid the pool has too. Those of an SR that both have are told with that SR.
pub(super) fn vdi_clashes(pool: &Pool, joiner: &Pool) -> Found<Vec<VdiClash>> {
    let own = need(&joiner.vdis)?;
    if own.is_empty() {
        return Ok(Vec::new());
    }
    let mut theirs = BTreeSet::new();
    for vdi in need(&pool.vdis)? {
        theirs.insert(need(&vdi.uuid)?.as_str());
    }
    let mut clashes = Vec::new();
    for vdi in own {
        let uuid = need(&vdi.uuid)?;
        if !theirs.contains(uuid.as_str()) {
            continue;
        }
        let reference = need(&vdi.sr)?;
        let sr = joiner.srs.each().find(|sr| sr.reference.text() == Some(reference));
        let both = |sr: &Sr| sr.uuid.get().is_some() && pool.srs.each().any(|other| other.uuid == sr.uuid);
        if !sr.is_some_and(both) {
            let text = |fact: Option<&str>| fact.unwrap_or_default().to_owned();
            clashes.push(VdiClash {
                name_label: text(vdi.name_label.text()),
                uuid: uuid.clone(),
                sr: text(sr.and_then(|sr| sr.name_label.text())),
            });
        }
    }
    clashes.sort_by(|a, b| (&a.name_label, &a.uuid).cmp(&(&b.name_label, &b.uuid)));
    Ok(clashes)
}
