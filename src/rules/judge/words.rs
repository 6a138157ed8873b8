//! The words of a finding: message, items, evidence and fixes of a rule that failed, and what is missing to one that is unknown.

use super::{Elements, Judge, answer};
use crate::facts::Value;
use crate::rules::evidence::list;
use crate::rules::expr::Read;
use crate::rules::outcome::{Finding, FixStep};
use crate::rules::rule::Each;
use crate::rules::says::Fix;
use crate::text::{decapitalised, shell_word};

impl<'c> Judge<'c, 'c> {
    pub(super) fn explain_failure(&mut self, finding: &mut Finding, elements: &Elements<'c>) {
        let says = self.rule.says.get();
        finding.message = says.message.render_lossy(&self.over(elements), &mut self.meter);
        let mut reads = Vec::new();
        if self.rule.each.is_some() {
            for (index, element) in &elements.failed {
                let vars = self.at(element);
                if let Some(item) = &says.item {
                    finding.items.push(item.render_lossy(&vars, &mut self.meter));
                }
                reads.extend(self.reads_at(*index, &vars));
            }
        } else {
            reads = self.rule.require.trace(self.base, &mut self.meter).reads;
        }
        if !says.evidence.is_empty() {
            reads = says.evidence.iter().flat_map(|fact| fact.trace(self.base, &mut self.meter).reads).collect();
        }
        finding.fix = self.fixes(elements);
        list(finding, self.sources, reads);
    }

    pub(super) fn explain_gap(&mut self, finding: &mut Finding, elements: &Elements<'c>) {
        let why = finding.unknown.clone().unwrap_or_default();
        finding.message = format!("cannot tell: {} ({why})", decapitalised(&self.rule.title));
        let mut reads = Vec::new();
        for (index, element) in &elements.unknown {
            let vars = self.at(element);
            reads.extend(self.reads_at(*index, &vars));
        }
        if let Some(each) = &self.rule.each {
            reads.extend(each.list.trace(self.base, &mut self.meter).reads);
        } else {
            reads.extend(self.rule.require.trace(self.base, &mut self.meter).reads);
        }
        if let Some(applies) = &self.rule.applies {
            reads.extend(applies.trace(self.base, &mut self.meter).reads);
        }
        reads.retain(|read| read.unknown.is_some());
        list(finding, self.sources, reads);
    }

    fn fixes(&mut self, elements: &Elements<'c>) -> Vec<FixStep> {
        let mut steps = Vec::new();
        for fix in &self.rule.says.get().fix {
            if fix.each {
                for (_, element) in &elements.failed {
                    let vars = self.at(element);
                    steps.extend(self.step(fix, &vars));
                }
            } else {
                let vars = self.over(elements);
                steps.extend(self.step(fix, &vars));
            }
        }
        steps
    }

    fn step(&mut self, fix: &Fix, vars: &[Value<'_>]) -> Option<FixStep> {
        let mut note = fix.note.as_ref().map(|note| note.render_lossy(vars, &mut self.meter)).unwrap_or_default();
        if let Some(when) = &fix.when {
            match answer(when.eval(vars, &mut self.meter)) {
                Ok(true) => {}
                Ok(false) => return None,
                // A step that may be needed is better shown than kept back, as long as it says so.
                Err(unknown) => {
                    note = format!("Whether this is the command here is not known ({unknown}). {note}")
                        .trim_end()
                        .to_owned();
                }
            }
        }
        let run = match fix.run.as_ref().map(|run| run.render_quoted(vars, &mut self.meter, shell_word)) {
            None => String::new(),
            Some(Ok(run)) => run,
            // Half a command is worse than none.
            Some(Err(unknown)) => {
                let note = format!("the command needs a fact that is missing ({unknown}). {note}");
                return Some(FixStep {
                    place: fix.place.clone(),
                    run: String::new(),
                    note: note.trim_end().to_owned(),
                    loses: fix.loses.clone(),
                });
            }
        };
        Some(FixStep { place: fix.place.clone(), run, note, loses: fix.loses.clone() })
    }

    /// What the condition read at one element, with the element's place in its list.
    fn reads_at(&mut self, index: usize, vars: &[Value<'_>]) -> Vec<Read> {
        let mut reads = self.rule.require.trace(vars, &mut self.meter).reads;
        if let Some(Each { name, path: Some(path), .. }) = &self.rule.each {
            for read in &mut reads {
                if let Some(rest) = read.path.strip_prefix(name.as_str())
                    && (rest.is_empty() || rest.starts_with(['.', '[']))
                {
                    read.path = format!("{path}[{index}]{rest}");
                }
            }
        }
        reads
    }
}
