//! The network part of a report: as JSON with its schema, both read off the facts' own description, and as text.

use comfy_table::{ContentArrangement, Table, presets};
use serde_json::{Map, Value as Json, json};

use crate::facts::{Fact, Known, ObjectDef, Type, Value};
use crate::network::{BondFact, NetworkFacts, RepairFacts, RepairStep};
use crate::rules::FixStep;
use crate::text::plain;

/// Facts that only serve to find records again.
const INTERNAL: &[&str] = &["network_reference", "neighbours_known"];

/// The `network` block of a joiner. What is unknown is null: the findings say why.
pub(super) fn block(network: &NetworkFacts) -> Json {
    to_json(&network.value())
}

fn to_json(value: &Value<'_>) -> Json {
    match value {
        Value::Unknown(_) | Value::Null => Json::Null,
        Value::Bool(value) => (*value).into(),
        Value::Int(value) => (*value).into(),
        Value::Text(value) => value.as_ref().into(),
        Value::Features(value) => value.to_string().into(),
        Value::List(list) => (0..list.len()).map(|index| to_json(&list.get(index))).collect(),
        Value::Made(list) => list.iter().map(to_json).collect(),
        Value::Map(map) => {
            let entries = map.keys().into_iter().filter_map(|key| Some((key.to_owned(), to_json(&map.get(key)?))));
            Json::Object(entries.collect())
        }
        Value::Object(object) => {
            let fields = object.def().fields.iter().enumerate();
            let shown = fields.filter(|(_, field)| !INTERNAL.contains(&field.name));
            Json::Object(shown.map(|(index, field)| (field.name.to_owned(), to_json(&object.field(index)))).collect())
        }
    }
}

/// The schema of [`block`].
pub(super) fn schema() -> Json {
    type_schema(NetworkFacts::TYPE)
}

fn type_schema(ty: Type) -> Json {
    match ty {
        Type::Bool => json!({"type": "boolean"}),
        Type::Int => json!({"type": "integer"}),
        Type::Text | Type::Features => json!({"type": "string"}),
        Type::List(of) => json!({"type": "array", "items": type_schema(*of)}),
        Type::Map(of) => json!({"type": "object", "additionalProperties": type_schema(*of)}),
        Type::Object(def) => object_schema(def),
        Type::Nullable(of) => nullable(type_schema(*of)),
    }
}

fn object_schema(def: &ObjectDef) -> Json {
    let mut properties = Map::new();
    for field in def.fields.iter().filter(|field| !INTERNAL.contains(&field.name)) {
        let schema = type_schema(field.ty);
        properties.insert(field.name.to_owned(), if field.knowable { nullable(schema) } else { schema });
    }
    let required: Vec<_> = properties.keys().cloned().collect();
    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
}

fn nullable(schema: Json) -> Json {
    match schema.get("anyOf") {
        Some(_) => schema,
        None => json!({"anyOf": [{"type": "null"}, schema]}),
    }
}

/// NIC by NIC: the network, and what happens.
pub(super) fn table(network: &NetworkFacts, width: u16) -> String {
    let Some(landing) = network.landing.get().filter(|landing| !landing.is_empty()) else { return String::new() };
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(width)
        .force_no_tty()
        .set_header([" NIC", "Network", "What happens"]);
    for nic in landing {
        let mark = if nic.management == Known::Yes(true) { " (management)" } else { "" };
        // What a bond takes is reached through the bond's network.
        let bond = network.bonds.each().find(|bond| nic.bond.as_ref() == Some(&bond.device));
        let mut what = nic.what.clone();
        for difference in network.contradictions.each().filter(|it| it.device == nic.device) {
            what.push_str(&format!("; {} {}, pool {}", difference.kind, difference.joiner, difference.pool));
        }
        let cells = [&format!(" {}{mark}", nic.device), bond.map_or(&nic.network, |bond| &bond.network), &what];
        table.add_row(cells.map(|cell| plain(cell).into_owned()));
    }
    table.to_string()
}

