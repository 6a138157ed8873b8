//! Wall time of collecting many live servers over TLS on loopback, beside `curl -Z` fetching the same bytes from the same
//! servers in the same minutes. `cargo bench --bench live` measures; `-- 1` does one round only.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints, and stops where it cannot measure"
)]

#[path = "../tests/common/fake.rs"]
#[expect(dead_code, unreachable_pub, reason = "the tests use the rest")]
mod fake;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use fake::{Answer, Fake, PASSWORD, logging_in};
use serde_json::{Value, json};

const ROUNDS: usize = 7;
const JOBS: usize = 8;
const FEATURES: &str = "1fcbfbff-f7fa3223-2c100800-00000121-0000000f-d19f27eb-00000008-00000000-00001000-9c000400-00000000-00000000-00000000-00000000-00000000-00000000-00000000-00000000-00000000-00000000-00000000-00000000";

fn main() {
    let rounds = std::env::args().skip(1).find_map(|word| word.parse().ok()).unwrap_or(ROUNDS);
    println!("collecting over TLS on loopback, {JOBS} at once, median of {rounds} rounds\n");
    println!("| servers | bytes each | calls each | curl -Z | poolgate | ratio |");
    println!("|---|---|---|---|---|---|");
    compare("16 pools of 16 hosts and 200 VMs", 16, &records(16, 200), rounds);
    compare("200 hosts with 3 VMs", 200, &records(1, 3), rounds);
}

fn compare(name: &str, count: usize, bodies: &Arc<BTreeMap<String, Vec<u8>>>, rounds: usize) {
    let fakes: Vec<_> = (0..count).map(|_| serve(Arc::clone(bodies))).collect();
    let bytes: usize = bodies.values().map(Vec::len).sum();
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("curl");
    let (mut curl, mut poolgate) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        poolgate.push(time(run_poolgate(&fakes)));
        let asked: Vec<_> = fakes[0].methods().into_iter().filter(|method| bodies.contains_key(method)).collect();
        fs::write(&config, curl_config(&fakes, &asked[..asked.len().min(bodies.len())])).unwrap();
        curl.push(time(run_curl(&config)));
    }
    let (curl, poolgate) = (median(curl), median(poolgate));
    let ratio = poolgate.as_secs_f64() / curl.as_secs_f64();
    println!("| {name} | {bytes} | {} | {curl:.2?} | {poolgate:.2?} | {ratio:.2} |", bodies.len());
}

fn serve(bodies: Arc<BTreeMap<String, Vec<u8>>>) -> Fake {
    Fake::start(logging_in(move |asked| {
        let body = bodies.get(&asked.method).cloned().unwrap_or_default();
        Answer::Raw { status: 200, headers: "content-type: application/json\r\n".to_owned(), body }
    }))
}

fn run_poolgate(fakes: &[Fake]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_poolgate"));
    command.args(["cpu", "level", "--password-env", "PW", "--jobs", &JOBS.to_string()]).env("PW", PASSWORD);
    for fake in fakes {
        command
            .args(["--tls-fingerprint", &format!("{}={}", fake.address, fake.fingerprint.plain())])
            .arg(fake.url());
    }
    command
}

fn run_curl(config: &Path) -> Command {
    let mut command = Command::new("curl");
    command.args(["-q", "-s", "-S", "-k", "-Z", "--parallel-max", &JOBS.to_string(), "-K"]).arg(config);
    command
}

/// One transfer a call, those of one server after another, so that connections are used again.
fn curl_config(fakes: &[Fake], methods: &[String]) -> String {
    let mut text = String::new();
    for fake in fakes {
        for method in methods {
            let call = json!({"jsonrpc": "2.0", "method": method, "params": [fake::SESSION], "id": 1}).to_string();
            let next = if text.is_empty() { "" } else { "next\n" };
            let quoted = call.replace('"', "\\\"");
            let _ = write!(
                text,
                "{next}insecure\nurl = \"{}/jsonrpc\"\noutput = \"/dev/null\"\ndata = \"{quoted}\"\n",
                fake.url()
            );
        }
    }
    text
}

