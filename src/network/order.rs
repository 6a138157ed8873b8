//! Whether the joiner numbers its NICs otherwise than the pool: its NICs, taken together, are those of the pool, and
//! in each position that differs sits one that belongs in another.

use std::collections::BTreeSet;

use super::compare::{switch, usual};
use super::facts::{OrderFact, SwapFact};
use super::nics::Nic;
use super::sides::Sides;
use crate::facts::{Found, Known, Reason};

/// A position that both sides have: the joiner's NIC, the coordinator's device, and what is compared.
struct Place<'n, 'a> {
    nic: &'n Nic<'a>,
    like: &'n str,
    own: String,
    pool: String,
}

/// The sign, if there is one.
pub(super) fn order(sides: &Sides<'_>) -> Found<Option<OrderFact>> {
    let mut gap = None;
    for by in [By::Neighbour, By::Kind, By::Speed] {
        match places(sides, by) {
            Ok(places) => {
                if let Some(swaps) = exchanged(&places) {
                    return Ok(Some(OrderFact { by: by.word().to_owned(), swaps }));
                }
            }
            Err(unknown) => drop(gap.get_or_insert(unknown)),
        }
    }
    gap.map_or(Ok(None), Err)
}

/// What is compared.
#[derive(Clone, Copy, PartialEq)]
enum By {
    Neighbour,
    Kind,
    Speed,
}

impl By {
    const fn word(self) -> &'static str {
        match self {
            Self::Neighbour => "neighbour",
            Self::Kind => "kind",
            Self::Speed => "speed",
        }
    }
}

/// The positions that both sides have. None where there is nothing to compare by: switches that nobody asked, or a
/// link that is down.
fn places<'n, 'a>(sides: &'n Sides<'a>, by: By) -> Found<Vec<Place<'n, 'a>>> {
    let theirs: Vec<_> = sides.coordinator_nics()?.collect();
    let mut places = Vec::new();
    let mut asked = (false, false);
    let mut gap = None;
    for nic in sides.nics()? {
        let Some(other) = theirs.iter().find(|other| other.bridge == nic.bridge) else { continue };
        let usual = usual(sides, &nic.bridge);
        let (own, pool) = match by {
            By::Neighbour => (nic.link.neighbour.clone().map(|it| switch(&it).to_owned()), usual.neighbour),
            By::Kind => (nic.link.kind.clone(), usual.kind),
            By::Speed if nic.link.carrier == Known::Yes(false) => return Ok(Vec::new()),
            By::Speed => {
                let own = nic.link.carrier.clone().and_then(|_| nic.link.speed.clone());
                (own.map(|speed| speed.to_string()), usual.speed.map(|it| it.map(|speed| speed.to_string())))
            }
        };
        asked = (asked.0 || own.get().is_some(), asked.1 || matches!(pool, Known::Yes(Some(_))));
        match (own, pool) {
            (Known::Yes(own), Known::Yes(Some(pool))) => places.push(Place { nic, like: other.device, own, pool }),
            (_, Known::Yes(None)) => return Ok(Vec::new()),
            // Drivers that know no speed: there is nothing to compare by.
            (Known::No(unknown), _) | (_, Known::No(unknown))
                if by == By::Speed && unknown.reason == Reason::Unreadable =>
            {
                return Ok(Vec::new());
            }
            (Known::No(unknown), _) | (_, Known::No(unknown)) => drop(gap.get_or_insert(unknown)),
        }
    }
    match gap {
        Some(_) if by == By::Neighbour && asked != (true, true) => Ok(Vec::new()),
        Some(unknown) => Err(unknown),
        None => Ok(places),
    }
}

/// The NICs that sit in each other's place, when those of the places that differ are the pool's in another order.
fn exchanged(places: &[Place<'_, '_>]) -> Option<Vec<SwapFact>> {
    let differing: Vec<_> = places.iter().filter(|place| place.own != place.pool).collect();
    let mut own: Vec<_> = differing.iter().map(|place| &place.own).collect();
    let mut pool: Vec<_> = differing.iter().map(|place| &place.pool).collect();
    own.sort_unstable();
    pool.sort_unstable();
    if differing.is_empty() || own != pool {
        return None;
    }
    let mut taken = BTreeSet::new();
    let mut swaps = Vec::new();
    for place in &differing {
        let like = differing.iter().find(|other| other.pool == place.own && !taken.contains(other.like))?;
        taken.insert(like.like);
        swaps.push(SwapFact {
            device: place.nic.device.clone(),
            mac: place.nic.mac.clone(),
            like: like.like.to_owned(),
        });
    }
    Some(swaps)
}
