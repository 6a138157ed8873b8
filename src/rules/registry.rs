//! All rules of a run: the built-in folder, embedded in the binary, and folders of the user's own.

use std::collections::BTreeMap;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::case::{Case, variables};
use super::eject::EjectCase;
use super::expr::Scope;
use super::load::{parse_embedded, parse_rule};
use super::rule::{Phase, Rule, RuleError};
use super::severity::{self, SeveritySource};
use crate::facts::Fact;

/// (phase, stem, path, text, what decides as JSON, what is said as JSON) of every built-in rule file.
const EMBEDDED: &[(&str, &str, &str, &str, &str, &str)] = include!(concat!(env!("OUT_DIR"), "/rules.rs"));

/// What [`Registry::digest`] says of the built-in rules alone, counted when this was built.
pub const BUILT_IN_DIGEST: &str = env!("POOLGATE_RULES_DIGEST");
/// How many built-in rules there are.
pub const BUILT_IN_RULES: &str = env!("POOLGATE_RULES");

/// The ids of the built-in rules, by phase and name.
pub fn built_in_ids() -> Vec<&'static str> {
    EMBEDDED.iter().map(|(_, stem, ..)| *stem).collect()
}

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
    /// SHA-256 over the texts of the rules of one's own.
    own: Sha256,
}

impl Registry {
    /// The rules for judging: the built-in ones without their examples, which are most of their text, and the user's. A
    /// mistake in a rule of one's own is an error with file, line and column; all of them at once.
    ///
    /// ```
    /// use poolgate::rules::{Phase, Registry, RuleSource};
    ///
    /// let text = r#"
    ///     id = "bios-at-least-2.10"
    ///     title = "The joiner's firmware is 2.10 or newer"
    ///     why = "Older firmware loses the management controller after a reboot."
    ///     severity = "warning"
    ///     require = "version_at_least(host.hardware.bios_version, '2.10')"
    ///     message = "firmware {host.hardware.bios_version} on {host.name_label}"
    /// "#;
    /// let own = |text: &str| RuleSource {
    ///     path: "bios-at-least-2.10.toml".to_owned(),
    ///     stem: "bios-at-least-2.10".to_owned(),
    ///     phase: Phase::Join,
    ///     text: text.to_owned(),
    /// };
    /// let rules = Registry::load(&[own(text)]).expect("the rule is sound");
    /// assert_eq!(rules.get("bios-at-least-2.10").unwrap().facts(), ["host.hardware.bios_version"]);
    ///
    /// // A fact that is misspelt is no rule that silently passes.
    /// let errors = Registry::load(&[own(&text.replace("hardware.bios", "hardware.boss"))]).unwrap_err();
    /// assert!(errors[0].rendered.contains("did you mean"), "{}", errors[0].rendered);
    /// ```
    pub fn load(own: &[RuleSource]) -> Result<Self, Vec<RuleError>> {
        Self::load_some(own, |_| true)
    }

    /// The rules for judging one phase. The built-in ones of phases that read other facts are not even looked at.
    pub fn load_for(phase: Phase, own: &[RuleSource]) -> Result<Self, Vec<RuleError>> {
        Self::load_some(own, |folder| (folder == Phase::Eject) == (phase == Phase::Eject))
    }

    /// One rule by itself, not held against others.
    pub fn read_one(source: &RuleSource) -> Result<Rule, Vec<RuleError>> {
        let scopes = Scopes::new();
        parse_rule(&source.path, &source.stem, source.phase, &source.text, scopes.of(source.phase))
    }

    fn load_some(own: &[RuleSource], wanted: impl Fn(Phase) -> bool) -> Result<Self, Vec<RuleError>> {
        let scopes = Scopes::new();
        let mut registry = Self::default();
        for (phase, stem, path, _, decides, says) in EMBEDDED {
            let phase = Phase::from_word(phase).unwrap_or(Phase::Join);
            if !wanted(phase) {
                continue;
            }
            let Some(rule) = parse_embedded(path, stem, phase, decides, says, scopes.of(phase)) else {
                // A mistake in a built-in rule, which only the text can place.
                return Self::load_whole(own);
            };
            registry.rules.insert(rule.id.clone(), rule);
        }
        registry.add_own(own, &scopes, Vec::new())
    }

    /// The rules with all there is to know about them.
    pub fn load_whole(own: &[RuleSource]) -> Result<Self, Vec<RuleError>> {
        let scopes = Scopes::new();
        let mut registry = Self::default();
        let mut errors = Vec::new();
        for (phase, stem, path, text, ..) in EMBEDDED {
            let phase = Phase::from_word(phase).unwrap_or(Phase::Join);
            match parse_rule(path, stem, phase, text, scopes.of(phase)) {
                Ok(rule) => drop(registry.rules.insert(rule.id.clone(), rule)),
                Err(more) => errors.extend(more),
            }
        }
        registry.add_own(own, &scopes, errors)
    }

    /// Sets the severities of a user's `severity.toml` files.
    pub fn with_severities(mut self, sources: &[SeveritySource]) -> Result<Self, Vec<RuleError>> {
        for source in sources {
            feed(&mut self.own, &["severity", &source.text]);
        }
        severity::apply(&mut self, sources).map(|()| self)
    }

