//! Judges a case: evaluates rules, gathers the evidence, fills in messages and fixes.

mod words;

use std::borrow::Cow;

use crate::facts::{Known, Object, Reason, Unknown, Value};
use crate::rules::case::Judged;
use crate::rules::evidence::Sources;
use crate::rules::expr::{Expr, Meter};
use crate::rules::outcome::{Finding, Outcome, Refusal, ServerAnswer};
use crate::rules::rule::{Rule, Server};
use crate::rules::server::Existing;
use crate::text::cut;

/// The longest name in a message, characters.
const NAME: usize = 80;
/// How many elements a message names before it counts the rest.
const NAMED: usize = 8;

/// What every rule says of the case, in the order of the rules. Where one says that nothing else is to be mended, only that one
/// says how to mend.
pub(in crate::rules) fn judge<'r>(
    case: &dyn Judged,
    sources: Sources<'_>,
    rules: impl Iterator<Item = &'r Rule>,
) -> Vec<Finding> {
    let vars = case.values();
    let mut sole = None;
    let mut findings: Vec<Finding> = Vec::new();
    for rule in rules {
        let finding = finding_of(rule, case, sources, &vars);
        if finding.sole {
            sole.get_or_insert(findings.len());
        }
        findings.push(finding);
    }
    if let Some(sole) = sole {
        let others = findings.iter_mut().enumerate().filter(|(place, _)| *place != sole);
        others.for_each(|(_, finding)| {
            finding.fix.clear();
            finding.sole = false;
        });
    }
    findings
}

