//! One made-up machine in the dress of every format of dump: the same CPU comes out of those that hold CPUID, and the
//! others say what they cannot know.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as tests do")]

pub mod common;

use std::io::Write as _;

use poolgate::collect::{Collected, Target, read_target};
use poolgate::facts::Known;
use poolgate::snapshot::{Host, HostCpu};

use common::run::poolgate;

fn read(bytes: &[u8]) -> Collected {
    read_target(&Target::Stdin, &mut &*bytes).unwrap_or_else(|error| panic!("{error}"))
}

fn host(bytes: &[u8]) -> Host {
    read(bytes).snapshot.pool.hosts.each().next().unwrap().clone()
}

fn cpu(bytes: &[u8]) -> HostCpu {
    host(bytes).cpu.get().unwrap().clone()
}

fn refused(bytes: &[u8]) -> String {
    read_target(&Target::Stdin, &mut &*bytes).unwrap_err().to_string()
}

const fn le(text: [u8; 4]) -> u32 {
    u32::from_le_bytes(text)
}

/// Leaf, subleaf, registers: a CPU with ARCH_CAPS and OSXSAVE, and one more leaf beyond its last.
const LEAVES: [(u32, u32, [u32; 4]); 13] = [
    (0, 0, [0xd, le(*b"Genu"), le(*b"ntel"), le(*b"ineI")]),
    (1, 0, [0x000606a6, 0x00100800, 0x7ffefbff, 0xbfebfbff]),
    (7, 0, [0, 0xf3bfbfeb, 0x40415f4e, 0xbc040412]),
    (0xd, 0, [0x2e7, 0xa88, 0xa88, 0]),
    (0xd, 1, [0xf, 0xa08, 0x2100, 0]),
    (0x8000_0000, 0, [0x8000_0008, 0, 0, 0]),
    (0x8000_0001, 0, [0, 0, 0x121, 0x2c100800]),
    (0x8000_0002, 0, [le(*b"Made"), le(*b"-up "), le(*b"  CP"), le(*b"U @ ")]),
    (0x8000_0003, 0, [le(*b"2 GH"), le(*b"z\0\0\0"), 0, 0]),
    (0x8000_0004, 0, [0; 4]),
    (0x8000_0007, 0, [0, 0, 0, 0x100]),
    (0x8000_0008, 0, [0x3934, 0x200, 0, 0]),
    (0x8000_0021, 0, [0xffff_ffff, 0, 0, 0]),
];
const WORDS: &str = "bfebfbff-77fefbff-2c100800-00000121-0000000f-f3bfbfeb-40415f4e-00000100-00000200-bc040412-\
                     00000000-00000000-00000000-00000000-00000000-00000000-00000000-00000000-00000000";

fn lines(line: impl Fn(u32, u32, [u32; 4]) -> String) -> String {
    LEAVES.iter().map(|(leaf, subleaf, registers)| line(*leaf, *subleaf, *registers) + "\n").collect()
}

fn registers() -> String {
    lines(|leaf, subleaf, [a, b, c, d]| {
        format!("CPUID {leaf:08X}: {a:08X}-{b:08X}-{c:08X}-{d:08X} [SL {subleaf:02X}]")
    })
}

fn cpuid_r() -> String {
    lines(|leaf, subleaf, [a, b, c, d]| {
        format!("   0x{leaf:08x} 0x{subleaf:02x}: eax=0x{a:08x} ebx=0x{b:08x} ecx=0x{c:08x} edx=0x{d:08x}")
    })
}

fn cpudata(more: &str) -> String {
    let leaves = lines(|leaf, subleaf, [a, b, c, d]| {
        format!(
            "<cpuid eax_in='0x{leaf:08x}' ecx_in='0x{subleaf:02x}' eax='0x{a:08x}' ebx='0x{b:08x}' ecx='0x{c:08x}' edx='0x{d:08x}'/>"
        )
    });
    format!("<!-- made up -->\n<cpudata arch='x86'>\n{leaves}{more}</cpudata>\n")
}

