//! Turns the CPU catalogue and the table of generations into Rust tables, so that nothing is parsed when the program starts.

use std::fmt::Write as _;
use std::path::Path;
use std::{fs, io};

use toml::{Table, Value};

/// Writes `cpu_catalogue.rs` and `cpu_generations.rs`.
pub(crate) fn write(data: &Path, out: &Path) -> io::Result<()> {
    fs::write(out.join("cpu_catalogue.rs"), entries(&read(&data.join("cpu-catalogue.toml"))?)?)?;
    fs::write(out.join("cpu_generations.rs"), generations(&read(&data.join("cpu-generations.toml"))?)?)
}

fn entries(file: &Table) -> io::Result<String> {
    let mut code = String::from("&[\n");
    for cpu in tables(file, "cpu")? {
        let words: Vec<u32> = text(cpu, "words")?
            .split('-')
            .map(|word| u32::from_str_radix(word, 16).map_err(|error| wrong(format!("{word}: {error}"))))
            .collect::<io::Result<_>>()?;
        let unknown: Vec<i64> = list(cpu, "unknown").iter().filter_map(Value::as_integer).collect();
        let _ = writeln!(
            code,
            "Entry {{ brand: {:?}, vendor: {:?}, family: {}, model: {}, stepping: {}, words: &{words:?}, \
             unknown_words: &{unknown:?}, source: {:?} }},",
            text(cpu, "brand")?,
            text(cpu, "vendor")?,
            number(cpu, "family")?,
            number(cpu, "model")?,
            number(cpu, "stepping")?,
            text(cpu, "source")?,
        );
    }
    code.push_str("]\n");
    Ok(code)
}

fn generations(file: &Table) -> io::Result<String> {
    let mut code = String::from("&[\n");
    for generation in tables(file, "generation")? {
        let mut signatures = Vec::new();
        for entry in list(generation, "cpuid").iter().filter_map(Value::as_str) {
            signatures.push(signature(entry).ok_or_else(|| wrong(format!("{entry}: no family/model/steppings")))?);
        }
        let sku: Vec<&str> = list(generation, "sku").iter().filter_map(Value::as_str).collect();
        let _ = writeln!(
            code,
            "Generation {{ name: {:?}, vendor: {:?}, line: {:?}, order: {}, signatures: &{signatures:?}, sku: &{sku:?} }},",
            text(generation, "name")?,
            text(generation, "vendor")?,
            text(generation, "line")?,
            number(generation, "order")?,
        );
    }
    code.push_str("]\n");
    Ok(code)
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
    table.get(key).and_then(Value::as_str).ok_or_else(|| wrong(format!("no text {key} in {table:?}")))
}

fn number(table: &Table, key: &str) -> io::Result<i64> {
    table.get(key).and_then(Value::as_integer).ok_or_else(|| wrong(format!("no number {key} in {table:?}")))
}

fn wrong(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}