/// What one rule says of the case, whose values are given.
pub(in crate::rules) fn finding_of(
    rule: &Rule,
    case: &dyn Judged,
    sources: Sources<'_>,
    values: &[Value<'_>],
) -> Finding {
    Judge { rule, case, sources, base: values, meter: Meter::default(), words: true, existing: None }.finding()
}

/// The same without words: what came out, and what the server's check behind the rule would answer.
pub(in crate::rules) fn decide(
    rule: &Rule,
    case: &dyn Judged,
    sources: Sources<'_>,
    values: &[Value<'_>],
    existing: Option<&Existing>,
) -> Decided {
    let mut judge = Judge { rule, case, sources, base: values, meter: Meter::default(), words: false, existing };
    let Decision { outcome, unknown, server, .. } = judge.decision();
    Decided { outcome, unknown, server }
}

/// What a rule says without words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    /// What came out.
    pub outcome: Outcome,
    /// Why it cannot be decided, as the fact itself says it.
    pub unknown: Option<Unknown>,
    /// The server's check behind it, with the part of that check and its answer; none where the server does not check.
    pub server: Option<(&'static str, u32, ServerAnswer)>,
}

/// What a rule says, with what its words are made of.
struct Decision<'c> {
    outcome: Outcome,
    unknown: Option<Unknown>,
    server: Option<(&'static str, u32, ServerAnswer)>,
    elements: Elements<'c>,
}

struct Judge<'r, 'c> {
    rule: &'r Rule,
    case: &'c dyn Judged,
    sources: Sources<'c>,
    /// The values of the case's variables; an element's or the summary's come after them.
    base: &'c [Value<'c>],
    meter: Meter,
    /// Whether an unknown answer is worded: which fact is missing, and why.
    words: bool,
    /// Which checks the joiner's release has, where that was looked up before.
    existing: Option<&'c Existing>,
}

/// The answer of a condition: true, false, or unknown and why.
type Answer = Result<bool, Unknown>;

/// The elements of a list for which a condition failed or could not be decided, each with its place in the list.
#[derive(Default)]
struct Elements<'c> {
    failed: Vec<(usize, Value<'c>)>,
    /// The first of the failed ones in the list's own order, which for the server's look-ups is the server's.
    first: Option<Value<'c>>,
    unknown: Vec<(usize, Value<'c>)>,
}

impl<'c> Judge<'c, 'c> {
    fn decision(&mut self) -> Decision<'c> {
        let applicable = self.applicable();
        let mut elements = Elements::default();
        let holds = if applicable == Ok(false) { Ok(true) } else { self.holds(&mut elements) };
        let (outcome, unknown) = match (&applicable, &holds) {
            (Ok(false), _) => (Outcome::NotApplicable, None),
            (_, Ok(true)) => (Outcome::Pass, None),
            (Ok(true), Ok(false)) => (Outcome::Fail, None),
            (Ok(true), Err(unknown)) | (Err(unknown), _) => (Outcome::Unknown, Some(unknown.clone())),
        };
        let server = self.rule.server.as_ref().filter(|server| self.exists(server) == Ok(true));
        // A failure that may not count is no answer yet.
        let sure = match (&applicable, &holds) {
            (Err(unknown), Ok(false)) => Err(unknown.clone()),
            _ => holds.clone(),
        };
        let answer = server.map(|server| (server.check.name, server.part, self.server_answer(&sure, &elements)));
        Decision { outcome, unknown, server: answer, elements }
    }

    fn finding(mut self) -> Finding {
        let Decision { outcome, unknown, server, elements } = self.decision();
        let mut finding = Finding {
            rule: self.rule.id.clone(),
            title: self.rule.title.clone(),
            outcome,
            severity: self.rule.severity,
            message: self.rule.title.clone(),
            items: Vec::new(),
            evidence: Vec::new(),
            evidence_left_out: 0,
            fix: Vec::new(),
            server,
            unknown,
            waived: None,
            severity_was: self.rule.severity_was,
            sole: self.rule.sole_fix && outcome == Outcome::Fail,
        };
        match outcome {
            Outcome::Fail => self.explain_failure(&mut finding, &elements),
            Outcome::Unknown => self.explain_gap(&mut finding, &elements),
            Outcome::Pass | Outcome::NotApplicable => {}
        }
        finding
    }

    /// The value of an expression over these variables; an unknown one has words only where they are asked for.
    fn value<'e>(&mut self, expr: &'e Expr, vars: &[Value<'e>]) -> Value<'e> {
        if self.words { expr.eval(vars, &mut self.meter) } else { expr.eval_wordless(vars, &mut self.meter) }
    }

    fn answer<'e>(&mut self, expr: &'e Expr, vars: &[Value<'e>]) -> Answer {
        answer(self.value(expr, vars))
    }

    /// Whether the rule has a say: its own condition, and the server's check behind it existing in this release.
    fn applicable(&mut self) -> Answer {
        let own = match &self.rule.applies {
            None => Ok(true),
            Some(applies) => self.answer(applies, self.base),
        };
        let exists = match &self.rule.server {
            Some(server) if !server.beyond => self.exists(server),
            _ => Ok(true),
        };
        match (own, exists) {
            (Ok(false), _) | (_, Ok(false)) => Ok(false),
            (Err(unknown), _) | (_, Err(unknown)) => Err(unknown),
            (Ok(true), Ok(true)) => Ok(true),
        }
    }

    fn exists(&self, server: &Server) -> Answer {
        match self.case.xapi() {
            Known::Yes(xapi) => Ok(match self.existing {
                Some(existing) => existing.has(server.place),
                None => server.check.exists_in(xapi),
            }),
            // A check that every release has needs no release to be known.
            Known::No(_) if server.check.versions == [("", "")] => Ok(true),
            Known::No(unknown) => Err(unknown.clone()),
        }
    }

    fn holds(&mut self, elements: &mut Elements<'c>) -> Answer {
        let Some(each) = &self.rule.each else {
            return self.answer(&self.rule.require, self.base);
        };
        let list = members(self.value(&each.list, self.base))?;
        let mut gap = None;
        let mut vars = if list.is_empty() { Vec::new() } else { self.at(&Value::Null) };
        for (index, element) in list.into_iter().enumerate() {
            if let Some(last) = vars.last_mut() {
                *last = element.clone();
            }
            match self.answer(&self.rule.require, &vars) {
                Ok(true) => {}
                Ok(false) => elements.failed.push((index, element)),
                Err(unknown) => {
                    gap.get_or_insert(unknown);
                    elements.unknown.push((index, element));
                }
            }
        }
        elements.first = elements.failed.first().map(|(_, element)| element.clone());
        // However a server lists them, a report names them in one order.
        elements.failed.sort_by_cached_key(|(_, element)| in_order(element));
        // Those that are not decided are only ever named.
        if self.words {
            elements.unknown.sort_by_cached_key(|(_, element)| in_order(element));
        }
        match gap {
            _ if !elements.failed.is_empty() => Ok(false),
            Some(unknown) => Err(unknown),
            None => Ok(true),
        }
    }

    fn server_answer(&mut self, holds: &Answer, elements: &Elements<'c>) -> ServerAnswer {
        if *holds == Ok(true) {
            return ServerAnswer::Passes;
        }
        for refusal in self.rule.refusals() {
            let refuses = match (&refusal.when, holds) {
                (None, Ok(holds)) => Ok(!holds),
                (None, Err(_)) => return ServerAnswer::Undecided,
                (Some(when), _) => {
                    let vars = self.over(elements);
                    self.answer(when, &vars)
                }
            };
            match refuses {
                Ok(false) => {}
                Err(_) => return ServerAnswer::Undecided,
                Ok(true) => {
                    let vars = self.over(elements);
                    return ServerAnswer::Refuses(self.refusal(refusal, &vars));
                }
            }
        }
        ServerAnswer::Passes
    }

    fn refusal(&mut self, refusal: &crate::rules::says::Refusal, vars: &[Value<'_>]) -> Refusal {
        let mut params = Vec::new();
        for param in &refusal.params {
            params.push(show(&param.eval(vars, &mut self.meter)));
        }
        if let Some(list) = &refusal.param_list
            && let Ok(list) = members(list.eval(vars, &mut self.meter))
        {
            params.extend(list.iter().map(show));
        }
        Refusal { code: refusal.code.clone(), params }
    }

    /// The variables at one element of the list that is judged.
    fn at(&self, element: &Value<'c>) -> Vec<Value<'c>> {
        let mut vars = self.base.to_vec();
        vars.push(element.clone());
        vars
    }

    /// The variables with `count`, `names` and `first` of the failing elements, for rules that judge a list.
    fn over(&self, elements: &Elements<'c>) -> Cow<'c, [Value<'c>]> {
        if self.rule.each.is_none() {
            return Cow::Borrowed(self.base);
        }
        let mut vars = self.base.to_vec();
        let count = elements.failed.len();
        let mut names: Vec<_> = elements
            .failed
            .iter()
            .take(NAMED)
            .map(|(_, element)| cut(&name_of(element), NAME).into_owned())
            .collect();
        if count > NAMED {
            names.push(format!("and {} more", count - NAMED));
        }
        vars.push(Value::Int(i64::try_from(count).unwrap_or(i64::MAX)));
        vars.push(Value::Made(names.into_iter().map(|name| Value::Text(name.into())).collect()));
        let none = || Value::Unknown(Cow::Owned(Unknown::because(Reason::NotApplicable, "no element fails")));
        vars.push(elements.first.clone().unwrap_or_else(none));
        Cow::Owned(vars)
    }
}

fn answer(value: Value<'_>) -> Answer {
    match value {
        Value::Bool(holds) => Ok(holds),
        Value::Unknown(unknown) => Err(unknown.into_owned()),
        // The checker admits only bool here; anything else must not pass.
        _ => Err(Unknown::because(Reason::Unreadable, "the condition gave no bool")),
    }
}

fn members(value: Value<'_>) -> Result<Vec<Value<'_>>, Unknown> {
    match value {
        Value::List(list) => Ok((0..list.len()).map(|index| list.get(index)).collect()),
        Value::Made(list) => Ok(list.to_vec()),
        Value::Unknown(unknown) => Err(unknown.into_owned()),
        _ => Err(Unknown::because(Reason::Unreadable, "not a list")),
    }
}

/// What elements of a list are sorted by: the name that people know, then what tells two of one name apart.
fn in_order(value: &Value<'_>) -> [String; 3] {
    let text = |name| match value {
        Value::Object(object) => object.def().field(name).map(|(index, _)| show(&object.field(index))),
        _ => None,
    };
    [name_of(value), text("uuid").unwrap_or_default(), text("reference").unwrap_or_default()]
}

fn name_of(value: &Value<'_>) -> String {
    match value {
        Value::Object(object) => Object::label(*object),
        other => show(other),
    }
}

fn show(value: &Value<'_>) -> String {
    match value {
        Value::Text(text) => text.clone().into_owned(),
        Value::Unknown(unknown) => format!("(unknown: {unknown})"),
        other => format!("{other:?}"),
    }
}
