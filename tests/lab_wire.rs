//! The lab's answers beside those that a real server gave: the same calls, byte for byte but for what is random.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

pub mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::xapi::Client;
use poolgate::lab::{Lab, LabConfig, Served};
use serde_json::{Map, Value, json};

const PASSWORD: &str = "oracle";
const ENCODINGS: [&str; 3] = ["jsonrpc1", "jsonrpc2", "xmlrpc"];

fn wire() -> Option<PathBuf> {
    common::shared().map(|shared| shared.join("data/xapi-wire"))
}

/// All records that the server gave, as one dump.
fn records(folder: &Path) -> Map<String, Value> {
    let mut records = Map::new();
    for entry in fs::read_dir(folder.join("jsonrpc1")).unwrap() {
        let path = entry.unwrap().path();
        let Some(class) = path.file_name().unwrap().to_str().unwrap().strip_suffix(".get_all_records.json") else {
            continue;
        };
        let answer: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        if answer["error"].is_null() {
            records.insert(class.to_owned(), answer["result"].clone());
        }
    }
    records
}

fn lab(records: &Map<String, Value>) -> Lab {
    let served = Served::records("the server's own", records).unwrap();
    Lab::start(LabConfig::new(PASSWORD).serve(served)).unwrap()
}

fn request(encoding: &str, method: &str, params: &[&str]) -> (&'static str, String) {
    match encoding {
        "jsonrpc1" => ("/jsonrpc", json!({"id": 1, "method": method, "params": params}).to_string()),
        "jsonrpc2" => {
            ("/jsonrpc", json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string())
        }
        _ => {
            let params: String =
                params.iter().map(|it| format!("<param><value><string>{it}</string></value></param>")).collect();
            let head = "<?xml version='1.0'?><methodCall><methodName>";
            ("/", format!("{head}{method}</methodName><params>{params}</params></methodCall>"))
        }
    }
}

/// JSON without regard to the order of keys; XML with its records sorted.
fn canonical(encoding: &str, text: &str) -> String {
    if encoding != "xmlrpc" {
        let value: Value = serde_json::from_str(text).unwrap();
        let sorted: std::collections::BTreeMap<String, Value> =
            sort(value).as_object().unwrap().clone().into_iter().collect();
        return serde_json::to_string_pretty(&sorted).unwrap();
    }
    let mut parts: Vec<_> = text.split("<member>").collect();
    parts.sort_unstable();
    parts.concat().replace("</struct>", "").replace("</member>", "").replace("</value>", "")
}

fn sort(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let sorted: std::collections::BTreeMap<_, _> =
                fields.into_iter().map(|(key, value)| (key, sort(value))).collect();
            Value::Object(sorted.into_iter().collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sort).collect()),
        other => other,
    }
}

/// What the lab changes of its own accord: addresses, and its own certificates.
fn plant_addresses(lab: &Lab, records: &Map<String, Value>) {
    let name = lab.endpoints()[0].name.clone();
    lab.with_db(&name, |db| {
        for class in ["host", "PIF", "Certificate"] {
            let there: Vec<_> = db.each(class).map(|(reference, _)| reference.to_owned()).collect();
            for reference in there {
                db.remove(class, &reference);
            }
            for (reference, record) in records[class].as_object().unwrap() {
                db.insert(class, reference, record.as_object().unwrap().clone());
            }
        }
    })
    .unwrap();
}

#[test]
fn records_are_encoded_as_the_server_encodes_them() {
    let Some(wire) = wire() else { return };
    let mut compared = 0;
    for folder in ["plain", "rich", "standalone", "every-class"] {
        let folder = wire.join(folder);
        let records = records(&folder);
        let lab = lab(&records);
        plant_addresses(&lab, &records);
        let mut client = Client::connect(&lab.endpoints()[0]);
        let session = client.login("root", PASSWORD);
        for encoding in ENCODINGS {
            for class in records.keys().filter(|class| *class != "task") {
                let extension = if encoding == "xmlrpc" { "xml" } else { "json" };
                let method = format!("{class}.get_all_records");
                let theirs = fs::read_to_string(folder.join(encoding).join(format!("{method}.{extension}"))).unwrap();
                let (path, body) = request(encoding, &method, &[&session]);
                let ours = client.send("POST", path, &[], &body).unwrap();
                assert_eq!(canonical(encoding, &ours.body), canonical(encoding, &theirs), "{encoding} {method}");
                compared += 1;
            }
        }
    }
    assert!(compared > 600, "{compared}");
}

