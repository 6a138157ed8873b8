//! Turns `rules/data/` files about CPUs into Rust tables, so that nothing is parsed when the program starts.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::{fs, io};

use toml::{Table, Value};

/// Writes `cpu_features.rs`, `xen_releases.rs`, `xen_products.rs` and `xen_dependencies.rs`.
pub(crate) fn write(data: &Path, out: &Path) -> io::Result<()> {
    let features = read(&data.join("features.toml"))?;
    let releases = read(&data.join("xen-releases.toml"))?;
    fs::write(out.join("cpu_features.rs"), feature_tables(&features)?)?;
    fs::write(out.join("xen_releases.rs"), release_tables(&releases)?)?;
    fs::write(out.join("xen_products.rs"), product_table(&releases)?)?;
    fs::write(out.join("xen_dependencies.rs"), dependency_table(&features, &releases)?)
}

fn read(path: &Path) -> io::Result<Table> {
    let text = fs::read_to_string(path)?;
    text.parse().map_err(|error| wrong(format!("{}: {error}", path.display())))
}

/// `[Word; N]`, each with its bits as `[Option<Bit>; 32]`.
fn feature_tables(file: &Table) -> io::Result<String> {
    let mut code = String::from("[\n");
    for (index, word) in tables(file, "word")?.into_iter().enumerate() {
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

/// `[XenRelease; N]`.
fn release_tables(file: &Table) -> io::Result<String> {
    let mut code = String::from("[\n");
    for (index, release) in tables(file, "release")?.into_iter().enumerate() {
        let _ = writeln!(code, "XenRelease {{ index: {index}, name: {:?},", text(release, "name")?);
        for (field, key) in [("known", "known"), ("special", "special")] {
            let _ = writeln!(code, "{field}: &{:?},", mask(text(release, key)?)?);
        }
        for key in ["pv", "hap"] {
            let max = text(release, key)?;
            let default = release.get(&format!("{key}-default")).and_then(Value::as_str).unwrap_or(max);
            let _ = writeln!(code, "{key}: [&{:?}, &{:?}],", mask(max)?, mask(default)?);
        }
        code.push_str("},\n");
    }
    code.push_str("]\n");
    Ok(code)
}

/// `[Product; N]`.
fn product_table(file: &Table) -> io::Result<String> {
    let mut code = String::from("[\n");
    for product in tables(file, "product")? {
        let two = product.get("two-sets").and_then(Value::as_bool);
        let _ = writeln!(
            code,
            "Product {{ name: {:?}, title: {:?}, xen: {:?}, two_sets: {} }},",
            text(product, "name")?,
            text(product, "title")?,
            text(product, "xen")?,
            two.ok_or_else(|| wrong("xen-releases.toml: product without two-sets"))?,
        );
    }
    code.push_str("]\n");
    Ok(code)
}

/// `&[(feature, needed by, releases as bits)]`.
fn dependency_table(features: &Table, file: &Table) -> io::Result<String> {
    let numbers = feature_numbers(features)?;
    let number = |name: &str| {
        numbers.get(name).copied().ok_or_else(|| wrong(format!("xen-releases.toml: no feature is called {name:?}")))
    };
    let releases: Vec<_> = tables(file, "release")?.into_iter().map(|release| text(release, "name")).collect();
    let releases = releases.into_iter().collect::<io::Result<Vec<_>>>()?;
    let mut code = String::from("&[\n");
    for dependency in tables(file, "dependency")? {
        let mut bits = 0u64;
        for name in text(dependency, "in")?.split(' ') {
            let found = releases.iter().position(|release| *release == name);
            bits |= match (name, found) {
                ("all", _) => (1 << releases.len()) - 1,
                (_, Some(index)) => 1 << index,
                _ => return Err(wrong(format!("xen-releases.toml: no release is called {name:?}"))),
            };
        }
        let needs = dependency.get("needs").and_then(Value::as_table).ok_or_else(|| wrong("no needs"))?;
        for (feature, dependents) in needs {
            for dependent in dependents.as_str().unwrap_or_default().split(' ') {
                let _ = writeln!(code, "({}, {}, {bits:#x}),", number(feature)?, number(dependent)?);
            }
        }
    }
    code.push_str("]\n");
    Ok(code)
}

/// Every bit that can be named, `<short>:<bit>` included.
fn feature_numbers(features: &Table) -> io::Result<BTreeMap<String, usize>> {
    let mut numbers = BTreeMap::new();
    for (index, word) in tables(features, "word")?.into_iter().enumerate() {
        let short = text(word, "short")?;
        let bits = word.get("bits").and_then(Value::as_table);
        for bit in 0..32 {
            numbers.insert(format!("{short}:{bit}"), index * 32 + bit);
            let entry = bits.and_then(|bits| bits.get(&bit.to_string())).and_then(Value::as_table);
            if let Some(name) = entry.and_then(|entry| entry.get("name")).and_then(Value::as_str) {
                numbers.insert(name.to_owned(), index * 32 + bit);
            }
        }
    }
    Ok(numbers)
}

fn mask(text: &str) -> io::Result<Vec<u32>> {
    text.split('-').map(|word| u32::from_str_radix(word, 16).map_err(|_| wrong(format!("no mask: {text}")))).collect()
}

fn tables<'a>(file: &'a Table, key: &str) -> io::Result<Vec<&'a Table>> {
    list(file, key)?.iter().map(|entry| entry.as_table().ok_or_else(|| wrong(format!("{key} is no table")))).collect()
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
