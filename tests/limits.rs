//! Every limit on what is read, crossed: each is refused in time and in bounded memory, with a message that says the
//! limit. `docs/limits.md` is the table of them. Time and hostile servers: `live_hostile.rs`, `live_faults.rs`.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

pub mod common;

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use common::rehearsal::Rehearsal;
use common::run::{fixture, poolgate};
use poolgate::collect::{Blocks, Found, read_block};
use tempfile::TempDir;

/// The most memory that any of these may take, KiB of address space.
const MEMORY: u64 = 2 << 20;

/// Runs with so much memory and no more.
fn limited<W: AsRef<str>>(words: &[W]) -> Output {
    Command::new("sh")
        .args(["-c", &format!("ulimit -v {MEMORY}; exec \"$0\" \"$@\"")])
        .arg(env!("CARGO_BIN_EXE_poolgate"))
        .args(words.iter().map(AsRef::as_ref))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env_clear()
        .output()
        .unwrap()
}

/// The same; it must end with 2, soon. What it complained of, on one line.
fn refused<W: AsRef<str>>(words: &[W]) -> String {
    let begun = Instant::now();
    let output = limited(words);
    let said = String::from_utf8(output.stderr).unwrap();
    let words: Vec<_> = words.iter().map(AsRef::as_ref).collect();
    assert_eq!(output.status.code(), Some(2), "{words:?}: {said}");
    assert!(output.stdout.is_empty(), "{words:?}");
    assert!(begun.elapsed() < Duration::from_secs(60), "{words:?} took {:?}", begun.elapsed());
    said.split_whitespace().collect::<Vec<_>>().join(" ")
}

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn put(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// A file that is as long as this and holds little.
    fn sparse(&self, name: &str, begin: &[u8], length: u64) -> String {
        let path = self.path(name);
        let mut file = File::create(&path).unwrap();
        file.write_all(begin).unwrap();
        file.set_len(length).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

/// Text around one piece, so often.
fn many(begin: &str, piece: impl Fn(usize) -> String, times: usize, end: &str) -> Vec<u8> {
    let mut text = begin.to_owned();
    (0..times).for_each(|index| text.push_str(&piece(index)));
    (text + end).into_bytes()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

fn tar(entries: usize, name: &str, size: u64) -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    header.set_path(name).unwrap();
    header.set_size(size);
    header.set_cksum();
    header.as_bytes().repeat(entries)
}

/// An answer of XML-RPC with a host, one of whose fields nests; the answer itself takes three levels.
fn nested(lists: usize) -> Vec<u8> {
    let member = |name: &str, value: &str| format!("<member><name>{name}</name><value>{value}</value></member>");
    let field = "<array><data><value>".repeat(lists) + "x" + &"</value></data></array>".repeat(lists);
    let host = member("API_version_major", "2") + &member("software_version", &field);
    let records = member("OpaqueRef:1", &format!("<struct>{host}</struct>"));
    let answer = member("Status", "Success") + &member("Value", &format!("<struct>{records}</struct>"));
    let value = format!("<param><value><struct>{answer}</struct></value></param>");
    format!("<methodResponse><params>{value}</params></methodResponse>").into_bytes()
}

#[test]
fn what_a_target_may_hold() {
    let folder = Folder::new();
    let record = |text: &'static str| move |index: usize| format!("\"{index}\":{text},");
    let classes = |class: &str, text: &'static str, times| {
        many(&format!("{{\"{class}\":{{"), record(text), times, "\"x\":{}}}")
    };
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("values", many("{\"host\":{\"a\":[", |_| "[],".to_owned(), 5_000_000, "[]]}}"), "more than 5000000 values"),
        ("records", classes("VM", "{}", 200_000), "more than 200000 records"),
        ("hosts", classes("host", "{}", 4_096), "more than 4096 hosts"),
        ("no records", classes("PIF", "0", 1_001), "more than 1000 entries that are no records"),
        (
            "objects",
            many(
                "{\"format\":\"poolgate-snapshot\",\"version\":\"1.0\",\"pool\":{\"vms\":[",
                |_| "{},".to_owned(),
                500_000,
                "{}]}}",
            ),
            "(at most 500000)",
        ),
        (
            "nodes",
            many("<methodResponse>", |_| "<a/>".to_owned(), 8_000_000, "</methodResponse>"),
            "more than 8000000 values",
        ),
        ("rows", many("<database>", |_| "<a/>".to_owned(), 8_000_000, "</database>"), "more than 8000000 values"),
        ("elements", many("<cpudata>", |_| "<a/>".to_owned(), 1 << 20, "</cpudata>"), "more than 1048576 elements"),
        ("nesting of XML-RPC", nested(62), "values nest more than 64 deep"),
        ("files", gzip(&tar(200_001, "x", 0)), "more than 200000 files"),
        ("a database", tar(1, "xapi-db.xml", (256 << 20) + 1), "xapi-db.xml: larger than 256 MiB"),
        (
            "CPUs of registers",
            many(
                "",
                |cpu| {
                    format!(
                        "CPU {cpu}:\n   0x00000000 0x00: eax=0x0000000d ebx=0x756e6547 ecx=0x6c65746e edx=0x49656e69\n"
                    )
                },
                16_385,
                "",
            ),
            "more than 16384 CPUs",
        ),
        (
            "CPUs of cpuinfo",
            many("", |cpu| format!("processor\t: {cpu}\nvendor_id\t: GenuineIntel\n\n"), 65_537, ""),
            "more than 65536 CPUs",
        ),
        (
            "hosts of xe",
            many(
                "",
                |host| format!("uuid ( RO)                     : {host}\n                name-label ( RW): x\n\n\n"),
                4_097,
                "",
            ),
            "more than 4096 hosts",
        ),
    ];
    for (name, content, message) in cases {
        let path = folder.put("target", content);
        let said = refused(&["collect", &path]);
        assert!(said.contains(message), "{name}: {said}");
    }
    // As deep as may be.
    poolgate(["collect", &folder.put("target", nested(61))]).status(0);
}

