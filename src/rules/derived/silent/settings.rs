//! Settings that a joiner had and a member has not, and features that its licence takes from the pool.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::facts::{Setting, SharedSr};
use super::{Parts, storage, told};
use crate::facts::{Found, Known, need};
use crate::rules::release::{at_least, release_of};
use crate::snapshot::{Host, Pool};

/// Features that count as allowed where the licence does not name them (xapi `features.ml`).
const ALLOWED_UNNAMED: [&str; 5] =
    ["restrict_ad", "restrict_updates", "restrict_vm_appliance_start", "restrict_vm_start", "restrict_xen_motion"];

/// Restrictions of the pool are those of any of its hosts.
pub(super) fn features_lost(pool: &Pool, joiner: &Pool) -> Found<Vec<String>> {
    let allowed = |restrictions: &BTreeMap<String, String>, key: &str| match restrictions.get(key) {
        Some(word) => word == "false",
        None => ALLOWED_UNNAMED.contains(&key),
    };
    let (theirs, ours) = (need(&pool.restrictions)?, need(&joiner.restrictions)?);
    let assumed = joiner.coordinator_host().get().is_some_and(|host| host.assumed_release.get().is_some());
    if assumed {
        // Only the products without a licence are assumed to have restrictions: what is not among them is free.
        return Ok(ours.iter().filter(|(_, word)| *word != "false").map(|(key, _)| key.clone()).collect());
    }
    let lost = theirs.keys().filter(|key| allowed(theirs, key) && !allowed(ours, key));
    Ok(lost.map(|key| key.strip_prefix("restrict_").unwrap_or(key).to_owned()).collect())
}

/// What is lost or replaced, and of what that is not known.
pub(super) fn changed(parts: Parts<'_, '_>, shared: &Known<Vec<SharedSr>>) -> Found<Vec<Setting>> {
    let Parts { pool, joiner, coordinator, host } = parts;
    let mut list = Settings(Vec::new());
    list.names(pool, joiner);
    list.of_pool(joiner);
    list.switches(pool, joiner);
    list.counts(joiner);
    let (host, coordinator) = (need(host)?, need(coordinator)?);
    list.of_host(host, storage::some(shared, |word| word == storage::INITIATOR));
    // The coordinator's SSH settings are copied since 25.21.
    match &release_of(host).xapi {
        Known::Yes(xapi) if !at_least(xapi, "25.21") => {}
        Known::Yes(_) => list.replaced("SSH", &host.ssh_enabled, &coordinator.ssh_enabled),
        Known::No(why) => list.add("SSH", Err(why.clone())),
    }
    Ok(list.0)
}

const LOST: &str = "lost";

/// A setting's value, and what becomes of it.
type Change = Option<(String, String)>;

struct Settings(Vec<Setting>);

impl Settings {
    fn add(&mut self, name: impl Into<Cow<'static, str>>, change: Found<Change>) {
        let (value, becomes, kept) = match change {
            Ok(None) => return,
            Ok(Some((value, becomes))) => (value, becomes, Known::Yes(false)),
            Err(why) => (String::new(), String::new(), Known::No(why)),
        };
        self.0.push(Setting { name: name.into(), value, becomes, kept });
    }

    /// A fact that is lost where it has something to lose.
    fn lost<T>(&mut self, name: &'static str, fact: &Known<T>, value: impl Fn(&T) -> Option<String>) {
        self.add(name, told(fact).map(|fact| Some((value(fact?)?, LOST.to_owned()))));
    }

    /// A switch that the pool may have in another position.
    fn replaced(&mut self, name: &'static str, ours: &Known<bool>, theirs: &Known<bool>) {
        let word = |on: bool| if on { "on" } else { "off" }.to_owned();
        let change = || -> Found<Change> {
            let both = told(ours)?.zip(told(theirs)?);
            Ok(both.filter(|(ours, theirs)| ours != theirs).map(|(ours, theirs)| (word(*ours), word(*theirs))))
        };
        self.add(name, change());
    }

    fn names(&mut self, pool: &Pool, joiner: &Pool) {
        let name = told(&joiner.name_label).map(|name| {
            let name = name.filter(|name| !name.is_empty())?;
            Some((name.clone(), pool.name_label.text().unwrap_or("the pool's").to_owned()))
        });
        self.add("pool name", name);
        let ours = match told(&joiner.other_config) {
            Ok(ours) => ours,
            Err(why) => return self.add("pool other_config", Err(why)),
        };
        // Ratios of memory are the toolstack's own and stand in every pool.
        for (key, value) in ours.into_iter().flatten().filter(|(key, _)| !key.starts_with("memory-ratio-")) {
            let change = told(&pool.other_config).map(|theirs| {
                let theirs = theirs.and_then(|theirs| theirs.get(key));
                (theirs != Some(value)).then(|| (value.clone(), theirs.map_or(LOST, String::as_str).to_owned()))
            });
            self.add(format!("pool other_config:{key}"), change);
        }
    }

