//! From a configuration to a world with addresses, certificates and sockets.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;

use super::db::{Db, Fields, flag, text};
use super::join;
use super::phase::Phase;
use super::release;
use super::tls;
use super::world::{Host, Pool, Shared, World};
use super::{Endpoint, LabConfig, LabError};

/// How often a free port is looked for: the one that the system gives at the first address may be taken at another.
const TRIES: usize = 32;

/// The world that a configuration describes, and a listener for each host.
pub(super) fn set_up(config: LabConfig) -> Result<(Arc<Shared>, Vec<TcpListener>), LabError> {
    if config.served.is_empty() {
        return Err(LabError::Empty);
    }
    let mut world = World::default();
    for served in config.served {
        let users = match served.users {
            Some(own) => {
                own.into_iter().chain(config.users.iter().filter(|user| user.name != "root").cloned()).collect()
            }
            None => config.users.clone(),
        };
        let (line, daemons) = (served.site.line, served.site.daemons);
        let pool = world.pools.len();
        let mut db = served.site.db;
        for reference in hosts(&db) {
            let number = world.hosts.len();
            let address = address(number);
            let name = free_name(&world, &db, &reference);
            move_to(&mut db, &reference, address);
            let identity = tls::identity(&name, address)?;
            if line.since(1, 249) {
                join::own_certificate(&mut db, &reference, &identity.fingerprint, line.since(1, 294));
            }
            let own = db.get("host", &reference).map_or(line, release::Line::of_host);
            world.hosts.push(Host {
                name,
                reference: reference.clone(),
                address,
                identity,
                pool,
                phase: if db.coordinator() == reference { Phase::Idle } else { Phase::Member },
                daemons: daemons.clone(),
                line: own,
                emergency: None,
                users: users.clone(),
                lives: 0,
            });
        }
        world.pools.push(Pool { db, users, sessions: HashMap::new() });
    }
    for fault in config.faults {
        world.faults.add(fault);
    }
    let addresses: Vec<_> = world.hosts.iter().map(|host| host.address).collect();
    let (port, listeners) = listen(&addresses, config.port)?;
    let shared = Shared::new(world, config.speed.max(f64::MIN_POSITIVE), config.session_life, port);
    Ok((Arc::new(shared), listeners))
}

/// The hosts of a database: the coordinator, then by name.
fn hosts(db: &Db) -> Vec<String> {
    let coordinator = db.coordinator();
    let mut hosts: Vec<_> = db.each("host").collect();
    hosts.sort_by_key(|(reference, record)| (*reference != coordinator, text(record, "name_label"), *reference));
    hosts.into_iter().map(|(reference, _)| reference.to_owned()).collect()
}

/// The Nth address: 127.0.0.1 and up, without those that end in 0 or 255.
fn address(number: usize) -> IpAddr {
    let number = u32::try_from(number).unwrap_or(0);
    let (net, host) = (number / 254, number % 254 + 1);
    IpAddr::V4(Ipv4Addr::from(0x7f00_0000 | net << 8 | host))
}

/// A host's own name, with a number where it is taken.
fn free_name(world: &World, db: &Db, reference: &str) -> String {
    let name = db.get("host", reference).map(|record| text(record, "name_label")).filter(|name| !name.is_empty());
    let name = name.unwrap_or("host").to_owned();
    let numbered = (2..).map(|number| format!("{name}-{number}"));
    let free = std::iter::once(name.clone()).chain(numbered).find(|name| world.host_named(name).is_none());
    free.unwrap_or(name)
}

/// A host's record and its management interface name the address at which it is served.
fn move_to(db: &mut Db, host: &str, address: IpAddr) {
    db.set("host", host, "address", address.to_string());
    let management = |(_, pif): &(&str, &Fields)| text(pif, "host") == host && flag(pif, "management");
    let pifs: Vec<_> = db.each("PIF").filter(management).map(|(reference, _)| reference.to_owned()).collect();
    for pif in pifs {
        db.set("PIF", &pif, "IP", address.to_string());
        db.set("PIF", &pif, "netmask", "255.0.0.0");
    }
}

/// One port for all addresses, since addresses of hosts carry none.
fn listen(addresses: &[IpAddr], wanted: Option<u16>) -> Result<(u16, Vec<TcpListener>), LabError> {
    let mut left = if wanted.is_some() { 1 } else { TRIES };
    loop {
        left -= 1;
        let mut port = wanted.unwrap_or(0);
        let mut listeners = Vec::new();
        let bound = addresses.iter().try_for_each(|address| {
            let at = SocketAddr::new(*address, port);
            let listener =
                TcpListener::bind(at).map_err(|source| LabError::Socket { address: at.to_string(), source })?;
            if let (0, Ok(local)) = (port, listener.local_addr()) {
                port = local.port();
            }
            listeners.push(listener);
            Ok(())
        });
        match bound {
            Ok(()) => return Ok((port, listeners)),
            Err(error) if left == 0 => return Err(error),
            Err(_) => {}
        }
    }
}

/// A host as the lab's users see it.
pub(super) fn endpoint(world: &World, host: usize, port: u16) -> Endpoint {
    let own = &world.hosts[host];
    let coordinator =
        world.coordinator_of(host).map_or_else(|| own.name.clone(), |host| world.hosts[host].name.clone());
    Endpoint {
        name: own.name.clone(),
        address: own.address,
        port,
        fingerprint: own.identity.fingerprint.clone(),
        pem: own.identity.pem.clone(),
        coordinator,
        release: world.record(host).map(release::title).unwrap_or_default(),
        phase: own.phase,
    }
}
