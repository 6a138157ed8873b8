//! What rules said of the joiner before, for the next one of the same pool: a rule is asked again only where a fact that it
//! mentions has another value. Nothing is remembered beyond one pool.

use super::case::{Case, variables};
use super::judge::Decided;
use super::rule::Rule;
use crate::facts::{Featureset, Type, Unknown, Value};

/// Names that texts about elements of a list may use beside the case's.
const OF_ELEMENTS: [&str; 3] = ["count", "names", "first"];
/// Longer lists are not compared: asking again costs no more.
const LONGEST: usize = 32;

/// A fact as far as facts are told apart: a variable of the case, fields of records inside it, and a key where the last of
/// these is a map.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    root: usize,
    fields: Vec<usize>,
    key: Option<String>,
    /// Whether it is a list of the pool's own records, which only ever grows between two joiners ([`Pool::take_in`]).
    ///
    /// [`Pool::take_in`]: crate::snapshot::Pool::take_in
    grows: bool,
}

/// Which facts each rule mentions.
#[derive(Debug)]
pub(super) struct Mentions {
    places: Vec<Place>,
    /// By rule: indices of its facts; none where one of them could not be told.
    rules: Vec<Option<Vec<usize>>>,
}

/// What was said of the joiner before.
#[derive(Debug)]
pub(super) struct Recall<'m> {
    mentions: &'m Mentions,
    stamps: Vec<Stamp>,
    decided: Vec<Decided>,
}

/// A fact's value, as far as values are compared; maps, records and lists of records never are the same, unless empty.
#[derive(Debug, PartialEq, Eq)]
enum Stamp {
    /// Not compared: never the same.
    Other,
    Unknown(Unknown),
    /// A key that is not there.
    Absent,
    Null,
    Bool(bool),
    Int(i64),
    Text(String),
    Features(Featureset),
    List(Vec<Self>),
    /// A list of which the length says all.
    Length(usize),
}

impl Mentions {
    /// Of rules over a case of joining.
    pub(super) fn of(rules: &[&Rule]) -> Self {
        let roots: Vec<_> = variables::<Case<'static>>().collect();
        let mut mentions = Self { places: Vec::new(), rules: Vec::new() };
        for rule in rules {
            let mut found = Some(Vec::new());
            // Whether the server's check behind a rule exists depends on the release.
            for fact in rule.deciding_facts().into_iter().chain(["release.xapi".to_owned()]) {
                let root = fact.split(['.', '[']).next().unwrap_or_default();
                match place(&roots, &fact) {
                    Some(place) => {
                        let index = mentions.index_of(place);
                        found.iter_mut().for_each(|found| found.push(index));
                    }
                    // What is said of an element is said of its list, which is mentioned too.
                    None if rule
                        .each
                        .as_ref()
                        .is_some_and(|each| each.name == root || OF_ELEMENTS.contains(&root)) => {}
                    None => found = None,
                }
            }
            mentions.rules.push(found);
        }
        mentions
    }

    fn index_of(&mut self, place: Place) -> usize {
        self.places.iter().position(|known| *known == place).unwrap_or_else(|| {
            self.places.push(place);
            self.places.len() - 1
        })
    }

    /// An empty memory for one pool.
    pub(super) const fn recall(&self) -> Recall<'_> {
        Recall { mentions: self, stamps: Vec::new(), decided: Vec::new() }
    }
}

