//! What poolgate is built from: the licences, bans, single versions and sources of `deny.toml`, without cargo-deny; and a
//! reason for each dependency.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn toml(file: &str) -> toml::Table {
    fs::read_to_string(root().join(file)).unwrap().parse().unwrap()
}

/// A package that poolgate or its tests are built from on Linux.
struct Package {
    name: String,
    version: String,
    licence: String,
    source: Option<String>,
}

/// By `cargo tree`, which knows the features that are on; `cargo metadata` names optional crates too.
fn packages() -> Vec<Package> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--prefix", "none", "--edges", "normal,build,dev", "--format", "{p}|{l}"])
        .args(["--target", "x86_64-unknown-linux-gnu"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: BTreeSet<_> =
        text.lines().filter(|line| !line.is_empty()).map(|line| line.replace(" (*)", "")).collect();
    let package = |line: String| {
        let (package, licence) = line.split_once('|').unwrap();
        let mut words = package.splitn(3, ' ');
        let (name, version) = (words.next().unwrap(), words.next().unwrap());
        // What comes from the registry names no source.
        let source = words.next().map(|source| source.replace("(proc-macro)", "").trim().to_owned());
        Package {
            name: name.to_owned(),
            version: version.trim_start_matches('v').to_owned(),
            licence: licence.to_owned(),
            source: source.filter(|source| !source.is_empty()),
        }
    };
    lines.into_iter().map(package).collect()
}

/// Whether a licence expression of SPDX is met by what is allowed; `/` is the old way to write OR.
fn allowed(expression: &str, allow: &BTreeSet<String>) -> bool {
    fn any<'w>(words: &mut std::iter::Peekable<impl Iterator<Item = &'w str>>, allow: &BTreeSet<String>) -> bool {
        let mut met = all(words, allow);
        while words.next_if_eq(&"OR").is_some() {
            met |= all(words, allow);
        }
        met
    }
    fn all<'w>(words: &mut std::iter::Peekable<impl Iterator<Item = &'w str>>, allow: &BTreeSet<String>) -> bool {
        let mut met = one(words, allow);
        while words.next_if_eq(&"AND").is_some() {
            met &= one(words, allow);
        }
        met
    }
    fn one<'w>(words: &mut std::iter::Peekable<impl Iterator<Item = &'w str>>, allow: &BTreeSet<String>) -> bool {
        match words.next() {
            Some("(") => {
                let met = any(words, allow);
                words.next() == Some(")") && met
            }
            Some(name) => {
                let with = words.next_if_eq(&"WITH").and_then(|_| words.next());
                let name = with.map_or_else(|| name.to_owned(), |with| format!("{name} WITH {with}"));
                allow.contains(&name)
            }
            None => false,
        }
    }
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let mut words = spaced.split_whitespace().peekable();
    any(&mut words, allow) && words.next().is_none()
}

fn texts(value: &toml::Value) -> BTreeSet<String> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

#[test]
fn licences_are_read_as_they_are_meant() {
    let allow: BTreeSet<_> = ["MIT", "ISC", "A WITH x"].into_iter().map(str::to_owned).collect();
    for good in ["MIT", "GPL OR MIT", "GPL/MIT", "MIT AND ISC", "(GPL OR MIT) AND ISC", "A WITH x OR GPL"] {
        assert!(allowed(good, &allow), "{good}");
    }
    for bad in ["", "GPL", "MIT AND GPL", "A", "(MIT", "MIT ISC", "GPL OR (MIT AND GPL)"] {
        assert!(!allowed(bad, &allow), "{bad}");
    }
}

#[test]
fn licences_bans_versions_and_sources() {
    let deny = toml("deny.toml");
    let allow = texts(&deny["licenses"]["allow"]);
    let entries = |key: &str| -> Vec<(String, String)> {
        let list = deny["bans"][key].as_array().unwrap().iter();
        let text = |entry: &toml::Value, key: &str| entry[key].as_str().unwrap().to_owned();
        list.map(|entry| (text(entry, "crate"), text(entry, "reason"))).collect()
    };
    let packages = packages();
    assert!(packages.len() > 100, "{} packages", packages.len());
    let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for package in &packages {
        let Package { name, version, licence, source } = package;
        assert!(allowed(licence, &allow), "{name} {version}: the licence {licence:?} is not one of deny.toml");
        assert!(!entries("deny").iter().any(|(banned, _)| banned == name), "{name} is banned");
        assert!(source.is_none() || name == "poolgate", "{name}: from {source:?}");
        versions.entry(name).or_default().push(version);
    }
    // A version that is skipped must be there, and be one of several: what is skipped for nothing hides the next.
    let mut skipped = 0;
    for (spec, reason) in entries("skip") {
        let (name, version) = spec.split_once('@').unwrap();
        assert!(!reason.is_empty());
        let of = versions.get_mut(name).unwrap_or_else(|| panic!("{name} is skipped and not there"));
        assert!(of.len() > 1, "{name} is skipped and has one version");
        let before = of.len();
        of.retain(|other| *other != version && !other.starts_with(&format!("{version}.")));
        assert_eq!(of.len() + 1, before, "{spec}");
        skipped += 1;
    }
    assert!(skipped > 0);
    for (name, versions) in versions {
        assert_eq!(versions.len(), 1, "{name} in several versions: {versions:?}; say why in deny.toml");
    }
}

#[test]
fn each_dependency_has_its_reason() {
    let text = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let (mut section, mut before, mut seen) = ("", "", 0);
    for line in text.lines() {
        if line.starts_with('[') {
            section = line;
        } else if section.ends_with("dependencies]") && line.contains('=') {
            assert!(before.starts_with("# ") && before.ends_with('.'), "no reason above: {line}");
            assert!(!line.contains("\"*\""), "{line}");
            seen += 1;
        }
        before = line;
    }
    let manifest = toml("Cargo.toml");
    let count = |key: &str| manifest[key].as_table().unwrap().len();
    assert_eq!(seen, count("dependencies") + count("build-dependencies") + count("dev-dependencies"));
    assert!(manifest.get("target").is_none(), "dependencies elsewhere are to have reasons too");
}
