//! The pool's CPU level (7.0 and newer): what guests may count on, as the server folds it over the hosts.
//! Source: xapi `create_misc.ml`, `create_pool_cpuinfo`, in its three shapes over the releases.

use super::names;
use crate::facts::{Featureset, Known, Reason, Unknown};
use crate::snapshot::{Host, HostCpu, Pool, PoolCpu};

/// Which keys `pool.cpu_info` has, and so which keys of a host the server folds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// 7.0–8.0: `features_pv` and `features_hvm`, which there are the default sets.
    Plain,
    /// 8.1 and the first 8.2: these as maximum sets, and the default sets in `features_*_host`, which fall back to
    /// the former on a host without them.
    Both,
    /// 8.2 with updates and newer: the default sets only; a host without them is skipped.
    DefaultOnly,
}

impl Shape {
    /// The shape that this pool's server uses: from `pool.cpu_info`, else from what its hosts have.
    pub fn of(pool: &Pool) -> Self {
        let from_pool = pool.cpu_info.get().and_then(|cpu| {
            shape(
                cpu.features_pv.get().is_some() || cpu.features_hvm.get().is_some(),
                cpu.features_pv_host.get().is_some() || cpu.features_hvm_host.get().is_some(),
            )
        });
        from_pool.unwrap_or_else(|| Self::of_cpus(pool.hosts.each().filter_map(|host| host.cpu.get())))
    }

    /// The shape that the server of these CPUs uses, from what they have.
    pub fn of_cpus<'a>(cpus: impl IntoIterator<Item = &'a HostCpu, IntoIter: Clone>) -> Self {
        let cpus = cpus.into_iter();
        let has = |key: fn(&HostCpu) -> &Known<Featureset>| cpus.clone().any(|cpu| key(cpu).get().is_some());
        match (has(|cpu| &cpu.features_hvm_host) || has(|cpu| &cpu.features_pv_host), has(|cpu| &cpu.features)) {
            (false, _) => Self::Plain,
            (true, true) => Self::Both,
            (true, false) => Self::DefaultOnly,
        }
    }

    /// Whether a feature that adds up over a pool does so here: none of them is lost by levelling.
    pub fn adds_up(self, feature: usize) -> bool {
        self == Self::DefaultOnly && names::adds_up(feature)
    }
}

const fn shape(plain: bool, host: bool) -> Option<Shape> {
    match (plain, host) {
        (true, false) => Some(Shape::Plain),
        (true, true) => Some(Shape::Both),
        (false, true) => Some(Shape::DefaultOnly),
        (false, false) => None,
    }
}

/// The two kinds of guests, which have sets of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Guest {
    /// Hardware-assisted: `hvm`, `pvh`, `pv_in_pvh`.
    Hvm,
    /// Paravirtualised.
    Pv,
}

impl Guest {
    /// Of a domain type; none for `unspecified` and what no release knows.
    pub fn of_domain_type(domain_type: &str) -> Option<Self> {
        match domain_type {
            "hvm" | "pvh" | "pv_in_pvh" => Some(Self::Hvm),
            "pv" => Some(Self::Pv),
            _ => None,
        }
    }

    /// The word for operators.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Hvm => "hvm",
            Self::Pv => "pv",
        }
    }
}

/// The four sets of a pool. The set without words is the level of no host at all.
///
/// ```
/// use poolgate::cpu::{levelling::Level, names};
/// use poolgate::snapshot::read_snapshot;
///
/// let read = |path: &str| read_snapshot(&std::fs::read(path).unwrap()).unwrap().0.pool;
/// let pool = read("fixtures/xcp-ng-8.3-5-hosts.json");
/// let joiner = read("fixtures/candidate-older-intel.json");
///
/// let now = Level::of_pool(&pool);
/// let then = joiner.hosts.each().fold(now.clone(), Level::with);
/// let (now, then) = (now.hvm_default.get().unwrap(), then.hvm_default.get().unwrap());
/// let lost = names::names(&now.diff(then));
/// assert!(lost.contains(&"avx512f".to_owned()), "{lost:?}");
/// assert!(then.is_subset(now));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Level {
    /// Which keys were folded.
    pub shape: Shape,
    /// What every host can give an HVM guest at most.
    pub hvm_max: Known<Featureset>,
    /// What HVM guests are started with.
    pub hvm_default: Known<Featureset>,
    /// What every host can give a PV guest at most.
    pub pv_max: Known<Featureset>,
    /// What PV guests are started with.
    pub pv_default: Known<Featureset>,
    /// Hosts that the server leaves out because they lack a key that it needs.
    pub skipped: Vec<String>,
    /// Hosts left out of the HVM sets because they cannot run HVM guests.
    pub without_hvm: Vec<String>,
}

