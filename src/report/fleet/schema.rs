//! The JSON Schemas of reports on fleets.

use serde_json::{Value as Json, json};

use crate::fleet::{FORMAT, VERSION};
use crate::report::schema::strict;

/// The schema of the JSON report on a fleet.
pub fn fleet_schema() -> Json {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": format!("poolgate fleet report, version {VERSION}"),
        "$ref": "#/$defs/fleet",
        "$defs": definitions(),
    })
}

/// The schema of each line of an NDJSON report on a fleet; the last line is the summary.
pub fn fleet_line_schema() -> Json {
    let defs = definitions();
    let line = |word: &str, name: &str| {
        let mut line = defs[name].clone();
        line["properties"]["type"] = json!({"const": word});
        if let Some(required) = line["required"].as_array_mut() {
            required.insert(0, json!("type"));
        }
        line
    };
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": format!("a line of a poolgate NDJSON report on a fleet, version {VERSION}"),
        "anyOf": [
            line("first", "host"),
            line("joiner", "joiner"),
            line("not-judged", "host"),
            line("unreadable", "unreadable"),
            line("summary", "fleet"),
        ],
        "$defs": defs,
    })
}

fn definitions() -> Json {
    let text = json!({"type": "string"});
    let count = json!({"type": "integer", "minimum": 0});
    let line = json!({"type": "integer", "minimum": 1});
    let severity = json!({"enum": ["blocker", "warning", "note"]});
    let verdict = json!({"enum": ["GO", "GO WITH WARNINGS", "NO-GO", "UNDECIDED"]});
    let list = |of: Json| json!({"type": "array", "items": of});
    let either = |of: Json| json!({"anyOf": [{"type": "null"}, of]});
    let counts =
        strict(json!({"go": count, "go_with_warnings": count, "no_go": count, "undecided": count}), json!({}));
    let digest = json!({"type": "string", "pattern": "^[0-9a-f]{64}$"});
    json!({
        "counts": counts,
        "host": strict(json!({"line": line, "name": text, "uuid": text, "pool": text}), json!({})),
        "unreadable": strict(json!({"line": line, "message": text}), json!({})),
        "joiner": strict(json!({
            "line": line, "name": text, "uuid": text, "pool": text, "pool_line": line, "verdict": verdict,
            "server": either(strict(json!({
                "first": either(strict(json!({"code": text, "params": list(text.clone())}), json!({}))),
                "undecided": list(text.clone()),
            }), json!({}))),
            "failed": list(strict(json!({"rule": text, "severity": severity, "message": text}), json!({}))),
            "undecided": list(strict(json!({"rule": text, "severity": severity}), json!({}))),
        }), json!({"doubtful": {"type": "boolean"}})),
        "pool": strict(json!({
            "line": line, "name": text, "coordinator": text, "verdict": verdict,
            "joiners": {"$ref": "#/$defs/counts"},
        }), json!({})),
        "fleet": strict(json!({
            "format": {"const": FORMAT},
            "version": {"const": VERSION},
            "tool": text,
            "verdict": either(verdict.clone()),
            "fleet": text,
            "policy": strict(json!({
                "max_hosts": {"type": "integer"}, "as_release": {"type": ["string", "null"]}, "worst": count,
            }), json!({})),
            "read": strict(json!({
                "lines": count, "unreadable": count, "pools": count, "alone": count, "doubtful": count,
                "not_judged": count,
            }), json!({"returned": count})),
            "joiners": {"$ref": "#/$defs/counts"},
            "pools": {"$ref": "#/$defs/counts"},
            "rules": list(strict(json!({
                "rule": text, "severity": severity, "failed": count, "undecided": count, "pools": count,
            }), json!({}))),
            "refusals": list(strict(json!({"code": text, "joiners": count}), json!({}))),
            "missing": list(strict(json!({"reason": text, "joiners": count}), json!({}))),
            "worst_pools": list(json!({"$ref": "#/$defs/pool"})),
            "worst_joiners": list(json!({"$ref": "#/$defs/joiner"})),
            "unreadable": list(json!({"$ref": "#/$defs/unreadable"})),
            "unknown_keys": strict(json!({"keys": list(text.clone()), "more": {"type": "boolean"}}), json!({})),
        }), json!({"returned": list(strict(json!({"line": line, "first": line}), json!({}))), "shard": strict(json!({
            "index": line, "of": line, "bytes": count, "from": count, "to": count, "head": digest, "rules": digest,
        }), json!({"heard": list(json!({"type": "string", "pattern": "^[0-9a-f]{16}:[1-9][0-9]*[+]?$"}))}))})),
    })
}
