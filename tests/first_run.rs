//! The first words that somebody types: each mistake is answered with what to do next, in a line or two.

pub mod common;

use std::fs;

use common::fake::{Fake, PASSWORD, logging_in, small};
use common::run::{fixture, poolgate};

fn told(words: &[&str], status: i32) -> String {
    format!("$ poolgate {}\n{}\n", words.join(" "), poolgate(words).status(status).complaint())
}

#[test]
fn nothing_at_all() {
    let complaint = poolgate::<&str>([]).status(2).complaint();
    let last: Vec<_> = complaint.lines().rev().take(5).collect();
    insta::assert_snapshot!(last.into_iter().rev().collect::<Vec<_>>().join("\n"), @r"
    First steps:
      poolgate lab --demo
          A join, played on simulated servers
      poolgate check --pool https://10.0.0.1 --host https://10.0.0.9
          May that host join that pool?
    ");
}

#[test]
fn words_that_are_missing_or_in_the_wrong_place() {
    let good = fixture("candidate-good");
    let pool = fixture("xcp-ng-8.3-5-hosts");
    let lines: [&[&str]; 18] = [
        &["chekc"],
        &["https://10.0.0.1"],
        &["check", "--host", &good],
        &["check", "--pool", &pool],
        &["check", &pool, &good],
        &["check", "--pool", &pool, "--host", &good, &good],
        &["join", "https://10.0.0.1", "https://10.0.0.9"],
        &["check", "--phase", "eject", "--pool", &pool],
        &["join"],
        &["eject", "--pool", "https://10.0.0.1"],
        &["collect"],
        &["diff", &pool],
        &["plan"],
        &["lab"],
        &["schema"],
        &["completions"],
        &["man", "chekc"],
        &["check", "--phase", "eject", "--pool", &pool, "--member", "xcp-99"],
    ];
    insta::assert_snapshot!(lines.iter().map(|words| told(words, 2)).collect::<String>());
}

#[test]
fn targets_that_are_not_there_or_hold_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    fs::write(path("empty.json"), "").unwrap();
    fs::write(path("object.json"), "{}").unwrap();
    fs::create_dir(path("folder")).unwrap();
    let targets = [
        "nowhere.json".to_owned(),
        "10.0.0.1".to_owned(),
        "root@xen-01:443".to_owned(),
        "fixtures/xcp-ng-8.3-5-host.json".to_owned(),
        path("empty.json"),
        path("object.json"),
        path("folder"),
    ];
    let text: String = targets.iter().map(|target| told(&["collect", target], 2)).collect();
    insta::assert_snapshot!(text.replace(&folder.path().display().to_string(), "DIR"));
}

#[test]
fn a_pool_without_hosts_is_undecided_and_says_what_it_lacks() {
    let mut json = common::judge::fixture_json("xcp-ng-8.3-5-hosts");
    json["pool"]["hosts"] = serde_json::json!([]);
    let words = ["check", "--pool", "-", "--host", &fixture("candidate-good")];
    let report = poolgate(words).stdin(json.to_string()).status(3).quietly();
    assert!(report.starts_with("UNDECIDED\n"), "{report}");
    assert!(report.contains("the coordinator is not among the hosts"), "{report}");
}

#[test]
fn sides_that_are_named_the_wrong_way_round() {
    let (good, pool) = (fixture("candidate-good"), fixture("xcp-ng-8.3-5-hosts"));
    let says = "note: --host names a pool of 5 hosts, and --pool a single one: are they the wrong way round?";
    let one_line = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let swapped = poolgate(["check", "--pool", &good, "--host", &pool]).status(1).quietly();
    assert!(one_line(swapped).contains(says));
    for (one, other) in [(&pool, &good), (&pool, &pool), (&good, &good)] {
        let report = poolgate(["check", "--pool", one, "--host", other]).any_status(|_| true);
        assert!(!one_line(report.stdout).contains("wrong way round? --"), "{one} {other}");
    }
    // One machine twice is told as such.
    let twice = poolgate(["check", "--pool", &pool, "--host", &pool]).status(1).quietly();
    assert!(one_line(twice.clone()).contains("mend: Check both sides: they lead to the same pool."));
    assert!(one_line(twice).contains("both sides are one pool, whose coordinator xcp-01 answers"));
}

