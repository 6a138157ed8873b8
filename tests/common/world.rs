//! Servers that a test scripts, in the place of real ones: a pool and hosts as snapshots, a clock that runs when somebody
//! waits, and a count of the calls that change something.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::time::Duration;

use poolgate::facts::Known;
use poolgate::gate::journal::{Act, Sent};
use poolgate::gate::plan::{Call, Plan, Predicted, Sought};
use poolgate::gate::{Collected, HostLook, Member, Trouble, World};
use poolgate::rules::Side;
use poolgate::snapshot::{Bond, Host, Pbd, Pif, Pool, Vlan};

/// What comes of a call.
#[derive(Clone, Debug)]
pub enum Fate {
    /// The host is up after so many looks.
    Comes { after: usize, sent: Sent },
    /// It never comes; the host looks so.
    Never { sent: Sent, look: HostLook },
}

/// What somebody else does meanwhile.
pub type Change = fn(&mut Scripted);

pub struct Scripted {
    pub pool: Side,
    pub hosts: Vec<Side>,
    pub plan: Plan,
    pub fate: Fate,
    /// Calls that change something, as they came.
    pub calls: Vec<String>,
    pub clock: Duration,
    pub told: Vec<String>,
    /// Stops the run when this many things were asked of it.
    pub interrupt_at: Option<usize>,
    pub asked: usize,
    /// Fails this many collections from now on.
    pub unreachable: bool,
    /// Does this to the sides once they have been asked this often.
    pub meanwhile: Option<(usize, Change)>,
    looks: usize,
    joined: Option<usize>,
}

impl Scripted {
    pub fn new(pool: Side, hosts: Vec<Side>, plan: Plan, fate: Fate) -> Self {
        Self {
            pool,
            hosts,
            plan,
            fate,
            calls: vec![],
            clock: Duration::ZERO,
            told: vec![],
            interrupt_at: None,
            asked: 0,
            unreachable: false,
            meanwhile: None,
            looks: 0,
            joined: None,
        }
    }

    fn ask(&mut self) {
        self.asked += 1;
        if let Some((at, change)) = self.meanwhile
            && self.asked >= at
        {
            self.meanwhile = None;
            change(self);
        }
    }

    fn arrive(&mut self) {
        let (Fate::Comes { after, .. }, Some(place)) = (&self.fate, self.joined) else { return };
        if self.looks >= *after {
            self.joined = None;
            let predicted = &self.plan.steps[place].predicted;
            let records = &mut self.pool.snapshot.pool;
            match self.plan.act {
                Act::Join => come(records, &self.hosts[place].snapshot.pool, predicted),
                Act::Eject => leave(records, predicted),
            }
        }
    }
}

/// The joiner in the pool, as predicted.
fn come(pool: &mut Pool, joiner: &Pool, predicted: &Predicted) {
    let host = joiner.coordinator_host().get().copied().cloned().unwrap();
    let own = Host { enabled: true.into(), ..host };
    let reference = own.reference.text().unwrap().to_owned();
    pool.hosts.get_mut().unwrap().push(own);
    let coordinator = pool.coordinator_host().get().unwrap().reference.text().unwrap().to_owned();
    let of_coordinator: Vec<_> =
        pool.pifs.each().filter(|pif| pif.host.text() == Some(&coordinator)).cloned().collect();
    let name = |network: &Known<String>| {
        pool.networks.each().find(|it| it.reference == *network).and_then(|it| it.name_label.text())
    };
    let at = |kind: &str, what: &str| format!("{kind}-{reference}-{what}");
    let (mut pifs, mut bonds) = (Vec::new(), Vec::new());
    for nic in &predicted.nics {
        let bridge = |it: &&poolgate::snapshot::Network| it.bridge.text() == Some(&nic.bridge);
        let network = pool.networks.each().find(bridge).unwrap().reference.clone();
        let own = joiner.pifs.each().find(|pif| pif.device.text() == Some(&nic.device)).unwrap();
        let management = name(&network) == Some(&predicted.management);
        let (uuid, reference) = (at("pif", &nic.device), at("pif", &nic.device));
        pifs.push(Pif {
            reference: reference.into(),
            uuid: uuid.into(),
            network,
            management: management.into(),
            ..own.clone()
        });
    }
    // What the server makes is as at the coordinator.
    let same = |network: &str| {
        let network = pool.networks.each().find(|it| it.uuid.text() == Some(network)).unwrap();
        of_coordinator
            .iter()
            .find(|pif| pif.network == network.reference && pif.physical == Known::Yes(false))
            .unwrap()
    };
    for bond in predicted.bonds.iter().filter(|bond| !bond.members.is_empty()) {
        let pif = same(&bond.network);
        let like = pool.bonds.each().find(|it| it.interface == pif.reference).unwrap();
        let (interface, reference) = (at("bond-pif", &bond.network), at("bond", &bond.network));
        for member in pifs.iter_mut().filter(|pif| bond.members.iter().any(|it| pif.device.text() == Some(it))) {
            member.bond_slave_of = Some(reference.clone()).into();
        }
        let members: Vec<_> = bond.members.iter().map(|device| at("pif", device)).collect();
        bonds.push(Bond {
            reference: reference.clone().into(),
            interface: interface.clone().into(),
            primary_member: members.first().cloned().into(),
            members: members.into(),
            ..like.clone()
        });
        let management = (bond.name == predicted.management).into();
        pifs.push(Pif {
            reference: interface.into(),
            bond_master_of: vec![reference].into(),
            management,
            ..pif.clone()
        });
    }
    let mut vlans = Vec::new();
    for vlan in &predicted.vlans {
        let pif = same(&vlan.network);
        let like = pool
            .vlans
            .each()
            .find(|it| it.untagged_pif.get().map(Option::as_deref) == Some(pif.reference.text()))
            .unwrap();
        let below = of_coordinator.iter().find(|it| it.reference == like.tagged_pif).unwrap();
        let below = pifs.iter().find(|it| it.network == below.network).unwrap().reference.clone();
        let (tagged, reference) = (at("vlan-pif", &vlan.network), at("vlan", &vlan.network));
        vlans.push(Vlan {
            reference: reference.clone().into(),
            tagged_pif: below,
            untagged_pif: Some(tagged.clone()).into(),
            ..like.clone()
        });
        pifs.push(Pif { reference: tagged.into(), vlan_master_of: Some(reference).into(), ..pif.clone() });
    }
    for pif in &mut pifs {
        pif.host = reference.clone().into();
    }
    let plugs: Vec<_> = pool
        .pbds
        .each()
        .filter(|pbd| pbd.host.text() == Some(&coordinator))
        .filter(|pbd| {
            let sr = pool.srs.each().find(|sr| sr.reference == pbd.sr).unwrap();
            predicted.srs.iter().any(|it| sr.uuid.text() == Some(&it.uuid))
        })
        .map(|pbd| Pbd { host: reference.clone().into(), currently_attached: true.into(), ..pbd.clone() })
        .collect();
    pool.pifs.get_mut().unwrap().extend(pifs);
    pool.bonds.get_mut().unwrap().extend(bonds);
    pool.vlans.get_mut().unwrap().extend(vlans);
    pool.pbds.get_mut().unwrap().extend(plugs);
    pool.vms.get_mut().unwrap().extend(joiner.vms.each().cloned());
    level(pool, predicted);
}

