//! What the server answered, class by class: the intermediate that every encoding is read into.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::Value;

use super::raw::{Fields, Raw};
use super::record::{Record, time};
use crate::collect::CollectError;
use crate::collect::limits::{HOSTS, ODD, RECORDS};
use crate::collect::node::{Member, Node};
use crate::facts::{Known, Reason, Unknown};

/// References to records, as the server answers them.
pub(in crate::collect) type Records = Value;

/// The classes that are mapped, with the API version that first had them where a supported release lacks them
/// (join-and-eject facts, section 6: absent classes).
const CLASSES: &[(&str, Option<(i64, i64)>)] = &[
    ("Bond", None),
    ("Certificate", Some((2, 15))),
    ("Cluster", Some((2, 10))),
    ("Cluster_host", Some((2, 10))),
    ("PBD", None),
    ("PIF", None),
    ("PIF_metrics", None),
    ("PVS_site", Some((2, 6))),
    ("SDN_controller", Some((2, 7))),
    ("SM", None),
    ("SR", None),
    ("VBD", None),
    ("VDI", None),
    ("VIF", None),
    ("VLAN", None),
    ("VM", None),
    ("VMSS", Some((2, 7))),
    ("VM_appliance", Some((1, 9))),
    ("VM_group", Some((2, 21))),
    ("VM_metrics", None),
    ("host", None),
    ("host_cpu", None),
    ("host_metrics", None),
    ("host_patch", None),
    ("network", None),
    ("network_sriov", Some((2, 10))),
    ("pool", None),
    ("pool_patch", None),
    ("pool_update", Some((2, 6))),
    ("secret", None),
    ("subject", None),
    ("tunnel", None),
];

/// Classes of the API that poolgate has no use for.
const UNUSED: &[&str] = &[
    "Caller",
    "DR_task",
    "Diagnostics",
    "Driver_variant",
    "Feature",
    "GPU_group",
    "Host_driver",
    "LVHD",
    "Observer",
    "PCI",
    "PGPU",
    "PUSB",
    "PVS_cache_storage",
    "PVS_proxy",
    "PVS_server",
    "Rate_limit",
    "Repository",
    "USB_group",
    "VBD_metrics",
    "VGPU",
    "VGPU_type",
    "VIF_metrics",
    "VMPP",
    "VM_guest_metrics",
    "VTPM",
    "VUSB",
    "auth",
    "blob",
    "console",
    "crashdump",
    "data_source",
    "event",
    "host_crashdump",
    "message",
    "probe_result",
    "role",
    "session",
    "sr_stat",
    "task",
    "user",
    "vdi_nbd_server_info",
];

/// The classes to ask a server for. Records of secrets hold the secrets themselves and are never asked for.
pub(in crate::collect) fn wanted() -> impl Iterator<Item = &'static str> {
    CLASSES.iter().map(|(class, _)| *class).filter(|class| *class != "secret")
}

/// Whether a class is mapped.
pub(in crate::collect) fn is_class(name: &str) -> bool {
    CLASSES.iter().any(|(class, _)| *class == name)
}

/// Whether a value is a host's record: records by reference have neither of these as theirs.
pub(in crate::collect) fn is_host_record(value: &Value) -> bool {
    value.get("uuid").is_some_and(Value::is_string) || value.get("cpu_info").is_some_and(Value::is_object)
}

/// Whether a class is known to the API but not mapped.
pub(super) fn is_unused(name: &str) -> bool {
    UNUSED.contains(&name)
}

/// The class of records that do not name it, told by fields that no other class has together.
pub(super) fn guess_class(records: &Records) -> Option<&'static str> {
    const SIGNS: &[(&str, &[&str])] = &[
        ("pool", &["master", "default_SR", "ha_enabled"]),
        ("host", &["API_version_major", "software_version"]),
        ("VM", &["power_state", "is_control_domain", "resident_on"]),
        ("PIF", &["device", "management", "ip_configuration_mode"]),
    ];
    let record = records.as_object()?.values().next()?.as_object()?;
    let fits = |fields: &&[&str]| fields.iter().all(|field| record.contains_key(*field));
    SIGNS.iter().find(|(_, fields)| fits(fields)).map(|(class, _)| *class)
}