/// What editors, shells and copying do to a file of records.
#[test]
fn files_as_they_come_from_elsewhere() {
    let text = fs::read_to_string(fixture("candidate-good")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let check = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        let words = ["check", "--pool", &fixture("xcp-ng-8.3-5-hosts"), "--host", path.to_str().unwrap(), "--quiet"];
        poolgate(words).any_status(|_| true)
    };
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut packed, text.as_bytes()).unwrap();
    // Compressed whatever its name is, with Windows' line ends, with a mark at its beginning.
    let packed = packed.finish().unwrap();
    let marked = format!("\u{feff}{text}");
    let windows = text.replace('\n', "\r\n");
    for (name, bytes) in [
        ("host.json.gz", packed.as_slice()),
        ("packed.json", &packed),
        ("windows.json", windows.as_bytes()),
        ("marked.json", marked.as_bytes()),
    ] {
        let done = check(name, bytes);
        assert!(done.status == 0 && done.stdout.starts_with("GO\n"), "{name}: {done}");
    }
    let utf16: Vec<u8> = format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (name, bytes, says) in [
        ("utf16.json", utf16.as_slice(), "looks like text in UTF-16"),
        ("empty.json", b"", "looks like an empty file"),
        ("page.json", b"<!DOCTYPE html>\n<html><title>401 Unauthorized</title></html>", "looks like an HTML page"),
        ("cut.json", &text.as_bytes()[..20_000], "the file breaks off, save it again"),
    ] {
        let done = check(name, bytes);
        assert_eq!(done.status, 2, "{name}: {done}");
        let complaint = done.complaint();
        assert!(complaint.contains(says) && complaint.contains(name), "{name}: {complaint}");
    }
}

#[test]
fn a_server_that_nobody_trusts_yet() {
    let fake = Fake::start(logging_in(small));
    let url = fake.url();
    let check = || poolgate(["check", "--pool", &url, "--host", &fixture("candidate-good")]);
    let steady = |text: String| {
        text.replace(&fake.address.to_string(), "SERVER")
            .replace(&fake.fingerprint.to_string(), "COLONS")
            .replace(&fake.fingerprint.plain(), "PLAIN")
    };
    let home = tempfile::tempdir().unwrap();
    let home = home.path().to_str().unwrap();
    let no_password = check().env("HOME", home).status(2).complaint();
    insta::assert_snapshot!(steady(no_password), @"poolgate: no password for https://SERVER; without a terminal give --password-file FILE, --password-env VAR or --password-stdin");
    let no_pin = check().env("HOME", home).env("PW", PASSWORD).with(["--password-env", "PW"]).status(4).complaint();
    insta::assert_snapshot!(steady(no_pin), @"poolgate: SERVER: its certificate is not known yet: SHA-256 COLONS. Compare it on the host's console (openssl x509 -in /etc/xensource/xapi-ssl.pem -noout -fingerprint -sha256), then add --tls-fingerprint SERVER=PLAIN");
    assert_eq!(fake.methods(), Vec::<String>::new());
}

