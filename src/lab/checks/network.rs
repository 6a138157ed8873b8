//! Interfaces, bonds, VLANs, networks and the virtual switch.

use super::super::answer::ApiError;
use super::super::db::{Db, Fields, flag, int, is_null, list, text};
use super::{Checked, Sides, management, not_found};

fn none_of(db: &Db, class: &str, code: &str) -> Checked {
    if db.count(class) > 0 { Err(ApiError::bare(code)) } else { Ok(()) }
}

pub(super) fn management_exists(sides: &Sides<'_>) -> Checked {
    management(sides.joiner).map(drop).ok_or_else(|| ApiError::bare("HOST_STILL_BOOTING"))
}

/// Up to 6.5.
pub(super) fn management_physical(sides: &Sides<'_>) -> Checked {
    let pif = management(sides.joiner).ok_or_else(not_found)?;
    if flag(pif, "physical") {
        return Ok(());
    }
    Err(ApiError::bare("POOL_JOINING_HOST_MUST_HAVE_PHYSICAL_MANAGEMENT_NIC"))
}

/// 7.0 to 7.2.
pub(super) fn only_physical(sides: &Sides<'_>) -> Checked {
    if sides.joiner.each("PIF").all(|(_, pif)| flag(pif, "physical")) {
        return Ok(());
    }
    Err(ApiError::bare("POOL_JOINING_HOST_MUST_ONLY_HAVE_PHYSICAL_PIFS"))
}

pub(super) fn no_bonds(sides: &Sides<'_>) -> Checked {
    none_of(sides.joiner, "Bond", "POOL_JOINING_HOST_HAS_BONDS")
}

pub(super) fn no_tunnels(sides: &Sides<'_>) -> Checked {
    none_of(sides.joiner, "tunnel", "POOL_JOINING_HOST_HAS_TUNNELS")
}

pub(super) fn no_sriovs(sides: &Sides<'_>) -> Checked {
    none_of(sides.joiner, "network_sriov", "POOL_JOINING_HOST_HAS_NETWORK_SRIOVS")
}

pub(super) fn no_other_vlans(sides: &Sides<'_>) -> Checked {
    for (_, vlan) in sides.joiner.each("VLAN") {
        let reference = text(vlan, "untagged_PIF");
        let pif = sides.joiner.get("PIF", reference).ok_or_else(|| ApiError::handle_invalid("PIF", reference))?;
        if !flag(pif, "management") {
            return Err(ApiError::bare("POOL_JOINING_HOST_HAS_NON_MANAGEMENT_VLANS"));
        }
    }
    Ok(())
}

pub(super) fn same_management_vlan(sides: &Sides<'_>) -> Checked {
    let tag = |db| Ok::<_, ApiError>(int(management(db).ok_or_else(not_found)?, "VLAN").unwrap_or(-1));
    let (mine, theirs) = (tag(sides.joiner)?, tag(sides.pool)?);
    if mine == theirs {
        return Ok(());
    }
    let params = [mine.to_string(), theirs.to_string()];
    Err(ApiError::new("POOL_JOINING_HOST_MANAGEMENT_VLAN_DOES_NOT_MATCH", params))
}

pub(super) fn address_type(sides: &Sides<'_>) -> Checked {
    let kind = |db| Ok::<_, ApiError>(text(management(db).ok_or_else(not_found)?, "primary_address_type"));
    if kind(sides.joiner)? == kind(sides.pool)? {
        return Ok(());
    }
    Err(ApiError::not_allowed("Primary address type differs"))
}

/// The first network for NBD on each side.
pub(super) fn purposes(sides: &Sides<'_>) -> Checked {
    fn first(db: &Db) -> Option<&str> {
        let nbd = |network| list(network, "purpose").find(|purpose| matches!(*purpose, "nbd" | "insecure_nbd"));
        db.each("network").find_map(|(_, network)| nbd(network))
    }
    match (first(sides.joiner), first(sides.pool)) {
        (Some(mine), Some(theirs)) if mine != theirs => {
            Err(ApiError::not_allowed("Incompatible network purposes: nbd and insecure_nbd"))
        }
        _ => Ok(()),
    }
}

/// The backend in use now, then the controller, which was one address until 7.1.
pub(super) fn backend(sides: &Sides<'_>) -> Checked {
    let mine = sides.daemons.backend.as_str();
    let theirs =
        super::super::db::key(sides.coordinator().1, "software_version", "network_backend").unwrap_or("bridge");
    if mine != theirs {
        return Err(ApiError::not_allowed("Network backends differ"));
    }
    if mine != "openvswitch" {
        return Ok(());
    }
    if !sides.line.since(1, 30) {
        let address = |db: &Db| text(db.pool().1, "vswitch_controller").to_owned();
        let own = address(sides.joiner);
        if own.is_empty() || own == address(sides.pool) {
            return Ok(());
        }
        return Err(ApiError::not_allowed("vswitch controller address differs"));
    }
    let first = |db: &Db| {
        let (_, record) = db.each("SDN_controller").next()?;
        Some((text(record, "protocol").to_owned(), text(record, "address").to_owned(), int(record, "port")))
    };
    match first(sides.joiner) {
        Some(own) if first(sides.pool) != Some(own.clone()) => Err(ApiError::not_allowed("SDN controller differs")),
        _ => Ok(()),
    }
}

/// Where the pool's cluster takes new hosts in on its own, the joiner needs exactly one address on its network.
pub(super) fn cluster_address(sides: &Sides<'_>) -> Checked {
    let Sides { pool, joiner, .. } = sides;
    let Some((_, member)) = pool.each("Cluster_host").next() else { return Ok(()) };
    let cluster = pool.get("Cluster", text(member, "cluster"));
    if !cluster.is_some_and(|cluster| flag(cluster, "pool_auto_join")) || is_null(text(member, "PIF")) {
        return Ok(());
    }
    let reference = text(member, "PIF");
    let pif = pool.get("PIF", reference).ok_or_else(|| ApiError::handle_invalid("PIF", reference))?;
    if let Some(tag) = int(pif, "VLAN").filter(|tag| *tag > 0)
        && !flag(pif, "management")
    {
        let code = "POOL_JOINING_POOL_CANNOT_ENABLE_CLUSTERING_ON_VLAN_NETWORK";
        return Err(ApiError::new(code, [tag.to_string()]));
    }
    let bridges = cluster_bridges(pool, pif);
    let on_it = |(_, pif): (&str, &Fields)| {
        let network = joiner.get("network", text(pif, "network"));
        !text(pif, "IP").is_empty() && network.is_some_and(|network| bridges.contains(&text(network, "bridge")))
    };
    if joiner.each("PIF").filter(|pif| on_it(*pif)).count() == 1 {
        return Ok(());
    }
    Err(ApiError::bare("POOL_JOINING_HOST_MUST_HAVE_ONLY_ONE_IP_ON_CLUSTERING_NETWORK"))
}

/// The bridge of the cluster's interface; of a bond, those of its members, since a joiner has no bond.
fn cluster_bridges<'a>(pool: &'a Db, pif: &'a Fields) -> Vec<&'a str> {
    let bridge = |pif| pool.get("network", text(pif, "network")).map(|network| text(network, "bridge"));
    match list(pif, "bond_master_of").find_map(|bond| pool.get("Bond", bond)) {
        Some(bond) => list(bond, "slaves").filter_map(|slave| bridge(pool.get("PIF", slave)?)).collect(),
        None => bridge(pif).into_iter().collect(),
    }
}
