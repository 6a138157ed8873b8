//! Before the join: the host is put into the pool's shape, with the uuids of today.

use super::{Script, reconfigure, step};
use crate::facts::Known;
use crate::network::facts::{BondFact, RepairStep};
use crate::network::nics::Nic;
use crate::snapshot::Pif;
use crate::text::shell_word;

impl<'s> Script<'s, '_> {
    /// NICs that are numbered in another order than the pool's.
    pub(super) fn exchanged(&mut self) {
        let Known::Yes(Some(order)) = &self.facts.order else { return };
        let names: Vec<_> = order
            .swaps
            .iter()
            .filter_map(|swap| Some(format!("{}={}", shell_word(&swap.like), shell_word(swap.mac.text()?))))
            .collect();
        if names.len() != order.swaps.len() {
            return;
        }
        let forget: Vec<_> = order
            .swaps
            .iter()
            .filter_map(|swap| Some(format!("`xe pif-forget uuid={}`", self.uuid(&swap.device)?)))
            .collect();
        let mut note =
            "The NICs look like the pool's in another order. Compare the cabling first; where it is not to \
                        be changed, rename them at the console and reboot."
                .to_owned();
        if let Some(host) = self.host_uuid().filter(|_| !forget.is_empty()) {
            note.push_str(&format!(
                " Where PIFs keep the old order after that: {}, then `xe pif-scan host-uuid={host}`.",
                forget.join(", ")
            ));
        }
        self.before.push(RepairStep {
            loses: "the host's network until it has rebooted".to_owned(),
            ..step("joiner", format!("interface-rename --update {}", names.join(" ")), note)
        });
    }

    /// Management on a NIC that is none of the coordinator's management.
    pub(super) fn management(&mut self) {
        let Known::Yes(management) = &self.facts.management else { return };
        if management.aligned {
            return;
        }
        let target = management
            .pool_positions
            .iter()
            .find_map(|place| self.sides.nics.get()?.iter().find(|nic| nic.position == Some(*place)));
        let (Some(target), [old]) = (target, management.nics.as_slice()) else {
            let places: Vec<_> = management.pool_positions.iter().map(ToString::to_string).collect();
            let note = format!(
                "Connect a NIC in {} to the pool's management network {}, and move management there.",
                crate::network::bonds::positions_text(&places),
                management.pool_network
            );
            self.before.push(step("cabling", String::new(), note));
            return;
        };
        let Some(old) = self.nic(old) else { return };
        self.moved = Some((&old.device, &target.device));
        let Some((uuid, run)) = self.movable(old).and_then(|pif| {
            let uuid = shell_word(target.uuid.text()?);
            let run = reconfigure(&uuid, pif)?;
            Some((uuid, run))
        }) else {
            let note = format!(
                "Cable {} to the management network and move management there from {}, at the console: with its VLAN, its address and its type of address.",
                target.device, old.device
            );
            self.before.push(step("joiner", String::new(), note));
            return;
        };
        let note = format!(
            "Cable {} to the management network first. Management moves from {} to it.",
            target.device, old.device
        );
        self.before.push(step("joiner", run, note));
        self.before.push(RepairStep {
            loses: "connections to the host, until they are made anew".to_owned(),
            ..step("joiner", format!("xe host-management-reconfigure pif-uuid={uuid}"), String::new())
        });
        if let Some(old_uuid) = old.uuid.text().map(shell_word) {
            let note = format!("Take the address from {}, which no longer needs it.", old.device);
            self.before.push(step("joiner", format!("xe pif-reconfigure-ip uuid={old_uuid} mode=none"), note));
        }
    }

    /// The interface of management, where two commands move it: on the NIC itself, without a VLAN, by IPv4.
    fn movable(&self, nic: &Nic<'s>) -> Option<&'s Pif> {
        let pif = nic.pif.filter(|pif| pif.management == Known::Yes(true))?;
        // Older releases know IPv4 alone.
        let ipv6 = pif.primary_address_type.text() == Some("IPv6");
        (!ipv6).then_some(pif)
    }

    /// What keeps the server from making a bond.
    pub(super) fn obstacles(&mut self, bond: &BondFact) {
        for code in &bond.codes {
            match code.as_str() {
                "several-addresses" => self.one_address(bond),
                "not-managed" => self.manage(bond),
                "address-type" => self.one_type(bond),
                "properties" => self.one_set(bond),
                _ => {}
            }
        }
    }

    fn members(&self, bond: &BondFact) -> Vec<(&'s Nic<'s>, &'s Pif)> {
        let nics = bond.joiner_members.iter().filter_map(|device| self.nic(device));
        nics.filter_map(|nic| Some((nic, nic.pif?))).collect()
    }

    /// Whether management is moved off a NIC.
    fn leaves(&self, nic: &Nic<'_>) -> bool {
        self.moved.is_some_and(|(from, _)| from == nic.device)
    }

    /// Whether management is moved to a NIC.
    fn comes(&self, nic: &Nic<'_>) -> bool {
        self.moved.is_some_and(|(_, to)| to == nic.device)
    }

    /// Whether management is on a NIC at the join.
    fn carries(&self, nic: &Nic<'_>, pif: &Pif) -> bool {
        self.comes(nic) || pif.management == Known::Yes(true) && !self.leaves(nic)
    }

    /// Keeps the address of management, where that is or is moved to, else of the first member.
    fn one_address(&mut self, bond: &BondFact) {
        let addressed = |pif: &Pif| pif.ip_configuration_mode.text().is_some_and(|mode| mode != "None");
        let mut with = self.members(bond);
        with.retain(|(nic, pif)| self.comes(nic) || addressed(pif) && !self.leaves(nic));
        let kept = with.iter().position(|(nic, pif)| self.carries(nic, pif)).unwrap_or(0);
        for (index, (nic, pif)) in with.iter().enumerate() {
            let Some(uuid) = nic.uuid.text().map(shell_word).filter(|_| index != kept) else { continue };
            let note = format!("Only one member of {} may have an address.", bond.device);
            self.before.push(RepairStep {
                loses: format!("the address {} of {}", pif.ip.text().unwrap_or_default(), nic.device),
                ..step("joiner", format!("xe pif-reconfigure-ip uuid={uuid} mode=none"), note)
            });
        }
    }

    fn manage(&mut self, bond: &BondFact) {
        let Some(host) = self.host_uuid() else { return };
        for (nic, pif) in self.members(bond) {
            if pif.managed != Known::Yes(false) {
                continue;
            }
            let (Some(uuid), Some(mac)) = (nic.uuid.text().map(shell_word), nic.mac.text().map(shell_word)) else {
                continue;
            };
            let note = format!("Let the toolstack manage {}, a member of {}.", nic.device, bond.device);
            self.before.push(step("joiner", format!("xe pif-forget uuid={uuid}"), note));
            let mut run = format!("xe pif-introduce host-uuid={host} device={} mac={mac}", shell_word(&nic.device));
            if self.tells_managed() {
                run.push_str(" managed=true");
            }
            self.before.push(step("joiner", run, String::new()));
        }
    }

    /// Whether the command takes `managed`: since 7.0, which brought API 2.5. Before, what is introduced is managed.
    fn tells_managed(&self) -> bool {
        let host = self.sides.host.get();
        let version = host.and_then(|host| Some((*host.api_version_major.get()?, *host.api_version_minor.get()?)));
        version.is_none_or(|version| version >= (2, 5))
    }

    fn one_type(&mut self, bond: &BondFact) {
        let members = self.members(bond);
        let stays = || members.iter().find(|(nic, _)| !self.leaves(nic));
        let model = members.iter().find(|(nic, pif)| self.carries(nic, pif)).or_else(stays);
        let Some(wanted) = model.and_then(|(_, pif)| pif.primary_address_type.text()) else { return };
        for (nic, pif) in &members {
            let Some(uuid) = nic.uuid.text().filter(|_| pif.primary_address_type.text() != Some(wanted)) else {
                continue;
            };
            let run = format!(
                "xe pif-set-primary-address-type uuid={} primary_address_type={}",
                shell_word(uuid),
                shell_word(&wanted.to_lowercase())
            );
            let note = format!("Members of {} must have one primary address type.", bond.device);
            self.before.push(step("joiner", run, note));
        }
    }

    fn one_set(&mut self, bond: &BondFact) {
        let members = self.members(bond);
        let Some((_, model)) = members.first() else { return };
        let Known::Yes(wanted) = &model.properties else { return };
        for (nic, pif) in &members[1..] {
            let Some(uuid) = nic.uuid.text().filter(|_| pif.properties != model.properties) else { continue };
            let pairs: Vec<_> = wanted
                .iter()
                .map(|(key, value)| format!("properties:{}={}", shell_word(key), shell_word(value)))
                .collect();
            let note = format!("Members of {} must have the same properties.", bond.device);
            self.before.push(step(
                "joiner",
                format!("xe pif-param-set uuid={} {}", shell_word(uuid), pairs.join(" ")),
                note,
            ));
        }
    }

    /// A joiner that asks the server not to make VLANs on it.
    pub(super) fn nosync(&mut self) {
        let Some(host) = self.sides.host.get() else { return };
        let asked =
            host.other_config.get().and_then(|settings| settings.get("sync_vlans")).is_some_and(|it| it == "nosync");
        if let Some(uuid) = host.uuid.text().filter(|_| asked && !self.facts.vlans.each().as_slice().is_empty()) {
            let run = format!(
                "xe host-param-remove uuid={} param-name=other-config param-key=sync_vlans",
                shell_word(uuid)
            );
            self.before.push(step("joiner", run, "Let the server make the pool's VLANs on this host.".to_owned()));
        }
    }

    /// Networks of VMs that would become another network of the pool.
    pub(super) fn vm_networks(&mut self) {
        let host = self.sides.host.get().and_then(|host| host.name_label.text()).unwrap_or("joiner");
        for network in self.facts.vm_networks.each() {
            let name = &network.name_label;
            match (network.outcome.as_str(), network.uuid.text()) {
                ("by-name", Some(uuid)) => {
                    let new = shell_word(&format!("{name} ({host})"));
                    let note = format!(
                        "Unless it is the same network: give it a name of its own, or its VMs come to be on the pool's {name} ({}).",
                        network.target_bridge
                    );
                    self.before.push(step(
                        "joiner",
                        format!("xe network-param-set uuid={} name-label={new}", shell_word(uuid)),
                        note,
                    ));
                }
                ("by-bridge", _) if network.internal => {
                    let run = format!("xe network-create name-label={}", shell_word(name));
                    let note = format!(
                        "A network of this name in the pool keeps its VMs from the pool's {} ({}).",
                        network.target, network.target_bridge
                    );
                    self.before.push(step("coordinator", run, note));
                }
                ("ambiguous", _) | ("by-name", None) => {
                    self.rename_others(name, &network.candidates, &network.bridge)
                }
                _ => {}
            }
        }
    }

    fn rename_others(&mut self, name: &str, candidates: &[String], bridge: &str) {
        let networks: Vec<_> = self.sides.pool.pool.networks.each().collect();
        let others = candidates.iter().filter(|uuid| {
            networks.iter().any(|it| it.uuid.text() == Some(uuid) && it.bridge.text() != Some(bridge))
        });
        let steps: Vec<_> = others
            .enumerate()
            .map(|(index, uuid)| {
                let new = shell_word(&format!("{name} ({})", index + 2));
                let note = "Several networks of the pool have this name; VMs come to be on any of them.".to_owned();
                step("coordinator", format!("xe network-param-set uuid={} name-label={new}", shell_word(uuid)), note)
            })
            .collect();
        self.before.extend(steps);
    }
}