#[test]
fn what_is_read_is_never_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("pool.json").display().to_string();
    let before = fs::read(fixture("xcp-ng-8.3-5-hosts")).unwrap();
    fs::write(&own, &before).unwrap();
    let link = folder.path().join("link.json").display().to_string();
    std::os::unix::fs::symlink(&own, &link).unwrap();
    let good = fixture("candidate-good");
    let runs: [&[&str]; 6] = [
        &["check", "--pool", &own, "--host", &good, "-o", &own],
        &["check", "--pool", &own, "--host", &good, "-o", &link],
        &["check", "--fleet", &own, "-o", &own],
        &["plan", &own, "-o", &own],
        &["collect", &own, "-o", &own],
        &["cpu", "level", &own, "-o", &own],
    ];
    for words in runs {
        let complaint = poolgate(words).status(2).complaint();
        assert!(
            complaint.contains("this run also reads that file, and would write over it"),
            "{words:?}: {complaint}"
        );
        assert_eq!(fs::read(&own).unwrap(), before, "{words:?}");
    }
    // Nor what is read of a folder: a rule, a severity, an answer of the server.
    let inner = |name: &str| {
        let path = folder.path().join("mine").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "kept").unwrap();
        path.display().to_string()
    };
    let mine = folder.path().join("mine").display().to_string();
    for name in ["nic-count.toml", "severity.toml", "procurement/nic-count.toml"] {
        let rule = inner(name);
        let words = ["check", "--pool", &own, "--host", &good, "--rules", &mine, "--format", "json", "-o", &rule];
        let complaint = poolgate(words).status(2).complaint();
        assert!(complaint.contains("this run also reads that file"), "{name}: {complaint}");
        assert_eq!(fs::read(&rule).unwrap(), b"kept", "{name}");
    }
    for name in ["host.get_all_records.json", "off_wire.json"] {
        let answer = inner(name);
        let complaint = poolgate(["collect", &mine, "-o", &answer]).status(2).complaint();
        assert!(complaint.contains("this run also reads that file"), "{name}: {complaint}");
        assert_eq!(fs::read(&answer).unwrap(), b"kept", "{name}");
    }
    // What is no regular file may be named twice, and what exists may be replaced.
    let other = folder.path().join("other.json").display().to_string();
    fs::write(&other, "old").unwrap();
    poolgate(["collect", &own, "-o", &other]).status(0).quietly();
    assert_ne!(fs::read(&other).unwrap(), b"old");
}

#[test]
fn a_format_and_an_extension_that_deny_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (pool, good) = (fixture("xcp-ng-8.3-5-hosts"), fixture("candidate-good"));
    let check = |format: &str, file: &str| {
        poolgate(["check", "--pool", &pool, "--host", &good, "--format", format, "-o", &path(file)])
    };
    for (format, file) in [("json", "a.html"), ("html", "a.md"), ("table", "a.xml"), ("junit", "a.json")] {
        let complaint = check(format, file).status(2).complaint();
        assert!(complaint.contains("--format asks for another format than"), "{format} {file}: {complaint}");
        assert!(!folder.path().join(file).exists());
    }
    // JSON of any kind may be called so, and what has no extension of its own goes anywhere.
    for (format, file) in [("sarif", "a.json"), ("gitlab", "b.json"), ("github", "c.txt"), ("json", "d.report")] {
        check(format, file).status(0).quietly();
    }
}

#[test]
fn options_of_a_fleet_without_one() {
    let (pool, good) = (fixture("xcp-ng-8.3-5-hosts"), fixture("candidate-good"));
    for option in [["--shard", "1/2"], ["--threads", "2"], ["--worst", "5"]] {
        let complaint = poolgate(["check", "--pool", &pool, "--host", &good]).with(option).status(2).complaint();
        assert!(complaint.contains(option[0]), "{complaint}");
    }
}

#[test]
fn a_fleet_is_never_live() {
    let fleet = fixture("fleet-19-hosts").replace(".json", ".ndjson");
    for option in [
        ["--password-file", "pw"],
        ["--password-env", "PW"],
        ["--tls-fingerprint", "00"],
        ["--ca-file", "ca.pem"],
        ["--known-hosts", "hosts"],
        ["--jobs", "2"],
        ["--timeout", "9s"],
        ["--today", "2026-01-01"],
    ] {
        let complaint = poolgate(["check", "--fleet", &fleet]).with(option).status(2).complaint();
        assert!(complaint.contains(option[0]), "{complaint}");
    }
}