/// An error as the server answers it. Its parameters may be secret.
pub(in crate::collect) struct Failure {
    code: String,
    params: Vec<String>,
}

impl Failure {
    /// From the code as it stands in the answer, and parameters of any kind.
    pub(super) fn new(code: &str, params: &[Value]) -> Self {
        let is_code = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
        let plain = !code.is_empty() && code.len() <= 80 && code.bytes().all(is_code);
        let code = if plain { code.to_owned() } else { "an error without a code".to_owned() };
        let text = |param: &Value| param.as_str().map_or_else(|| param.to_string(), str::to_owned);
        Self { code, params: params.iter().map(text).collect() }
    }

    /// From a list [code, parameters…].
    pub(super) fn of(list: &[Value]) -> Self {
        let code = list.first().and_then(Value::as_str).unwrap_or_default();
        Self::new(code, list.get(1..).unwrap_or_default())
    }

    /// The code and the parameters.
    pub(in crate::collect) fn into_parts(self) -> (String, Vec<String>) {
        (self.code, self.params)
    }

    /// What records need of it.
    pub(super) fn without_params(self) -> ServerError {
        ServerError(self.code)
    }
}

/// What the server answered instead of records: its error's code, or what else came. No parameters: they may name
/// sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::collect) struct ServerError(String);

impl ServerError {
    /// From the code of an error, or words for what came instead of an answer.
    pub(in crate::collect) fn new(code: String) -> Self {
        Self(code)
    }

    /// The code.
    pub(super) fn code(&self) -> &str {
        &self.0
    }

    fn reason(&self) -> Reason {
        match self.0.as_str() {
            "MESSAGE_METHOD_UNKNOWN" | "METHOD_UNKNOWN" | "MESSAGE_REMOVED" => Reason::AbsentOnRelease,
            "RBAC_PERMISSION_DENIED" => Reason::PermissionDenied,
            _ => Reason::Unreadable,
        }
    }
}

/// The records of a class.
#[derive(Debug)]
enum Class<'t> {
    /// As a tree.
    Tree(Records),
    /// In a text, {reference: record}.
    Node(Node<'t>),
    /// One record in a text, with its reference.
    One(Cow<'t, str>, Vec<Member<'t>>),
}

/// All answers of one server.
#[derive(Debug, Default)]
pub(in crate::collect) struct Answers<'t> {
    classes: BTreeMap<Cow<'t, str>, Result<Class<'t>, ServerError>>,
    /// The lowest API version among the hosts, once it was asked for.
    api_version: OnceCell<Option<(i64, i64)>>,
    off_wire: Option<Value>,
    /// When they were taken down, where the input says.
    taken: Option<String>,
    strangers: Vec<String>,
    /// Whether records may lack fields that their release has.
    partial: bool,
    database: bool,
    /// Whether each class was asked of the server just now: then none is cut short, and two that differ were asked at two moments.
    live: bool,
}

impl<'t> Answers<'t> {
    /// Answers whose records may lack fields that their release has.
    pub(super) fn partial() -> Self {
        Self { partial: true, ..Self::default() }
    }

    /// Records of the server's database.
    pub(super) fn of_database() -> Self {
        Self { database: true, ..Self::default() }
    }

    /// The same answers, asked of the server just now.
    pub(super) fn asked_now(self, live: bool) -> Self {
        Self { live, ..self }
    }

    /// Whether lists may have been cut short by whoever kept them.
    pub(super) const fn may_be_cut(&self) -> bool {
        !self.live
    }

    /// Adds the answer for a class.
    pub(in crate::collect) fn add(&mut self, class: String, answer: Result<Records, ServerError>) {
        self.classes.insert(Cow::Owned(class), answer.map(Class::Tree));
    }

