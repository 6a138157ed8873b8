//! Where a text from elsewhere may stand: names and descriptions in a snapshot, the names of files, rules, waivers.

use std::fs;
use std::path::PathBuf;

use serde_json::Value as Json;
use tempfile::TempDir;

use crate::common::judge::fixture_json;

/// Fields that hold what people, machines and vendors wrote.
const FIELDS: [&str; 7] =
    ["name_label", "name_description", "hostname", "model_name", "vendor_name", "edition", "product_brand"];

/// A snapshot with a text in every such field.
pub(crate) fn filled(stem: &str, text: &str) -> Json {
    let mut json = fixture_json(stem);
    fill(&mut json, text);
    json
}

pub(crate) fn fill(json: &mut Json, text: &str) {
    match json {
        Json::Object(map) => {
            for (key, value) in map {
                match value {
                    Json::String(old) if FIELDS.contains(&key.as_str()) && !old.is_empty() => text.clone_into(old),
                    value => fill(value, text),
                }
            }
        }
        Json::Array(list) => list.iter_mut().for_each(|item| fill(item, text)),
        _ => {}
    }
}

/// Files with a text in what they hold and in what they are called.
pub(crate) struct Places {
    folder: TempDir,
    text: String,
}

impl Places {
    pub(crate) fn new(text: &str) -> Self {
        let places = Self { folder: tempfile::tempdir().unwrap(), text: text.to_owned() };
        for (name, stem) in
            [("pool", "xcp-ng-8.3-5-hosts"), ("joiner", "candidate-trouble"), ("plain", "candidate-good")]
        {
            let json = if name == "plain" { fixture_json(stem) } else { filled(stem, text) };
            fs::write(places.path(name), json.to_string()).unwrap();
        }
        fs::create_dir(places.path("rules")).unwrap();
        fs::write(places.path("rules").join("own.toml"), rule(text)).unwrap();
        fs::write(places.path("waivers"), waivers(text)).unwrap();
        places
    }

    /// A path whose last part holds the text.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        // A path has no NUL, and its parts no slash and no more than 255 bytes.
        let mut part = self.text.replace(['/', '\0'], "_");
        while part.len() > 200 {
            part.pop();
        }
        self.folder.path().join(format!("{part} {name}"))
    }

    pub(crate) fn word(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    /// Where the test runs is not part of what is printed.
    pub(crate) fn without_folder(&self, text: &str) -> String {
        text.replace(self.folder.path().to_str().unwrap(), "FOLDER")
    }
}

/// A text as TOML.
pub(crate) fn toml_text(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// A rule that fails on the joiner and says the text wherever a rule can.
fn rule(text: &str) -> String {
    let plain = toml_text(text);
    let template = toml_text(&format!("{} {{host.name_label}}", text.replace('{', "{{").replace('}', "}}")));
    format!(
        "id = \"own\"\ntitle = {plain}\nwhy = {plain}\nseverity = \"warning\"\nrequire = \"size(joiner.vms) < 0\"\n\
         message = {template}\nreferences = [{plain}]\n\n[[fix]]\nwhere = \"joiner\"\nrun = {template}\nnote = {template}\n\
         loses = {plain}\n\n[[example]]\nname = {plain}\nexpect = \"pass\"\n"
    )
}

fn waivers(text: &str) -> String {
    let plain = toml_text(text);
    let pool = fixture_json("xcp-ng-8.3-5-hosts")["pool"]["uuid"].clone();
    let one = |rule: &str, expires: &str| {
        format!(
            "[[waiver]]\nrule = \"{rule}\"\npool = {pool}\nreason = {plain}\nowner = {plain}\nexpires = {expires}\n\n"
        )
    };
    one("own", "2026-12-31") + &one("host-limit-policy", "2026-12-31") + &one("cpu-pool-keeps-features", "2026-01-31")
}