/// Random references, and lengths that depend on them.
fn blind(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("OpaqueRef:") {
        let (before, after) = rest.split_at(at + "OpaqueRef:".len());
        out.push_str(before);
        let end = after.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '-').unwrap_or(after.len());
        out.push_str(if end == 36 { "…" } else { &after[..end] });
        rest = &after[end..];
    }
    out + rest
}

/// Splits a recording into request line, body and response.
fn recording(text: &str) -> (String, String, String) {
    let (request, response) = text.split_once("### response\n").unwrap();
    let mut parts = request.trim_start_matches("### request\n").splitn(2, '\n');
    let line = parts.next().unwrap().to_owned();
    let body = parts.next().unwrap().split_once("}\n\n").map_or("", |(_, body)| body).trim_end_matches('\n');
    (line, body.to_owned(), response.to_owned())
}

#[test]
fn errors_are_shaped_as_the_server_shapes_them() {
    let Some(wire) = wire() else { return };
    let records = records(&wire.join("plain"));
    let lab = lab(&records);
    plant_addresses(&lab, &records);
    let endpoints = lab.endpoints();
    let mut compared = Vec::new();
    for entry in fs::read_dir(wire.join("errors")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        // The list of methods is the release's, not the model's; setting HA is not modelled; the dump of the database is not served.
        if ["list_methods", "type_error", "xmldbdump", "no_content_length"].iter().any(|left| name.starts_with(left))
        {
            continue;
        }
        let (line, body, theirs) = recording(&fs::read_to_string(&path).unwrap());
        let member = name.starts_with("slave_");
        let mut client = Client::connect(&endpoints[usize::from(member)]);
        let session = if member { String::new() } else { client.login("root", PASSWORD) };
        if name.starts_with("after_logout") {
            client.call("session.logout", json!([session])).unwrap();
        }
        let (verb, path) = line.split_once(' ').unwrap();
        let ours = client.send(verb, path, &[], &body.replace("OpaqueRef:SESSION", &session)).unwrap();
        let (head, page) = theirs.split_once("\n\n").unwrap();
        let mut lines = head.lines();
        assert_eq!(ours.status, lines.next().unwrap(), "{name}");
        for header in lines.filter(|line| !line.starts_with("content-length")) {
            let (field, value) = header.split_once(": ").unwrap();
            assert_eq!(ours.header(field), Some(value), "{name}: {field}");
        }
        // Of parsers' own words only the kind is the same.
        let kind =
            |page: &str| page.split("Json_error(").next().unwrap().split("Xmlm.Error(").next().unwrap().to_owned();
        assert_eq!(blind(&kind(&ours.body)), blind(&kind(page.trim_end())), "{name}");
        compared.push(name);
    }
    assert!(compared.len() >= 48, "{compared:?}");
}

#[test]
fn a_member_names_its_coordinator_with_the_thumbprint_that_was_asked_for() {
    let Some(wire) = wire() else { return };
    let lab = lab(&records(&wire.join("plain")));
    let endpoints = lab.endpoints();
    let (coordinator, member) = (&endpoints[0], &endpoints[1]);
    let (path, body) = request("jsonrpc2", "session.login_with_password", &["root", PASSWORD]);
    let ask = [("x-xenapi-request-host-certificate-thumbprint", "sha-256:master")];
    let answer = Client::connect(member).send("POST", path, &ask, &body).unwrap();
    let print = answer.header("x-xenapi-response-host-certificate-thumbprint");
    assert_eq!(print, Some(coordinator.fingerprint.as_str()));
    assert!(answer.body.contains(&coordinator.address.to_string()), "{}", answer.body);
    let plain = Client::connect(member).send("POST", path, &[], &body).unwrap();
    assert_eq!(plain.header("x-xenapi-response-host-certificate-thumbprint"), None);
}