    /// Adds the records of a class that stand in a text.
    pub(super) fn add_node(&mut self, class: Cow<'t, str>, records: Node<'t>) {
        self.classes.insert(class, Ok(Class::Node(records)));
    }

    /// Adds a single record of a class.
    pub(super) fn add_one(&mut self, class: &'static str, reference: Cow<'t, str>, fields: Vec<Member<'t>>) {
        self.classes.insert(Cow::Borrowed(class), Ok(Class::One(reference, fields)));
    }

    /// Adds what the wire does not show.
    pub(super) fn add_off_wire(&mut self, value: Value) {
        self.off_wire = Some(value);
    }

    /// Notes when the records were taken down; what is no time is not understood.
    pub(super) fn add_taken(&mut self, taken: Option<&str>) {
        match taken.map(time) {
            Some(Some(taken)) => self.taken = Some(taken),
            Some(None) => self.add_stranger("snapshot.taken".to_owned()),
            None => {}
        }
    }

    /// When the records were taken down.
    pub(super) fn taken(&self) -> Known<String> {
        self.taken.clone().map_or_else(Known::default, Known::Yes)
    }

    /// Adds a key that is no class.
    pub(super) fn add_stranger(&mut self, key: String) {
        self.strangers.push(key);
    }

    /// What the wire does not show, where the input has it.
    pub(super) const fn off_wire(&self) -> Option<&Value> {
        self.off_wire.as_ref()
    }

    /// Refuses more records than any pool has, and more entries that are none than any server sends. Those of a line of a fleet
    /// make their class unknown, and are counted when it is looked at.
    pub(super) fn bounded(&self, name: &str) -> Result<(), CollectError> {
        let crowded = |limit, what| Err(CollectError::Crowded { name: name.to_owned(), limit, what });
        let (mut all, mut odd) = (0, 0);
        for (class, answer) in &self.classes {
            let (records, others) = match answer {
                Ok(Class::Tree(Value::Object(records))) => {
                    (records.len(), records.values().filter(|record| !record.is_object()).count())
                }
                Ok(Class::Node(Node::Object(records))) => (records.len(), 0),
                _ => continue,
            };
            if class == "host" && records > HOSTS {
                return crowded(HOSTS, "hosts");
            }
            all += records;
            odd += others;
        }
        if all > RECORDS {
            return crowded(RECORDS, "records");
        }
        if odd > ODD { crowded(ODD, "entries that are no records") } else { Ok(()) }
    }

    /// The keys that are no classes.
    pub(super) fn into_strangers(self) -> Vec<String> {
        self.strangers
    }

    /// Whether what stands for the hosts is a single host's record and not records by reference.
    pub(super) fn holds_one_host(&self) -> bool {
        matches!(self.classes.get("host"), Some(Ok(Class::Tree(host))) if is_host_record(host))
    }

    /// The classes that the server answered with an error.
    pub(super) fn notes(&self) -> Vec<String> {
        let refused = self.classes.iter().filter_map(|(class, answer)| Some((class, answer.as_ref().err()?)));
        refused
            .map(|(class, error)| format!("{class}: the server answered {} instead of records", error.code()))
            .collect()
    }

