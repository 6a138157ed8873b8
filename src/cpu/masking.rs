//! CPU masking (5.6–6.5): which of the four kinds of pool a joiner makes, and the exact mask that would make it fit.
//! Source: xapi `doc/content/design/heterogeneous-pools.md`; Citrix CTX127059 names the four kinds.

use super::levelling::{label, named, vendors_differ};
use crate::facts::{Featureset, Known, Reason, Unknown, facts, known, need};
use crate::snapshot::{Host, HostCpu, Pool};

/// The bits that count when two hosts are compared, where the pool does not say: all but EST.
const DEFAULT_MASK: [u32; 4] = [0xffff_ff7f, 0xffff_ffff, 0xffff_ffff, 0xffff_ffff];
/// Where each of the four legacy words (1c-1d-e1c-e1d) is in a featureset.
const CANONICAL: [usize; 4] = [1, 0, 3, 2];

facts! {
    /// What masking would have to do before the joiner fits (5.6–6.5; unknown as not applicable on newer releases).
    pub struct MaskingFacts as "cpu_masking" {
        /// The pool's features: those of its coordinator now, as four words.
        pub pool_features: Known<Featureset>,
        /// The joiner's features now.
        pub joiner_features: Known<Featureset>,
        /// The joiner's features without a mask.
        pub joiner_physical: Known<Featureset>,
        /// Which of the joiner's words can be masked: `no`, `base`, `full`.
        pub joiner_maskable: Known<String>,
        /// The bits that count when hosts are compared (`pool.other_config:cpuid_feature_mask`).
        pub ignore_mask: Known<Featureset>,
        /// Whether the server takes the joiner as it is: equal to the coordinator where bits count.
        pub equal: Known<bool>,
        /// Which kind of pool this makes: `equal`, `mask-joiner`, `mask-pool`, `mask-both`, `vendors-differ`.
        pub kind: Known<String>,
        /// Whether masking can make the joiner fit (also true when it fits as it is).
        pub possible: Known<bool>,
        /// The value of `features=` for `xe host-set-cpu-features` on the joiner; empty when it needs none or none exists.
        pub joiner_value: Known<String>,
        /// The same for each member that must be masked.
        pub member_values: Known<Vec<MemberMask>>,
        /// The commands, in order; empty when none is needed or none helps.
        pub commands: Known<Vec<String>>,
        /// Why no mask helps; empty when one does or none is needed.
        pub why_not: Known<String>,
        /// Whether the joiner's licence allows masking (`restrict_cpu_masking` is `false`).
        pub licensed: Known<bool>,
    }

    /// A member of the pool that must be masked.
    pub struct MemberMask as "member_mask" {
        /// The member's name.
        pub name: String,
        /// The member's uuid; empty when not known.
        pub uuid: String,
        /// The value of `features=`.
        pub value: String,
    }
}

impl MaskingFacts {
    /// All unknown, for pools that level instead of masking.
    pub fn not_applicable(why: &str) -> Self {
        fn no<T>(why: &Unknown) -> Known<T> {
            Known::No(why.clone())
        }
        let why = &Unknown::because(Reason::NotApplicable, why);
        Self {
            pool_features: no(why),
            joiner_features: no(why),
            joiner_physical: no(why),
            joiner_maskable: no(why),
            ignore_mask: no(why),
            equal: no(why),
            kind: no(why),
            possible: no(why),
            joiner_value: no(why),
            member_values: no(why),
            commands: no(why),
            why_not: no(why),
            licensed: no(why),
        }
    }
}