#[test]
fn how_large_a_target_may_be() {
    let folder = Folder::new();
    let most = 256 << 20;
    let said = refused(&["collect", &folder.sparse("target", b"{\"host\":{", most + 1)]);
    assert!(said.contains("larger than 256 MiB, the most that is read of one target"), "{said}");
    // The files of a folder share it.
    fs::create_dir(folder.path("answers")).unwrap();
    folder.put("answers/VM.get_all_records.json", b"{\"OpaqueRef:1\":{}}");
    folder.sparse("answers/host.get_all_records.json", b"{", most);
    let said = refused(&["collect", folder.path("answers").to_str().unwrap()]);
    assert!(said.contains("larger than 256 MiB"), "{said}");
    // What is unpacked counts, not what is packed.
    let said =
        refused(&["collect", &folder.put("bomb.gz", gzip(&many("{\"host\":{\"", |_| " ".repeat(1 << 20), 257, "")))]);
    assert!(said.contains("larger than 256 MiB"), "{said}");
}

#[test]
fn a_line_of_a_fleet() {
    let folder = Folder::new();
    let line = many("{\"host\":{\"uuid\":\"", |_| "x".repeat(1 << 20), 65, "\"}}\n");
    let said = refused(&["plan", &folder.put("fleet.ndjson", line)]);
    assert!(said.contains("larger than 64 MiB"), "{said}");
}

/// A line of a fleet is read where its facts are asked for, and is refused all the same.
#[test]
fn records_in_a_line_of_a_fleet() {
    let line = |classes: &[&str], record: &'static str, times| {
        let records =
            many("", |index| format!("{}\"{index}\":{record}", if index > 0 { "," } else { "" }), times, "");
        let records = String::from_utf8(records).unwrap();
        let classes: String = classes.iter().map(|class| format!(",\"{class}\":{{{records}}}")).collect();
        let host = |name: &str| format!("{{\"group\":\"g\",\"host\":{{\"uuid\":\"{name}\"}}");
        format!("{}}}\n{}{classes}}}\n", host("first"), host("second"))
    };
    let read = |text: &str| {
        let mut joiner = None;
        let block = Blocks::new("fleet".to_owned(), text.as_bytes(), 1, false).take_next().unwrap().unwrap();
        read_block("fleet", &block, |found| match found {
            Found::Pool(pool) => {
                joiner = joiner.take().or_else(|| Some(Ok(pool.others.into_iter().next()?.collected)));
            }
            Found::Unreadable(line, error) => {
                assert_eq!(line, 2);
                joiner = Some(Err(error.to_string()));
            }
        });
        joiner.unwrap()
    };
    // Of all classes together.
    assert!(read(&line(&["VM"], "{}", 200_000)).is_ok());
    for (classes, times) in [(&["VM"][..], 200_001), (&["VM", "PIF", "SR"], 66_667)] {
        let Err(error) = read(&line(classes, "{}", times)) else { panic!("{classes:?} are read") };
        assert!(error.contains("fleet:2: holds more than 200000 records"), "{error}");
    }
    // Too many entries that are no records, and the class is not known.
    let pifs = |times| read(&line(&["PIF"], "0", times)).unwrap().snapshot.pool.pifs;
    assert_eq!(pifs(1_000).get().map(Vec::len), Some(1_000));
    let why = pifs(1_001).unknown().map(ToString::to_string);
    assert!(
        why.as_ref().is_some_and(|why| why.contains("class PIF has 1001 entries, 1001 of which are no")),
        "{why:?}"
    );

    // All that a line has room for, in bounded memory; nobody is let in for it.
    let classes = ["VM", "PIF", "SR", "PBD", "VLAN", "network", "Bond", "host_cpu"];
    let folder = Folder::new();
    for text in [line(&classes, "{}", 200_000), line(&classes, "0", 200_000)] {
        let fleet = folder.put("fleet.ndjson", text);
        let done = limited(&["check", "--fleet", &fleet, "--format", "json"]);
        let report: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
        assert_eq!((done.status.code(), &report["verdict"]), (Some(2), &"UNDECIDED".into()));
        let message = report["unreadable"][0]["message"].as_str().unwrap();
        assert!(message.contains("more than 200000 records"), "{message}");
    }
}

