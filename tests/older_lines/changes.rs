//! One change for each thing that a check compares, and what the server answers to it: written from the catalogue of
//! its checks, not from `rules/`.

use serde_json::json;

use crate::bases::Sides;
use crate::table::{V22_20, V24_39, XS65, XS70, XS71, XS72, XS73};

/// What one check answers. Of several answers of one check the lowest part is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) check: &'static str,
    pub(crate) part: u32,
    pub(crate) code: &'static str,
    pub(crate) params: Vec<String>,
}

/// Makes checks refuse; those that the line does not run are left out later.
pub(crate) type Change = fn(&mut Sides) -> Vec<Refusal>;

fn refuses(check: &'static str, code: &'static str, params: &[&str]) -> Refusal {
    Refusal { check, part: 1, code, params: params.iter().map(|param| (*param).to_owned()).collect() }
}

fn alone(check: &'static str, code: &'static str, params: &[&str]) -> Vec<Refusal> {
    vec![refuses(check, code, params)]
}

fn text(value: &serde_json::Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// The changes by name.
pub(crate) const CHANGES: &[(&str, Change)] = &[
    ("pool size restricted", pool_size),
    ("pool size not mentioned", |sides| {
        // What a licence does not mention is restricted.
        let all = pool_size(sides);
        sides.joiner["pool"]["restrictions"].as_object_mut().unwrap().remove("restrict_pool_size");
        sides.host()["restrictions"].as_object_mut().unwrap().remove("restrict_pool_size");
        all
    }),
    ("HA on the joiner", |sides| {
        sides.joiner["pool"]["ha_enabled"] = true.into();
        alone("ha_is_not_enable_on_me", "HA_IS_ENABLED", &[])
    }),
    ("clustering on the joiner", |sides| {
        let host = text(&sides.host()["reference"]);
        let record = json!({ "reference": "OpaqueRef:m", "uuid": "m", "cluster": "OpaqueRef:k", "host": host,
            "pif": null, "enabled": true, "joined": true });
        sides.push("cluster_hosts", record);
        alone("clustering_is_not_enabled_on_me", "CLUSTERING_ENABLED", &["OpaqueRef:m"])
    }),
    ("no address for the pool's cluster", cluster_address),
    ("HA on the pool", |sides| {
        sides.pool["pool"]["ha_enabled"] = true.into();
        alone("ha_is_not_enable_on_the_distant_pool", "HA_IS_ENABLED", &[])
    }),
    ("the coordinator itself", |sides| {
        let uuid = sides.coordinator()["uuid"].clone();
        sides.host()["uuid"] = uuid;
        alone("assert_not_joining_myself", "OPERATION_NOT_ALLOWED", &["Host cannot become slave of itself"])
    }),
    ("a second host", |sides| {
        let mut other = sides.host().clone();
        for key in ["reference", "uuid", "name_label"] {
            other[key] = "OpaqueRef:second".into();
        }
        sides.push("hosts", other);
        alone("assert_i_know_of_no_other_hosts", "JOINING_HOST_CANNOT_BE_MASTER_OF_OTHER_HOSTS", &[])
    }),
    ("a running VM", |sides| {
        let mut vm = sides.joiner["pool"]["vms"][0].clone();
        vm["reference"] = "OpaqueRef:vm".into();
        vm["uuid"] = "vm".into();
        vm["is_a_template"] = false.into();
        vm["power_state"] = "Running".into();
        sides.push("vms", vm);
        alone("assert_no_running_vms_on_me", "JOINING_HOST_CANNOT_HAVE_RUNNING_VMS", &[])
    }),
    ("a driver domain", driver_domain),
    ("a suspended VM", |sides| {
        // Nothing but the documentation refuses it.
        let mut vm = sides.joiner["pool"]["vms"][0].clone();
        vm["reference"] = "OpaqueRef:asleep".into();
        vm["uuid"] = "asleep".into();
        vm["is_a_template"] = false.into();
        vm["power_state"] = "Suspended".into();
        sides.push("vms", vm);
        Vec::new()
    }),
    ("a busy template", |sides| {
        sides.joiner["pool"]["vms"][0]["current_operations"] = json!({ "OpaqueRef:task": "clone" });
        let code = "JOINING_HOST_CANNOT_HAVE_VMS_WITH_CURRENT_OPERATIONS";
        alone("assert_no_vms_with_current_ops", code, &[])
    }),
    ("guidance pending on the joiner", |sides| {
        sides.host()["pending_guidances"] = json!(["reboot_host"]);
        let host = text(&sides.host()["reference"]);
        guidance(host, 1)
    }),
    ("guidance pending on the coordinator", |sides| {
        sides.coordinator()["pending_guidances"] = json!(["restart_toolstack"]);
        let host = text(&sides.coordinator()["reference"]);
        guidance(host, 2)
    }),
    ("another platform version", |sides| {
        sides.host()["software_version"]["platform_version"] = "2.99.0".into();
        let mut all = alone("assert_hosts_compatible", "HOSTS_NOT_COMPATIBLE", &[]);
        if sides.line < V22_20 {
            all.push(software(sides.line));
        }
        all
    }),
    ("another brand", |sides| {
        sides.host()["software_version"]["product_brand"] = "Other".into();
        vec![refuses("assert_hosts_compatible", "HOSTS_NOT_COMPATIBLE", &[]), software(sides.line)]
    }),
    ("another git id", |sides| {
        sides.host()["software_version"]["git_id"] = "ffff".into();
        vec![software(sides.line)]
    }),
    ("another build", |sides| {
        sides.host()["software_version"]["build_number"] = "99999x".into();
        if sides.line <= XS71 { vec![software(sides.line)] } else { Vec::new() }
    }),
    ("another product version", |sides| {
        // Compared by no check: the code for it is retired.
        let version = text(&sides.host()["software_version"]["product_version"]);
        sides.host()["software_version"]["product_version"] = format!("{version}.1").into();
        Vec::new()
    }),
    ("a Linux Pack on one side", |sides| {
        let software_version = sides.host()["software_version"].as_object_mut().unwrap();
        if software_version.remove("xs:linux").is_none() {
            software_version.insert("xs:linux".to_owned(), "a pack".into());
        }
        vec![software(sides.line)]
    }),
    ("another supplemental pack", |sides| {
        sides.host()["software_version"]["vendor:pack"] = "Vendor Pack, version 1, build 2".into();
        Vec::new()
    }),
    ("another CPU vendor", |sides| {
        sides.host()["cpu"]["vendor"] = "CentaurHauls".into();
        vec![Refusal { part: 2, ..refuses("assert_hosts_homogeneous", "HOSTS_NOT_HOMOGENEOUS", &["CPUs differ"]) }]
    }),
    ("another CPU feature", |sides| {
        // SSE3 goes from the legacy words, which only 6.x compares.
        sides.host()["cpu"]["features"] = "009ce3bc-bfebfbff-00000001-28100800".into();
        if sides.line > XS65 {
            return Vec::new();
        }
        vec![Refusal { part: 2, ..refuses("assert_hosts_homogeneous", "HOSTS_NOT_HOMOGENEOUS", &["CPUs differ"]) }]
    }),
    ("a CPU feature under the pool's mask", |sides| {
        // Bit 7 of the first word is EST, which the mask that every pool has leaves out.
        let features = sides.host()["cpu"]["features"].as_str().map(str::to_owned);
        if let Some(first) = features.as_deref().and_then(|all| u32::from_str_radix(&all[..8], 16).ok()) {
            let rest = &features.as_deref().unwrap()[8..];
            sides.host()["cpu"]["features"] = format!("{:08x}{rest}", first ^ 0x80).into();
        }
        Vec::new()
    }),
    ("a shared SR", |sides| {
        let srs = sides.joiner["pool"]["srs"].as_array_mut().unwrap();
        srs.iter_mut().find(|sr| sr["kind"] == "ext").unwrap()["shared"] = true.into();
        alone("assert_no_shared_srs_on_me", "JOINING_HOST_CANNOT_CONTAIN_SHARED_SRS", &[])
    }),
    ("a bond", |sides| {
        let interface = sides.add_logical("bond0", -1);
        sides.push(
            "bonds",
            json!({ "reference": "OpaqueRef:bond", "uuid": "bond", "interface": interface,
            "members": [], "primary_member": null, "mode": "balance-slb", "properties": {}, "links_up": 2 }),
        );
        let mut all = alone("assert_no_bonds_on_me", "POOL_JOINING_HOST_HAS_BONDS", &[]);
        all.push(only_physical());
        all
    }),
    ("a tunnel", |sides| {
        let access = sides.add_logical("tunnel0", -1);
        sides.push(
            "tunnels",
            json!({ "reference": "OpaqueRef:tunnel", "uuid": "tunnel", "access_pif": access,
            "transport_pif": "OpaqueRef:NULL", "protocol": "gre" }),
        );
        let mut all = alone("assert_no_tunnels_on_me", "POOL_JOINING_HOST_HAS_TUNNELS", &[]);
        all.push(only_physical());
        all
    }),
    ("SR-IOV", |sides| {
        sides.push(
            "network_sriovs",
            json!({ "reference": "OpaqueRef:sriov", "uuid": "sriov",
            "physical_pif": "OpaqueRef:NULL", "logical_pif": "OpaqueRef:NULL", "requires_reboot": false }),
        );
        alone("assert_no_network_sriovs_on_me", "POOL_JOINING_HOST_HAS_NETWORK_SRIOVS", &[])
    }),
    ("a VLAN for guests", |sides| {
        let own = sides.add_logical("eth1", 99);
        let below = sides.joiner["pool"]["pifs"][1]["reference"].clone();
        sides.push(
            "vlans",
            json!({ "reference": "OpaqueRef:vlan", "uuid": "vlan", "tagged_pif": below,
            "untagged_pif": own, "tag": 99 }),
        );
        let mut all =
            alone("assert_no_non_management_vlans_on_me", "POOL_JOINING_HOST_HAS_NON_MANAGEMENT_VLANS", &[]);
        all.push(only_physical());
        all
    }),
    ("management on another VLAN", |sides| {
        let theirs = management_tag(sides);
        let management = sides.management();
        management["vlan"] = 77.into();
        management["physical"] = false.into();
        let code = "POOL_JOINING_HOST_MANAGEMENT_VLAN_DOES_NOT_MATCH";
        vec![
            refuses("assert_management_vlan_are_same", code, &["77", &theirs]),
            only_physical(),
            refuses(
                "assert_management_interface_is_physical",
                "POOL_JOINING_HOST_MUST_HAVE_PHYSICAL_MANAGEMENT_NIC",
                &[],
            ),
        ]
    }),
    ("a directory on one side", |sides| {
        sides.host()["external_auth_type"] = "AD".into();
        alone("assert_external_auth_matches", "POOL_JOINING_EXTERNAL_AUTH_MISMATCH", &[])
    }),
    ("a directory in other letters", directory_case),
    ("another edition", |sides| {
        let pool = text(&sides.coordinator()["edition"]);
        let host = sides.host();
        host["edition"] = "other".into();
        host["licence_daemon"] = json!([{ "name": "other", "order": 1 }, { "name": pool.clone(), "order": 20 }]);
        let ours = r#"host edition = "other""#;
        let theirs = format!("pool edition = \"{pool}\"");
        alone("assert_restrictions_match", "LICENSE_HOST_POOL_MISMATCH", &[ours, &theirs])
    }),
    ("the other network backend", |sides| {
        sides.host()["network_backend"] = "bridge".into();
        switches("Network backends differ", 1)
    }),
    ("a controller of its own", |sides| {
        if sides.line < XS72 {
            sides.joiner["pool"]["vswitch_controller"] = "192.0.2.250".into();
            return switches("vswitch controller address differs", 2);
        }
        sides.push(
            "sdn_controllers",
            json!({ "reference": "OpaqueRef:sdn", "uuid": "sdn", "protocol": "ssl",
            "address": "192.0.2.250", "port": 6640 }),
        );
        switches("SDN controller differs", 2)
    }),
    ("another patch", another_patch),
    ("a patch of the pool's is missing", missing_patch),
    ("another API version of the pool", |sides| {
        let ours = api(sides.host());
        let host = sides.coordinator();
        host["api_version_minor"] = (host["api_version_minor"].as_i64().unwrap() + 1).into();
        let theirs = api(host);
        alone("assert_api_version_matches", "POOL_JOINING_HOST_MUST_HAVE_SAME_API_VERSION", &[&ours, &theirs])
    }),
    ("another database schema", |sides| {
        let theirs = sides.coordinator()["software_version"]["db_schema"].as_str().unwrap_or_default().to_owned();
        sides.host()["software_version"]["db_schema"] = "5.1".into();
        alone("assert_db_schema_matches", "POOL_JOINING_HOST_MUST_HAVE_SAME_DB_SCHEMA", &["5.1", &theirs])
    }),
    ("another update", |sides| another_update(sides, true)),
    ("another update that may differ", |sides| another_update(sides, false)),
    ("another kind of address", |sides| {
        sides.management()["primary_address_type"] = "IPv6".into();
        alone("assert_homogeneous_primary_address_type", "OPERATION_NOT_ALLOWED", &["Primary address type differs"])
    }),
    ("another purpose", |sides| {
        sides.joiner["pool"]["networks"][0]["purpose"] = json!(["nbd"]);
        sides.pool["pool"]["networks"][0]["purpose"] = json!(["insecure_nbd"]);
        alone(
            "assert_compatible_network_purpose",
            "OPERATION_NOT_ALLOWED",
            &["Incompatible network purposes: nbd and insecure_nbd"],
        )
    }),
    ("TLS verification off", |sides| {
        sides.joiner["pool"]["tls_verification_enabled"] = false.into();
        alone("assert_tls_verification_matches", "POOL_JOINING_HOST_TLS_VERIFICATION_MISMATCH", &[])
    }),
    ("an authority of the same name", |sides| {
        for (pool, fingerprint) in [(false, "AA"), (true, "BB")] {
            let record = certificate(&format!("authority-{fingerprint}"), "corporate", fingerprint, &[]);
            if pool { sides.push_pool("certificates", record) } else { sides.push("certificates", record) }
        }
        let code = "POOL_JOINING_HOST_CA_CERTIFICATES_CONFLICT";
        vec![
            refuses("assert_ca_certificates_compatible", code, &["corporate"]),
            refuses("assert_legacy_ca_certificates_compatible", code, &["corporate"]),
        ]
    }),
    ("an authority with other purposes", |sides| {
        sides.push("certificates", certificate("trusted-ours", "", "CC", &["licensing"]));
        sides.push_pool("certificates", certificate("trusted-theirs", "", "CC", &["licensing", "ldaps"]));
        alone(
            "assert_trusted_certificates_compatible",
            "POOL_JOINING_HOST_TRUSTED_CERTIFICATES_CONFLICT",
            &["OpaqueRef:trusted-theirs", "OpaqueRef:trusted-ours"],
        )
    }),
    ("updates in progress on the joiner", |sides| {
        sides.joiner["pool"]["current_operations"] = json!({ "OpaqueRef:task": "apply_updates" });
        alone("assert_not_in_updating_on_me", "NOT_SUPPORTED_DURING_UPGRADE", &[])
    }),
    ("updates in progress on the pool", |sides| {
        sides.pool["pool"]["current_operations"] = json!({ "OpaqueRef:task": "apply_updates" });
        alone("assert_no_hosts_in_updating", "NOT_SUPPORTED_DURING_UPGRADE", &[])
    }),
    ("a driver that the joiner lacks", |sides| {
        sides.push_pool(
            "sms",
            json!({ "reference": "OpaqueRef:zfs", "uuid": "zfs", "kind": "zfs", "version": "1",
            "features": { "VDI_CREATE": 1 }, "required_cluster_stack": [] }),
        );
        alone("assert_sm_features_compatible", "POOL_JOINING_SM_FEATURES_INCOMPATIBLE", &["OpaqueRef:zfs", ""])
    }),
];

fn software(line: usize) -> Refusal {
    let why = if line <= XS65 { "software version differs" } else { "Software version differs" };
    refuses("assert_hosts_homogeneous", "HOSTS_NOT_HOMOGENEOUS", &[why])
}

fn only_physical() -> Refusal {
    refuses("assert_only_physical_pifs", "POOL_JOINING_HOST_MUST_ONLY_HAVE_PHYSICAL_PIFS", &[])
}

fn switches(why: &'static str, part: u32) -> Vec<Refusal> {
    vec![Refusal { part, ..refuses("assert_homogeneous_vswitch_configuration", "OPERATION_NOT_ALLOWED", &[why]) }]
}

fn guidance(host: String, part: u32) -> Vec<Refusal> {
    let code = "HOST_PENDING_MANDATORY_GUIDANCE_NOT_EMPTY";
    vec![Refusal { part, ..refuses("assert_no_host_pending_mandatory_guidance", code, &[&host]) }]
}

/// The joiner's licence counts, and only where the pool has three hosts already.
fn pool_size(sides: &mut Sides) -> Vec<Refusal> {
    sides.joiner["pool"]["restrictions"]["restrict_pool_size"] = "true".into();
    sides.host()["restrictions"]["restrict_pool_size"] = "true".into();
    if sides.pool["pool"]["hosts"].as_array().unwrap().len() < 3 {
        return Vec::new();
    }
    alone("assert_pool_size_unrestricted", "LICENCE_RESTRICTION", &["Pool_size"])
}

fn cluster_address(sides: &mut Sides) -> Vec<Refusal> {
    let clustered = sides.pool["pool"]["clusters"].as_array().is_some_and(|clusters| !clusters.is_empty());
    if clustered {
        for pif in sides.joiner["pool"]["pifs"].as_array_mut().unwrap() {
            if pif["management"] == false {
                pif["ip"] = "".into();
            }
        }
    }
    let code = "POOL_JOINING_HOST_MUST_HAVE_ONLY_ONE_IP_ON_CLUSTERING_NETWORK";
    if clustered { alone("one_ip_configured_on_joining_cluster_network", code, &[]) } else { Vec::new() }
}

/// Up to 7.0 every control domain may run, later only the host's own.
fn driver_domain(sides: &mut Sides) -> Vec<Refusal> {
    let vms = sides.joiner["pool"]["vms"].as_array().unwrap();
    let mut vm = vms.iter().find(|vm| vm["is_control_domain"] == true).unwrap().clone();
    vm["reference"] = "OpaqueRef:driver".into();
    vm["uuid"] = "driver".into();
    vm["domid"] = 3.into();
    sides.push("vms", vm);
    if sides.line <= XS70 {
        return Vec::new();
    }
    alone("assert_no_running_vms_on_me", "JOINING_HOST_CANNOT_HAVE_RUNNING_VMS", &[])
}

fn management_tag(sides: &mut Sides) -> String {
    let coordinator = sides.pool["pool"]["coordinator"].clone();
    let mut pifs = sides.pool["pool"]["pifs"].as_array().unwrap().iter();
    let pif = pifs.find(|pif| pif["management"] == true && pif["host"] == coordinator).unwrap();
    pif["vlan"].as_i64().unwrap().to_string()
}

/// The domain is compared letter by letter before 24.33.
fn directory_case(sides: &mut Sides) -> Vec<Refusal> {
    let names = [("AD", "Example.COM"), ("AD", "example.com")];
    for (host, (kind, name)) in [true, false].into_iter().zip(names) {
        let host = if host { sides.host() } else { sides.coordinator() };
        host["external_auth_type"] = kind.into();
        host["external_auth_service_name"] = name.into();
    }
    if sides.line >= V24_39 {
        return Vec::new();
    }
    alone("assert_external_auth_matches", "POOL_JOINING_EXTERNAL_AUTH_MISMATCH", &[])
}

/// A patch of the joiner's that the pool lacks (7.0 and older); newer lines have no patches.
fn another_patch(sides: &mut Sides) -> Vec<Refusal> {
    if sides.line > XS70 {
        return Vec::new();
    }
    let host = text(&sides.host()["reference"]);
    sides.push(
        "patches",
        json!({ "reference": "OpaqueRef:pp", "uuid": "patch-x", "name_label": "X", "version": "1" }),
    );
    sides.push(
        "host_patches",
        json!({ "reference": "OpaqueRef:hp", "uuid": "hp", "host": host,
        "pool_patch": "OpaqueRef:pp", "applied": true }),
    );
    sides.host()["patches"].as_array_mut().unwrap().push("OpaqueRef:hp".into());
    vec![patches_differ(sides)]
}

/// A patch of the pool's that the joiner lacks.
fn missing_patch(sides: &mut Sides) -> Vec<Refusal> {
    if sides.line > XS70 {
        return Vec::new();
    }
    let coordinator = text(&sides.coordinator()["reference"]);
    sides.push_pool(
        "patches",
        json!({ "reference": "OpaqueRef:pm", "uuid": "patch-m", "name_label": "M", "version": "1" }),
    );
    sides.push_pool(
        "host_patches",
        json!({ "reference": "OpaqueRef:hm", "uuid": "hm", "host": coordinator,
        "pool_patch": "OpaqueRef:pm", "applied": true }),
    );
    sides.coordinator()["patches"].as_array_mut().unwrap().push("OpaqueRef:hm".into());
    vec![patches_differ(sides)]
}

/// The message names all patches of both sides, as they are in the end.
pub(crate) fn patches_differ(sides: &Sides) -> Refusal {
    let uuids = |side: &serde_json::Value| -> Vec<String> {
        side["pool"]["patches"].as_array().unwrap().iter().map(|patch| text(&patch["uuid"])).collect()
    };
    let (remote, local) = (uuids(&sides.pool).join(" "), uuids(&sides.joiner).join(" "));
    let why = format!("Patches applied differ: Remote has {remote} -- Local has {local}");
    refuses("assert_applied_patches_match", "HOSTS_NOT_HOMOGENEOUS", &[&why])
}

/// An update of the joiner's that the pool lacks. 7.1 does not tell which may differ, and counts all.
fn another_update(sides: &mut Sides, enforced: bool) -> Vec<Refusal> {
    if sides.line < XS71 {
        return Vec::new();
    }
    let reference = if enforced { "OpaqueRef:update-x" } else { "OpaqueRef:update-y" };
    let flag = if sides.line < XS73 { json!({ "$unknown": "absent-on-release" }) } else { enforced.into() };
    let host = text(&sides.host()["reference"]);
    sides.push(
        "updates",
        json!({ "reference": reference, "uuid": reference, "name_label": "X", "version": "1",
        "hosts": [host], "enforce_homogeneity": flag }),
    );
    sides.host()["updates"].as_array_mut().unwrap().push(reference.into());
    if !enforced && sides.line >= XS73 {
        return Vec::new();
    }
    let (ours, theirs) = (text(&sides.host()["name_label"]), text(&sides.coordinator()["name_label"]));
    let why = format!("Updates on local host {ours} and pool host {theirs} differ");
    alone("assert_homogeneous_updates", "HOSTS_NOT_HOMOGENEOUS", &[&why])
}

fn api(host: &serde_json::Value) -> String {
    format!("{}.{}", host["api_version_major"], host["api_version_minor"])
}

fn certificate(key: &str, name: &str, fingerprint: &str, purpose: &[&str]) -> serde_json::Value {
    json!({ "reference": format!("OpaqueRef:{key}"), "uuid": key, "name": name, "kind": "ca", "host": null,
        "not_before": "2025-06-01T00:00:00Z", "not_after": "2035-05-30T00:00:00Z",
        "fingerprint_sha256": fingerprint, "purpose": purpose, "key_bits": 4096 })
}
