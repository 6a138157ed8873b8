//! All rules of a run: the built-in folder, embedded in the binary, and folders of the user's own.

use std::collections::BTreeMap;

use super::case::Case;
use super::expr::Scope;
use super::rule::{Phase, Rule, RuleError, parse_rule};

/// (phase, stem, path, text, length of the text without its examples) of every built-in rule file.
const EMBEDDED: &[(&str, &str, &str, &str, usize)] = include!(concat!(env!("OUT_DIR"), "/rules.rs"));

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
    /// The rules for judging: without the built-in ones' examples, which are most of their text.
    pub fn load(own: &[RuleSource]) -> Result<Self, Vec<RuleError>> {
        Self::read(own, |text, lean| text.get(..lean).unwrap_or(text))
    }

    /// The rules with all there is to know about them.
    pub fn load_whole(own: &[RuleSource]) -> Result<Self, Vec<RuleError>> {
        Self::read(own, |text, _| text)
    }

    /// The built-in rules and the user's. All mistakes of all files at once; a user's rule may not take the name of a
    /// built-in one, because that would change silently what a built-in name means.
    fn read(own: &[RuleSource], part: fn(&'static str, usize) -> &'static str) -> Result<Self, Vec<RuleError>> {
        let scope = Scope::new(Case::variables()).with_feature_names(crate::cpu::names::name);
        let mut registry = Self::default();
        let mut errors = Vec::new();
        for (phase, stem, path, text, lean) in EMBEDDED {
            let phase = Phase::from_word(phase).unwrap_or(Phase::Join);
            registry.add(parse_rule(path, stem, phase, part(text, *lean), &scope), &mut errors);
        }
        for source in own {
            registry.add(parse_rule(&source.path, &source.stem, source.phase, &source.text, &scope), &mut errors);
        }
        if errors.is_empty() { Ok(registry) } else { Err(errors) }
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
