//! Where values come from: places in the model, and the reads that decided an answer.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::rc::Rc;

use super::track::{Step, Track, Val};
use super::{Expr, unreadable};
use crate::facts::{FieldDef, Object, Unknown, Value};

/// At most so many reads are kept as evidence of one answer.
pub const READS: usize = 64;

/// An answer with its evidence.
#[derive(Clone, Debug)]
pub struct Traced<'a> {
    /// The answer.
    pub value: Value<'a>,
    /// The facts that decided it, in the order in which they were read, each once.
    pub reads: Vec<Read>,
    /// How many more there were than [`READS`].
    pub left_out: usize,
}

/// A fact that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// Which: `joiner.vms[3].power_state`.
    pub path: String,
    /// The innermost record that holds it, with its type: `VM web01`; empty for a variable itself.
    pub object: String,
    /// Its value for a reader, shortened where long; empty when unknown.
    pub value: String,
    /// Why it has no value, when it has none.
    pub unknown: Option<Unknown>,
    /// What it says, in the model's words; empty for a variable itself.
    pub about: String,
    /// Whether it changes by its nature between two looks.
    pub volatile: bool,
}

/// Where a value stands.
#[derive(Clone, Debug, Default)]
pub(super) enum Place {
    /// Nowhere: it was computed.
    #[default]
    None,
    /// At a node of [`Places`].
    At(usize),
    /// A computed list whose elements stand in the model.
    Each(Rc<[Self]>),
}

/// A step that was taken.
enum Taken<'a> {
    Var(usize),
    Field(&'a dyn Object, &'static FieldDef),
    Item(usize),
    Key(Box<str>),
}

/// A read before it is rendered; no value for a key that is not there.
pub(super) struct RawRead<'a> {
    at: usize,
    value: Option<Value<'a>>,
}

/// All places and reads of one evaluation.
pub(super) struct Places<'a> {
    nodes: Vec<(Option<usize>, Taken<'a>)>,
    reads: Vec<RawRead<'a>>,
}

impl<'a> Track<'a> for Places<'a> {
    type Place = Place;
    type Reads = Vec<RawRead<'a>>;

    fn inside(&mut self, parent: &Place, step: Step<'a, '_>) -> Place {
        let parent = match (parent, step) {
            (Place::Each(each), Step::Item(index)) => return each.get(index).cloned().unwrap_or_default(),
            (Place::At(parent), _) => Some(*parent),
            (Place::None, Step::Var(_)) => None,
            _ => return Place::None,
        };
        let step = match step {
            Step::Var(slot) => Taken::Var(slot),
            Step::Field(object, def) => Taken::Field(object, def),
            Step::Item(index) => Taken::Item(index),
            Step::Key(key) => Taken::Key(key.into()),
        };
        self.nodes.push((parent, step));
        Place::At(self.nodes.len() - 1)
    }

    fn made(&self, items: &[Val<'a, Place>]) -> Place {
        Place::Each(items.iter().map(|item| item.place.clone()).collect())
    }

    fn found(&self, value: Value<'a>, place: &Place, expr: &Expr) -> Value<'a> {
        match (value, place) {
            (Value::Unknown(unknown), Place::At(at)) => {
                let path = self.path(*at, expr);
                let detail = match unknown.detail() {
                    "" => path,
                    detail => format!("{path}: {detail}"),
                };
                Value::Unknown(Cow::Owned(Unknown::because(unknown.reason, detail)))
            }
            (value, _) => value,
        }
    }

    fn bar(&self, place: &Place, expr: &Expr, words: impl FnOnce(&str) -> String) -> Value<'a> {
        match place {
            Place::At(at) => unreadable(words(&self.path(*at, expr))),
            _ => unreadable(words("the value")),
        }
    }

    fn read(&mut self, val: &Val<'a, Place>) {
        if let Place::At(at) = val.place {
            self.reads.push(RawRead { at, value: Some(val.value.clone()) });
        }
    }

    fn read_absent(&mut self, place: &Place) {
        if let Place::At(at) = *place {
            self.reads.push(RawRead { at, value: None });
        }
    }

    fn mark(&self) -> usize {
        self.reads.len()
    }

    fn split(&mut self, mark: usize) -> Vec<RawRead<'a>> {
        self.reads.split_off(mark)
    }

    fn split_to(&mut self, mark: usize, reads: &mut Vec<RawRead<'a>>) {
        reads.extend(self.reads.drain(mark..));
    }

    fn keep(&mut self, reads: Vec<RawRead<'a>>) {
        self.reads.extend(reads);
    }

    fn forget(&mut self, from: usize, to: usize) {
        self.reads.drain(from..to);
    }
}

impl<'a> Places<'a> {
    pub(super) const fn new() -> Self {
        Self { nodes: Vec::new(), reads: Vec::new() }
    }

    /// `joiner.vms[3].power_state`
    fn path(&self, at: usize, expr: &Expr) -> String {
        let mut steps = Vec::new();
        let mut next = Some(at);
        while let Some(at) = next {
            let (parent, step) = &self.nodes[at];
            steps.push(step);
            next = *parent;
        }
        let mut path = String::new();
        for step in steps.into_iter().rev() {
            let _ = match step {
                Taken::Var(slot) => {
                    write!(path, "{}", expr.variables.get(*slot).map_or("?", |(name, _)| name.as_ref()))
                }
                Taken::Field(_, def) => write!(path, ".{}", def.name),
                Taken::Item(index) => write!(path, "[{index}]"),
                Taken::Key(key) => write!(path, "[{}]", quoted(key)),
            };
        }
        path
    }