/// What there is to say beyond the NICs: labels and texts.
pub(super) fn remarks(network: &NetworkFacts) -> Vec<(String, String)> {
    let mut said = Vec::new();
    let mut say = |label: &str, text: String| said.push((label.to_owned(), text));
    if network.predicted {
        say(
            "note",
            "NICs are numbered in their PCI order, as a fresh installation would; the installer may differ"
                .to_owned(),
        );
    }
    if let Some(unknown) = network.landing.unknown() {
        say("NICs", format!("unknown ({unknown})"));
    }
    for nic in network.missing.each().filter(|nic| !nic.bonded) {
        say("no NIC for", format!("{}, which is the coordinator's {} ({})", nic.network, nic.device, nic.bridge));
    }
    match &network.bonds {
        Known::Yes(bonds) => bonds.iter().for_each(|bond| say(&bond.device, bond_text(bond))),
        Known::No(unknown) => say("bonds", format!("unknown ({unknown})")),
    }
    match &network.vlans {
        Known::Yes(vlans) => {
            let with = |created: bool| {
                vlans.iter().filter(move |vlan| vlan.created == Known::Yes(created)).collect::<Vec<_>>()
            };
            if !with(true).is_empty() {
                let names: Vec<_> = with(true).iter().map(|vlan| vlan.name_label.as_str()).collect();
                say("VLANs made", names.join(", "));
            }
            for vlan in with(false) {
                say("VLAN not made", format!("{}: {}", vlan.name_label, vlan.reason));
            }
            for vlan in vlans {
                if let Some(unknown) = vlan.created.unknown() {
                    say("VLAN", format!("{}: cannot tell ({unknown})", vlan.name_label));
                }
            }
        }
        Known::No(unknown) => say("VLANs", format!("unknown ({unknown})")),
    }
    match &network.management {
        Known::Yes(management) => {
            let nics = management.nics.join(" and ");
            let place = if management.aligned { "as the coordinator's" } else { "not where the coordinator's is" };
            say("management", format!("{nics}, then on {}, {place}", management.network));
        }
        Known::No(unknown) => say("management", format!("unknown ({unknown})")),
    }
    for vms in network.vm_networks.each().filter(|it| !matches!(it.outcome.as_str(), "same" | "new")) {
        say(
            "VM network",
            format!("{} ({}) becomes {} ({})", vms.name_label, vms.bridge, vms.target, vms.target_bridge),
        );
    }
    said
}

fn bond_text(bond: &BondFact) -> String {
    let mode = bond.mode.text().map(|mode| format!(", {mode}")).unwrap_or_default();
    let members = bond.joiner_members.join(" and ");
    match &bond.outcome {
        Known::No(unknown) => format!("cannot tell ({unknown})"),
        Known::Yes(outcome) => match outcome.as_str() {
            "complete" => format!("made of {members} on {}{mode}", bond.network),
            "partial" => {
                let missing: Vec<_> = bond.missing.iter().map(ToString::to_string).collect();
                format!(
                    "made of {members} alone on {}{mode}: no NIC in position {}",
                    bond.network,
                    missing.join(", ")
                )
            }
            _ => format!("cannot be made on {}: {}", bond.network, bond.reasons.join("; ")),
        },
    }
}

/// The commands, where there is something to do. The last one only looks, and is for programs.
pub(super) fn scripts(network: &NetworkFacts) -> impl Iterator<Item = (&'static str, Vec<FixStep>)> {
    let RepairFacts { before, after } = &network.repair;
    let after = after.split_last().map_or(&[][..], |(_, steps)| steps);
    let fix = |step: &RepairStep| FixStep {
        place: step.place.clone(),
        run: step.run.clone(),
        note: step.note.clone(),
        loses: step.loses.clone(),
    };
    [("Network, before the join", before.as_slice()), ("Network, after the join", after)]
        .into_iter()
        .filter(|(_, steps)| !steps.is_empty())
        .map(move |(title, steps)| (title, steps.iter().map(fix).collect()))
}