fn libcpuid() -> String {
    let asked = |leaf: &u32, subleaf: &u32| *subleaf == 0 && *leaf != 0x8000_0021;
    let each = LEAVES.iter().filter(|(leaf, subleaf, _)| asked(leaf, subleaf));
    each.map(|(leaf, _, [a, b, c, d])| {
        let (name, index) = if *leaf < 0x8000_0000 { ("basic", *leaf) } else { ("ext", leaf - 0x8000_0000) };
        format!("{name}_cpuid[{index}]={a:08x} {b:08x} {c:08x} {d:08x}\n")
    })
    .collect()
}

fn policies(cut: &str) -> String {
    let rows = lines(|leaf, subleaf, [a, b, c, d]| {
        let subleaf = if matches!(leaf, 7 | 0xd) { subleaf } else { u32::MAX };
        format!("  {leaf:08x}:{subleaf:08x} -> {a:08x}:{b:08x}:{c:08x}:{d:08x}")
    });
    let one = |name: &str| {
        format!(
            "{name} policy: 17 leaves, 2 MSRs\n CPUID:\n  leaf     subleaf  -> eax      ebx      ecx      edx     \n{rows}\
             {cut} MSRs:\n  index    -> value           \n  000000ce -> 0000000080000000\n  0000010a -> 000000010d89fd6b\n"
        )
    };
    format!("Xen reports there are maximum 120 leaves and 2 MSRs\n{}{}", one("Raw"), one("HVM Default"))
}

#[test]
fn every_format_with_cpuid_gives_the_same_cpu() {
    let dumps = [
        ("registers", registers()),
        ("registers, counted", registers().lines().map(|line| format!("{}\r\n", &line[..line.len() - 8])).collect()),
        ("cpuid -r", format!("CPU 0:\n{}CPU 1:\n{}", cpuid_r(), cpuid_r())),
        ("cpuid -1 -r", format!("CPU:\n{}", cpuid_r())),
        ("cpudata", cpudata("")),
        ("gzip", registers()),
    ];
    for (format, dump) in dumps {
        let bytes = if format == "gzip" { gzip(dump.as_bytes()) } else { dump.into_bytes() };
        let host = host(&bytes);
        let cpu = host.cpu.get().unwrap();
        assert_eq!(cpu.raw.get().unwrap().to_string(), WORDS, "{format}");
        assert_eq!(cpu.raw_unknown_words, Known::Yes(vec![16, 17]), "{format}: ARCH_CAPS without its register");
        assert_eq!((cpu.vendor.text(), cpu.model_name.text()), (Some("GenuineIntel"), Some("Made-up CPU @ 2 GHz")));
        assert_eq!((cpu.family.get(), cpu.model.get(), cpu.stepping.get()), (Some(&6), Some(&106), Some(&6)));
        let hardware = host.hardware.get().unwrap();
        assert_eq!(hardware.physical_address_bits, Known::Yes(52), "{format}");
        assert_eq!((hardware.xsave_size.get(), hardware.nx_enabled.get()), (Some(&0xa88), Some(&true)), "{format}");
        assert_eq!(hardware.virtualisation_enabled.get(), None, "{format}: CPUID does not show the firmware's lock");
    }
}

#[test]
fn what_was_not_captured_is_unknown() {
    let cpu = cpu(libcpuid().as_bytes());
    assert_eq!(cpu.raw_unknown_words, Known::Yes(vec![4, 16, 17]), "0xd:1 is never asked");
    let whole = registers();
    let part: String = whole.lines().take(3).map(|line| format!("{line}\n")).collect();
    let cpu = self::cpu(part.as_bytes());
    assert_eq!(cpu.raw_unknown_words, Known::Yes(vec![2, 3, 4, 7, 8, 11, 16, 17, 18]));
}

