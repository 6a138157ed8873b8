//! The JSON Schema of reports.

use serde_json::{Value as Json, json};

use super::json::{FORMAT, VERSION};

/// A day.
const DATE: &str = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$";

/// The schema (draft 2020-12) of a JSON report.
pub fn json_schema() -> Json {
    let text = json!({"type": "string"});
    let texts = json!({"type": "array", "items": text});
    let count = json!({"type": "integer", "minimum": 0});
    let verdict = json!({"enum": ["GO", "GO WITH WARNINGS", "NO-GO", "UNDECIDED"]});
    let or_null = json!({"type": ["string", "null"]});
    let features = json!({"type": ["string", "null"], "pattern": "^([0-9a-f]{8}(-[0-9a-f]{8})*)?$"});
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": format!("poolgate report, version {VERSION}"),
        "type": "object",
        "properties": {
            "format": {"const": FORMAT},
            "version": {"const": VERSION},
            "tool": text,
            "verdict": verdict,
            "phase": {"enum": ["join", "eject"]},
            "pool": strict(json!({
                "name": text, "uuid": text, "hosts": {"type": ["integer", "null"]}, "release": text, "source": text,
                "seen": text,
            }), json!({"notes": texts})),
            "policy": strict(json!({"max_hosts": {"type": "integer"}, "as_release": {"type": ["string", "null"]}}), json!({})),
            "joiners": {"type": "array", "items": {"$ref": "#/$defs/joiner"}},
            "member": {"$ref": "#/$defs/member"},
            "waivers": {"$ref": "#/$defs/waivers"},
        },
        "required": ["format", "version", "tool", "verdict", "phase", "pool", "policy", "joiners"],
        "additionalProperties": false,
        "$defs": {
            "joiner": strict(json!({
                "name": text,
                "uuid": text,
                "verdict": verdict,
                "source": text,
                "seen": text,
                "release": text,
                "server": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/server"}]},
                "cpu": {"$ref": "#/$defs/cpu"},
                "network": super::network::schema(),
                "storage": {"anyOf": [{"type": "null"}, {"type": "array", "items": strict(json!({
                    "name": or_null, "uuid": or_null, "kind": or_null, "location": text, "admit": text,
                }), json!({}))}]},
                "findings": {"type": "array", "items": {"$ref": "#/$defs/finding"}},
                "summary": {"$ref": "#/$defs/summary"},
            }), json!({"assumed": texts, "notes": texts})),
            "member": member(),
            "waivers": strict(json!({
                "file": text,
                "today": {"type": "string", "pattern": DATE},
                "findings": {"type": "array", "items": {"$ref": "#/$defs/finding"}},
            }), json!({})),
            "summary": strict(json!({
                "blockers": count, "warnings": count, "notes": count,
                "undecided": count, "passed": count, "not_applicable": count,
            }), json!({"waived": count})),
            "refusal": {"anyOf": [{"type": "null"}, strict(json!({"code": text, "params": texts}), json!({}))]},
            "server": strict(json!({
                "first": {"$ref": "#/$defs/refusal"},
                "first_with_force": {"$ref": "#/$defs/refusal"},
                "failing": {"type": "array", "items": strict(json!({"check": text, "code": text, "params": texts}), json!({}))},
                "undecided": texts,
            }), json!({})),
            "cpu": strict(json!({
                "scheme": {"type": ["string", "null"]},
                "provenance": {"type": ["string", "null"]},
                "lost_by_pool": {"$ref": "#/$defs/losses"},
                "hidden_on_joiner": {"$ref": "#/$defs/losses"},
                "stranded_vms": {"anyOf": [{"type": "null"}, {"type": "array", "items": strict(json!({
                    "name": text, "uuid": text, "power_state": text, "missing": texts, "reason": text,
                }), json!({}))}]},
                "level_before": {"$ref": "#/$defs/level"},
                "level_after": {"$ref": "#/$defs/level"},
            }), json!({})),
            "losses": {"anyOf": [{"type": "null"}, {"type": "array", "items": strict(json!({
                "name": text, "group": text, "sets": texts,
            }), json!({}))}]},
            "level": strict(json!({"pv": features, "hvm": features}), json!({})),
            "finding": strict(json!({
                "rule": text,
                "title": text,
                "outcome": {"enum": ["pass", "fail", "unknown", "not-applicable"]},
                "severity": {"enum": ["blocker", "warning", "note"]},
                "message": text,
                "evidence": {"type": "array", "items": strict(
                    json!({"fact": text, "object": text, "value": text, "source": text}),
                    json!({"missing": {"type": "boolean"}, "about": text, "seen": text, "assumed": {"type": "boolean"}}),
                )},
                "fix": {"type": "array", "items": strict(
                    json!({"where": text}), json!({"run": text, "note": text, "loses": text}),
                )},
                "server_check": {"type": ["string", "null"]},
            }), json!({
                "items": texts,
                "evidence_left_out": count,
                "severity_was": {"enum": ["blocker", "warning", "note"]},
                "waived": strict(json!({
                    "reason": text, "owner": text, "expires": {"type": "string", "pattern": DATE}, "waiver": text,
                }), json!({})),
            })),
        },
    })
}

