//! The JSON Schema of snapshots, written from the same descriptions that the rules are checked against.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::{FORMAT, MAJOR, Pool, Source};
use crate::facts::{Fact, ObjectDef, Reason, Type};

/// The schema (draft 2020-12) of a snapshot file.
pub fn json_schema() -> Json {
    let mut defs = BTreeMap::new();
    let source = reference(Source::TYPE, &mut defs);
    let pool = reference(Pool::TYPE, &mut defs);
    let reasons: Vec<_> = Reason::ALL.iter().map(|reason| reason.word()).collect();
    defs.insert(
        "unknown".to_owned(),
        json!({
            "description": "A fact that is missing, and why. A key that is left out was not collected.",
            "type": "object",
            "properties": {"$unknown": {"enum": reasons}, "detail": {"type": "string"}},
            "required": ["$unknown"],
            "additionalProperties": false,
        }),
    );
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": format!("poolgate snapshot, version {MAJOR}"),
        "type": "object",
        "properties": {
            "format": {"const": FORMAT},
            "version": {"type": "string", "pattern": format!("^{MAJOR}\\.[0-9]+$")},
            "source": source,
            "pool": pool,
        },
        "required": ["format", "version", "pool"],
        "$defs": defs,
    })
}

fn reference(ty: Type, defs: &mut BTreeMap<String, Json>) -> Json {
    match ty {
        Type::Bool => json!({"type": "boolean"}),
        Type::Int => json!({"type": "integer"}),
        Type::Text => json!({"type": "string"}),
        Type::Features => json!({"type": "string", "pattern": "^([0-9a-f]{8}(-[0-9a-f]{8})*)?$"}),
        Type::List(of) => json!({"type": "array", "items": reference(*of, defs)}),
        Type::Map(of) => json!({"type": "object", "additionalProperties": reference(*of, defs)}),
        Type::Nullable(of) => json!({"anyOf": [reference(*of, defs), {"type": "null"}]}),
        Type::Object(def) => {
            if !defs.contains_key(def.name) {
                defs.insert(def.name.to_owned(), Json::Null);
                let schema = object(def, defs);
                defs.insert(def.name.to_owned(), schema);
            }
            json!({"$ref": format!("#/$defs/{}", def.name)})
        }
    }
}

fn object(def: &ObjectDef, defs: &mut BTreeMap<String, Json>) -> Json {
    let mut properties = Map::new();
    for field in def.fields {
        let mut value = reference(field.ty, defs);
        if field.knowable {
            value = json!({"anyOf": [value, {"$ref": "#/$defs/unknown"}]});
        }
        value["description"] = Json::String(prose(field.doc));
        if field.volatile {
            value["x-volatile"] = Json::Bool(true);
        }
        properties.insert(field.name.to_owned(), value);
    }
    json!({"description": prose(def.doc), "type": "object", "properties": properties})
}

fn prose(doc: &[&str]) -> String {
    doc.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ")
}
