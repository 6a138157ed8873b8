//! What the member must let go of: its plugs into SRs, and what its own domains hold of them.

use std::collections::BTreeMap;

use super::facts::{HeldDisk, LostSr, Plug};
use super::{follow, label, list};
use crate::facts::{Found, Known, known, need};
use crate::snapshot::{Pool, Vm};

/// The SRs that the server unplugs from the member, and those that it forgets, by name.
pub(super) fn plugs(pool: &Pool, member: &str, lost: &[LostSr]) -> Found<Vec<Plug>> {
    let mut plugs = Vec::new();
    for pbd in list(&pool.pbds, "pbds")? {
        if need(&pbd.host)? != member {
            continue;
        }
        let sr = follow(&pool.srs, |sr| &sr.reference, need(&pbd.sr)?, "SR")?;
        let attached = *need(&pbd.currently_attached)?;
        let forgotten = lost.iter().any(|lost| sr.reference.text() == Some(&lost.reference));
        if attached || forgotten {
            plugs.push(Plug {
                name: label(&sr.name_label, &sr.uuid, &sr.reference),
                sr_uuid: sr.uuid.clone(),
                uuid: pbd.uuid.clone(),
                attached,
                forgotten,
                operations: sr.current_operations.as_ref().map(|operations| operations.values().cloned().collect()),
            });
        }
    }
    plugs.sort_by(|a, b| (&a.name, a.sr_uuid.text()).cmp(&(&b.name, b.sr_uuid.text())));
    Ok(plugs)
}

/// The virtual disks of the member's control and driver domains that are plugged in, or of which that is not known.
/// Those of other VMs are on the member only while the VMs are, and these keep the server from the eject before.
pub(super) fn held(pool: &Pool, member: &str) -> Found<Vec<HeldDisk>> {
    let mut held = Vec::new();
    let mut vdis = BTreeMap::new();
    for vdi in pool.vdis.each() {
        vdis.insert(vdi.reference.text(), vdi);
    }
    for vm in list(&pool.vms, "vms")? {
        if !*need(&vm.is_control_domain)? || !is_on(vm, member)? {
            continue;
        }
        for disk in need(&vm.disks)? {
            let Some(vdi) = need(&disk.vdi)? else { continue };
            if disk.currently_attached == Known::Yes(false) {
                continue;
            }
            let record = vdis.get(&Some(vdi.as_str()));
            let sr = known(|| {
                let sr = need(&disk.sr)?.as_deref().unwrap_or_default();
                follow(&pool.srs, |sr| &sr.reference, sr, "SR")
            });
            held.push(HeldDisk {
                name: record.map_or_else(|| vdi.clone(), |vdi| label(&vdi.name_label, &vdi.uuid, &vdi.reference)),
                uuid: record.map_or_else(Known::default, |vdi| vdi.uuid.clone()),
                reference: disk.reference.clone(),
                sr: sr.get().map_or_else(String::new, |sr| label(&sr.name_label, &sr.uuid, &sr.reference)),
                vm: label(&vm.name_label, &vm.uuid, &vm.reference),
                attached: disk.currently_attached.clone(),
            });
        }
    }
    held.sort_by(|a, b| (&a.vm, &a.name).cmp(&(&b.vm, &b.name)));
    Ok(held)
}

fn is_on(vm: &Vm, member: &str) -> Found<bool> {
    Ok(need(&vm.resident_on)?.as_deref() == Some(member) && need(&vm.power_state)? != "Halted")
}
