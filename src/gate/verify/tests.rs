//! A member of a fixture is as predicted; what its records do not tell is said to be unread, and nothing is to be mended.

use super::*;
use crate::facts::{Reason, Unknown};
use crate::gate::plan::{PredictedBond, PredictedNic, PredictedVlan};
use crate::snapshot::read_snapshot;

type Change = fn(&mut Pool, &str);
/// What is not shown, what is told then, and how it is hidden.
type Hidden<'c> = (&'c str, &'c [&'c str], &'c dyn Fn(&mut Pool, &str));

fn fixture() -> Pool {
    let text = std::fs::read("fixtures/xcp-ng-8.3-5-hosts.json").unwrap();
    read_snapshot(&text).unwrap().0.pool
}

/// The second host of the pool as if it had just joined, and its reference.
fn joined() -> (Pool, Predicted, String) {
    let pool = fixture();
    let host = pool.hosts.get().unwrap()[1].clone();
    let reference = host.reference.text().unwrap().to_owned();
    let network = |reference: Option<&str>| {
        pool.networks.each().find(|network| network.reference.text() == reference).unwrap().clone()
    };
    let text = |fact: &Known<String>| fact.text().unwrap().to_owned();
    let own: Vec<_> = pool.pifs.each().filter(|pif| pif.host.text() == Some(&reference)).collect();
    let mut predicted = Predicted {
        host: text(&host.uuid),
        coordinator: text(&pool.coordinator_host().get().unwrap().uuid),
        hosts: Some(5),
        level_hvm: pool.cpu_info.get().unwrap().features_hvm_host.get().map(ToString::to_string),
        ..Predicted::default()
    };
    for pif in &own {
        let on = network(pif.network.text());
        let (name, uuid) = (text(&on.name_label), text(&on.uuid));
        if pif.management == Known::Yes(true) {
            predicted.management.clone_from(&name);
        }
        if pif.physical == Known::Yes(true) {
            let (device, mac, bridge) = (text(&pif.device), text(&pif.mac), text(&on.bridge));
            predicted.nics.push(PredictedNic { device, mac, bridge, network: Some(uuid) });
        } else if let Known::Yes(tag @ 0..) = pif.vlan {
            predicted.vlans.push(PredictedVlan { name, network: uuid, tag, created: true });
        } else {
            let bond = pool.bonds.each().find(|bond| bond.interface == pif.reference).unwrap();
            let members = own.iter().filter(|pif| bond.members.get().unwrap().contains(&text(&pif.reference)));
            let members = members.map(|pif| text(&pif.device)).collect();
            predicted.bonds.push(PredictedBond { name, network: uuid, mode: text(&bond.mode), members });
        }
    }
    let shared = pool.srs.each().filter(|sr| sr.shared == Known::Yes(true) && sr.is_tools() != Known::Yes(true));
    predicted.srs = shared.map(|sr| Thing { name: text(&sr.name_label), uuid: text(&sr.uuid) }).collect();
    predicted.vms =
        pool.vms.each().take(3).map(|vm| Thing { name: text(&vm.name_label), uuid: text(&vm.uuid) }).collect();
    (pool, predicted, reference)
}

fn gone<T>() -> Known<T> {
    Known::No(Unknown::because(Reason::PermissionDenied, "not shown"))
}

#[test]
fn what_came_as_predicted_differs_in_nothing() {
    let (pool, predicted, _) = joined();
    assert!(!predicted.nics.is_empty() && !predicted.bonds.is_empty() && !predicted.vlans.is_empty());
    assert!(!predicted.srs.is_empty() && !predicted.management.is_empty() && predicted.level_hvm.is_some());
    assert_eq!(after_join(&pool, &predicted), []);
}