impl Level {
    /// The level of no host.
    pub fn empty(shape: Shape) -> Self {
        let identity = || Known::Yes(Featureset::default());
        Self {
            shape,
            hvm_max: identity(),
            hvm_default: identity(),
            pv_max: identity(),
            pv_default: identity(),
            skipped: Vec::new(),
            without_hvm: Vec::new(),
        }
    }

    /// The level of these hosts.
    pub fn of<'a>(shape: Shape, hosts: impl IntoIterator<Item = &'a Host>) -> Self {
        hosts.into_iter().fold(Self::empty(shape), |level, host| level.with(host))
    }

    /// The level of a pool: from its hosts; a set that they do not show, from `pool.cpu_info`.
    pub fn of_pool(pool: &Pool) -> Self {
        let level = Self::of_hosts(pool, |_| true);
        let known = [&level.hvm_max, &level.hvm_default, &level.pv_max, &level.pv_default];
        if known.iter().all(|set| set.get().is_some()) { level } else { level.or_server(Self::of_server(pool)) }
    }

    /// The level that a pool would have after ejecting the host with this reference. `pool.cpu_info` cannot help
    /// here: it says nothing about a pool without that host.
    pub fn without(pool: &Pool, reference: &str) -> Self {
        Self::of_hosts(pool, |host| host.reference.text() != Some(reference))
    }

    /// The level as the server has it in `pool.cpu_info`.
    pub fn of_server(pool: &Pool) -> Self {
        let shape = Shape::of(pool);
        let key = |name: &str, set: fn(&PoolCpu) -> &Known<Featureset>| {
            let said = pool.cpu_info.as_ref().and_then(|cpu| set(cpu).clone());
            named(said, || format!("pool.cpu_info.{name}"))
        };
        let (pv, hvm) = (key("features_pv", |cpu| &cpu.features_pv), key("features_hvm", |cpu| &cpu.features_hvm));
        let (pv_default, hvm_default) = match shape {
            Shape::Plain => (pv.clone(), hvm.clone()),
            Shape::Both | Shape::DefaultOnly => (
                key("features_pv_host", |cpu| &cpu.features_pv_host),
                key("features_hvm_host", |cpu| &cpu.features_hvm_host),
            ),
        };
        Self { pv_max: pv, hvm_max: hvm, pv_default, hvm_default, ..Self::empty(shape) }
    }

    /// The level after one more host.
    #[must_use]
    pub fn with(mut self, host: &Host) -> Self {
        let cpu = match named(host.cpu.as_ref(), || format!("host {}, cpu", label(host))) {
            Known::Yes(cpu) => cpu,
            Known::No(unknown) => {
                self.spoil(&unknown);
                return self;
            }
        };
        let hvm = hvm_capable(host);
        if self.skips(cpu, hvm.get() != Some(&false)) {
            self.skipped.push(label(host));
            return self;
        }
        step(&mut self.pv_default, default_set(cpu, self.shape, Guest::Pv), host);
        step(&mut self.pv_max, max_set(cpu, Guest::Pv), host);
        match hvm {
            Known::Yes(true) => {
                step(&mut self.hvm_default, default_set(cpu, self.shape, Guest::Hvm), host);
                step(&mut self.hvm_max, max_set(cpu, Guest::Hvm), host);
            }
            Known::Yes(false) => self.without_hvm.push(label(host)),
            Known::No(unknown) => {
                self.hvm_default = Known::No(unknown.clone());
                self.hvm_max = Known::No(unknown);
            }
        }
        self
    }

    /// The level of which nothing is known.
    #[must_use]
    pub(super) fn unknown(mut self, why: &Unknown) -> Self {
        self.spoil(why);
        self
    }

    /// The default set of a kind of guest: what guests are started with.
    pub const fn default_of(&self, guest: Guest) -> &Known<Featureset> {
        match guest {
            Guest::Hvm => &self.hvm_default,
            Guest::Pv => &self.pv_default,
        }
    }

    pub(super) fn of_hosts(pool: &Pool, keep: impl Fn(&Host) -> bool) -> Self {
        let shape = Shape::of(pool);
        match &pool.hosts {
            Known::Yes(hosts) if !hosts.is_empty() => Self::of(shape, hosts.iter().filter(|host| keep(host))),
            Known::Yes(_) => {
                let mut level = Self::empty(shape);
                level.spoil(&Unknown::because(Reason::Unreadable, "the pool shows no hosts"));
                level
            }
            Known::No(unknown) => {
                let mut level = Self::empty(shape);
                level.spoil(&Unknown::because(unknown.reason, "the pool's hosts"));
                level
            }
        }
    }

    fn or_server(self, server: Self) -> Self {
        let or = |own: Known<Featureset>, other: Known<Featureset>| match (&own, &other) {
            (Known::No(_), Known::Yes(_)) => other,
            _ => own,
        };
        Self {
            hvm_max: or(self.hvm_max, server.hvm_max),
            hvm_default: or(self.hvm_default, server.hvm_default),
            pv_max: or(self.pv_max, server.pv_max),
            pv_default: or(self.pv_default, server.pv_default),
            ..self
        }
    }

    /// Whether the server leaves a host out for lack of a key; a key that was merely not collected does not count.
    fn skips(&self, cpu: &HostCpu, hvm: bool) -> bool {
        let sets = match self.shape {
            Shape::Plain | Shape::Both => [&cpu.features_pv, &cpu.features_hvm],
            Shape::DefaultOnly => [&cpu.features_pv_host, &cpu.features_hvm_host],
        };
        absent(&cpu.vendor)
            || absent(&cpu.cpu_count)
            || absent(&cpu.socket_count)
            || absent(sets[0])
            || hvm && absent(sets[1])
    }

    fn spoil(&mut self, unknown: &Unknown) {
        for set in [&mut self.hvm_max, &mut self.hvm_default, &mut self.pv_max, &mut self.pv_default] {
            if set.get().is_some() {
                *set = Known::No(unknown.clone());
            }
        }
    }
}

