//! The JSON Schema of differences.

use serde_json::{Value as Json, json};

/// The schema (draft 2020-12) of what `poolgate diff --format json` prints.
pub fn json_schema() -> Json {
    let text = json!({"type": "string"});
    let closed = |properties: Json, required: &[&str]| json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false});
    let end = closed(json!({"source": text, "seen": text}), &["source", "seen"]);
    let change = |word: &str, sides: [&str; 2]| {
        let mut shape = closed(
            json!({"path": text, "change": {"const": word}, "volatile": {"const": true}}),
            &["path", "change"],
        );
        for side in sides.into_iter().filter(|side| !side.is_empty()) {
            // Whatever stood there: a fact, a record, a list; one that is not known is {"$unknown": "why"}.
            shape["properties"][side] = json!({});
            if let Some(required) = shape["required"].as_array_mut() {
                required.push(side.into());
            }
        }
        shape
    };
    let mut schema = closed(
        json!({
            "format": {"const": "poolgate-diff"},
            "version": {"type": "string", "pattern": "^1\\.[0-9]+$"},
            "of": {"enum": ["snapshot", "report"]},
            "old": end,
            "new": end,
            "differences": {"type": "array", "items": {"anyOf": [
                change("changed", ["old", "new"]), change("added", ["", "new"]), change("removed", ["old", ""]),
            ]}},
            "volatile_left_out": {"type": "integer", "minimum": 0},
        }),
        &["format", "version", "of", "old", "new", "differences", "volatile_left_out"],
    );
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
    schema["title"] = "poolgate diff, version 1".into();
    schema
}
