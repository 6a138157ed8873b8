//! Embeds `rules/` in the binary: adding a rule or a data file touches nothing but that folder.

#[path = "build/cpu_tables.rs"]
mod cpu_tables;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-changed=rules");
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=build");
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join("rules");
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    cpu_tables::write(&root.join("data"), &out)?;
    embed_rules(&root, &out)
}

/// `rules.rs`: one (phase, stem, path, text) for each rule file, in the order of the phases and names.
fn embed_rules(root: &Path, out: &Path) -> io::Result<()> {
    let mut code = String::from("&[\n");
    for phase in ["join", "eject", "procurement"] {
        for file in files(&root.join(phase), "toml")? {
            let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let _ = writeln!(
                code,
                "    ({phase:?}, {stem:?}, \"rules/{phase}/{stem}.toml\", include_str!({:?})),",
                file.display().to_string(),
            );
        }
    }
    code.push_str("]\n");
    fs::write(out.join("rules.rs"), code)
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
