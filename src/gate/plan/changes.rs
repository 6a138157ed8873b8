//! What a join or an eject changes on both sides, in words: what the server overwrites, drops, keeps and makes anew.

use super::predict::{Predicted, own_vms};
use super::{Change, Thing};
use crate::eject::EjectFacts;
use crate::facts::{Known, Reason};
use crate::rules::{Judgement, SharedSr, at_least, release_of};
use crate::snapshot::{Host, Pool};
use crate::text::cut;

/// How many names a line has before it counts the rest.
const NAMED: usize = 8;

struct Changes(Vec<Change>);

impl Changes {
    fn add(&mut self, place: &str, what: impl Into<String>, becomes: impl Into<String>) {
        self.0.push(Change { place: place.to_owned(), what: what.into(), becomes: becomes.into() });
    }

    /// Says that it is not known what becomes of something, where that is so.
    fn gap<T>(&mut self, place: &str, what: &str, fact: &Known<T>) {
        match fact.unknown() {
            Some(why) if !matches!(why.reason, Reason::AbsentOnRelease | Reason::NotApplicable) => {
                self.add(place, what, format!("not known ({why})"));
            }
            _ => {}
        }
    }
}

/// What a join changes.
pub(super) fn join(pool: &Pool, joiner: &Pool, judgement: &Judgement, predicted: &Predicted) -> Vec<Change> {
    let mut changes = Changes(Vec::new());
    let host = joiner.coordinator_host();
    let xapi = host.get().map(|host| release_of(host)).and_then(|release| release.xapi.get().cloned());
    // What is not known may be so.
    let since = |version: &str| xapi.as_deref().is_none_or(|xapi| at_least(xapi, version));
    joiner_access(&mut changes, &since);
    joiner_settings(&mut changes, host.get().copied(), judgement, &since);
    joiner_holdings(&mut changes, joiner);
    network(&mut changes, judgement);
    pool_side(&mut changes, pool, judgement, predicted);
    changes.0
}

fn joiner_access(changes: &mut Changes, since: &dyn Fn(&str) -> bool) {
    changes.add("joiner", "root's password", "the pool's, from its first start as a member; its own no longer works");
    changes.add("joiner", "its database and pool secret", "the pool's; its own pool is gone");
    if since("1.298") {
        changes.add(
            "joiner",
            "certificates that it trusts",
            "its own and the pool's, on both sides; stays so even if the join fails later",
        );
    }
    if since("25.21") {
        changes.add("joiner", "SSH and console timeouts", "the coordinator's");
    }
    changes.add("joiner", "toolstack", "restarts; the host takes no VMs until it is up again");
}

fn joiner_settings(changes: &mut Changes, host: Option<&Host>, judgement: &Judgement, since: &dyn Fn(&str) -> bool) {
    let described = host.and_then(|host| host.name_description.text()).filter(|text| !text.is_empty());
    if let Some(described) = described.filter(|text| *text != "Default install") {
        changes.add("joiner", format!("description \"{}\"", cut(described, 60)), "\"Default install\"");
    }
    changes.gap("joiner", "settings that are lost or replaced", &judgement.settings);
    for setting in judgement.settings.each().filter(|setting| setting.kept != Known::Yes(true)) {
        let becomes = match (&setting.kept, setting.becomes.as_str()) {
            (Known::No(why), _) => format!("not known ({why})"),
            (_, "lost") => "lost".to_owned(),
            (_, becomes) => format!("becomes \"{becomes}\""),
        };
        changes.add("joiner", format!("{} \"{}\"", setting.name, setting.value), becomes);
    }
    changes.add(
        "joiner",
        "log target, host tags, power-on mode, control domain's VCPU settings, display",
        "the defaults of a new member",
    );
    changes.add(
        "joiner",
        "its pool's name, tags, other settings, HA, default SR, workload balancing, repositories, schedules, users and roles, messages, statistics of the pool",
        "dropped; the pool's hold",
    );
    if !since("25.0") {
        changes.add(
            "joiner",
            "whether its synchronised updates are applied",
            "unknown, until updates are synchronised again",
        );
    }
    changes.add("joiner", "name, host name, address, licence, time zone and NTP, other_config", "kept");
}