/// What is looked at no further than a limit, and what is then said instead.
#[test]
fn what_is_not_looked_at() {
    let folder = Folder::new();
    // Keys before the one that tells the format.
    let keys = |times| many("{", |index| format!("\"k{index}\":0,"), times, "\"host\":{\"OpaqueRef:1\":{}}}");
    poolgate(["collect", &folder.put("keys.json", keys(999))]).status(0);
    let said = refused(&["collect", &folder.put("keys.json", keys(1_000))]);
    assert!(
        said.contains("looks like JSON of another kind, with the keys \"k0\",") && said.contains("994 more"),
        "{said}"
    );

    // A first value that leaves no room for such a key.
    let long = |length| format!("{{\"x\":\"{}\",\"host\":{{\"OpaqueRef:1\":{{}}}}}}", "y".repeat(length));
    poolgate(["collect", &folder.put("long.json", long(60 << 10))]).status(0);
    let said = refused(&["collect", &folder.put("long.json", long(64 << 10))]);
    assert!(said.contains("looks like JSON of another kind, with the key \"x\";"), "{said}");

    let host = |name: &str, content: String| {
        let json = poolgate(["collect", &folder.put(name, content)]).status(0).json();
        json["pool"]["hosts"][0]["cpu"].clone()
    };
    let flags = |depth: usize| {
        let (down, up) = ("{\"field\":\"x:\",\"data\":\"y\",\"children\":[".repeat(depth), "]}".repeat(depth));
        let x86 = "{\"field\":\"Architecture:\",\"data\":\"x86_64\"}";
        let flags = "{\"field\":\"Flags:\",\"data\":\"fpu vme\"}";
        host("lscpu.json", format!("{{\"lscpu\":[{x86},{down}{flags}{up}]}}"))["flags"].clone()
    };
    assert_eq!(flags(16), "fpu vme");
    assert_eq!(flags(17)["detail"], "lscpu shows no \"Flags\"");

    let xen = |words: usize| {
        let raw = ["bfebfbff"; 65][..words].join(":");
        let pv = "PV Max                          bfebfbff:77faf3ff:2c100800:00000121";
        host("xen.txt", format!("Dynamic sets:\nRaw                             {raw}\n{pv}\n"))["raw"].clone()
    };
    assert_eq!(xen(64).as_str().unwrap().split('-').count(), 64);
    assert_eq!(xen(65)["detail"], "xen-cpuid printed no such set");
}

#[test]
fn quotes() {
    let folder = Folder::new();
    let server = |rest: &str| {
        format!("release = \"xcp-ng-8.3\"\n[[server]]\nmodel = \"EPYC 7543\"\nsockets = 1\nmemory_gib = 64\n{rest}\n")
    };
    let cases = [
        (server("quantity = 1001"), "quantity is 1001; expected 1 to 1000"),
        (server("nic = [{ count = 129, speed = 1000 }]"), "count is 129; expected 1 to 128"),
        (format!("#{}", "x".repeat(1 << 20)), "larger than 1 MiB, the most that is read of a quote"),
    ];
    for (text, message) in cases {
        let quote = folder.put("offer.toml", text);
        let said = refused(&["check", "--pool", &fixture("xcp-ng-8.3-5-hosts"), "--quote", &quote]);
        assert!(said.contains(message), "{said}");
    }
}

