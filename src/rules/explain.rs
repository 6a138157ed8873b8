//! The knowledge, readable: one rule in full, and what rules may be written with.

use std::fmt::Write as _;

use serde_json::{Value as Json, json};

use super::case::{Case, variables};
use super::eject::EjectCase;
use super::expr::{MACROS, functions};
use super::outcome::Outcome;
use super::rule::{PLACES, Phase, Rule};
use crate::facts::{ObjectDef, Type};
use crate::text::{lines, wrapped, wrapped_at};

/// Everything about a rule, as text of so many columns.
pub fn explain(rule: &Rule, width: u16) -> String {
    lines(&told(rule, width), false).into_owned()
}

fn told(rule: &Rule, width: u16) -> String {
    let mut out = String::new();
    let phases: Vec<_> = rule.phases.iter().map(|phase| phase.word()).collect();
    let what = format!("({}, {})", rule.severity.word(), phases.join(" and "));
    out.push_str(&wrapped(&format!("{} ", rule.id), &what, width));
    let _ =
        writeln!(out, "{}\nWhy\n{}", wrapped_at("  ", 2, &rule.title, width), wrapped_at("  ", 2, &rule.why, width));
    if let Some(applies) = &rule.applicability {
        let _ = writeln!(out, "Has a say when\n{}\n", indented(applies.trim()));
    }
    let _ = writeln!(out, "Passes when\n{}\n", indented(rule.condition.trim()));
    let _ = writeln!(out, "Reads\n{}\n", indented(&rule.facts().join("\n")));
    mends(&mut out, rule, width);
    let _ = writeln!(out, "The server");
    match &rule.server {
        None => {
            let _ = writeln!(out, "  does not check this");
        }
        Some(server) => {
            let versions: Vec<_> = server.check.versions.iter().map(|range| range_text(*range)).collect();
            let check = format!(
                "check {} (number {}), in {}{}",
                server.check.name,
                server.place,
                versions.join(" and "),
                match (server.check.force_skips, rule.phases.contains(&Phase::Eject)) {
                    (_, true) => "; nothing forces it",
                    (true, _) => "; pool.join_force skips it",
                    (false, _) => "; pool.join_force does not skip it",
                },
            );
            out.push_str(&wrapped_at("  ", 4, &check, width));
            for refusal in rule.refusals() {
                let _ = writeln!(out, "  refuses with {}", refusal.code);
            }
        }
    }
    if !rule.references.is_empty() {
        out.push_str("\nSee\n");
        rule.references.iter().for_each(|reference| out.push_str(&wrapped_at("  ", 4, reference, width)));
    }
    if !rule.examples.is_empty() {
        let _ = writeln!(out, "\nExamples");
        for example in &rule.examples {
            let _ = writeln!(out, "  {:<15} {}", example.expect, example.name);
        }
    }
    out.push('\n');
    out.push_str(&wrapped("File: ", &rule.origin, width));
    out
}

/// What mends it, with holes as they are written; a command on a line of its own, to be copied.
fn mends(out: &mut String, rule: &Rule, width: u16) {
    let fixes = &rule.says.get().fix;
    if fixes.is_empty() {
        return;
    }
    out.push_str("What mends it\n");
    for fix in fixes {
        let [run, note] = &fix.written;
        let note = note.trim();
        match (run.trim(), note.is_empty()) {
            ("", _) => out.push_str(&wrapped_at(&format!("  {}: ", fix.place), 4, note, width)),
            (run, empty) => {
                let _ = writeln!(out, "  {}: {run}", fix.place);
                if !empty {
                    out.push_str(&wrapped_at("    ", 4, note, width));
                }
            }
        }
        if !fix.loses.is_empty() {
            out.push_str(&wrapped_at("    loses: ", 4, &fix.loses, width));
        }
    }
    out.push('\n');
}

pub(super) fn range_text((from, until): (&str, &str)) -> String {
    match (from.is_empty(), until.is_empty()) {
        (true, true) => "every release".to_owned(),
        (true, false) => format!("xapi before {until}"),
        (false, true) => format!("xapi {from} and newer"),
        (false, false) => format!("xapi {from} to before {until}"),
    }
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {}", line.trim())).collect::<Vec<_>>().join("\n")
}

/// The outcomes that a rule's examples do not show; every rule shows pass, fail and unknown.
pub fn missing_examples(rule: &Rule) -> Vec<&'static str> {
    [Outcome::Pass, Outcome::Fail, Outcome::Unknown]
        .into_iter()
        .map(Outcome::word)
        .filter(|word| !rule.examples.iter().any(|example| example.expect == *word))
        .collect()
}

