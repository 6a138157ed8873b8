//! A NIC of the joiner beside those of the pool in its position.

use super::facts::{ContradictionFact, LandingFact};
use super::nics::{Link, Nic, PoolNic, most};
use super::sides::Sides;
use crate::facts::{Known, Reason, Unknown};

/// What most members of the pool have in a position.
pub(super) struct Usual {
    pub(super) speed: Known<Option<i64>>,
    pub(super) carrier: Known<Option<bool>>,
    pub(super) kind: Known<Option<String>>,
    pub(super) neighbour: Known<Option<String>>,
}

/// What most members have on a bridge.
pub(super) fn usual(sides: &Sides<'_>, bridge: &str) -> Usual {
    let nics = match sides.pool_nics() {
        Known::Yes(nics) => nics,
        Known::No(unknown) => {
            return Usual {
                speed: Known::No(unknown.clone()),
                carrier: Known::No(unknown.clone()),
                kind: Known::No(unknown.clone()),
                neighbour: Known::No(unknown.clone()),
            };
        }
    };
    let here: Vec<&PoolNic<'_>> = nics.iter().filter(|nic| nic.bridge == bridge).collect();
    // A NIC without a link has no speed to compare with.
    let speeds: Vec<_> = here
        .iter()
        .filter(|nic| nic.link.carrier != Known::Yes(false))
        .map(|nic| nic.link.carrier.clone().and_then(|_| nic.link.speed.clone()))
        .collect();
    let switches: Vec<_> =
        here.iter().map(|nic| nic.link.neighbour.clone().map(|it| switch(&it).to_owned())).collect();
    Usual {
        speed: most(speeds.iter()),
        carrier: most(here.iter().map(|nic| &nic.link.carrier)),
        kind: most(here.iter().map(|nic| &nic.link.kind)),
        neighbour: most(switches.iter()),
    }
}

/// The switch of a neighbour, which is written before the port.
pub(super) fn switch(neighbour: &str) -> &str {
    neighbour.split_whitespace().next().unwrap_or_default()
}

/// Whether two speeds contradict each other while both links are up.
pub(super) fn speed_differs(link: &Link, usual: &Usual) -> Known<bool> {
    if matches!(link.carrier, Known::Yes(false)) || matches!(usual.speed, Known::Yes(None)) {
        return Known::Yes(false);
    }
    let untold = |unknown: &Unknown| unknown.reason == Reason::Unreadable;
    match (&link.speed, &usual.speed) {
        // Virtual NICs: no driver on either side knows a speed, and there is nothing to compare.
        (Known::No(own), Known::No(pool)) if untold(own) && untold(pool) => Known::Yes(false),
        (Known::Yes(own), Known::Yes(pool)) if Some(*own) == *pool => Known::Yes(false),
        (Known::Yes(_), Known::Yes(_)) => link.carrier.clone().map(|_| true),
        (Known::No(unknown), _) | (_, Known::No(unknown)) => Known::No(unknown.clone()),
    }
}

/// Whether the pool has a link here and the joiner has none.
pub(super) fn carrier_missing(link: &Link, usual: &Usual) -> Known<bool> {
    match (&link.carrier, &usual.carrier) {
        (Known::Yes(true), _) | (_, Known::Yes(None | Some(false))) => Known::Yes(false),
        (Known::Yes(false), Known::Yes(Some(true))) => Known::Yes(true),
        (Known::No(unknown), _) | (_, Known::No(unknown)) => Known::No(unknown.clone()),
    }
}

/// Whether a value differs from the pool's, where the pool has one.
pub(super) fn differs<T: PartialEq>(own: &Known<T>, pool: &Known<Option<T>>) -> Known<bool> {
    match (own, pool) {
        (_, Known::Yes(None)) => Known::Yes(false),
        (Known::Yes(own), Known::Yes(Some(pool))) => Known::Yes(own != pool),
        (Known::No(unknown), _) | (_, Known::No(unknown)) => Known::No(unknown.clone()),
    }
}

/// The MTU of the network on which a NIC lands, which wins.
pub(super) fn network_mtu(sides: &Sides<'_>, nic: &Nic<'_>) -> Known<Option<i64>> {
    match sides.network_with_bridge(&nic.bridge) {
        Ok(None) => Known::Yes(None),
        Ok(Some(network)) => network.mtu.clone().map(Some),
        Err(unknown) => Known::No(unknown),
    }
}

/// Whether the switches of both sides are known.
pub(super) fn neighbours_known(nic: &LandingFact) -> bool {
    nic.neighbour.get().is_some() && matches!(nic.pool_neighbour, Known::Yes(Some(_)))
}

/// Everything known that differs.
pub(super) fn contradictions(landing: &[LandingFact]) -> Vec<ContradictionFact> {
    let mut found = Vec::new();
    for nic in landing {
        let mut add = |differs: bool, kind: &str, joiner: Option<String>, pool: Option<String>| {
            if differs {
                found.push(ContradictionFact {
                    device: nic.device.clone(),
                    kind: kind.to_owned(),
                    joiner: joiner.unwrap_or_default(),
                    pool: pool.unwrap_or_default(),
                });
            }
        };
        let mbits = |speed: i64| format!("{speed} Mbit/s");
        let yes = |known: &Known<bool>| *known == Known::Yes(true);
        let own = |value: &Known<i64>| value.get().copied();
        let pool = |value: &Known<Option<i64>>| value.get().copied().flatten();
        add(yes(&nic.speed_differs), "speed", own(&nic.speed).map(mbits), pool(&nic.pool_speed).map(mbits));
        add(
            yes(&nic.mtu_differs),
            "mtu",
            own(&nic.mtu).map(|mtu| mtu.to_string()),
            pool(&nic.pool_mtu).map(|mtu| mtu.to_string()),
        );
        add(yes(&nic.carrier_missing), "carrier", Some("no link".to_owned()), Some("link".to_owned()));
        add(yes(&nic.kind_differs), "kind", nic.kind.get().cloned(), nic.pool_kind.get().cloned().flatten());
        let pool_switch = nic.pool_neighbour.get().cloned().flatten();
        let own_switch = nic.neighbour.text().map(switch);
        add(yes(&nic.neighbour_differs), "neighbour", own_switch.map(str::to_owned), pool_switch);
    }
    found
}
