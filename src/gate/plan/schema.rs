//! The JSON Schema of plans.

use serde_json::{Value as Json, json};

use super::{FORMAT, MAJOR};

/// The schema (draft 2020-12) of a plan.
pub fn json_schema() -> Json {
    let text = json!({"type": "string"});
    let texts = json!({"type": "array", "items": text});
    let count = json!({"type": "integer", "minimum": 0});
    let digest = json!({"type": "string", "pattern": "^[0-9a-f]{64}$"});
    let verdict = json!({"enum": ["GO", "GO WITH WARNINGS", "NO-GO", "UNDECIDED"]});
    let outcome = json!({"enum": ["pass", "fail", "unknown", "not-applicable"]});
    let fixes = json!({"type": "array", "items": {"$ref": "#/$defs/fix"}});
    let things = json!({"type": "array", "items": strict(json!({"name": text, "uuid": text}), json!({}))});
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": format!("poolgate plan, version {MAJOR}"),
        "type": "object",
        "properties": {
            "format": {"const": FORMAT},
            "version": {"type": "string", "pattern": format!("^{MAJOR}\\.[0-9]+$")},
            "tool": text,
            "made_at": text,
            "act": {"enum": ["join", "eject"]},
            "verdict": verdict,
            "pool": strict(json!({
                "name": text, "uuid": text, "hosts": {"type": ["integer", "null"]}, "release": text,
                "coordinator": {"$ref": "#/$defs/party"},
            }), json!({})),
            "max_hosts": {"type": "integer"},
            "rules": digest,
            "waivers": {"type": "array", "items": {"$ref": "#/$defs/finding"}},
            "steps": {"type": "array", "items": {"$ref": "#/$defs/step"}},
            "digest": digest,
        },
        "required": ["format", "version", "tool", "made_at", "act", "verdict", "pool", "max_hosts", "rules", "steps", "digest"],
        "additionalProperties": false,
        "$defs": {
            "party": strict(json!({
                "name": text, "uuid": text, "address": text, "target": text, "fingerprint": text, "snapshot": digest,
                "seen": text,
            }), json!({})),
            "finding": strict(json!({
                "rule": text, "severity": {"enum": ["note", "warning", "blocker"]}, "outcome": outcome, "message": text,
            }), json!({"waived": strict(json!({"reason": text, "owner": text, "expires": text, "waiver": text}), json!({}))})),
            "fix": strict(json!({"where": text}), json!({"run": text, "note": text, "loses": text})),
            "step": strict(json!({
                "host": {"$ref": "#/$defs/party"},
                "release": text,
                "verdict": verdict,
                "findings": {"type": "array", "items": {"$ref": "#/$defs/finding"}},
                "refusal": {"anyOf": [{"type": "null"}, strict(json!({"code": text, "params": texts}), json!({}))]},
                "call": strict(json!({
                    "method": {"enum": ["pool.join", "pool.eject"]},
                    "server": text,
                    "params": {"type": "object", "additionalProperties": text},
                    "secret": texts,
                }), json!({})),
                "changes": {"type": "array", "items": strict(json!({
                    "where": {"enum": ["joiner", "pool", "member"]}, "what": text, "becomes": text,
                }), json!({}))},
                "risks": texts,
                "before": fixes,
                "by_hand": fixes,
                "undo": fixes,
                "predicted": strict(json!({
                    "host": text, "address": text, "coordinator": text, "hosts": count,
                    "nics": {"type": "array", "items": strict(json!({
                        "device": text, "mac": text, "bridge": text, "network": {"type": ["string", "null"]},
                    }), json!({}))},
                    "bonds": {"type": "array", "items": strict(json!({
                        "name": text, "network": text, "mode": text, "members": texts,
                    }), json!({}))},
                    "vlans": {"type": "array", "items": strict(json!({
                        "name": text, "network": text, "tag": {"type": "integer"}, "created": {"type": "boolean"},
                    }), json!({}))},
                    "srs": things, "vms": things, "management": text,
                }), json!({"level_hvm": text, "level_pv": text})),
                "outcomes": {"type": "object", "additionalProperties": outcome},
                "facts": {"type": "array", "items": strict(
                    json!({"fact": text, "value": text}), json!({"key": text, "of": text}),
                )},
            }), json!({})),
        },
    })
}

/// The schema (draft 2020-12) of what a run says of its end in JSON.
pub fn run_schema() -> Json {
    let text = json!({"type": "string"});
    let texts = json!({"type": "array", "items": text});
    let fix = strict(json!({"where": text}), json!({"run": text, "note": text, "loses": text}));
    let difference = strict(
        json!({
            "about": text, "severity": {"enum": ["note", "warning", "blocker"]}, "message": text,
            "fix": {"type": "array", "items": fix},
        }),
        json!({}),
    );
    let turn = strict(
        json!({
            "host": strict(json!({"name": text, "uuid": text, "address": text}), json!({})),
            "outcome": {"enum": ["done", "differs", "not-started", "refused", "no-effect", "unconfirmed"]},
            "about": texts,
            "differences": {"type": "array", "items": difference},
            "advice": text,
        }),
        json!({}),
    );
    let mut schema = strict(
        json!({
            "format": {"const": "poolgate-run"},
            "version": {"type": "string", "pattern": "^1\\.[0-9]+$"},
            "act": {"enum": ["join", "eject"]},
            "pool": strict(json!({"name": text, "uuid": text}), json!({})),
            "turns": {"type": "array", "items": turn},
            "journal": strict(json!({"file": text, "head": text}), json!({})),
            "exit": {"enum": [0, 1, 2, 3, 4, 5]},
        }),
        json!({}),
    );
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
    schema["title"] = "poolgate run, version 1".into();
    schema
}

/// An object with all of these properties, some of those, and no others.
fn strict(required: Json, optional: Json) -> Json {
    let (Json::Object(mut properties), Json::Object(optional)) = (required, optional) else { return Json::Null };
    let required: Vec<_> = properties.keys().cloned().collect();
    properties.extend(optional);
    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
}
