//! The host's NICs, bonds, VLANs and management beside those that were predicted.

use std::collections::BTreeSet;

use super::Look;
use crate::facts::{Found, Known, Reason, Unknown, need};
use crate::gate::plan::{PredictedBond, PredictedNic, PredictedVlan};
use crate::rules::Severity;
use crate::snapshot::{Network, Pif};
use crate::text::shell_word;

impl<'a> Look<'a> {
    pub(super) fn nics(&mut self, host: &str) {
        for nic in &self.predicted.nics {
            let bridge = match self.bridge_of(host, nic) {
                Err(_) => {
                    self.unknown("network", &format!("the bridge of NIC {}", nic.device));
                    continue;
                }
                Ok(bridge) => bridge,
            };
            match bridge {
                Some(bridge) if *bridge == nic.bridge => {}
                Some(bridge) => {
                    let message =
                        format!("NIC {} is on bridge {bridge}, and {} was predicted", nic.device, nic.bridge);
                    let run = self.list_pifs();
                    self.add("network", Severity::Warning, message, "member", run, "");
                }
                None => {
                    let message = format!("NIC {} has no interface in the pool", nic.device);
                    let run = format!("xe pif-scan host-uuid={}", shell_word(&self.predicted.host));
                    self.add("network", Severity::Warning, message, "member", run, "");
                }
            }
        }
    }

    pub(super) fn bonds(&mut self, host: &str) {
        for bond in &self.predicted.bonds {
            match self.members_of(host, bond) {
                Err(_) => self.unknown("bond", &format!("the bond on {}", bond.name)),
                Ok(own) => self.bond(bond, own),
            }
        }
    }

    fn bond(&mut self, bond: &PredictedBond, own: Option<BTreeSet<&str>>) {
        let wanted: BTreeSet<_> = bond.members.iter().map(String::as_str).collect();
        let there = own.is_some();
        let found = own.unwrap_or_default();
        if found == wanted {
            return;
        }
        let list = |names: &BTreeSet<&str>| match names.is_empty() {
            true => "no NIC".to_owned(),
            false => names.iter().copied().collect::<Vec<_>>().join(", "),
        };
        let message = format!("the bond on {} has {}, and {} was predicted", bond.name, list(&found), list(&wanted));
        if there || wanted.is_empty() {
            let note = "The server logs why it could not make it: /var/log/xensource.log on the member.";
            return self.add("bond", Severity::Warning, message, "member", self.list_pifs(), note);
        }
        let host = shell_word(&self.predicted.host);
        let nic =
            |nic: &String| format!("$(xe pif-list host-uuid={host} device={} VLAN=-1 --minimal)", shell_word(nic));
        let pifs: Vec<_> = bond.members.iter().map(nic).collect();
        let run = format!(
            "xe bond-create network-uuid={} pif-uuids={} mode={}",
            shell_word(&bond.network),
            pifs.join(","),
            shell_word(&bond.mode)
        );
        let note = "At the console where the bond carries management: the connection may break.";
        self.add("bond", Severity::Warning, message, "member", run, note);
    }

    pub(super) fn vlans(&mut self, host: &str) {
        for vlan in self.predicted.vlans.iter().filter(|vlan| vlan.created) {
            match self.has_vlan(host, vlan) {
                Ok(true) => {}
                Ok(false) => {
                    let run = format!(
                        "xe vlan-create pif-uuid=$(xe pif-list host-uuid={} device=DEVICE VLAN=-1 --minimal) vlan={} network-uuid={}",
                        shell_word(&self.predicted.host),
                        vlan.tag,
                        shell_word(&vlan.network)
                    );
                    let message = format!("VLAN {} ({}) was not made on the host", vlan.tag, vlan.name);
                    let note = "DEVICE is the NIC or bond that carries it on the coordinator.";
                    self.add("vlan", Severity::Warning, message, "member", run, note);
                }
                Err(_) => self.unknown("vlan", &format!("VLAN {} ({}) of the host", vlan.tag, vlan.name)),
            }
        }
    }

