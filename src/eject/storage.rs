//! Storage that leaves with the member: SRs that nobody else is plugged into, the disks on them, the VMs of these.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::{LosingMemory, LosingVm, LostSr, LostVdi, PoolSr, UnreachableSr};
use super::{count, follow, label, list};
use crate::facts::{Found, Known, Unknown, need};
use crate::snapshot::{Pool, Vm};

/// The driver of the machine's own CD and USB drives.
const DRIVES: &str = "udev";

/// Drivers whose storage lies outside the machine, shared or not.
const REMOTE: [&str; 9] = ["nfs", "smb", "cifs", "lvmoiscsi", "lvmohba", "lvmofcoe", "gfs2", "cephfs", "glusterfs"];

/// The SRs that only this host has a PBD for, which the server forgets.
pub(super) fn lost_srs(pool: &Pool, member: &str) -> Found<Vec<LostSr>> {
    let mut plugs: BTreeMap<&str, (bool, bool)> = BTreeMap::new();
    for pbd in list(&pool.pbds, "pbds")? {
        let (host, sr) = (need(&pbd.host)?, need(&pbd.sr)?);
        let (own, other) = plugs.entry(sr).or_default();
        if host == member { *own = true } else { *other = true }
    }
    let mut lost = Vec::new();
    for (reference, _) in plugs.into_iter().filter(|(_, plugs)| *plugs == (true, false)) {
        let sr = follow(&pool.srs, |sr| &sr.reference, reference, "SR")?;
        // What is shared lies outside the machine, whoever is plugged in.
        let fate = match sr.kind.text() {
            Some(DRIVES) => "drive",
            _ if *need(&sr.shared)? => "forgotten",
            // Not shared, and not in the machine either.
            Some(kind) if REMOTE.contains(&kind) => "forgotten",
            _ => "destroyed",
        };
        lost.push(LostSr {
            name_label: sr.name_label.clone(),
            uuid: sr.uuid.clone(),
            reference: reference.to_owned(),
            kind: sr.kind.clone(),
            fate: fate.to_owned(),
        });
    }
    lost.sort_by(|a, b| (a.name_label.text(), a.uuid.text()).cmp(&(b.name_label.text(), b.uuid.text())));
    Ok(lost)
}

impl LostSr {
    /// What people call it.
    pub fn name(&self) -> String {
        label(&self.name_label, &self.uuid, &Known::Yes(self.reference.clone()))
    }

    fn holds_disks(&self) -> bool {
        self.fate != "drive"
    }
}

fn named<'s>(srs: &'s [LostSr], reference: &str) -> Option<&'s LostSr> {
    srs.iter().find(|sr| sr.holds_disks() && sr.reference == reference)
}

/// The virtual disks on lost SRs, by SR and name.
pub(super) fn lost_vdis(pool: &Pool, srs: &[LostSr]) -> Found<Vec<LostVdi>> {
    let mut lost = Vec::new();
    if !srs.iter().any(LostSr::holds_disks) {
        return Ok(lost);
    }
    let users = super::known(|| users(pool));
    for vdi in list(&pool.vdis, "vdis")? {
        let Some(sr) = named(srs, need(&vdi.sr)?) else { continue };
        let of = |reference: &String| Ok(need(&users)?.get(reference.as_str()).cloned().unwrap_or_default());
        lost.push(LostVdi {
            name: label(&vdi.name_label, &vdi.uuid, &vdi.reference),
            uuid: vdi.uuid.clone(),
            reference: vdi.reference.clone(),
            sr: sr.name(),
            sr_uuid: sr.uuid.clone(),
            fate: sr.fate.clone(),
            kind: vdi.kind.clone(),
            is_a_snapshot: vdi.is_a_snapshot.clone(),
            virtual_size: vdi.virtual_size.clone(),
            vms: super::known(|| of(need(&vdi.reference)?)),
        });
    }
    lost.sort_by(|a, b| (&a.sr, &a.name, a.uuid.text()).cmp(&(&b.sr, &b.name, b.uuid.text())));
    Ok(lost)
}

