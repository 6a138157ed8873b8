//! The commands that put the joiner's network right: before the join with the uuids of today, after it with lookups
//! for those that the join makes anew (PIFs and bonds; hosts and networks keep theirs).

use super::bonds::{COMPLETE, PARTIAL};
use super::facts::{BondFact, NetworkFacts, RepairFacts, RepairStep};
use super::nics::Nic;
use super::sides::Sides;
use crate::facts::Known;
use crate::snapshot::Pif;

/// Both scripts.
pub(super) fn repair(sides: &Sides<'_>, facts: &NetworkFacts) -> RepairFacts {
    let mut script = Script { sides, facts, before: Vec::new(), after: Vec::new(), remade: Vec::new() };
    script.exchanged();
    script.management();
    for bond in facts.bonds.each() {
        script.obstacles(bond);
    }
    script.nosync();
    script.vm_networks();
    for bond in facts.bonds.each() {
        script.remake(bond);
    }
    script.addresses();
    script.vlans();
    script.look();
    RepairFacts { before: script.before, after: script.after }
}

struct Script<'s, 'a> {
    sides: &'s Sides<'a>,
    facts: &'s NetworkFacts,
    before: Vec<RepairStep>,
    after: Vec<RepairStep>,
    /// uuids of the networks whose bonds are made by hand.
    remade: Vec<&'s str>,
}

fn step(place: &str, run: String, note: String) -> RepairStep {
    RepairStep { place: place.to_owned(), run, note, loses: String::new() }
}