#[test]
fn the_register_of_arch_caps_is_taken_where_the_dump_has_it() {
    let msr = "\n------[ MSR Registers / Logical CPU #0 ]------\n\nMSR 0000010A: 0000-0001-0DB9-FD6B [x]\n";
    let msrs = format!("------[ CPUID Registers / Logical CPU #0 ]------\n{}{msr}", registers());
    let libvirt = cpudata("<msr index='0x10a' edx='0x00000001' eax='0x0db9fd6b'/>\n");
    for dump in [msrs, libvirt] {
        let words = cpu(dump.as_bytes()).raw.get().unwrap().words().to_vec();
        assert_eq!(words[16..18], [0x0db9_fd6b, 1]);
    }
}

#[test]
fn cores_that_differ_are_seen_and_cpus_in_part_are_not_taken_for_others() {
    let other = registers().replace("F3BFBFEB", "239CA7EB");
    let of = |dump: String| {
        cpu(dump.as_bytes())
            .groups
            .get()
            .map(|groups| groups.iter().map(|group| group.cpus.text().unwrap().to_owned()).collect::<Vec<_>>())
    };
    assert_eq!(of(registers()), None, "one CPU says nothing of the others");
    assert_eq!(of(registers() + &registers()), Some(vec!["0-1".to_owned()]));
    assert_eq!(of(registers() + &other + &registers()), Some(vec!["0,2".to_owned(), "1".to_owned()]));
    let cut = registers() + &registers()[..400];
    assert_eq!(of(cut.clone()), None);
    assert!(
        read(cut.as_bytes()).notes.iter().any(|note| note == "CPU 1: less was captured than of the first, left out")
    );
}

#[test]
fn sets_and_policies_of_xen() {
    let mask = "ffffffff:ffffffff:ffffffff:ffffffff:ffffffff:ffffffff:ffffffff:ffffffff:ffffffff:ffffffff";
    let raw = "bfebfbff:7ffefbff:2c100800:00000121:0000000f:f3bfbfeb:40415f5e:00000100:00000200:bc040412";
    let text = format!(
        "nr_features: 10\nKnown                           {mask}\nStatic sets:\nHVM Max                         {mask}\n\
         Dynamic sets:\nRaw                             {raw}\n  [00] CPUID 0x00000001.edx     fpu vme\n\
         HVM Max                         1fcbfbff:f7ba2223:2c100800:00000121\nHVM Default                     1fcbfbff:f7ba2223:2c100800:00000121\n"
    );
    let cpu = cpu(text.as_bytes());
    assert_eq!(cpu.raw.get().unwrap().to_string(), WORDS);
    assert_eq!(cpu.raw_unknown_words, Known::Yes((10..19).collect()), "an older Xen prints fewer words");
    assert_eq!(cpu.features_hvm.get().unwrap().to_string(), "1fcbfbff-f7ba2223-2c100800-00000121");
    assert_eq!((cpu.provenance.text(), cpu.vendor.get()), (Some("observed"), None));

    let cpu = self::cpu(policies("").as_bytes());
    let words = WORDS.replace("00000000-00000000-00000000", "").replace("--", "-");
    let found = cpu.raw.get().unwrap().to_string();
    assert!(found.ends_with("-0d89fd6b-00000001-00000000") && found[..89] == WORDS[..89], "{found} {words}");
    assert_eq!(cpu.features_hvm_host.get().map(|set| set.words()[5]), Some(0xf3bf_bfeb));
    assert_eq!(cpu.model_name.text(), Some("Made-up CPU @ 2 GHz"));
    assert_eq!(cpu.features_pv.get(), None);
}

