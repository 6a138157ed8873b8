//! The JSON Schema of plans.

use serde_json::{Value as Json, json};

use super::json::{FORMAT, VERSION};

/// The schema (draft 2020-12) of a JSON plan.
pub fn json_schema() -> Json {
    let text = json!({"type": "string"});
    let texts = json!({"type": "array", "items": text});
    let count = json!({"type": "integer", "minimum": 0});
    let maybe = json!({"type": ["integer", "null"]});
    let truth = json!({"type": "boolean"});
    let list = |of: &str| json!({"type": "array", "items": {"$ref": format!("#/$defs/{of}")}});
    let mut schema = strict(json!({
        "format": {"const": FORMAT},
        "version": {"const": VERSION},
        "tool": text,
        "max_hosts": count,
        "spare": count,
        "hosts": count,
        "pools": count,
        "loss": count,
        "bound": count,
        "optimal": truth,
        "by_clock": truth,
        "weights": {"type": "object"},
        "groups": list("group"),
        "left_out": list("left_out"),
        "notes": texts,
    }));
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!(format!("poolgate plan, version {VERSION}"));
    schema["$defs"] = json!({
        "group": strict(json!({
            "vendor": text,
            "release": {"type": ["string", "null"]},
            "hosts": count,
            "featuresets": count,
            "levels": maybe,
            "fewest_pools": count,
            "fewest_proved": truth,
            "loss": count,
            "bound": count,
            "optimal": truth,
            "one_more_pool": {"anyOf": [{"type": "null"}, strict(json!({"loss": count, "bound": count, "saves": count}))]},
            "restarts": count,
            "restarts_bound": count,
            "pools": list("pool"),
        })),
        "pool": strict(json!({
            "name": text,
            "kept": truth,
            "level": {"type": "string", "pattern": "^([0-9a-f]{8}(-[0-9a-f]{8})*)?$"},
            "features": texts,
            "loss": count,
            "restarts": count,
            "restarts_unknown": count,
            "hosts": list("host"),
            "forced": list("forced"),
            "pv": strict(json!({"level": {"type": ["string", "null"]}, "loss": count, "hidden": list("feature"), "unknown": count})),
        })),
        "host": strict(json!({
            "name": text,
            "uuid": text,
            "source": text,
            "model": text,
            "step": {"enum": ["stays", "founds", "joins"]},
            "loss": count,
            "hidden": list("feature"),
            "restarts": maybe,
        })),
        "forced": strict(json!({"hosts": texts, "keeps": list("feature"), "saves": count})),
        "feature": strict(json!({"name": text, "group": text})),
        "left_out": strict(json!({"name": text, "uuid": text, "source": text, "reason": text})),
    });
    schema
}

/// An object with these fields and no others, all required.
fn strict(fields: Json) -> Json {
    let names: Vec<_> = fields.as_object().into_iter().flat_map(serde_json::Map::keys).cloned().collect();
    json!({"type": "object", "properties": fields, "required": names, "additionalProperties": false})
}
