//! `severity.toml` in a folder of a user's rules: what rules weigh in this organisation.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::expr::{ExprError, render};
use super::outcome::Severity;
use super::registry::Registry;
use super::rule::RuleError;
use super::waivers::nearest;

/// A file of severities that was read but not checked.
#[derive(Clone, Debug)]
pub struct SeveritySource {
    /// What the file is called in messages.
    pub path: String,
    /// The text.
    pub text: String,
}

/// Sets the severities that the files name; all mistakes of all files at once. A rule whose check the server makes
/// itself stays a blocker: the server refuses whatever a file says, and only a waiver says who answers for force.
pub(super) fn apply(registry: &mut Registry, sources: &[SeveritySource]) -> Result<(), Vec<RuleError>> {
    let mut reader = Reader { errors: Vec::new(), set: BTreeMap::new() };
    for source in sources {
        reader.file(registry, source);
    }
    if reader.errors.is_empty() { Ok(()) } else { Err(reader.errors) }
}

struct Reader {
    errors: Vec<RuleError>,
    /// The file that set a rule's severity.
    set: BTreeMap<String, String>,
}

impl Reader {
    fn file(&mut self, registry: &mut Registry, source: &SeveritySource) {
        let table = match DeTable::parse(&source.text) {
            Ok(table) => table,
            Err(error) => {
                let help = "a line is: rule-id = \"warning\"";
                return self.wrong(source, error.span().unwrap_or(0..0), error.message(), help);
            }
        };
        for (key, value) in table.get_ref() {
            let id = key.get_ref().as_ref();
            let word = match value.get_ref() {
                DeValue::String(word) => word.as_ref(),
                DeValue::Table(_) => {
                    let help = "put an id with a dot in quotes: \"id-1.2\" = \"warning\"";
                    self.wrong(source, key.span(), &format!("\"{id}\" has no severity"), help);
                    continue;
                }
                _ => "",
            };
            let Some(severity) = Severity::from_word(word) else {
                self.wrong(
                    source,
                    value.span(),
                    &format!("unknown severity \"{word}\""),
                    "write blocker, warning or note",
                );
                continue;
            };
            if !registry.ids().contains(&id) {
                let help = nearest(id, &registry.ids()).map_or_else(
                    || "`poolgate rules list` shows all".to_owned(),
                    |nearest| format!("did you mean \"{nearest}\"?"),
                );
                self.wrong(source, key.span(), &format!("there is no rule \"{id}\""), &help);
                continue;
            }
            if let Some(first) = self.set.insert(id.to_owned(), source.path.clone()) {
                self.wrong(source, key.span(), &format!("{first} sets \"{id}\" already"), "keep one of the two");
                continue;
            }
            // A rule of another phase is not looked at in this run.
            let Some(rule) = registry.get_mut(id) else { continue };
            if rule.server.is_some() && severity < rule.severity {
                let message =
                    format!("\"{id}\" stays a {}: the server itself refuses the join", rule.severity.word());
                let help = "where force skips the check, a waiver says who answers for it";
                self.wrong(source, value.span(), &message, help);
                continue;
            }
            if severity != rule.severity {
                rule.severity_was = Some(rule.severity);
                rule.severity = severity;
            }
        }
    }

    fn wrong(&mut self, source: &SeveritySource, span: Range<usize>, message: &str, help: &str) {
        let error = ExprError { span: 0..span.len(), message: message.to_owned(), help: Some(help.to_owned()) };
        self.errors.push(RuleError {
            file: source.path.clone(),
            rendered: render(&source.path, &source.text, span.start, &[error]),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> Result<Registry, String> {
        let source = SeveritySource { path: "severity.toml".to_owned(), text: text.to_owned() };
        let registry = Registry::load(&[]).unwrap().with_severities(&[source]);
        registry.map_err(|errors| errors.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_severity_is_set_and_the_rules_own_is_kept() {
        let registry = load("cpu-pool-keeps-features = \"blocker\"\nclocks-agree = \"warning\"").unwrap();
        let rule = registry.get("cpu-pool-keeps-features").unwrap();
        assert_eq!((rule.severity, rule.severity_was), (Severity::Blocker, Some(Severity::Warning)));
    }

    #[test]
    fn a_refusal_of_the_server_stays_a_blocker() {
        let error = load("joiner-vms-not-running = \"note\"").unwrap_err();
        assert!(error.contains("the server itself refuses") && error.contains("severity.toml:1:26"), "{error}");
        // What force skips is refused all the same.
        assert!(load("software-homogeneous = \"warning\"").is_err());
        assert!(load("software-homogeneous = \"blocker\"").is_ok());
    }

    #[test]
    fn mistakes_have_places_and_help() {
        for (text, part) in [
            ("cpu-vendr = \"note\"", "did you mean \"cpu-vendor\"?"),
            ("cpu-vendor = \"high\"", "write blocker, warning or note"),
            ("a-1.2 = \"note\"", "in quotes"),
            ("cpu-vendor = 1", "write blocker, warning or note"),
            ("cpu-vendor", "severity.toml"),
        ] {
            let error = load(text).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
