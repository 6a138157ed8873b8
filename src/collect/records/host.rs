//! Hosts, with their metrics and what their firmware says.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::answers::Answers;
use super::record::{Record, is_null};
use super::{cpu, redact};
use crate::facts::{Known, Reason, Unknown};
use crate::snapshot::{Clock, Hardware, Host};

/// The keys of `host.other_config` that joining depends on.
const OTHER_CONFIG: &[&str] = &[
    "iscsi_iqn",
    "multipathing",
    "multipathhandle",
    "sync_vlans",
    "sync_tunnels",
    "memory-ratio-*",
    "MAINTENANCE_MODE",
];

/// All hosts.
pub(super) fn hosts(answers: &Answers<'_>) -> Known<Vec<Host>> {
    let metrics = answers.by_reference("host_metrics");
    let cores = answers.records("host_cpu");
    answers.each("host", |record| {
        let metrics = linked(record, "metrics", "host_metrics", &metrics);
        let mut host = host(record, &metrics);
        if let Known::Yes(cpu) = &mut host.cpu {
            cpu.groups = cpu::groups(record.reference(), &cores);
        }
        host
    })
}

/// The record that a field refers to; one that knows why when there is none.
pub(super) fn linked<'a>(
    record: &Record<'a>,
    field: &str,
    class: &'static str,
    records: &Known<BTreeMap<String, Record<'a>>>,
) -> Record<'a> {
    let found = record.text(field).and_then(|reference| {
        if is_null(&reference) {
            return Known::no(Reason::NotCollected, format!("the server keeps no {class} for it"));
        }
        records.as_ref().and_then(|records| match records.get(reference.as_str()) {
            Some(found) => Known::Yes(found.clone()),
            None => Known::no(Reason::Unreadable, format!("{class} {reference} is not among the records")),
        })
    });
    match found {
        Known::Yes(found) => found,
        Known::No(why) => Record::missing(class, why),
    }
}

fn host(record: &Record<'_>, metrics: &Record<'_>) -> Host {
    let software_version = record.map_where("software_version", redact::is_software).map(redact::public);
    let other_config =
        record.map_where("other_config", |key| redact::is_among(key, OTHER_CONFIG)).map(redact::public);
    let capabilities = record.texts("capabilities");
    Host {
        reference: record.own(),
        uuid: record.text("uuid"),
        name_label: record.text("name_label"),
        name_description: record.text("name_description"),
        hostname: record.text("hostname"),
        address: record.text("address"),
        enabled: record.bool("enabled"),
        api_version_major: record.int("API_version_major"),
        api_version_minor: record.int("API_version_minor"),
        network_backend: network_backend(&software_version),
        software_version,
        edition: record.text("edition"),
        editions: record.texts("editions"),
        licence_daemon: only_its_daemon(),
        restrictions: record.map_where("license_params", redact::is_restriction),
        licence_expiry: record.inner("license_params").and_then(|params| params.text("expiry")),
        cpu: record.inner("cpu_info").map(|map| cpu::host_cpu(&map)),
        external_auth_type: record.text("external_auth_type"),
        external_auth_service_name: record.text("external_auth_service_name"),
        pending_guidances: record.texts("pending_guidances"),
        pending_guidances_recommended: record.texts("pending_guidances_recommended"),
        pending_guidances_full: record.texts("pending_guidances_full"),
        updates: record.texts("updates"),
        patches: record.texts("patches"),
        updates_requiring_reboot: record.texts("updates_requiring_reboot"),
        latest_synced_updates_applied: record.text("latest_synced_updates_applied"),
        last_update_hash: record.text("last_update_hash"),
        last_software_update: record.time("last_software_update"),
        multipathing: multipathing(record, &other_config),
        iscsi_iqn: iscsi_iqn(record, &other_config),
        control_domain: record.nullable("control_domain"),
        ssl_legacy: record.bool("ssl_legacy"),
        tls_verification_enabled: record.bool("tls_verification_enabled"),
        https_only: record.bool("https_only"),
        ssh_enabled: record.bool("ssh_enabled"),
        secure_boot: record.bool("secure_boot"),
        chipset_info: record.map("chipset_info").map(redact::public),
        local_cache_sr: record.nullable("local_cache_sr"),
        suspend_image_sr: record.nullable("suspend_image_sr"),
        crash_dump_sr: record.nullable("crash_dump_sr"),
        tags: record.texts("tags"),
        memory_total: metrics.int("memory_total"),
        memory_free: metrics.int("memory_free"),
        live: metrics.bool("live"),
        hardware: hardware(record, &capabilities).into(),
        boot: only_the_machine(),
        clock: clock(record).into(),
        capabilities,
        other_config,
        ..Host::default()
    }
}