#[test]
fn kernels_and_libvirt_name_a_cpu_without_words() {
    let cpuinfo = "processor\t: 0\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 106\nmodel name\t: Made-up  CPU\nstepping\t: 6\n\
                   microcode\t: 0xd000390\nflags\t\t: fpu vme nx vmx\nvmx flags\t: ept\naddress sizes\t: 52 bits physical, 57 bits virtual\n\n\
                   processor\t: 1\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 106\nstepping\t: 7\nflags\t\t: fpu\n";
    let host = host(cpuinfo.as_bytes());
    let cpu = host.cpu.get().unwrap();
    assert_eq!(
        (cpu.flags.text(), cpu.raw.get(), cpu.model_name.text()),
        (Some("fpu vme nx vmx"), None, Some("Made-up CPU"))
    );
    assert_eq!(cpu.groups.get().map(Vec::len), Some(2), "the steppings differ");
    let hardware = host.hardware.get().unwrap();
    assert_eq!((hardware.virtualisation_enabled.get(), hardware.microcode.text()), (Some(&true), Some("0xd000390")));
    assert_eq!(hardware.linear_address_bits, Known::Yes(57));

    let lscpu = r#"{"lscpu": [{"field": "Architecture:", "data": "x86_64", "children": [{"field": "Address sizes:", "data": "46 bits physical, 48 bits virtual"}]},
        {"field": "CPU(s):", "data": "64"}, {"field": "Vendor ID:", "data": "AuthenticAMD", "children": [{"field": "Model name:", "data": "Made-up", "children": [
        {"field": "CPU family:", "data": "25"}, {"field": "Model:", "data": "1"}, {"field": "Stepping:", "data": "1"}, {"field": "Socket(s):", "data": "2"}, {"field": "Flags:", "data": "fpu svm nx hypervisor"}]}]}]}"#;
    let host = self::host(lscpu.as_bytes());
    let cpu = host.cpu.get().unwrap();
    assert_eq!(
        (cpu.vendor.text(), cpu.cpu_count.get(), cpu.socket_count.get()),
        (Some("AuthenticAMD"), Some(&64), Some(&2))
    );
    assert_eq!(host.hypervisor.get().and_then(|seen| seen.filtered.get()), Some(&true));

    let capabilities = "<capabilities><host><uuid>x</uuid><cpu><arch>x86_64</arch><model>Icelake-Server</model><vendor>Intel</vendor>\
        <microcode version='218104720'/><signature family='6' model='106' stepping='6'/><topology sockets='2' dies='1' cores='28' threads='2'/>\
        <maxphysaddr mode='emulate' bits='52'/><feature name='ds'/></cpu></host></capabilities>";
    let cpu = self::cpu(capabilities.as_bytes());
    assert_eq!(
        (cpu.vendor.text(), cpu.cpu_count.get(), cpu.model.get()),
        (Some("GenuineIntel"), Some(&112), Some(&106))
    );
    assert_eq!(
        refused(b"<capabilities><host><cpu><arch>aarch64</arch></cpu></host></capabilities>"),
        "-: the output of `virsh capabilities`, but its host is not x86 (aarch64)"
    );
}

