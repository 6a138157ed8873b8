//! What a server shows and nobody should keep: planted in every field that may hold it, and found nowhere.

pub mod common;

use common::fake::{Answer, Asked, Fake, PASSWORD, SESSION, logging_in};
use common::run::poolgate;
use serde_json::{Value, json};

const MARKER: &str = "marker-of-a-secret";

/// Every field of a record that may hold a secret (join-and-eject facts, section 5.5), with the marker in it.
fn planted(asked: &Asked) -> Answer {
    let secret_map = json!({"password": MARKER, "chappassword": MARKER, "cifspassword": MARKER, "token": MARKER});
    let url = format!("https://me:{MARKER}@store.example.com/x?password={MARKER}");
    Answer::Value(match asked.method.as_str() {
        "pool.get_all_records" => json!({"OpaqueRef:p": {
            "uuid": "p", "name_label": "small", "master": "OpaqueRef:h",
            "wlb_url": MARKER, "wlb_username": MARKER, "wlb_enabled": false, "gui_config": {"x": MARKER},
            "other_config": {"cpuid_feature_mask": url, "secret": MARKER, "free": MARKER},
            "guest_agent_config": secret_map, "uefi_certificates": MARKER, "repository_proxy_username": MARKER,
            "repository_proxy_password": MARKER, "telemetry_uuid": MARKER, "license_server": {"address": MARKER},
        }}),
        "host.get_all_records" => json!({"OpaqueRef:h": {
            "uuid": "h", "name_label": "alpha", "enabled": true, "address": "10.0.0.1",
            "power_on_mode": "iLO", "power_on_config": {"power_on_password_secret": MARKER, "user": MARKER},
            "external_auth_configuration": {"domain": "x", "pass": MARKER, "user": MARKER},
            "license_params": {"sku": MARKER, "key": MARKER, "restrict_x": "false"},
            "software_version": {"product_version": "8.3.0", "machine_serial_number": MARKER},
            "other_config": {"iscsi_iqn": "iqn.x", "secret": MARKER, "free": MARKER},
            "logging": {"syslog_destination": MARKER}, "blobs": {"x": MARKER},
        }}),
        "Cluster.get_all_records" => {
            json!({"OpaqueRef:c": {"uuid": "c", "cluster_token": MARKER, "cluster_config": {"k": MARKER}}})
        }
        "PBD.get_all_records" => json!({"OpaqueRef:b": {
            "uuid": "b", "host": "OpaqueRef:h", "SR": "OpaqueRef:s", "device_config": {
                "password": MARKER, "chappassword": MARKER, "incoming_chappassword": MARKER, "cifspassword": MARKER,
                "serverpath": "//files/iso", "options": format!("username=me,password={MARKER}"), "location": url,
            },
        }}),
        "SR.get_all_records" => json!({"OpaqueRef:s": {
            "uuid": "s", "name_label": "iso", "other_config": secret_map, "sm_config": secret_map, "blobs": {"x": MARKER},
        }}),
        "VM.get_all_records" => json!({"OpaqueRef:v": {
            "uuid": "v", "name_label": "web", "power_state": "Halted", "xenstore_data": {"vm-data/password": MARKER},
            "other_config": {"mac_seed": "m", "password": MARKER}, "platform": secret_map, "blobs": {"x": MARKER},
            "recommendations": MARKER, "NVRAM": {"EFI-variables": MARKER}, "PV_args": MARKER,
        }}),
        "VDI.get_all_records" => {
            json!({"OpaqueRef:d": {"uuid": "d", "other_config": secret_map, "sm_config": secret_map, "xenstore_data": secret_map}})
        }
        "subject.get_all_records" => {
            json!({"OpaqueRef:u": {"uuid": "u", "subject_identifier": MARKER, "other_config": {"subject-name": MARKER}}})
        }
        "SDN_controller.get_all_records" => json!({}),
        "RBAC.get_all_records" => json!({}),
        // Errors of the server repeat what they were asked with.
        "VIF.get_all_records" => {
            return Answer::Error(vec!["INTERNAL_ERROR".to_owned(), SESSION.to_owned(), MARKER.to_owned()]);
        }
        _ => json!({}),
    })
}

#[test]
fn a_secret_of_the_server_is_in_no_snapshot_report_or_message() {
    let fake = Fake::start(logging_in(planted));
    let url = fake.url();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("out.json");
    let out = file.to_str().unwrap();
    let runs: [&[&str]; 4] = [
        &["collect", &url],
        &["collect", &url, "-o", out],
        &["check", "--pool", &url, "--host", &url, "--all"],
        &["check", "--pool", &url, "--host", &url, "--all", "--format", "json"],
    ];
    for words in runs {
        let done = poolgate(words)
            .with(["--password-env", "PW", "--tls-fingerprint", &fake.fingerprint.plain()])
            .env("PW", PASSWORD)
            .any_status(|code| [0, 1, 3].contains(code));
        let written = std::fs::read_to_string(&file).unwrap_or_default();
        for text in [done.to_string(), written] {
            for secret in [MARKER, PASSWORD, SESSION] {
                assert!(!text.contains(secret), "{words:?}: {text}");
            }
        }
    }
    // The server did show them: the test can fail.
    let Answer::Value(Value::Object(clusters)) = planted(&asked("Cluster.get_all_records")) else { return };
    assert!(clusters["OpaqueRef:c"].to_string().contains(MARKER));
    assert!(fake.count("Cluster.get_all_records") > 0 && fake.count("secret.get_all_records") == 0);
}

fn asked(method: &str) -> Asked {
    let (path, head) = (String::new(), String::new());
    Asked { path, encoding: "2.0", method: method.to_owned(), params: Vec::new(), head }
}
