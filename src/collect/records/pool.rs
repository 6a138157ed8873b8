//! The pool record, and all classes below it.

use super::answers::Answers;
use super::record::Record;
use super::{cluster, cpu, host, network, redact, security, software, storage, vm, whole};
use crate::facts::{Known, Reason, Unknown};
use crate::snapshot::Pool;

/// The keys of `pool.other_config` that joining, levelling, memory planning and storage at start-up depend on.
const OTHER_CONFIG: &[&str] = &[
    "cpuid_feature_mask",
    "default_update_enforcement",
    "sync_create_pbds",
    "sync_vlans",
    "memory-ratio-*",
    "auto_poweron",
];

/// A pool from all answers.
pub(super) fn pool(answers: &Answers<'_>) -> Pool {
    let mut pool = match answers.records("pool") {
        Known::Yes(records) => match records.as_slice() {
            [record] => of_record(record),
            others => {
                let detail = format!("{} pool records, expected one", others.len());
                of_record(&Record::missing("pool", Unknown::because(Reason::Unreadable, detail)))
            }
        },
        Known::No(why) => of_record(&Record::missing("pool", why)),
    };
    pool.subject_count = answers.count("subject");
    pool.snapshot_schedule_count = answers.count("VMSS");
    pool.appliance_count = answers.count("VM_appliance");
    pool.vm_group_count = answers.count("VM_group");
    pool.hosts = host::hosts(answers);
    pool.networks = answers.each("network", network::network);
    pool.pifs = network::pifs(answers);
    pool.bonds = answers.each("Bond", network::bond);
    pool.vlans = answers.each("VLAN", network::vlan);
    pool.tunnels = answers.each("tunnel", network::tunnel);
    pool.network_sriovs = answers.each("network_sriov", network::network_sriov);
    pool.sdn_controllers = answers.each("SDN_controller", network::sdn_controller);
    pool.srs = answers.each("SR", storage::sr);
    pool.pbds = answers.each("PBD", storage::pbd);
    pool.vdis = answers.each("VDI", storage::vdi);
    pool.sms = answers.each("SM", storage::sm);
    pool.vms = vm::vms(answers);
    pool.certificates = answers.each("Certificate", security::certificate);
    pool.clusters = answers.each("Cluster", cluster::cluster);
    pool.cluster_hosts = answers.each("Cluster_host", cluster::cluster_host);
    pool.updates = answers.each("pool_update", software::pool_update);
    pool.patches = answers.each("pool_patch", software::pool_patch);
    pool.host_patches = answers.each("host_patch", software::host_patch);
    pool.secrets = answers.each("secret", security::secret);
    pool.pvs_sites = answers.each("PVS_site", security::pvs_site);
    if answers.may_be_cut() {
        whole::doubt(answers, &mut pool);
    }
    pool
}

fn of_record(record: &Record<'_>) -> Pool {
    Pool {
        reference: record.own(),
        uuid: record.text("uuid"),
        name_label: record.text("name_label"),
        coordinator: record.text("master"),
        ha_enabled: record.bool("ha_enabled"),
        ha_host_failures_to_tolerate: record.int("ha_host_failures_to_tolerate"),
        restrictions: record.map_where("restrictions", redact::is_restriction),
        cpu_info: record.inner("cpu_info").map(|map| cpu::pool_cpu(&map)),
        tls_verification_enabled: record.bool("tls_verification_enabled"),
        is_psr_pending: record.bool("is_psr_pending"),
        current_operations: record.map("current_operations"),
        default_sr: record.nullable("default_SR"),
        suspend_image_sr: record.nullable("suspend_image_SR"),
        crash_dump_sr: record.nullable("crash_dump_SR"),
        other_config: record.map_where("other_config", |key| redact::is_among(key, OTHER_CONFIG)).map(redact::public),
        vswitch_controller: record.text("vswitch_controller"),
        igmp_snooping_enabled: record.bool("igmp_snooping_enabled"),
        wlb_enabled: record.bool("wlb_enabled"),
        migration_compression: record.bool("migration_compression"),
        live_patching_disabled: record.bool("live_patching_disabled"),
        client_certificate_auth_enabled: record.bool("client_certificate_auth_enabled"),
        policy_no_vendor_device: record.bool("policy_no_vendor_device"),
        has_uefi_certificates: record.text("uefi_certificates").map(|text| !text.is_empty()),
        has_custom_uefi_certificates: record.text("custom_uefi_certificates").map(|text| !text.is_empty()),
        repositories: record.texts("repositories"),
        update_sync_enabled: record.bool("update_sync_enabled"),
        tags: record.texts("tags"),
        guest_agent_config: record.map("guest_agent_config").map(redact::public),
        ..Pool::default()
    }
}
