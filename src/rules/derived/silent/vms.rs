//! VMs whose records the import of the joiner's VMs cannot take (xapi `import.ml`), and VMs that cannot be resumed.

use std::collections::BTreeMap;

use super::super::follow_or_gone;
use super::facts::{SeedClash, StuckVm, VmClash};
use crate::cpu::mobility::may_move;
use crate::facts::{Found, Known, known, need};
use crate::snapshot::{Pool, Vm};

/// Pairs with one MAC seed that are not one VM: equal uuids, or snapshots of one VM.
pub(super) fn seed_clashes(pool: &Pool, joiner: &Pool) -> Found<Vec<SeedClash>> {
    let mut of_pool = BTreeMap::<&str, Vec<&Vm>>::new();
    for vm in need(&pool.vms)? {
        if let Some(seed) = need(&vm.mac_seed)? {
            of_pool.entry(seed).or_default().push(vm);
        }
    }
    let mut clashes = Vec::new();
    for vm in need(&joiner.vms)? {
        let Some(seed) = need(&vm.mac_seed)? else { continue };
        for other in of_pool.get(seed.as_str()).into_iter().flatten() {
            if own_uuid(joiner, vm)? != own_uuid(pool, other)? {
                clashes.push(SeedClash {
                    seed: seed.clone(),
                    name_label: vm.name_label.clone(),
                    uuid: need(&vm.uuid)?.clone(),
                    pool_name_label: other.name_label.clone(),
                    pool_uuid: need(&other.uuid)?.clone(),
                });
                // One is enough for the server, and snapshots of the other have the same seed.
                break;
            }
        }
    }
    Ok(clashes)
}

/// The uuid of a VM; of a snapshot that of the VM behind it, where that still exists.
fn own_uuid<'a>(side: &'a Pool, vm: &'a Vm) -> Found<&'a String> {
    if *need(&vm.is_a_snapshot)?
        && let Some(parent) = need(&vm.snapshot_of)?
        && let Some(parent) = follow_or_gone(&side.vms, |vm| &vm.reference, parent)?
    {
        return need(&parent.uuid);
    }
    need(&vm.uuid)
}

/// VMs, templates and snapshots of the joiner that the pool has under the same uuid.
pub(super) fn clashes(pool: &Pool, joiner: &Pool) -> Found<Vec<VmClash>> {
    let mut of_pool = BTreeMap::new();
    for vm in need(&pool.vms)? {
        of_pool.insert(need(&vm.uuid)?, vm);
    }
    let mut clashes = Vec::new();
    for vm in need(&joiner.vms)? {
        let uuid = need(&vm.uuid)?;
        let Some(other) = of_pool.get(uuid) else { continue };
        // The server finds its own templates by their names.
        if *need(&vm.is_control_domain)? || is_default_template(vm)? {
            continue;
        }
        clashes.push(VmClash {
            name_label: vm.name_label.clone(),
            uuid: uuid.clone(),
            pool_name_label: other.name_label.clone(),
            pool_power_state: other.power_state.clone(),
            outcome: known(|| outcome(vm, other)),
        });
    }
    Ok(clashes)
}

/// A field since 7.2; before, the server looked into other_config, and the record does not say.
fn is_default_template(vm: &Vm) -> Found<bool> {
    match &vm.is_default_template {
        Known::No(why) if why.reason == crate::facts::Reason::AbsentOnRelease => Ok(false),
        field => need(field).copied(),
    }
}

fn outcome(vm: &Vm, other: &Vm) -> Found<String> {
    let word = if need(&other.power_state)? != "Halted" {
        "VM_BAD_POWER_STATE"
    } else if need(&other.version)? >= need(&vm.version)? {
        "VM_TO_IMPORT_IS_NOT_NEWER_VERSION"
    } else {
        "replaces"
    };
    Ok(word.to_owned())
}

/// Suspended VMs of the joiner of which no host of the pool is known to be able to resume them.
pub(super) fn stuck(pool: &Pool, joiner: &Pool) -> Found<Vec<StuckVm>> {
    let mut stuck = Vec::new();
    for vm in need(&joiner.vms)? {
        let state = need(&vm.power_state)?;
        if state != "Suspended" || *need(&vm.is_a_snapshot)? || *need(&vm.is_a_template)? {
            continue;
        }
        let answers: Vec<_> = need(&pool.hosts)?.iter().map(|host| may_move(vm, host)).collect();
        if answers.contains(&Known::Yes(None)) {
            continue;
        }
        let unknown = answers.into_iter().find(|answer| answer.get().is_none());
        stuck.push(StuckVm {
            name_label: vm.name_label.clone(),
            uuid: vm.uuid.clone(),
            resumable: unknown.map_or(Known::Yes(false), |answer| answer.map(|_| false)),
        });
    }
    Ok(stuck)
}