/// By virtual disk, what the VMs with it are called.
fn users(pool: &Pool) -> Found<BTreeMap<&str, Vec<String>>> {
    let mut users = BTreeMap::<&str, Vec<String>>::new();
    for vm in list(&pool.vms, "vms")? {
        let mut disks = BTreeSet::new();
        for disk in need(&vm.disks)? {
            disks.extend(need(&disk.vdi)?.as_deref());
        }
        for disk in disks {
            users.entry(disk).or_default().push(label(&vm.name_label, &vm.uuid, &vm.reference));
        }
    }
    users.values_mut().for_each(|names| names.sort());
    Ok(users)
}

/// The VMs with a disk on a lost SR, by name. What is in a CD or floppy drive is no disk of theirs.
pub(super) fn losing_vms(pool: &Pool, srs: &[LostSr]) -> Found<Vec<LosingVm>> {
    let mut losing = Vec::new();
    if !srs.iter().any(LostSr::holds_disks) {
        return Ok(losing);
    }
    for vm in list(&pool.vms, "vms")? {
        let (mut disks, mut lost) = (0, 0);
        for disk in need(&vm.disks)? {
            if disk.kind.text().is_some_and(|kind| kind != "Disk") {
                continue;
            }
            disks += 1;
            if need(&disk.sr)?.as_deref().is_some_and(|sr| named(srs, sr).is_some()) {
                lost += 1;
            }
        }
        if lost > 0 {
            losing.push(LosingVm {
                name: label(&vm.name_label, &vm.uuid, &vm.reference),
                uuid: vm.uuid.clone(),
                reference: vm.reference.clone(),
                power_state: vm.power_state.clone(),
                kind: kind_of(vm).to_owned(),
                lost: count(lost),
                disks: count(disks),
                diskless: lost == disks,
            });
        }
    }
    losing.sort_by(|a, b| (&a.name, a.uuid.text()).cmp(&(&b.name, b.uuid.text())));
    Ok(losing)
}

/// The suspended VMs with their memory on a lost SR, by name. A snapshot keeps its memory without being in use.
pub(super) fn suspended(pool: &Pool, srs: &[LostSr]) -> Found<Vec<LosingMemory>> {
    let mut losing = Vec::new();
    if !srs.iter().any(LostSr::holds_disks) {
        return Ok(losing);
    }
    for vm in list(&pool.vms, "vms")? {
        let suspended = need(&vm.power_state)? == "Suspended" && vm.is_a_snapshot.get() != Some(&true);
        if !suspended {
            continue;
        }
        let of_vm = |unknown: Unknown| {
            let name = label(&vm.name_label, &vm.uuid, &vm.reference);
            Unknown::because(unknown.reason, format!("suspend_vdi of VM {name}, which holds its memory"))
        };
        let Some(memory) = need(&vm.suspend_vdi).map_err(of_vm)? else { continue };
        let vdi = follow(&pool.vdis, |vdi| &vdi.reference, memory, "VDI")?;
        if let Some(sr) = named(srs, need(&vdi.sr)?) {
            let name = label(&vm.name_label, &vm.uuid, &vm.reference);
            losing.push(LosingMemory { name, uuid: vm.uuid.clone(), sr: sr.name() });
        }
    }
    losing.sort_by(|a, b| (&a.name, a.uuid.text()).cmp(&(&b.name, b.uuid.text())));
    Ok(losing)
}

fn kind_of(vm: &Vm) -> &'static str {
    let yes = |fact: &Known<bool>| fact.get() == Some(&true);
    match vm {
        vm if yes(&vm.is_control_domain) => "control domain",
        vm if yes(&vm.is_a_snapshot) => "snapshot",
        vm if yes(&vm.is_a_template) => "template",
        _ => "VM",
    }
}

