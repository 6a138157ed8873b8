//! Faults that change the lab itself or its answers.

use serde_json::{Value, json};

use super::super::tls;
use super::super::world::Shared;

/// From the next connection on, the host shows another certificate.
pub(in crate::lab) fn swap_certificate(shared: &Shared, host: usize) {
    let (name, address) = {
        let world = shared.world();
        (world.hosts[host].name.clone(), world.hosts[host].address)
    };
    // Without a new certificate the old one stays.
    if let Ok(identity) = tls::identity(&name, address) {
        shared.world().hosts[host].identity = identity;
    }
}

/// Another member becomes coordinator; nothing happens where there is none.
pub(in crate::lab) fn change_coordinator(shared: &Shared, host: usize) {
    let mut world = shared.world();
    let pool = world.hosts[host].pool;
    let old = world.db(host).coordinator().to_owned();
    let others = world.hosts.iter().filter(|other| other.pool == pool && other.reference != old);
    let Some(new) = others.map(|other| other.reference.clone()).next() else { return };
    let users = world.pools[pool].users.clone();
    for host in world.hosts.iter_mut().filter(|host| host.pool == pool) {
        host.users.clone_from(&users);
    }
    world.pools[pool].sessions.clear();
    world.pools[pool].db.set_pool("master", new);
    drop(world);
    shared.tell();
}

/// Swaps the types of an answer's leaves. Bare texts stay, so that a login still works.
pub(in crate::lab) fn twist(value: &mut Value) {
    match value {
        Value::Object(fields) => fields.values_mut().for_each(twist_leaf),
        Value::Array(items) => items.iter_mut().for_each(twist_leaf),
        _ => {}
    }
}

fn twist_leaf(value: &mut Value) {
    *value = match value {
        Value::Bool(_) => json!("perhaps"),
        Value::Number(_) => json!(["many"]),
        Value::String(_) => json!(7),
        Value::Array(_) => json!({"odd": true}),
        Value::Null => json!(0),
        Value::Object(fields) if fields.contains_key("uuid") => {
            fields.values_mut().for_each(twist_leaf);
            return;
        }
        Value::Object(_) => json!([]),
    };
}
