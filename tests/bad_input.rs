//! Input that is broken, foreign or hostile: an error that helps, never a panic, and no more memory than allowed.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests fail as tests do")]

pub mod common;

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use poolgate::collect::{CollectError, Collected, Target, read_target};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

fn read(path: &Path) -> Result<Collected, CollectError> {
    read_target(&Target::File(path.to_owned()), &mut io::empty())
}

fn piped(text: impl AsRef<[u8]>) -> Result<Collected, CollectError> {
    read_target(&Target::Stdin, &mut text.as_ref())
}

/// The message for a document that must be refused.
fn refused(text: impl AsRef<[u8]>) -> String {
    piped(text).expect_err("refused").to_string()
}

fn temporary(name: &str, bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    (folder, path)
}

/// One record of each class, as the server encodes it.
fn one_of_each() -> Option<Value> {
    let folder = common::shared()?.join("data/xapi-wire/every-class/jsonrpc1");
    let mut classes = Map::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let class = path.file_name().unwrap().to_str().unwrap().split('.').next().unwrap().to_owned();
            let answer: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
            let first = answer["result"].as_object().unwrap().iter().take(1).map(|(k, v)| (k.clone(), v.clone()));
            classes.insert(class, Value::Object(first.collect()));
        }
    }
    // What the first records name of the others is left out with them: otherwise lists are cut short.
    let kept: BTreeSet<String> =
        classes.values().flat_map(|records| records.as_object().unwrap().keys().cloned()).collect();
    for record in classes.values_mut().flat_map(|records| records.as_object_mut().unwrap().values_mut()) {
        for field in record.as_object_mut().unwrap().values_mut() {
            match field {
                Value::Array(names) => names.retain(|name| {
                    name.as_str().is_none_or(|name| !name.starts_with("OpaqueRef:") || kept.contains(name))
                }),
                Value::String(name) if name.starts_with("OpaqueRef:") && !kept.contains(name.as_str()) => {
                    *name = "OpaqueRef:NULL".to_owned();
                }
                _ => {}
            }
        }
    }
    Some(Value::Object(classes))
}

#[test]
fn a_document_that_breaks_off_is_an_error_wherever_it_does() {
    let Some(records) = one_of_each() else { return };
    let folder = common::shared().unwrap().join("data/xapi-wire/plain");
    let mut documents = vec![records.to_string().into_bytes()];
    documents.push(piped(&documents[0]).unwrap().snapshot.to_json().trim_end().as_bytes().to_vec());
    for file in [
        "jsonrpc1/host.get_all_records.json",
        "jsonrpc2/host.get_all_records.json",
        "xmlrpc/host.get_all_records.xml",
    ] {
        documents.push(fs::read(folder.join(file)).unwrap().trim_ascii_end().to_vec());
    }
    for whole in documents {
        assert!(piped(&whole).is_ok());
        for part in 0..50 {
            let cut = &whole[..whole.len() * part / 50];
            assert!(piped(cut).is_err(), "{}", String::from_utf8_lossy(cut));
        }
    }
}

#[test]
fn a_wrong_type_in_any_field_is_unknown_with_its_place() {
    let Some(mut records) = one_of_each() else { return };
    let plain = piped(records.to_string()).unwrap().snapshot;
    // Only classes that the model takes something from.
    let classes: Vec<_> = records.as_object().unwrap().keys().cloned().collect();
    for class in classes {
        let taken = records[&class].take();
        let used = piped(records.to_string()).unwrap().snapshot.pool != plain.pool;
        records[&class] = if used { taken } else { json!({}) };
    }
    let mut changed = 0;
    for (class, objects) in records.as_object().unwrap() {
        let Some((reference, record)) = objects.as_object().unwrap().iter().next() else { continue };
        for (field, value) in record.as_object().unwrap() {
            // A map without the keys that are looked for is no mistake.
            let map = if value.is_object() { json!("") } else { json!({"a": {}}) };
            for odd in [Value::Null, map] {
                let mut records = records.clone();
                records[class][reference][field] = odd;
                let snapshot = piped(records.to_string()).unwrap().snapshot;
                if snapshot.pool != plain.pool {
                    changed += 1;
                    let text = snapshot.to_json();
                    assert!(text.contains("unreadable"), "{class}.{field}");
                    assert!(text.contains(&format!("{class} {reference}")), "{class}.{field}");
                    assert!(text.contains(field.as_str()), "{class}.{field}");
                }
            }
        }
    }
    assert!(changed > 400, "{changed}");
}

