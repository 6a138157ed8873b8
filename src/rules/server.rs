//! What the server itself would answer: the first refusal in its order, and every check that would fail alone.

use serde::Serialize;

use super::checks::{LICENCE_CHECK, ServerCheck};
use super::outcome::{Finding, Refusal, ServerAnswer};

/// A check that refuses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FailingCheck {
    /// The check's name in the server's source.
    pub check: &'static str,
    /// The error code.
    pub code: String,
    /// The code's parameters.
    pub params: Vec<String>,
}

/// What pool.join or pool.eject would answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Prediction {
    /// The first refusal; none when no check is known to refuse.
    pub first: Option<Refusal>,
    /// The first refusal of pool.join_force; pool.eject knows no force.
    pub first_with_force: Option<Refusal>,
    /// Every check that would fail alone, in the server's order, the licence check apart.
    pub failing: Vec<FailingCheck>,
    /// Checks of this release for which a fact is missing, or which no rule knows, in the server's order.
    pub undecided: Vec<&'static str>,
}

/// Puts the rules' answers into the server's order. `xapi` is the version whose checks are run.
pub(super) fn predict(checks: &'static [ServerCheck], findings: &[Finding], xapi: &str) -> Prediction {
    predict_from(checks, findings.iter().filter_map(|finding| finding.server.as_ref()), xapi)
}

/// The same from the answers alone: check, part and answer, in the order of the rules.
pub(super) fn predict_from<'a>(
    checks: &'static [ServerCheck],
    answers: impl Iterator<Item = &'a (&'static str, u32, ServerAnswer)> + Clone,
    xapi: &str,
) -> Prediction {
    let mut prediction = Prediction::default();
    for check in checks.iter().filter(|check| check.exists_in(xapi)) {
        match answer_of(check, answers.clone()) {
            ServerAnswer::Passes => {}
            ServerAnswer::Undecided => prediction.undecided.push(check.name),
            ServerAnswer::Refuses(refusal) => {
                prediction.first.get_or_insert_with(|| refusal.clone());
                if !check.force_skips {
                    prediction.first_with_force.get_or_insert_with(|| refusal.clone());
                }
                if check.name != LICENCE_CHECK {
                    prediction.failing.push(FailingCheck {
                        check: check.name,
                        code: refusal.code,
                        params: refusal.params,
                    });
                }
            }
        }
    }
    prediction
}

/// Which checks one release has, by their places.
#[derive(Debug)]
pub(super) struct Existing {
    xapi: String,
    checks: Vec<bool>,
}

impl Existing {
    /// Looks them up.
    pub(super) fn of(checks: &'static [ServerCheck], xapi: &str) -> Self {
        Self { xapi: xapi.to_owned(), checks: checks.iter().map(|check| check.exists_in(xapi)).collect() }
    }

    /// The version that they were looked up for.
    pub(super) fn xapi(&self) -> &str {
        &self.xapi
    }

    /// Whether there is the check at a place of the server's order.
    pub(super) fn has(&self, place: usize) -> bool {
        self.checks.get(place).copied().unwrap_or(false)
    }

    /// The first refusal that [`predict`] gives, from the answers alone: place, part and answer, in the order of the rules.
    pub(super) fn first_refusal<'a>(
        &self,
        answers: impl Iterator<Item = (usize, u32, &'a ServerAnswer)>,
    ) -> Option<&'a Refusal> {
        // Of each check the first part that does not pass decides.
        let mut decisive: Vec<Option<(u32, &ServerAnswer)>> = vec![None; self.checks.len()];
        for (place, part, answer) in answers {
            if let Some(slot) = decisive.get_mut(place)
                && *answer != ServerAnswer::Passes
                && slot.is_none_or(|(first, _)| part < first)
            {
                *slot = Some((part, answer));
            }
        }
        let existing = decisive.into_iter().zip(&self.checks).filter(|(_, exists)| **exists);
        existing.filter_map(|(slot, _)| slot).find_map(|(_, answer)| match answer {
            ServerAnswer::Refuses(refusal) => Some(refusal),
            _ => None,
        })
    }
}

/// The answer of one check over the rules that describe its parts: the first part that refuses or is undecided.
fn answer_of<'a>(
    check: &ServerCheck,
    answers: impl Iterator<Item = &'a (&'static str, u32, ServerAnswer)>,
) -> ServerAnswer {
    let mut parts: Vec<_> =
        answers.filter(|(name, _, _)| *name == check.name).map(|(_, part, answer)| (*part, answer)).collect();
    parts.sort_by_key(|(part, _)| *part);
    if parts.is_empty() {
        return ServerAnswer::Undecided;
    }
    let decisive = parts.into_iter().map(|(_, answer)| answer).find(|answer| **answer != ServerAnswer::Passes);
    decisive.cloned().unwrap_or(ServerAnswer::Passes)
}