/// The set that guests would be started with on a host, under a pool of this shape, with the key's name.
pub fn default_set(cpu: &HostCpu, shape: Shape, guest: Guest) -> (&'static str, &Known<Featureset>) {
    let (host_name, host) = match guest {
        Guest::Hvm => ("features_hvm_host", &cpu.features_hvm_host),
        Guest::Pv => ("features_pv_host", &cpu.features_pv_host),
    };
    match shape {
        Shape::Plain => max_set(cpu, guest),
        Shape::Both if absent(host) => max_set(cpu, guest),
        Shape::Both | Shape::DefaultOnly => (host_name, host),
    }
}

/// The largest set that a host can give a guest (`features_pv`, `features_hvm`), with the key's name.
pub const fn max_set(cpu: &HostCpu, guest: Guest) -> (&'static str, &Known<Featureset>) {
    match guest {
        Guest::Hvm => ("features_hvm", &cpu.features_hvm),
        Guest::Pv => ("features_pv", &cpu.features_pv),
    }
}

/// What the server would start a VM of this domain type with (`next_boot_cpu_features`).
pub fn next_boot_features(pool: &PoolCpu, guest: Guest) -> &Known<Featureset> {
    let (host, plain) = match guest {
        Guest::Hvm => (&pool.features_hvm_host, &pool.features_hvm),
        Guest::Pv => (&pool.features_pv_host, &pool.features_pv),
    };
    if host.get().is_none() && plain.get().is_some() { plain } else { host }
}

/// Whether the server counts a host among those that run HVM guests: one of its capabilities contains `hvm`. A host
/// without Xen on it would, if its firmware leaves virtualisation on.
pub fn hvm_capable(host: &Host) -> Known<bool> {
    let said = host.capabilities.as_ref().map(|texts| texts.iter().any(|text| text.contains("hvm")));
    let firmware = host.hardware.as_ref().and_then(|hardware| hardware.virtualisation_enabled.clone());
    match (said, firmware) {
        (Known::No(_), Known::Yes(on)) => Known::Yes(on),
        (said, _) => named(said, || format!("host {}, capabilities", label(host))),
    }
}

/// Whether the server would refuse for the CPUs' vendors: any difference in the text. A missing text is an error
/// there and unknown here.
pub fn vendors_differ(joiner: &Known<String>, pool: &Known<String>) -> Known<bool> {
    joiner.as_ref().and_then(|joiner| pool.as_ref().map(|pool| joiner != pool))
}

/// What an operator calls a host.
pub fn label(host: &Host) -> String {
    [&host.name_label, &host.hostname, &host.uuid, &host.reference]
        .into_iter()
        .find_map(|name| name.text().filter(|text| !text.is_empty()))
        .unwrap_or("(unnamed)")
        .to_owned()
}

/// Says in an unknown whose it is.
pub(super) fn named<T>(known: Known<T>, whose: impl FnOnce() -> String) -> Known<T> {
    match known {
        Known::Yes(value) => Known::Yes(value),
        Known::No(unknown) => Known::no(
            unknown.reason,
            match unknown.detail() {
                "" => whose(),
                detail => format!("{}: {detail}", whose()),
            },
        ),
    }
}

/// Whether the server's own record lacks this key.
pub(super) const fn absent<T>(known: &Known<T>) -> bool {
    matches!(known, Known::No(Unknown { reason: Reason::AbsentOnRelease, .. }))
}

fn step(level: &mut Known<Featureset>, (key, set): (&str, &Known<Featureset>), host: &Host) {
    if absent(set) {
        return;
    }
    let Known::Yes(so_far) = level else { return };
    match named(set.as_ref(), || format!("host {}, cpu.{key}", label(host))) {
        Known::Yes(set) => so_far.narrow(set),
        Known::No(unknown) => *level = Known::No(unknown),
    }
}