    fn of_pool(&mut self, joiner: &Pool) {
        let on = |on: &bool| on.then(|| "on".to_owned());
        let name = |sr: &Option<String>| Some(sr_name(joiner, sr.as_deref()?));
        self.lost("pool tags", &joiner.tags, |tags| words(tags));
        self.lost("default SR", &joiner.default_sr, name);
        self.lost("pool's SR for suspended VMs", &joiner.suspend_image_sr, name);
        self.lost("pool's SR for crash dumps", &joiner.crash_dump_sr, name);
        self.lost("workload balancing", &joiner.wlb_enabled, on);
        self.lost("update repositories", &joiner.repositories, |list| {
            (!list.is_empty()).then(|| list.len().to_string())
        });
        self.lost("schedule of update synchronisation", &joiner.update_sync_enabled, on);
        self.lost("settings for guest agents", &joiner.guest_agent_config, |config| {
            let pairs: Vec<_> = config.iter().map(|(key, value)| format!("{key}={value}")).collect();
            words(&pairs)
        });
        self.lost("custom UEFI certificates", &joiner.has_custom_uefi_certificates, on);
    }

    fn switches(&mut self, pool: &Pool, joiner: &Pool) {
        self.replaced("IGMP snooping", &joiner.igmp_snooping_enabled, &pool.igmp_snooping_enabled);
        self.replaced("compression of migration", &joiner.migration_compression, &pool.migration_compression);
        self.replaced("live patching off", &joiner.live_patching_disabled, &pool.live_patching_disabled);
        self.replaced("no vendor device", &joiner.policy_no_vendor_device, &pool.policy_no_vendor_device);
        let name = "login with client certificates";
        self.replaced(name, &joiner.client_certificate_auth_enabled, &pool.client_certificate_auth_enabled);
    }

    fn counts(&mut self, joiner: &Pool) {
        let some = |count: &i64| (*count > 0).then(|| count.to_string());
        self.lost("users and groups of the directory", &joiner.subject_count, some);
        self.lost("snapshot schedules", &joiner.snapshot_schedule_count, some);
        self.lost("VM appliances", &joiner.appliance_count, some);
        self.lost("VM groups", &joiner.vm_group_count, some);
    }

    /// `iscsi`: whether the pool's storage knows hosts by their initiators.
    fn of_host(&mut self, host: &Host, iscsi: Found<bool>) {
        self.lost("host tags", &host.tags, |tags| words(tags));
        let described = told(&host.name_description).map(|text| {
            let text = text.filter(|text| !text.is_empty() && *text != "Default install")?;
            Some((text.clone(), "Default install".to_owned()))
        });
        self.add("host description", described);
        // The server sets the one from the other.
        let suspend = || -> Found<Change> {
            let srs = told(&host.suspend_image_sr)?.zip(told(&host.crash_dump_sr)?);
            Ok(srs.filter(|(suspend, dumps)| suspend != dumps).map(|(suspend, _)| {
                (suspend.clone().unwrap_or_else(|| "none".to_owned()), "the host's SR for crash dumps".to_owned())
            }))
        };
        self.add("host's SR for suspended VMs", suspend());
        // The fields start empty; keys of other_config restore them.
        let restored = |key: &str| -> Found<bool> {
            Ok(told(&host.other_config)?.is_some_and(|config| config.contains_key(key)))
        };
        let initiator = || -> Found<Change> {
            let Some(iqn) = told(&host.iscsi_iqn)?.filter(|iqn| !iqn.is_empty()) else { return Ok(None) };
            let lost = iscsi? && !restored("iscsi_iqn")?;
            Ok(lost.then(|| (iqn.clone(), LOST.to_owned())))
        };
        self.add("iSCSI initiator name", initiator());
        let multipathing = || -> Found<Change> {
            let on = told(&host.multipathing)? == Some(&true);
            Ok((on && !restored("multipathing")?).then(|| ("on".to_owned(), LOST.to_owned())))
        };
        self.add("multipathing", multipathing());
    }
}

fn words(list: &[String]) -> Option<String> {
    (!list.is_empty()).then(|| list.join(", "))
}

fn sr_name(side: &Pool, reference: &str) -> String {
    let sr = side.srs.each().find(|sr| sr.reference.text() == Some(reference));
    sr.and_then(|sr| sr.name_label.text()).unwrap_or(reference).to_owned()
}
