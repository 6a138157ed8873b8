//! Which field of the snapshot is which field of the server, class by class.

use serde_json::{Value, json};

use crate::lab::db::NULL;

/// How a field is encoded, and what it is where nobody said.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Text,
    Reference,
    Flag,
    Int,
    List,
    Map,
    Time,
}

use Kind::{Flag, Int, List, Reference, Text, Time};

impl Kind {
    pub(super) fn default(self) -> Value {
        match self {
            Text => json!(""),
            Reference => json!(NULL),
            Flag => json!(false),
            Int => json!(0),
            List => json!([]),
            Self::Map => json!({}),
            Time => json!("19700101T00:00:00Z"),
        }
    }
}

/// One field under both names.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) snapshot: &'static str,
    pub(super) server: &'static str,
    pub(super) kind: Kind,
}

macro_rules! fields {
    ($($snapshot:literal $server:literal $kind:expr),* $(,)?) => {
        &[$(Field { snapshot: $snapshot, server: $server, kind: $kind }),*]
    };
}

pub(super) const POOL: &[Field] = fields![
    "uuid" "uuid" Text, "name_label" "name_label" Text, "coordinator" "master" Reference,
    "ha_enabled" "ha_enabled" Flag, "ha_host_failures_to_tolerate" "ha_host_failures_to_tolerate" Int,
    "restrictions" "restrictions" Kind::Map, "tls_verification_enabled" "tls_verification_enabled" Flag,
    "is_psr_pending" "is_psr_pending" Flag, "current_operations" "current_operations" Kind::Map,
    "default_sr" "default_SR" Reference, "suspend_image_sr" "suspend_image_SR" Reference,
    "crash_dump_sr" "crash_dump_SR" Reference, "other_config" "other_config" Kind::Map,
    "vswitch_controller" "vswitch_controller" Text, "igmp_snooping_enabled" "igmp_snooping_enabled" Flag,
    "wlb_enabled" "wlb_enabled" Flag, "migration_compression" "migration_compression" Flag,
    "live_patching_disabled" "live_patching_disabled" Flag,
    "client_certificate_auth_enabled" "client_certificate_auth_enabled" Flag,
    "policy_no_vendor_device" "policy_no_vendor_device" Flag, "repositories" "repositories" List,
    "update_sync_enabled" "update_sync_enabled" Flag, "tags" "tags" List,
    "guest_agent_config" "guest_agent_config" Kind::Map,
];

const HOST: &[Field] = fields![
    "uuid" "uuid" Text, "name_label" "name_label" Text, "name_description" "name_description" Text,
    "hostname" "hostname" Text, "address" "address" Text, "enabled" "enabled" Flag,
    "api_version_major" "API_version_major" Int, "api_version_minor" "API_version_minor" Int,
    "software_version" "software_version" Kind::Map, "edition" "edition" Text, "editions" "editions" List,
    "capabilities" "capabilities" List, "external_auth_type" "external_auth_type" Text,
    "external_auth_service_name" "external_auth_service_name" Text, "pending_guidances" "pending_guidances" List,
    "pending_guidances_recommended" "pending_guidances_recommended" List,
    "pending_guidances_full" "pending_guidances_full" List, "updates" "updates" List, "patches" "patches" List,
    "updates_requiring_reboot" "updates_requiring_reboot" List,
    "latest_synced_updates_applied" "latest_synced_updates_applied" Text, "last_update_hash" "last_update_hash" Text,
    "last_software_update" "last_software_update" Time, "multipathing" "multipathing" Flag,
    "iscsi_iqn" "iscsi_iqn" Text, "control_domain" "control_domain" Reference, "other_config" "other_config" Kind::Map,
    "ssl_legacy" "ssl_legacy" Flag, "tls_verification_enabled" "tls_verification_enabled" Flag,
    "https_only" "https_only" Flag, "ssh_enabled" "ssh_enabled" Flag, "secure_boot" "secure_boot" Flag,
    "chipset_info" "chipset_info" Kind::Map, "local_cache_sr" "local_cache_sr" Reference,
    "suspend_image_sr" "suspend_image_sr" Reference, "crash_dump_sr" "crash_dump_sr" Reference, "tags" "tags" List,
];

/// Of `host.bios_strings`.
pub(super) const BIOS: [(&str, &str); 5] = [
    ("manufacturer", "system-manufacturer"),
    ("product", "system-product-name"),
    ("serial", "system-serial-number"),
    ("bios_vendor", "bios-vendor"),
    ("bios_version", "bios-version"),
];