/// What a mask would have to do so that `joiner` fits `pool`, whose coordinator is `coordinator`.
pub fn derive(pool: &Pool, coordinator: &Known<&Host>, joiner: &Known<&Host>) -> MaskingFacts {
    let (ours, theirs) = (cpu_of(coordinator), cpu_of(joiner));
    let mut facts = MaskingFacts {
        pool_features: ours.clone().and_then(current),
        joiner_features: theirs.clone().and_then(current),
        joiner_physical: theirs.clone().and_then(physical),
        joiner_maskable: theirs.clone().and_then(maskable),
        ignore_mask: ignore_mask(pool),
        licensed: joiner.clone().and_then(licensed),
        ..MaskingFacts::not_applicable("")
    };
    let differ = ours.and_then(|ours| theirs.and_then(|theirs| vendors_differ(&theirs.0.vendor, &ours.0.vendor)));
    let unset = pool.other_config.get().is_some_and(|config| !config.contains_key(MASK_KEY));
    facts.equal = known(|| {
        let (pool, joiner, mask) =
            (need(&facts.pool_features)?, need(&facts.joiner_features)?, need(&facts.ignore_mask)?);
        let (differ, equal) = (*need(&differ)?, same(pool, joiner, mask));
        // What counts without the key is not told alike everywhere: a mask that only some take is no pass.
        if unset && !differ && equal && !same(pool, joiner, &every_bit()) {
            let detail = format!(
                "the pool's other_config has no {MASK_KEY}, and the CPUs differ in bits that the server's default leaves out \
                 and a comparison of the plain words does not; restart the coordinator's toolstack, which writes the key"
            );
            return Err(Unknown::because(Reason::NotCollected, detail));
        }
        Ok(!differ && equal)
    });
    let fit = known(|| {
        if *need(&differ)? {
            return Ok(Fit::impossible("vendors-differ", "the CPUs are of different vendors, which no mask changes"));
        }
        if *need(&facts.equal)? {
            return Ok(Fit { kind: "equal", ..Fit::default() });
        }
        let wanted = Wanted {
            pool: need(&facts.pool_features)?,
            physical: need(&facts.joiner_physical)?,
            counts: need(&facts.ignore_mask)?,
            joiner: need(&facts.joiner_features)?,
        };
        wanted.fit(pool, joiner, need(&facts.joiner_maskable)?)
    });
    let uuid = joiner.get().and_then(|host| host.uuid.text()).unwrap_or_default();
    facts.kind = fit.as_ref().map(|fit| fit.kind.to_owned());
    facts.possible = fit.as_ref().map(|fit| fit.why_not.is_empty());
    facts.joiner_value = fit.as_ref().map(|fit| fit.joiner.clone());
    facts.commands = fit.as_ref().map(|fit| fit.commands(uuid));
    facts.why_not = fit.as_ref().map(|fit| fit.why_not.clone());
    facts.member_values = fit.map(|fit| fit.members);
    facts
}

/// A set of four legacy words (1c-1d-e1c-e1d) as a featureset.
pub fn from_legacy(legacy: &Featureset) -> Featureset {
    let mut words = vec![0; CANONICAL.len()];
    for (legacy, canonical) in legacy.words().iter().zip(CANONICAL) {
        words[canonical] = *legacy;
    }
    Featureset::new(words)
}

/// The first words of a featureset in the legacy order (1c-1d-e1c-e1d).
pub fn to_legacy(set: &Featureset) -> Featureset {
    Featureset::new(CANONICAL.iter().map(|index| set.word(*index)).collect())
}

/// Which words a CPU lets be masked, where its host does not say (xapi's own rule).
pub fn maskable_of(vendor: &str, family: i64, model: i64, stepping: i64) -> &'static str {
    match (vendor, family, model) {
        ("GenuineIntel", 6, 0x1d) => "base",
        ("GenuineIntel", 6, 0x17) if stepping >= 4 => "base",
        ("GenuineIntel", 6, 0x1a) if stepping > 2 => "full",
        ("GenuineIntel", 6, 0x1e | 0x25 | 0x2c | 0x2e | 0x2f) => "full",
        ("AuthenticAMD", 0x10.., _) => "full",
        _ => "no",
    }
}