/// The place of a fact that an expression mentions (`host.cpu.vendor`, `host.software_version['xapi']`, `pool.vms[]`).
fn place(roots: &[(&'static str, Type)], fact: &str) -> Option<Place> {
    let (names, inside) = fact.split_once('[').unwrap_or((fact, ""));
    let mut names = names.split('.');
    let name = names.next()?;
    let root = roots.iter().position(|(root, _)| *root == name)?;
    let mut ty = roots[root].1;
    let mut fields = Vec::new();
    for name in names {
        let def = match ty {
            Type::Object(def) => def,
            Type::Nullable(Type::Object(def)) => *def,
            _ => break,
        };
        let (index, field) = def.field(name)?;
        fields.push(index);
        ty = field.ty;
    }
    let plain = |key: &&str| !key.contains(['\'', '\\']);
    let key = inside.strip_prefix('\'').and_then(|rest| rest.strip_suffix("']")).filter(plain);
    let key = key.filter(|_| matches!(ty, Type::Map(_))).map(str::to_owned);
    let grows = name == "pool" && fields.len() == 1 && matches!(ty, Type::List(Type::Object(_)));
    Some(Place { root, fields, key, grows })
}

impl Place {
    /// What stands there; nothing where a key is missing.
    fn value<'a>(&self, values: &[Value<'a>]) -> Option<Value<'a>> {
        let mut value = values[self.root].clone();
        for field in &self.fields {
            match value {
                Value::Object(record) => value = record.field(*field),
                other => return Some(other),
            }
        }
        match (&self.key, value) {
            (Some(key), Value::Map(map)) => map.get(key),
            (_, value) => Some(value),
        }
    }

    fn stamp(&self, value: Option<&Value<'_>>) -> Stamp {
        match value {
            None => Stamp::Absent,
            Some(Value::List(list)) if self.grows => Stamp::Length(list.len()),
            Some(value) => Stamp::of(value),
        }
    }

    /// Whether what was taken down is what stands there now.
    fn same(&self, before: &Stamp, now: Option<&Value<'_>>) -> bool {
        match (before, now) {
            (Stamp::Absent, None) => true,
            (Stamp::Length(before), Some(Value::List(now))) => self.grows && *before == now.len(),
            (before, Some(now)) => before.is(now),
            (_, None) => false,
        }
    }
}