/// The pool's settings that name a lost SR.
pub(super) fn pool_srs(pool: &Pool, srs: &[LostSr]) -> Found<Vec<PoolSr>> {
    let settings = [
        ("default-SR", &pool.default_sr),
        ("suspend-image-SR", &pool.suspend_image_sr),
        ("crash-dump-SR", &pool.crash_dump_sr),
    ];
    let mut found = Vec::new();
    for (name, setting) in settings {
        let Some(reference) = need(setting)? else { continue };
        if let Some(sr) = srs.iter().find(|sr| sr.reference == *reference) {
            found.push(PoolSr { name: name.to_owned(), sr: sr.name(), uuid: sr.uuid.clone() });
        }
    }
    Ok(found)
}

/// Whether another live host than the member is plugged into an SR now.
fn is_reached(pool: &Pool, member: &str, sr: &str) -> Found<bool> {
    for pbd in list(&pool.pbds, "pbds")? {
        let (host, of) = (need(&pbd.host)?, need(&pbd.sr)?);
        if of == sr
            && host != member
            && *need(&pbd.currently_attached)?
            && *need(&follow(&pool.hosts, |host| &host.reference, host, "host")?.live)?
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The SRs that the member is plugged into, and that others only could be, by name.
pub(super) fn unreachable(pool: &Pool, member: &str, lost: &[LostSr]) -> Found<Vec<UnreachableSr>> {
    let mut found = Vec::new();
    for pbd in list(&pool.pbds, "pbds")? {
        let reference = need(&pbd.sr)?;
        let own = need(&pbd.host)? == member && *need(&pbd.currently_attached)?;
        if !own || lost.iter().any(|lost| lost.reference == *reference) || is_reached(pool, member, reference)? {
            continue;
        }
        let sr = follow(&pool.srs, |sr| &sr.reference, reference, "SR")?;
        let name = label(&sr.name_label, &sr.uuid, &sr.reference);
        found.push(UnreachableSr { name, uuid: sr.uuid.clone(), vms: super::known(|| vms_on(pool, reference)) });
    }
    found.sort_by(|a, b| (&a.name, a.uuid.text()).cmp(&(&b.name, b.uuid.text())));
    Ok(found)
}

fn vms_on(pool: &Pool, sr: &str) -> Found<i64> {
    let mut vms = 0;
    for vm in list(&pool.vms, "vms")? {
        for disk in need(&vm.disks)? {
            if need(&disk.sr)?.as_deref() == Some(sr) {
                vms += 1;
                break;
            }
        }
    }
    Ok(count(vms))
}

/// A shared SR for disks that stays and is reached: the pool's default one, else the first by name.
pub(super) fn refuge(pool: &Pool, member: &str, lost: &[LostSr]) -> Found<Option<String>> {
    let mut fit = Vec::new();
    for sr in list(&pool.srs, "srs")? {
        let reference = need(&sr.reference)?;
        let takes_disks = *need(&sr.shared)? && need(&sr.content_type)? != "iso" && need(&sr.kind)? != "iso";
        let stays = lost.iter().all(|lost| lost.reference != *reference);
        if takes_disks && stays && is_reached(pool, member, reference)? {
            let is_default = need(&pool.default_sr)?.as_deref() == Some(reference);
            fit.push((!is_default, sr.name_label.text(), need(&sr.uuid)?));
        }
    }
    fit.sort();
    Ok(fit.first().map(|(_, _, uuid)| (*uuid).clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::{Pbd, Sr};

    #[test]
    fn what_lies_outside_the_machine_is_not_destroyed_with_it() {
        let text = |text: &str| Known::Yes(text.to_owned());
        let fate = |kind: &str, shared: bool| {
            let sr = Sr { reference: text("sr"), kind: text(kind), shared: Known::Yes(shared), ..Sr::default() };
            let pbd = Pbd { host: text("host"), sr: text("sr"), ..Pbd::default() };
            let pool = Pool { srs: vec![sr].into(), pbds: vec![pbd].into(), ..Pool::default() };
            lost_srs(&pool, "host").unwrap().remove(0).fate
        };
        assert_eq!(fate("ext", false), "destroyed");
        assert_eq!(fate("nfs", true), "forgotten");
        assert_eq!(fate("nfs", false), "forgotten");
        assert_eq!(fate("udev", false), "drive");
    }
}