/// The schema of each line of an NDJSON report: first `run`, then one line a host, last `verdict`.
pub fn line_schema() -> Json {
    let report = json_schema();
    let take = |name: &str| report["properties"][name].clone();
    let line = |word: &str, rest: Json| {
        let mut line = json!({"type": {"const": word}});
        if let (Json::Object(line), Json::Object(rest)) = (&mut line, rest) {
            line.extend(rest);
        }
        strict(line, json!({}))
    };
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": format!("a line of a poolgate NDJSON report, version {VERSION}"),
        "anyOf": [
            line("run", json!({
                "format": take("format"), "version": take("version"), "tool": take("tool"), "phase": take("phase"),
                "pool": take("pool"), "policy": take("policy"),
            })),
            line("joiner", json!({"joiner": {"$ref": "#/$defs/joiner"}})),
            line("member", json!({"member": {"$ref": "#/$defs/member"}})),
            line("waivers", json!({"waivers": {"$ref": "#/$defs/waivers"}})),
            line("verdict", json!({"verdict": take("verdict")})),
        ],
        "$defs": report["$defs"],
    })
}

/// The member that is to leave, in phase eject: what is lost, by name; null where it is not known.
fn member() -> Json {
    let text = json!({"type": "string"});
    let texts = json!({"type": "array", "items": text});
    let maybe = json!({"type": ["string", "null"]});
    let maybe_texts = json!({"anyOf": [{"type": "null"}, texts]});
    let number = json!({"type": "integer"});
    let maybe_number = json!({"type": ["integer", "null"]});
    let truth = json!({"type": "boolean"});
    let fate = json!({"enum": ["destroyed", "forgotten", "drive"]});
    let list = |of: Json| json!({"anyOf": [{"type": "null"}, {"type": "array", "items": strict(of, json!({}))}]});
    strict(
        json!({
            "name": text,
            "uuid": text,
            "release": text,
            "verdict": {"enum": ["GO", "GO WITH WARNINGS", "NO-GO", "UNDECIDED"]},
            "server": {"anyOf": [{"type": "null"}, strict(json!({
                "first": {"$ref": "#/$defs/refusal"},
                "failing": {"type": "array", "items": strict(json!({"check": text, "code": text, "params": texts}), json!({}))},
                "undecided": texts,
            }), json!({}))]},
            "findings": {"type": "array", "items": {"$ref": "#/$defs/finding"}},
            "summary": {"$ref": "#/$defs/summary"},
            "loses": strict(json!({
                "vdis": list(json!({"name": text, "uuid": maybe, "sr": text, "sr_uuid": maybe, "fate": fate,
                    "size": maybe_number, "vms": maybe_texts})),
                "vms": list(json!({"name": text, "uuid": maybe, "kind": text, "power_state": maybe,
                    "lost_disks": number, "disks": number, "diskless": truth})),
                "srs": list(json!({"name": text, "uuid": maybe, "kind": maybe, "fate": fate})),
                "networks": list(json!({"name": text, "uuid": maybe, "bridge": maybe, "vms": maybe_texts})),
                "interfaces": list(json!({"kind": text, "device": text, "about": text, "network": text,
                    "network_uuid": maybe})),
            }), json!({"unknown": texts})),
            "keeps": strict(json!({
                "management": {"anyOf": [{"type": "null"}, strict(json!({
                    "device": text, "vlan": number, "bond": text, "mode": maybe, "ip": maybe, "netmask": maybe,
                    "gateway": maybe, "dns": maybe, "ipv6_mode": maybe, "ipv6": maybe_texts,
                }), json!({}))]},
                "root_password": text,
                "console_needed": truth,
                "tls_verification": truth,
            }), json!({})),
            "capacity": strict(json!({
                "hosts": maybe_number, "memory": maybe_number, "needed": maybe_number,
                "fits": {"type": ["boolean", "null"]},
            }), json!({})),
            "cpu": strict(json!({
                "gained": {"$ref": "#/$defs/losses"},
                "level_before": {"$ref": "#/$defs/level"},
                "level_after": {"$ref": "#/$defs/level"},
            }), json!({})),
        }),
        json!({}),
    )
}

/// An object with all of these properties, some of those, and no others.
pub(super) fn strict(required: Json, optional: Json) -> Json {
    let (Json::Object(mut properties), Json::Object(optional)) = (required, optional) else { return Json::Null };
    let required: Vec<_> = properties.keys().cloned().collect();
    properties.extend(optional);
    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
}
