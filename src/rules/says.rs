//! What a rule says when it has something to say: message, items, evidence, fixes and the server's answers. Most rules pass in
//! most runs, so the built-in ones are read that far only when they are asked.

use std::sync::{Arc, OnceLock};

use super::expr::{Expr, Scope, Template};
use super::file::SaysFile;
use super::load::embedded_says;
use crate::facts::Type;

/// What a rule says, or what it is to be read from.
#[derive(Debug)]
pub(super) struct Says {
    made: OnceLock<Said>,
    later: Option<Later>,
}

#[derive(Debug)]
struct Later {
    json: &'static str,
    scope: Arc<Scope>,
    each: Option<(String, Type)>,
}

/// What a rule says, read.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) message: Template,
    pub(super) item: Option<Template>,
    pub(super) evidence: Vec<Expr>,
    pub(super) fix: Vec<Fix>,
    pub(super) refusals: Vec<Refusal>,
}

/// A step that mends it.
#[derive(Debug)]
pub(super) struct Fix {
    pub(super) place: String,
    pub(super) run: Option<Template>,
    pub(super) note: Option<Template>,
    /// The two as written, for `rules explain`.
    pub(super) written: [String; 2],
    pub(super) loses: String,
    pub(super) each: bool,
    pub(super) when: Option<Expr>,
}

/// One answer of a server's check.
#[derive(Debug)]
pub struct Refusal {
    pub(super) when: Option<Expr>,
    /// The error code.
    pub code: String,
    pub(super) params: Vec<Expr>,
    pub(super) param_list: Option<Expr>,
}

impl Says {
    /// What was read and checked with the rule.
    pub(super) fn read(said: Said) -> Self {
        Self { made: said.into(), later: None }
    }

    /// What is read from an embedded text, which a test has checked, when it is first asked for. `each` is the name and type
    /// of the element, where the rule judges a list.
    pub(super) fn later(json: &'static str, scope: &Arc<Scope>, each: Option<(String, Type)>) -> Self {
        Self { made: OnceLock::new(), later: Some(Later { json, scope: Arc::clone(scope), each }) }
    }

    fn try_read(&self) -> Option<Said> {
        let Later { json, scope, each } = self.later.as_ref()?;
        let file: SaysFile = serde_json::from_str(json).ok()?;
        embedded_says(file, scope, each.clone())
    }

    /// Whether what is embedded can be read.
    #[cfg(test)]
    pub(super) fn reads(&self) -> bool {
        self.try_read().is_some()
    }

    pub(super) fn get(&self) -> &Said {
        self.made.get_or_init(|| {
            // Not reached with tested rules. A refusal without words still refuses.
            self.try_read().unwrap_or_else(|| Said {
                message: Template::trusted("the rule's own words could not be read", &Arc::default()),
                item: None,
                evidence: Vec::new(),
                fix: Vec::new(),
                refusals: Vec::new(),
            })
        })
    }
}