#[test]
fn deep_nesting_is_refused_without_a_crash() {
    let lists = "[".repeat(100_000);
    let objects = "{\"a\":".repeat(100_000);
    let values = "<value><array><data>".repeat(100_000);
    let structs = "<value><struct><member><name>a</name>".repeat(100_000);
    let closed = values.clone() + &"</data></array></value>".repeat(100_000);
    for text in [
        lists.clone(),
        objects.clone(),
        format!("{{\"host\":{lists}"),
        format!("{{\"host\":{{\"OpaqueRef:1\":{objects}"),
        format!("{{\"PUSB\":{lists}"),
        format!("{{\"result\":{objects}"),
        format!("{{\"format\":\"poolgate-snapshot\",\"version\":\"1.0\",\"pool\":{{\"hosts\":{lists}"),
        format!("{{\"format\":\"poolgate-snapshot\",\"version\":\"1.0\",\"other\":{lists}"),
        format!("<methodResponse><params><param>{values}"),
        format!("<methodResponse><params><param>{structs}"),
        format!("<methodResponse><params><param>{closed}</param></params></methodResponse>"),
    ] {
        assert!(piped(&text).is_err());
    }
    let text = format!("<methodResponse><params><param>{closed}</param></params></methodResponse>");
    insta::assert_snapshot!(refused(text), @"-:1:1332: values nest more than 64 deep");
    insta::assert_snapshot!(refused(format!("{{\"host\":{lists}")), @r#"-: looks like JSON of another kind, with the key "host"; expected a poolgate snapshot, XenAPI records, a server's database or status report, or a CPU dump (docs/offline.md lists the formats)"#);
    let entities = "<!DOCTYPE a [<!ENTITY b \"bb\"><!ENTITY c \"&b;&b;\">]><methodResponse>&c;</methodResponse>";
    insta::assert_snapshot!(refused(entities), @"-:1:1: XML with DTD detected; expected an answer of XenAPI");
}

/// A small document of every form.
fn documents() -> [String; 4] {
    let records = r#"{"host":{"OpaqueRef:1":{"name_label":"alpha","enabled":true,"cpu_info":{"features_hvm":"1-2"}}},
        "pool":{"OpaqueRef:2":{"master":"OpaqueRef:1"}},"off_wire":{"backend":"bridge","editions":[["free",0]]}}"#;
    let xml = "<?xml version=\"1.0\"?><methodResponse><params><param><value><struct><member><name>Status</name>\
        <value>Success</value></member><member><name>Value</name><value><struct><member><name>OpaqueRef:1</name>\
        <value><struct><member><name>API_version_major</name><value>2</value></member><member>\
        <name>software_version</name><value><struct></struct></value></member></struct></value></member></struct>\
        </value></member></struct></value></param></params></methodResponse>";
    let answer = r#"{"jsonrpc":"2.0","id":1,"result":{"OpaqueRef:1":{"API_version_major":2,"software_version":{}}}}"#;
    let snapshot = piped(records).unwrap().snapshot.to_json();
    [records.to_owned(), xml.to_owned(), answer.to_owned(), snapshot]
}

#[test]
fn the_small_documents_are_sound() {
    documents().iter().for_each(|text| assert_eq!(piped(text).unwrap().snapshot.pool.hosts.each().len(), 1));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = piped(bytes).map_err(|error| error.to_string());
    }

    #[test]
    fn a_document_with_spoilt_bytes_is_read_or_refused(
        which in 0..4usize,
        spoilt in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = documents()[which].clone().into_bytes();
        for (place, byte) in spoilt {
            *place.get_mut(&mut bytes) = byte;
        }
        match piped(bytes) {
            Ok(collected) => prop_assert!(collected.snapshot.to_json().contains("poolgate-snapshot")),
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
    }
}

#[test]
fn garbage_of_any_size_is_refused_unread() {
    let (_folder, path) = temporary("big", b"");
    File::options().write(true).open(&path).unwrap().set_len(200 << 20).unwrap();
    let start = Instant::now();
    let message = read(&path).unwrap_err().to_string().replace(&path.display().to_string(), "big");
    assert!(start.elapsed().as_millis() < 1000);
    insta::assert_snapshot!(message, @"big: looks like binary data; expected a poolgate snapshot, XenAPI records, a server's database or status report, or a CPU dump (docs/offline.md lists the formats)");

    let mut file = File::options().write(true).open(&path).unwrap();
    file.write_all(b"{\"host\":{").unwrap();
    file.set_len(300 << 20).unwrap();
    let message = read(&path).unwrap_err().to_string().replace(&path.display().to_string(), "big");
    insta::assert_snapshot!(message, @"big: larger than 256 MiB, the most that is read of one target");
}