impl Recall<'_> {
    /// What rules say of a case with these values: those that may say something else are asked.
    pub(super) fn decide(&mut self, values: &[Value<'_>], ask: impl Fn(usize) -> Decided) -> &[Decided] {
        let same = self.compare(values);
        if self.decided.is_empty() {
            self.decided = (0..self.mentions.rules.len()).map(ask).collect();
            return &self.decided;
        }
        for (rule, mentions) in self.mentions.rules.iter().enumerate() {
            let holds = mentions.as_ref().is_some_and(|facts| facts.iter().all(|fact| same[*fact]));
            if !holds {
                self.decided[rule] = ask(rule);
            }
        }
        &self.decided
    }

    /// Which facts are as they were, taking down what they are now.
    fn compare(&mut self, values: &[Value<'_>]) -> Vec<bool> {
        let places = &self.mentions.places;
        if self.stamps.is_empty() {
            self.stamps = places.iter().map(|place| place.stamp(place.value(values).as_ref())).collect();
            return vec![false; places.len()];
        }
        let compared = self.stamps.iter_mut().zip(places).map(|(stamp, place)| {
            let value = place.value(values);
            let same = place.same(stamp, value.as_ref());
            if !same {
                *stamp = place.stamp(value.as_ref());
            }
            same
        });
        compared.collect()
    }
}

impl Stamp {
    fn of(value: &Value<'_>) -> Self {
        match value {
            Value::Unknown(unknown) => Self::Unknown(unknown.clone().into_owned()),
            Value::Bool(value) => Self::Bool(*value),
            Value::Int(value) => Self::Int(*value),
            Value::Text(text) => Self::Text(text.clone().into_owned()),
            Value::Features(set) => Self::Features(set.clone().into_owned()),
            Value::Null => Self::Null,
            Value::List(list) if list.len() <= LONGEST => {
                let mut stamps = Vec::new();
                for index in 0..list.len() {
                    match Self::of(&list.get(index)) {
                        Self::Other => return Self::Other,
                        stamp => stamps.push(stamp),
                    }
                }
                Self::List(stamps)
            }
            Value::List(_) | Value::Made(_) | Value::Map(_) | Value::Object(_) => Self::Other,
        }
    }

    /// Whether a value is the one that was taken down; never for what is not compared.
    fn is(&self, value: &Value<'_>) -> bool {
        match (self, value) {
            (Self::Unknown(before), Value::Unknown(now)) => *before == **now,
            (Self::Null, Value::Null) => true,
            (Self::Bool(before), Value::Bool(now)) => before == now,
            (Self::Int(before), Value::Int(now)) => before == now,
            (Self::Text(before), Value::Text(now)) => *before == **now,
            (Self::Features(before), Value::Features(now)) => *before == **now,
            (Self::List(before), Value::List(now)) => {
                before.len() == now.len() && before.iter().enumerate().all(|(index, stamp)| stamp.is(&now.get(index)))
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::facts::Fact as _;
    use crate::rules::{Phase, Registry};
    use crate::snapshot::Vm;

    #[test]
    fn every_built_in_rule_is_told_by_its_facts() {
        let registry = Registry::load(&[]).unwrap();
        let rules: Vec<_> = registry.of(Phase::Join).collect();
        let mentions = Mentions::of(&rules);
        let untold: Vec<_> = rules
            .iter()
            .zip(&mentions.rules)
            .filter(|(_, facts)| facts.is_none())
            .map(|(rule, _)| &rule.id)
            .collect();
        assert!(untold.is_empty(), "{untold:?}");
        // Each depends on the release at least.
        assert!(mentions.rules.iter().flatten().all(|facts| !facts.is_empty()));
    }

    #[test]
    fn what_cannot_be_compared_is_never_the_same() {
        let vm = Vm::default();
        let map: BTreeMap<String, String> = BTreeMap::new();
        let vms = vec![Vm::default()];
        for value in [Value::Object(&vm), Value::Map(&map), Value::List(&vms)] {
            assert!(!Stamp::of(&value).is(&value), "{value:?}");
            assert!(!Stamp::of(&value).is(&Value::Null));
        }
        let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let (none, one, other) = (texts(&[]), texts(&["a"]), texts(&["b"]));
        assert!(Stamp::of(&Value::List(&none)).is(&Value::List(&none)));
        assert!(Stamp::of(&Value::List(&one)).is(&Value::List(&one)));
        assert!(!Stamp::of(&Value::List(&one)).is(&Value::List(&other)));
        assert!(!Stamp::of(&Value::List(&one)).is(&Value::List(&none)));
        assert!(Stamp::of(&Value::Null).is(&Value::Null));
        assert!(Stamp::of(&Value::Text("a".into())).is(&Value::Text("a".into())));
        assert!(!Stamp::of(&Value::Bool(true)).is(&Value::Bool(false)));
    }

    #[test]
    fn places_go_as_deep_as_records_do() {
        let roots: Vec<_> = variables::<Case<'static>>().collect();
        let of = |fact: &str| place(&roots, fact).unwrap();
        assert_eq!(of("host.cpu.vendor").fields.len(), 2);
        assert_eq!(of("host.software_version['xapi']").key.as_deref(), Some("xapi"));
        assert_eq!(of("host.software_version['it\\'s']").key, None);
        assert_eq!(of("host.software_version[]").key, None);
        assert!(of("pool.vms[].power_state").grows && of("pool.hosts").grows);
        assert!(!of("joiner.vms[]").grows && !of("pool.repositories").grows);
        assert_eq!(place(&roots, "vm.name_label"), None);
        assert_eq!(place(&roots, "host.no_such_field"), None);
    }

    /// What [`Place::grows`] rests on: were an element changed in place, a rule about it would not be asked again.
    #[test]
    fn joining_changes_no_record_that_the_pool_has() {
        let read = |file: &str| {
            let path = format!("{}/fixtures/{file}", env!("CARGO_MANIFEST_DIR"));
            crate::snapshot::read_snapshot(&std::fs::read(path).unwrap()).unwrap().0.pool
        };
        let (before, joiner) = (read("xcp-ng-8.3-5-hosts.json"), read("candidate-good.json"));
        let after = before.admit(&joiner);
        let (Value::Object(was), Value::Object(is)) = (before.value(), after.value()) else { unreachable!() };
        let mut grown = 0;
        for (index, field) in was.def().fields.iter().enumerate() {
            let (Value::List(was), Value::List(is)) = (was.field(index), is.field(index)) else { continue };
            if let Type::List(Type::Object(_)) = field.ty {
                grown += usize::from(is.len() > was.len());
                for index in 0..was.len() {
                    assert_eq!(format!("{:?}", whole(&was.get(index))), format!("{:?}", whole(&is.get(index))));
                }
            }
        }
        assert!(grown > 2);
    }

    /// A record with all that is in it.
    fn whole(value: &Value<'_>) -> Vec<String> {
        match value {
            Value::Object(record) => {
                (0..record.def().fields.len()).flat_map(|index| whole(&record.field(index))).collect()
            }
            Value::List(list) => (0..list.len()).flat_map(|index| whole(&list.get(index))).collect(),
            other => vec![format!("{other:?}")],
        }
    }
}
