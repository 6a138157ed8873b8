//! `--as-release`: a candidate without the product, judged as if a release were freshly installed. Fills in what follows
//! from that and nothing else; the update level, the licence and the network are known only once it is installed.

use std::collections::BTreeMap;

use super::release::RELEASES;
use crate::cpu::predict;
use crate::cpu::releases::{Product, UnknownProduct, product};
use crate::facts::Known;
use crate::snapshot::{Host, Pool, Snapshot};

/// What an assumption added to a snapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Assumed {
    /// Paths inside the pool that are assumed and not seen: `hosts[0].software_version`.
    pub paths: Vec<String>,
    /// What the operator should know of it.
    pub notes: Vec<String>,
}

/// Reads the name of a release that may be assumed.
pub fn release_named(name: &str) -> Result<&'static Product, UnknownProduct> {
    product(name)
}

/// Fills in what follows from the release where nothing was seen. A host that runs the product already is left alone.
pub fn assume(snapshot: &mut Snapshot, product: &'static Product) -> Assumed {
    let pool = &mut snapshot.pool;
    let mut assumed = Assumed::default();
    let Some(host) = pool.hosts.get_mut().and_then(|hosts| hosts.first_mut()) else { return assumed };
    if host.software_version.get().is_some() {
        return assumed;
    }
    assumed
        .notes
        .push(format!("judged as if {} were freshly installed; what follows from that is assumed", product.title));
    let unpredictable = predict::fill(host, product);
    if let Some(cpu) = host.cpu.get().filter(|_| !unpredictable.is_empty()) {
        let set = cpu.predicted_for.text().unwrap_or(product.title);
        assumed.notes.push(format!(
            "guest CPU features are predicted for {set}; not predictable: {}",
            unpredictable.join("; ")
        ));
        for set in ["features_pv", "features_hvm", "features_pv_host", "features_hvm_host"] {
            assumed.paths.push(format!("hosts[0].cpu.{set}"));
        }
    }
    fill_host(host, product, &mut assumed.paths);
    fill_pool(pool, product, &mut assumed.paths);
    assumed
}

/// The first release line with this product's number: `8.3` of `xcp-ng-8.3`, `8` of `xenserver-8`.
fn api_of(product: &Product) -> Option<(i64, i64)> {
    let number = product.name.rsplit('-').next()?;
    let wanted = [format!("XCP-ng {number}"), format!("XenServer {number}"), format!("Citrix Hypervisor {number}")];
    let line =
        RELEASES.iter().find(|line| line.name.split(" / ").any(|name| wanted.iter().any(|wanted| wanted == name)))?;
    let (major, minor) = line.api.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

fn fill_host(host: &mut Host, product: &Product, paths: &mut Vec<String>) {
    let virtualisation = host.hardware.as_ref().and_then(|hardware| hardware.virtualisation_enabled.clone());
    let mut fill = Filler { prefix: "hosts[0].", paths };
    // As the prediction does: on, unless firmware is known to have it off. Whether it is has its own rule.
    let guests = if virtualisation == Known::Yes(false) { Vec::new() } else { vec!["hvm-3.0-x86_64".to_owned()] };
    fill.fact("capabilities", &mut host.capabilities, guests);
    let brand = product.title.rsplit_once(' ').map_or(product.title, |(brand, _)| brand);
    let mut software = BTreeMap::from([("product_brand".to_owned(), brand.to_owned())]);
    if matches!(product.name, "xcp-ng-8.3" | "xenserver-8") {
        software.insert("platform_version".to_owned(), "3.4.0".to_owned());
    }
    fill.fact("assumed_release", &mut host.assumed_release, product.title.to_owned());
    fill.fact("software_version", &mut host.software_version, software);
    if let Some((major, minor)) = api_of(product) {
        fill.fact("api_version_major", &mut host.api_version_major, major);
        fill.fact("api_version_minor", &mut host.api_version_minor, minor);
    }
    fill.fact("network_backend", &mut host.network_backend, "openvswitch".to_owned());
    fill.fact("pending_guidances", &mut host.pending_guidances, Vec::new());
    fill.fact("external_auth_type", &mut host.external_auth_type, String::new());
    fill.fact("external_auth_service_name", &mut host.external_auth_service_name, String::new());
    if brand == "XCP-ng" {
        fill.fact("edition", &mut host.edition, "xcp-ng".to_owned());
    }
}

fn fill_pool(pool: &mut Pool, product: &Product, paths: &mut Vec<String>) {
    let mut fill = Filler { prefix: "", paths };
    fill.fact("ha_enabled", &mut pool.ha_enabled, false);
    fill.fact("current_operations", &mut pool.current_operations, BTreeMap::new());
    fill.fact("vms", &mut pool.vms, Vec::new());
    fill.fact("srs", &mut pool.srs, Vec::new());
    fill.fact("vdis", &mut pool.vdis, Vec::new());
    fill.fact("bonds", &mut pool.bonds, Vec::new());
    fill.fact("vlans", &mut pool.vlans, Vec::new());
    fill.fact("tunnels", &mut pool.tunnels, Vec::new());
    fill.fact("network_sriovs", &mut pool.network_sriovs, Vec::new());
    fill.fact("sdn_controllers", &mut pool.sdn_controllers, Vec::new());
    fill.fact("clusters", &mut pool.clusters, Vec::new());
    fill.fact("cluster_hosts", &mut pool.cluster_hosts, Vec::new());
    if matches!(product.name, "xcp-ng-8.3" | "xenserver-8") {
        // New installations verify certificates from the start; upgraded ones need not.
        fill.fact("tls_verification_enabled", &mut pool.tls_verification_enabled, true);
    }
    if product.name.starts_with("xcp-ng-") {
        let free = ["restrict_pooling", "restrict_pool_size"].map(|key| (key.to_owned(), "false".to_owned()));
        fill.fact("restrictions", &mut pool.restrictions, BTreeMap::from(free));
    }
}

/// Sets facts that nobody saw, and keeps the list of them.
struct Filler<'p> {
    prefix: &'static str,
    paths: &'p mut Vec<String>,
}

impl Filler<'_> {
    fn fact<T>(&mut self, name: &str, fact: &mut Known<T>, value: T) {
        if fact.get().is_none() {
            *fact = Known::Yes(value);
            self.paths.push(format!("{}{name}", self.prefix));
        }
    }
}