    pub(super) fn management(&mut self, host: &str) {
        if self.predicted.management.is_empty() {
            return;
        }
        let network = match self.management_network(host) {
            Err(_) => return self.unknown("management", "the network of the host's management"),
            Ok(network) => network,
        };
        if network != Some(&self.predicted.management) {
            let message = format!(
                "the host's management is on {}, and {} was predicted",
                network.unwrap_or("no network of the pool"),
                self.predicted.management
            );
            let note = "`xe host-management-reconfigure pif-uuid=…` at the host's console moves it.";
            self.add("management", Severity::Warning, message, "member", self.list_pifs(), note);
        }
    }

    /// The bridge under a NIC of the host; nothing where the NIC has no interface.
    fn bridge_of(&self, host: &str, nic: &PredictedNic) -> Found<Option<&'a String>> {
        for pif in self.pifs(host)? {
            if pif.physical == Known::Yes(false) {
                continue;
            }
            let same = match nic.mac.is_empty() {
                true => *need(&pif.device)? == nic.device,
                false => need(&pif.mac)?.eq_ignore_ascii_case(&nic.mac),
            };
            if same {
                return need(&self.network_of(pif)?.bridge).map(Some);
            }
        }
        Ok(None)
    }

    /// The devices in the host's bond on a network; nothing without such a bond.
    fn members_of(&self, host: &str, bond: &PredictedBond) -> Found<Option<BTreeSet<&'a str>>> {
        let (network, pifs) = (need(&self.network(&bond.network)?.reference)?, self.pifs(host)?);
        for record in need(&self.pool.bonds)? {
            let interface = need(&record.interface)?;
            let Some(pif) = find(&pifs, |pif| &pif.reference, interface)? else { continue };
            if need(&pif.network)? != network {
                continue;
            }
            let members = need(&record.members)?;
            let mut devices = BTreeSet::new();
            for pif in &pifs {
                if members.contains(need(&pif.reference)?) {
                    devices.insert(need(&pif.device)?.as_str());
                }
            }
            return Ok(Some(devices));
        }
        Ok(None)
    }

    fn has_vlan(&self, host: &str, vlan: &PredictedVlan) -> Found<bool> {
        let network = need(&self.network(&vlan.network)?.reference)?;
        for pif in self.pifs(host)? {
            if need(&pif.network)? == network && *need(&pif.vlan)? == vlan.tag {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The name of the network that carries the host's management; nothing where no interface does.
    fn management_network(&self, host: &str) -> Found<Option<&'a str>> {
        for pif in self.pifs(host)? {
            if *need(&pif.management)? {
                return Ok(Some(need(&self.network_of(pif)?.name_label)?));
            }
        }
        Ok(None)
    }

    /// A network by its uuid. One that is not there any more is nothing that a command could make a bond or a VLAN on.
    fn network(&self, uuid: &str) -> Found<&'a Network> {
        let networks: Vec<_> = need(&self.pool.networks)?.iter().collect();
        let found = find(&networks, |network| &network.uuid, uuid)?;
        found.ok_or_else(|| Unknown::because(Reason::Unreadable, format!("network {uuid} is not among the records")))
    }

    fn network_of(&self, pif: &Pif) -> Found<&'a Network> {
        let reference = need(&pif.network)?;
        let found = need(&self.pool.networks)?.iter().find(|network| network.reference.text() == Some(reference));
        found.ok_or_else(|| {
            Unknown::because(Reason::Unreadable, format!("network {reference} is not among the records"))
        })
    }

    /// The interfaces of the host.
    fn pifs(&self, host: &str) -> Found<Vec<&'a Pif>> {
        let mut own = Vec::new();
        for pif in need(&self.pool.pifs)? {
            if need(&pif.host)? == host {
                own.push(pif);
            }
        }
        Ok(own)
    }

    fn list_pifs(&self) -> String {
        format!(
            "xe pif-list host-uuid={} params=uuid,device,MAC,VLAN,network-name-label,bond-master-of,IP,management",
            shell_word(&self.predicted.host)
        )
    }
}

/// The record with this reference or uuid; none only where all others tell theirs.
fn find<'a, T>(records: &[&'a T], key: fn(&T) -> &Known<String>, wanted: &str) -> Found<Option<&'a T>> {
    let found = records.iter().find(|record| key(record).text() == Some(wanted));
    if found.is_none() {
        records.iter().try_for_each(|record| need(key(record)).map(|_| ()))?;
    }
    Ok(found.copied())
}
