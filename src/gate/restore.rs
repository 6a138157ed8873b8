//! The script that gives an ejected host its network back: bonds, VLANs, addresses, management. Written before the eject,
//! because afterwards nobody knows them. Run at the host's console, once it stands alone again.

use std::fmt::Write as _;

use crate::facts::{Known, Reason};
use crate::snapshot::{Bond, Host, Network, Pif, Pool};
use crate::text::{plain, shell_word};

/// Whether a text is such a script, for the host with this uuid.
pub fn is_restore_script(text: &str, uuid: &str) -> bool {
    let about = text.strip_prefix(SHELL).and_then(|rest| rest.trim_start().lines().next()).unwrap_or_default();
    !uuid.is_empty() && about.starts_with(ABOUT) && about.contains(&format!("({uuid})"))
}

/// What a script begins with.
const SHELL: &str = "#!/bin/sh\n";
/// And goes on with.
const ABOUT: &str = "# Network of ";

/// The script.
pub fn restore_script(pool: &Pool, member: &Host, seen: &str) -> String {
    let reference = member.reference.text().unwrap_or_default();
    let mut pifs: Vec<_> = pool.pifs.each().filter(|pif| pif.host.text() == Some(reference)).collect();
    pifs.sort_by_key(|pif| (pif.device.text(), pif.vlan.get()));
    let mut script = Script { pool, pifs, out: String::new() };
    script.head(member, seen);
    script.nics();
    script.bonds();
    script.vlans();
    script.addresses();
    script.management();
    script.left();
    script.out
}

struct Script<'a> {
    pool: &'a Pool,
    pifs: Vec<&'a Pif>,
    out: String,
}

impl<'a> Script<'a> {
    fn line(&mut self, text: &str) {
        self.out.push_str(text);
        self.out.push('\n');
    }

    /// A line that is only read. Names come from servers: none may end the line.
    fn comment(&mut self, text: &str) {
        let _ = writeln!(self.out, "# {}", plain(text));
    }

    fn head(&mut self, member: &Host, seen: &str) {
        self.out.push_str(SHELL);
        let name = member.name_label.text().unwrap_or("the host");
        self.comment(&format!(
            "Network of {name} ({}) as it was in pool {}{}.",
            member.uuid.text().unwrap_or("uuid unknown"),
            self.pool.label(),
            if seen.is_empty() { String::new() } else { format!(" at {seen}") }
        ));
        self.comment(
            "Run it as root at the host's console, once the host stands alone again. It stops at the first error.",
        );
        self.comment("Networks are made anew; VMs that join a pool later find theirs by name. SR-IOV and tunnels are left to you.");
        self.line("set -eu");
        self.line("HOST=$(xe host-list --minimal)");
        self.line("case $HOST in *,*) echo 'this host is a member of a pool: nothing done' >&2; exit 1;; esac");
        self.line("nic() { # the interface of a NIC, by its MAC address");
        self.line("  uuid=$(xe pif-list host-uuid=\"$HOST\" MAC=\"$1\" physical=true --minimal)");
        self.line("  [ -n \"$uuid\" ] || { echo \"no NIC with MAC address $1\" >&2; exit 1; }");
        self.line("  echo \"$uuid\"");
        self.line("}");
    }

    /// What is left out because it is not known. Nobody else can tell later.
    fn gap(&mut self, pif: &Pif, what: &str) {
        let device = pif.device.text().unwrap_or("an interface");
        self.comment(&format!("Not made again here: {device}; {what} was not known."));
    }