    /// Adds the user's rules. All mistakes of all files at once; a user's rule may not take the name of a built-in one,
    /// because that would change silently what a built-in name means.
    fn add_own(
        mut self,
        own: &[RuleSource],
        scopes: &Scopes,
        mut errors: Vec<RuleError>,
    ) -> Result<Self, Vec<RuleError>> {
        for source in own {
            feed(&mut self.own, &[source.phase.word(), &source.stem, &source.text]);
            let scope = scopes.of(source.phase);
            self.add(parse_rule(&source.path, &source.stem, source.phase, &source.text, scope), &mut errors);
        }
        if errors.is_empty() { Ok(self) } else { Err(errors) }
    }

    fn add(&mut self, parsed: Result<Rule, Vec<RuleError>>, errors: &mut Vec<RuleError>) {
        match parsed {
            Err(more) => errors.extend(more),
            Ok(rule) => match self.origin(&rule.id) {
                Some(first) => errors.push(RuleError {
                    file: rule.origin.clone(),
                    rendered: format!(
                        "{}: rule \"{}\" exists already, in {}; give this one another name",
                        rule.origin, rule.id, first
                    ),
                }),
                None => {
                    self.rules.insert(rule.id.clone(), rule);
                }
            },
        }
    }

    /// The file of the rule with this id, built-in ones that were not looked at included.
    fn origin(&self, id: &str) -> Option<String> {
        let built_in =
            || EMBEDDED.iter().find(|(_, stem, ..)| *stem == id).map(|(_, _, path, ..)| (*path).to_owned());
        self.rules.get(id).map(|rule| rule.origin.clone()).or_else(built_in)
    }

    /// The ids of all rules, built-in ones that were not looked at included.
    pub fn ids(&self) -> Vec<&str> {
        let built_in = EMBEDDED.iter().map(|(_, stem, ..)| *stem);
        let mut ids: Vec<_> = self.rules.keys().map(String::as_str).chain(built_in).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// SHA-256 over everything that the rules say, built-in ones and one's own: two runs with one digest judge alike.
    pub fn digest(&self) -> String {
        let mut digest = self.own.clone();
        for (phase, stem, _, _, decides, says) in EMBEDDED {
            feed(&mut digest, &[phase, stem, decides, says]);
        }
        digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// All rules, by id.
    pub fn all(&self) -> impl Iterator<Item = &Rule> {
        self.rules.values()
    }

    /// The rules of a phase, by id.
    pub fn of(&self, phase: Phase) -> impl Iterator<Item = &Rule> {
        self.all().filter(move |rule| rule.phases.contains(&phase))
    }

    pub(super) fn get_mut(&mut self, id: &str) -> Option<&mut Rule> {
        self.rules.get_mut(id)
    }

    /// One rule.
    pub fn get(&self, id: &str) -> Option<&Rule> {
        self.rules.get(id)
    }
}

/// Feeds texts to a digest, each with its length, so that no two lists of texts look alike.
fn feed(digest: &mut Sha256, texts: &[&str]) {
    for text in texts {
        digest.update((text.len() as u64).to_le_bytes());
        digest.update(text.as_bytes());
    }
}

/// What the conditions of rules may speak of, by phase.
struct Scopes {
    join: Arc<Scope>,
    eject: Arc<Scope>,
}

impl Scopes {
    fn new() -> Self {
        Self { join: scope::<Case<'static>>(), eject: scope::<EjectCase<'static>>() }
    }

    const fn of(&self, phase: Phase) -> &Arc<Scope> {
        match phase {
            Phase::Join | Phase::Procurement => &self.join,
            Phase::Eject => &self.eject,
        }
    }
}

fn scope<C: Fact>() -> Arc<Scope> {
    Arc::new(Scope::new(variables::<C>()).with_feature_names(crate::cpu::names::name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_of_the_build_is_that_of_the_built_in_rules() {
        assert_eq!(Registry::load(&[]).unwrap().digest(), BUILT_IN_DIGEST);
        assert_eq!(EMBEDDED.len().to_string(), BUILT_IN_RULES);
    }

    #[test]
    fn embedded_rules_are_read_without_their_text() {
        let scopes = Scopes::new();
        for (phase, stem, path, text, decides, says) in EMBEDDED {
            let phase = Phase::from_word(phase).unwrap();
            let lean = parse_embedded(path, stem, phase, decides, says, scopes.of(phase));
            let lean = lean.unwrap_or_else(|| panic!("{path}: {decides}"));
            let whole = parse_rule(path, stem, phase, text, scopes.of(phase)).unwrap();
            assert!(lean.says.reads(), "{path}: {says}");
            assert_eq!(format!("{:?}", lean.refusals()), format!("{:?}", whole.refusals()), "{path}");
            let counts = |rule: &Rule| {
                let said = rule.says.get();
                (said.evidence.len(), said.fix.len(), said.item.is_some(), said.message.facts())
            };
            assert_eq!(counts(&lean), counts(&whole), "{path}");
            assert_eq!((lean.id, lean.title, lean.condition), (whole.id, whole.title, whole.condition));
        }
    }
}
