//! What a rule says when it has something to say: message, items, evidence, fixes, the server's answers.

use std::sync::Arc;

use super::{Checker, Element, Texts, required};
use crate::facts::Type;
use crate::rules::expr::Scope;
use crate::rules::file::{self, SaysFile};
use crate::rules::rule::PLACES;
use crate::rules::says::{Fix, Refusal, Said};
use crate::rules::written::Written;

/// Reads what an embedded rule says. `each` is the name and type of the element, where the rule judges a list.
pub(in crate::rules) fn embedded_says(
    file: SaysFile,
    scope: &Arc<Scope>,
    each: Option<(String, Type)>,
) -> Option<Said> {
    let mut check = Checker { origin: "", texts: Texts::Embedded { says: "" }, scope, errors: Vec::new() };
    let said = check.says(file, &each.map(|(name, of)| Element { name, of }));
    said.filter(|_| check.errors.is_empty())
}

impl Checker<'_> {
    pub(super) fn says(&mut self, file: SaysFile, each: &Option<Element>) -> Option<Said> {
        let (element, summary) = (self.at(each.as_ref()), self.over(each.as_ref()));
        let message = self.template(&file.message, &summary);
        let item = file.item.as_ref().map(|source| {
            if each.is_none() {
                self.mistake(
                    source.span(),
                    "`item` without [each]".to_owned(),
                    "an item is written for each failing element; add [each], or drop the item".to_owned(),
                );
            }
            self.template(source, &element)
        });
        let fix: Vec<_> = file.fix.into_iter().map(|fix| self.fix(fix, each.is_some(), &element, &summary)).collect();
        let evidence: Vec<_> = file.evidence.iter().map(|source| self.any(source, self.scope)).collect();
        let refusals: Vec<_> = file.refusal.iter().map(|refusal| self.refusal(refusal, &summary)).collect();
        Some(Said {
            message: message?,
            item: required(item)?,
            evidence: evidence.into_iter().collect::<Option<_>>()?,
            fix: fix.into_iter().collect::<Option<_>>()?,
            refusals: refusals.into_iter().collect::<Option<_>>()?,
        })
    }

    fn fix(&mut self, fix: file::Fix, has_each: bool, element: &Arc<Scope>, summary: &Arc<Scope>) -> Option<Fix> {
        if !PLACES.contains(&fix.place.get_ref().as_str()) {
            self.mistake(
                fix.place.span(),
                format!("unknown place \"{}\"", fix.place.get_ref()),
                format!("write one of {}", PLACES.join(", ")),
            );
        }
        if fix.run.is_none() && fix.note.is_none() {
            self.mistake(fix.place.span(), "a fix that says nothing".to_owned(), "add `run` or `note`".to_owned());
        }
        if fix.each && !has_each {
            self.mistake(
                fix.place.span(),
                "`each` in a fix without [each]".to_owned(),
                "drop it, or judge a list with [each]".to_owned(),
            );
        }
        let scope = if fix.each { element } else { summary };
        let run = fix.run.as_ref().map(|source| self.template(source, scope));
        let note = fix.note.as_ref().map(|source| self.template(source, scope));
        let when = fix.when.as_ref().map(|source| self.expr(source, scope, Type::Bool));
        let trusted = self.trusted();
        let as_written = |source: &Option<Written>| match source {
            Some(source) if !trusted => source.get_ref().clone(),
            _ => String::new(),
        };
        Some(Fix {
            written: [as_written(&fix.run), as_written(&fix.note)],
            place: fix.place.into_inner(),
            run: required(run)?,
            note: required(note)?,
            loses: fix.loses.unwrap_or_default(),
            each: fix.each,
            when: required(when)?,
        })
    }

    fn refusal(&mut self, refusal: &file::Refusal, scope: &Scope) -> Option<Refusal> {
        let when = refusal.when.as_ref().map(|source| self.expr(source, scope, Type::Bool));
        let params: Vec<_> = refusal.params.iter().map(|source| self.expr(source, scope, Type::Text)).collect();
        let list = refusal.param_list.as_ref().map(|source| self.expr(source, scope, Type::List(&Type::Text)));
        Some(Refusal {
            when: required(when)?,
            code: refusal.code.clone(),
            params: params.into_iter().collect::<Option<_>>()?,
            param_list: required(list)?,
        })
    }
}
