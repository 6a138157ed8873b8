//! From a rule's text to a rule whose every expression was checked against the model.

mod says;

use std::ops::Range;
use std::sync::Arc;

use crate::rules::checks;
use crate::rules::expr::{self, Expr, ExprError, Scope, Template};
use crate::rules::file::{self, RuleFile, SaysFile};
use crate::rules::outcome::Severity;
use crate::rules::rule::{Each, Phase, Rule, RuleError, Server};
use crate::rules::says::Says;

use crate::facts::Type;
use crate::rules::written::Written;
pub(in crate::rules) use says::embedded_says;

/// Reads and checks a rule. `stem` is what the id must be; `phase` is the folder's.
pub(in crate::rules) fn parse_rule(
    origin: &str,
    stem: &str,
    phase: Phase,
    text: &str,
    scope: &Arc<Scope>,
) -> Result<Rule, Vec<RuleError>> {
    let file: RuleFile = toml::from_str(text).map_err(|error| {
        vec![RuleError { file: origin.to_owned(), rendered: format!("{origin}: {}", error.to_string().trim_end()) }]
    })?;
    checked(origin, stem, phase, file, Texts::File(text), scope)
}

/// Reads and checks a rule that is embedded as JSON, without its examples. Its mistakes have no place: who meets one
/// reads the file itself with [`parse_rule`].
/// What the rule says is read from `says` when it is asked for.
pub(in crate::rules) fn parse_embedded(
    origin: &str,
    stem: &str,
    phase: Phase,
    decides: &str,
    says: &'static str,
    scope: &Arc<Scope>,
) -> Option<Rule> {
    let file: RuleFile = serde_json::from_str(decides).ok()?;
    checked(origin, stem, phase, file, Texts::Embedded { says }, scope).ok()
}

/// Where a rule's texts come from.
#[derive(Clone, Copy)]
enum Texts<'t> {
    /// A file, whose mistakes are shown in it.
    File(&'t str),
    /// The binary: a test has checked them, and what the rule says is still to be read from `says`.
    Embedded { says: &'static str },
}

/// The element of the list that a rule judges.
struct Element {
    name: String,
    of: Type,
}

fn checked(
    origin: &str,
    stem: &str,
    phase: Phase,
    file: RuleFile,
    texts: Texts<'_>,
    scope: &Arc<Scope>,
) -> Result<Rule, Vec<RuleError>> {
    let mut check = Checker { origin, texts, scope, errors: Vec::new() };
    let rule = check.rule(file, stem, phase);
    match (rule, check.errors.is_empty()) {
        (Some(rule), true) => Ok(rule),
        _ => Err(check.errors),
    }
}

/// Walks a file, checks every part, and collects all mistakes instead of the first.
struct Checker<'t> {
    origin: &'t str,
    texts: Texts<'t>,
    scope: &'t Arc<Scope>,
    errors: Vec<RuleError>,
}