    /// The records of a class, in ascending order of their references.
    pub(super) fn records(&self, class: &'static str) -> Known<Vec<Record<'_>>> {
        self.objects(class).map(|objects| {
            objects.into_iter().map(|(reference, fields)| self.record(class, reference, fields)).collect()
        })
    }

    fn record<'a>(&self, class: &'static str, reference: &'a str, fields: Found<'a>) -> Record<'a> {
        let record = fields.record(class, reference);
        let record = record.of_api(self.api_version());
        let record = if self.partial { record.partial() } else { record };
        if self.database { record.of_database() } else { record }
    }

    /// The records of a class, each mapped.
    pub(super) fn each<T>(&self, class: &'static str, map: impl Fn(&Record<'_>) -> T) -> Known<Vec<T>> {
        self.records(class).map(|records| records.iter().map(map).collect())
    }

    /// The records of a class by reference.
    pub(super) fn by_reference(&self, class: &'static str) -> Known<BTreeMap<String, Record<'_>>> {
        self.records(class)
            .map(|records| records.into_iter().map(|record| (record.reference().to_owned(), record)).collect())
    }

    /// How many records a class has.
    pub(super) fn count(&self, class: &'static str) -> Known<i64> {
        self.objects(class).map(|objects| i64::try_from(objects.len()).unwrap_or(i64::MAX))
    }

    /// The records of a class in ascending order of their references.
    fn objects(&self, class: &'static str) -> Known<Vec<(&str, Found<'_>)>> {
        let (fields, kind) = match self.classes.get(class) {
            Some(Ok(Class::One(reference, fields))) => {
                return Known::Yes(vec![(reference, Found::Fields(Fields::Nodes(fields)))]);
            }
            Some(Ok(Class::Tree(value))) => (Raw::Tree(value).fields(), Raw::Tree(value).kind()),
            Some(Ok(Class::Node(node))) => (Raw::Node(node).fields(), Raw::Node(node).kind()),
            Some(Err(error)) => {
                return Known::no(error.reason(), format!("{class}.get_all_records answered {}", error.code()));
            }
            None => return Known::No(self.missing(class)),
        };
        match fields {
            Some(fields) => {
                let objects = fields.sorted();
                let odd = objects.iter().filter(|(_, value)| value.kind() != "an object").count();
                if odd > ODD {
                    let detail =
                        format!("class {class} has {} entries, {odd} of which are no records", objects.len());
                    return Known::no(Reason::Unreadable, detail);
                }
                Known::Yes(objects.into_iter().map(|(reference, value)| (reference, Found::Value(value))).collect())
            }
            None => Known::no(
                Reason::Unreadable,
                format!("class {class} is {kind}, expected an object {{reference: record}}"),
            ),
        }
    }

    /// Why a class is not among the answers: the release has none, or nobody asked.
    fn missing(&self, class: &str) -> Unknown {
        let place = CLASSES.iter().position(|(name, _)| *name == class);
        let since = place.and_then(|place| CLASSES[place].1);
        match (since, self.api_version(), place) {
            (Some(since), Some(api), _) if api < since => Unknown::because(
                Reason::AbsentOnRelease,
                format!("class {class} came with API {}.{}, this is {}.{}", since.0, since.1, api.0, api.1),
            ),
            (_, _, Some(place)) => NOT_THERE[place].clone(),
            _ => not_there(class),
        }
    }

    /// The lowest API version among the hosts.
    fn api_version(&self) -> Option<(i64, i64)> {
        // Without hosts there is none; nor may their absence be asked for here, which asks for the version.
        if !self.classes.contains_key("host") {
            return None;
        }
        *self.api_version.get_or_init(|| {
            let hosts = self.objects("host");
            let version = |(reference, found): &(&str, Found<'_>)| {
                let record = found.record("host", reference);
                Some((*record.int("API_version_major").get()?, *record.int("API_version_minor").get()?))
            };
            hosts.get()?.iter().filter_map(version).min()
        })
    }
}

/// A record before it is read.
#[derive(Clone, Copy)]
enum Found<'a> {
    Value(Raw<'a>),
    Fields(Fields<'a>),
}

impl<'a> Found<'a> {
    fn record(self, class: &'static str, reference: &'a str) -> Record<'a> {
        match self {
            Self::Value(value) => Record::new(class, reference, value),
            Self::Fields(fields) => Record::of(class, Cow::Borrowed(reference), Ok(fields)),
        }
    }
}

/// The reason for a class that nobody asked for, by the class's place in [`CLASSES`]: the commonest gap of all, said once.
static NOT_THERE: LazyLock<Vec<Unknown>> =
    LazyLock::new(|| CLASSES.iter().map(|(class, _)| not_there(class)).collect());

fn not_there(class: &str) -> Unknown {
    Unknown::because(Reason::NotCollected, format!("the records hold no class {class}"))
}
