//! Compares what came with what was predicted. Each difference is a finding with its fix; what cannot be read is said to be
//! unread, and no fix is given for what may be as it should. Pure.

mod left;
mod network;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use super::plan::{Predicted, Thing};
use crate::cpu::levelling::{Guest, next_boot_features};
use crate::facts::{Featureset, Found, Known, Reason, Unknown, need};
use crate::rules::{FixStep, Severity};
use crate::snapshot::{Host, Pool};
use crate::text::shell_word;

pub use left::left_by_eject;

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
    let found = pool.hosts.each().find(|host| host.uuid.text() == Some(&predicted.host));
    if found.is_none() && !look.tells_hosts() {
        return look.found;
    }
    let Some(host) = found else {
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
    match host.reference.text() {
        Some(reference) => {
            look.nics(reference);
            look.bonds(reference);
            look.vlans(reference);
            look.management(reference);
            look.storage(reference);
        }
        None => look.unknown("member", "the host's reference, by which its network and storage are found,"),
    }
    look.level();
    look.vms();
    look.found
}

/// What differs from the prediction after an eject.
pub fn after_eject(pool: &Pool, predicted: &Predicted) -> Vec<Difference> {
    let mut look = Look { pool, predicted, found: Vec::new() };
    let known = pool.hosts.each().any(|host| host.uuid.text() == Some(&predicted.host));
    if known {
        look.add(
            "member",
            Severity::Blocker,
            "the pool still knows the host".to_owned(),
            "coordinator",
            format!("xe host-list uuid={}", shell_word(&predicted.host)),
            "A host that does not come back is forgotten with `xe host-forget`.",
        );
    } else {
        look.tells_hosts();
    }
    look.size();
    look.coordinator();
    look.level();
    look.found
}

/// How a host is plugged into shared storage.
enum Plug {
    In,
    Out { pbd: String },
    None,
}

impl Look<'_> {
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

    /// Whether the pool's hosts can be told from one another; says so where not.
    fn tells_hosts(&mut self) -> bool {
        let told = self.pool.hosts.get().is_some_and(|hosts| hosts.iter().all(|host| host.uuid.get().is_some()));
        if !told {
            self.unknown("member", "whether the host is among the pool's");
        }
        told
    }

    fn size(&mut self) {
        let Some(predicted) = self.predicted.hosts else { return };
        match self.pool.hosts.get().map(Vec::len) {
            None => self.unknown("size", "the list of hosts"),
            Some(count) if count != predicted => self.add(
                "size",
                Severity::Warning,
                format!("the pool has {count} hosts, and {predicted} were predicted"),
                "coordinator",
                "xe host-list".to_owned(),
                "Somebody else may have changed the pool meanwhile.",
            ),
            Some(_) => {}
        }
    }

    fn coordinator(&mut self) {
        if self.predicted.coordinator.is_empty() {
            return;
        }
        let host = self.pool.coordinator_host();
        let Some(now) = host.get().and_then(|host| host.uuid.text()) else {
            return self.unknown("coordinator", "which host is the coordinator");
        };
        if now != self.predicted.coordinator {
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
        match host.enabled {
            Known::Yes(true) => {}
            Known::Yes(false) => self.add(
                "member",
                Severity::Blocker,
                "the host does not take VMs".to_owned(),
                "coordinator",
                format!("xe host-enable uuid={}", shell_word(&self.predicted.host)),
                "Where it refuses, its answer says why.",
            ),
            Known::No(_) => self.unknown("member", "whether the host takes VMs"),
        }
    }

    fn storage(&mut self, host: &str) {
        for sr in &self.predicted.srs {
            match self.plug(host, sr) {
                Ok(Plug::In) => {}
                Ok(Plug::Out { pbd }) => self.add(
                    "storage",
                    Severity::Warning,
                    format!("shared storage {} is not plugged on the host", sr.name),
                    "member",
                    format!("xe pbd-plug uuid={}", shell_word(&pbd)),
                    "Does the storage admit this host: its initiator name, its address, its HBA?",
                ),
                Ok(Plug::None) => self.add(
                    "storage",
                    Severity::Warning,
                    format!("shared storage {} has no plug on the host", sr.name),
                    "coordinator",
                    format!("xe pbd-list sr-uuid={}", shell_word(&sr.uuid)),
                    "Restart the host's toolstack, which makes plugs; else `xe pbd-create` as on the coordinator.",
                ),
                Err(_) => self.unknown("storage", &format!("the host's plug into shared storage {}", sr.name)),
            }
        }
    }

    fn plug(&self, host: &str, sr: &Thing) -> Found<Plug> {
        let srs = need(&self.pool.srs)?;
        let Some(record) = srs.iter().find(|it| it.uuid.text() == Some(&sr.uuid)) else {
            return Err(Unknown::because(Reason::Unreadable, format!("SR {} is not among the records", sr.uuid)));
        };
        let reference = need(&record.reference)?;
        for pbd in need(&self.pool.pbds)? {
            if need(&pbd.host)? == host && need(&pbd.sr)? == reference {
                return Ok(match need(&pbd.currently_attached)? {
                    true => Plug::In,
                    false => Plug::Out { pbd: need(&pbd.uuid)?.clone() },
                });
            }
        }
        Ok(Plug::None)
    }

    fn level(&mut self) {
        if self.predicted.level_hvm.is_none() && self.predicted.level_pv.is_none() {
            return;
        }
        let Known::Yes(cpu) = &self.pool.cpu_info else {
            return self.unknown("cpu", "the pool's CPU level");
        };
        let sets = [
            ("HVM", &self.predicted.level_hvm, next_boot_features(cpu, Guest::Hvm)),
            ("PV", &self.predicted.level_pv, next_boot_features(cpu, Guest::Pv)),
        ];
        let mut differing = Vec::new();
        for (guests, predicted, found) in sets {
            let Some(predicted) = predicted else { continue };
            let (Some(found), Ok(predicted)) = (found.get(), predicted.parse::<Featureset>()) else {
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
        let there = need(&self.pool.vms).and_then(|vms| vms.iter().map(|vm| Ok(need(&vm.uuid)?.as_str())).collect());
        let there: BTreeSet<_> = match there {
            Ok(there) => there,
            Err(_) => return self.unknown("vms", "the pool's VMs"),
        };
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