impl Checker<'_> {
    fn rule(&mut self, file: RuleFile, stem: &str, phase: Phase) -> Option<Rule> {
        if file.id.get_ref() != stem {
            let id = file.id.get_ref();
            self.mistake(
                file.id.span(),
                format!("id \"{id}\" differs from the file's name"),
                format!("write id = \"{stem}\", or rename the file to {id}.toml"),
            );
        }
        if !is_kebab(stem) {
            self.mistake(
                file.id.span(),
                format!("\"{stem}\" is no rule id"),
                "use lower-case words joined by '-'".to_owned(),
            );
        }
        if !self.trusted() && file.why.trim().is_empty() {
            let help = "add why = \"…\": what goes wrong where the rule fails".to_owned();
            self.mistake(file.id.span(), "the rule does not say why it matters".to_owned(), help);
        }
        let severity = Severity::from_word(file.severity.get_ref());
        if severity.is_none() {
            let word = file.severity.get_ref();
            self.mistake(
                file.severity.span(),
                format!("unknown severity \"{word}\""),
                "write blocker, warning or note".to_owned(),
            );
        }
        let mut phases = vec![phase];
        for word in &file.phases {
            match Phase::from_word(word.get_ref()) {
                Some(more) if phases.contains(&more) => {}
                // Its conditions are checked against what one case holds.
                Some(more) if (more == Phase::Eject) != (phase == Phase::Eject) => self.mistake(
                    word.span(),
                    format!("a rule of phase {} cannot be of phase {} too", phase.word(), more.word()),
                    "eject rules read other facts than join rules; write two, in join/ and in eject/".to_owned(),
                ),
                Some(more) => phases.push(more),
                None => self.mistake(
                    word.span(),
                    format!("unknown phase \"{}\"", word.get_ref()),
                    "write join, eject or procurement".to_owned(),
                ),
            }
        }
        let applies = file.applies.as_ref().and_then(|source| self.expr(source, self.scope, Type::Bool));
        let each = match &file.each {
            None => None,
            // Without the element's type every other expression would only repeat the mistake.
            Some(each) => Some(self.each(each)?),
        };
        let (each, element) = each.map_or((None, None), |(each, element)| (Some(each), Some(element)));
        let require = self.expr(&file.require, &self.at(element.as_ref()), Type::Bool);
        let server = file.server.map(|server| (self.server(&server, phase), server.refusal));
        let (server, refusal) = server.map_or((None, Vec::new()), |(server, refusal)| (Some(server), refusal));
        let says = match self.texts {
            Texts::Embedded { says } => {
                Some(Says::later(says, self.scope, element.map(|element| (element.name, element.of))))
            }
            Texts::File(_) => {
                let says = SaysFile {
                    message: file.message,
                    item: file.item,
                    evidence: file.evidence,
                    fix: file.fix,
                    refusal,
                };
                self.says(says, &element).map(Says::read)
            }
        };
        self.examples(&file.example);
        Some(Rule {
            id: stem.to_owned(),
            title: file.title,
            why: file.why,
            severity: severity?,
            severity_was: None,
            sole_fix: file.sole_fix,
            waivable: file.waivable,
            phases,
            references: file.references,
            examples: file.example,
            origin: self.origin.to_owned(),
            applies,
            each,
            condition: file.require.get_ref().clone(),
            applicability: file.applies.as_ref().map(|source| source.get_ref().clone()),
            require: require?,
            says: says?,
            server: required(server)?,
        })
    }

    const fn text(&self) -> &str {
        match self.texts {
            Texts::File(text) => text,
            Texts::Embedded { .. } => "",
        }
    }

    const fn trusted(&self) -> bool {
        matches!(self.texts, Texts::Embedded { .. })
    }

    /// What may be spoken of at one element of the list that the rule judges.
    fn at(&self, element: Option<&Element>) -> Arc<Scope> {
        match element {
            None => Arc::clone(self.scope),
            Some(Element { name, of }) => Arc::new(Scope::clone(self.scope).with(name.clone(), *of)),
        }
    }

    /// What may be spoken of over all failing elements.
    fn over(&self, element: Option<&Element>) -> Arc<Scope> {
        let Some(Element { of, .. }) = element else { return Arc::clone(self.scope) };
        let scope = Scope::clone(self.scope).with("count", Type::Int);
        Arc::new(scope.with("names", Type::List(&Type::Text)).with("first", *of))
    }

    /// An example that expects what no rule says could only fail.
    fn examples(&mut self, examples: &[file::Example]) {
        const OUTCOMES: [&str; 4] = ["pass", "fail", "unknown", "not-applicable"];
        for example in examples.iter().filter(|example| !OUTCOMES.contains(&example.expect.as_str())) {
            let file::Example { name, expect, .. } = example;
            let rendered = format!(
                "{}: example \"{name}\" expects \"{expect}\"; write one of {}",
                self.origin,
                OUTCOMES.join(", ")
            );
            self.errors.push(RuleError { file: self.origin.to_owned(), rendered });
        }
    }

    fn each(&mut self, each: &file::Each) -> Option<(Each, Element)> {
        let name = each.name.get_ref();
        let taken = self.scope.variables().any(|(variable, _)| variable == name);
        if taken || !is_identifier(name) || matches!(name.as_str(), "count" | "names" | "first") {
            self.mistake(
                each.name.span(),
                format!("\"{name}\" cannot name the element"),
                "choose an identifier that is no fact and not `count`, `names` or `first`".to_owned(),
            );
            return None;
        }
        let list = self.any(&each.list, self.scope)?;
        let Type::List(of) = list.ty() else {
            self.mistake(
                each.list.span(),
                format!("[each] needs a list, and this is {}", list.ty()),
                "name a list of the case, such as joiner.vms".to_owned(),
            );
            return None;
        };
        let source = each.list.get_ref().trim();
        let is_path = source.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.".contains(&byte));
        let path = is_path.then(|| source.to_owned());
        Some((Each { name: name.clone(), list, path }, Element { name: name.clone(), of: *of }))
    }

    fn server(&mut self, server: &file::Server, phase: Phase) -> Option<Server> {
        let name = server.check.get_ref();
        let found = checks::find(phase, name);
        if found.is_none() {
            let nearest = checks::of(phase)
                .iter()
                .map(|check| check.name)
                .min_by_key(|check| strsim::levenshtein(check, name))
                .filter(|check| strsim::normalized_levenshtein(check, name) > 0.6);
            let help = nearest.map_or_else(
                || {
                    format!(
                        "the names are those of rules/data/{}-checks.toml",
                        if phase == Phase::Eject { "eject" } else { "join" }
                    )
                },
                |nearest| format!("did you mean \"{nearest}\"?"),
            );
            self.mistake(server.check.span(), format!("the server has no check \"{name}\""), help);
        }
        let (place, check) = found?;
        Some(Server { check, place, part: server.part, beyond: server.beyond })
    }

    fn any(&mut self, source: &Written, scope: &Scope) -> Option<Expr> {
        match expr::infer(source.get_ref(), scope) {
            Ok(expr) => Some(expr),
            Err(errors) => {
                self.wrong(source, &errors);
                None
            }
        }
    }

    fn expr(&mut self, source: &Written, scope: &Scope, expected: Type) -> Option<Expr> {
        match expr::compile(source.get_ref(), scope, expected) {
            Ok(expr) => Some(expr),
            Err(errors) => {
                self.wrong(source, &errors);
                None
            }
        }
    }

    fn template(&mut self, source: &Written, scope: &Arc<Scope>) -> Option<Template> {
        if self.trusted() {
            return Some(Template::trusted(source.get_ref(), scope));
        }
        match Template::compile(source.get_ref(), scope) {
            Ok(template) => Some(template),
            Err(errors) => {
                self.wrong(source, &errors);
                None
            }
        }
    }

    fn wrong(&mut self, source: &Written, errors: &[ExprError]) {
        let text = self.text();
        let offset = content_offset(text, source.span());
        self.errors.push(RuleError {
            file: self.origin.to_owned(),
            rendered: expr::render(self.origin, text, offset, errors),
        });
    }

    fn mistake(&mut self, span: Range<usize>, message: String, help: String) {
        let error = ExprError { span: 0..span.len(), message, help: Some(help) };
        self.errors.push(RuleError {
            file: self.origin.to_owned(),
            rendered: expr::render(self.origin, self.text(), span.start, &[error]),
        });
    }
}

/// Nothing stays nothing; a part that failed its check fails the whole.
fn required<T>(part: Option<Option<T>>) -> Option<Option<T>> {
    match part {
        None => Some(None),
        Some(Some(part)) => Some(Some(part)),
        Some(None) => None,
    }
}

/// Where the text of a TOML string begins, inside its quotes.
fn content_offset(text: &str, span: Range<usize>) -> usize {
    let token = text.get(span.clone()).unwrap_or_default();
    let quotes = if token.starts_with("\"\"\"") || token.starts_with("'''") { 3 } else { 1 };
    let newline = if quotes == 3 && token[3..].starts_with('\n') { 1 } else { 0 };
    span.start + quotes + newline
}

fn is_kebab(text: &str) -> bool {
    !text.is_empty()
        && text.split('-').all(|word| {
            !word.is_empty()
                && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'.')
        })
}

fn is_identifier(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
