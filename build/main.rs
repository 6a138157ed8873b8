//! Embeds `rules/` in the binary: adding a rule or a data file touches nothing but that folder.

#![expect(clippy::print_stdout, reason = "cargo reads what a build script prints")]

mod catalogue;
mod cpu_tables;
mod server_tables;

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use sha2::{Digest as _, Sha256};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=rules");
    println!("cargo:rerun-if-changed=build");
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join("rules");
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    cpu_tables::write(&root.join("data"), &out)?;
    catalogue::write(&root.join("data"), &out)?;
    embed_rules(&root, &out)?;
    server_tables::write(&root.join("data"), &out)
}

/// `rules.rs`: one (phase, stem, path, text, JSON of what decides, JSON of what is said) for each rule file, in the order of
/// the phases and names. Judging reads the JSON, which costs a fraction of the TOML, and what a rule says only when it has
/// something to say; a file that is no TOML is left to say so at run time.
fn embed_rules(root: &Path, out: &Path) -> io::Result<()> {
    let mut code = String::from("&[\n");
    let (mut digest, mut count) = (Sha256::new(), 0);
    for phase in ["join", "eject", "procurement"] {
        for file in files(&root.join(phase), "toml")? {
            let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let text = fs::read_to_string(&file)?;
            let mut rule: toml::Table = toml::from_str(&text).unwrap_or_default();
            // What only `rules explain` and `rules test` read.
            for part in ["example", "why", "references"] {
                rule.remove(part);
            }
            let says = take_says(&mut rule);
            let decides = located(toml::Value::Table(rule), "").to_string();
            let says = located(toml::Value::Table(says), "").to_string();
            // As `Registry::digest` does, so that `--version` need not.
            for text in [phase, &stem, &decides, &says] {
                digest.update((text.len() as u64).to_le_bytes());
                digest.update(text);
            }
            count += 1;
            let _ = writeln!(
                code,
                "    ({phase:?}, {stem:?}, \"rules/{phase}/{stem}.toml\", include_str!({:?}), {decides:?}, {says:?}),",
                file.display().to_string(),
            );
        }
    }
    let digest: String = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    println!("cargo:rustc-env=POOLGATE_RULES_DIGEST={digest}");
    println!("cargo:rustc-env=POOLGATE_RULES={count}");
    code.push_str("]\n");
    fs::write(out.join("rules.rs"), code)
}

/// Moves what the rule says out of it (`src/rules/file.rs`, `SaysFile`), and leaves an empty message and no refusals.
fn take_says(rule: &mut toml::Table) -> toml::Table {
    let mut says = toml::Table::new();
    for part in ["item", "evidence", "fix"] {
        says.extend(rule.remove(part).map(|value| (part.to_owned(), value)));
    }
    if let Some(message) = rule.get_mut("message") {
        says.insert("message".to_owned(), std::mem::replace(message, "".into()));
    }
    let server = rule.get_mut("server").and_then(toml::Value::as_table_mut);
    if let Some(refusals) = server.and_then(|server| server.get_mut("refusal")) {
        says.insert("refusal".to_owned(), std::mem::replace(refusals, toml::Value::Array(Vec::new())));
    }
    says
}

/// The rule as JSON, where each text that keeps its place (`src/rules/file.rs`, `Written`) is a list of one.
fn located(value: toml::Value, key: &str) -> serde_json::Value {
    const WITHOUT_PLACE: [&str; 5] = ["title", "why", "references", "loses", "code"];
    match value {
        toml::Value::String(text) if WITHOUT_PLACE.contains(&key) => text.into(),
        toml::Value::String(text) => serde_json::json!([text]),
        toml::Value::Array(list) => list.into_iter().map(|item| located(item, key)).collect(),
        toml::Value::Table(table) => table
            .into_iter()
            .map(|(key, value)| {
                let value = located(value, &key);
                (key, value)
            })
            .collect(),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Boolean(truth) => truth.into(),
        // No rule has floats or dates.
        toml::Value::Float(_) | toml::Value::Datetime(_) => serde_json::Value::Null,
    }
}

fn files(folder: &Path, extension: &str) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|found| found == extension) {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}