impl<'s> Script<'s, '_> {
    fn host_uuid(&self) -> Option<&'s str> {
        self.sides.host.get().and_then(|host| host.uuid.text())
    }

    fn nic(&self, device: &str) -> Option<&'s Nic<'s>> {
        self.sides.nics.get()?.iter().find(|nic| nic.device == device)
    }

    /// A PIF's uuid before the join.
    fn uuid(&self, device: &str) -> Option<&'s str> {
        self.nic(device)?.uuid.text()
    }

    /// NICs that are numbered in another order than the pool's.
    fn exchanged(&mut self) {
        let Known::Yes(Some(order)) = &self.facts.order else { return };
        let names: Vec<_> =
            order.swaps.iter().filter_map(|swap| Some(format!("{}={}", swap.like, swap.mac.text()?))).collect();
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
    fn management(&mut self) {
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
                super::bonds::positions_text(&places),
                management.pool_network
            );
            self.before.push(step("cabling", String::new(), note));
            return;
        };
        let (Some(uuid), Some(old)) = (target.uuid.text(), self.nic(old)) else { return };
        let Some(pif) = old.pif else { return };
        let note = format!(
            "Cable {} to the management network first. Management moves from {} to it.",
            target.device, old.device
        );
        self.before.push(step("joiner", reconfigure(uuid, pif), note));
        self.before.push(RepairStep {
            loses: "connections to the host, until they are made anew".to_owned(),
            ..step("joiner", format!("xe host-management-reconfigure pif-uuid={uuid}"), String::new())
        });
        if let Some(old_uuid) = old.uuid.text() {
            let note = format!("Take the address from {}, which no longer needs it.", old.device);
            self.before.push(step("joiner", format!("xe pif-reconfigure-ip uuid={old_uuid} mode=none"), note));
        }
    }

    /// What keeps the server from making a bond.
    fn obstacles(&mut self, bond: &BondFact) {
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

    /// Keeps the address of management, else of the first member.
    fn one_address(&mut self, bond: &BondFact) {
        let members = self.members(bond);
        let with: Vec<_> = members
            .into_iter()
            .filter(|(_, pif)| pif.ip_configuration_mode.text().is_some_and(|mode| mode != "None"))
            .collect();
        let kept = with.iter().position(|(_, pif)| pif.management == Known::Yes(true)).unwrap_or(0);
        for (index, (nic, pif)) in with.iter().enumerate() {
            let Some(uuid) = nic.uuid.text().filter(|_| index != kept) else { continue };
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
            let (Some(uuid), Some(mac)) = (nic.uuid.text(), nic.mac.text()) else { continue };
            let note = format!("Let the toolstack manage {}, a member of {}.", nic.device, bond.device);
            self.before.push(step("joiner", format!("xe pif-forget uuid={uuid}"), note));
            let run = format!("xe pif-introduce host-uuid={host} device={} mac={mac} managed=true", nic.device);
            self.before.push(step("joiner", run, String::new()));
        }
    }

    fn one_type(&mut self, bond: &BondFact) {
        let members = self.members(bond);
        let model = members.iter().find(|(_, pif)| pif.management == Known::Yes(true)).or(members.first());
        let Some(wanted) = model.and_then(|(_, pif)| pif.primary_address_type.text()) else { return };
        for (nic, pif) in &members {
            let Some(uuid) = nic.uuid.text().filter(|_| pif.primary_address_type.text() != Some(wanted)) else {
                continue;
            };
            let run =
                format!("xe pif-set-primary-address-type uuid={uuid} primary_address_type={}", wanted.to_lowercase());
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
            let pairs: Vec<_> =
                wanted.iter().map(|(key, value)| quoted(&format!("properties:{key}={value}"))).collect();
            let note = format!("Members of {} must have the same properties.", bond.device);
            self.before.push(step("joiner", format!("xe pif-param-set uuid={uuid} {}", pairs.join(" ")), note));
        }
    }

    /// A joiner that asks the server not to make VLANs on it.
    fn nosync(&mut self) {
        let Some(host) = self.sides.host.get() else { return };
        let asked =
            host.other_config.get().and_then(|settings| settings.get("sync_vlans")).is_some_and(|it| it == "nosync");
        if let Some(uuid) = host.uuid.text().filter(|_| asked && !self.facts.vlans.each().as_slice().is_empty()) {
            let run = format!("xe host-param-remove uuid={uuid} param-name=other-config param-key=sync_vlans");
            self.before.push(step("joiner", run, "Let the server make the pool's VLANs on this host.".to_owned()));
        }
    }

    /// Networks of VMs that would become another network of the pool.
    fn vm_networks(&mut self) {
        let host = self.sides.host.get().and_then(|host| host.name_label.text()).unwrap_or("joiner");
        for network in self.facts.vm_networks.each() {
            let name = &network.name_label;
            match (network.outcome.as_str(), network.uuid.text()) {
                ("by-name", Some(uuid)) => {
                    let new = quoted(&format!("name-label={name} ({host})"));
                    let note = format!(
                        "Unless it is the same network: give it a name of its own, or its VMs come to be on the pool's {name} ({}).",
                        network.target_bridge
                    );
                    self.before.push(step("joiner", format!("xe network-param-set uuid={uuid} {new}"), note));
                }
                ("by-bridge", _) if network.internal => {
                    let run = format!("xe network-create {}", quoted(&format!("name-label={name}")));
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
                let new = quoted(&format!("name-label={name} ({})", index + 2));
                let note = "Several networks of the pool have this name; VMs come to be on any of them.".to_owned();
                step("coordinator", format!("xe network-param-set uuid={uuid} {new}"), note)
            })
            .collect();
        self.before.extend(steps);
    }

    /// A bond that the server makes wrong or not at all.
    fn remake(&mut self, bond: &'s BondFact) {
        if matches!(bond.outcome.text(), None | Some(COMPLETE)) {
            return;
        }
        let (mut nics, absent) = self.wanted(bond);
        if !absent.is_empty() {
            let note = format!(
                "Fit or connect a NIC for {} of {}: {}. The host needs it before the join for the server to make the bond whole.",
                super::bonds::positions_text(&absent),
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
            .map(|nic| format!("$(xe pif-list host-uuid={host} device={nic} VLAN=-1 --minimal)"))
            .collect();
        let mode = bond.mode.text().unwrap_or("balance-slb");
        let mut run = format!("xe bond-create network-uuid={network} pif-uuids={} mode={mode}", pifs.join(","));
        let record = self.sides.pool.pool.bonds.each().find(|it| it.uuid == bond.uuid);
        if let Some(hashing) = record.and_then(|it| it.properties.get()?.get("hashing_algorithm")) {
            run.push_str(&format!(" {}", quoted(&format!("properties:hashing_algorithm={hashing}"))));
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
            if let Some(pif) = record {
                self.after.push(step("member", reconfigure(own, pif), "The host's own address.".to_owned()));
            }
            self.after.push(step("member", format!("xe host-management-reconfigure pif-uuid={own}"), String::new()));
            return;
        }
        let interface = self.sides.pool.pool.bonds.each().find(|it| it.uuid == bond.uuid);
        let interface = interface.and_then(|it| self.sides.pool.pif(it.interface.text()?).ok());
        if let Some(pif) = interface.filter(|pif| pif.ip_configuration_mode.text() == Some("Static")) {
            let netmask = pif.netmask.text().unwrap_or("<netmask>");
            let run = format!("xe pif-reconfigure-ip uuid={own} mode=static IP=ADDRESS netmask={netmask}");
            let note = format!(
                "The coordinator has {} here; give the member one of its own.",
                pif.ip.text().unwrap_or_default()
            );
            self.after.push(step("member", run, note));
        }
    }

    /// Networks on which the coordinator has an address of its own, for storage above all, and the joiner none.
    fn addresses(&mut self) {
        let whole = self.facts.bonds.each().filter(|bond| bond.outcome.text() == Some(COMPLETE));
        let bonds = whole.filter_map(|bond| {
            let record = self.sides.pool.pool.bonds.each().find(|it| it.uuid == bond.uuid)?;
            let interface = self.sides.pool.pif(record.interface.text()?).ok()?;
            Some((interface, bond.network_uuid.text()?, &bond.network, bond.joiner_members.clone()))
        });
        let nics = self.facts.landing.each().filter(|nic| nic.bond.is_none()).filter_map(|nic| {
            let other = self.sides.coordinator_nics().ok()?.find(|other| other.bridge == nic.bridge)?;
            Some((other.pif, nic.network_uuid.as_deref()?, &nic.network, vec![nic.device.clone()]))
        });
        let mut steps = Vec::new();
        for (pif, network, name, devices) in bonds.chain(nics) {
            let idle = |device: &String| {
                self.nic(device)
                    .and_then(|nic| nic.pif)
                    .is_some_and(|pif| pif.ip_configuration_mode.text() == Some("None"))
            };
            let Some(host) = self.host_uuid().filter(|_| devices.iter().all(idle)) else { continue };
            if pif.management != Known::Yes(false) {
                continue;
            }
            let own = format!("$(xe pif-list host-uuid={host} network-uuid={network} --minimal)");
            let run = match pif.ip_configuration_mode.text() {
                Some("Static") => format!(
                    "xe pif-reconfigure-ip uuid={own} mode=static IP=ADDRESS netmask={}",
                    pif.netmask.text().unwrap_or("<netmask>")
                ),
                Some("DHCP") => format!("xe pif-reconfigure-ip uuid={own} mode=dhcp"),
                _ => continue,
            };
            let ip = pif.ip.text().filter(|ip| !ip.is_empty()).map(|ip| format!(" ({ip})")).unwrap_or_default();
            steps.push(step(
                "member",
                run,
                format!("The coordinator has an address on {name}{ip}: give the member one."),
            ));
        }
        self.after.extend(steps);
    }

    /// VLANs that the server skips although the network below them is there, or will be once its bond is mended.
    fn vlans(&mut self) {
        let Some(host) = self.host_uuid() else { return };
        for vlan in self.facts.vlans.each() {
            let (Some(network), Some(below)) = (vlan.network_uuid.text(), vlan.below_uuid.text()) else { continue };
            let can = vlan.reason.contains("nosync") || self.remade.contains(&below);
            if vlan.created != Known::Yes(false) || !can {
                continue;
            }
            let run = format!(
                "xe vlan-create pif-uuid=$(xe pif-list host-uuid={host} network-uuid={below} --minimal) vlan={} network-uuid={network}",
                vlan.tag
            );
            self.after.push(step("member", run, format!("{}, which the server skips.", vlan.name_label)));
        }
    }

    /// What to compare with the prediction, where there is something to predict beyond plain NICs.
    fn look(&mut self) {
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

/// The command that gives a PIF the address that another has now.
fn reconfigure(uuid: &str, from: &Pif) -> String {
    let mut run = format!("xe pif-reconfigure-ip uuid={uuid} mode=");
    if from.ip_configuration_mode.text() != Some("Static") {
        run.push_str("dhcp");
        return run;
    }
    run.push_str("static");
    for (name, value) in
        [("IP", &from.ip), ("netmask", &from.netmask), ("gateway", &from.gateway), ("DNS", &from.dns)]
    {
        if let Some(value) = value.text().filter(|value| !value.is_empty()) {
            run.push_str(&format!(" {}", quoted(&format!("{name}={value}"))));
        }
    }
    run
}

/// One word for a shell.
fn quoted(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./:,@%+=".contains(&byte);
    if word.bytes().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}
