//! The commands that put the joiner's network right: before the join with the uuids of today, after it with lookups
//! for those that the join makes anew (PIFs and bonds; hosts and networks keep theirs).

mod after;
mod before;

use super::facts::{NetworkFacts, RepairFacts, RepairStep};
use super::nics::Nic;
use super::sides::Sides;
use crate::snapshot::Pif;
use crate::text::shell_word;

/// Both scripts.
pub(super) fn repair(sides: &Sides<'_>, facts: &NetworkFacts) -> RepairFacts {
    let mut script = Script { sides, facts, before: Vec::new(), after: Vec::new(), moved: None, remade: Vec::new() };
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
    /// The devices from and to which management is moved.
    moved: Option<(&'s str, &'s str)>,
    /// uuids of the networks whose bonds are made by hand.
    remade: Vec<&'s str>,
}

fn step(place: &str, run: String, note: String) -> RepairStep {
    RepairStep { place: place.to_owned(), run, note, loses: String::new() }
}

impl<'s> Script<'s, '_> {
    /// The joining host's uuid, as a word for a shell.
    fn host_uuid(&self) -> Option<String> {
        self.sides.host.get().and_then(|host| host.uuid.text()).map(shell_word)
    }

    fn nic(&self, device: &str) -> Option<&'s Nic<'s>> {
        self.sides.nics.get()?.iter().find(|nic| nic.device == device)
    }

    /// A PIF's uuid before the join, as a word for a shell.
    fn uuid(&self, device: &str) -> Option<String> {
        self.nic(device)?.uuid.text().map(shell_word)
    }
}

/// The command that gives a PIF the address that another has now; none where it is not known how that one has it. `uuid` is
/// written as it is.
fn reconfigure(uuid: &str, from: &Pif) -> Option<String> {
    let mut run = format!("xe pif-reconfigure-ip uuid={uuid} mode=");
    match from.ip_configuration_mode.text()? {
        "DHCP" => run.push_str("dhcp"),
        "Static" => {
            run.push_str("static");
            for (name, value) in
                [("IP", &from.ip), ("netmask", &from.netmask), ("gateway", &from.gateway), ("DNS", &from.dns)]
            {
                if let Some(value) = value.text().filter(|value| !value.is_empty()) {
                    run.push_str(&format!(" {name}={}", shell_word(value)));
                }
            }
        }
        _ => return None,
    }
    Some(run)
}