/// Files beside the targets; a device without end is read no further than the limit.
#[test]
fn files_of_commands() {
    let folder = Folder::new();
    let check = |more: [&str; 2]| {
        let mut words = vec!["check", "--pool", "fixtures/xcp-ng-8.3-5-hosts.json", "--host"];
        words.extend(["fixtures/candidate-good.json"].into_iter().chain(more));
        refused(&words)
    };
    let large = |what: &str, mib: u64| {
        format!("larger than {mib} MiB, the most that is read of a file of {what}; is it the right one?")
    };
    let said = check(["--waivers", "/dev/zero"]);
    assert!(said.contains(&large("waivers", 1)), "{said}");
    let said = refused(&["plan", "--weights", "/dev/zero", "fixtures/candidate-good.json"]);
    assert!(said.contains(&large("weights", 1)), "{said}");
    fs::create_dir(folder.path("rules")).unwrap();
    folder.put("rules/own.toml", "#".repeat((1 << 20) + 1));
    let rules = folder.path("rules");
    let said = check(["--rules", rules.to_str().unwrap()]);
    assert!(said.contains(&large("rules", 1)), "{said}");
    let said = refused(&["journal", "verify", "/dev/zero"]);
    assert!(said.contains(&large("journals", 256)), "{said}");
    let report = folder.sparse("report.json", b"{\"format\":\"poolgate-report\"", (256 << 20) + 1);
    let said = refused(&["diff", &report, &report]);
    assert!(said.contains(&large("reports", 256)), "{said}");
    let report = folder
        .put("report.json", many("{\"format\":\"poolgate-report\",\"x\":[", |_| "[],".to_owned(), 5_000_000, "0]}"));
    let said = refused(&["diff", &report, &report]);
    assert!(said.contains("more than 5000000 values, the most that is read of a report"), "{said}");
}

