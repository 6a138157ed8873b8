//! What an eject destroys, by name: lists that every format for people shows in the same words.

use crate::eject::{EjectFacts, LosingVm, LostNetwork, LostSr, LostVdi};
use crate::facts::Known;

/// How many names a list shows before it counts the rest; JSON has them all.
const NAMES: usize = 40;

/// One kind of what is lost.
pub(super) struct Losses {
    /// What, in the plural.
    pub(super) what: &'static str,
    /// `none`, or why it is not known; nothing where there are names.
    pub(super) remark: String,
    /// The first of them.
    pub(super) names: Vec<String>,
    /// How many more there are.
    pub(super) more: usize,
}

/// All of it, storage first.
pub(super) fn losses(facts: &EjectFacts) -> [Losses; 5] {
    let sr = |sr: &LostSr| format!("{} ({}), {}", sr.name(), known(&sr.uuid), sr.fate);
    let vdi = |vdi: &LostVdi| format!("{} ({}) on {}, {}", vdi.name, known(&vdi.uuid), vdi.sr, vdi.fate);
    let vm = |vm: &LosingVm| {
        let all = if vm.diskless { ", none left" } else { "" };
        format!("{} ({}), {}: {} of {}{all}", vm.name, known(&vm.uuid), known(&vm.power_state), vm.lost, vm.disks)
    };
    let network = |network: &LostNetwork| format!("{} ({})", network.name, known(&network.uuid));
    [
        list("storage", &facts.srs, sr),
        list("virtual disks", &facts.vdis, vdi),
        list("VMs with disks there", &facts.vms, vm),
        list("networks without another host", &facts.networks, network),
        list("network configuration", &facts.interfaces, |part| format!("{} on {}", part.about, part.network)),
    ]
}

fn list<T>(what: &'static str, list: &Known<Vec<T>>, name: impl Fn(&T) -> String) -> Losses {
    match list {
        Known::No(unknown) => Losses { what, remark: format!("unknown ({unknown})"), names: Vec::new(), more: 0 },
        Known::Yes(list) if list.is_empty() => Losses { what, remark: "none".to_owned(), names: Vec::new(), more: 0 },
        Known::Yes(list) => Losses {
            what,
            remark: String::new(),
            names: list.iter().take(NAMES).map(name).collect(),
            more: list.len().saturating_sub(NAMES),
        },
    }
}

fn known(fact: &Known<String>) -> &str {
    fact.text().unwrap_or("unknown")
}