fn leave(pool: &mut Pool, predicted: &Predicted) {
    pool.hosts.get_mut().unwrap().retain(|host| host.uuid.text() != Some(&predicted.host));
    level(pool, predicted);
}

fn level(pool: &mut Pool, predicted: &Predicted) {
    let Some(cpu) = pool.cpu_info.get_mut() else { return };
    let set =
        |text: &Option<String>| text.as_ref().map_or_else(Known::default, |text| Known::Yes(text.parse().unwrap()));
    (cpu.features_hvm_host, cpu.features_pv_host) = (set(&predicted.level_hvm), set(&predicted.level_pv));
}

fn sought(side: &Side) -> Sought {
    Sought { fingerprint: format!("SHA-OF-{}", side.target) }
}

impl World for Scripted {
    fn collect_pool(&mut self) -> Result<Collected, Trouble> {
        self.ask();
        if self.unreachable {
            return Err(Trouble { what: "the coordinator is away".to_owned() });
        }
        Ok((self.pool.clone(), sought(&self.pool)))
    }

    fn collect_host(&mut self, place: usize) -> Result<Collected, Trouble> {
        self.ask();
        Ok((self.hosts[place].clone(), sought(&self.hosts[place])))
    }

    fn send(&mut self, place: usize, call: &Call) -> Sent {
        self.ask();
        let (Fate::Comes { sent, .. } | Fate::Never { sent, .. }) = &self.fate;
        if !matches!(sent, Sent::NotSent { .. }) {
            self.calls.push(format!("{} {}", call.method, self.plan.steps[place].host.name));
            self.joined = Some(place);
            self.looks = 0;
        }
        sent.clone()
    }

    fn look_pool(&mut self) -> Result<Vec<Member>, Trouble> {
        self.ask();
        self.looks += 1;
        self.arrive();
        if self.unreachable {
            return Err(Trouble { what: "the coordinator is away".to_owned() });
        }
        let member = |host: &Host| Member {
            uuid: host.uuid.text().unwrap_or_default().to_owned(),
            enabled: host.enabled == Known::Yes(true),
        };
        Ok(self.pool.snapshot.pool.hosts.each().map(member).collect())
    }

    fn is_pool_busy(&mut self) -> bool {
        self.pool.snapshot.pool.current_operations.get().is_some_and(|operations| !operations.is_empty())
    }

    fn look_host(&mut self, _: usize) -> HostLook {
        match &self.fate {
            Fate::Never { look, .. } => look.clone(),
            Fate::Comes { .. } if self.plan.act == Act::Eject && self.joined.is_none() => {
                HostLook::Alone { busy: false }
            }
            Fate::Comes { .. } => HostLook::Silent { why: "connection refused".to_owned() },
        }
    }

    fn elapsed(&self) -> Duration {
        self.clock
    }

    fn pause(&mut self, time: Duration) {
        self.clock += time;
    }

    fn interrupted(&self) -> bool {
        self.interrupt_at.is_some_and(|at| self.asked >= at)
    }

    fn tell(&mut self, text: &str) {
        self.told.push(text.to_owned());
    }
}
