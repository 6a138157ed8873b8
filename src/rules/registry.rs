//! All rules of a run: the built-in folder, embedded in the binary, and folders of the user's own.

use std::collections::BTreeMap;

use super::case::Case;
use super::expr::Scope;
use super::load::{parse_embedded, parse_rule};
use super::rule::{Phase, Rule, RuleError};

/// (phase, stem, path, text, the same as JSON without its examples) of every built-in rule file.
const EMBEDDED: &[(&str, &str, &str, &str, &str)] = include!(concat!(env!("OUT_DIR"), "/rules.rs"));

/// A rule file that was read but not checked.
#[derive(Clone, Debug)]
pub struct RuleSource {
    /// What the file is called in messages.
    pub path: String,
    /// The file's name without `.toml`.
    pub stem: String,
    /// The folder's phase; join for files that lie in no phase's folder.
    pub phase: Phase,
    /// The text.
    pub text: String,
}

/// The rules of a run, by id.
#[derive(Debug, Default)]
pub struct Registry {
    rules: BTreeMap<String, Rule>,
}

impl Registry {
    /// The rules for judging: the built-in ones without their examples, which are most of their text, and the user's.
    pub fn load(own: &[RuleSource]) -> Result<Self, Vec<RuleError>> {
        let scope = scope();
        let mut registry = Self::default();
        for (phase, stem, path, _, json) in EMBEDDED {
            let phase = Phase::from_word(phase).unwrap_or(Phase::Join);
            let Some(rule) = parse_embedded(path, stem, phase, json, &scope) else {
                // A mistake in a built-in rule, which only the text can place.
                return Self::load_whole(own);
            };
            registry.rules.insert(rule.id.clone(), rule);
        }
        registry.add_own(own, &scope, Vec::new())
    }

    /// The rules with all there is to know about them.
    pub fn load_whole(own: &[RuleSource]) -> Result<Self, Vec<RuleError>> {
        let scope = scope();
        let mut registry = Self::default();
        let mut errors = Vec::new();
        for (phase, stem, path, text, _) in EMBEDDED {
            let phase = Phase::from_word(phase).unwrap_or(Phase::Join);
            registry.add(parse_rule(path, stem, phase, text, &scope), &mut errors);
        }
        registry.add_own(own, &scope, errors)
    }

    /// Adds the user's rules. All mistakes of all files at once; a user's rule may not take the name of a built-in one,
    /// because that would change silently what a built-in name means.
    fn add_own(
        mut self,
        own: &[RuleSource],
        scope: &Scope,
        mut errors: Vec<RuleError>,
    ) -> Result<Self, Vec<RuleError>> {
        for source in own {
            self.add(parse_rule(&source.path, &source.stem, source.phase, &source.text, scope), &mut errors);
        }
        if errors.is_empty() { Ok(self) } else { Err(errors) }
    }

    fn add(&mut self, parsed: Result<Rule, Vec<RuleError>>, errors: &mut Vec<RuleError>) {
        match parsed {
            Err(more) => errors.extend(more),
            Ok(rule) => match self.rules.get(&rule.id) {
                Some(first) => errors.push(RuleError {
                    file: rule.origin.clone(),
                    rendered: format!(
                        "{}: rule \"{}\" exists already, in {}; give this one another name",
                        rule.origin, rule.id, first.origin
                    ),
                }),
                None => {
                    self.rules.insert(rule.id.clone(), rule);
                }
            },
        }
    }

    /// All rules, by id.
    pub fn all(&self) -> impl Iterator<Item = &Rule> {
        self.rules.values()
    }

    /// The rules of a phase, by id.
    pub fn of(&self, phase: Phase) -> impl Iterator<Item = &Rule> {
        self.all().filter(move |rule| rule.phases.contains(&phase))
    }

    /// One rule.
    pub fn get(&self, id: &str) -> Option<&Rule> {
        self.rules.get(id)
    }
}

/// What the conditions of rules may speak of.
fn scope() -> Scope {
    Scope::new(Case::variables()).with_feature_names(crate::cpu::names::name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn embedded_rules_are_read_without_their_text() {
        let scope = scope();
        for (phase, stem, path, text, json) in EMBEDDED {
            let phase = Phase::from_word(phase).unwrap();
            if let Err(error) = serde_json::from_str::<super::super::file::RuleFile>(json) {
                panic!("{path}: {error}: {json}");
            }
            let lean = parse_embedded(path, stem, phase, json, &scope).unwrap_or_else(|| panic!("{path}"));
            let whole = parse_rule(path, stem, phase, text, &scope).unwrap();
            assert_eq!((lean.id, lean.title, lean.condition), (whole.id, whole.title, whole.condition));
        }
    }
}