#[test]
fn what_is_no_fleet_is_said_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let fleet = fs::read(fixture("fleet-19-hosts").replace(".json", ".ndjson")).unwrap();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut packed, &fleet).unwrap();
    fs::write(path("fleet.ndjson.gz"), packed.finish().unwrap()).unwrap();
    fs::write(path("list.json"), "[\n{},\n{}\n]\n").unwrap();
    fs::write(path("notes.txt"), "a line\nanother\n").unwrap();
    fs::copy(fixture("candidate-good"), path("host.json")).unwrap();
    for (file, wanted) in [
        ("fleet.ndjson.gz", "it is packed: `zcat "),
        ("list.json", "a fleet is a file with a host or pool a line"),
        ("notes.txt", "a fleet is a file with a host or pool a line"),
        ("host.json", "name it with --pool or --host"),
    ] {
        let complaint = poolgate(["check", "--fleet", &path(file)]).status(2).complaint();
        assert!(complaint.contains(wanted) && complaint.lines().count() == 1, "{file}: {complaint}");
    }
    for words in [&["plan"] as &[_], &["cpu", "level"]] {
        let complaint = poolgate(words).with([&path("fleet.ndjson.gz")]).status(2).complaint();
        assert!(complaint.contains("a packed fleet") && complaint.contains("zcat"), "{words:?}: {complaint}");
    }
    // A server is no fleet, no part and no journal, and is not offered as one.
    for words in [&["check", "--fleet"] as &[_], &["merge"], &["journal", "verify"]] {
        let complaint = poolgate(words).with(["xen-01"]).status(2).complaint();
        assert!(complaint.contains("xen-01: no such file") && !complaint.contains("https://"), "{complaint}");
    }
    // And a fleet is no pool.
    fs::write(path("fleet.ndjson"), &fleet).unwrap();
    let complaint = poolgate(["collect", &path("fleet.ndjson")]).status(2).complaint();
    assert!(complaint.contains("`check --fleet`"), "{complaint}");
}

#[test]
fn a_refusal_as_it_is_copied_finds_its_rules() {
    for code in ["HOSTS_NOT_HOMOGENEOUS", "hosts_not_homogeneous", "HOSTS_NOT_HOMOGENEOUS: CPUs differ"] {
        let table = poolgate(["rules", "explain", code]).status(0).quietly();
        assert!(table.contains("cpu-vendor") && table.contains("software-homogeneous"), "{code}: {table}");
    }
    assert!(told(&["rules", "explain", "HOSTS_NOT_HOMOGENEUS"], 2).contains("did you mean HOSTS_NOT_HOMOGENEOUS?"));
    assert!(!told(&["rules", "explain", "nosuch"], 2).contains("did you mean"));
}

#[test]
fn words_that_would_do_harm_where_they_stand() {
    let good = ["check", "--pool", "fixtures/xcp-ng-8.3-5-hosts.json", "--host", "fixtures/candidate-good.json"];
    let told_of = |more: &[&str]| told(&[&good[..], more].concat(), 2);
    assert!(told_of(&["-o", "-"]).contains("a file of that name is ./-"));
    assert!(told_of(&["--timeout", "5000000000000000h"]).contains("30 days"));
    let known = ["--known-hosts", "/dev/null", "--password-env", "s3cr3t pw"];
    let live = ["check", "--pool", "https://127.0.0.1:1", "--host", "https://127.0.0.1:2"];
    let secret = poolgate([&live[..], &known].concat()).status(2).complaint();
    assert!(!secret.contains("s3cr3t") && secret.contains("never the password"), "{secret}");
    let fault = "die,endpoint=nobody,phase=starting";
    let lab = ["lab", "--pool", "fixtures/xcp-ng-8.3-5-hosts.json", "--fault", fault];
    assert!(told(&lab, 2).contains("no such host; the lab serves xcp-01,"));
}

/// What is found of a pool that is to join itself would take its own VMs, bonds and storage.
#[test]
fn a_pool_that_is_to_join_itself_is_told_nothing_to_run() {
    let pool = "fixtures/xcp-ng-8.3-5-hosts.json";
    let done = poolgate(["check", "--pool", pool, "--host", pool]).status(1).stdout;
    assert!(done.contains("joiner-not-in-this-pool"), "{done}");
    for harm in ["vm-uninstall", "bond-destroy", "sr-forget", "vm-shutdown"] {
        assert!(!done.contains(harm), "{harm}: {done}");
    }
}
