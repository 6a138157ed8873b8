//! Which checks each release line runs, in the server's order: facts, so that the test runs in a plain clone too. A
//! test holds them against the reference data where that is there.

use std::ops::RangeInclusive;

/// The lines, oldest first.
pub(crate) const LINES: [&str; 21] = [
    "XenServer 6.1",
    "XenServer 6.2",
    "XenServer 6.5 (late 2014)",
    "XenServer 7.0",
    "XenServer 7.1 LCM",
    "XenServer 7.2",
    "XenServer 7.3",
    "XenServer 7.4",
    "XenServer / XCP-ng 7.5",
    "XenServer / XCP-ng 7.6",
    "Citrix Hypervisor / XCP-ng 8.0",
    "Citrix Hypervisor / XCP-ng 8.1",
    "Citrix Hypervisor / XCP-ng 8.2",
    "XenServer 8 preview (22.20)",
    "XenServer 8 preview (23.19)",
    "XCP-ng 8.3 / XenServer 8",
    "XenServer 8 (24.39)",
    "XenServer 8 / XCP-ng 8.3 updates",
    "XenServer 8 (25.33)",
    "XenServer 8 (26.1)",
    "XenServer 9 (master)",
];

/// Places in `LINES`.
pub(crate) const XS65: usize = 2;
pub(crate) const XS70: usize = 3;
pub(crate) const XS71: usize = 4;
pub(crate) const XS72: usize = 5;
pub(crate) const XS73: usize = 6;
pub(crate) const XS74: usize = 7;
pub(crate) const XS75: usize = 8;
pub(crate) const XS76: usize = 9;
pub(crate) const CH82: usize = 12;
pub(crate) const V22_20: usize = 13;
pub(crate) const V24_39: usize = 16;
pub(crate) const V25_33: usize = 18;
pub(crate) const V26_1: usize = 19;
pub(crate) const NEWEST: usize = 20;

/// Every check in the server's order with the lines that run it.
const CHECKS: &[(&str, &[RangeInclusive<usize>])] = &[
    ("assert_pool_size_unrestricted", &[XS74..=NEWEST]),
    ("assert_management_interface_exists", &[0..=NEWEST]),
    ("ha_is_not_enable_on_me", &[0..=NEWEST]),
    ("clustering_is_not_enabled_on_me", &[XS76..=NEWEST]),
    ("one_ip_configured_on_joining_cluster_network", &[V25_33..=NEWEST]),
    ("ha_is_not_enable_on_the_distant_pool", &[0..=NEWEST]),
    ("assert_not_joining_myself", &[0..=NEWEST]),
    ("assert_i_know_of_no_other_hosts", &[0..=NEWEST]),
    ("assert_no_running_vms_on_me", &[0..=NEWEST]),
    ("assert_no_vms_with_current_ops", &[0..=NEWEST]),
    ("assert_no_host_pending_mandatory_guidance", &[V24_39..=NEWEST]),
    ("assert_hosts_compatible", &[0..=NEWEST]),
    ("assert_hosts_homogeneous", &[0..=NEWEST]),
    ("assert_no_shared_srs_on_me", &[0..=NEWEST]),
    ("assert_management_interface_is_physical", &[0..=XS65]),
    ("assert_only_physical_pifs", &[XS70..=XS72]),
    ("assert_no_bonds_on_me", &[XS73..=NEWEST]),
    ("assert_no_tunnels_on_me", &[XS73..=NEWEST]),
    ("assert_no_network_sriovs_on_me", &[XS75..=NEWEST]),
    ("assert_no_non_management_vlans_on_me", &[XS73..=NEWEST]),
    ("assert_management_vlan_are_same", &[XS73..=NEWEST]),
    ("assert_external_auth_matches", &[0..=NEWEST]),
    ("assert_restrictions_match", &[0..=NEWEST]),
    ("assert_homogeneous_vswitch_configuration", &[0..=NEWEST]),
    ("assert_applied_patches_match", &[0..=XS70]),
    ("assert_api_version_matches", &[XS71..=NEWEST]),
    ("assert_db_schema_matches", &[XS71..=NEWEST]),
    ("assert_homogeneous_updates", &[XS71..=XS71, XS73..=NEWEST]),
    ("assert_homogeneous_primary_address_type", &[0..=NEWEST]),
    ("assert_compatible_network_purpose", &[XS74..=NEWEST]),
    ("assert_tls_verification_matches", &[V22_20..=NEWEST]),
    ("assert_ca_certificates_compatible", &[V22_20..=V25_33]),
    ("assert_legacy_ca_certificates_compatible", &[V26_1..=NEWEST]),
    ("assert_trusted_certificates_compatible", &[V26_1..=NEWEST]),
    ("assert_not_in_updating_on_me", &[V22_20..=NEWEST]),
    ("assert_no_hosts_in_updating", &[V22_20..=NEWEST]),
    ("assert_sm_features_compatible", &[V24_39..=NEWEST]),
];

/// What pool.join_force leaves out, on every line.
pub(crate) const FORCE_SKIPS: &str = "assert_hosts_homogeneous";

/// The checks of a line, in order.
pub(crate) fn checks_of(line: usize) -> Vec<&'static str> {
    let runs = |spans: &[RangeInclusive<usize>]| spans.iter().any(|span| span.contains(&line));
    CHECKS.iter().filter(|(_, spans)| runs(spans)).map(|(check, _)| *check).collect()
}