#[test]
fn a_stream_without_end_is_given_up() {
    for endless in [b' ', b'a', b'{', b'[', b'<', 0] {
        assert!(read_target(&Target::Stdin, &mut io::repeat(endless)).is_err());
    }
    let mut stream = (&b"{\"host\":{\""[..]).chain(io::repeat(b'a'));
    let error = read_target(&Target::Stdin, &mut stream).unwrap_err();
    assert!(matches!(error, CollectError::TooLarge { .. }), "{error}");
}

#[test]
fn what_is_no_file() {
    let (folder, path) = temporary("candidate.json", b"{}");
    let show = |error: CollectError| error.to_string().replace(&folder.path().display().to_string(), "dir");
    insta::assert_snapshot!(show(read(&folder.path().join("candidat.json")).unwrap_err()), @"dir/candidat.json: no such file or folder; did you mean dir/candidate.json?");
    insta::assert_snapshot!(show(read(&folder.path().join("else")).unwrap_err()), @"dir/else: no such file or folder");
    insta::assert_snapshot!(show(read(&path.join("below")).unwrap_err()), @"dir/candidate.json/below: no such file or folder");
    insta::assert_snapshot!(show(read(folder.path()).unwrap_err()), @"dir: a folder without XenAPI records; expected files named <class>.get_all_records.json (or .xml)");
    fs::create_dir(folder.path().join("jsonrpc1")).unwrap();
    fs::write(folder.path().join("jsonrpc1/host.get_all_records.json"), "{}").unwrap();
    insta::assert_snapshot!(show(read(folder.path()).unwrap_err()), @"dir: a folder without XenAPI records; expected files named <class>.get_all_records.json (or .xml); did you mean one inside: dir/jsonrpc1?");
    fs::write(folder.path().join("host.get_all_records.json"), "{}").unwrap();
    fs::write(folder.path().join("host.get_all_records.xml"), "{}").unwrap();
    insta::assert_snapshot!(show(read(folder.path()).unwrap_err()), @"dir: both host.get_all_records.json and host.get_all_records.xml hold the class host; keep one of them");

    let pipe = folder.path().join("pipe");
    if std::process::Command::new("mkfifo").arg(&pipe).status().is_ok_and(|status| status.success()) {
        insta::assert_snapshot!(show(read(&pipe).unwrap_err()), @"dir/pipe: is a named pipe, not a file; use `-` to read standard input");
    }
    insta::assert_snapshot!(show(read(Path::new("/dev/zero")).unwrap_err()), @"/dev/zero: is a device, not a file; use `-` to read standard input");
}

