//! Derives where a joiner's NICs, bonds, VLANs and VM networks will land in a pool, what contradicts it, and the
//! commands that mend it. The server maps by position (`xenbrN`) and never looks at cabling, so all of it is computable.
//! Pure functions from snapshots to facts. May be called by `rules` (facts of a case) and `report`.

mod bonds;
mod compare;
mod facts;
mod lacking;
mod landing;
mod management;
mod nics;
mod order;
mod overlays;
mod repair;
mod sides;
mod unaddressed;
mod vms;

pub use facts::{
    BondFact, ClusterLandingFact, ContradictionFact, LackingFact, LandingFact, ManagementFact, MissingNicFact,
    NetworkFacts, OrderFact, OverlayFact, RepairFacts, RepairStep, SwapFact, UnaddressedFact, VlanLandingFact,
    VmNetworkFact,
};

use sides::Sides;

use crate::facts::{Known, known};
use crate::snapshot::Pool;

/// The network facts of a joiner (a pool of one) against a pool.
pub fn derive(pool: &Pool, joiner: &Pool) -> NetworkFacts {
    let sides = Sides::of(pool, joiner);
    let bonds = known(|| bonds::bonds(&sides));
    let landing = known(|| landing::landing(&sides, &bonds));
    let mut facts = NetworkFacts {
        predicted: sides.predicted,
        neighbours_known: landing.as_ref().map(|nics| nics.iter().any(compare::neighbours_known)),
        contradictions: landing.as_ref().map(|nics| compare::contradictions(nics)),
        missing: known(|| landing::missing(&sides)),
        vlans: known(|| overlays::vlans(&sides, &bonds)),
        overlays: known(|| overlays::overlays(&sides, &bonds)),
        lacking: known(|| lacking::lacking(&sides)),
        unaddressed: known(|| unaddressed::unaddressed(&sides, &bonds, &landing)),
        management: known(|| management::management(&sides, &bonds)),
        management_mtu: known(|| management::mtu(&sides)),
        management_mtu_below: known(|| management::mtu_below(&sides)),
        cluster: known(|| management::cluster(&sides)),
        order: known(|| order::order(&sides)),
        vm_networks: known(|| vms::networks(&sides)),
        landing,
        bonds,
        repair: RepairFacts { before: Vec::new(), after: Vec::new() },
    };
    facts.repair = repair::repair(&sides, &facts);
    facts
}

/// Whether a bond comes to be on the joiner at all.
fn made(bond: &BondFact) -> Known<bool> {
    bond.outcome.as_ref().map(|outcome| outcome != bonds::IMPOSSIBLE)
}