#[test]
fn what_is_not_shown_is_not_said_to_be_missing() {
    let on_host = |pool: &mut Pool, host: &str, change: fn(&mut crate::snapshot::Pif)| {
        let pifs = pool.pifs.get_mut().unwrap().iter_mut();
        pifs.filter(|pif| pif.host.text() == Some(host)).for_each(change);
    };
    let cases: [Hidden<'_>; 24] = [
        ("hosts", &["coordinator", "member", "size"], &|pool, _| pool.hosts = gone()),
        ("uuid", &["member"], &|pool, _| pool.hosts.get_mut().unwrap()[1].uuid = gone()),
        ("networks' uuids", &["bond", "vlan"], &|pool, _| {
            pool.networks.get_mut().unwrap().iter_mut().for_each(|network| network.uuid = gone());
        }),
        ("SRs' uuids", &["storage"], &|pool, _| {
            pool.srs.get_mut().unwrap().iter_mut().for_each(|sr| sr.uuid = gone())
        }),
        ("references", &["bond"], &move |pool, host| on_host(pool, host, |pif| pif.reference = gone())),
        ("coordinator", &["coordinator"], &|pool, _| pool.coordinator = gone()),
        ("pifs", &["bond", "management", "network", "vlan"], &|pool, _| pool.pifs = gone()),
        ("networks", &["bond", "management", "network", "vlan"], &|pool, _| pool.networks = gone()),
        ("bonds", &["bond"], &|pool, _| pool.bonds = gone()),
        ("members", &["bond"], &|pool, _| {
            pool.bonds.get_mut().unwrap().iter_mut().for_each(|it| it.members = gone())
        }),
        ("pbds", &["storage"], &|pool, _| pool.pbds = gone()),
        ("srs", &["storage"], &|pool, _| pool.srs = gone()),
        ("attached", &["storage"], &|pool, _| {
            pool.pbds.get_mut().unwrap().iter_mut().for_each(|pbd| pbd.currently_attached = gone());
        }),
        ("vms", &["vms"], &|pool, _| pool.vms = gone()),
        ("vm uuids", &["vms"], &|pool, _| pool.vms.get_mut().unwrap().iter_mut().for_each(|vm| vm.uuid = gone())),
        ("level", &["cpu"], &|pool, _| pool.cpu_info = gone()),
        ("enabled", &["member"], &|pool, _| pool.hosts.get_mut().unwrap()[1].enabled = gone()),
        ("reference", &["member"], &|pool, _| pool.hosts.get_mut().unwrap()[1].reference = gone()),
        ("macs", &["network"], &move |pool, host| on_host(pool, host, |pif| pif.mac = gone())),
        ("tags", &["vlan"], &move |pool, host| on_host(pool, host, |pif| pif.vlan = gone())),
        ("which is management", &["management"], &move |pool, host| {
            on_host(pool, host, |pif| pif.management = gone())
        }),
        ("bridges", &["network"], &|pool, _| {
            pool.networks.get_mut().unwrap().iter_mut().for_each(|network| network.bridge = gone());
        }),
        ("names", &["management"], &|pool, _| {
            pool.networks.get_mut().unwrap().iter_mut().for_each(|network| network.name_label = gone());
        }),
        ("whose", &["bond", "management", "network", "vlan"], &move |pool, host| {
            on_host(pool, host, |pif| pif.host = gone());
        }),
    ];
    for (what, about, change) in cases {
        let (mut pool, predicted, reference) = joined();
        change(&mut pool, &reference);
        let found = after_join(&pool, &predicted);
        let told: BTreeSet<_> = found.iter().map(|difference| difference.about).collect();
        assert_eq!(told.into_iter().collect::<Vec<_>>(), about, "{what}: {found:?}");
        for difference in &found {
            assert!(difference.message.contains("could not be read"), "{what}: {difference:?}");
            assert!(difference.fix.is_empty(), "{what}: {difference:?}");
        }
    }
}

#[test]
fn what_did_not_come_is_told_with_what_makes_it() {
    let cases: [(&str, Change); 6] = [
        ("xe bond-create ", |pool, host| {
            let own: Vec<_> = pool.pifs.each().filter(|pif| pif.host.text() == Some(host)).cloned().collect();
            let bonds = pool.bonds.get_mut().unwrap();
            bonds.retain(|bond| own.iter().all(|pif| pif.reference != bond.interface));
        }),
        ("xe vlan-create ", |pool, host| {
            let pifs = pool.pifs.get_mut().unwrap();
            pifs.retain(|pif| pif.host.text() != Some(host) || pif.vlan == Known::Yes(-1));
        }),
        ("xe pif-scan ", |pool, host| {
            let pifs = pool.pifs.get_mut().unwrap().iter_mut();
            pifs.filter(|pif| pif.host.text() == Some(host)).for_each(|pif| pif.mac = "x".to_owned().into());
        }),
        ("xe pbd-plug ", |pool, host| {
            let pbds = pool.pbds.get_mut().unwrap().iter_mut();
            pbds.filter(|pbd| pbd.host.text() == Some(host)).for_each(|pbd| pbd.currently_attached = false.into());
        }),
        ("xe pbd-list ", |pool, host| pool.pbds.get_mut().unwrap().retain(|pbd| pbd.host.text() != Some(host))),
        ("xe host-enable ", |pool, _| pool.hosts.get_mut().unwrap()[1].enabled = false.into()),
    ];
    for (command, change) in cases {
        let (mut pool, predicted, reference) = joined();
        change(&mut pool, &reference);
        let found = after_join(&pool, &predicted);
        let fixes: Vec<_> = found.iter().flat_map(|difference| &difference.fix).collect();
        assert!(!fixes.is_empty() && fixes.iter().all(|fix| fix.run.starts_with(command)), "{command}: {found:?}");
    }
}

#[test]
fn an_eject_of_which_nothing_can_be_seen_is_not_as_predicted() {
    let (pool, predicted, _) = joined();
    let mut gone_from = pool.clone();
    gone_from.hosts.get_mut().unwrap().remove(1);
    let predicted = Predicted { hosts: Some(4), level_hvm: None, ..predicted };
    assert_eq!(after_eject(&gone_from, &predicted), []);
    assert!(after_eject(&pool, &predicted)[0].message.contains("the pool still knows the host"));
    let dark = Pool { hosts: gone(), ..gone_from.clone() };
    assert!(after_eject(&dark, &predicted).iter().any(|difference| difference.about == "member"));
    gone_from.hosts.get_mut().unwrap()[2].uuid = gone();
    assert!(after_eject(&gone_from, &predicted).iter().any(|difference| difference.about == "member"));
}
