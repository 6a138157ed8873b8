//! What `cargo install` and `cargo package` take: everything that the build reads, and nothing of the workshop.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// All files below a folder, from the repository's root.
fn below(folder: &str) -> Vec<String> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(Path::new(ROOT).join(folder)).unwrap() {
        let entry = entry.unwrap();
        let path = format!("{folder}/{}", entry.file_name().into_string().unwrap());
        if entry.path().is_dir() { files.extend(below(&path)) } else { files.push(path) }
    }
    files
}

/// Files outside of `src` that a source file embeds, from the repository's root.
fn embedded(source: &str) -> Vec<String> {
    let text = std::fs::read_to_string(Path::new(ROOT).join(source)).unwrap();
    let folder = Path::new(source).parent().unwrap();
    let named = ["include_str!(\"", "include_bytes!(\""];
    let paths = named.iter().flat_map(|call| text.split(call).skip(1)).filter_map(|rest| rest.split_once("\")"));
    let paths = paths.map(|(path, _)| path);
    let whole = |path: &str| {
        let mut parts: Vec<_> = folder.iter().map(|part| part.to_str().unwrap()).collect();
        for part in path.split('/') {
            if part == ".." { parts.truncate(parts.len() - 1) } else { parts.push(part) }
        }
        parts.join("/")
    };
    paths.map(whole).collect()
}

#[test]
fn a_package_holds_all_that_its_build_reads() {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let done = Command::new(cargo)
        .args(["package", "--list", "--allow-dirty", "--offline"])
        .current_dir(ROOT)
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let list = String::from_utf8(done.stdout).unwrap();
    let listed: BTreeSet<_> = list.lines().collect();
    let sources: Vec<_> = below("src").into_iter().chain(below("build")).collect();
    let rust = sources.iter().filter(|path| path.ends_with(".rs"));
    let embedded: Vec<_> = rust.flat_map(|path| embedded(path)).collect();
    assert!(embedded.contains(&"fixtures/xenserver-8-1-host.json".to_owned()), "{embedded:?}");
    let files = sources.iter().cloned().chain(below("rules")).chain(embedded);
    let fixed = ["Cargo.toml", "Cargo.lock", "README.md", "LICENSE-MIT", "LICENSE-APACHE"].map(str::to_owned);
    for file in files.chain(fixed) {
        assert!(listed.contains(file.as_str()), "{file} is not in the package");
    }
    for line in &listed {
        assert!(!line.starts_with(".ci/") && !line.starts_with("target/"), "{line} is in the package");
    }
}