const NETWORK: &[Field] = fields![
    "uuid" "uuid" Text, "name_label" "name_label" Text, "bridge" "bridge" Text, "mtu" "MTU" Int,
    "purpose" "purpose" List, "managed" "managed" Flag, "tags" "tags" List, "other_config" "other_config" Kind::Map,
];

const PIF: &[Field] = fields![
    "uuid" "uuid" Text, "device" "device" Text, "network" "network" Reference, "host" "host" Reference,
    "mac" "MAC" Text, "mtu" "MTU" Int, "vlan" "VLAN" Int, "physical" "physical" Flag,
    "currently_attached" "currently_attached" Flag, "management" "management" Flag,
    "ip_configuration_mode" "ip_configuration_mode" Text, "ip" "IP" Text, "netmask" "netmask" Text,
    "gateway" "gateway" Text, "dns" "DNS" Text, "ipv6_configuration_mode" "ipv6_configuration_mode" Text,
    "ipv6" "IPv6" List, "primary_address_type" "primary_address_type" Text, "bond_slave_of" "bond_slave_of" Reference,
    "bond_master_of" "bond_master_of" List, "vlan_master_of" "VLAN_master_of" Reference,
    "vlan_slave_of" "VLAN_slave_of" List, "managed" "managed" Flag, "disallow_unplug" "disallow_unplug" Flag,
    "properties" "properties" Kind::Map, "capabilities" "capabilities" List, "other_config" "other_config" Kind::Map,
];

pub(super) const PIF_METRICS: &[Field] = fields![
    "speed" "speed" Int, "duplex" "duplex" Flag, "carrier" "carrier" Flag, "pci_bus_path" "pci_bus_path" Text,
    "vendor_id" "vendor_id" Text, "vendor_name" "vendor_name" Text, "device_id" "device_id" Text,
    "device_name" "device_name" Text,
];

const BOND: &[Field] = fields![
    "uuid" "uuid" Text, "interface" "master" Reference, "members" "slaves" List,
    "primary_member" "primary_slave" Reference, "mode" "mode" Text, "properties" "properties" Kind::Map,
    "links_up" "links_up" Int,
];

const VLAN: &[Field] = fields![
    "uuid" "uuid" Text, "tagged_pif" "tagged_PIF" Reference, "untagged_pif" "untagged_PIF" Reference, "tag" "tag" Int,
];

const TUNNEL: &[Field] = fields![
    "uuid" "uuid" Text, "access_pif" "access_PIF" Reference, "transport_pif" "transport_PIF" Reference,
    "protocol" "protocol" Text,
];

const SRIOV: &[Field] = fields![
    "uuid" "uuid" Text, "physical_pif" "physical_PIF" Reference, "logical_pif" "logical_PIF" Reference,
    "requires_reboot" "requires_reboot" Flag,
];

const SDN: &[Field] =
    fields!["uuid" "uuid" Text, "protocol" "protocol" Text, "address" "address" Text, "port" "port" Int];

const SR: &[Field] = fields![
    "uuid" "uuid" Text, "name_label" "name_label" Text, "kind" "type" Text, "content_type" "content_type" Text,
    "shared" "shared" Flag, "is_tools_sr" "is_tools_sr" Flag, "clustered" "clustered" Flag,
    "physical_size" "physical_size" Int, "sm_config" "sm_config" Kind::Map, "other_config" "other_config" Kind::Map,
    "current_operations" "current_operations" Kind::Map,
];

const PBD: &[Field] = fields![
    "uuid" "uuid" Text, "host" "host" Reference, "sr" "SR" Reference, "currently_attached" "currently_attached" Flag,
    "device_config" "device_config" Kind::Map,
];

const VDI: &[Field] = fields![
    "uuid" "uuid" Text, "name_label" "name_label" Text, "sr" "SR" Reference, "virtual_size" "virtual_size" Int,
    "is_a_snapshot" "is_a_snapshot" Flag, "kind" "type" Text,
];

const SM: &[Field] = fields![
    "uuid" "uuid" Text, "kind" "type" Text, "version" "version" Text, "features" "features" Kind::Map,
    "required_cluster_stack" "required_cluster_stack" List,
];

