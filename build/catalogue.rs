//! Turns the CPU catalogue and the table of generations into texts of one line an entry, checked here and taken apart when a
//! command first needs them: tables of pointers would cost every start of the program.

use std::fmt::Write as _;
use std::path::Path;
use std::{fs, io};

use toml::{Table, Value};

/// Writes `cpu_catalogue.txt` and `cpu_generations.txt`.
pub(crate) fn write(data: &Path, out: &Path) -> io::Result<()> {
    fs::write(out.join("cpu_catalogue.txt"), entries(&read(&data.join("cpu-catalogue.toml"))?)?)?;
    fs::write(out.join("cpu_generations.txt"), generations(&read(&data.join("cpu-generations.toml"))?)?)
}

/// Brand, vendor, family, model, stepping, words joined by `-`, unknown words joined by `,`, source.
fn entries(file: &Table) -> io::Result<String> {
    let mut lines = String::new();
    for cpu in tables(file, "cpu")? {
        let words = text(cpu, "words")?;
        if let Some(word) = words.split('-').find(|word| word.len() != 8 || u32::from_str_radix(word, 16).is_err()) {
            return Err(wrong(format!("cpu-catalogue.toml: {word:?} is no word of 8 hex digits")));
        }
        let unknown: Vec<String> =
            list(cpu, "unknown").iter().filter_map(Value::as_integer).map(|word| word.to_string()).collect();
        let _ = writeln!(
            lines,
            "{}\t{}\t{}\t{}\t{}\t{words}\t{}\t{}",
            text(cpu, "brand")?,
            text(cpu, "vendor")?,
            number(cpu, "family")?,
            number(cpu, "model")?,
            number(cpu, "stepping")?,
            unknown.join(","),
            text(cpu, "source")?,
        );
    }
    Ok(lines)
}

/// Name, vendor, line, order, signatures `family/model/first/last` joined by `,`, patterns joined by `,`.
fn generations(file: &Table) -> io::Result<String> {
    let mut lines = String::new();
    for generation in tables(file, "generation")? {
        let mut signatures = Vec::new();
        for entry in list(generation, "cpuid").iter().filter_map(Value::as_str) {
            let (family, model, first, last) =
                signature(entry).ok_or_else(|| wrong(format!("{entry}: no family/model/steppings")))?;
            signatures.push(format!("{family}/{model}/{first}/{last}"));
        }
        let sku: Vec<&str> = list(generation, "sku").iter().filter_map(Value::as_str).collect();
        let _ = writeln!(
            lines,
            "{}\t{}\t{}\t{}\t{}\t{}",
            text(generation, "name")?,
            text(generation, "vendor")?,
            text(generation, "line")?,
            number(generation, "order")?,
            signatures.join(","),
            sku.join(","),
        );
    }
    Ok(lines)
}

/// `6/85/5-7`, `6/106`.
fn signature(text: &str) -> Option<(i64, i64, i64, i64)> {
    let mut parts = text.split('/');
    let (family, model) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    let (first, last) = match parts.next() {
        None => (0, i64::MAX),
        Some(steppings) => {
            let (first, last) = steppings.split_once('-').unwrap_or((steppings, steppings));
            (first.parse().ok()?, last.parse().ok()?)
        }
    };
    parts.next().is_none().then_some((family, model, first, last))
}

fn read(path: &Path) -> io::Result<Table> {
    let text = fs::read_to_string(path)?;
    text.parse().map_err(|error| wrong(format!("{}: {error}", path.display())))
}

fn tables<'t>(table: &'t Table, key: &str) -> io::Result<Vec<&'t Table>> {
    let list = table.get(key).and_then(Value::as_array).ok_or_else(|| wrong(format!("no list {key}")))?;
    list.iter().map(|item| item.as_table().ok_or_else(|| wrong(format!("{key}: not a table")))).collect()
}

fn list<'t>(table: &'t Table, key: &str) -> &'t [Value] {
    table.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn text<'t>(table: &'t Table, key: &str) -> io::Result<&'t str> {
    let found = table.get(key).and_then(Value::as_str).filter(|text| !text.contains(['\t', '\n']));
    found.ok_or_else(|| wrong(format!("no text {key} of one line in {table:?}")))
}

fn number(table: &Table, key: &str) -> io::Result<i64> {
    table.get(key).and_then(Value::as_integer).ok_or_else(|| wrong(format!("no number {key} in {table:?}")))
}

fn wrong(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}