fn joiner_holdings(changes: &mut Changes, joiner: &Pool) {
    let local: Vec<_> = joiner
        .srs
        .each()
        .filter(|sr| sr.shared == Known::Yes(false) && sr.is_tools() != Known::Yes(true))
        .map(|sr| sr.name_label.text().or_else(|| sr.uuid.text()).unwrap_or("unnamed").to_owned())
        .collect();
    match joiner.srs.unknown() {
        Some(unknown) => changes.add(
            "joiner",
            "local storage",
            format!("kept, as storage of this host alone; which, is not known ({unknown})"),
        ),
        None if local.is_empty() => {}
        None => changes.add(
            "joiner",
            format!("local storage: {}", names(&local)),
            "kept with its disks, as storage of this host alone",
        ),
    }
    changes.gap("joiner", "its VMs", &joiner.vms);
    let vms: Vec<_> = own_vms(joiner).into_iter().map(|vm| vm.name).collect();
    if !vms.is_empty() {
        changes.add(
            "joiner",
            format!("{} VM{}: {}", vms.len(), plural(vms.len()), names(&vms)),
            "recorded in the pool, with new generation identifiers; those on local disks run on this host alone",
        );
    }
}

fn network(changes: &mut Changes, judgement: &Judgement) {
    let facts = &judgement.network;
    changes.gap("joiner", "its NICs", &facts.landing);
    changes.gap("joiner", "the coordinator's bonds", &facts.bonds);
    changes.gap("joiner", "the coordinator's VLANs", &facts.vlans);
    changes.gap("joiner", "networks of its VMs", &facts.vm_networks);
    for nic in facts.landing.each() {
        let network = if nic.new_network {
            format!("{} (a new network of the pool)", nic.network)
        } else {
            nic.network.clone()
        };
        let bond = nic.bond.as_ref().map(|bond| format!(", in {bond}")).unwrap_or_default();
        changes.add("joiner", format!("NIC {}", nic.device), format!("{network}{bond}"));
    }
    for bond in facts.bonds.each() {
        let becomes = match bond.outcome.text() {
            Some("impossible") => format!("not made: {}", bond.reasons.join("; ")),
            Some("partial") => format!("made with {} alone", names(&bond.joiner_members)),
            Some(_) => format!("made with {}", names(&bond.joiner_members)),
            None => "not known".to_owned(),
        };
        changes.add("joiner", format!("bond on {}", bond.network), becomes);
    }
    for vlan in facts.vlans.each() {
        let becomes = match vlan.created {
            Known::Yes(true) => "made".to_owned(),
            Known::Yes(false) => format!("not made: {}", vlan.reason),
            Known::No(_) => "not known".to_owned(),
        };
        changes.add("joiner", format!("VLAN {} on {}", vlan.tag, vlan.name_label), becomes);
    }
    for network in facts.vm_networks.each().filter(|network| network.outcome != "same") {
        let becomes = if network.target.is_empty() {
            "a new network of the pool".to_owned()
        } else {
            format!("the pool's {}", network.target)
        };
        changes.add("joiner", format!("VM network {}", network.name_label), becomes);
    }
}

fn pool_side(changes: &mut Changes, pool: &Pool, judgement: &Judgement, predicted: &Predicted) {
    let hosts = pool
        .hosts
        .get()
        .map_or_else(|| "its hosts".to_owned(), |hosts| format!("{} host{}", hosts.len(), plural(hosts.len())));
    changes.add(
        "pool",
        hosts,
        predicted.hosts.map_or_else(|| "not known how many hosts".to_owned(), |hosts| format!("{hosts} hosts")),
    );
    match &judgement.cpu.lost_groups {
        Known::Yes(lost) if lost.is_empty() => changes.add("pool", "CPU level", "unchanged"),
        Known::Yes(lost) => changes.add("pool", "CPU level", format!("VMs started later lose {}", lost.join(", "))),
        // Pools that mask instead of levelling have none.
        Known::No(why) if why.reason == Reason::NotApplicable => {}
        Known::No(why) => changes.add("pool", "CPU level", format!("not known ({why})")),
    }
    changes.gap("pool", "licensed features", &judgement.features_lost);
    match judgement.features_lost.get() {
        Some(lost) if !lost.is_empty() => {
            changes.add("pool", "licensed features", format!("lost for all hosts: {}", names(lost)));
        }
        _ => {}
    }
    changes.gap("pool", "shared storage", &judgement.storage);
    let location = |sr: &Thing| {
        let of = |shared: &&SharedSr| shared.uuid.text() == Some(&sr.uuid) && !shared.location.is_empty();
        judgement.storage.each().find(of).map(|shared| format!(" at {}", shared.location)).unwrap_or_default()
    };
    let srs: Vec<_> = predicted.srs.iter().map(|sr| format!("{}{}", sr.name, location(sr))).collect();
    if !srs.is_empty() {
        changes.add(
            "pool",
            format!("shared storage: {}", names(&srs)),
            "plugged on the new member with the coordinator's settings",
        );
    }
}

