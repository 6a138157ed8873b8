//! Compares what came with what was predicted. Each difference is a finding with its fix. Pure.

use std::collections::BTreeSet;

use super::plan::{Predicted, PredictedBond};
use crate::facts::{Featureset, Known};
use crate::rules::{FixStep, Severity};
use crate::snapshot::{Host, Network, Pif, Pool};
use crate::text::shell_word;

/// Something that is not as predicted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What it is about, in a word: `bond`, `storage`.
    pub about: &'static str,
    /// How much it weighs.
    pub severity: Severity,
    /// In words: what was predicted and what there is.
    pub message: String,
    /// What mends it.
    pub fix: Vec<FixStep>,
}

struct Look<'a> {
    pool: &'a Pool,
    predicted: &'a Predicted,
    found: Vec<Difference>,
}

/// What differs from the prediction after a join.
pub fn after_join(pool: &Pool, predicted: &Predicted) -> Vec<Difference> {
    let mut look = Look { pool, predicted, found: Vec::new() };
    look.size();
    look.coordinator();
    let Some(host) = pool.hosts.each().find(|host| host.uuid.text() == Some(&predicted.host)) else {
        look.add(
            "member",
            Severity::Blocker,
            "the pool does not know the host".to_owned(),
            "coordinator",
            "xe host-list".to_owned(),
            "",
        );
        return look.found;
    };
    look.enabled(host);
    let reference = host.reference.text().unwrap_or_default();
    look.nics(reference);
    look.bonds(reference);
    look.vlans(reference);
    look.management(reference);
    look.storage(reference);
    look.level();
    look.vms();
    look.found
}

/// What differs from the prediction after an eject.
pub fn after_eject(pool: &Pool, predicted: &Predicted) -> Vec<Difference> {
    let mut look = Look { pool, predicted, found: Vec::new() };
    if pool.hosts.each().any(|host| host.uuid.text() == Some(&predicted.host)) {
        look.add(
            "member",
            Severity::Blocker,
            "the pool still knows the host".to_owned(),
            "coordinator",
            format!("xe host-list uuid={}", shell_word(&predicted.host)),
            "A host that does not come back is forgotten with `xe host-forget`.",
        );
    }
    look.size();
    look.coordinator();
    look.level();
    look.found
}

impl<'a> Look<'a> {
    fn add(
        &mut self,
        about: &'static str,
        severity: Severity,
        message: String,
        place: &str,
        run: String,
        note: &str,
    ) {
        let fix = FixStep { place: place.to_owned(), run, note: note.to_owned(), loses: String::new() };
        self.found.push(Difference { about, severity, message, fix: vec![fix] });
    }

    fn unknown(&mut self, about: &'static str, what: &str) {
        self.found.push(Difference {
            about,
            severity: Severity::Warning,
            message: format!("{what} could not be read, so it is not known whether it is as predicted"),
            fix: Vec::new(),
        });
    }

    fn size(&mut self) {
        match self.pool.hosts.get().map(Vec::len) {
            None => self.unknown("size", "the list of hosts"),
            Some(count) if count != self.predicted.hosts => self.add(
                "size",
                Severity::Warning,
                format!("the pool has {count} hosts, and {} were predicted", self.predicted.hosts),
                "coordinator",
                "xe host-list".to_owned(),
                "Somebody else may have changed the pool meanwhile.",
            ),
            Some(_) => {}
        }
    }

    fn coordinator(&mut self) {
        let host = self.pool.coordinator_host();
        let now = host.get().and_then(|host| host.uuid.text()).unwrap_or_default();
        if !self.predicted.coordinator.is_empty() && now != self.predicted.coordinator {
            self.add(
                "coordinator",
                Severity::Warning,
                format!("the coordinator is {now}, and was {}", self.predicted.coordinator),
                "coordinator",
                "xe pool-list params=master".to_owned(),
                "Somebody has designated another coordinator meanwhile.",
            );
        }
    }

    fn enabled(&mut self, host: &Host) {
        if host.enabled != Known::Yes(true) {
            self.add(
                "member",
                Severity::Blocker,
                "the host does not take VMs".to_owned(),
                "coordinator",
                format!("xe host-enable uuid={}", shell_word(&self.predicted.host)),
                "Where it refuses, its answer says why.",
            );
        }
    }