#[test]
fn files_of_live_targets() {
    let folder = Folder::new();
    let collect = |more: &[&str]| refused(&[&["collect", "https://127.0.0.1:1"], more].concat());
    let said = collect(&["--known-hosts", "/dev/zero"]);
    assert!(said.contains("larger than 1 MiB, the most that is read of known hosts"), "{said}");
    let said = collect(&["--known-hosts", "/dev/null", "--ca-file", "/dev/zero"]);
    assert!(said.contains("larger than 16 MiB, the most that is read of authorities"), "{said}");
    let password = folder.put("password", "x".repeat(4097));
    fs::set_permissions(&password, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let said = collect(&["--known-hosts", "/dev/null", "--password-file", &password]);
    assert!(said.contains("longer than 4096 bytes: that is no password"), "{said}");
}

#[test]
fn plans_and_journals() {
    let lab = Rehearsal::new("xenserver-8-1-host", &["candidate-xs8-twin"]);
    let complaint = lab.join().with(["--plan", "/dev/zero", "--yes"]).status(2).complaint();
    assert!(complaint.contains("larger than 64 MiB, the most that is read of a file of plans"), "{complaint}");
    let plan = lab.plan(lab.join());
    let folder = Folder::new();
    let journal = folder.sparse("journal.jsonl", b"", (256 << 20) + 1);
    let done = lab.join().with(["--plan", plan.to_str().unwrap(), "--yes", "--journal", &journal]).status(2);
    assert!(done.stderr.contains("larger than 256 MiB, the most that is read of a file of journals"), "{done}");
    assert_eq!(lab.count("pool.join"), 0);
}

/// Leaves beyond the limit count as not captured: what they would have said is unknown, not zero.
#[test]
fn leaves_of_a_dump() {
    let folder = Folder::new();
    let leaf = |number: usize| format!("CPUID {number:08X}: 00000001-00000002-00000003-00000004\n");
    let begin =
        "CPUID 00000000: 0000000D-756E6547-6C65746E-49656E69\nCPUID 00000001: 000606A6-00100800-7FFEFBFF-BFEBFBFF\n";
    let end =
        "CPUID 80000000: 80000008-00000000-00000000-00000000\nCPUID 80000001: 00000000-00000000-00000121-2C100800\n";
    let unknown = |leaves: usize| {
        let dump = folder.put("dump.txt", many(begin, |index| leaf(0x4000_0100 + index), leaves, end));
        let json = poolgate(["cpu", "decode", &dump, "--format", "json"]).status(0).json();
        json["hosts"][0]["unknown_words"].as_array().unwrap().iter().any(|word| *word == 2)
    };
    assert!(!unknown(100));
    assert!(unknown(4_100));
}

#[test]
fn a_folder_of_rules() {
    let folder = Folder::new();
    for index in 0..=10_000 {
        File::create(folder.path(&format!("{index}.toml"))).unwrap();
    }
    let said = refused(&["rules", "test", folder.0.path().to_str().unwrap()]);
    assert!(
        said.contains("more than 10000 files of rules, the most that are read; is it the right folder?"),
        "{said}"
    );
}

/// What an expression may be, and what its evaluation may cost.
#[test]
fn expressions() {
    let cases = [
        (format!("'{}' == ''", "x".repeat(16 << 10)), "longer than 16384 bytes"),
        (format!("{}true", "!".repeat(65)), "nests deeper than 64 levels"),
        (
            "joiner.vms.exists(a, joiner.vms.exists(b, joiner.vms.exists(c, joiner.vms.exists(d, true))))".to_owned(),
            "3",
        ),
    ];
    for (condition, message) in cases {
        let folder = Folder::new();
        folder.put(
            "own.toml",
            format!("id = \"own\"\ntitle = \"x\"\nwhy = \"x\"\nseverity = \"note\"\nrequire = \"{condition}\"\nmessage = \"x\"\n"),
        );
        let said = refused(&["rules", "test", folder.0.path().to_str().unwrap()]);
        assert!(said.contains(message), "{said}");
    }
}

/// Where each limit is crossed: the test's file, and the test.
const CROSSED: &[(&str, &str, &[&str])] = &[
    ("tests/limits.rs", "how_large_a_target_may_be", &["TARGET", "ROOM"]),
    ("tests/limits.rs", "what_is_not_looked_at", &["HEAD", "KEYS", "LSCPU_DEPTH", "XEN_WORDS"]),
    (
        "tests/limits.rs",
        "what_a_target_may_hold",
        &["ENTRIES", "VALUES", "XML_NODES", "XML_DEPTH", "RECORDS", "HOSTS", "ODD"],
    ),
    ("tests/limits.rs", "what_a_target_may_hold", &["DUMP_CPUS", "CPUINFO_CPUS", "LIBVIRT_NODES"]),
    ("tests/limits.rs", "records_in_a_line_of_a_fleet", &["RECORDS", "ODD"]),
    ("tests/limits.rs", "leaves_of_a_dump", &["DUMP_LEAVES"]),
    ("tests/limits.rs", "quotes", &["QUOTE", "QUOTE_SERVERS", "QUOTE_NICS"]),
    ("tests/limits.rs", "files_of_live_targets", &["KNOWN_HOSTS", "AUTHORITIES", "PASSWORD"]),
    ("tests/limits.rs", "files_of_commands", &["RULE", "WAIVERS", "WEIGHTS", "REPORT", "REPORT_VALUES"]),
    ("tests/limits.rs", "a_folder_of_rules", &["RULES"]),
    ("tests/limits.rs", "plans_and_journals", &["PLAN"]),
    ("src/collect/archive.rs", "no_more_is_unpacked_than_is_allowed", &["UNPACKED"]),
    ("tests/live_hostile.rs", "whatever_comes_is_survived_and_said", &["ANSWER"]),
    ("tests/live_hostile.rs", "the_local_socket_is_no_more_trusting", &["ANSWER_HEAD"]),
    ("tests/live_hostile.rs", "an_error_of_many_words_is_cut", &["ERROR_PARAMS", "ERROR_PARAM"]),
    ("tests/live_faults.rs", "a_logout_that_hangs_is_not_waited_for", &["LOGOUT"]),
    ("tests/live_faults.rs", "reading_is_tried_again_and_logging_in_is_not", &["PAUSES"]),
];

/// Every limit of the code is in the documented table and is crossed by a test, and the list of tests names no other.
#[test]
fn every_limit_is_documented_and_crossed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |file: &str| fs::read_to_string(root.join(file)).unwrap();
    let table = read("docs/limits.md");
    let mut limits = BTreeSet::new();
    for file in ["src/collect/limits.rs", "src/cli/limits.rs"] {
        let code = read(file);
        for line in code.lines().filter_map(|line| line.split_once("const ").map(|(_, rest)| rest)) {
            let name = line.split(':').next().unwrap().to_owned();
            assert!(table.contains(&format!("`{name}`")), "{name} of {file} is not in docs/limits.md");
            limits.insert(name);
        }
    }
    assert!(limits.len() > 30, "{limits:?}");
    let crossed: BTreeSet<_> =
        CROSSED.iter().flat_map(|(_, _, limits)| limits.iter().map(|limit| (*limit).to_owned())).collect();
    assert_eq!(limits, crossed, "a limit without a test that crosses it, or a test of none");
    for (file, test, _) in CROSSED {
        assert!(
            read(file)
                .contains(&format!("#[test]\n{}fn {test}()", if file.starts_with("src") { "    " } else { "" })),
            "{file}: no test {test}"
        );
    }
}
