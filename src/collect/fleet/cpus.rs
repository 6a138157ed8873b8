//! The CPUs of a fleet, for who needs nothing else of it: most lines are passed over and only their CPU is read.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::blocks::{Block, lines};
use super::line;
use crate::collect::files::without_mark;
use crate::collect::{CollectError, Collected};
use crate::facts::Key;

/// The sets that a server levels, as `host.cpu_info` calls them.
const SETS: [&str; 4] = ["features_hvm_host", "features_pv_host", "features_hvm", "features_pv"];

/// What a line holds.
#[derive(Debug)]
pub enum FleetCpus<'a> {
    /// One host that shows its vendor and the four sets that a server levels, in the order of `features_hvm_host`,
    /// `features_pv_host`, `features_hvm`, `features_pv`, and no others.
    Texts {
        /// The vendor.
        vendor: Cow<'a, str>,
        /// The sets.
        sets: [Cow<'a, str>; 4],
        /// Whether one of its host's capabilities says `hvm`; none where it shows none.
        runs_hvm: Option<bool>,
    },
    /// Anything else that is read as hosts.
    Read(Box<Collected>),
}

/// Reads the lines of a block. `whole` reads all there is of each, also where its CPU alone could be read; so does a line whose
/// texts are not taken (`each` gives false).
pub fn read_cpus(name: &str, block: &Block, whole: bool, mut each: impl FnMut(usize, Found<'_>) -> bool) {
    let valid = std::str::from_utf8(&block.text).is_ok();
    for (number, bytes) in (block.line..).zip(lines(&block.text)) {
        let bytes = without_mark(bytes).trim_ascii();
        if bytes.is_empty() {
            continue;
        }
        // What is passed over is not looked at for its letters.
        let quick = if valid && !whole { quick(bytes) } else { None };
        let taken = quick.is_some_and(|cpu| each(number, Ok(cpu)));
        if !taken {
            each(number, line::read(name, number, bytes).map(FleetCpus::Read));
        }
    }
}

/// What a line holds, or why it cannot be read.
type Found<'a> = Result<FleetCpus<'a>, CollectError>;

fn quick(line: &[u8]) -> Option<FleetCpus<'_>> {
    let mut json = serde_json::Deserializer::from_slice(line);
    let Line(host) = Line::deserialize(&mut json).ok()?;
    json.end().ok()?;
    let cpu = host.cpu?;
    let runs_hvm = host.capabilities.map_or(Some(None), |texts| says_hvm(texts).map(Some))?;
    let sets = cpu.sets.map(|set| set.and_then(text));
    match (cpu.vendor.and_then(text), cpu.others, sets) {
        (Some(vendor), false, [Some(a), Some(b), Some(c), Some(d)]) => {
            Some(FleetCpus::Texts { vendor, sets: [a, b, c, d], runs_hvm })
        }
        _ => None,
    }
}

/// The host of a line.
#[derive(Default)]
struct Line<'a>(Host<'a>);

/// What counts of a host's record.
#[derive(Default)]
struct Host<'a> {
    /// None where it has no object for it.
    cpu: Option<Cpu<'a>>,
    capabilities: Option<&'a RawValue>,
}

/// What `cpu_info` says of sets.
#[derive(Default)]
struct Cpu<'a> {
    vendor: Option<&'a RawValue>,
    sets: [Option<&'a RawValue>; 4],
    /// Whether it shows others too.
    others: bool,
}

/// Reads an object member by member; anything else is passed over and gives the default.
macro_rules! object {
    ($name:ident) => {
        impl<'de> Deserialize<'de> for $name<'de> {
            fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
                struct Of;
                impl<'de> Visitor<'de> for Of {
                    type Value = $name<'de>;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str("an object")
                    }

                    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                        let mut read = $name::default();
                        while let Some(Key(key)) = map.next_key()? {
                            read.member(&key, &mut map)?;
                        }
                        Ok(read)
                    }

                    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                        while list.next_element::<IgnoredAny>()?.is_some() {}
                        Ok($name::default())
                    }

                    fn visit_str<E: de::Error>(self, _: &str) -> Result<Self::Value, E> {
                        Ok($name::default())
                    }
                }
                json.deserialize_any(Of)
            }
        }
    };
}

object!(Line);
object!(Host);
object!(Cpu);

impl<'de> Line<'de> {
    fn member<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "host" => self.0 = map.next_value()?,
            _ => drop(map.next_value::<IgnoredAny>()?),
        }
        Ok(())
    }
}

impl<'de> Host<'de> {
    fn member<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "cpu_info" => self.cpu = Some(map.next_value()?),
            "capabilities" => self.capabilities = Some(map.next_value()?),
            _ => drop(map.next_value::<IgnoredAny>()?),
        }
        Ok(())
    }
}

impl<'de> Cpu<'de> {
    fn member<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match SETS.iter().position(|set| *set == key) {
            Some(at) => self.sets[at] = Some(map.next_value()?),
            None if key == "vendor" => self.vendor = Some(map.next_value()?),
            None => {
                self.others |= matches!(key, "features" | "physical_features");
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

/// Whether one of the texts of a list says `hvm`; none for what is no list of plain texts.
fn says_hvm(list: &RawValue) -> Option<bool> {
    let inner = list.get().strip_prefix('[')?;
    let plain = !inner.contains(['\\', '[', '{']);
    plain.then(|| inner.contains("hvm"))
}

/// A text as it stands in well-formed JSON.
fn text(raw: &RawValue) -> Option<Cow<'_, str>> {
    let inner = raw.get().strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') {
        return serde_json::from_str::<String>(raw.get()).ok().map(Cow::Owned);
    }
    Some(Cow::Borrowed(inner))
}