    fn owner(&self, at: usize) -> Option<&'a dyn Object> {
        let mut next = Some(at);
        while let Some(at) = next {
            match &self.nodes[at] {
                (_, Taken::Field(object, _)) => return Some(*object),
                (parent, _) => next = *parent,
            }
        }
        None
    }

    fn about(&self, at: usize) -> String {
        let mut next = Some(at);
        while let Some(at) = next {
            match &self.nodes[at] {
                // Words that only repeat the name say nothing.
                (_, Taken::Field(_, def)) => {
                    return Some(first_words(def.doc))
                        .filter(|words| !words.starts_with(def.name))
                        .unwrap_or_default();
                }
                (parent, _) => next = *parent,
            }
        }
        String::new()
    }

    fn volatile(&self, at: usize) -> bool {
        let mut next = Some(at);
        while let Some(at) = next {
            match &self.nodes[at] {
                (_, Taken::Field(_, def)) if def.volatile => return true,
                (parent, _) => next = *parent,
            }
        }
        false
    }

    /// Renders the reads that are left.
    pub(super) fn finish(self, value: Value<'a>, expr: &Expr) -> Traced<'a> {
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        let mut reads: Vec<Read> = Vec::new();
        let mut left_out = 0;
        for raw in &self.reads {
            // Past a few thousand, telling doubles apart costs more than it says.
            if seen.len() > 64 * READS {
                left_out += 1;
                continue;
            }
            let path = self.path(raw.at, expr);
            match seen.get(&path) {
                None => {
                    seen.insert(path.clone(), reads.len());
                    if reads.len() < READS {
                        reads.push(self.render(raw, path));
                    } else {
                        left_out += 1;
                    }
                }
                // `has(m.k)` finds nothing and is content, `m.k` after it is not: the latter is what matters.
                Some(first) if matches!(raw.value, Some(Value::Unknown(_))) => {
                    if let Some(read) = reads.get_mut(*first) {
                        *read = self.render(raw, path);
                    }
                }
                Some(_) => {}
            }
        }
        Traced { value, reads, left_out }
    }

    fn render(&self, raw: &RawRead<'a>, path: String) -> Read {
        let (shown, unknown) = match &raw.value {
            None => ("absent".to_owned(), None),
            Some(Value::Unknown(unknown)) => (String::new(), Some(without_path(unknown, &path))),
            Some(value) => (shown(value), None),
        };
        Read {
            object: self.owner(raw.at).map(named).unwrap_or_default(),
            value: shown,
            unknown,
            about: self.about(raw.at),
            volatile: self.volatile(raw.at),
            path,
        }
    }
}

/// The first of the words that describe a field, without a full stop.
fn first_words(doc: &[&str]) -> String {
    let words = doc.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ");
    let end = [". ", "; ", ": ", " ("].iter().filter_map(|stop| words.find(stop)).min().unwrap_or(words.len());
    words[..end].trim_end_matches('.').replace('`', "")
}

/// The unknown as the model holds it: the path stands beside it already.
fn without_path(unknown: &Unknown, path: &str) -> Unknown {
    let detail = match unknown.detail().strip_prefix(path) {
        Some("") => "",
        Some(rest) => rest.strip_prefix(": ").unwrap_or_else(|| unknown.detail()),
        None => unknown.detail(),
    };
    Unknown::because(unknown.reason, detail)
}

fn named(object: &dyn Object) -> String {
    let label = object.label();
    if label.is_empty() { object.def().name.to_owned() } else { format!("{} {label}", object.def().name) }
}

/// A text as a literal of the language.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.escape_debug().to_string().replace("\\\"", "\"").replace("\\'", "'").replace('\'', "\\'"))
}

/// A value for a reader: one line, and not long.
fn shown(value: &Value<'_>) -> String {
    const LONG: usize = 200;
    let text = match value {
        Value::Unknown(unknown) => format!("unknown ({unknown})"),
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Text(text) => quoted(text),
        Value::Features(features) => features.to_string(),
        Value::List(list) => several(list.len(), |index| shown(&list.get(index))),
        Value::Made(list) => several(list.len(), |index| shown(&list[index])),
        Value::Map(map) => {
            let keys = map.keys();
            let entry = |index: usize| {
                let key: &str = keys[index];
                format!("{}: {}", quoted(key), map.get(key).map_or_else(String::new, |value| shown(&value)))
            };
            several(keys.len(), entry)
        }
        Value::Object(object) => named(*object),
    };
    match text.char_indices().nth(LONG) {
        Some((cut, _)) => format!("{}…", &text[..cut]),
        None => text,
    }
}

fn several(len: usize, item: impl Fn(usize) -> String) -> String {
    const SHOWN: usize = 8;
    let mut items: Vec<String> = (0..len.min(SHOWN)).map(item).collect();
    if len > SHOWN {
        items.push(format!("{} more", len - SHOWN));
    }
    format!("[{}]", items.join(", "))
}