/// What expressions may be written with, as text: facts by record, then functions.
pub fn vocabulary() -> String {
    let mut out = String::from("Facts\n");
    for (name, ty) in variables::<Case<'_>>() {
        let _ = writeln!(out, "  {name}: {ty}");
    }
    out.push_str("\nFacts of eject rules\n");
    for (name, ty) in variables::<EjectCase<'_>>() {
        let _ = writeln!(out, "  {name}: {ty}");
    }
    for def in records() {
        let _ = writeln!(out, "\n{}: {}", def.name, prose(def.doc));
        for field in def.fields {
            let volatile = if field.volatile { " (volatile)" } else { "" };
            let _ = writeln!(out, "  {}: {}{volatile}\n      {}", field.name, field.ty, prose(field.doc));
        }
    }
    out.push_str("\nForms\n");
    for form in &MACROS {
        let _ = writeln!(out, "  {}\n      {}", form.signature, form.doc);
    }
    out.push_str("\nFunctions\n");
    for function in functions() {
        let _ = writeln!(out, "  {}\n      {}", function.signature(), function.doc);
    }
    out
}

/// The shape of rule files and what expressions may be written with, as JSON.
pub fn rule_schema() -> Json {
    let text = json!({"type": "string"});
    let expression =
        |gives: &str| json!({"type": "string", "description": format!("an expression that gives {gives}")});
    let template = json!({"type": "string", "description": "text; {expression} is filled in, {{ is a brace"});
    let closed = |properties: Json, required: &[&str]| json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false});
    let phases = json!({"enum": [Phase::Join.word(), Phase::Eject.word(), Phase::Procurement.word()]});
    let refusal = closed(
        json!({"when": expression("bool"), "code": text, "params": {"type": "array", "items": expression("text")},
            "param_list": expression("list of text")}),
        &["code"],
    );
    let fix = closed(
        json!({"where": {"enum": PLACES}, "run": template, "note": template, "loses": text, "each": {"type": "boolean"},
            "when": {"type": "string", "description": "an expression that gives bool: only then the step is shown; where \
                that is unknown, the step is shown with a remark"}}),
        &["where"],
    );
    let example = closed(
        json!({"name": text, "expect": {"enum": ["pass", "fail", "unknown", "not-applicable"]}, "set": {"type": "object"},
            "forget": {"type": "array", "items": text}, "message": text, "refusal": {"type": "array", "items": text}}),
        &["name", "expect"],
    );
    let server = closed(
        json!({"check": text, "part": {"type": "integer"}, "beyond": {"type": "boolean"},
            "refusal": {"type": "array", "items": refusal}}),
        &["check", "refusal"],
    );
    let mut schema = closed(
        json!({"id": text, "title": text, "why": text, "severity": {"enum": ["blocker", "warning", "note"]},
            "phases": {"type": "array", "items": phases}, "applies": expression("bool"),
            "sole_fix": {"type": "boolean"}, "waivable": {"type": "boolean"},
            "each": closed(json!({"name": text, "in": expression("a list")}), &["name", "in"]),
            "require": expression("bool"), "message": template, "item": template,
            "evidence": {"type": "array", "items": expression("a fact")},
            "fix": {"type": "array", "items": fix}, "server": server,
            "references": {"type": "array", "items": text}, "example": {"type": "array", "items": example}}),
        &["id", "title", "why", "severity", "require", "message"],
    );
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
    schema["title"] = "poolgate rule file (TOML)".into();
    schema["x-facts"] =
        variables::<Case<'_>>().map(|(name, ty)| (name.to_owned(), Json::String(ty.to_string()))).collect();
    schema["x-eject-facts"] =
        variables::<EjectCase<'_>>().map(|(name, ty)| (name.to_owned(), Json::String(ty.to_string()))).collect();
    schema["x-records"] = records()
        .into_iter()
        .map(|def| {
            let fields: serde_json::Map<_, _> = def
                .fields
                .iter()
                .map(|field| {
                    let fact =
                        json!({"type": field.ty.to_string(), "about": prose(field.doc), "volatile": field.volatile});
                    (field.name.to_owned(), fact)
                })
                .collect();
            (def.name.to_owned(), json!({"about": prose(def.doc), "fields": fields}))
        })
        .collect();
    schema["x-functions"] = functions()
        .iter()
        .map(|function| json!({"signature": function.signature(), "about": function.doc}))
        .collect();
    schema["x-forms"] = MACROS.iter().map(|form| json!({"signature": form.signature, "about": form.doc})).collect();
    schema
}

/// All record types that facts lead to, in the order in which they are first met.
fn records() -> Vec<&'static ObjectDef> {
    fn visit(ty: Type, found: &mut Vec<&'static ObjectDef>) {
        match ty {
            Type::List(of) | Type::Map(of) | Type::Nullable(of) => visit(*of, found),
            Type::Object(def) if !found.iter().any(|known| known.name == def.name) => {
                found.push(def);
                for field in def.fields {
                    visit(field.ty, found);
                }
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    for (_, ty) in variables::<Case<'_>>().chain(variables::<EjectCase<'_>>()) {
        visit(ty, &mut found);
    }
    found
}

fn prose(doc: &[&str]) -> String {
    doc.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ")
}