#[test]
fn what_xe_prints_is_read_as_records_are() {
    let set = "1fcbfbff-f7ba2223-2c100800-00000121";
    let info = format!(
        "cpu_count            : 40\n         socket_count: 2\n               vendor: GenuineIntel\n            modelname: Made-up\n               family: 6\n                model: 62\n             stepping: 4\n         features_hvm: {set}\n"
    );
    let cpu = cpu(info.as_bytes());
    assert_eq!(
        (cpu.vendor.text(), cpu.features_hvm.get().map(ToString::to_string)),
        (Some("GenuineIntel"), Some(set.to_owned()))
    );
    assert_eq!(cpu.features_hvm_host, Known::absent(), "the map is printed whole");

    let params = format!(
        "uuid ( RO)                                : 3f5a2a52-3a0e-4a51-9d4a-4f2a6b2c1d0e\n                          name-label ( RW): alpha\n                             address ( RO): 10.0.0.7\n                             enabled ( RO): true\n                   API-version-major ( RO): 2\n                        capabilities (SRO): xen-3.0-x86_64; hvm-3.0-x86_64; \n                    software-version (MRO): product_version: 8.3.0; product_brand: XCP-ng; xapi: 25.6\n                            cpu_info (MRO): cpu_count: 40; vendor: GenuineIntel; features_hvm: {set}; features_hvm_host: {set}\n                        memory-total ( RO): 68719476736\n                             updates (SRO): \n\n"
    );
    let host = host(params.as_bytes());
    assert_eq!(
        (host.name_label.text(), host.address.text(), host.memory_total.get()),
        (Some("alpha"), Some("10.0.0.7"), Some(&68_719_476_736))
    );
    assert_eq!(host.capabilities.get().map(Vec::len), Some(2));
    assert_eq!(
        host.software_version.get().and_then(|map| map.get("product_brand")).map(String::as_str),
        Some("XCP-ng")
    );
    assert_eq!(host.edition, Known::default(), "what is not printed was not collected");
    let both = params.replace("alpha", "beta") + &params;
    assert_eq!(read(both.as_bytes()).snapshot.pool.hosts.each().len(), 2);
    assert_eq!(
        refused(b"uuid ( RO)        : 1\n   name-label ( RW): vm\n"),
        "-: the output of `xe host-param-list`, but it has no cpu_info: of another class than host, or cut short"
    );
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

const DATABASE: &str = r#"<?xml version="1.0"?>
<database><manifest/><table name="pool"><row ref="OpaqueRef:p" master="OpaqueRef:h" name_label="lab" ha_enabled="false" other_config="()" uuid="u"/></table>
<table name="host"><row ref="OpaqueRef:h" name__label="(alpha)" API_version__major="2" API_version__minor="21" cpu_info="(('vendor'%.'GenuineIntel')%.('modelname'%.'Made-up%.CPU'))" tags="('a\'b'%.'c')" enabled="true" uuid="v"/></table>
<table name="secret"><row ref="OpaqueRef:s" uuid="w" value="hunter2"/></table></database>"#;

fn tar(files: &[(&str, &str)]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (path, text) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_cksum();
        archive.append_data(&mut header, path, text.as_bytes()).unwrap();
    }
    archive.into_inner().unwrap()
}

