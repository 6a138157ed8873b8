//! After the join: what the server made wrong or not at all, with lookups for uuids that are new by then.

use super::{Script, reconfigure, step};
use crate::facts::Known;
use crate::network::bonds::{COMPLETE, PARTIAL};
use crate::network::facts::{BondFact, RepairStep};
use crate::text::shell_word;

impl<'s> Script<'s, '_> {
    /// A bond that the server makes wrong or not at all.
    pub(super) fn remake(&mut self, bond: &'s BondFact) {
        if matches!(bond.outcome.text(), None | Some(COMPLETE)) {
            return;
        }
        let (mut nics, absent) = self.wanted(bond);
        if !absent.is_empty() {
            let note = format!(
                "Fit or connect a NIC for {} of {}: {}. The host needs it before the join for the server to make the bond whole.",
                crate::network::bonds::positions_text(&absent),
                bond.device,
                bond.network
            );
            self.before.push(step("cabling", String::new(), note));
        }
        let (Some(host), Some(network)) = (self.host_uuid(), bond.network_uuid.text()) else { return };
        if nics.len() < 2 || nics == bond.joiner_members && bond.outcome.text() == Some(PARTIAL) {
            return;
        }
        nics.sort();
        self.remade.push(network);
        let network = shell_word(network);
        let own = format!("$(xe pif-list host-uuid={host} network-uuid={network} --minimal)");
        if bond.outcome.text() == Some(PARTIAL) {
            let run = format!(
                "xe bond-destroy uuid=$(xe pif-list host-uuid={host} network-uuid={network} params=bond-master-of --minimal)"
            );
            let note =
                format!("The server has made {} with {} alone.", bond.network, bond.joiner_members.join(" and "));
            self.after.push(RepairStep { loses: self.cut(bond), ..step("member", run, note) });
        }
        let pifs: Vec<_> = nics
            .iter()
            .map(|nic| format!("$(xe pif-list host-uuid={host} device={} VLAN=-1 --minimal)", shell_word(nic)))
            .collect();
        let Some(mode) = bond.mode.text() else {
            let note = format!(
                "Make {} of {} as at the coordinator, whose mode was not known: `xe bond-list params=mode`.",
                bond.device,
                nics.join(" and ")
            );
            return self.after.push(step("member", String::new(), note));
        };
        let mut run =
            format!("xe bond-create network-uuid={network} pif-uuids={} mode={}", pifs.join(","), shell_word(mode));
        let record = self.sides.pool_bond(bond);
        if let Some(hashing) = record.and_then(|it| it.properties.get()?.get("hashing_algorithm")) {
            run.push_str(&format!(" properties:hashing_algorithm={}", shell_word(hashing)));
        }
        let mut note = format!("{} as at the coordinator, of {}.", bond.device, nics.join(" and "));
        if bond.outcome.text() != Some(PARTIAL) {
            note.push_str(" Only where the host joined without the bond having been made possible before.");
        }
        self.after.push(step("member", run, note));
        self.address(bond, &own);
    }

    fn cut(&self, bond: &BondFact) -> String {
        match bond.management {
            Known::Yes(false) => "traffic on this bond, until it is made anew".to_owned(),
            _ => "management for a moment: run it at the console".to_owned(),
        }
    }

    /// The joiner's NICs that should be in a bond, and positions for which it has none: those in the coordinator's
    /// positions, and spare ones of the same kind.
    fn wanted(&self, bond: &BondFact) -> (Vec<String>, Vec<String>) {
        let mut nics = bond.joiner_members.clone();
        let mut absent = Vec::new();
        let members = bond.members.iter().filter(|member| !bond.without_position.contains(member));
        for (member, place) in members.zip(&bond.positions) {
            if !bond.missing.contains(place) {
                continue;
            }
            let like = self.sides.coordinator_nics().ok().and_then(|mut nics| nics.find(|nic| nic.device == member));
            let spare = self.facts.landing.each().find(|nic| {
                nic.new_network
                    && (nic.management == Known::Yes(false) || bond.management == Known::Yes(true))
                    && !nics.contains(&nic.device)
                    && like.is_some_and(|like| like.link.kind.get().is_some() && like.link.kind == nic.kind)
            });
            match spare {
                Some(spare) => nics.push(spare.device.clone()),
                None => absent.push(place.to_string()),
            }
        }
        (nics, absent)
    }

    /// The address of a bond that was made by hand.
    fn address(&mut self, bond: &BondFact, own: &str) {
        if bond.management == Known::Yes(true) {
            let record = self.sides.joiner.pool.pifs.each().find(|pif| pif.management == Known::Yes(true));
            match record.and_then(|pif| reconfigure(own, pif)) {
                Some(run) => self.after.push(step("member", run, "The host's own address.".to_owned())),
                None => {
                    let note = "Give it the host's own address first, as it has it now.".to_owned();
                    self.after.push(step("member", String::new(), note));
                }
            }
            self.after.push(step("member", format!("xe host-management-reconfigure pif-uuid={own}"), String::new()));
            return;
        }
        let interface = self.sides.pool_bond(bond);
        let interface = interface.and_then(|it| self.sides.pool.pif(it.interface.text()?).ok());
        if let Some(pif) = interface.filter(|pif| pif.ip_configuration_mode.text() == Some("Static")) {
            let netmask = pif.netmask.text().map_or_else(|| "NETMASK".to_owned(), shell_word);
            let run = format!("xe pif-reconfigure-ip uuid={own} mode=static IP=ADDRESS netmask={netmask}");
            let note = format!(
                "The coordinator has {} here; give the member one of its own.",
                pif.ip.text().unwrap_or_default()
            );
            self.after.push(step("member", run, note));
        }
    }

    /// Networks on which the coordinator has an address of its own and the joiner none.
    pub(super) fn addresses(&mut self) {
        let Some(host) = self.host_uuid() else { return };
        for fact in self.facts.unaddressed.each() {
            // A bond that is made by hand gets its address with it.
            let Some(network) = fact.network_uuid.text().filter(|it| !self.remade.contains(it)) else { continue };
            let own = format!("$(xe pif-list host-uuid={host} network-uuid={} --minimal)", shell_word(network));
            let run = match (fact.mode.as_str(), fact.ipv6) {
                ("Static", false) => {
                    let netmask = Some(fact.netmask.as_str()).filter(|mask| !mask.is_empty());
                    let netmask = netmask.map_or_else(|| "NETMASK".to_owned(), shell_word);
                    format!("xe pif-reconfigure-ip uuid={own} mode=static IP=ADDRESS netmask={netmask}")
                }
                ("Static", true) => format!("xe pif-reconfigure-ipv6 uuid={own} mode=static IPv6=ADDRESS/PREFIX"),
                (_, false) => format!("xe pif-reconfigure-ip uuid={own} mode=dhcp"),
                (mode, true) => {
                    format!("xe pif-reconfigure-ipv6 uuid={own} mode={}", shell_word(&mode.to_lowercase()))
                }
            };
            let ip = if fact.pool_ip.is_empty() { String::new() } else { format!(" ({})", fact.pool_ip) };
            let note = format!("The coordinator has an address on {}{ip}: give the member one.", fact.name_label);
            self.after.push(step("member", run, note));
        }
    }

    /// VLANs that the server skips although the network below them is there, or will be once its bond is mended.
    pub(super) fn vlans(&mut self) {
        let Some(host) = self.host_uuid() else { return };
        for vlan in self.facts.vlans.each() {
            let (Some(network), Some(below)) = (vlan.network_uuid.text(), vlan.below_uuid.text()) else { continue };
            let can = vlan.reason.contains("nosync") || self.remade.contains(&below);
            if vlan.created != Known::Yes(false) || !can {
                continue;
            }
            let run = format!(
                "xe vlan-create pif-uuid=$(xe pif-list host-uuid={host} network-uuid={} --minimal) vlan={} network-uuid={}",
                shell_word(below),
                vlan.tag,
                shell_word(network)
            );
            self.after.push(step("member", run, format!("{}, which the server skips.", vlan.name_label)));
        }
    }

    /// What to compare with the prediction, where there is something to predict beyond plain NICs.
    pub(super) fn look(&mut self) {
        let trivial = self.facts.bonds.each().as_slice().is_empty() && self.after.is_empty();
        if let Some(host) = self.host_uuid().filter(|_| !trivial) {
            let run = format!(
                "xe pif-list host-uuid={host} params=uuid,device,MAC,VLAN,network-name-label,bond-master-of,bond-slave-of,IP,management"
            );
            let note =
                "Compare with the prediction: the server logs what it could not make, and says nothing.".to_owned();
            self.after.push(step("member", run, note));
        }
    }
}
