//! Whatever a target or a rule holds: a message with place and remedy, exit status 2, no panic, bounded memory.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

#[expect(unreachable_pub, reason = "shared by several test binaries")]
mod common;

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use common::run::{Poolgate, check, fixture, fixture_path, poolgate};
use tempfile::TempDir;

/// A folder of bad files; its name is taken out of what was said.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn put(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.0.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path.display().to_string()
    }

    fn path(&self) -> String {
        self.0.path().display().to_string()
    }

    /// What poolgate complained of, with the folder's own name made stable.
    fn complaint(&self, run: Poolgate) -> String {
        run.status(2).complaint().replace(&self.path(), "[folder]")
    }
}

fn good() -> String {
    fs::read_to_string(fixture_path("candidate-good")).unwrap()
}

#[test]
fn files_that_are_no_target() {
    let folder = Folder::new();
    let good = good();
    let files: [(&str, Vec<u8>); 18] = [
        ("empty.json", vec![]),
        ("blanks.json", b" \n\n ".to_vec()),
        ("truncated.json", good.as_bytes()[..good.len() / 2].to_vec()),
        ("cut-in-a-word.json", good.as_bytes()[..40].to_vec()),
        ("wrong-type.json", good.replace("\"ha_enabled\": false", "\"ha_enabled\": \"off\"").into()),
        ("wrong-list.json", br#"{"format": "poolgate-snapshot", "version": "1.0", "pool": {"hosts": {}}}"#.to_vec()),
        ("no-pool.json", br#"{"format": "poolgate-snapshot", "version": "1.0"}"#.to_vec()),
        ("newer.json", good.replacen("\"version\": \"1.", "\"version\": \"7.", 1).into()),
        ("no-version.json", good.replacen("\"version\": \"1.", "\"version\": \"new.", 1).into()),
        ("bad-words.json", good.replace("\"features_hvm\": \"1fcbfbff", "\"features_hvm\": \"1fcbfbfg").into()),
        ("bad-reason.json", good.replace("absent-on-release", "just-because").into()),
        ("twice.json", format!("{good}{good}").into()),
        ("other.json", br#"{"name": "left-pad", "dependencies": {}}"#.to_vec()),
        ("list.json", b"[1, 2, 3]".to_vec()),
        ("text.txt", b"servers to buy: two\n".to_vec()),
        ("page.html", b"<!DOCTYPE html><html><body>login</body></html>".to_vec()),
        ("binary.json", (0..=255).cycle().take(4096).collect()),
        ("utf-16.json", good.encode_utf16().flat_map(u16::to_le_bytes).collect()),
    ];
    let mut told = String::new();
    for (name, content) in files {
        assert_ne!(content, good.as_bytes(), "{name}");
        let path = folder.put(name, content);
        let joiner = poolgate(["check", "--pool", &fixture("xcp-ng-8.3-5-hosts"), "--host", &path]);
        let complaint = folder.complaint(joiner);
        assert!(complaint.contains(name), "{complaint}");
        told.push_str(&format!("# {name}\n{complaint}\n"));
        // The same as a pool, and for the other command that reads targets.
        folder.complaint(poolgate(["check", "--pool", &path, "--host", &fixture("candidate-good")]));
        folder.complaint(poolgate(["collect", &path]));
    }
    insta::assert_snapshot!("files that are no target", told);
}

#[test]
fn paths_that_are_no_target() {
    let folder = Folder::new();
    let near = folder.put("candidate.json", good());
    let mut told = String::new();
    let mut tell = |word: &str| {
        let complaint = folder.complaint(poolgate(["collect", word]));
        assert!(!complaint.contains("hunter2"), "{complaint}");
        told.push_str(&format!("# {}\n{complaint}\n", word.replace(&folder.path(), "[folder]")));
    };
    tell(&near.replace("candidate", "candidat"));
    tell(&format!("{near}/inside"));
    tell(&format!("{}/no/such/folder.json", folder.path()));
    fs::create_dir(folder.0.path().join("empty")).unwrap();
    tell(&format!("{}/empty", folder.path()));
    folder.put("notes/readme.txt", "nothing");
    folder.put("notes/cpuinfo", "processor : 0");
    tell(&format!("{}/notes", folder.path()));
    tell("/dev/null");
    tell("");
    tell("ssh://xen-1");
    tell("https://root:hunter2@xen-1");
    tell("https://xen-1");
    tell("https://xen-1:0");
    tell("https://[fe80::1%25eth0]");
    tell("cpu:");
    tell("cpu:\"Intel Xeon Gold 63\"");
    insta::assert_snapshot!("paths that are no target", told);
}

#[test]
fn standard_input_that_is_no_target() {
    let folder = Folder::new();
    let told = |text: &str| folder.complaint(poolgate(["collect", "-"]).stdin(text));
    insta::assert_snapshot!(told(""), @"poolgate: -: looks like an empty file; expected a poolgate snapshot, XenAPI records, a server's database or status report, or a CPU dump (docs/offline.md lists the formats); `poolgate collect TARGET -o FILE` writes a snapshot");
    insta::assert_snapshot!(told("{"), @"poolgate: -: looks like broken JSON (EOF while parsing an object at line 1 column 1); expected a poolgate snapshot, XenAPI records, a server's database or status report, or a CPU dump (docs/offline.md lists the formats)");
    insta::assert_snapshot!(told("hello"), @"poolgate: -: looks like plain text; expected a poolgate snapshot, XenAPI records, a server's database or status report, or a CPU dump (docs/offline.md lists the formats)");
}

/// Runs `collect` of a file with at most this much memory, and demands the bad end quickly.
fn collect_bounded(path: &Path, kilobytes: u64) -> String {
    let started = Instant::now();
    let output = Command::new("sh")
        .args(["-c", &format!("ulimit -v {kilobytes}; exec \"$0\" collect \"$1\"")])
        .arg(env!("CARGO_BIN_EXE_poolgate"))
        .arg(path)
        .output()
        .unwrap();
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{}: {complaint}", path.display());
    assert!(output.stdout.is_empty());
    assert!(started.elapsed() < Duration::from_secs(30), "{} took {:?}", path.display(), started.elapsed());
    complaint.replace(&path.display().to_string(), "[file]")
}

const MIB: u64 = 1 << 10;

#[test]
fn two_hundred_megabytes_of_garbage() {
    let folder = Folder::new();
    let write = |name: &str, head: &[u8], piece: &[u8]| {
        let path = folder.0.path().join(name);
        let mut file = std::io::BufWriter::new(File::create(&path).unwrap());
        file.write_all(head).unwrap();
        for _ in 0..(200 << 20) / piece.len() {
            file.write_all(piece).unwrap();
        }
        file.flush().unwrap();
        path
    };
    // What nobody can take for a target is not even loaded.
    let garbage: Vec<u8> = (0..1 << 20).map(|i: u32| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let path = write("garbage.json", b"", &garbage);
    insta::assert_snapshot!(collect_bounded(&path, 64 * MIB), @"poolgate: [file]: looks like binary data; expected a poolgate snapshot, XenAPI records, a server's database or status report, or a CPU dump (docs/offline.md lists the formats)");
    fs::remove_file(path).unwrap();
    let path = write("zeros.json", b"", &vec![0; 1 << 20]);
    insta::assert_snapshot!(collect_bounded(&path, 64 * MIB), @"poolgate: [file]: looks like binary data; expected a poolgate snapshot, XenAPI records, a server's database or status report, or a CPU dump (docs/offline.md lists the formats)");
    fs::remove_file(path).unwrap();
    // What begins well is loaded once.
    let head = br#"{"format": "poolgate-snapshot", "version": "1.0", "pool": {"name_label": ""#;
    let path = write("begins-well.json", head, &vec![b'x'; 1 << 20]);
    insta::assert_snapshot!(collect_bounded(&path, 768 * MIB), @"poolgate: [file]: line 1, column 209715274: pool.name_label: EOF while parsing a string; the file breaks off, save it again");
    fs::remove_file(path).unwrap();
    let head = br#"{"format": "poolgate-snapshot", "version": "1.0", "pool": {"hosts": [{}"#;
    let path = write("many.json", head, ",{}".repeat(1 << 18).as_bytes());
    insta::assert_snapshot!(collect_bounded(&path, 768 * MIB), @"poolgate: [file]: 69730308 objects and lists are more than any pool has (at most 500000); collect the snapshot again");
}

#[test]
fn more_than_is_ever_read() {
    let folder = Folder::new();
    let path = folder.0.path().join("sparse.json");
    File::create(&path).unwrap().set_len(10 << 30).unwrap();
    insta::assert_snapshot!(collect_bounded(&path, 64 * MIB), @"poolgate: [file]: larger than 256 MiB, the most that is read of one target");
}

#[test]
fn deep_nesting() {
    let folder = Folder::new();
    let deep = 100_000;
    let shapes = [
        ("lists", "[".repeat(deep)),
        ("closed lists", "[".repeat(deep) + &"]".repeat(deep)),
        ("objects", r#"{"a":"#.repeat(deep)),
        (
            "in a snapshot",
            format!(r#"{{"format":"poolgate-snapshot","version":"1.0","pool":{}"#, r#"{"x":"#.repeat(deep)),
        ),
        (
            "in a field",
            format!(r#"{{"format":"poolgate-snapshot","version":"1.0","pool":{{"hosts":{}"#, "[".repeat(deep)),
        ),
        ("in records", format!(r#"{{"host":{{"OpaqueRef:1":{{"other_config":{}"#, r#"{"x":"#.repeat(deep))),
        ("in an answer", format!("<methodResponse>{}", "<value><array>".repeat(deep))),
    ];
    let mut told = String::new();
    for (name, text) in shapes {
        let path = folder.put("deep", text);
        told.push_str(&format!("# {name}\n{}\n", collect_bounded(Path::new(&path), 256 * MIB)));
    }
    insta::assert_snapshot!("deep nesting", told);
}

#[test]
fn keys_that_nobody_knows_are_said_and_do_not_stop() {
    let folder = Folder::new();
    let path = folder.put("odd.json", good().replace("\"ha_enabled\"", "\"ha_enabledd\""));
    let done = check("xcp-ng-8.3-5-hosts", &[]).with(["--host", &path]).status(3);
    assert!(done.stdout.starts_with("UNDECIDED\n"), "{done}");
    insta::assert_snapshot!(done.stderr.replace(&folder.path(), "[folder]"), @"poolgate: [folder]/odd.json: keys that this version does not know are left out: pool.ha_enabledd");
}

/// A rule without mistakes.
const RULE: &str = r#"id = "ours"
title = "Our rule"
why = "To show mistakes."
severity = "warning"
require = "size(joiner.vms) < 10 && host.name_label != 'alpha'"
message = "{size(joiner.vms)} VMs on {host.name_label}"

[[fix]]
where = "joiner"
run = "xe vm-list"

[[example]]
name = "few"
expect = "pass"

[[example]]
name = "many"
expect = "fail"
set = { "joiner.hosts[0].name_label" = "alpha" }

[[example]]
name = "unknown"
expect = "unknown"
forget = ["joiner.vms"]
"#;

/// (what is wrong, what stands in the rule, what is written instead)
const MISTAKES: [(&str, &str, &str); 32] = [
    ("no TOML", "title = ", "title "),
    ("a string that does not end", "\"Our rule\"", "\"Our rule"),
    ("a key that is not known", "title = ", "titel = "),
    ("a key too many", "severity = ", "weight = 3\nseverity = "),
    ("a key that is missing", "message = ", "# message = "),
    ("a wrong type", "\"Our rule\"", "7"),
    ("an id that is not the file's name", "\"ours\"", "\"theirs\""),
    ("a severity that is not known", "\"warning\"", "\"fatal\""),
    ("a phase that is not known", "severity = ", "phases = [\"joins\"]\nseverity = "),
    ("a fact that is misspelt", "joiner.vms) <", "joiner.vmss) <"),
    ("a variable that is misspelt", "joiner.vms) <", "joinr.vms) <"),
    ("a field of a list", "size(joiner.vms) <", "joiner.vms.power_state <"),
    ("a wrong type of a comparison", "< 10", "< '10'"),
    ("a condition that is no bool", "size(joiner.vms) < 10 &&", "size(joiner.vms) +"),
    ("a function that is not known", "size(joiner.vms) <", "length(joiner.vms) <"),
    ("too many arguments", "size(joiner.vms) <", "size(joiner.vms, 2) <"),
    ("a method that is not known", "size(joiner.vms) < 10", "host.name_label.beginsWith('a')"),
    ("an operator that does not exist", "< 10", "=< 10"),
    ("half an expression", "< 10", "<"),
    ("a parenthesis that does not close", "size(joiner.vms) <", "size(joiner.vms <"),
    ("a text that does not close", "< 10", "< 'ten"),
    ("a number that is too large", "< 10", "< 99999999999999999999"),
    ("a regular expression that is none", "size(joiner.vms) < 10", "host.name_label.matches('[')"),
    ("nothing", "size(joiner.vms) < 10 && host.name_label != 'alpha'", ""),
    ("a mistake in a message", "{host.name_label}", "{host.name_lable}"),
    ("a hole in a message that does not close", "{host.name_label}", "{host.name_label"),
    ("an item without a list", "message = ", "item = \"x\"\nmessage = "),
    ("a list that is none", "[[fix]]", "[each]\nname = \"vm\"\nin = \"joiner.ha_enabled\"\n\n[[fix]]"),
    ("an element that has a fact's name", "[[fix]]", "[each]\nname = \"pool\"\nin = \"joiner.vms\"\n\n[[fix]]"),
    ("a place that is not known", "where = \"joiner\"", "where = \"jointer\""),
    ("a fix that says nothing", "run = \"xe vm-list\"", "loses = \"all\""),
    (
        "a server's check that does not exist",
        "[[fix]]",
        "[server]\ncheck = \"assert_no_runing_vms_on_me\"\nrefusal = [{ code = \"X\" }]\n\n[[fix]]",
    ),
];

#[test]
fn every_kind_of_mistake_in_a_rule() {
    let mut told = String::new();
    for (what, right, wrong) in MISTAKES {
        assert!(RULE.contains(right), "{what}");
        let folder = Folder::new();
        folder.put("ours.toml", RULE.replacen(right, wrong, 1));
        let run = check("xcp-ng-8.3-5-hosts", &["candidate-good"]).with(["--rules", &folder.path()]);
        let complaint = folder.complaint(run);
        assert!(complaint.contains("ours.toml"), "{what}: {complaint}");
        told.push_str(&format!("# {what}\n{complaint}\n"));
    }
    insta::assert_snapshot!("mistakes in rules", told);
}

/// Examples are read where they run: a mistake in one is an example that shows something else.
#[test]
fn every_kind_of_mistake_in_an_example() {
    let mistakes = [
        ("an answer that does not exist", "expect = \"pass\"", "expect = \"passes\""),
        ("an answer that is another", "expect = \"pass\"", "expect = \"fail\""),
        ("a forgotten fact that does not exist", "[\"joiner.vms\"]", "[\"joiner.wms\"]"),
        ("a forgotten side that does not exist", "[\"joiner.vms\"]", "[\"joinr.vms\"]"),
        ("a fact that does not exist", "\"joiner.hosts[0].name_label\"", "\"joiner.hosts[0].nick_name\""),
        ("a place in a list that does not exist", "hosts[0]", "hosts[9]"),
        ("a wrong type", "= \"alpha\"", "= 7"),
        ("no example for an answer", "forget = [\"joiner.vms\"]", "forget = []"),
    ];
    let mut told = String::new();
    for (what, right, wrong) in mistakes {
        assert!(RULE.contains(right), "{what}");
        let folder = Folder::new();
        folder.put("ours.toml", RULE.replacen(right, wrong, 1));
        // What no rule can answer is a mistake of the file; the rest is an example that shows something else.
        let status = if wrong.contains("passes") { 2 } else { 1 };
        let done = poolgate(["rules", "test", &folder.path()]).status(status);
        let text = format!("{}{}", done.stdout, done.stderr).replace(&folder.path(), "[folder]");
        assert!(text.contains("ours.toml"), "{what}: {text}");
        told.push_str(&format!("# {what}\n{text}\n"));
    }
    insta::assert_snapshot!("mistakes in examples", told);
}

#[test]
fn a_rule_without_mistakes_is_none() {
    let folder = Folder::new();
    folder.put("ours.toml", RULE);
    check("xcp-ng-8.3-5-hosts", &["candidate-good"]).with(["--rules", &folder.path()]).status(0);
    assert_eq!(poolgate(["rules", "test", &folder.path()]).status(0).quietly(), "1 rule, 3 examples, 0 failures\n");
}

#[test]
fn all_mistakes_at_once() {
    let folder = Folder::new();
    let rule = RULE.replace("\"warning\"", "\"fatal\"").replace("joiner.vms) <", "joiner.vmss) <");
    folder.put("ours.toml", rule);
    folder.put("join/others.toml", RULE.replace("\"ours\"", "\"other\""));
    let complaint = folder.complaint(poolgate(["rules", "list", "--rules", &folder.path()]));
    insta::assert_snapshot!("all mistakes at once", complaint);
}

#[test]
fn folders_of_rules_that_are_none() {
    let folder = Folder::new();
    let mut told = String::new();
    let mut tell = |path: &str| {
        let complaint = folder.complaint(poolgate(["rules", "list", "--rules", path]));
        told.push_str(&format!("# {}\n{complaint}\n", path.replace(&folder.path(), "[folder]")));
    };
    tell(&folder.path());
    tell(&format!("{}/nowhere", folder.path()));
    tell(&folder.put("file/ours.toml", RULE));
    folder.put("large/ours.toml", "#".repeat(2 << 20));
    tell(&format!("{}/large", folder.path()));
    folder.put("bytes/ours.toml", [0xff, 0xfe, 0x00]);
    tell(&format!("{}/bytes", folder.path()));
    folder.put("taken/host-limit-policy.toml", RULE.replace("\"ours\"", "\"host-limit-policy\""));
    tell(&format!("{}/taken", folder.path()));
    folder.put("name/Our Rule.toml", RULE.replace("\"ours\"", "\"Our Rule\""));
    tell(&format!("{}/name", folder.path()));
    insta::assert_snapshot!("folders of rules that are none", told);
}