fn zip(files: &[(&str, &str)]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (path, text) in files {
        archive.start_file(*path, zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(text.as_bytes()).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

#[test]
fn a_database_is_read_alone_and_inside_a_status_report() {
    let report = [("bug-report/var/log/xensource.log", "x"), ("bug-report/xapi-db.xml", DATABASE)];
    let forms =
        [DATABASE.as_bytes().to_vec(), gzip(DATABASE.as_bytes()), tar(&report), gzip(&tar(&report)), zip(&report)];
    for form in forms {
        let collected = read(&form);
        let pool = &collected.snapshot.pool;
        let host = pool.hosts.each().next().unwrap();
        assert_eq!((pool.name_label.text(), host.name_label.text()), (Some("lab"), Some("(alpha)")));
        assert_eq!(host.cpu.get().and_then(|cpu| cpu.model_name.text()), Some("Made-up CPU"));
        assert_eq!(host.tags, Known::Yes(vec!["a'b".to_owned(), "c".to_owned()]));
        assert_eq!(pool.other_config.get().map(|map| map.len()), Some(0));
        assert_eq!(pool.secrets.get().map(Vec::len), Some(1));
        assert!(!collected.snapshot.to_json().contains("hunter2"));
    }
}

#[test]
fn archives_that_help_nobody_say_why() {
    insta::assert_snapshot!(refused(&tar(&[("a/b.txt", "x")])), @"-: an archive without a server's database (xapi-db.xml, state.db); name the file inside that you mean");
    let two = [("one/xapi-db.xml", DATABASE), ("two/xapi-db.xml", "<database/>")];
    insta::assert_snapshot!(refused(&zip(&two)), @"-: holds several servers' databases (one/xapi-db.xml, two/xapi-db.xml); unpack it, and name one");
    insta::assert_snapshot!(refused(&tar(&[("xapi-db.xml", "no database")])), @"-: xapi-db.xml: is no server's database");
    insta::assert_snapshot!(refused(&gzip(&gzip(b"x"))), @"-: an archive inside another; unpack it first, and name the one inside");
    let cut = gzip(&tar(&[("xapi-db.xml", DATABASE)]));
    assert!(refused(&cut[..cut.len() / 2]).starts_with("-: an archive that cannot be read: "));
    assert!(refused(b"PK\x03\x04").starts_with("-: a zip archive that cannot be read: "));
    // A gigabyte of blanks in a megabyte.
    let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let blanks = vec![b' '; 1 << 20];
    (0..300).for_each(|_| bomb.write_all(&blanks).unwrap());
    insta::assert_snapshot!(refused(&[gzip(registers().as_bytes()), bomb.finish().unwrap()].concat()), @"-: larger than 256 MiB, the most that is read of one target");
}

#[test]
fn a_dump_is_a_host_like_any_other() {
    let decoded = poolgate(["cpu", "decode", "-", "--format", "json"]).stdin(cpuid_r()).status(0).json();
    let host = &decoded["hosts"][0];
    assert_eq!(host["words"].as_array().unwrap().len(), 19);
    assert_eq!(
        (host["unknown_words"].to_string(), host["vendor"].as_str()),
        ("[16,17]".to_owned(), Some("GenuineIntel"))
    );
    let check = [
        "check",
        "--pool",
        "fixtures/xcp-ng-8.3-5-hosts.json",
        "--host",
        "-",
        "--as-release",
        "xcp-ng-8.3",
        "--format",
        "json",
    ];
    let report = poolgate(check).stdin(cpuid_r()).any_status(|status| matches!(status, 1 | 3)).json();
    let joiner = &report["joiners"][0];
    assert_eq!(joiner["cpu"]["provenance"], "predicted");
    assert_eq!(joiner["server"], serde_json::Value::Null, "there is no server to ask");
    let told = poolgate(["check", "--pool", "fixtures/xcp-ng-8.3-5-hosts.json", "--host", "-"])
        .stdin(cpuid_r())
        .any_status(|status| matches!(status, 1 | 3));
    assert!(told.stdout.contains("UNDECIDED") || told.stdout.contains("NO-GO"), "never a GO: {told}");
}

#[test]
fn a_servers_database_gives_the_snapshot_that_its_answers_give() {
    let Some(shared) = common::shared() else { return };
    for server in ["plain", "rich", "every-class", "standalone"] {
        let folder = shared.join("data/xapi-wire").join(server);
        let pool = |path: &str| {
            let read = read_target(&Target::File(folder.join(path)), &mut std::io::empty());
            read.unwrap_or_else(|error| panic!("{error}")).snapshot.pool
        };
        assert!(pool("state.db.xml") == pool("jsonrpc1"), "{server}");
    }
}

#[test]
fn no_machine_has_so_many_cpus() {
    let one = "CPU:\n   0x00000000 0x00: eax=0x00000001 ebx=0x756e6547 ecx=0x6c65746e edx=0x49656e69\n";
    insta::assert_snapshot!(refused(one.repeat(20_000).as_bytes()), @"-: holds more than 16384 CPUs, the most that is read of one target");
    let flags = "processor\t: 0\nvendor_id\t: GenuineIntel\n\n";
    insta::assert_snapshot!(refused(flags.repeat(70_000).as_bytes()), @"-: holds more than 65536 CPUs, the most that is read of one target");
    let hosts = "uuid ( RO)   : 1\n    cpu_info (MRO): vendor: X\n";
    insta::assert_snapshot!(refused(hosts.repeat(5000).as_bytes()), @"-: holds more than 4096 hosts, the most that is read of one target");
}

#[test]
fn syscall_is_no_difference_where_the_source_cannot_know_it() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: String| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let long = write("64-bit.txt", registers());
    let short = write("32-bit.txt", registers().replace("2C100800", "2C100000"));
    let other = write("other.txt", registers().replace("2C100800", "2C000800"));
    let same = poolgate(["cpu", "diff", &long, &short]).status(0).stdout;
    assert!(same.contains("No feature differs"), "{same}");
    let differs = poolgate(["cpu", "diff", &long, &other]).status(1).stdout;
    assert!(differs.contains("nx"), "{differs}");
    let words = poolgate(["cpu", "decode", &short, "--format", "json"]).status(0).json();
    assert_eq!(words["hosts"][0]["words"][2], "2c100000", "the words stand as captured");
}