#[test]
fn a_broken_file_in_a_folder_is_named_with_the_place() {
    let (folder, path) = temporary("host.get_all_records.json", b"{\"result\":{\n\"OpaqueRef:1\":{\"uuid\":");
    let show = |error: CollectError| error.to_string().replace(&folder.path().display().to_string(), "dir");
    insta::assert_snapshot!(show(read(folder.path()).unwrap_err()), @"dir/host.get_all_records.json:2:22: EOF while parsing a value; the file breaks off, save it again");
    fs::write(&path, b"\x1f\x8b\x08\x00").unwrap();
    insta::assert_snapshot!(show(read(folder.path()).unwrap_err()), @"dir/host.get_all_records.json: looks like a gzip archive; expected a poolgate snapshot, XenAPI records, a server's database or status report, or a CPU dump (docs/offline.md lists the formats); name it alone, not its folder");
    fs::write(&path, b"{\"host\":{},\"pool\":{}}").unwrap();
    insta::assert_snapshot!(show(read(folder.path()).unwrap_err()), @"dir/host.get_all_records.json: looks like records of several classes; expected a poolgate snapshot, XenAPI records, a server's database or status report, or a CPU dump (docs/offline.md lists the formats); name it alone, not its folder");
    fs::write(&path, b"{\"result\":null,\"error\":null,\"id\":1}").unwrap();
    insta::assert_snapshot!(show(read(folder.path()).unwrap_err()), @r#"dir/host.get_all_records.json:1:1: "result" is null, expected an object {reference: record}"#);
    fs::write(&path, b"{\"result\":null,\"error\":[\"SESSION_INVALID\",\"OpaqueRef:MARK\"],\"id\":1}").unwrap();
    insta::assert_snapshot!(show(read(&path).unwrap_err()), @"dir/host.get_all_records.json: holds no records: the server answered SESSION_INVALID; ask it again, as a user who may read them");
}

#[test]
fn other_encodings_of_text() {
    let records = "{\"host\":{\"OpaqueRef:1\":{\"name_label\":\"é\"}}}";
    let utf16: Vec<u8> = records.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert!(piped(format!("\u{feff}{records}")).is_ok());
    assert!(piped(format!("\u{feff}\r\n {records}\r\n")).is_ok());
    let snapshot = piped(records).unwrap().snapshot.to_json();
    assert!(piped(format!("\u{feff}{snapshot}")).is_ok());
    insta::assert_snapshot!(refused(&utf16), @"-: looks like text in UTF-16; expected a poolgate snapshot, XenAPI records, a server's database or status report, or a CPU dump (docs/offline.md lists the formats); save it as UTF-8");
    assert_eq!(refused(&utf16), refused([b"\xff\xfe", utf16.as_slice()].concat()));
    insta::assert_snapshot!(refused(b"{\"host\":{\"OpaqueRef:1\":{\"name_label\":\"\xe9\"}}}"), @"-:1:39: invalid unicode code point");
    insta::assert_snapshot!(refused(b"<?xml version=\"1.0\"?>\n<methodResponse>\xe9</methodResponse>"), @"-:2:17: not UTF-8; save it as UTF-8");
}

#[test]
fn a_foreign_file_is_told_by_its_look() {
    insta::assert_snapshot!(refused(""), @"-: looks like an empty file; expected a poolgate snapshot, XenAPI records, a server's database or status report, or a CPU dump (docs/offline.md lists the formats); `poolgate collect TARGET -o FILE` writes a snapshot");
    insta::assert_snapshot!(refused("processor\t: 0\n"), @"-: /proc/cpuinfo, but it names no vendor_id: not of an x86 kernel");
    insta::assert_snapshot!(refused("{\"name\": \"x\", \"version\": \"1.0\", \"dependencies\": {}}"), @r#"-: looks like JSON of another kind, with the keys "name", "version", "dependencies"; expected a poolgate snapshot, XenAPI records, a server's database or status report, or a CPU dump (docs/offline.md lists the formats)"#);
    insta::assert_snapshot!(refused("{\"verdict\": \"GO\", \"joiners\": []}"), @"-: looks like a poolgate report; expected a poolgate snapshot, XenAPI records, a server's database or status report, or a CPU dump (docs/offline.md lists the formats); name the snapshots that it was made from");
    insta::assert_snapshot!(refused("{\"a\": 1}\n{\"a\": 2}\n"), @"-: looks like several JSON documents, one to a line; expected a poolgate snapshot, XenAPI records, a server's database or status report, or a CPU dump (docs/offline.md lists the formats); name a file that holds one");
    insta::assert_snapshot!(refused("{nope"), @"-: looks like broken JSON (key must be a string at line 1 column 2); expected a poolgate snapshot, XenAPI records, a server's database or status report, or a CPU dump (docs/offline.md lists the formats)");
    insta::assert_snapshot!(refused("{\"format\": \"poolgate-snapshot\", \"version\": \"9.0\", \"pool\": {}}"), @"-: snapshot format 9.0 is newer than 1.1, the newest that this poolgate reads; use a newer poolgate, or collect the snapshot again with this one");
    insta::assert_snapshot!(refused("{\"format\": \"poolgate-snapshot\", \"version\": \"1.0\", \"pool\": {\"ha_enabled\": 3}}"), @"-: line 1, column 74: pool.ha_enabled: invalid type: integer `3`, expected a boolean");
    insta::assert_snapshot!(refused("{\"host\": {\"OpaqueRef:1\": {\"uuid\": }}}"), @"-:1:35: expected value");
}

#[test]
fn targets_of_later_versions_are_refused_by_name() {
    for word in ["https://root@xen-1", "xapi-local"] {
        let error = read_target(&word.parse().unwrap(), &mut io::empty()).unwrap_err();
        assert!(matches!(error, CollectError::Unsupported { .. }) && error.to_string().starts_with(word), "{error}");
    }
}
