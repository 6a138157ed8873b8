//! The tables of `src/rules/checks.rs` and `src/rules/release.rs` from `rules/data/`.

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct ChecksFile {
    check: Vec<CheckEntry>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct CheckEntry {
    name: String,
    #[serde(default)]
    about: String,
    versions: Vec<(String, String)>,
    #[serde(default)]
    force_skips: bool,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct ReleasesFile {
    release: Vec<ReleaseEntry>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct ReleaseEntry {
    name: String,
    api: String,
    xapi: String,
    product: String,
    documented_hosts: i64,
}

/// `join_checks.rs`, `eject_checks.rs` and `releases.rs`: the tables of `src/rules/checks.rs` and `src/rules/release.rs`.
pub(crate) fn write(data: &Path, out: &Path) -> Result<(), Box<dyn Error>> {
    for (from, to) in [("join-checks.toml", "join_checks.rs"), ("eject-checks.toml", "eject_checks.rs")] {
        let text = fs::read_to_string(data.join(from))?;
        let file: ChecksFile = toml::from_str(&text)?;
        let mut code = String::from("&[\n");
        for CheckEntry { name, about, versions, force_skips } in file.check {
            let _ = writeln!(
                code,
                "    ServerCheck {{ name: {name:?}, about: {about:?}, versions: &{versions:?}, force_skips: {force_skips} }},",
            );
        }
        code.push_str("]\n");
        fs::write(out.join(to), code)?;
    }

    let text = fs::read_to_string(data.join("releases.toml"))?;
    let file: ReleasesFile = toml::from_str(&text)?;
    let mut code = String::from("&[\n");
    for ReleaseEntry { name, api, xapi, product, documented_hosts } in file.release {
        let _ = writeln!(
            code,
            "    ReleaseLine {{ name: {name:?}, api: {api:?}, xapi: {xapi:?}, product: {product:?}, documented_hosts: {documented_hosts} }},",
        );
    }
    code.push_str("]\n");
    fs::write(out.join("releases.rs"), code)?;
    Ok(())
}