/// What both sides have where bits count: what a VM of the pool would see after all masks are set.
pub fn common(facts: &MaskingFacts) -> Known<Featureset> {
    known(|| Ok(need(&facts.pool_features)?.intersect(need(&facts.joiner_physical)?)))
}

/// What of these legacy words both sides do not share, where bits count, as a featureset.
pub fn missing(from: &Known<Featureset>, facts: &MaskingFacts) -> Known<Featureset> {
    known(|| {
        let shared = common(facts);
        Ok(from_legacy(&need(from)?.intersect(need(&facts.ignore_mask)?).diff(need(&shared)?)))
    })
}

struct Wanted<'a> {
    pool: &'a Featureset,
    physical: &'a Featureset,
    /// The bits that count.
    counts: &'a Featureset,
    /// The joiner's features now.
    joiner: &'a Featureset,
}

#[derive(Default)]
struct Fit {
    kind: &'static str,
    joiner: String,
    members: Vec<MemberMask>,
    why_not: String,
}

impl Wanted<'_> {
    /// Pool types 1 to 3: mask the joiner down to the pool, the pool down to the joiner, or both to what they share.
    fn fit(&self, pool: &Pool, joiner: &Known<&Host>, joiner_maskable: &str) -> Result<Fit, Unknown> {
        let shared = self.pool.intersect(self.physical);
        let joiner_changes = !same(&shared, self.physical, self.counts);
        let pool_changes = !same(&shared, self.pool, self.counts);
        let mut fit = Fit {
            kind: match (joiner_changes, pool_changes) {
                (_, false) => "mask-joiner",
                (false, true) => "mask-pool",
                (true, true) => "mask-both",
            },
            ..Fit::default()
        };
        let target = if pool_changes { &shared } else { self.pool };
        let host = joiner.get().map_or_else(|| "the joiner".to_owned(), |host| label(host));
        match self.value(self.physical, target, joiner_maskable) {
            Ok(value) if same(&value, self.joiner, self.counts) => {}
            Ok(value) => fit.joiner = value.to_string(),
            Err(why) => return Ok(Fit::impossible(fit.kind, &format!("{host}: {why}"))),
        }
        if !pool_changes {
            return Ok(fit);
        }
        for member in need(&pool.hosts)? {
            let name = label(member);
            let cpu = cpu_of(&Known::Yes(member));
            let physical = cpu.clone().and_then(physical);
            match self.value(need(&physical)?, target, need(&cpu.and_then(maskable))?) {
                Ok(value) => fit.members.push(MemberMask {
                    name,
                    uuid: member.uuid.text().unwrap_or_default().to_owned(),
                    value: value.to_string(),
                }),
                Err(why) => return Ok(Fit::impossible(fit.kind, &format!("{name}: {why}"))),
            }
        }
        Ok(fit)
    }

    /// The words to set on a host so that it equals `target` where bits count. The pool's own text where that is a
    /// mask of the host, else the host's own words with only those bits cleared that must go.
    fn value(&self, physical: &Featureset, target: &Featureset, maskable: &str) -> Result<Featureset, String> {
        let lacking = target.intersect(self.counts).diff(physical);
        if !lacking.has_none() {
            return Err(format!("its CPU has no {}", names(&lacking)));
        }
        let least =
            Featureset::new((0..4).map(|i| physical.word(i) & (target.word(i) | !self.counts.word(i))).collect());
        if least == *physical {
            return Ok(least);
        }
        let may_change = match maskable {
            "full" => 4,
            "base" => 2,
            _ => return Err("its CPU cannot be masked (maskable: no)".to_owned()),
        };
        let allowed = |value: &Featureset| (may_change..4).all(|index| value.word(index) == physical.word(index));
        if target.is_subset(physical) && allowed(target) {
            return Ok(target.zero_extend(4));
        }
        if allowed(&least) {
            return Ok(least);
        }
        let stuck =
            Featureset::new((0..4).map(|i| if i < 2 { 0 } else { physical.word(i) & !least.word(i) }).collect());
        Err(format!("its CPU masks only the base words (maskable: base), and {} would have to go", names(&stuck)))
    }
}