    fn network(&self, pif: &Pif) -> Option<&'a Network> {
        let reference = pif.network.text()?;
        self.pool.networks.each().find(|network| network.reference.text() == Some(reference))
    }

    fn name(&self, pif: &Pif) -> String {
        self.network(pif).and_then(|network| network.name_label.text()).unwrap_or("restored").to_owned()
    }

    fn nics(&mut self) {
        let nics: Vec<_> = self.pifs.iter().copied().filter(|pif| pif.physical == Known::Yes(true)).collect();
        if nics.is_empty() {
            self.comment("The host's NICs were not known.");
        }
        for pif in nics {
            let Some(mac) = pif.mac.text() else {
                self.gap(pif, "its MAC address");
                continue;
            };
            let (variable, name) = (variable(pif), self.name(pif));
            // An assignment that fails stops the script; a failing argument would not.
            self.line(&format!("NIC_{variable}=$(nic {})", shell_word(mac)));
            self.line(&format!(
                "NET_{variable}=$(xe pif-param-get uuid=\"$NIC_{variable}\" param-name=network-uuid)"
            ));
            self.line(&format!("xe network-param-set uuid=\"$NET_{variable}\" name-label={}", shell_word(&name)));
            self.mtu(&variable, pif);
        }
    }

    fn mtu(&mut self, variable: &str, pif: &Pif) {
        if let Some(mtu) = self.network(pif).and_then(|network| network.mtu.get()).filter(|mtu| **mtu != 1500) {
            self.line(&format!("xe network-param-set uuid=\"$NET_{variable}\" MTU={mtu}"));
        }
    }

    fn bonds(&mut self) {
        for pif in self.pifs.clone() {
            let bond = match &pif.bond_master_of {
                Known::Yes(bonds) if bonds.is_empty() => continue,
                Known::Yes(_) => self.bond_of(pif),
                Known::No(_) if pif.physical == Known::Yes(true) => continue,
                Known::No(_) => None,
            };
            let Some(bond) = bond else {
                self.gap(pif, "its bond");
                continue;
            };
            let (Some(members), Some(mode)) = (self.members(bond), bond.mode.text()) else {
                self.gap(pif, if bond.mode.get().is_some() { "one of its members" } else { "its mode" });
                continue;
            };
            let members: Vec<_> = members.into_iter().map(|pif| self.interface(pif)).collect();
            let device = variable(pif);
            let name = self.name(pif);
            self.make_network(&device, pif, &name);
            let mut run = format!(
                "xe bond-create network-uuid=\"$NET_{device}\" pif-uuids=\"{}\" mode={}",
                members.join(","),
                shell_word(mode)
            );
            if let Some(hashing) = bond.properties.get().and_then(|properties| properties.get("hashing_algorithm")) {
                let _ = write!(run, " properties:hashing_algorithm={}", shell_word(hashing));
            }
            self.line(&run);
            self.line(&format!(
                "PIF_{device}=$(xe pif-list host-uuid=\"$HOST\" network-uuid=\"$NET_{device}\" --minimal)"
            ));
        }
    }

    fn bond_of(&self, pif: &Pif) -> Option<&'a Bond> {
        let bond = pif.bond_master_of.get()?.first()?;
        self.pool.bonds.each().find(|it| it.reference.text() == Some(bond))
    }

    /// The NICs of a bond; none where one of them is not known, and the bond would be another.
    fn members(&self, bond: &Bond) -> Option<Vec<&'a Pif>> {
        let nic = |member: &String| {
            self.pifs.iter().copied().find(|pif| pif.reference.text() == Some(member) && self.is_nic(pif))
        };
        bond.members.get()?.iter().map(nic).collect()
    }

    fn make_network(&mut self, variable: &str, pif: &Pif, name: &str) {
        self.line(&format!("NET_{variable}=$(xe network-create name-label={})", shell_word(name)));
        self.mtu(variable, pif);
    }

    /// Whether the script makes or finds this interface; not those of SR-IOV networks and tunnels.
    fn is_made(&self, pif: &Pif) -> bool {
        let bond = || self.bond_of(pif).is_some_and(|bond| bond.mode.get().is_some() && self.members(bond).is_some());
        self.is_nic(pif) || bond()
    }

    /// Whether it is a NIC that can be found again.
    fn is_nic(&self, pif: &Pif) -> bool {
        pif.physical == Known::Yes(true) && pif.mac.get().is_some()
    }

    fn vlans(&mut self) {
        for pif in self.pifs.clone() {
            match (&pif.vlan_master_of, pif.vlan.get()) {
                (Known::Yes(None), _) | (Known::No(_), Some(..0)) => continue,
                (Known::No(_), None) if pif.physical == Known::Yes(true) => continue,
                _ => {}
            }
            let Some((below, tag)) = self.vlan_of(pif) else {
                self.gap(pif, "its VLAN");
                continue;
            };
            let name = self.name(pif);
            let variable = variable(pif);
            if !self.is_made(below) {
                self.comment(&format!("Not made again here: VLAN {tag} ({name}), on what is no NIC and no bond."));
                continue;
            }
            let below = self.interface(below);
            // An ejected host comes back with management's VLAN, and bonds take it with them.
            let kept = pif.management == Known::Yes(true);
            if kept {
                self.line(&format!(
                    "PIF_{variable}=$(xe pif-list host-uuid=\"$HOST\" VLAN={tag} management=true --minimal)"
                ));
                self.line(&format!("if [ -n \"$PIF_{variable}\" ]; then"));
                self.line(&format!(
                    "NET_{variable}=$(xe pif-param-get uuid=\"$PIF_{variable}\" param-name=network-uuid)"
                ));
                self.line(&format!("xe network-param-set uuid=\"$NET_{variable}\" name-label={}", shell_word(&name)));
                self.line("else");
            }
            self.make_network(&variable, pif, &name);
            self.line(&format!(
                "PIF_{variable}=$(xe vlan-create network-uuid=\"$NET_{variable}\" pif-uuid=\"{below}\" vlan={tag})"
            ));
            if kept {
                self.line("fi");
            }
        }
    }

    /// What a VLAN's interface is on, and its tag.
    fn vlan_of(&self, pif: &Pif) -> Option<(&'a Pif, i64)> {
        let reference = pif.vlan_master_of.get()?.as_deref()?;
        let vlan = self.pool.vlans.each().find(|vlan| vlan.reference.text() == Some(reference))?;
        let below = vlan.tagged_pif.text()?;
        let below = self.pifs.iter().copied().find(|pif| pif.reference.text() == Some(below))?;
        Some((below, *vlan.tag.get()?))
    }

    /// An interface as the script names it.
    fn interface(&self, pif: &Pif) -> String {
        let kind = if pif.physical == Known::Yes(true) { "NIC" } else { "PIF" };
        format!("${kind}_{}", variable(pif))
    }

    fn addresses(&mut self) {
        for pif in self.pifs.clone().into_iter().filter(|pif| pif.management != Known::Yes(true)) {
            match pif.ip_configuration_mode.text() {
                Some("None") => {}
                Some(_) if self.is_named(pif) => {
                    let run = self.reconfigure(pif);
                    self.line(&run);
                }
                Some(_) => self.comment(&format!(
                    "Not set again here: the address of {}.",
                    pif.device.text().unwrap_or("an interface")
                )),
                None => self.gap(pif, "how it has its address"),
            }
            self.ipv6(pif);
        }
    }

    /// An IPv6 address. Whether the interface exists is asked before it is set.
    fn ipv6(&mut self, pif: &Pif) {
        let mode = match &pif.ipv6_configuration_mode {
            Known::Yes(mode) if mode == "None" => return,
            Known::Yes(mode) => mode.as_str(),
            // Old releases have none.
            Known::No(why) if why.reason == Reason::AbsentOnRelease => return,
            Known::No(_) => return self.gap(pif, "how it has its IPv6 address"),
        };
        if !self.is_named(pif) {
            return self.comment(&format!(
                "Not set again here: {mode} IPv6 of {}.",
                pif.device.text().unwrap_or("an interface")
            ));
        }
        let interface = self.interface(pif);
        let address = pif.ipv6.each().find(|address| !address.starts_with("fe80:"));
        match (mode, address) {
            ("Static", Some(address)) => self.line(&format!(
                "xe pif-reconfigure-ipv6 uuid=\"{interface}\" mode=static IPv6={}",
                shell_word(address)
            )),
            ("Static", None) => self.comment(&format!("The IPv6 address of {interface} was not known.")),
            (mode, _) => {
                self.line(&format!("xe pif-reconfigure-ipv6 uuid=\"{interface}\" mode={}", mode.to_lowercase()))
            }
        }
    }

    /// Whether the script has a variable for an interface.
    fn is_named(&self, pif: &Pif) -> bool {
        self.is_made(pif) || self.vlan_of(pif).is_some_and(|(below, _)| self.is_made(below))
    }

    fn reconfigure(&self, pif: &Pif) -> String {
        let mut run = format!("xe pif-reconfigure-ip uuid=\"{}\" mode=", self.interface(pif));
        if pif.ip_configuration_mode.text() != Some("Static") {
            run.push_str("dhcp");
            return run;
        }
        run.push_str("static");
        for (key, value) in [("IP", &pif.ip), ("netmask", &pif.netmask), ("gateway", &pif.gateway), ("DNS", &pif.dns)]
        {
            if let Some(value) = value.text().filter(|value| !value.is_empty()) {
                let _ = write!(run, " {key}={}", shell_word(value));
            }
        }
        run
    }

    fn management(&mut self) {
        let pif = self.pifs.iter().copied().find(|pif| pif.management == Known::Yes(true));
        let Some(pif) = pif else {
            return self.comment("Where management was is not known.");
        };
        if pif.physical == Known::Yes(true) {
            return self.comment(&format!(
                "Management stays on {}, where the host comes back with it.",
                pif.device.text().unwrap_or("its NIC")
            ));
        }
        if !self.is_named(pif) {
            return self.gap(pif, "what management is on");
        }
        self.comment("Management moves last: the connection breaks here when this is not run at the console.");
        match pif.ip_configuration_mode.text() {
            Some("None") => {}
            Some(_) => {
                let run = self.reconfigure(pif);
                self.line(&run);
            }
            None => return self.gap(pif, "how management has its address"),
        }
        self.ipv6(pif);
        let run = format!("xe host-management-reconfigure pif-uuid=\"{}\"", self.interface(pif));
        self.line(&run);
    }

    /// Whether a reference may lead to an interface of the host.
    fn has(&self, reference: &Known<String>) -> bool {
        reference.text().is_none_or(|reference| self.pifs.iter().any(|pif| pif.reference.text() == Some(reference)))
    }

    fn left(&mut self) {
        let tunnels = self.pool.tunnels.each().filter(|tunnel| self.has(&tunnel.access_pif));
        let sriovs = self.pool.network_sriovs.each().filter(|sriov| self.has(&sriov.logical_pif));
        let (tunnels, sriovs) = (tunnels.count(), sriovs.count());
        if tunnels + sriovs > 0 {
            self.comment(&format!("Not made again here: {tunnels} tunnels, {sriovs} SR-IOV networks."));
        }
        self.line("xe pif-list params=device,MAC,VLAN,network-name-label,IP,management");
    }
}

/// What an interface is called in the script: its device, and its tag where it has one.
fn variable(pif: &Pif) -> String {
    let device: String = pif.device.text().unwrap_or("pif").chars().filter(char::is_ascii_alphanumeric).collect();
    match pif.vlan.get() {
        Some(tag) if *tag >= 0 => format!("{device}_{tag}"),
        _ => device,
    }
}