/// Only the host itself knows its backend of now. What it wrote down at its start is named, and kept apart.
fn network_backend(software_version: &Known<BTreeMap<String, String>>) -> Known<String> {
    let said = software_version.get().and_then(|map| map.get("network_backend"));
    let said = said.map(|said| format!("; software_version says {}", said.escape_debug())).unwrap_or_default();
    Known::no(Reason::NotCollected, format!("not on the wire{said}"))
}

/// A field since 8.0, a key of `other_config` before, which is there only where it is on.
fn multipathing(record: &Record<'_>, other_config: &Known<BTreeMap<String, String>>) -> Known<bool> {
    let said = record.bool("multipathing");
    match other_config.get().and_then(|map| map.get("multipathing")) {
        Some(on) if !record.has("multipathing") => Known::Yes(on == "true"),
        None if absent(&said) => other_config.as_ref().map(|_| false),
        _ => said,
    }
}

/// A field since 8.0, a key of `other_config` before.
fn iscsi_iqn(record: &Record<'_>, other_config: &Known<BTreeMap<String, String>>) -> Known<String> {
    let said = record.text("iscsi_iqn");
    match other_config.get().and_then(|map| map.get("iscsi_iqn")) {
        Some(iqn) if !record.has("iscsi_iqn") => iqn.clone().into(),
        None if absent(&said) => other_config.as_ref().and_then(|_| said),
        _ => said,
    }
}

fn absent<T>(known: &Known<T>) -> bool {
    known.unknown().is_some_and(|why| why.reason == Reason::AbsentOnRelease)
}

fn hardware(record: &Record<'_>, capabilities: &Known<Vec<String>>) -> Hardware {
    let bios = match record.inner("bios_strings") {
        Known::Yes(bios) => bios,
        Known::No(why) => Record::missing("host", why),
    };
    let chipset = match record.inner("chipset_info") {
        Known::Yes(chipset) => chipset,
        Known::No(why) => Record::missing("host", why),
    };
    Hardware {
        manufacturer: bios.text("system-manufacturer"),
        product: bios.text("system-product-name"),
        serial: bios.text("system-serial-number"),
        bios_vendor: bios.text("bios-vendor"),
        bios_version: bios.text("bios-version"),
        // Xen runs HVM guests exactly where the firmware left VT-x or AMD-V on.
        virtualisation_enabled: capabilities.as_ref().map(|list| list.iter().any(|entry| entry.contains("hvm"))),
        iommu_enabled: chipset.bool("iommu"),
        physical_address_bits: only_the_machine(),
        xsave_size: only_the_machine(),
        ..Hardware::default()
    }
}

/// The record names the servers of `Custom` only; those of `Factory` and `DHCP` are known to the host alone.
fn clock(record: &Record<'_>) -> Clock {
    let ntp_mode = record.text("ntp_mode");
    let ntp_servers = match ntp_mode.text() {
        Some("Custom") => record.texts("ntp_custom_servers"),
        Some("Disabled") => Known::Yes(Vec::new()),
        Some(mode) => Known::no(Reason::NotCollected, format!("mode {}: not in the record", mode.escape_debug())),
        None => ntp_mode.as_ref().map(|_| Vec::new()),
    };
    Clock {
        synchronised: only_the_machine(),
        now: only_the_machine(),
        offset_ms: only_the_machine(),
        ntp_mode,
        ntp_servers,
        timezone: record.text("timezone"),
    }
}

/// What no record of a server holds.
fn only_the_machine<T>() -> Known<T> {
    static WHY: LazyLock<Unknown> =
        LazyLock::new(|| Unknown::because(Reason::NotApplicable, "only the machine itself tells, not its records"));
    Known::No(WHY.clone())
}

/// What no record of a server holds either.
fn only_its_daemon<T>() -> Known<T> {
    static WHY: LazyLock<Unknown> = LazyLock::new(|| {
        Unknown::because(Reason::NotCollected, "not on the wire: only the host asks its licence daemon")
    });
    Known::No(WHY.clone())
}