impl Fit {
    fn impossible(kind: &'static str, why_not: &str) -> Self {
        Self { kind, why_not: why_not.to_owned(), ..Self::default() }
    }

    fn commands(&self, joiner: &str) -> Vec<String> {
        let set = |uuid: &str, value: &str| {
            let uuid = if uuid.is_empty() { "<host uuid>" } else { uuid };
            [
                format!("xe host-set-cpu-features uuid={uuid} features={value}"),
                format!("xe host-disable uuid={uuid}"),
                format!("xe host-reboot uuid={uuid}"),
            ]
        };
        let members = self.members.iter().flat_map(|member| set(&member.uuid, &member.value));
        let joiner = Some(joiner).filter(|_| !self.joiner.is_empty());
        members.chain(joiner.into_iter().flat_map(|uuid| set(uuid, &self.joiner))).collect()
    }
}

fn cpu_of<'a>(host: &Known<&'a Host>) -> Known<(&'a HostCpu, &'a Host)> {
    host.clone()
        .and_then(|host| named(host.cpu.as_ref(), || format!("host {}, cpu", label(host))).map(|cpu| (cpu, host)))
}

fn current((cpu, host): (&HostCpu, &Host)) -> Known<Featureset> {
    let now = if cpu.features.get().is_none() && cpu.raw.get().is_some() {
        return physical((cpu, host));
    } else {
        &cpu.features
    };
    named(now.clone(), || format!("host {}, cpu.features", label(host)))
}

/// Without a mask: as the server says, or as bare hardware would be.
fn physical((cpu, host): (&HostCpu, &Host)) -> Known<Featureset> {
    match (&cpu.physical_features, &cpu.raw) {
        (Known::No(_), Known::Yes(raw)) => Known::Yes(to_legacy(raw)),
        (said, _) => named(said.clone(), || format!("host {}, cpu.physical_features", label(host))),
    }
}

fn maskable((cpu, host): (&HostCpu, &Host)) -> Known<String> {
    let said = named(cpu.maskable.clone(), || format!("host {}, cpu.maskable", label(host)));
    match (&said, cpu.vendor.text(), cpu.family.get(), cpu.model.get(), cpu.stepping.get()) {
        (Known::No(_), Some(vendor), Some(family), Some(model), Some(stepping)) => {
            Known::Yes(maskable_of(vendor, *family, *model, *stepping).to_owned())
        }
        _ => said,
    }
}

/// Where the pool's mask stands.
const MASK_KEY: &str = "cpuid_feature_mask";

fn every_bit() -> Featureset {
    Featureset::new(vec![u32::MAX; 4])
}

/// The pool's own mask; the server's default where the key is absent; every bit where it cannot be read, as the server
/// then compares the plain text.
fn ignore_mask(pool: &Pool) -> Known<Featureset> {
    named(pool.other_config.as_ref(), || "the pool's other_config".to_owned()).map(|config| {
        match config.get(MASK_KEY).map(|text| text.parse::<Featureset>()) {
            None => Featureset::new(DEFAULT_MASK.to_vec()),
            Some(Ok(mask)) if mask.words().len() == DEFAULT_MASK.len() => mask,
            Some(_) => every_bit(),
        }
    })
}

fn licensed(host: &Host) -> Known<bool> {
    named(host.restrictions.as_ref(), || format!("host {}, restrictions", label(host)))
        .map(|restrictions| restrictions.get("restrict_cpu_masking").is_some_and(|value| value == "false"))
}

fn same(a: &Featureset, b: &Featureset, counts: &Featureset) -> bool {
    a.intersect(counts).is_equal(&b.intersect(counts))
}

fn names(legacy: &Featureset) -> String {
    super::names::names(&from_legacy(legacy)).join(", ")
}