fn time(mut command: Command) -> Duration {
    let begin = Instant::now();
    let output = command.stdout(Stdio::null()).stderr(Stdio::piped()).output().unwrap();
    let time = begin.elapsed();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    time
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// The answers of a server with so many hosts and VMs, of the size that real records have.
fn records(hosts: usize, vms: usize) -> Arc<BTreeMap<String, Vec<u8>>> {
    let many = |kind: &str, count: usize, record: &dyn Fn(usize) -> Value| -> Value {
        (0..count)
            .map(|at| (format!("OpaqueRef:{kind}-{at:08}"), record(at)))
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    let filler = "x".repeat(600);
    let mut classes = BTreeMap::new();
    for class in [
        "Bond",
        "Certificate",
        "Cluster",
        "Cluster_host",
        "PVS_site",
        "SDN_controller",
        "VLAN",
        "VMSS",
        "VM_appliance",
        "VM_group",
        "host_patch",
        "network_sriov",
        "pool_patch",
        "pool_update",
        "subject",
        "tunnel",
        "SM",
    ] {
        classes.insert(class, json!({}));
    }
    classes.insert(
        "pool",
        many("pool", 1, &|_| json!({"uuid": "p", "name_label": "p", "master": "OpaqueRef:host-00000000"})),
    );
    classes.insert("host", many("host", hosts, &|at| json!({
        "uuid": format!("h{at}"), "name_label": format!("host-{at}"), "address": "10.0.0.1", "enabled": true,
        "API_version_major": 2, "API_version_minor": 21, "software_version": {"product_version": "8.3.0", "note": filler},
        "cpu_info": {"cpu_count": "16", "socket_count": "2", "vendor": "GenuineIntel", "modelname": "Xeon", "features_hvm": FEATURES,
            "features_pv": FEATURES, "features_hvm_host": FEATURES, "features_pv_host": FEATURES, "features": FEATURES},
        "other_config": {}, "license_params": {"filler": filler}, "capabilities": ["hvm-3.0-x86_64"], "logging": {}, "x": filler,
    })));
    for (class, each) in [("host_cpu", 16), ("PIF", 6), ("PIF_metrics", 6), ("PBD", 5), ("host_metrics", 1)] {
        classes.insert(class, many(class, hosts * each, &|at| json!({
            "uuid": at.to_string(), "host": "OpaqueRef:host-00000000", "device": "eth0", "MAC": "00:16:3e:00:00:01", "MTU": "1500",
            "VLAN": -1, "management": at == 0, "flags": &filler[..300], "features": FEATURES, "other_config": {}, "device_config": {},
        })));
    }
    classes.insert(
        "network",
        many(
            "network",
            20,
            &|at| json!({"uuid": at.to_string(), "name_label": "n", "bridge": "xenbr0", "other_config": {}}),
        ),
    );
    classes.insert(
        "SR",
        many(
            "SR",
            4 + hosts,
            &|at| json!({"uuid": at.to_string(), "name_label": "s", "shared": at < 4, "other_config": {}}),
        ),
    );
    let vm = |at: usize| {
        json!({
            "uuid": at.to_string(), "name_label": format!("vm-{at}"), "power_state": "Running", "is_control_domain": false,
            "recommendations": filler.repeat(3), "other_config": {"mac_seed": at.to_string(), "x": filler}, "current_operations": {},
            "last_boot_CPU_flags": {"vendor": "GenuineIntel", "features": FEATURES}, "resident_on": "OpaqueRef:host-00000000",
            "allowed_operations": ["hard_reboot", "hard_shutdown", "pause", "snapshot"], "VBDs": [], "VIFs": [], "platform": {"x": filler},
        })
    };
    classes.insert("VM", many("VM", vms, &vm));
    for (class, each) in [("VM_metrics", 1), ("VBD", 2), ("VIF", 1), ("VDI", 2)] {
        classes.insert(class, many(class, vms * each, &|at| json!({
            "uuid": at.to_string(), "VM": format!("OpaqueRef:VM-{:08}", at / each), "VDI": format!("OpaqueRef:VDI-{at:08}"),
            "SR": "OpaqueRef:SR-00000000", "network": "OpaqueRef:network-00000000", "MAC": "00:16:3e:00:00:01", "other_config": {},
            "allowed_operations": ["attach", "unplug"], "filler": &filler[..400],
        })));
    }
    let answer = |(class, records): (&str, Value)| {
        let body = json!({"jsonrpc": "2.0", "result": records, "id": 1}).to_string().into_bytes();
        (format!("{class}.get_all_records"), body)
    };
    Arc::new(classes.into_iter().map(answer).collect())
}