const VM: &[Field] = fields![
    "uuid" "uuid" Text, "name_label" "name_label" Text, "power_state" "power_state" Text,
    "current_operations" "current_operations" Kind::Map, "is_a_template" "is_a_template" Flag,
    "is_default_template" "is_default_template" Flag, "is_a_snapshot" "is_a_snapshot" Flag,
    "suspend_vdi" "suspend_VDI" Reference, "snapshot_of" "snapshot_of" Reference, "is_control_domain" "is_control_domain" Flag, "domid" "domid" Int,
    "resident_on" "resident_on" Reference, "scheduled_to_be_resident_on" "scheduled_to_be_resident_on" Reference,
    "affinity" "affinity" Reference, "domain_type" "domain_type" Text,
    "hvm_boot_policy" "HVM_boot_policy" Text, "version" "version" Int, "memory_static_max" "memory_static_max" Int,
    "vcpus_max" "VCPUs_max" Int, "ha_restart_priority" "ha_restart_priority" Text,
    "attached_pcis" "attached_PCIs" List, "tags" "tags" List,
];

pub(super) const VIF: &[Field] =
    fields!["uuid" "uuid" Text, "device" "device" Text, "mac" "MAC" Text, "network" "network" Reference];

pub(super) const VBD: &[Field] = fields!["device" "userdevice" Text, "kind" "type" Text, "vdi" "VDI" Reference];

const CERTIFICATE: &[Field] = fields![
    "uuid" "uuid" Text, "name" "name" Text, "kind" "type" Text, "host" "host" Reference,
    "not_before" "not_before" Time, "not_after" "not_after" Time, "fingerprint_sha256" "fingerprint_sha256" Text,
    "purpose" "purpose" List,
];

const CLUSTER: &[Field] = fields![
    "uuid" "uuid" Text, "cluster_stack" "cluster_stack" Text, "pool_auto_join" "pool_auto_join" Flag,
    "cluster_hosts" "cluster_hosts" List, "current_operations" "current_operations" Kind::Map,
    "is_quorate" "is_quorate" Flag,
];

const CLUSTER_HOST: &[Field] = fields![
    "uuid" "uuid" Text, "cluster" "cluster" Reference, "host" "host" Reference, "pif" "PIF" Reference,
    "enabled" "enabled" Flag, "joined" "joined" Flag, "current_operations" "current_operations" Kind::Map,
];

const UPDATE: &[Field] = fields![
    "uuid" "uuid" Text, "name_label" "name_label" Text, "version" "version" Text, "hosts" "hosts" List,
    "enforce_homogeneity" "enforce_homogeneity" Flag,
];

const PATCH: &[Field] = fields!["uuid" "uuid" Text, "name_label" "name_label" Text, "version" "version" Text];

const HOST_PATCH: &[Field] = fields![
    "uuid" "uuid" Text, "host" "host" Reference, "pool_patch" "pool_patch" Reference, "applied" "applied" Flag,
];

const SECRET: &[Field] = fields!["uuid" "uuid" Text];

const SITE: &[Field] = fields!["uuid" "uuid" Text, "name_label" "name_label" Text];

/// Class of the server, list of the snapshot, fields.
pub(super) const CLASSES: &[(&str, &str, &[Field])] = &[
    ("host", "hosts", HOST),
    ("network", "networks", NETWORK),
    ("PIF", "pifs", PIF),
    ("Bond", "bonds", BOND),
    ("VLAN", "vlans", VLAN),
    ("tunnel", "tunnels", TUNNEL),
    ("network_sriov", "network_sriovs", SRIOV),
    ("SDN_controller", "sdn_controllers", SDN),
    ("SR", "srs", SR),
    ("PBD", "pbds", PBD),
    ("VDI", "vdis", VDI),
    ("SM", "sms", SM),
    ("VM", "vms", VM),
    ("Certificate", "certificates", CERTIFICATE),
    ("Cluster", "clusters", CLUSTER),
    ("Cluster_host", "cluster_hosts", CLUSTER_HOST),
    ("pool_update", "updates", UPDATE),
    ("pool_patch", "patches", PATCH),
    ("host_patch", "host_patches", HOST_PATCH),
    ("secret", "secrets", SECRET),
    ("PVS_site", "pvs_sites", SITE),
];

