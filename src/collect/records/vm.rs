//! VMs, with their metrics, interfaces and disks.

use std::collections::BTreeMap;

use super::answers::Answers;
use super::host::linked;
use super::record::{Record, is_null};
use crate::facts::{Featureset, Known, Reason};
use crate::snapshot::{Vif, Vm, VmDisk};

/// What the server calls a domain type that it has not settled.
const UNSETTLED: &str = "unspecified";

/// All VMs, templates, snapshots and control domains.
pub(super) fn vms(answers: &Answers<'_>) -> Known<Vec<Vm>> {
    let metrics = answers.by_reference("VM_metrics");
    let vdis = answers.by_reference("VDI");
    let vifs = by_vm(answers.records("VIF"), |record| vif(record));
    let disks = by_vm(answers.records("VBD"), |record| disk(record, &vdis));
    answers.each("VM", |record| {
        let metrics = linked(record, "metrics", "VM_metrics", &metrics);
        let field = |name: &'static str| answers.may_be_cut().then_some(name);
        Vm {
            vifs: of(record, field("VIFs"), &vifs),
            disks: of(record, field("VBDs"), &disks),
            ..vm(record, &metrics)
        }
    })
}

/// Parts of VMs by the VM that they belong to.
fn by_vm<'a, T>(records: Known<Vec<Record<'a>>>, map: impl Fn(&Record<'a>) -> T) -> Known<BTreeMap<String, Vec<T>>> {
    records.and_then(|records| {
        let mut parts = BTreeMap::<_, Vec<T>>::new();
        for record in &records {
            match record.text("VM") {
                Known::Yes(vm) => parts.entry(vm).or_default().push(map(record)),
                // A part of no VM in particular could be any VM's.
                Known::No(why) => return Known::No(why),
            }
        }
        Known::Yes(parts)
    })
}

/// The parts of a VM. It names them itself, in a field: where it names more than there are, the list was cut short.
fn of<T: Clone>(vm: &Record<'_>, field: Option<&str>, parts: &Known<BTreeMap<String, Vec<T>>>) -> Known<Vec<T>> {
    parts.as_ref().and_then(|parts| {
        let own = parts.get(vm.reference()).cloned().unwrap_or_default();
        let Some(field) = field else { return Known::Yes(own) };
        let named = match vm.names(field) {
            Ok(names) => names.len(),
            Err(why) => return Known::No(why),
        };
        if named > own.len() {
            let why = format!(
                "VM {}, {field}: it names {named}, and {} of them are among the records; collect it again",
                vm.reference(),
                own.len()
            );
            return Known::no(Reason::NotCollected, why);
        }
        Known::Yes(own)
    })
}

fn vm(record: &Record<'_>, metrics: &Record<'_>) -> Vm {
    let domain_type = record.text("domain_type");
    let hvm_boot_policy = record.text("HVM_boot_policy");
    Vm {
        reference: record.own(),
        uuid: record.text("uuid"),
        name_label: record.text("name_label"),
        power_state: record.one_of("power_state", &["Halted", "Paused", "Running", "Suspended"]),
        suspend_vdi: record.nullable("suspend_VDI"),
        current_operations: record.map("current_operations"),
        is_a_template: record.bool("is_a_template"),
        is_default_template: record.bool("is_default_template"),
        is_a_snapshot: record.bool("is_a_snapshot"),
        snapshot_of: record.nullable("snapshot_of"),
        is_control_domain: record.bool("is_control_domain"),
        domid: record.int("domid"),
        resident_on: record.nullable("resident_on"),
        scheduled_to_be_resident_on: record.nullable("scheduled_to_be_resident_on"),
        affinity: record.nullable("affinity"),
        current_domain_type: current_type(metrics, &domain_type, &hvm_boot_policy),
        domain_type,
        hvm_boot_policy,
        last_boot_vendor: last_boot_vendor(record),
        last_boot_features: last_boot_features(record),
        mac_seed: record.inner("other_config").and_then(|map| optional(&map, "mac_seed")),
        version: record.int("version"),
        memory_static_max: record.int("memory_static_max"),
        vcpus_max: record.int("VCPUs_max"),
        ha_restart_priority: record.text("ha_restart_priority"),
        vtpm_count: record.length("VTPMs"),
        vgpu_count: record.length("VGPUs"),
        attached_pcis: record.texts("attached_PCIs"),
        tags: record.texts("tags"),
        ..Vm::default()
    }
}

/// What a VM runs as. The server settles it at start; before 7.5, or where it never did, the type that the VM is
/// started as stands, which changes only while it is halted, and before that existed its boot policy.
fn current_type(metrics: &Record<'_>, domain_type: &Known<String>, policy: &Known<String>) -> Known<String> {
    let settled = |text: &Known<String>| text.text().filter(|text| *text != UNSETTLED).map(str::to_owned);
    if let Some(found) = settled(&metrics.text("current_domain_type")).or_else(|| settled(domain_type)) {
        return Known::Yes(found);
    }
    policy.as_ref().map(|policy| if policy.is_empty() { "pv" } else { "hvm" }.to_owned())
}

fn last_boot_vendor(record: &Record<'_>) -> Known<Option<String>> {
    record.inner("last_boot_CPU_flags").and_then(|map| optional(&map, "vendor"))
}

fn last_boot_features(record: &Record<'_>) -> Known<Option<Featureset>> {
    record
        .inner("last_boot_CPU_flags")
        .and_then(|map| if map.has("features") { map.features("features").map(Some) } else { Known::Yes(None) })
}

/// A key that a map may have or not.
fn optional(map: &Record<'_>, key: &str) -> Known<Option<String>> {
    if map.has(key) { map.text(key).map(Some) } else { Known::Yes(None) }
}

fn vif(record: &Record<'_>) -> Vif {
    Vif {
        reference: record.own(),
        uuid: record.text("uuid"),
        device: record.text("device"),
        mac: record.text("MAC"),
        network: record.text("network"),
    }
}

fn disk(record: &Record<'_>, vdis: &Known<BTreeMap<String, Record<'_>>>) -> VmDisk {
    let vdi = record.nullable("VDI");
    let sr = vdi.as_ref().and_then(|vdi| match vdi {
        None => Known::Yes(None),
        Some(vdi) => vdis.as_ref().and_then(|vdis| match vdis.get(vdi.as_str()) {
            Some(found) => found.text("SR").map(|sr| (!is_null(&sr)).then_some(sr)),
            None => Known::no(Reason::Unreadable, format!("VDI {vdi} is not among the records")),
        }),
    });
    VmDisk {
        reference: record.own(),
        device: record.text("userdevice"),
        kind: record.text("type"),
        vdi,
        sr,
        currently_attached: record.bool("currently_attached"),
    }
}