/// What an eject changes.
pub(super) fn eject(pool: &Pool, member: &Host, facts: &EjectFacts, predicted: &Predicted) -> Vec<Change> {
    let mut changes = Changes(Vec::new());
    changes.add("member", "the host", "erased to the state after installation; it restarts on its own");
    lost_storage(&mut changes, facts);
    lost_network(&mut changes, facts);
    member_after(&mut changes, pool, member);
    pool_after(&mut changes, pool, facts, predicted);
    changes.0
}

fn lost_storage(changes: &mut Changes, facts: &EjectFacts) {
    changes.gap("member", "local storage", &facts.srs);
    let destroyed: Vec<_> = facts
        .srs
        .each()
        .filter(|sr| sr.fate == "destroyed")
        .map(|sr| sr.name_label.text().unwrap_or("unnamed").to_owned())
        .collect();
    if !destroyed.is_empty() {
        let what = format!("local storage: {}", names(&destroyed));
        changes.add("member", what, "initialised anew: all data on it are lost");
    }
    changes.gap("pool", "disks on it", &facts.vdis);
    let disks: Vec<_> = facts.vdis.each().map(|vdi| vdi.name.clone()).collect();
    if !disks.is_empty() {
        changes.add("pool", format!("{} disk{}: {}", disks.len(), plural(disks.len()), names(&disks)), "lost");
    }
    changes.gap("pool", "VMs with disks on it", &facts.vms);
    let diskless: Vec<_> = facts.vms.each().filter(|vm| vm.diskless).map(|vm| vm.name.clone()).collect();
    if !diskless.is_empty() {
        changes.add("pool", format!("VMs: {}", names(&diskless)), "stay as records without disks");
    }
}

fn lost_network(changes: &mut Changes, facts: &EjectFacts) {
    changes.gap("member", "bonds, VLANs and addresses", &facts.interfaces);
    for interface in facts.interfaces.each() {
        changes.add("member", interface.about.clone(), "gone; the restore script makes it again");
    }
    changes.gap("member", "management", &facts.management);
    if let Known::Yes(Some(kept)) = &facts.management {
        changes.add("member", "management", format!("on {}", kept.in_words()));
    }
}

fn member_after(changes: &mut Changes, pool: &Pool, member: &Host) {
    changes.add("member", "root's password", "stays the pool's");
    let xapi = pool.coordinator_host().get().and_then(|host| release_of(host).xapi.get().cloned());
    if xapi.as_deref().is_none_or(|xapi| at_least(xapi, "1.290")) {
        changes.add(
            "member",
            "verification of certificates",
            "off, until `xe pool-enable-tls-verification` is run on it",
        );
    }
    // Editions that need no licence.
    if !matches!(member.edition.text(), Some("" | "free" | "express" | "trial" | "xcp-ng")) {
        changes.add("member", "licence", "to be applied again");
    }
}

fn pool_after(changes: &mut Changes, pool: &Pool, facts: &EjectFacts, predicted: &Predicted) {
    changes.gap("pool", "networks that no other host has", &facts.networks);
    for network in facts.networks.each() {
        changes.add("pool", format!("network {}", network.name), "has no host any more");
    }
    changes.add(
        "pool",
        pool.hosts.get().map_or_else(|| "its hosts".to_owned(), |hosts| format!("{} hosts", hosts.len())),
        predicted
            .hosts
            .map_or_else(|| "not known how many hosts".to_owned(), |hosts| format!("{hosts} host{}", plural(hosts))),
    );
    changes.gap("pool", "CPU level", &facts.cpu.regained_groups);
    match facts.cpu.regained_groups.get() {
        Some(regained) if !regained.is_empty() => {
            changes.add("pool", "CPU level", format!("VMs started later get {}", regained.join(", ")))
        }
        Some(_) => changes.add("pool", "CPU level", "unchanged"),
        None => {}
    }
}

/// Names in their own order, whatever that of the server: a plan is compared with one of later.
pub(super) fn names(names: &[String]) -> String {
    let mut sorted: Vec<_> = names.iter().collect();
    sorted.sort_unstable();
    let mut shown: Vec<_> = sorted.into_iter().take(NAMED).map(|name| cut(name, 80).into_owned()).collect();
    if names.len() > NAMED {
        shown.push(format!("and {} more", names.len() - NAMED));
    }
    shown.join(", ")
}

const fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}