/// Every class that a server answers for, with the fields that no snapshot holds.
pub(super) const MORE: &[(&str, &str)] = &[
    (
        "pool",
        r#"{"name_description": "", "ha_configuration": {}, "ha_statefiles": [], "ha_plan_exists_for": 0, "gui_config": {}, "blobs": {}, "wlb_url": "", "wlb_username": "", "wlb_verify_cert": false, "redo_log_enabled": false, "allowed_operations": []}"#,
    ),
    (
        "host",
        r#"{"name_description": "Default install", "allowed_operations": [], "current_operations": {}, "cpu_configuration": {}, "sched_policy": "credit", "supported_bootloaders": ["pygrub", "eliloader"], "logging": {}, "crashdumps": [], "patches": [], "external_auth_configuration": {}, "license_server": {"address": "localhost", "port": "27000"}, "power_on_mode": "", "power_on_config": {}, "blobs": {}, "memory_overhead": 0}"#,
    ),
    (
        "network",
        r#"{"name_description": "", "allowed_operations": [], "current_operations": {}, "blobs": {}, "default_locking_mode": "unlocked"}"#,
    ),
    ("PIF", r#"{"tunnel_access_PIF_of": [], "tunnel_transport_PIF_of": [], "ipv6_gateway": ""}"#),
    ("Bond", r#"{"other_config": {}}"#),
    ("VLAN", r#"{"other_config": {}}"#),
    ("tunnel", r#"{"other_config": {}, "status": {"active": "false"}}"#),
    ("network_sriov", r#"{"configuration_mode": "unknown"}"#),
    ("SDN_controller", "{}"),
    (
        "SR",
        r#"{"name_description": "", "allowed_operations": [], "virtual_allocation": 0, "physical_utilisation": 0, "tags": [], "blobs": {}}"#,
    ),
    ("PBD", r#"{"other_config": {}}"#),
    (
        "VDI",
        r#"{"name_description": "", "sharable": false, "read_only": false, "managed": true, "missing": false, "physical_utilisation": 0, "other_config": {}}"#,
    ),
    (
        "SM",
        r#"{"name_label": "", "name_description": "", "vendor": "", "copyright": "", "required_api_version": "1.0", "configuration": {}, "capabilities": [], "other_config": {}, "driver_filename": ""}"#,
    ),
    (
        "VM",
        r#"{"name_description": "", "allowed_operations": [], "user_version": 0, "actions_after_shutdown": "destroy", "actions_after_reboot": "restart", "actions_after_crash": "restart", "platform": {}, "HVM_boot_params": {}, "guest_metrics": "OpaqueRef:NULL", "blocked_operations": {}, "snapshots": [], "parent": "OpaqueRef:NULL", "children": [], "appliance": "OpaqueRef:NULL", "generation_id": ""}"#,
    ),
    ("VIF", r#"{"MTU": 1500, "currently_attached": false, "other_config": {}}"#),
    (
        "VBD",
        r#"{"uuid": "", "bootable": false, "mode": "RW", "empty": false, "currently_attached": false, "other_config": {}}"#,
    ),
    ("Certificate", "{}"),
    (
        "Cluster",
        r#"{"cluster_token": "made up and a secret", "token_timeout": 20.0, "token_timeout_coefficient": 1.0, "cluster_config": {}, "other_config": {}}"#,
    ),
    ("Cluster_host", r#"{"other_config": {}}"#),
    (
        "pool_update",
        r#"{"name_description": "", "installation_size": 0, "key": "", "after_apply_guidance": [], "other_config": {}}"#,
    ),
    (
        "pool_patch",
        r#"{"name_description": "", "size": 0, "pool_applied": false, "after_apply_guidance": [], "other_config": {}}"#,
    ),
    (
        "host_patch",
        r#"{"name_label": "", "name_description": "", "timestamp_applied": "20260101T00:00:00Z", "size": 0, "other_config": {}}"#,
    ),
    ("secret", r#"{"value": "made up and a secret", "other_config": {}}"#),
    ("PVS_site", r#"{"name_description": "", "cache_storage": [], "servers": [], "proxies": []}"#),
    ("PVS_cache_storage", "{}"),
    ("PVS_server", "{}"),
    ("PVS_proxy", "{}"),
    ("host_metrics", "{}"),
    ("host_cpu", "{}"),
    ("PIF_metrics", "{}"),
    ("VM_metrics", "{}"),
    ("VM_guest_metrics", "{}"),
    ("subject", "{}"),
    ("role", "{}"),
    ("VMSS", "{}"),
    ("VM_appliance", "{}"),
    ("VM_group", "{}"),
    ("VTPM", "{}"),
    ("GPU_group", "{}"),
    ("PGPU", "{}"),
    ("VGPU", "{}"),
    ("VGPU_type", "{}"),
    ("PCI", "{}"),
    ("PUSB", "{}"),
    ("VUSB", "{}"),
    ("USB_group", "{}"),
    ("Repository", "{}"),
    ("Observer", "{}"),
    ("blob", "{}"),
    ("console", "{}"),
    ("crashdump", "{}"),
    ("host_crashdump", "{}"),
    ("message", "{}"),
    ("task", "{}"),
    ("session", "{}"),
    ("event", "{}"),
];