    fn network(&self, uuid: &str) -> Option<&'a Network> {
        self.pool.networks.each().find(|network| network.uuid.text() == Some(uuid))
    }

    fn network_of(&self, pif: &Pif) -> Option<&'a Network> {
        let reference = pif.network.text()?;
        self.pool.networks.each().find(|network| network.reference.text() == Some(reference))
    }

    fn pifs(&self, host: &'a str) -> impl Iterator<Item = &'a Pif> {
        self.pool.pifs.each().filter(move |pif| pif.host.text() == Some(host))
    }

    fn list_pifs(&self) -> String {
        format!(
            "xe pif-list host-uuid={} params=uuid,device,MAC,VLAN,network-name-label,bond-master-of,IP,management",
            shell_word(&self.predicted.host)
        )
    }

    fn nics(&mut self, host: &'a str) {
        if self.pool.pifs.get().is_none() {
            return self.unknown("network", "the host's interfaces");
        }
        for nic in &self.predicted.nics {
            let same = |pif: &&Pif| {
                let mac = pif.mac.text().unwrap_or_default();
                if nic.mac.is_empty() {
                    pif.device.text() == Some(&nic.device)
                } else {
                    mac.eq_ignore_ascii_case(&nic.mac)
                }
            };
            let pif = self.pifs(host).filter(|pif| pif.physical != Known::Yes(false)).find(same);
            let Some(pif) = pif else {
                let message = format!("NIC {} has no interface in the pool", nic.device);
                let run = format!("xe pif-scan host-uuid={}", shell_word(&self.predicted.host));
                self.add("network", Severity::Warning, message, "member", run, "");
                continue;
            };
            let network = self.network_of(pif);
            let bridge = network.and_then(|network| network.bridge.text()).unwrap_or_default();
            if bridge != nic.bridge {
                let message = format!("NIC {} is on bridge {bridge}, and {} was predicted", nic.device, nic.bridge);
                let run = self.list_pifs();
                self.add("network", Severity::Warning, message, "member", run, "");
            }
        }
    }

    fn bonds(&mut self, host: &'a str) {
        let predicted = self.predicted;
        if self.pool.bonds.get().is_none() && !predicted.bonds.is_empty() {
            return self.unknown("bond", "the host's bonds");
        }
        for bond in &predicted.bonds {
            let own: Option<BTreeSet<&str>> = self.members_of(host, bond);
            let wanted: BTreeSet<_> = bond.members.iter().map(String::as_str).collect();
            let found = own.clone().unwrap_or_default();
            if found == wanted {
                continue;
            }
            let list = |names: &BTreeSet<&str>| {
                if names.is_empty() {
                    "no NIC".to_owned()
                } else {
                    names.iter().copied().collect::<Vec<_>>().join(", ")
                }
            };
            let message =
                format!("the bond on {} has {}, and {} was predicted", bond.name, list(&found), list(&wanted));
            let host_uuid = shell_word(&predicted.host);
            let pifs: Vec<_> = bond
                .members
                .iter()
                .map(|nic| {
                    format!("$(xe pif-list host-uuid={host_uuid} device={} VLAN=-1 --minimal)", shell_word(nic))
                })
                .collect();
            let (run, note) = if own.is_some() || wanted.is_empty() {
                (self.list_pifs(), "The server logs why it could not make it: /var/log/xensource.log on the member.")
            } else {
                (
                    format!(
                        "xe bond-create network-uuid={} pif-uuids={} mode={}",
                        shell_word(&bond.network),
                        pifs.join(","),
                        shell_word(&bond.mode)
                    ),
                    "At the console where the bond carries management: the connection may break.",
                )
            };
            self.add("bond", Severity::Warning, message, "member", run, note);
        }
    }

    /// The devices in the host's bond on a network; nothing without such a bond.
    fn members_of(&self, host: &'a str, bond: &PredictedBond) -> Option<BTreeSet<&'a str>> {
        let network = self.network(&bond.network)?.reference.text()?;
        let interface = self.pifs(host).find(|pif| {
            pif.network.text() == Some(network) && pif.bond_master_of.get().is_some_and(|bonds| !bonds.is_empty())
        })?;
        let reference = interface.reference.text()?;
        let record = self.pool.bonds.each().find(|it| it.interface.text() == Some(reference))?;
        let members = record.members.get()?;
        Some(
            self.pifs(host)
                .filter(|pif| pif.reference.text().is_some_and(|reference| members.iter().any(|it| it == reference)))
                .filter_map(|pif| pif.device.text())
                .collect(),
        )
    }

    fn vlans(&mut self, host: &'a str) {
        let predicted = self.predicted;
        for vlan in predicted.vlans.iter().filter(|vlan| vlan.created) {
            let network = self.network(&vlan.network).and_then(|network| network.reference.text());
            let there = self.pifs(host).any(|pif| pif.network.text() == network && pif.vlan == Known::Yes(vlan.tag));
            if !there {
                let host_uuid = shell_word(&predicted.host);
                let run = format!(
                    "xe vlan-create pif-uuid=$(xe pif-list host-uuid={host_uuid} device=DEVICE VLAN=-1 --minimal) vlan={} network-uuid={}",
                    vlan.tag,
                    shell_word(&vlan.network)
                );
                let message = format!("VLAN {} ({}) was not made on the host", vlan.tag, vlan.name);
                self.add(
                    "vlan",
                    Severity::Warning,
                    message,
                    "member",
                    run,
                    "DEVICE is the NIC or bond that carries it on the coordinator.",
                );
            }
        }
    }

    fn management(&mut self, host: &'a str) {
        if self.predicted.management.is_empty() {
            return;
        }
        let pif = self.pifs(host).find(|pif| pif.management == Known::Yes(true));
        let network = pif.and_then(|pif| self.network_of(pif)).and_then(|network| network.name_label.text());
        if network != Some(&self.predicted.management) {
            let message = format!(
                "the host's management is on {}, and {} was predicted",
                network.unwrap_or("no network of the pool"),
                self.predicted.management
            );
            let run = self.list_pifs();
            self.add(
                "management",
                Severity::Warning,
                message,
                "member",
                run,
                "`xe host-management-reconfigure pif-uuid=…` at the host's console moves it.",
            );
        }
    }

    fn storage(&mut self, host: &'a str) {
        if self.pool.pbds.get().is_none() && !self.predicted.srs.is_empty() {
            return self.unknown("storage", "the host's plugs into storage");
        }
        let predicted = self.predicted;
        for sr in &predicted.srs {
            let record = self.pool.srs.each().find(|it| it.uuid.text() == Some(&sr.uuid));
            let Some(reference) = record.and_then(|record| record.reference.text()) else {
                self.unknown("storage", &format!("shared storage {}", sr.name));
                continue;
            };
            let pbd =
                self.pool.pbds.each().find(|pbd| pbd.host.text() == Some(host) && pbd.sr.text() == Some(reference));
            match pbd {
                Some(pbd) if pbd.currently_attached == Known::Yes(true) => {}
                Some(pbd) => {
                    let run = format!("xe pbd-plug uuid={}", shell_word(pbd.uuid.text().unwrap_or("PBD")));
                    let message = format!("shared storage {} is not plugged on the host", sr.name);
                    self.add(
                        "storage",
                        Severity::Warning,
                        message,
                        "member",
                        run,
                        "Does the storage admit this host: its initiator name, its address, its HBA?",
                    );
                }
                None => {
                    let run = format!("xe pbd-list sr-uuid={}", shell_word(&sr.uuid));
                    let message = format!("shared storage {} has no plug on the host", sr.name);
                    self.add("storage", Severity::Warning, message, "coordinator", run, "Restart the host's toolstack, which makes plugs; else `xe pbd-create` as on the coordinator.");
                }
            }
        }
    }

    fn level(&mut self) {
        if self.predicted.level_hvm.is_none() && self.predicted.level_pv.is_none() {
            return;
        }
        let Known::Yes(cpu) = &self.pool.cpu_info else {
            return self.unknown("cpu", "the pool's CPU level");
        };
        let sets = [
            ("HVM", &self.predicted.level_hvm, &cpu.features_hvm_host, &cpu.features_hvm),
            ("PV", &self.predicted.level_pv, &cpu.features_pv_host, &cpu.features_pv),
        ];
        let mut differing = Vec::new();
        for (guests, predicted, of_now, of_old) in sets {
            let Some(predicted) = predicted else { continue };
            let found = of_now.get().or_else(|| of_old.get());
            let (Some(found), Ok(predicted)) = (found, predicted.parse::<Featureset>()) else {
                self.unknown("cpu", &format!("the CPU level of {guests} guests"));
                continue;
            };
            if !found.is_equal(&predicted) {
                differing.push(format!("the CPU level of {guests} guests is {found}, and {predicted} was predicted"));
            }
        }
        for message in differing {
            self.add(
                "cpu",
                Severity::Warning,
                message,
                "coordinator",
                "xe pool-param-get uuid=$(xe pool-list --minimal) param-name=cpu-info".to_owned(),
                "The level is computed when a member starts; VMs that run keep theirs until they restart.",
            );
        }
    }

    fn vms(&mut self) {
        if self.predicted.vms.is_empty() {
            return;
        }
        let Known::Yes(vms) = &self.pool.vms else { return self.unknown("vms", "the pool's VMs") };
        let there: BTreeSet<_> = vms.iter().filter_map(|vm| vm.uuid.text()).collect();
        let missing: Vec<_> = self
            .predicted
            .vms
            .iter()
            .filter(|vm| !there.contains(vm.uuid.as_str()))
            .map(|vm| vm.name.clone())
            .collect();
        if !missing.is_empty() {
            let message = format!(
                "{} of the host's {} VMs are not in the pool: {}",
                missing.len(),
                self.predicted.vms.len(),
                missing.join(", ")
            );
            self.add(
                "vms",
                Severity::Blocker,
                message,
                "coordinator",
                "grep -E 'import|DUPLICATE_MAC_SEED|VM_TO_IMPORT' /var/log/xensource.log".to_owned(),
                "The server drops the whole import at one error, in its log only. Their disks are on the host's local storage: `xe vdi-list sr-uuid=…`; with a metadata backup `xe vm-import metadata=true` brings the records back.",
            );
        }
    }
}
