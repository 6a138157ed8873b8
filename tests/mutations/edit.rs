//! Changes facts of a pair of snapshots. A change that finds nothing to change says so: the fact is absent on that
//! release, or the pair has no such record.

use serde_json::{Map, Value as Json, json};

/// A pool and a joiner, and what the operator asked for.
#[derive(Clone, Debug)]
pub struct Pair {
    pub pool: Doc,
    pub joiner: Doc,
    pub max_hosts: i64,
    /// The joiner's version of xapi, whose checks the server runs.
    pub xapi: String,
}

/// What a change came to: nothing, where there was nothing to change.
pub type Changed = Option<()>;

/// A step on the way to a value.
enum Step<'p> {
    Key(&'p str),
    At(usize),
}

impl Step<'_> {
    fn of<'a>(&self, json: &'a Json) -> &'a Json {
        match self {
            Self::Key(key) => &json[*key],
            Self::At(index) => &json[*index],
        }
    }
}

/// A snapshot as a document.
#[derive(Clone, Debug, PartialEq)]
pub struct Doc(pub Json);

impl Doc {
    /// The value at a path like `srs.0.shared`; none where there is none or it is not known. `host` is the
    /// coordinator's record, `management` its management interface, `last` a list's last element.
    pub fn at(&mut self, path: &str) -> Option<&mut Json> {
        let steps = self.steps(path)?;
        let mut at = &mut self.0["pool"];
        for step in steps {
            at = match step {
                Step::Key(key) => at.get_mut(key)?,
                Step::At(index) => at.get_mut(index)?,
            };
        }
        Some(at)
    }

    /// Reads the value at a path.
    pub fn get(&self, path: &str) -> Option<Json> {
        let steps = self.steps(path)?;
        Some(steps.iter().fold(&self.0["pool"], |at, step| step.of(at)).clone())
    }

    /// The way along a path, where it leads to something known.
    fn steps<'p>(&self, path: &'p str) -> Option<Vec<Step<'p>>> {
        let mut words = path.split('.').peekable();
        let mut steps = match words.peek() {
            Some(&"host") => vec![Step::Key("hosts"), Step::At(self.host()?)],
            Some(&"management") => vec![Step::Key("pifs"), Step::At(self.management()?)],
            _ => Vec::new(),
        };
        if !steps.is_empty() {
            words.next();
        }
        let mut at = steps.iter().fold(&self.0["pool"], |at, step| step.of(at));
        for word in words {
            let step = match (word, at) {
                ("last", Json::Array(list)) => Step::At(list.len().checked_sub(1)?),
                (word, Json::Array(_)) => Step::At(word.parse().ok()?),
                _ => Step::Key(word),
            };
            at = match step {
                Step::Key(key) => at.get(key)?,
                Step::At(index) => at.get(index)?,
            };
            steps.push(step);
        }
        at.get("$unknown").is_none().then_some(steps)
    }

    /// Reads a text.
    pub fn text(&self, path: &str) -> String {
        self.get(path).and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
    }

    /// Replaces a fact that is known.
    pub fn set(&mut self, path: &str, value: impl Into<Json>) -> Changed {
        *self.at(path)? = value.into();
        Some(())
    }

    /// Replaces a fact that is known of every host.
    pub fn set_all(&mut self, field: &str, value: &str) -> Changed {
        (0..self.count("hosts")).try_for_each(|host| self.set(&format!("hosts.{host}.{field}"), value))
    }

    /// Sets a key of a map that is known.
    pub fn put(&mut self, path: &str, key: &str, value: impl Into<Json>) -> Changed {
        self.at(path)?.as_object_mut()?.insert(key.to_owned(), value.into());
        Some(())
    }

    /// Adds a record to a list that is known.
    pub fn push(&mut self, list: &str, record: Json) -> Changed {
        self.at(list)?.as_array_mut()?.push(record);
        Some(())
    }

    /// Adds a copy of the first record for which a field has a value, under a reference and uuid of its own.
    pub fn copy(&mut self, list: &str, field: &str, value: impl Into<Json>, changes: Json) -> Changed {
        let index = self.find(list, field, value)?;
        self.copy_at(list, index, changes)
    }

    /// Adds a copy of the record at an index, under a reference and uuid of its own.
    pub fn copy_at(&mut self, list: &str, index: usize, changes: Json) -> Changed {
        let records = self.at(list)?.as_array_mut()?;
        let mut record = records.get(index)?.clone();
        let number = records.len();
        let own = record.as_object_mut()?;
        own.insert("reference".to_owned(), format!("OpaqueRef:copy-{list}-{number}").into());
        own.insert("uuid".to_owned(), format!("c0c0c0c0-0000-4000-8000-{number:012}").into());
        own.extend(changes.as_object()?.clone());
        records.push(record);
        Some(())
    }

    /// Where the first record of a list is for which a field has a value.
    pub fn find(&self, list: &str, field: &str, value: impl Into<Json>) -> Option<usize> {
        let value = value.into();
        self.0["pool"].get(list)?.as_array()?.iter().position(|record| record.get(field) == Some(&value))
    }

    /// Adds a halted VM of an operator's own, with what `changes` says of it.
    pub fn vm(&mut self, name: &str, changes: Json) -> Changed {
        let mut own = json!({"name_label": name, "is_a_template": false, "mac_seed": format!("seed of {name}"),
            "version": 1, "vifs": []});
        let template = self.find("vms", "is_a_template", true)?;
        if self.get(&format!("vms.{template}.is_default_template")).is_some() {
            own["is_default_template"] = false.into();
        }
        merge(own.as_object_mut()?, changes.as_object()?);
        self.copy_at("vms", template, own)
    }

    /// Adds a network with a name and a bridge.
    pub fn network(&mut self, name: &str, bridge: &str) -> Option<String> {
        self.copy_at("networks", 0, json!({"name_label": name, "bridge": bridge, "other_config": {}}))?;
        Some(self.text("networks.last.reference"))
    }

    /// Changes every word of a feature set that is known.
    pub fn features(&mut self, path: &str, change: impl Fn(usize, u32) -> u32) -> Changed {
        let value = self.at(path)?;
        let words = value.as_str()?.split('-').enumerate();
        let words: Option<Vec<_>> = words
            .map(|(index, word)| Some(format!("{:08x}", change(index, u32::from_str_radix(word, 16).ok()?))))
            .collect();
        *value = words?.join("-").into();
        Some(())
    }

    /// How many records a list has.
    pub fn count(&self, list: &str) -> usize {
        self.0["pool"].get(list).and_then(Json::as_array).map_or(0, Vec::len)
    }

    /// The device of the joiner's last NIC.
    pub fn last_nic(&self) -> Option<usize> {
        self.0["pool"]["pifs"]
            .as_array()?
            .iter()
            .rposition(|pif| pif["physical"] == true && pif["management"] == false)
    }

    fn host(&self) -> Option<usize> {
        self.find("hosts", "reference", self.0["pool"]["coordinator"].clone())
    }

    fn management(&self) -> Option<usize> {
        let coordinator = &self.0["pool"]["coordinator"];
        let is = |pif: &Json| pif["host"] == *coordinator && pif["management"] == true;
        self.0["pool"]["pifs"].as_array()?.iter().position(is)
    }
}

fn merge(into: &mut Map<String, Json>, from: &Map<String, Json>) {
    into.extend(from.iter().map(|(key, value)| (key.clone(), value.clone())));
}
