//! Turns `rules/data/` files about CPUs into Rust tables, so that nothing is parsed when the program starts.

use std::fmt::Write as _;
use std::path::Path;
use std::{fs, io};

use toml::{Table, Value};

/// Writes `cpu_features.rs` and `xen_releases.rs`.
pub(crate) fn write(data: &Path, out: &Path) -> io::Result<()> {
    let features = read(&data.join("features.toml"))?;
    fs::write(out.join("cpu_features.rs"), feature_tables(&features)?)
}

fn read(path: &Path) -> io::Result<Table> {
    let text = fs::read_to_string(path)?;
    text.parse().map_err(|error| wrong(format!("{}: {error}", path.display())))
}

/// `[Word; N]`, each with its bits as `[Option<Bit>; 32]`.
fn feature_tables(file: &Table) -> io::Result<String> {
    let mut code = String::from("[\n");
    for (index, word) in list(file, "word")?.iter().enumerate() {
        let word = word.as_table().ok_or_else(|| wrong("features.toml: word is no table"))?;
        if number(word, "index")? != i64::try_from(index).unwrap_or(-1) {
            return Err(wrong(format!("features.toml: word {index} has another index")));
        }
        let subleaf = word.get("subleaf").and_then(Value::as_integer);
        let kind = text(word, "kind")?.to_uppercase();
        let place = subleaf.map_or_else(
            || format!("{kind} {:#010x}", number(word, "leaf").unwrap_or_default()),
            |subleaf| format!("{kind} {:#010x}:{subleaf}", number(word, "leaf").unwrap_or_default()),
        );
        let _ = writeln!(
            code,
            "Word {{ short: {:?}, source: {:?}, bits: [",
            text(word, "short")?,
            format!("{place} {}", text(word, "register")?),
        );
        let bits = word.get("bits").and_then(Value::as_table).ok_or_else(|| wrong("features.toml: no bits"))?;
        let unknown = bits.keys().find(|key| key.parse::<usize>().map_or(true, |bit| bit > 31));
        if let Some(key) = unknown {
            return Err(wrong(format!("features.toml: word {index} has no bit {key:?}")));
        }
        for bit in 0..32 {
            match bits.get(&bit.to_string()).and_then(Value::as_table) {
                None => code.push_str("None,\n"),
                Some(entry) => {
                    let aliases = entry.get("aliases").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
                    let aliases: Vec<_> = aliases.iter().filter_map(Value::as_str).collect();
                    let _ = writeln!(
                        code,
                        "Some(Bit {{ name: {:?}, aliases: &{aliases:?}, offered: {:?}, group: {:?} }}),",
                        optional(entry, "name"),
                        optional(entry, "offered"),
                        optional(entry, "group"),
                    );
                }
            }
        }
        code.push_str("] },\n");
    }
    code.push_str("]\n");
    Ok(code)
}

fn list<'a>(table: &'a Table, key: &str) -> io::Result<&'a [Value]> {
    table.get(key).and_then(Value::as_array).map(Vec::as_slice).ok_or_else(|| wrong(format!("no list {key:?}")))
}

fn text<'a>(table: &'a Table, key: &str) -> io::Result<&'a str> {
    table.get(key).and_then(Value::as_str).ok_or_else(|| wrong(format!("no text {key:?} in {table:?}")))
}

fn optional<'a>(table: &'a Table, key: &str) -> &'a str {
    table.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn number(table: &Table, key: &str) -> io::Result<i64> {
    table.get(key).and_then(Value::as_integer).ok_or_else(|| wrong(format!("no number {key:?} in {table:?}")))
}

fn wrong(message: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message.into())
}
